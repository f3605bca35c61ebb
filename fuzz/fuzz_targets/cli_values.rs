//! Looks for octets that break `cli_values`.
#![no_main]

fuzz::fuzz_target!(zrpc_cli::fuzz_targets::cli_values);
