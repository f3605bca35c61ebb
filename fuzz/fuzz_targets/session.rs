//! Looks for octets that break `session`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::session);
