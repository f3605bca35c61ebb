//! Connecting to Unix sockets.

use std::io;
use std::path::PathBuf;

use socket2::SockRef;
use tokio::net::UnixStream;

use super::name::{abstract_path, path, peer};
use crate::endpoint::{IpcEndpoint, IpcPeer};
use crate::transport::{TransportOptions, UnusableEndpoint};

/// The path to connect to; abstract names begin with a zero octet.
pub(crate) type IpcTarget = PathBuf;

/// Checks that `endpoint` names something to connect to.
pub(crate) fn target(endpoint: &IpcEndpoint) -> Result<IpcTarget, UnusableEndpoint> {
    match endpoint {
        IpcEndpoint::Path(name) => path(name),
        IpcEndpoint::Abstract(name) => abstract_path(name),
        IpcEndpoint::Wildcard => Err(UnusableEndpoint::Wildcard),
    }
}

/// Connects once.
pub(crate) async fn connect(
    target: &IpcTarget,
    options: &TransportOptions,
) -> io::Result<(UnixStream, IpcPeer)> {
    let stream = UnixStream::connect(target).await?;
    options.buffers.apply(&SockRef::from(&stream))?;
    let peer = peer(&stream);
    Ok((stream, peer))
}
