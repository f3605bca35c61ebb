//! Counting, timing, and what the processors did meanwhile.

mod latency;
mod meter;
mod processor;

pub(crate) use latency::{Latencies, Latency};
pub(crate) use meter::{Measurement, Meter, Plan};
