//! The way of the fuzz targets to what is not public. There is none of it outside of their builds.

pub use crate::socket::router;
