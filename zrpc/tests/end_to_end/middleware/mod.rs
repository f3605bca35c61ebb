//! The hooks of middleware: which, when, in which order, and what they can do.

mod context;
mod custom;
mod effects;
mod headers;
mod order;
mod recorder;
