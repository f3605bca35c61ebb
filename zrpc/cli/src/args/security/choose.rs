//! Which side of a mechanism a socket is that may be either.

use zrpc::security::Security;

use super::client::ClientSecurity;
use super::error::SecurityError;
use super::server::ServerSecurity;

/// Reads the keys and passwords of the side that options were given for.
///
/// # Errors
///
/// [`SecurityError`], also if options were given for both.
pub(in crate::args) async fn choose(
    client: &ClientSecurity,
    server: &ServerSecurity,
) -> Result<Security, SecurityError> {
    match (client.is_asked_for(), server.is_asked_for()) {
        (true, true) => Err(SecurityError::BothSides),
        (_, false) => client.read(),
        (false, true) => server.read().await,
    }
}
