//! Looks for octets that break `z85`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::z85);
