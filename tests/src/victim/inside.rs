//! What a victim does on its side: it tells the test what happens to it.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use tracing::Level;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::Registry;

use super::account::processor_allowance;
use super::process::{MARK, PEERS, ROLE, processor_time};
use crate::raw_peer::Work;
use crate::recorder::{LogWatch, Recorded};

/// How long a victim lives, should nobody end it: longer than any test waits for all that it does.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Returns what this process is to be, if it is a victim.
#[must_use]
pub fn role() -> Option<String> {
    std::env::var(ROLE).ok()
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

/// Works until that is `more` than a victim may that was given nothing to do, and returns at once where
/// nobody can tell.
pub fn overwork(more: Duration) {
    let began = Instant::now();
    let allowed = || processor_allowance(began.elapsed(), Work::default()) + more;
    while cfg!(target_os = "linux") && processor_time(std::process::id()) < allowed() {
        std::hint::spin_loop();
    }
}

/// Resolves when the test has ended, or has forgotten this victim.
pub async fn until_orphaned() {
    let input = tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new()));
    let _ = tokio::time::timeout(LIFETIME, input).await;
}
