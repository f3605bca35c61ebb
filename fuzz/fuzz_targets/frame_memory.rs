//! Looks for frames that make their receiver hold more than what came.
#![no_main]

use tests::fuzz_targets::{frame_memory, memory_of};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    fuzz::within(memory_of(data.len()), || frame_memory(data));
});
