//! The `zrpc` command.
mod args;
mod inspect;
mod params;
mod render;
fn main() {}
