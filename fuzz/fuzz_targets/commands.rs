//! Looks for octets that break `commands`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::commands);
