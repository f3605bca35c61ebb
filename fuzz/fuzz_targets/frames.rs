//! Looks for octets that break `frames`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::frames);
