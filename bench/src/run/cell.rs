//! One measurement: two processes that talk with each other, and with the benchmark as
//! [`crate::link`] says.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::Cell;
use crate::PEER;
use crate::cli::{Options, Side};
use crate::contender::PROGRAM;
use crate::error::BenchError;
use crate::helpers::Helpers;
use crate::measure::Measurement;
use crate::workload::{self, Workload};

/// What a process may take beside its warm-up and its window.
const GRACE: Duration = Duration::from_secs(15);

/// The same where thousands of connections are made first.
const GRACE_FOR_CONNECTIONS: Duration = Duration::from_secs(60);

/// Starts the processes of a measurement.
#[derive(Debug)]
pub(crate) struct Processes {
    program: PathBuf,
    helpers: Helpers,
    warm_up: Duration,
    window: Duration,
}

impl Processes {
    pub(crate) fn new(options: &Options, helpers: Helpers) -> Result<Self, BenchError> {
        Ok(Self {
            program: std::env::current_exe()?,
            helpers,
            warm_up: options.warm_up,
            window: options.seconds,
        })
    }

    /// Runs one measurement.
    ///
    /// # Errors
    ///
    /// If one of the processes fails, or none has a result in time.
    pub(crate) fn measure(&self, cell: &Cell) -> Result<Measurement, BenchError> {
        let server = Process::start(self.command(cell, Side::Server, 0))?;
        let (mut measuring, other) = match cell.workload.processes() {
            workload::Processes::One => (server, None),
            workload::Processes::Two => {
                let line = server.line(GRACE)?;
                let port = line
                    .strip_prefix("port ")
                    .and_then(|port| port.parse().ok())
                    .ok_or(BenchError::UnexpectedOutput(line))?;
                let client = Process::start(self.command(cell, Side::Client, port))?;
                match cell.workload.measured_by() {
                    Side::Server => (server, Some(client)),
                    Side::Client => (client, Some(server)),
                }
            }
        };
        let peer = other.as_ref().map_or(0, |other| other.child.id());
        measuring.tell(&format!("peer {peer}"))?;
        let grace = match cell.workload {
            Workload::Connections { .. } => GRACE_FOR_CONNECTIONS,
            _ => GRACE,
        };
        let line = measuring.line(self.warm_up + self.window + grace)?;
        drop(other);
        serde_json::from_str(&line).map_err(|_| BenchError::UnexpectedOutput(line))
    }

    fn command(&self, cell: &Cell, side: Side, port: u16) -> Command {
        let implementation = cell.implementation(side);
        let helper = self.helpers.peer(implementation);
        let is_helper = helper.is_some();
        let mut command = helper.unwrap_or_else(|| {
            let mut command = Command::new(&self.program);
            command.arg(PEER);
            command
        });
        command
            .arg(side.name())
            .args(["--implementation", implementation.name()])
            .args(["--workload", &cell.workload.to_string()])
            .args(["--seconds", &self.window.as_secs_f64().to_string()])
            .args(["--warm-up", &self.warm_up.as_secs_f64().to_string()])
            .args(["--port", &port.to_string()]);
        if let Some(runtime) = cell.entry.runtime
            && !is_helper
        {
            command.args(["--runtime", runtime.name()]);
        }
        if let Some(started) = self.helpers.command(implementation) {
            command.env(PROGRAM, started);
        }
        command
    }
}

/// A process that is killed when it is no longer needed.
#[derive(Debug)]
struct Process {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
}

impl Process {
    fn start(mut command: Command) -> Result<Self, BenchError> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both were asked to be pipes");
        };
        // Reading a pipe has no time limit; waiting for a channel has.
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            child,
            stdin,
            lines,
        })
    }

    fn tell(&mut self, line: &str) -> Result<(), BenchError> {
        writeln!(self.stdin, "{line}")?;
        self.stdin.flush()?;
        Ok(())
    }

    fn line(&self, limit: Duration) -> Result<String, BenchError> {
        self.lines.recv_timeout(limit).map_err(|error| match error {
            RecvTimeoutError::Timeout => BenchError::TimedOut(limit),
            RecvTimeoutError::Disconnected => {
                BenchError::UnexpectedOutput("end of output".to_owned())
            }
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
