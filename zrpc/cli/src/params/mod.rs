//! The arguments of a call, from the words of the command line.

mod convert;
mod json;

pub(crate) use self::convert::{ParamError, into_values};
pub(crate) use self::json::parse as parse_json;
