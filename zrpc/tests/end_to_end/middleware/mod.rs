//! The hooks of middleware: which, when, in which order, and what they can do.

mod context;
mod custom;
mod effects;
mod headers;
mod limits;
#[cfg(feature = "metrics")]
mod metrics;
mod order;
mod recorder;
#[cfg(feature = "signing")]
mod signing;
mod spans;
mod stats;
