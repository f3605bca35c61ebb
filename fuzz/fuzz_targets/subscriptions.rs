//! Looks for octets that break `subscriptions`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::subscriptions);
