//! The sockets of a proxy, and their turns.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::control::{Order, ProxyControl, ProxyStatistics, Shared};
use super::lane::Lane;
use crate::socket::{MessageReceiver, MessageSender};

/// Passes messages on between a frontend and a backend: ROUTER and DEALER, XPUB and XSUB, PULL and
/// PUSH, or any other two sockets. Where messages go one way alone, as from PULL to PUSH, it is
/// made with [`Proxy::one_way`].
///
/// REQ and REP take turns, which a proxy cannot keep: between two sockets, one of the two ends it
/// with [`ProxyError::OutOfTurn`]. ROUTER and DEALER pass their messages on.
///
/// A message that finds no room waits, and what comes after it waits in the queues of the socket
/// that received it: the proxy itself holds one message in each direction. Sockets that drop
/// messages at their high-water marks, such as PUB and ROUTER, do so here too.
///
/// ```no_run
/// use zmtp::{DealerSocket, Proxy, RouterSocket, Socket};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let frontend = RouterSocket::new();
/// frontend.bind("tcp://127.0.0.1:5559").await?;
/// let backend = DealerSocket::new();
/// backend.bind("tcp://127.0.0.1:5560").await?;
/// let mut proxy = Proxy::new(frontend, backend);
/// let control = proxy.control();
/// let running = tokio::spawn(async move { proxy.run().await });
/// control.terminate();
/// running.await??;
/// # Ok(())
/// # }
/// ```
#[must_use = "a proxy does nothing until it is run"]
pub struct Proxy {
    sockets: Sockets,
    capture: Option<Box<dyn MessageSender>>,
    /// From the frontend to the backend.
    forth: Lane,
    /// From the backend to the frontend.
    back: Lane,
    shared: Arc<Shared>,
}

/// Why a proxy ended without being told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// One of its sockets was closed.
    #[error("a socket of the proxy is closed")]
    Closed,
    /// One of its sockets takes turns, and it was not its turn.
    #[error("it was not the turn of a socket of the proxy")]
    OutOfTurn,
}

/// A socket that sends and receives.
trait Exchange: MessageSender + MessageReceiver {}

impl<S: MessageSender + MessageReceiver> Exchange for S {}

enum Sockets {
    Two {
        frontend: Box<dyn Exchange>,
        backend: Box<dyn Exchange>,
    },
    OneWay {
        frontend: Box<dyn MessageReceiver>,
        backend: Box<dyn MessageSender>,
    },
    Single(Box<dyn Exchange>),
}

/// Rounds, of one message in each direction, before other tasks get their turn.
const ROUNDS_PER_TURN: usize = 128;

/// Passes messages on between `frontend` and `backend`, in both directions, until one of the two is
/// closed.
///
/// # Errors
///
/// [`ProxyError`] says why it ended.
///
/// # Cancel safety
///
/// The sockets go with the future, and with them what they had received; [`Proxy::run`] keeps them.
pub async fn proxy(
    frontend: impl MessageSender + MessageReceiver + 'static,
    backend: impl MessageSender + MessageReceiver + 'static,
) -> Result<(), ProxyError> {
    Proxy::new(frontend, backend).run().await
}

impl Proxy {
    /// A proxy between two sockets that send and receive.
    pub fn new(
        frontend: impl MessageSender + MessageReceiver + 'static,
        backend: impl MessageSender + MessageReceiver + 'static,
    ) -> Self {
        Self::with(Sockets::Two {
            frontend: Box::new(frontend),
            backend: Box::new(backend),
        })
    }

    /// A proxy in one direction, where one side does not send or the other does not receive: from
    /// PULL to PUSH, or from SUB to PUB.
    pub fn one_way(
        frontend: impl MessageReceiver + 'static,
        backend: impl MessageSender + 'static,
    ) -> Self {
        Self::with(Sockets::OneWay {
            frontend: Box::new(frontend),
            backend: Box::new(backend),
        })
    }

    /// A proxy that is its own backend: what the socket receives it sends, which for a REP or a
    /// ROUTER is an echo, and for a DEALER spreads messages among its peers.
    pub fn single(socket: impl MessageSender + MessageReceiver + 'static) -> Self {
        Self::with(Sockets::Single(Box::new(socket)))
    }

    /// Sends a copy of every message to `capture`, before it is passed on. Where `capture` waits
    /// for room, as a PUSH without peers does, the proxy waits with it.
    pub fn capture(mut self, capture: impl MessageSender + 'static) -> Self {
        self.capture = Some(Box::new(capture));
        self
    }

    /// Steers the proxy while it runs.
    #[must_use]
    pub fn control(&self) -> ProxyControl {
        ProxyControl::new(&self.shared)
    }

    /// Passes messages on until [`ProxyControl::terminate`] is called.
    ///
    /// # Errors
    ///
    /// [`ProxyError`] if it ends for another reason.
    ///
    /// # Cancel safety
    ///
    /// No message is lost if the future is dropped: the next call goes on.
    pub async fn run(&mut self) -> Result<(), ProxyError> {
        poll_fn(|context| self.poll_run(context)).await
    }

    fn with(sockets: Sockets) -> Self {
        Self {
            sockets,
            capture: None,
            forth: Lane::default(),
            back: Lane::default(),
            shared: Arc::default(),
        }
    }

    fn poll_run(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ProxyError>> {
        match self.shared.poll_order(context) {
            Order::Run => {}
            Order::Pause => return Poll::Pending,
            Order::Terminate => return Poll::Ready(Ok(())),
        }
        let ended = self.poll_exchange(context);
        self.shared.publish(self.statistics());
        ended
    }

    /// Goes on until neither direction can, one message in each at a time.
    fn poll_exchange(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ProxyError>> {
        let (mut is_forth_ready, mut is_back_ready) = (true, true);
        for _ in 0..ROUNDS_PER_TURN {
            if is_forth_ready {
                is_forth_ready = self.poll_forth(context)?.is_ready();
            }
            if is_back_ready {
                is_back_ready = self.poll_back(context)?.is_ready();
            }
            if !is_forth_ready && !is_back_ready {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_forth(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ProxyError>> {
        let capture = self.capture.as_deref_mut();
        let lane = &mut self.forth;
        match &mut self.sockets {
            Sockets::Two { frontend, backend } => {
                ready!(lane.poll_receive(context, frontend.as_mut()))?;
                lane.poll_send(context, backend.as_mut(), capture)
            }
            Sockets::OneWay { frontend, backend } => {
                ready!(lane.poll_receive(context, frontend.as_mut()))?;
                lane.poll_send(context, backend.as_mut(), capture)
            }
            Sockets::Single(socket) => {
                ready!(lane.poll_receive(context, socket.as_mut()))?;
                lane.poll_send(context, socket.as_mut(), capture)
            }
        }
    }

    fn poll_back(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ProxyError>> {
        let Sockets::Two { frontend, backend } = &mut self.sockets else {
            return Poll::Pending;
        };
        let capture = self.capture.as_deref_mut();
        ready!(self.back.poll_receive(context, backend.as_mut()))?;
        self.back.poll_send(context, frontend.as_mut(), capture)
    }

    fn statistics(&self) -> ProxyStatistics {
        ProxyStatistics {
            from_frontend: self.forth.received,
            to_frontend: self.back.sent,
            from_backend: self.back.received,
            to_backend: self.forth.sent,
            undeliverable: self.forth.undeliverable + self.back.undeliverable,
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("forth", &self.forth)
            .field("back", &self.back)
            .finish_non_exhaustive()
    }
}
