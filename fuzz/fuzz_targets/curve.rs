//! Looks for octets that break `curve`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::curve);
