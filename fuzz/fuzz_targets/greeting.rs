//! Looks for octets that break `greeting`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz_targets::greeting(data));
