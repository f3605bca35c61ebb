//! Structure checks.
