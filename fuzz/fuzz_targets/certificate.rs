//! Looks for octets that break `certificate`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::certificate);
