//! The thread of a socket that several handles share.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::io::Network;

/// Keeps the thread of a socket going for as long as a clone of this lives.
#[derive(Debug, Clone)]
pub(super) struct Thread {
    _alive: Arc<oneshot::Sender<()>>,
}

impl Thread {
    /// Returns what keeps the thread going, and what runs on it: it waits for the last clone to go,
    /// and then until the socket has sent what was accepted.
    pub(super) fn keeping(socket: Network) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (alive, gone) = oneshot::channel();
        let task = async move {
            // Nothing is ever sent: it ends when the sender is dropped.
            let _ = gone.await;
            socket.close().await;
        };
        let thread = Self {
            _alive: Arc::new(alive),
        };
        (thread, task)
    }
}
