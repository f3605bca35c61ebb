//! Metadata: the properties that a handshake carries.
//!
//! ```text
//! property  name-length(1)  name  value-length(4, network order)  value
//! ```
//!
//! Names compare without regard to case. What the properties mean is decided elsewhere.

mod name;
mod properties;
mod resource;

pub use name::PropertyName;
pub use properties::{Metadata, MetadataError, MetadataLimits, Properties};
pub use resource::{Resource, ResourceError};

#[cfg(test)]
mod tests;
