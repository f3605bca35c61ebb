//! A process that is attacked, so that what it uses and what it logs are its own.
//!
//! A test starts its own program once more as the victim, which speaks to it in lines: where it
//! listens, what it receives, what it logs, and whether anything of that should not have been said.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::Level;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::Registry;

use crate::raw_peer::within;
use crate::recorder::{LogWatch, Recorded};

/// Set for the process that is attacked: what it is to be.
const ROLE: &str = "TESTS_VICTIM";

/// Set for the process that is attacked: whom it is to connect to.
const PEERS: &str = "TESTS_VICTIM_PEERS";

/// What stands before each line, behind what the test harness may have written.
const MARK: &str = "victim: ";

/// How long a victim lives, should nobody end it.
const LIFETIME: Duration = Duration::from_secs(300);

/// How many warnings a socket writes at once, and how long it takes until it may write another: a
/// flood of peers must not become a flood of the log.
const BURST: usize = 20;

/// A running victim. Dropping it ends it.
#[derive(Debug)]
pub struct Victim {
    process: Child,
    said: Arc<Mutex<Vec<String>>>,
    endpoint: String,
    peak_before: u64,
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
            peak_before: 0,
        };
        victim.endpoint = victim.said("endpoint ").await?;
        victim.peak_before = victim.peak_memory();
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

    fn status(&self, field: &str) -> u64 {
        let path = format!("/proc/{}/status", self.process.id());
        let text = fs::read_to_string(path).unwrap_or_default();
        let value = text.lines().find_map(|line| line.strip_prefix(field));
        value
            .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
            .unwrap_or_default()
    }

    /// It lives, has grown by no more than `allowance`, and has said nothing that nobody should
    /// read. Returns by how much it has grown.
    ///
    /// # Panics
    ///
    /// Panics if one of that is not so.
    pub fn assert_unharmed(&mut self, what: &str, allowance: u64) -> u64 {
        let grown = self.peak_memory().saturating_sub(self.peak_before);
        // For the table in `docs/hostile.md`; shown with `--nocapture`.
        let _ = writeln!(io::stderr(), "{what}: {} KiB more at the peak", grown >> 10);
        assert!(grown <= allowance, "{what}: {} KiB more", grown >> 10);
        let ended = self.process.try_wait();
        assert!(matches!(ended, Ok(None)), "{what}: it died");
        let leaks = self.all_said("leak ");
        assert!(leaks.is_empty(), "{what}: {leaks:?}");
        grown
    }

    /// Each of so many hostile acts is one warning in its log, unless they are so many that they
    /// would flood it. Returns the warnings.
    ///
    /// # Panics
    ///
    /// Panics if there are more, or if there are not enough in time.
    pub async fn assert_warnings(&self, what: &str, acts: usize) -> Vec<String> {
        let expected = acts.min(BURST);
        let waiting = async {
            while self.all_said("warning ").len() < expected {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            Ok(())
        };
        let waited = within(waiting).await;
        let warnings = self.all_said("warning ");
        assert!(waited.is_ok(), "{what}: {acts} acts and {warnings:?}");
        // One for each second beyond the burst, of which a test does not have so many.
        let most = if acts > BURST { BURST + 60 } else { acts };
        assert!(warnings.len() <= most, "{what}: {acts} acts, {warnings:#?}");
        warnings
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns what this process is to be, if it is a victim.
#[must_use]
pub fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// Returns whether a process may have so many open files, if it asks for them.
#[must_use]
pub fn may_open(count: usize) -> bool {
    let mut shell = Command::new("sh");
    let asked = shell.arg("-c").arg(format!("ulimit -n {count}"));
    let status = asked.stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Returns whom the victim is to connect to.
#[must_use]
pub fn peers() -> Vec<String> {
    let peers = std::env::var(PEERS).unwrap_or_default();
    let peers = peers.split(',').filter(|peer| !peer.is_empty());
    peers.map(str::to_owned).collect()
}

/// Tells the test.
pub fn say(line: &str) {
    // Whoever does not listen any more has ended, and so will this process.
    let _ = writeln!(io::stdout(), "{MARK}{line}");
}

/// Watches all that is logged by this process: warnings are told, and so is whatever has one of
/// `secrets` or a control character in it, which a peer could forge lines of a log with.
pub fn watch_log(secrets: &'static [&'static str]) {
    let watch = LogWatch::new(move |recorded: &Recorded| {
        check(&recorded.text, secrets);
        if recorded.level <= Level::WARN {
            say(&format!("warning {}", recorded.text));
        }
    });
    // A second victim in one process would be a mistake of the test.
    let _ = tracing::subscriber::set_global_default(Registry::default().with(watch));
}

/// Tells the test if `text`, of an error or a log line, is not for everybody.
pub fn check(text: &str, secrets: &[&str]) {
    if secrets.iter().any(|secret| text.contains(secret)) || text.contains(char::is_control) {
        say(&format!("leak {}", text.escape_debug()));
    }
}

/// Resolves when the test has ended, or has forgotten this victim.
pub async fn until_orphaned() {
    let input = tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new()));
    let _ = tokio::time::timeout(LIFETIME, input).await;
}
