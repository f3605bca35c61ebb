//! The window: from the end of the warm-up until enough time has passed, where messages arrive.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Latencies, Latency, process};
use crate::cli::Side;

/// How one measurement is done.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) warm_up: Duration,
    pub(crate) window: Duration,
    /// The side that measures.
    pub(crate) side: Side,
    /// The process id of the other side; 0 if there is none.
    pub(crate) peer: u32,
}

/// What one measurement gave.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Measurement {
    /// Messages, round trips, calls or items in the window.
    pub(crate) operations: u64,
    /// The length of the window.
    pub(crate) seconds: f64,
    /// Processor time of the process that binds, in seconds.
    pub(crate) server_cpu: f64,
    /// Processor time of the process that connects, in seconds.
    pub(crate) client_cpu: f64,
    /// Processor time of everything else on the machine, in seconds.
    pub(crate) foreign_cpu: f64,
    /// Of single operations, where one is done after the other.
    pub(crate) latency: Option<Latency>,
    /// Of connections that are held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) footprint: Option<Footprint>,
    /// The length of the program's file in bytes, where it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<u64>,
}

/// What the process that binds keeps and does for its connections.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Footprint {
    /// Resident memory for each connection that has carried nothing yet.
    pub(crate) idle_bytes: f64,
    /// The same after it carried some messages.
    pub(crate) used_bytes: f64,
    /// How often the process woke up per second while nothing was sent.
    pub(crate) wake_ups: f64,
    /// How many cores it kept busy meanwhile.
    pub(crate) idle_load: f64,
}

impl Measurement {
    /// Adds what single operations took.
    pub(crate) fn with_latency(self, latencies: Latencies) -> Self {
        Self {
            latency: latencies.summary(),
            ..self
        }
    }

    /// Adds the length of a program.
    pub(crate) fn with_size(self, size: u64) -> Self {
        Self {
            size: Some(size),
            ..self
        }
    }

    /// Operations per second.
    pub(crate) fn rate(&self) -> f64 {
        self.operations as f64 / self.seconds
    }

    /// Processor time of both sides for one operation, in nanoseconds.
    pub(crate) fn cpu_per_operation(&self) -> f64 {
        (self.server_cpu + self.client_cpu) * 1e9 / self.operations.max(1) as f64
    }

    /// How many cores other programs kept busy.
    pub(crate) fn foreign_load(&self) -> f64 {
        self.foreign_cpu / self.seconds
    }
}

/// Counts operations and reads the clock about every half millisecond.
#[derive(Debug)]
pub(crate) struct Meter {
    plan: Plan,
    phase: Phase,
    count: u64,
    /// The count at which the clock is read next.
    look_at: u64,
    /// How many operations pass between two looks.
    stride: u64,
    looked: Instant,
}

#[derive(Debug)]
enum Phase {
    /// Nothing has arrived yet.
    Waiting,
    WarmUp {
        until: Instant,
    },
    Window(Start),
}

#[derive(Clone, Debug)]
struct Start {
    at: Instant,
    count: u64,
    this: Duration,
    peer: Duration,
    machine: Duration,
}

impl Meter {
    /// A meter that starts with the first operation.
    pub(crate) fn new(plan: Plan) -> Self {
        Self {
            plan,
            phase: Phase::Waiting,
            count: 0,
            look_at: 1,
            stride: 1,
            looked: Instant::now(),
        }
    }

    /// Counts `operations`; breaks with the result when the window is over.
    #[inline]
    pub(crate) fn record(&mut self, operations: u64) -> ControlFlow<Measurement> {
        self.count += operations;
        if self.count < self.look_at {
            return ControlFlow::Continue(());
        }
        self.look()
    }

    /// Whether what is recorded now will count.
    pub(crate) fn in_window(&self) -> bool {
        matches!(self.phase, Phase::Window(_))
    }

    #[cold]
    fn look(&mut self) -> ControlFlow<Measurement> {
        let now = Instant::now();
        self.pace(now);
        match &self.phase {
            Phase::Waiting => {
                self.phase = Phase::WarmUp {
                    until: now + self.plan.warm_up,
                };
            }
            Phase::WarmUp { until } if now >= *until => {
                self.phase = Phase::Window(Start {
                    at: Instant::now(),
                    count: self.count,
                    this: process::time(std::process::id()),
                    peer: process::time(self.plan.peer),
                    machine: process::time_of_machine(),
                });
            }
            Phase::Window(start) if now - start.at >= self.plan.window => {
                return ControlFlow::Break(self.measurement(start, now));
            }
            Phase::WarmUp { .. } | Phase::Window(_) => {}
        }
        ControlFlow::Continue(())
    }

    fn pace(&mut self, now: Instant) {
        const WISHED: Duration = Duration::from_micros(500);
        let passed = now - self.looked;
        if passed < WISHED / 2 {
            self.stride = (self.stride * 2).min(1 << 16);
        } else if passed > WISHED * 2 {
            self.stride = (self.stride / 2).max(1);
        }
        self.looked = now;
        self.look_at = self.count + self.stride;
    }

    fn measurement(&self, start: &Start, now: Instant) -> Measurement {
        let this = process::time(std::process::id()).saturating_sub(start.this);
        let peer = process::time(self.plan.peer).saturating_sub(start.peer);
        let machine = process::time_of_machine().saturating_sub(start.machine);
        let (server, client) = match self.plan.side {
            Side::Server => (this, peer),
            Side::Client => (peer, this),
        };
        Measurement {
            operations: self.count - start.count,
            seconds: (now - start.at).as_secs_f64(),
            server_cpu: server.as_secs_f64(),
            client_cpu: client.as_secs_f64(),
            foreign_cpu: machine.saturating_sub(this + peer).as_secs_f64(),
            latency: None,
            footprint: None,
            size: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_begins_after_the_warm_up() {
        let mut meter = Meter::new(Plan {
            warm_up: Duration::from_millis(5),
            window: Duration::from_millis(20),
            side: Side::Server,
            peer: std::process::id(),
        });
        let begin = Instant::now();
        let mut recorded = 0;
        let measurement = loop {
            recorded += 1;
            if let ControlFlow::Break(measurement) = meter.record(1) {
                break measurement;
            }
        };
        assert!(begin.elapsed() >= Duration::from_millis(25));
        assert!(measurement.seconds >= 0.02);
        assert!(measurement.operations < recorded);
    }
}
