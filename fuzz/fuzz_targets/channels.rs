//! Looks for octets that break `channels`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::channels);
