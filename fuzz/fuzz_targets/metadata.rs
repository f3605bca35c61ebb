//! Looks for octets that break `metadata`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::metadata);
