//! The values of applications: arguments, results and stream items, encoded once and decoded late.

mod args;
mod body;
mod de;
mod error;
mod python;

pub use args::Args;
pub use body::Body;
pub(crate) use body::encode_into;
pub use de::decode;
pub use error::{ArgumentsError, EncodeError, PythonError, ValueError};

#[cfg(test)]
mod tests;
