//! The command line: what is accepted, and what it asks for.

mod argv;
mod duration;
mod options;
mod request;

#[cfg(test)]
mod tests;

pub(crate) use self::argv::normalize;
pub(crate) use self::duration::{Interval, Timeout};
pub(crate) use self::options::Options;
pub(crate) use self::request::{
    Action, Form, HeartbeatStart, Link, Params, Request, Settings, UsageError,
};
