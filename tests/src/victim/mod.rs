//! A process that is attacked, so that what it uses and what it logs are its own.
//!
//! A test starts its own program once more as the victim, which speaks to it in lines: where it
//! listens, what it receives, what it logs, and whether anything of that should not have been said.
//! At the end of each attack [`Victim::conclude`] accounts for all that may come of one; a victim that
//! nobody has accounted for fails the test that drops it.

mod account;
mod inside;
mod process;

pub use account::{Account, Acts, Harm, Witness};
pub use inside::{check, overwork, peers, role, say, until_orphaned, watch_log};
pub use process::{Plan, Victim, may_open};
