//! Tests of values.

mod compat;
mod extensions;
mod values;
