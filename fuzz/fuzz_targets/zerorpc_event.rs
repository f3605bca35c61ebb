//! Looks for octets that break `zerorpc_event`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::zerorpc_event);
