//! Looks for octets that break `curve_oracle`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz_targets::curve_oracle(data));
