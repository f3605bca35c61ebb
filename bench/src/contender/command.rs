//! Commands that are started again and again: how long a user waits for the first word.

use std::ops::ControlFlow;
use std::process::{Command, Stdio};

use super::unsupported;
use crate::error::BenchError;
use crate::link::Link;
use crate::measure::{Latencies, Meter};

/// The variable that says which command, and after it, parted by a space, its argument.
pub(crate) const PROGRAM: &str = "BENCH_PROGRAM";

pub(super) fn run(link: &Link) -> Result<(), BenchError> {
    let line = std::env::var(PROGRAM).unwrap_or_default();
    let Some((program, argument)) = line.rsplit_once(' ') else {
        return Err(unsupported(
            super::Implementation::ZrpcCommand,
            link.workload(),
        ));
    };
    let size = std::fs::metadata(program)?.len();
    let mut meter = Meter::new(link.plan()?);
    let mut latencies = Latencies::default();
    loop {
        let started = Latencies::start(&meter);
        let status = Command::new(program)
            .arg(argument)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        latencies.stop(started);
        assert!(status.success(), "{line} failed");
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement.with_latency(latencies).with_size(size));
        }
    }
}
