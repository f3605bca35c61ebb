//! What this process, or the thread of a test, has used so far.

use std::fs;
use std::time::Duration;

/// Returns the address space of this process, in octets; zero where it cannot be told.
#[must_use]
pub fn address_space() -> u64 {
    pages(0)
}

/// Returns the memory of this process that is resident, in octets; zero where it cannot be told.
#[must_use]
pub fn resident_memory() -> u64 {
    pages(1)
}

/// Returns how long this thread was on a processor; zero where it cannot be told.
#[must_use]
pub fn thread_time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let time = text.split(' ').next().and_then(|time| time.parse().ok());
    Duration::from_nanos(time.unwrap_or_default())
}

fn pages(field: usize) -> u64 {
    const PAGE: u64 = 4096;
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(field);
    let pages: Option<u64> = pages.and_then(|pages| pages.parse().ok());
    pages.unwrap_or_default() * PAGE
}
