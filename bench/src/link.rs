//! The talk between the benchmark and one of its processes, over standard input and output.
//!
//! - A server writes `port <number>` once it listens.
//! - The process that measures reads `peer <process id>` before it starts. The id is 0 if it is
//!   alone.
//! - It writes its [`Measurement`] as one line of JSON.
//!
//! Both are killed then. Contenders in other languages talk the same way.

use std::io::{self, BufRead, Read, Write};

use crate::cli::{PeerOptions, Runtime, Side};
use crate::error::BenchError;
use crate::measure::{Measurement, Plan};
use crate::workload::Workload;

/// The end of the talk in a process that does the work.
#[derive(Debug)]
pub(crate) struct Link {
    options: PeerOptions,
}

impl Link {
    pub(crate) fn new(options: PeerOptions) -> Self {
        Self { options }
    }

    pub(crate) fn workload(&self) -> Workload {
        self.options.workload
    }

    pub(crate) fn side(&self) -> Side {
        self.options.side
    }

    pub(crate) fn runtime(&self) -> Runtime {
        self.options.runtime
    }

    /// Where clients connect to.
    pub(crate) fn port(&self) -> u16 {
        self.options.port
    }

    /// Where clients connect to, in ZeroMQ's notation.
    pub(crate) fn endpoint(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.options.port)
    }

    /// Says that clients may come.
    pub(crate) fn listening(&self, port: u16) -> Result<(), BenchError> {
        write_line(&format!("port {port}"))
    }

    /// Says that clients may come to an endpoint in ZeroMQ's notation.
    pub(crate) fn listening_at(&self, endpoint: &str) -> Result<(), BenchError> {
        let port = endpoint
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok())
            .ok_or_else(|| BenchError::UnexpectedOutput(endpoint.to_owned()))?;
        self.listening(port)
    }

    /// Waits until the other process exists, and says how to measure.
    pub(crate) fn plan(&self) -> Result<Plan, BenchError> {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        let peer = line
            .trim()
            .strip_prefix("peer ")
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| BenchError::UnexpectedOutput(line.clone()))?;
        Ok(Plan {
            warm_up: self.options.warm_up,
            window: self.options.seconds,
            side: self.options.side,
            peer,
        })
    }

    /// Hands the result over, and waits for the end: the other process goes first, so that it
    /// does not complain about a lost connection.
    pub(crate) fn report(&self, measurement: &Measurement) -> Result<(), BenchError> {
        write_line(&serde_json::to_string(measurement)?)?;
        io::stdin().lock().read_to_end(&mut Vec::new())?;
        Ok(())
    }
}

fn write_line(line: &str) -> Result<(), BenchError> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}
