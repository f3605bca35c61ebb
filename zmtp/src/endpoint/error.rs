//! What can be wrong with the text of an endpoint.

use thiserror::Error;

/// Misuse: a text is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The text does not begin with a transport and `://`.
    #[error("endpoint '{}' does not begin with a transport such as tcp://", endpoint.escape_debug())]
    MissingTransport {
        /// The whole text.
        endpoint: String,
    },
    /// The transport is none that is known.
    #[error("transport '{}' is not known, only tcp, ipc and inproc are", transport.escape_debug())]
    UnknownTransport {
        /// What stands in front of `://`.
        transport: String,
    },
    /// A tcp address does not end in `:` and a port.
    #[error("endpoint address '{}' has no port", address.escape_debug())]
    MissingPort {
        /// The address.
        address: String,
    },
    /// The port is neither a number up to 65535 nor `*`.
    #[error("port '{}' is neither a number from 0 to 65535 nor *", port.escape_debug())]
    InvalidPort {
        /// What stands after the last colon.
        port: String,
    },
    /// There is nothing in front of the port.
    #[error("endpoint address has no host, use * for all interfaces")]
    EmptyHost,
    /// The host has a character that names of hosts and interfaces do not have, or is too long.
    #[error("host '{}' is not the name of a host or an interface", host.escape_debug())]
    InvalidHost {
        /// The host.
        host: String,
    },
    /// The host is made like an IPv4 address and is none.
    #[error("host '{}' is not an IPv4 address", host.escape_debug())]
    InvalidIpv4 {
        /// The host.
        host: String,
    },
    /// What stands in brackets is no IPv6 address.
    #[error("host '{}' is not an IPv6 address in brackets", host.escape_debug())]
    InvalidIpv6 {
        /// The host, brackets included.
        host: String,
    },
    /// The host has colons and no brackets, so that its end is not clear.
    #[error("host '{}' has colons, write an IPv6 address in brackets", host.escape_debug())]
    MissingBrackets {
        /// The host.
        host: String,
    },
    /// A path or a name is empty.
    #[error("endpoint has an empty path or name")]
    EmptyName,
    /// A path or a name has a control character.
    #[error("endpoint path or name '{}' has a control character", name.escape_debug())]
    InvalidName {
        /// The path or name.
        name: String,
    },
}
