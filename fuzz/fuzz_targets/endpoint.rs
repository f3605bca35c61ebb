//! Looks for octets that break `endpoint`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz_targets::endpoint(data));
