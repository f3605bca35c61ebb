//! The command line: what is accepted, and what it asks for.

mod argv;
mod display;
mod duration;
mod events;
mod options;
mod request;
mod security;
mod target;
mod tools;

#[cfg(test)]
mod tests;

pub(crate) use self::argv::{Line, definition};
pub(crate) use self::display::{ColorChoice, Display};
pub(crate) use self::duration::{Interval, Timeout, parse_duration, parse_interval};
pub(crate) use self::events::{EventSource, EventTarget};
pub(crate) use self::options::{ExitCodes, Options};
pub(crate) use self::request::{
    Action, Form, HeartbeatStart, Link, ParamSource, Params, Request, Settings, UsageError,
};
pub(crate) use self::security::{
    BackendSecurity, CaptureSecurity, FrontendSecurity, SecurityError, ServerSecurity, Side,
    SideSecurityError,
};
pub(crate) use self::target::Target;
pub(crate) use self::tools::{Tool, Tools};
