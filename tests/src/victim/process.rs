//! Starting a victim, hearing what it says, and seeing what it uses.

use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::raw_peer::{Work, within, work};

/// Set for the process that is attacked: what it is to be.
pub(super) const ROLE: &str = "TESTS_VICTIM";

/// Set for the process that is attacked: whom it is to connect to.
pub(super) const PEERS: &str = "TESTS_VICTIM_PEERS";

/// What stands before each line, behind what the test harness may have written.
pub(super) const MARK: &str = "victim: ";

/// How long one of the ticks is in which the system counts processor time, on every Linux there is.
const TICK: Duration = Duration::from_millis(10);

/// A running victim. Dropping it ends it, and is a mistake of the test unless it was
/// [accounted for](Self::conclude).
#[derive(Debug)]
pub struct Victim {
    process: Child,
    said: Arc<Mutex<Vec<String>>>,
    endpoint: String,
    started: Instant,
    before: Used,
    work_before: Work,
    standing: Standing,
}

/// What remains to be done about a victim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Nobody has looked yet what came of the attack.
    Open,
    /// It was accounted for, or is an attacker itself.
    Settled,
}

/// What a process has used so far; nothing where it cannot be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Used {
    /// The most memory that was resident, in octets.
    pub(super) memory: u64,
    /// The time of all its threads on a processor, in the program and in the system.
    pub(super) processor: Duration,
}

/// How a victim is started.
#[derive(Debug)]
pub struct Plan {
    test: &'static str,
    role: &'static str,
    peers: String,
    files: Option<usize>,
}

impl Plan {
    /// Plans a victim: `test` is the path of the function that plays it, `role` what it is to be.
    #[must_use]
    pub fn new(test: &'static str, role: &'static str) -> Self {
        Self {
            test,
            role,
            peers: String::new(),
            files: None,
        }
    }

    /// Tells the victim whom it is to connect to.
    #[must_use]
    pub fn connecting_to(mut self, peers: &[SocketAddr]) -> Self {
        let peers: Vec<_> = peers.iter().map(|peer| format!("tcp://{peer}")).collect();
        self.peers = peers.join(",");
        self
    }

    /// Lets the victim have this many open files and no more; see [`may_open`] for more than usual.
    #[must_use]
    pub fn files(mut self, count: usize) -> Self {
        self.files = Some(count);
        self
    }

    /// Starts it, and waits until it listens.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be started, or does not listen in time.
    pub async fn start(self) -> io::Result<Victim> {
        let mut victim = self.start_accomplice().await?;
        victim.before = victim.used();
        victim.work_before = work();
        victim.standing = Standing::Open;
        Ok(victim)
    }

    /// As [`Self::start`], but it is a process that attacks, which nobody accounts for.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be started, or says nothing in time.
    pub async fn start_accomplice(self) -> io::Result<Victim> {
        let program = std::env::current_exe()?;
        let mut command = match self.files {
            None => Command::new(program),
            Some(count) => {
                let mut shell = Command::new("sh");
                shell
                    .arg("-c")
                    .arg(format!("ulimit -n {count}; exec \"$0\" \"$@\""))
                    .arg(program);
                shell
            }
        };
        let mut process = command
            .args(["--exact", self.test, "--nocapture"])
            .env(ROLE, self.role)
            .env(PEERS, self.peers)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let said = Arc::default();
        if let Some(output) = process.stdout.take() {
            let said = Arc::clone(&said);
            thread::spawn(move || listen(output, &said));
        }
        let mut victim = Victim {
            process,
            said,
            endpoint: String::new(),
            started: Instant::now(),
            before: Used::default(),
            work_before: Work::default(),
            // Until it is attacked, nothing can come of it.
            standing: Standing::Settled,
        };
        victim.endpoint = victim.said("endpoint ").await?;
        Ok(victim)
    }
}

fn listen(output: ChildStdout, said: &Mutex<Vec<String>>) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if let Some((_, line)) = line.split_once(MARK) {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.push(line.to_owned());
        }
    }
}

impl Victim {
    /// Returns where it listens.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns where it listens.
    ///
    /// # Panics
    ///
    /// Panics if that is no TCP address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        let address = self.endpoint.strip_prefix("tcp://");
        let address = address.and_then(|address| address.parse().ok());
        address.expect("a victim listens on a numeric address")
    }

    /// Waits for a line that begins like this, and returns the rest of it.
    ///
    /// # Errors
    ///
    /// Fails with `TimedOut` if there is none in time.
    pub async fn said(&self, start: &str) -> io::Result<String> {
        within(async {
            loop {
                if let Some(rest) = self.all_said(start).into_iter().next() {
                    return Ok(rest);
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await
    }

    /// Returns the rest of all lines so far that begin like this.
    #[must_use]
    pub fn all_said(&self, start: &str) -> Vec<String> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = said.iter().filter_map(|line| line.strip_prefix(start));
        lines.map(str::to_owned).collect()
    }

    /// The most memory that was resident so far, in octets; zero where it cannot be told.
    #[must_use]
    pub fn peak_memory(&self) -> u64 {
        self.status("VmHWM:") << 10
    }

    /// The most address space that was in use so far, in octets.
    #[must_use]
    pub fn peak_address_space(&self) -> u64 {
        self.status("VmPeak:") << 10
    }

    /// Returns what it has used so far.
    pub(super) fn used(&self) -> Used {
        Used {
            memory: self.peak_memory(),
            processor: processor_time(self.process.id()),
        }
    }

    /// Returns what it has used since it was started to be attacked, and what raw peers have done on
    /// this thread since then.
    pub(super) fn used_since(&self) -> (Used, Work) {
        let used = self.used();
        let since = Used {
            memory: used.memory.saturating_sub(self.before.memory),
            processor: used.processor.saturating_sub(self.before.processor),
        };
        (since, work() - self.work_before)
    }

    /// Returns how long ago it was started.
    pub(super) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Returns whether it is still there.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Nothing more is to be asked about it.
    pub(super) fn settle(&mut self) {
        self.standing = Standing::Settled;
    }

    fn status(&self, field: &str) -> u64 {
        let path = format!("/proc/{}/status", self.process.id());
        let text = fs::read_to_string(path).unwrap_or_default();
        let value = text.lines().find_map(|line| line.strip_prefix(field));
        value
            .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
            .unwrap_or_default()
    }
}

/// The time of all threads of a process on a processor; nothing where it cannot be told.
pub(super) fn processor_time(process: u32) -> Duration {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(path).unwrap_or_default();
    // The second field is a name in parentheses, which may hold anything.
    let (_, fields) = text.rsplit_once(')').unwrap_or_default();
    let fields = fields.split_whitespace().skip(11).take(2);
    let ticks: u32 = fields.filter_map(|field| field.parse::<u32>().ok()).sum();
    TICK * ticks
}

impl Drop for Victim {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let excused = thread::panicking() || self.standing == Standing::Settled;
        assert!(excused, "nobody has looked what came of an attack");
    }
}

/// Returns whether a process may have so many open files, if it asks for them.
#[must_use]
pub fn may_open(count: usize) -> bool {
    let mut shell = Command::new("sh");
    let asked = shell.arg("-c").arg(format!("ulimit -n {count}"));
    let status = asked.stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
