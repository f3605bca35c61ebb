//! Looks for octets that break `zerorpc_event`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz_targets::zerorpc_event(data));
