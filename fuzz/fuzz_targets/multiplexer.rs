//! Looks for octets that break `multiplexer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz_targets::multiplexer(data));
