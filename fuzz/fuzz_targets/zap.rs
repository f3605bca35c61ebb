//! Looks for octets that break `zap`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::zap);
