//! ZAP over sockets ([27/ZAP]): asking a handler, and being one.
//!
//! [27/ZAP]: https://rfc.zeromq.org/spec/27/

mod authenticator;
mod error;
mod handler;
mod inquirer;

pub use authenticator::ZapAuthenticator;
pub use error::ZapError;
pub use handler::ZapHandler;
