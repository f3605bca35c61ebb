//! Looks for octets that break `plain`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::plain);
