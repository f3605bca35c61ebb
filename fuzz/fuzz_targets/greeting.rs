//! Looks for octets that break `greeting`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::greeting);
