//! The greeting: the 64 octets that either side sends first, without waiting for the other.
//!
//! ```text
//! signature   FF  padding(8)  7F
//! version     major(1)  minor(1)
//! mechanism   name(20), filled with zeros
//! as-server   0 or 1
//! filler      31 zeros
//! ```
//!
//! The first 11 octets tell older protocols apart, so that their speakers are recognised before
//! they have sent anything that looks like the rest.

mod mechanism_name;
mod octets;
mod version;

pub use mechanism_name::{MechanismName, MechanismNameError};
pub use octets::{GREETING_LEN, Greeting, GreetingError, SecurityRole};
pub use version::Version;

#[cfg(test)]
mod tests;
