//! Listening on Unix sockets.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net;
use std::path::Path;

use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use tokio::net::{UnixListener, UnixStream};

use super::file::{PrivateDirectory, SocketFile, remove_stale};
use super::name::{abstract_path, endpoint, path, peer};
use crate::endpoint::{EndpointName, IpcEndpoint, IpcPeer};
use crate::transport::{BindFailure, TransportOptions};

/// A listening Unix socket, and what it has in the file system.
#[derive(Debug)]
pub(crate) struct IpcListener {
    // First, so that nobody finds a file that nobody listens behind.
    _files: Files,
    listener: UnixListener,
}

/// What goes with a listener: its file, and then the directory around it.
type Files = (Option<SocketFile>, Option<PrivateDirectory>);

/// Listens on `endpoint` and tells which one that is.
///
/// A socket file that a program left behind is replaced; anything else that is in the way is not.
pub(crate) async fn bind(
    endpoint: &IpcEndpoint,
    options: &TransportOptions,
) -> Result<(IpcListener, IpcEndpoint), BindFailure> {
    match endpoint {
        IpcEndpoint::Abstract(name) => {
            let socket = bound(&abstract_path(name)?, options)?;
            let listener = IpcListener::new(socket, (None, None), options)?;
            Ok((listener, endpoint.clone()))
        }
        IpcEndpoint::Path(name) => {
            let listener = listen_at(&path(name)?, None, options).await?;
            Ok((listener, endpoint.clone()))
        }
        IpcEndpoint::Wildcard => {
            let directory = PrivateDirectory::create()?;
            let name = socket_in(&directory)?;
            let listener = listen_at(&path(&name)?, Some(directory), options).await?;
            Ok((listener, IpcEndpoint::Path(name)))
        }
    }
}

/// Takes over a listener that somebody else has made. Its file stays theirs.
pub(crate) fn adopt(listener: net::UnixListener) -> io::Result<(IpcListener, IpcEndpoint)> {
    let bound = endpoint(&listener.local_addr()?)?;
    listener.set_nonblocking(true)?;
    let listener = IpcListener {
        _files: (None, None),
        listener: UnixListener::from_std(listener)?,
    };
    Ok((listener, bound))
}

impl IpcListener {
    fn new(socket: Socket, files: Files, options: &TransportOptions) -> io::Result<Self> {
        socket.listen(options.backlog())?;
        let listener = net::UnixListener::from(OwnedFd::from(socket));
        Ok(Self {
            _files: files,
            listener: UnixListener::from_std(listener)?,
        })
    }

    /// Waits for the next connection.
    ///
    /// # Cancel safety
    ///
    /// No connection is lost if the future is dropped.
    pub(crate) async fn accept(&self) -> io::Result<(UnixStream, IpcPeer)> {
        let (stream, _) = self.listener.accept().await?;
        let peer = peer(&stream);
        Ok((stream, peer))
    }
}

async fn listen_at(
    path: &Path,
    directory: Option<PrivateDirectory>,
    options: &TransportOptions,
) -> io::Result<IpcListener> {
    let socket = match bound(path, options) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale(path).await?;
            bound(path, options)?
        }
        bound => bound?,
    };
    let file = SocketFile::new(path)?;
    IpcListener::new(socket, (Some(file), directory), options)
}

fn bound(path: &Path, options: &TransportOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    options.buffers.apply(&SockRef::from(&socket))?;
    socket.bind(&SockAddr::unix(path)?)?;
    Ok(socket)
}

fn socket_in(directory: &PrivateDirectory) -> io::Result<EndpointName> {
    let path = directory.path.join("socket");
    let name = path.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
    EndpointName::new(name).map_err(|error| io::Error::new(io::ErrorKind::InvalidFilename, error))
}
