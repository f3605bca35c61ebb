//! The heartbeat of one channel, both ways.

use std::time::{Duration, Instant};

use super::Heartbeat;

/// Sends signs of life and watches for those of the peer.
///
/// ```text
///   Waiting ──request leaves──▶ Off, Silent or Beating
///      └─────nothing heard for three intervals──▶ lost, if it would be Beating
///   Off      answers heartbeats, sends and judges nothing
///   Silent ──first heartbeat──▶ Beating ──nothing heard for two intervals──▶ lost
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pulse(State);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The request of the channel has not left: the peer cannot know of the channel.
    Waiting {
        heartbeat: Heartbeat,
        /// Since when.
        since: Instant,
        /// When to look whether the peer lives, if that is to be judged. First about when the first tick
        /// will be, so that it takes no second deadline.
        look: Option<Instant>,
    },
    Off,
    /// Passive, and the peer has sent no heartbeat yet.
    Silent {
        interval: Duration,
    },
    Beating {
        interval: Duration,
        next: Instant,
        heard: Heard,
    },
}

/// When the peer was heard last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// Not yet, and no tick has passed.
    Never,
    /// Then; or when the first tick was due if it was silent until there, for a peer may be slow to
    /// start. A tick that comes late must not make the third one too early to judge.
    At(Instant),
}

/// What a heartbeat is sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Its time has come.
    Interval,
    /// A heartbeat of a side that has heartbeats on, which this side has off. It says so, because
    /// two such sides would answer each other for ever.
    Answer,
}

/// Whether to answer a heartbeat at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Now,
    Not,
}

/// What a tick asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tick {
    /// It is not time yet.
    Early,
    /// Send a heartbeat.
    Beat,
    /// The peer is lost after this time, two intervals.
    Lost { after: Duration },
}

impl Pulse {
    /// Returns the pulse of a channel whose request waits for the socket.
    pub(crate) fn waiting(heartbeat: Heartbeat, now: Instant) -> Self {
        let look = Self::new(heartbeat, now).deadline();
        Self(State::Waiting {
            heartbeat,
            since: now,
            look,
        })
    }

    /// Returns the pulse of a channel that is created now.
    pub(crate) fn new(heartbeat: Heartbeat, now: Instant) -> Self {
        Self(match (heartbeat, heartbeat.interval()) {
            (Heartbeat::Active(_), Some(interval)) => State::Beating {
                interval,
                next: later(now, interval),
                heard: Heard::Never,
            },
            (Heartbeat::Passive(_), Some(interval)) => State::Silent { interval },
            (_, _) => State::Off,
        })
    }

    /// The request leaves now. Returns since when it waited.
    pub(crate) fn start(&mut self, now: Instant) -> Instant {
        let State::Waiting {
            heartbeat, since, ..
        } = self.0
        else {
            return now;
        };
        *self = Self::new(heartbeat, now);
        since
    }

    /// The request came back from a socket that is full, and has waited since then.
    pub(crate) fn stop(&mut self, since: Instant) {
        let (heartbeat, look) = match self.0 {
            State::Waiting { .. } => return,
            State::Off => (Heartbeat::Off, None),
            State::Silent { interval } => (Heartbeat::Passive(interval), None),
            State::Beating { interval, next, .. } => {
                let left = next.checked_sub(interval).unwrap_or(since);
                let look = next_look(since, interval, left);
                (Heartbeat::Active(interval), Some(look))
            }
        };
        self.0 = State::Waiting {
            heartbeat,
            since,
            look,
        };
    }

    /// Any event came: the peer lives.
    pub(crate) fn recv_any(&mut self, now: Instant) {
        if let State::Beating { heard, .. } = &mut self.0 {
            *heard = Heard::At(now);
        }
    }

    /// A heartbeat came. Returns whether to answer it.
    pub(crate) fn recv_heartbeat(&mut self, now: Instant, cause: Cause) -> Answer {
        self.recv_any(now);
        match self.0 {
            State::Off if cause == Cause::Interval => Answer::Now,
            State::Off | State::Waiting { .. } => Answer::Not,
            State::Silent { interval } => {
                let next = later(now, interval);
                self.0 = State::Beating {
                    interval,
                    next,
                    heard: Heard::At(now),
                };
                Answer::Now
            }
            State::Beating { .. } => Answer::Not,
        }
    }

    /// Time passed. `peer_heard` is when the peer was heard last on any channel.
    pub(crate) fn handle_timeout(&mut self, now: Instant, peer_heard: Option<Instant>) -> Tick {
        let (interval, next, heard) = match &mut self.0 {
            State::Beating {
                interval,
                next,
                heard,
            } => (interval, next, heard),
            State::Waiting {
                heartbeat,
                since,
                look: Some(look),
            } => {
                let Some(interval) = heartbeat.interval() else {
                    return Tick::Early;
                };
                return judge_waiting(now, interval, since, look, peer_heard);
            }
            State::Waiting { look: None, .. } => return Tick::Early,
            State::Off | State::Silent { .. } => return Tick::Early,
        };
        let (due, interval) = (*next, *interval);
        if now < due {
            return Tick::Early;
        }
        let allowance = interval.saturating_mul(2);
        // A tick that is late by an interval says that this side slept, not that the peer is gone:
        // what the peer sent meanwhile is still to be read.
        let overslept = now >= later(due, interval);
        let ticked = if overslept { now } else { due };
        match *heard {
            Heard::At(at) if now >= later(at, allowance) && !overslept => {
                return Tick::Lost { after: allowance };
            }
            Heard::At(_) => {}
            Heard::Never => *heard = Heard::At(ticked),
        }
        *next = later(ticked, interval);
        Tick::Beat
    }

    /// Returns when the next tick is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.0 {
            State::Off | State::Silent { .. } => None,
            State::Waiting { look, .. } => look,
            State::Beating { next, .. } => Some(next),
        }
    }

    /// Returns what this side sends heartbeats for.
    pub(crate) fn cause(&self) -> Cause {
        match self.0 {
            State::Off => Cause::Answer,
            State::Waiting { .. } | State::Silent { .. } | State::Beating { .. } => Cause::Interval,
        }
    }
}

/// Judges a peer that does not take a request. It is not lost if it is heard on other channels: its
/// link is slow. Nor is one that would be Beating before its third tick.
fn judge_waiting(
    now: Instant,
    interval: Duration,
    since: &mut Instant,
    look: &mut Instant,
    peer_heard: Option<Instant>,
) -> Tick {
    if now < *look {
        return Tick::Early;
    }
    if now >= later(*look, interval) {
        // This side slept.
        *since = now;
    }
    let heard = peer_heard.map_or(*since, |heard| heard.max(*since));
    if now >= later(heard, interval.saturating_mul(3)) {
        return Tick::Lost {
            after: interval.saturating_mul(2),
        };
    }
    *look = next_look(*since, interval, now);
    Tick::Early
}

/// Returns the first time after `now` that is a number of intervals after `since`.
fn next_look(since: Instant, interval: Duration, now: Instant) -> Instant {
    let passed = now.saturating_duration_since(since).as_nanos();
    let passed = passed.checked_div(interval.as_nanos()).unwrap_or_default();
    let count = u32::try_from(passed).unwrap_or(u32::MAX).saturating_add(1);
    later(since, interval.saturating_mul(count))
}

/// Adds a duration; one that no clock reaches is as good as a century.
pub(crate) fn later(instant: Instant, duration: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    instant
        .checked_add(duration)
        .or_else(|| instant.checked_add(CENTURY))
        .unwrap_or(instant)
}
