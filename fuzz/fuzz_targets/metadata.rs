//! Looks for octets that break `metadata`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz_targets::metadata(data));
