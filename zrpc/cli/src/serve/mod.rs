//! Programs as methods of a service.

mod child;
mod directory;
mod options;
mod program;
mod run;

pub(crate) use self::options::{ServeError, ServeOptions};
