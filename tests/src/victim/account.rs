//! What came of an attack, and what may have come of it.

use std::io::{self, Write as _};
use std::ops::RangeInclusive;
use std::thread;
use std::time::Duration;

use super::process::Victim;
use crate::raw_peer::{Work, within};

/// How many warnings a socket writes at once, and then one a second: a flood of peers must not become a
/// flood of the log.
const BURST: usize = 20;

/// Processor time that a victim may use for whatever happens: for its healthy peer, its timers, and
/// the lines that it tells the test. Programs under test are not optimised, and are slower still where
/// others need the processor.
const IDLE: Duration = Duration::from_secs(2);

/// The part of its life for which a victim may use a processor besides: its healthy peer and its timers
/// go on for as long as an attack takes.
const IDLE_PART: u32 = 20;

/// Processor time that a victim may use for each connection and its handshake: three times what was
/// measured where each of them ends with a warning.
const PER_CONNECTION: Duration = Duration::from_millis(5);

/// Processor time that a victim may use for each octet that it was sent or that was taken from it:
/// the smallest events have some twenty.
const PER_OCTET: Duration = Duration::from_nanos(200);

/// A peer beside the attack that does nothing wrong, and must have noticed nothing.
pub trait Witness {
    /// Goes on as before, and fails the test if anything is not as before.
    fn testify(self, what: &str, victim: &Victim) -> impl Future<Output = ()>;
}

impl<A: Witness, B: Witness> Witness for (A, B) {
    async fn testify(self, what: &str, victim: &Victim) {
        self.0.testify(what, victim).await;
        self.1.testify(what, victim).await;
    }
}

/// How many hostile acts there were, each of which is worth one warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acts(RangeInclusive<usize>);

impl From<usize> for Acts {
    fn from(count: usize) -> Self {
        Self(count..=count)
    }
}

impl From<RangeInclusive<usize>> for Acts {
    fn from(range: RangeInclusive<usize>) -> Self {
        Self(range)
    }
}

impl Acts {
    /// How many warnings that makes in the log after so long: all of a few acts, and some of a flood.
    /// What the socket and what its listener have to say is counted apart.
    fn warnings(&self, age: Duration) -> RangeInclusive<usize> {
        let (least, most) = (*self.0.start(), *self.0.end());
        let seconds = usize::try_from(age.as_secs()).unwrap_or(usize::MAX);
        let flood = BURST.saturating_add(seconds).saturating_add(1);
        least.min(BURST)..=most.min(flood.saturating_mul(2))
    }
}

/// What an attack took from its victim, where nothing is wrong with that.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// By how much it has grown at most, in octets.
    pub memory: u64,
    /// How long it has used a processor.
    pub processor: Duration,
    /// What it has warned of.
    pub warnings: Vec<String>,
}

/// What is wrong with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Harm {
    /// The victim has ended.
    Died,
    /// It has grown beyond what was allowed, in octets.
    Grew {
        /// By how much it has grown.
        by: u64,
        /// By how much it might.
        allowed: u64,
    },
    /// It has worked for longer than what it was sent is worth.
    Worked {
        /// How long it has.
        processor: Duration,
        /// How long it might.
        allowed: Duration,
    },
    /// It has warned of more or of less than there was.
    Warned {
        /// What it has warned of.
        warnings: Vec<String>,
        /// How many warnings were due.
        due: RangeInclusive<usize>,
    },
    /// It has logged, or told in an error, what nobody may read.
    Leaked {
        /// The lines.
        lines: Vec<String>,
    },
}

impl Victim {
    /// Accounts for an attack, of which nothing else may have come than this: the healthy peer beside
    /// it has noticed nothing; the victim lives, has grown by no more than `memory` octets, and has
    /// used no more processor time than what it was sent is worth; each of the `acts` is one warning in
    /// its log, unless they are so many that they would flood it; and no secret and no control character
    /// is in any line of the log or error. Returns the warnings.
    ///
    /// # Panics
    ///
    /// Panics if one of that is not so.
    pub async fn conclude(
        mut self,
        what: &str,
        memory: u64,
        acts: impl Into<Acts>,
        witness: impl Witness,
    ) -> Vec<String> {
        witness.testify(what, &self).await;
        match self.account(memory, acts).await {
            Ok(account) => {
                // For the table in `docs/hostile.md`; shown with `--nocapture`.
                let test = thread::current().name().unwrap_or_default().to_owned();
                let (memory, processor) = (account.memory >> 10, account.processor.as_millis());
                let figures = format!("{memory} KiB more at the peak, {processor} ms");
                let _ = writeln!(io::stderr(), "{test}: {what}: {figures}");
                account.warnings
            }
            Err(harm) => panic!("{what}: {harm:?}"),
        }
    }

    /// What [`Self::conclude`] asserts, but for the healthy peer.
    ///
    /// # Errors
    ///
    /// The first of all that is wrong.
    pub async fn account(&mut self, memory: u64, acts: impl Into<Acts>) -> Result<Account, Harm> {
        self.settle();
        let acts = acts.into();
        // If there are none in time, that shows below.
        let due = acts.warnings(Duration::ZERO);
        let _ = self.until_warned(*due.start()).await;
        let due = acts.warnings(self.age());
        if !self.is_alive() {
            return Err(Harm::Died);
        }
        let lines = self.all_said("leak ");
        if !lines.is_empty() {
            return Err(Harm::Leaked { lines });
        }
        let warnings = self.all_said("warning ");
        if !due.contains(&warnings.len()) {
            return Err(Harm::Warned { warnings, due });
        }
        let (used, work) = self.used_since();
        if used.memory > memory {
            return Err(Harm::Grew {
                by: used.memory,
                allowed: memory,
            });
        }
        let allowed = processor_allowance(self.age(), work);
        if used.processor > allowed {
            return Err(Harm::Worked {
                processor: used.processor,
                allowed,
            });
        }
        Ok(Account {
            memory: used.memory,
            processor: used.processor,
            warnings,
        })
    }

    /// Waits until it has warned so often.
    ///
    /// # Errors
    ///
    /// Fails with `TimedOut` if it does not in time.
    pub async fn until_warned(&self, count: usize) -> io::Result<()> {
        within(async {
            while self.all_said("warning ").len() < count {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            Ok(())
        })
        .await
    }
}

/// How long a victim of this age may use a processor for what raw peers have sent, taken and connected.
pub(super) fn processor_allowance(age: Duration, work: Work) -> Duration {
    let octets = u32::try_from(work.octets).unwrap_or(u32::MAX);
    IDLE + age / IDLE_PART + PER_OCTET * octets + PER_CONNECTION * work.connections
}
