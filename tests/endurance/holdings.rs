//! What this process holds, and whether that stays the same.

use std::fmt;
use std::fs;
use std::time::Duration;

use tokio::runtime::Handle;

/// By how much memory may grow between the first and the last third of the time after the warm-up.
/// A leak of some octets for each message is more within minutes, and one for each restart within
/// the hour.
const MEMORY_TOLERANCE: usize = 6 << 20;

/// By how many tasks, or descriptors, the middles of those thirds may differ: there is a restart
/// somewhere most of the time.
const COUNT_TOLERANCE: usize = 8;

/// What a process holds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Holdings {
    pub(crate) memory: usize,
    pub(crate) tasks: usize,
    pub(crate) threads: usize,
    pub(crate) sockets: usize,
    pub(crate) descriptors: usize,
}

impl Holdings {
    pub(crate) fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let number = |name: &str| -> usize {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let word = line.and_then(|line| line.split_whitespace().next());
            word.and_then(|word| word.parse().ok()).unwrap()
        };
        let links: Vec<_> = fs::read_dir("/proc/self/fd")
            .unwrap()
            // One that was closed meanwhile leads nowhere.
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .collect();
        let is_socket = |link: &&std::path::PathBuf| link.to_string_lossy().starts_with("socket:");
        Self {
            memory: number("VmRSS:") * 1024,
            tasks: Handle::current().metrics().num_alive_tasks(),
            threads: number("Threads:"),
            sockets: links.iter().filter(is_socket).count(),
            descriptors: links.len(),
        }
    }

    /// Fails unless tasks and descriptors come down to what there was before.
    pub(crate) async fn assert_back_at(before: Self) {
        let mut now = Self::now();
        for _ in 0..1000 {
            if now.tasks <= before.tasks && now.descriptors <= before.descriptors {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            now = Self::now();
        }
        panic!("{before} before, and {now} after");
    }
}

impl fmt::Display for Holdings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} KiB, {} tasks, {} threads, {} sockets, {} descriptors",
            self.memory / 1024,
            self.tasks,
            self.threads,
            self.sockets,
            self.descriptors
        )
    }
}

/// A leak that this test is to find takes so long to be more than the tolerance.
const MEMORY_TIME: Duration = Duration::from_secs(60);

/// Three for each third.
const LEAST_SAMPLES: usize = 9;

/// Reads one of the numbers.
type Quantity = fn(&Holdings) -> usize;

/// Fails unless what was held at the end is what was held after the warm-up, in a run of this
/// `duration`; one of less than a minute says nothing about memory.
pub(crate) fn assert_flat(samples: &[Holdings], duration: Duration) {
    assert!(
        samples.len() >= LEAST_SAMPLES,
        "{} samples after the warm-up are too few: a smaller SOAK_SAMPLE, or more SOAK_SECONDS",
        samples.len()
    );
    let third = samples.len() / 3;
    let (first, last) = (&samples[..third], &samples[samples.len() - third..]);
    let quantities: [(&str, Quantity, usize); 5] = [
        ("memory", |held| held.memory, MEMORY_TOLERANCE),
        ("tasks", |held| held.tasks, COUNT_TOLERANCE),
        ("threads", |held| held.threads, 0),
        ("sockets", |held| held.sockets, COUNT_TOLERANCE),
        ("descriptors", |held| held.descriptors, COUNT_TOLERANCE),
    ];
    let is_short = duration < MEMORY_TIME;
    if is_short {
        show_that_memory_is_not_checked(duration);
    }
    for (name, quantity, tolerance) in &quantities[usize::from(is_short)..] {
        let (before, after) = (median(first, *quantity), median(last, *quantity));
        assert!(
            after <= before + tolerance,
            "{name}: {before} after the warm-up, {after} at the end"
        );
    }
}

#[expect(
    clippy::print_stdout,
    reason = "what a run does not prove has to be said"
)]
fn show_that_memory_is_not_checked(duration: Duration) {
    println!("{duration:?} are too few to tell whether memory grows: that takes {MEMORY_TIME:?}");
}

fn median(samples: &[Holdings], quantity: Quantity) -> usize {
    let mut values: Vec<_> = samples.iter().map(quantity).collect();
    values.sort_unstable();
    values[values.len() / 2]
}
