//! Looks for octets that break `multiplexer`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::multiplexer);
