//! Sockets of the tools that do not call: where they are linked to.

use std::io::{self, Write};

use thiserror::Error;
use zmtp::endpoint::{Host, TcpEndpoint};
use zmtp::{BindError, ConnectError, Endpoint, EndpointError, SocketHandle};

use crate::args::Link;
use crate::render::on_one_line;

/// Why a socket cannot be linked.
#[derive(Debug, Error)]
pub(crate) enum LinkError {
    /// The text is no address.
    #[error("{address} is no address: {source}; one looks like tcp://127.0.0.1:4242")]
    Address {
        /// What was given.
        address: String,
        /// What is wrong with it.
        source: EndpointError,
    },
    /// It cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// What was given.
        address: String,
        /// Why not.
        source: BindError,
    },
    /// It cannot be connected to.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// What was given.
        address: String,
        /// Why not.
        source: ConnectError,
    },
}

/// Makes the links of a socket, and says so on stderr: with the port that was found, if any may be
/// taken. Returns where it listens.
///
/// # Errors
///
/// [`LinkError`] says which address cannot be used.
pub(crate) async fn attach(
    socket: &SocketHandle,
    links: &[Link],
) -> Result<Vec<Endpoint>, LinkError> {
    let mut listening = Vec::new();
    for link in links {
        match link {
            Link::Bind(address) => {
                let bound = socket.bind(address).await;
                let bound = bound.map_err(|error| bind_error(address, error))?;
                tell("binding to", &bound.to_string());
                listening.push(bound);
            }
            Link::Connect(address) => {
                let connected = socket.connect(address).await;
                connected.map_err(|error| connect_error(address, error))?;
                tell("connecting to", address);
            }
        }
    }
    Ok(listening)
}

/// Whether other machines may get to where a socket listens.
pub(crate) fn is_exposed(endpoint: &Endpoint) -> bool {
    let Endpoint::Tcp(TcpEndpoint { host, .. }) = endpoint else {
        return false;
    };
    match host {
        Host::Ipv4(address) => !address.is_loopback(),
        Host::Ipv6(address) => !address.to_canonical().is_loopback(),
        // A name that was not resolved may stand for any address.
        _ => true,
    }
}

/// Says something about an address on stderr.
pub(crate) fn tell(what: &str, address: &str) {
    // Results are on stdout, so nothing is lost if stderr is closed.
    let _ = writeln!(io::stderr(), "{what} \"{}\"", on_one_line(address));
}

fn bind_error(address: &str, error: BindError) -> LinkError {
    let address = address.to_owned();
    match error {
        BindError::Endpoint(source) => LinkError::Address { address, source },
        source => LinkError::Bind { address, source },
    }
}

fn connect_error(address: &str, error: ConnectError) -> LinkError {
    let address = address.to_owned();
    match error {
        ConnectError::Endpoint(source) => LinkError::Address { address, source },
        source => LinkError::Connect { address, source },
    }
}
