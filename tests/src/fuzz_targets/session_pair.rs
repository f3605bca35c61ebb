//! Two sessions and a bad network between them.

use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use zmtp::pattern::SocketType;

use super::session_end::{End, Network, Scene};

/// More deliveries than this without an operation in between is two sessions that talk for ever.
const MAX_DELIVERIES: usize = 1000;

/// Two sessions say to each other what the input asks for, over a network that splits, delays, loses
/// and cuts: what arrives is what was sent, in order, as long as nothing is lost; who gives up had
/// reason to; and who is alone finds out.
///
/// The first octet sets the scene, the others are operations.
pub fn session_pair(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(choice) = input.arbitrary() else {
        return;
    };
    let mut pair = Pair::new(&Scene::from_choice(choice));
    while !input.is_empty() {
        let Ok(operation) = input.arbitrary() else {
            return;
        };
        pair.apply(operation);
        pair.ends.iter().for_each(End::check);
    }
    pair.settle();
    pair.keep_alive();
    pair.fall_silent();
}

/// What happens. Each takes an octet for what it is, and one or two for how.
enum Operation {
    /// The end sends a message, whose parts are so long.
    Send {
        end: usize,
        lens: Vec<usize>,
    },
    /// A subscriber changes its mind.
    Subscribe {
        topic: u8,
    },
    Cancel {
        topic: u8,
    },
    /// So many octets arrive at the end, and what they cause.
    Deliver {
        end: usize,
        count: usize,
    },
    /// Everything arrives, and what it causes.
    DeliverAll,
    /// Time goes by.
    Advance(Duration),
    /// Time goes by until one of the two has something to do.
    AwaitTimeout,
    /// It is decided that the peer may come in.
    Decide {
        end: usize,
    },
    /// So many octets on their way to the end are lost.
    Lose {
        end: usize,
        count: usize,
    },
    /// The connection ends at the end; what is on the way is lost.
    Cut {
        end: usize,
    },
}

impl<'a> Arbitrary<'a> for Operation {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let (choice, how) = input.arbitrary::<(u8, u8)>()?;
        let end = usize::from(how & 1);
        Ok(match choice % 16 {
            0..=3 => {
                let parts = usize::from(how >> 1) % 6 + 1;
                let lens = input.bytes(parts.min(input.len()))?;
                let lens = lens.iter().map(|len| part_len(*len)).collect();
                Self::Send { end, lens }
            }
            4 => Self::Subscribe { topic: how },
            5 => Self::Cancel { topic: how },
            6..=8 => Self::Deliver {
                end,
                count: usize::from(how >> 1) + 1,
            },
            9 => Self::DeliverAll,
            10 => Self::Advance(Duration::from_millis(4) * u32::from(how)),
            11 => Self::AwaitTimeout,
            12 | 13 => Self::Decide { end },
            14 => Self::Lose {
                end,
                count: usize::from(how >> 1) + 1,
            },
            _ => Self::Cut { end },
        })
    }
}

/// Short ones exactly, and some around what a frame and a message may be.
fn part_len(octet: u8) -> usize {
    match octet {
        0..=192 => usize::from(octet),
        _ => usize::from(octet - 192) * 32,
    }
}

struct Pair {
    ends: [End; 2],
    now: Instant,
}

impl Pair {
    fn new(scene: &Scene) -> Self {
        // Any fixed point will do: the sessions see differences only.
        let now = Instant::now();
        Self {
            ends: scene.ends(now),
            now,
        }
    }

    fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Send { end, lens } => self.ends[end].send(&lens),
            Operation::Subscribe { topic } => self.subscriber().subscribe(topic),
            Operation::Cancel { topic } => self.subscriber().cancel(topic),
            Operation::Deliver { end, count } => self.deliver(end, count),
            Operation::DeliverAll => self.deliver_all(),
            Operation::Advance(duration) => self.advance(duration),
            Operation::AwaitTimeout => self.await_timeout(),
            Operation::Decide { end } => self.decide(end),
            Operation::Lose { end, count } => {
                let lost = self.ends[1 - end].take_wire(count);
                self.ends[end].lose(lost.len());
            }
            Operation::Cut { end } => {
                let lost = self.ends[1 - end].take_wire(usize::MAX);
                let (receiver, sender) = self.both(end);
                receiver.cut(lost.len(), sender);
            }
        }
    }

    fn subscriber(&mut self) -> &mut End {
        let is_subscriber = self.ends[0].socket_type() == SocketType::XSub;
        &mut self.ends[usize::from(!is_subscriber)]
    }

    fn deliver(&mut self, end: usize, count: usize) {
        let octets = self.ends[1 - end].take_wire(count);
        let now = self.now;
        let (receiver, sender) = self.both(end);
        receiver.receive(now, &octets, sender);
    }

    /// The end and its peer.
    fn both(&mut self, end: usize) -> (&mut End, &End) {
        let [connector, listener] = &mut self.ends;
        match end {
            0 => (connector, listener),
            _ => (listener, connector),
        }
    }

    fn deliver_all(&mut self) {
        for _ in 0..MAX_DELIVERIES {
            if self.ends.iter().all(|end| end.wire_len() == 0) {
                return;
            }
            self.deliver(0, usize::MAX);
            self.deliver(1, usize::MAX);
        }
        panic!("two sessions talk for ever");
    }

    fn decide(&mut self, end: usize) {
        let now = self.now;
        let (receiver, sender) = self.both(end);
        receiver.decide(now, sender);
    }

    fn advance(&mut self, duration: Duration) {
        self.now += duration;
        for end in &mut self.ends {
            end.handle_timeout(self.now);
        }
    }

    fn await_timeout(&mut self) {
        let next = self.ends.iter().filter_map(End::poll_timeout).min();
        if let Some(next) = next {
            self.advance(next.saturating_duration_since(self.now));
        }
    }

    /// Lets everything arrive: with a network that lost nothing, everything has.
    fn settle(&mut self) {
        for end in [0, 1, 0, 1] {
            self.decide(end);
            self.deliver_all();
        }
        let is_whole = self.ends.iter().all(|end| end.network() == Network::Whole);
        if !is_whole || self.ends.iter().any(End::is_ended) {
            return;
        }
        let [connector, listener] = &self.ends;
        connector.check_complete(listener);
        listener.check_complete(connector);
    }

    /// Two that hear each other at once do not give up.
    fn keep_alive(&mut self) {
        let is_whole = self.ends.iter().all(|end| end.network() == Network::Whole);
        if !is_whole || self.ends.iter().any(End::is_ended) {
            return;
        }
        for _ in 0..20 {
            self.await_timeout();
            self.deliver_all();
        }
        assert!(!self.ends.iter().any(End::is_ended), "both are there");
    }

    /// Whoever waits for a sign of life, and gets none, gives up.
    fn fall_silent(&mut self) {
        for _ in 0..50 {
            self.await_timeout();
        }
        for end in &self.ends {
            assert!(
                end.is_ended() || end.poll_timeout().is_none(),
                "it waits for ever"
            );
        }
    }
}
