//! Looks for octets that break `null`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::null);
