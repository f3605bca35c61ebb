//! Binding and connecting while the I/O task runs.

use tokio::runtime::Handle;
use zmtp::{Socket, SocketHandle};

use crate::ConnectError;
use crate::endpoints::unusable;

/// A socket, as far as it is shared, and the runtime that its tasks run on. It keeps the socket open
/// until that is closed.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    socket: SocketHandle,
    runtime: Handle,
}

impl Network {
    /// To be called on the runtime of the I/O task.
    pub(crate) fn new(socket: &impl Socket) -> Self {
        Self {
            socket: socket.handle().clone(),
            runtime: Handle::current(),
        }
    }

    /// The runtime that the tasks of the socket run on.
    #[cfg(feature = "blocking")]
    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Listens on one more endpoint; returns it with wildcards resolved.
    pub(crate) async fn bind(&self, endpoint: String) -> Result<String, ConnectError> {
        let socket = self.socket.clone();
        let bind = async move {
            match socket.bind(&endpoint).await {
                Ok(bound) => Ok(bound.to_string()),
                Err(zmtp::BindError::Closed) => Err(ConnectError::Closed),
                Err(error) => Err(unusable(&endpoint, &error)),
            }
        };
        self.run(bind).await
    }

    /// Connects to one more endpoint.
    pub(crate) async fn connect(&self, endpoint: String) -> Result<(), ConnectError> {
        let socket = self.socket.clone();
        let connect = async move {
            match socket.connect(&endpoint).await {
                Ok(_peer) => Ok(()),
                Err(zmtp::ConnectError::Closed) => Err(ConnectError::Closed),
                Err(error) => Err(unusable(&endpoint, &error)),
            }
        };
        self.run(connect).await
    }

    /// Stops to listen on an endpoint, and parts from the peers that were accepted there.
    pub(crate) async fn unbind(&self, endpoint: String) -> Result<(), ConnectError> {
        let socket = self.socket.clone();
        let unbind = async move {
            let unbound = socket.unbind(&endpoint).await;
            unbound.map_err(|error| unusable(&endpoint, &error))
        };
        self.run(unbind).await
    }

    /// Parts from the peer that an endpoint was connected to.
    pub(crate) fn disconnect(&self, endpoint: &str) -> Result<(), ConnectError> {
        let disconnected = self.socket.disconnect(endpoint);
        disconnected.map_err(|error| unusable(endpoint, &error))
    }

    /// Returns whether somebody may still come: the socket is bound, or connected, or wants to be.
    pub(crate) fn has_endpoints(&self) -> bool {
        let socket = &self.socket;
        !socket.connected_endpoints().is_empty() || !socket.bound_endpoints().is_empty()
    }

    /// Closes the socket, and waits until everything was sent, or the linger period is over.
    pub(crate) async fn close(&self) {
        self.socket.close().await;
    }

    /// Runs what starts tasks where the others run.
    async fn run<T, F>(&self, future: F) -> Result<T, ConnectError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ConnectError>> + Send + 'static,
    {
        // A runtime that is gone runs nothing, and takes the socket with it.
        let done = self.runtime.spawn(future).await;
        done.unwrap_or(Err(ConnectError::Closed))
    }
}
