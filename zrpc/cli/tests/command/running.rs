//! A tool that runs until it is stopped.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout};

use rustix::process::{Pid, Signal, kill_process};

use super::support::{Run, command};

/// A tool that runs, killed at the end of the test.
#[derive(Debug)]
pub(crate) struct Running {
    child: Option<Child>,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
}

impl Running {
    pub(crate) fn start(line: &[&str]) -> Self {
        let mut child = command(line).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self {
            child: Some(child),
            stdout,
            stderr,
        }
    }

    /// The next address that it tells on stderr.
    pub(crate) fn address(&mut self) -> String {
        let line = self.line();
        let address = line.split('"').nth(1);
        address
            .unwrap_or_else(|| panic!("no address: {line:?}"))
            .to_owned()
    }

    /// The next line on stderr.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        line
    }

    /// Sends a signal, and waits for the end: the exit code and what was not read yet.
    pub(crate) fn stop(mut self, signal: Signal) -> Run {
        self.signal(signal);
        self.end()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), signal).unwrap();
    }

    pub(crate) fn end(&mut self) -> Run {
        let mut run = Run::of(self.child.take().unwrap());
        self.stdout.read_to_string(&mut run.stdout).unwrap();
        self.stderr.read_to_string(&mut run.stderr).unwrap();
        run
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
