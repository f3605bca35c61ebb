//! msgpack as far as the protocol itself needs it: reading without recursion and within limits.

mod elements;
mod error;
mod read;
mod skip;
mod write;

pub(crate) use elements::{Elements, read_text, text_of};
pub use error::{DecodeError, DecodeLimits, Kind};
pub(crate) use read::{Extent, Head, Reader};
pub(crate) use skip::skip;
pub(crate) use write::{put_array, put_bin, put_ext, put_int, put_map, put_str, put_uint};

#[cfg(test)]
mod tests;
