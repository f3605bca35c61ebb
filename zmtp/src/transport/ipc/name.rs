//! Names of Unix sockets, from endpoints and to peers.

use std::io;
use std::os::unix::net;
use std::path::{Path, PathBuf};

use tokio::net::UnixStream;

use crate::endpoint::{EndpointName, IpcEndpoint, IpcName, IpcPeer, PeerCredentials};
use crate::transport::UnusableEndpoint;

/// How many octets the address of a Unix socket has room for, less the zero octet at the end of a
/// path, or at the beginning of an abstract name.
const MAX_NAME_LEN: usize = if cfg!(any(target_os = "linux", target_os = "android")) {
    107
} else {
    103
};

/// The path of an endpoint, if it fits into an address.
pub(super) fn path(name: &EndpointName) -> Result<PathBuf, UnusableEndpoint> {
    check_len(name)?;
    Ok(PathBuf::from(name.as_str()))
}

/// What stands for an abstract name in the address of a socket: a zero octet and the name.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn abstract_path(name: &EndpointName) -> Result<PathBuf, UnusableEndpoint> {
    check_len(name)?;
    Ok(PathBuf::from(format!("\0{name}")))
}

/// Only Linux has abstract names.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn abstract_path(_: &EndpointName) -> Result<PathBuf, UnusableEndpoint> {
    Err(UnusableEndpoint::Unsupported)
}

fn check_len(name: &EndpointName) -> Result<(), UnusableEndpoint> {
    let (len, max) = (name.as_str().len(), MAX_NAME_LEN);
    if len > max {
        return Err(UnusableEndpoint::NameTooLong { len, max });
    }
    Ok(())
}

/// Who is at the other end of `stream`.
pub(super) fn peer(stream: &UnixStream) -> IpcPeer {
    // Some systems forget the name of a peer that is gone already.
    let address = stream.peer_addr().map(net::SocketAddr::from);
    let name = address.map_or(IpcName::Unnamed, |address| name(&address));
    // Some systems do not tell.
    let credentials = stream.peer_cred().ok().map(|credentials| {
        let (user_id, group_id) = (credentials.uid(), credentials.gid());
        PeerCredentials::new(user_id, group_id, credentials.pid())
    });
    IpcPeer::new(name, credentials)
}

/// What to call a listener at `address`.
pub(super) fn endpoint(address: &net::SocketAddr) -> io::Result<IpcEndpoint> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidFilename);
    let named = |text: Option<&str>| {
        let text = text.ok_or_else(invalid)?;
        EndpointName::new(text).map_err(|_| invalid())
    };
    match name(address) {
        IpcName::Path(path) => named(path.to_str()).map(IpcEndpoint::Path),
        IpcName::Abstract(name) => named(str::from_utf8(&name).ok()).map(IpcEndpoint::Abstract),
        IpcName::Unnamed => Err(invalid()),
    }
}

fn name(address: &net::SocketAddr) -> IpcName {
    if let Some(path) = address.as_pathname() {
        return IpcName::Path(Path::to_path_buf(path));
    }
    #[cfg(target_os = "linux")]
    {
        use std::os::linux::net::SocketAddrExt;
        if let Some(name) = address.as_abstract_name() {
            return IpcName::Abstract(name.into());
        }
    }
    #[cfg(target_os = "android")]
    {
        use std::os::android::net::SocketAddrExt;
        if let Some(name) = address.as_abstract_name() {
            return IpcName::Abstract(name.into());
        }
    }
    IpcName::Unnamed
}
