//! The bodies of the fuzz targets.
//!
//! Each takes any octets, runs one decoder or machine with them and panics if a property does not
//! hold. `fuzz/` calls them with new inputs; the test `replay` calls them with the committed seeds.

mod channels;
mod keys;
mod machines;
mod mechanisms;
mod session_end;
mod session_pair;
mod subscriptions;
mod values;
mod zap;

pub use channels::channels;
pub use keys::{certificate, z85};
pub use machines::{multiplexer, session};
pub use mechanisms::{curve, curve_oracle, null, plain};
pub use session_pair::session_pair;
pub use subscriptions::subscriptions;
pub use values::{
    commands, endpoint, frame_memory, frames, greeting, memory_of, metadata, zerorpc_event,
};
pub use zap::zap;

/// A fuzz target: its name and its body.
pub type Target = (&'static str, fn(&[u8]));

/// All targets, by the names of their seed folders.
pub const ALL: [Target; 19] = [
    ("certificate", certificate),
    ("channels", channels),
    ("commands", commands),
    ("curve", curve),
    ("curve_oracle", curve_oracle),
    ("endpoint", endpoint),
    ("frame_memory", frame_memory),
    ("frames", frames),
    ("greeting", greeting),
    ("metadata", metadata),
    ("multiplexer", multiplexer),
    ("null", null),
    ("plain", plain),
    ("session", session),
    ("session_pair", session_pair),
    ("subscriptions", subscriptions),
    ("z85", z85),
    ("zap", zap),
    ("zerorpc_event", zerorpc_event),
];
