//! Connections over networks that are made up, on a clock that only the test moves.

mod giving_way;
mod simulation;
mod wire;
