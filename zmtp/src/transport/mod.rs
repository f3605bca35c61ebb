//! Layer 3: where streams of octets come from.

pub(crate) mod tcp;
