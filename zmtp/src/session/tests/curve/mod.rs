//! Encrypted sessions.

mod agreement;
mod faults;
mod secure;
