//! What processes use, from `/proc`.
//!
//! The kernel counts in ticks of 10 ms, exact in sum: a window of two seconds knows the time of a
//! busy process to half a percent. On systems without `/proc` all times are zero.

use std::fs;
use std::time::Duration;

/// `USER_HZ`: 100 on every Linux that Rust supports.
const TICKS_PER_SECOND: u64 = 100;

/// The time that the processors have spent for one process so far, kernel time included.
pub(crate) fn time(id: u32) -> Duration {
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
pub(crate) fn time_of_machine() -> Duration {
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

/// The memory that a process keeps.
pub(crate) fn resident_bytes(id: u32) -> u64 {
    const KIB: u64 = 1024;
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    field(&status, "VmRSS:") * KIB
}

/// How often the threads of a process have gone to sleep so far, and so were woken.
pub(crate) fn switches(id: u32) -> u64 {
    let Ok(threads) = fs::read_dir(format!("/proc/{id}/task")) else {
        return 0;
    };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("status")).ok())
        .map(|status| field(&status, "voluntary_ctxt_switches:"))
        .sum()
}

/// A number from a status file; 0 if it is not there.
fn field(status: &str, name: &str) -> u64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_ascii_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

fn from_ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_the_number_after_its_name() {
        let status = "VmPeak:\t  90 kB\nVmRSS:\t    12 kB\nnonvoluntary_ctxt_switches:\t3\n";
        assert_eq!(field(status, "VmRSS:"), 12);
        assert_eq!(field(status, "voluntary_ctxt_switches:"), 0);
    }
}
