//! Processor time, from `/proc`.
//!
//! The kernel counts in ticks of 10 ms, exact in sum: a window of two seconds knows the time of a
//! busy process to half a percent. On systems without `/proc` all times are zero.

use std::fs;
use std::time::Duration;

/// `USER_HZ`: 100 on every Linux that Rust supports.
const TICKS_PER_SECOND: u64 = 100;

/// The time that the processors have spent for one process so far, kernel time included.
pub(crate) fn of_process(id: u32) -> Duration {
    let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else {
        return Duration::ZERO;
    };
    // The command's name, in parentheses, may hold spaces. After it, `utime` and `stime` are the
    // 12th and 13th fields.
    let ticks = stat.rsplit_once(')').map_or(0, |(_, fields)| {
        fields
            .split_ascii_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum()
    });
    from_ticks(ticks)
}

/// The time that the processors have spent for anything so far.
pub(crate) fn of_machine() -> Duration {
    let Ok(stat) = fs::read_to_string("/proc/stat") else {
        return Duration::ZERO;
    };
    // cpu user nice system idle iowait irq softirq steal
    let ticks = stat.lines().next().map_or(0, |line| {
        line.split_ascii_whitespace()
            .skip(1)
            .take(8)
            .enumerate()
            .filter(|(field, _)| !matches!(field, 3 | 4))
            .filter_map(|(_, ticks)| ticks.parse::<u64>().ok())
            .sum()
    });
    from_ticks(ticks)
}

fn from_ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}
