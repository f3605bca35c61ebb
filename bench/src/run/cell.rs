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
use crate::contender::Implementation;
use crate::error::BenchError;
use crate::measure::Measurement;
use crate::python::Python;

/// What a process may take beside its warm-up and its window.
const GRACE: Duration = Duration::from_secs(15);

/// Starts the processes of a measurement.
#[derive(Debug)]
pub(crate) struct Processes {
    program: PathBuf,
    python: Option<Python>,
    warm_up: Duration,
    window: Duration,
}

impl Processes {
    pub(crate) fn new(options: &Options, python: Option<Python>) -> Result<Self, BenchError> {
        Ok(Self {
            program: std::env::current_exe()?,
            python,
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
        let line = server.line(GRACE)?;
        let port = line
            .strip_prefix("port ")
            .and_then(|port| port.parse().ok())
            .ok_or(BenchError::UnexpectedOutput(line))?;
        let client = Process::start(self.command(cell, Side::Client, port))?;
        let (mut measuring, other) = match cell.workload.measured_by() {
            Side::Server => (server, client),
            Side::Client => (client, server),
        };
        measuring.tell(&format!("peer {}", other.child.id()))?;
        let line = measuring.line(self.warm_up + self.window + GRACE)?;
        drop(other);
        serde_json::from_str(&line).map_err(|_| BenchError::UnexpectedOutput(line))
    }

    fn command(&self, cell: &Cell, side: Side, port: u16) -> Command {
        let implementation = cell.entry.contender.implementation(side);
        let mut command = match (&self.python, implementation) {
            (Some(python), Implementation::Python) => python.peer(),
            _ => {
                let mut command = Command::new(&self.program);
                command.arg(PEER);
                command
            }
        };
        command
            .arg(side.name())
            .args(["--implementation", implementation.name()])
            .args(["--workload", &cell.workload.to_string()])
            .args(["--seconds", &self.window.as_secs_f64().to_string()])
            .args(["--warm-up", &self.warm_up.as_secs_f64().to_string()])
            .args(["--port", &port.to_string()]);
        if let Some(runtime) = cell.entry.runtime
            && implementation != Implementation::Python
        {
            command.args(["--runtime", runtime.name()]);
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
