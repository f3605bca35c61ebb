//! Listening on Unix sockets.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net;
use std::path::Path;

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::{UnixListener, UnixStream};

use super::file::{PrivateDirectory, SocketFile, remove_stale};
use super::name::{abstract_path, path, peer};
use crate::endpoint::{EndpointName, IpcEndpoint, IpcPeer};
use crate::transport::BindFailure;

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
    backlog: u32,
) -> Result<(IpcListener, IpcEndpoint), BindFailure> {
    match endpoint {
        IpcEndpoint::Abstract(name) => {
            let socket = bound(&abstract_path(name)?)?;
            let listener = IpcListener::new(socket, (None, None), backlog)?;
            Ok((listener, endpoint.clone()))
        }
        IpcEndpoint::Path(name) => {
            let listener = listen_at(&path(name)?, None, backlog).await?;
            Ok((listener, endpoint.clone()))
        }
        IpcEndpoint::Wildcard => {
            let directory = PrivateDirectory::create()?;
            let name = socket_in(&directory)?;
            let listener = listen_at(&path(&name)?, Some(directory), backlog).await?;
            Ok((listener, IpcEndpoint::Path(name)))
        }
    }
}

impl IpcListener {
    fn new(socket: Socket, files: Files, backlog: u32) -> io::Result<Self> {
        socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
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
        let peer = peer(&stream)?;
        Ok((stream, peer))
    }
}

async fn listen_at(
    path: &Path,
    directory: Option<PrivateDirectory>,
    backlog: u32,
) -> io::Result<IpcListener> {
    let socket = match bound(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale(path).await?;
            bound(path)?
        }
        bound => bound?,
    };
    let file = SocketFile::new(path)?;
    IpcListener::new(socket, (Some(file), directory), backlog)
}

fn bound(path: &Path) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::unix(path)?)?;
    Ok(socket)
}

fn socket_in(directory: &PrivateDirectory) -> io::Result<EndpointName> {
    let path = directory.path.join("socket");
    let name = path.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
    EndpointName::new(name).map_err(|error| io::Error::new(io::ErrorKind::InvalidFilename, error))
}
