//! A program that runs, and everything that it started.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinSet;

use super::program::{Input, Program, Rules};

/// A program whose output is being read. It is killed with its process group when this is dropped.
#[derive(Debug)]
pub(super) struct Running {
    // Dropped first: the group must be killed while the child still is one of it.
    group: Group,
    child: Child,
    stdout: ChildStdout,
    status: Option<ExitStatus>,
    stderr: Arc<Mutex<Tail>>,
    /// Those who write to and read from the program meanwhile; they end with this.
    helpers: JoinSet<()>,
}

impl Running {
    /// Starts a program.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub(super) fn start(program: &Program, rules: &Rules, input: Input) -> io::Result<Self> {
        let mut command = Command::new(&program.path);
        command
            .args(&input.args)
            .env_clear()
            .envs(rules.environment.iter().map(|(name, value)| (name, value)))
            .env("ZRPC_METHOD", &program.method)
            .stdin(if input.stdin.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let group = Group::of(&child);
        let closed = || io::Error::from(io::ErrorKind::BrokenPipe);
        let stdout = child.stdout.take().ok_or_else(closed)?;
        let stderr = Arc::default();
        let mut helpers = JoinSet::new();
        if let (Some(pipe), Some(document)) = (child.stdin.take(), input.stdin) {
            helpers.spawn(feed(pipe, document));
        }
        if let Some(pipe) = child.stderr.take() {
            helpers.spawn(collect(pipe, Arc::clone(&stderr)));
        }
        Ok(Self {
            group,
            child,
            stdout,
            status: None,
            stderr,
            helpers,
        })
    }

    /// Reads what comes on stdout; no octets are the end of it.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    ///
    /// # Cancel safety
    ///
    /// Nothing is read if the future is dropped.
    pub(super) async fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        if self.status.is_none() {
            tokio::select! {
                biased;
                read = self.stdout.read_buf(buffer) => return read,
                status = self.child.wait() => self.ended(status?),
            }
        }
        // What it left behind is dead, and holds the pipe no more; unless it went into hiding.
        let rest = tokio::time::timeout(GRACE, self.stdout.read_buf(buffer));
        rest.await.unwrap_or(Ok(0))
    }

    /// Waits until it has ended, and returns how and what it wrote to stderr last.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub(super) async fn finish(mut self) -> io::Result<(ExitStatus, String)> {
        let status = match self.status {
            Some(status) => status,
            None => {
                let status = self.child.wait().await?;
                self.ended(status);
                status
            }
        };
        let helpers = async { while self.helpers.join_next().await.is_some() {} };
        // As with stdout: somebody may have gone into hiding with it.
        let _ = tokio::time::timeout(GRACE, helpers).await;
        let stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((status, stderr.text()))
    }

    /// A program that has ended leaves nothing behind.
    fn ended(&mut self, status: ExitStatus) {
        self.status = Some(status);
        self.group.kill();
    }
}

/// Writes everything, as far as the program reads it.
async fn feed(mut pipe: ChildStdin, document: Vec<u8>) {
    // A program may end without having read all of it.
    let _ = pipe.write_all(&document).await;
}

async fn collect(mut pipe: ChildStderr, tail: Arc<Mutex<Tail>>) {
    let mut chunk = Vec::with_capacity(MAX_STDERR);
    while let Ok(1..) = pipe.read_buf(&mut chunk).await {
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.push(&chunk);
        chunk.clear();
    }
}

/// The end of what was written.
#[derive(Debug, Default)]
struct Tail(Vec<u8>);

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        let surplus = self.0.len().saturating_sub(MAX_STDERR);
        self.0.drain(..surplus);
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).trim().to_owned()
    }
}

/// A process group, killed when it is dropped.
#[derive(Debug)]
struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    #[cfg(unix)]
    fn of(child: &Child) -> Self {
        let leader = child.id().and_then(|id| i32::try_from(id).ok());
        Self {
            leader: leader.and_then(rustix::process::Pid::from_raw),
        }
    }

    #[cfg(not(unix))]
    fn of(_child: &Child) -> Self {
        Self {}
    }

    /// Kills what is left of it, once: later its number may be another's.
    #[cfg(unix)]
    fn kill(&mut self) {
        use rustix::process::{Signal, kill_process_group};

        if let Some(leader) = self.leader.take() {
            // An error says that there is nobody left.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }

    #[cfg(not(unix))]
    fn kill(&mut self) {}
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How long a pipe is read on that somebody else still holds.
const GRACE: Duration = Duration::from_secs(1);

/// How much of stderr a caller gets to see, in octets: the end of it.
const MAX_STDERR: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_stderr_the_end_is_kept() {
        let mut tail = Tail::default();
        for _ in 0..10 {
            tail.push(&[b'a'; 1000]);
        }
        tail.push(b"the end\n");
        assert_eq!(tail.0.len(), MAX_STDERR);
        assert!(tail.text().ends_with("athe end"));
    }
}
