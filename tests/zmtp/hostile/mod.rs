//! Peers that try to exhaust, confuse or enter a socket, which runs in a process of its own so that
//! its memory and its log can be looked at. Beside each stands a healthy peer.
//!
//! `docs/hostile.md` shows what comes of each, and how other implementations fare.

mod advisories;
mod crowds;
mod curve;
mod exhaustion;
mod harness;
mod heartbeats;
mod honest;
mod lies;
mod publishers;
mod reconnects;
mod slow;
mod victim;
