//! Looks for octets that break `curve_oracle`.
#![no_main]

fuzz::fuzz_target!(tests::fuzz_targets::curve_oracle);
