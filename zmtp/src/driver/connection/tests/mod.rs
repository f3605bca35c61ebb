//! Connections over networks that are made up, on a clock that only the test moves.

mod simulation;
mod wire;
