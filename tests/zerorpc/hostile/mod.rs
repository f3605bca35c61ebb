//! Peers that try to exhaust a server or a client, which is a process of its own so that its memory
//! and its log can be looked at, and peers that want to do what they may not.
//!
//! `docs/hostile.md` shows what comes of each.

mod bypass;
mod exhaustion;
mod servers;
mod victim;
