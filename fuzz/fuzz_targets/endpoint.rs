//! Looks for octets that break `endpoint`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::endpoint);
