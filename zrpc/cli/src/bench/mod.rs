//! Load on a method, and how long its answers take.

mod load;
mod options;
mod progress;
mod report;
mod tally;

pub(crate) use self::options::BenchOptions;
