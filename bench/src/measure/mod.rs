//! Counting, timing, and what the processors did meanwhile.

mod latency;
mod meter;
pub(crate) mod process;

pub(crate) use latency::{Latencies, Latency};
pub(crate) use meter::{Footprint, Measurement, Meter, Plan};
