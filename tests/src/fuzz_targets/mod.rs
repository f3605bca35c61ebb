//! The bodies of the fuzz targets.
//!
//! Each takes any octets, runs one decoder or machine with them and panics if a property does not
//! hold. `fuzz/` calls them with new inputs; the test `replay` calls them with the committed seeds.

mod machines;
mod mechanisms;
mod values;

pub use machines::{multiplexer, session};
pub use mechanisms::{curve, curve_oracle, plain};
pub use values::{commands, endpoint, frames, greeting, metadata, zerorpc_event};

/// A fuzz target: its name and its body.
pub type Target = (&'static str, fn(&[u8]));

/// All targets, by the names of their seed folders.
pub const ALL: [Target; 11] = [
    ("commands", commands),
    ("curve", curve),
    ("curve_oracle", curve_oracle),
    ("endpoint", endpoint),
    ("frames", frames),
    ("greeting", greeting),
    ("metadata", metadata),
    ("multiplexer", multiplexer),
    ("plain", plain),
    ("session", session),
    ("zerorpc_event", zerorpc_event),
];
