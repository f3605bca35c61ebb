//! What befalls a connection, decided by a seed.

use std::time::Duration;

use crate::random::Random;

/// Octets of greeting and handshake, at most.
const HANDSHAKE: u64 = 1200;

/// Which way octets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are no other ways")]
pub enum Direction {
    /// From who connects to who is bound.
    Forwards,
    /// Back.
    Backwards,
}

/// How a connection ends before its peers want it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests choose among them")]
pub enum Fault {
    /// Both peers see an orderly end, one of them in the middle of what it sends.
    Close,
    /// Both peers see a reset. What waits in their kernel is gone as well.
    Reset,
    /// The receiver of this direction sees its end; what comes later vanishes. The other
    /// direction goes on until somebody has had enough.
    HalfClose,
    /// Nothing moves in this direction for a while; then the connection is reset.
    Stall,
    /// A bit of the octet, behind the handshake, is another, and everything goes on. A connection that
    /// survives that for long is reset in the end.
    ///
    /// Not in the handshake: what is wrong there would be wrong again, and is not tried again.
    Corrupt,
    /// The same with the first octet of the frame that begins next: it gets a flag that there is not.
    CorruptFlags,
}

impl Fault {
    /// Those that lose octets, and change none.
    pub const LOSSES: [Self; 4] = [Self::Close, Self::Reset, Self::HalfClose, Self::Stall];

    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Close,
        Self::Reset,
        Self::HalfClose,
        Self::Stall,
        Self::Corrupt,
        Self::CorruptFlags,
    ];
}

/// What befalls one connection: one fault at one octet.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Strike {
    /// What happens.
    pub fault: Fault,
    /// Where octets are counted.
    pub direction: Direction,
    /// After how many of them it happens.
    pub after: u64,
}

/// How octets travel while nothing is wrong.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Pace {
    /// As many octets are passed on at once. One is the least.
    pub chunk: usize,
    /// How long each chunk is held; with some delay, chunks that come meanwhile are merged.
    pub delay: Duration,
}

impl Pace {
    const fn of(chunk: usize, delay: Duration) -> Self {
        Self { chunk, delay }
    }
}

/// Everything about one connection.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Plan {
    /// The pace, forwards and backwards.
    pub pace: [Pace; 2],
    /// The fault, if there is one.
    pub strike: Option<Strike>,
    /// How long nobody is let in after it.
    pub refusal: Duration,
}

impl Plan {
    /// A connection that nothing befalls.
    #[must_use]
    pub fn calm() -> Self {
        let pace = Pace::of(64 * 1024, Duration::ZERO);
        Self {
            pace: [pace; 2],
            strike: None,
            refusal: Duration::ZERO,
        }
    }
}

/// Makes a plan for each connection.
#[derive(Debug)]
pub struct Schedule {
    random: Random,
    faults: Vec<Fault>,
    within: [u64; 2],
}

impl Schedule {
    /// Chooses among `faults`, each `within` the first so many octets, forwards and backwards. One that
    /// is further on than its direction ever gets would not come.
    #[must_use]
    pub fn new(random: Random, faults: &[Fault], within: [u64; 2]) -> Self {
        Self {
            random,
            faults: faults.to_vec(),
            within,
        }
    }

    /// Plans the next connection.
    pub fn next_plan(&mut self) -> Plan {
        let random = &mut self.random;
        // Within a header, within a frame, several messages, as it comes, late and merged.
        let mut pace = || match random.below(5) {
            0 => Pace::of(1 + random.count_below(8), Duration::ZERO),
            1 => Pace::of(1 + random.count_below(300), Duration::ZERO),
            2 => Pace::of(1 + random.count_below(5000), Duration::ZERO),
            3 => Pace::of(64 * 1024, Duration::ZERO),
            _ => Pace::of(4096 + random.count_below(8192), random.millis(1, 4)),
        };
        let mut pace = [pace(), pace()];
        let fault = self.faults.get(random.count_below(self.faults.len()));
        let strike = fault.map(|fault| {
            let is_change = matches!(fault, Fault::Corrupt | Fault::CorruptFlags);
            if is_change {
                // It takes many octets to notice.
                pace.iter_mut()
                    .for_each(|pace| pace.chunk = pace.chunk.max(512));
            }
            // More often where there is more.
            let [forwards, backwards] = self.within;
            let quieter = random.once_in(4) && !is_change;
            let (direction, within) = match (forwards < backwards) ^ quieter {
                true => (Direction::Backwards, backwards),
                false => (Direction::Forwards, forwards),
            };
            let after = match random.below(3) {
                _ if is_change => HANDSHAKE + random.below(within),
                // Often early: in the greeting, in the handshake, in the first messages.
                0 => random.below(within.min(300)),
                _ => random.below(within),
            };
            Strike {
                fault: *fault,
                direction,
                after,
            }
        });
        let refusal = match random.below(4) {
            0 => random.millis(1, 20),
            _ => Duration::ZERO,
        };
        Plan {
            pace,
            strike,
            refusal,
        }
    }
}
