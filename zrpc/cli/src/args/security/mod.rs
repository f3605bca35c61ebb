//! Keys and passwords, of those who let somebody in and of those who want to come in.

mod choose;
mod client;
mod error;
mod server;
mod sides;

pub(super) use self::choose::choose;
pub(crate) use self::client::ClientSecurity;
pub(super) use self::client::PLAIN;
pub(crate) use self::error::SecurityError;
pub(crate) use self::server::ServerSecurity;
pub(crate) use self::sides::{
    BackendSecurity, CaptureSecurity, FrontendSecurity, Side, SideSecurityError,
};
