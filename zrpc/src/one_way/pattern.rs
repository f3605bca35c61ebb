//! To whom an emitter sends: to everybody, or to one after the other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Mutex as AsyncMutex;
use zmtp::{Builder, Message, PubSocket, PushSocket, Socket, TrySendError};

use super::EmitError;
use sealed::WhenSlow;

/// To whom an [`Emitter`](super::Emitter) sends: [`Publishing`] or [`Pushing`]; there is no other.
pub trait Pattern: sealed::Sealed + Clone + Send + Sync + 'static {}

/// Everybody gets what is sent: makes an [`Emitter`](super::Emitter) a
/// [`Publisher`](super::Publisher).
#[derive(Debug, Clone)]
pub struct Publishing {
    socket: PubSocket,
}

/// One after the other gets what is sent: makes an [`Emitter`](super::Emitter) a
/// [`Pusher`](super::Pusher).
#[derive(Debug, Clone)]
pub struct Pushing {
    /// It knows whose turn it is among the pullers. Locked for no longer than it takes to try.
    socket: Arc<Mutex<PushSocket>>,
    /// Senders wait in line for room.
    turn: Arc<AsyncMutex<()>>,
}

impl Publishing {
    pub(super) fn dropped(&self) -> u64 {
        self.socket.dropped()
    }

    pub(super) fn topic_count(&self) -> usize {
        self.socket.topic_count()
    }
}

impl Pushing {
    fn lock(&self) -> MutexGuard<'_, PushSocket> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pattern for Publishing {}

impl sealed::Sealed for Publishing {
    type Socket = PubSocket;

    const THREAD: &'static str = "zrpc-publisher";

    fn builder(when_slow: WhenSlow) -> Builder<PubSocket> {
        match when_slow {
            WhenSlow::Usual => PubSocket::builder(),
            WhenSlow::Wait => PubSocket::builder().xpub_nodrop(),
        }
    }

    fn new(socket: PubSocket) -> Self {
        Self { socket }
    }

    async fn send(&self, message: Message) -> Result<(), EmitError> {
        let sent = self.socket.send(message).await;
        sent.map_err(|_| EmitError::Closed)
    }

    fn try_send(&self, message: Message) -> Result<(), TrySendError> {
        self.socket.try_send(message)
    }
}

impl Pattern for Pushing {}

impl sealed::Sealed for Pushing {
    type Socket = PushSocket;

    const THREAD: &'static str = "zrpc-pusher";

    fn builder(_: WhenSlow) -> Builder<PushSocket> {
        PushSocket::builder()
    }

    fn new(socket: PushSocket) -> Self {
        Self {
            socket: Arc::new(Mutex::new(socket)),
            turn: Arc::default(),
        }
    }

    async fn send(&self, message: Message) -> Result<(), EmitError> {
        let _turn = self.turn.lock().await;
        let message = match self.try_send(message) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Full(message)) => message,
            Err(_) => return Err(EmitError::Closed),
        };
        // A clone waits, so that others can still try.
        let mut socket = self.lock().clone();
        let sent = socket.send(message).await;
        sent.map_err(|_| EmitError::Closed)
    }

    fn try_send(&self, message: Message) -> Result<(), TrySendError> {
        self.lock().try_send(message)
    }
}

pub(super) mod sealed {
    use zmtp::{Builder, Message, Socket, TrySendError};

    use crate::EmitError;

    /// Keeps [`Pattern`](super::Pattern) to the types of this crate.
    #[expect(unnameable_types, reason = "nobody else shall implement it")]
    pub trait Sealed: Sized {
        #[doc(hidden)]
        type Socket: Socket + Sync + 'static;

        /// What the thread of one is called whose calls block.
        #[doc(hidden)]
        const THREAD: &'static str;

        #[doc(hidden)]
        fn builder(when_slow: WhenSlow) -> Builder<Self::Socket>;

        #[doc(hidden)]
        fn new(socket: Self::Socket) -> Self;

        /// Sends a message, when there is room for it.
        ///
        /// # Cancel safety
        ///
        /// Nothing was sent if the future is dropped before it is done.
        #[doc(hidden)]
        fn send(&self, message: Message) -> impl Future<Output = Result<(), EmitError>> + Send;

        #[doc(hidden)]
        fn try_send(&self, message: Message) -> Result<(), TrySendError>;
    }

    /// What becomes of events for a peer whose queue is full.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    #[expect(unnameable_types, reason = "a builder has a method for each")]
    pub enum WhenSlow {
        /// A publisher drops them, a pusher waits.
        Usual,
        Wait,
    }
}
