//! What the fuzz targets share: a limit on the memory that an input may take.

use std::alloc::System;
use std::panic;
use std::sync::Once;

use cap::Cap;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// What any target may allocate for an octet of its input: a model beside the machine, both outputs
/// that are compared, and messages about them.
const MEMORY_PER_OCTET: usize = 4096;

/// What any target may allocate whatever its input is.
const MEMORY: usize = 16 << 20;

/// Runs the body of a target. More memory than its input accounts for ends the process.
pub fn run(data: &[u8], target: fn(&[u8])) {
    within(MEMORY + MEMORY_PER_OCTET * data.len(), || target(data));
}

/// Calls `body`. If what it holds at any time is more than `octets`, the process ends.
pub fn within(octets: usize, body: impl FnOnce()) {
    /// What is said about a panic takes more memory than most inputs may.
    static LIFT_THE_LIMIT_ON_PANIC: Once = Once::new();
    LIFT_THE_LIMIT_ON_PANIC.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let _ = ALLOCATOR.set_limit(usize::MAX);
            before(info);
        }));
    });
    let limit = ALLOCATOR.allocated().saturating_add(octets);
    let is_limited = ALLOCATOR.set_limit(limit);
    assert!(is_limited.is_ok(), "there is less than the limit");
    body();
    let is_unlimited = ALLOCATOR.set_limit(usize::MAX);
    assert!(is_unlimited.is_ok(), "there is no limit");
}

/// Makes a fuzz target of its body.
#[macro_export]
macro_rules! fuzz_target {
    ($body:path) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::run(data, $body));
    };
}
