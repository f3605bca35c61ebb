//! Looks for octets that break `router`.
#![no_main]

fuzz::fuzz_target!(zmtp::fuzz_targets::router);
