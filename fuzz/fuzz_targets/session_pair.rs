//! Looks for octets that break `session_pair`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::session_pair);
