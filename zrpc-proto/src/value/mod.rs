//! The values of applications: arguments, results and stream items, encoded once and decoded late.

mod args;
mod body;
mod compat;
mod de;
mod error;
mod ext;
mod path;
mod ser;
mod timestamp;

pub use args::Args;
pub use body::Body;
pub(crate) use body::encode_into;
pub use compat::Compat;
pub use de::decode;
pub use error::{ArgumentsError, CompatError, CompatFault, EncodeError, ValueError};
pub use ext::Ext;
pub use path::{PathStep, ValuePath};
pub use timestamp::{JsDate, Timestamp, TimestampError};

#[cfg(test)]
mod tests;
