//! SUB: receives what it asked for from all its peers ([29/PUBSUB]).
//!
//! [29/PUBSUB]: https://rfc.zeromq.org/spec/29/

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::base::{SocketHandle, sealed};
use super::receiving::FairReceiver;
use super::{Builder, RecvError, TryRecvError};
use crate::driver::{ConnectionCommand, DisconnectReason, Envelope, Pattern, Peer, lock};
use crate::message::{Message, Part};
use crate::pattern::{SocketType, TopicCounts};
use crate::session::PeerInfo;

/// A SUB socket: receives the messages of its PUB peers that begin with a topic it subscribed to.
///
/// A new socket receives nothing; the empty topic is the beginning of every message. The socket is
/// a [`Stream`] of messages, which ends when it is closed.
///
/// ```no_run
/// use zmtp::{Socket, SubSocket};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut sub = SubSocket::new();
/// sub.subscribe("weather.");
/// sub.connect("tcp://127.0.0.1:5556").await?;
/// let message = sub.recv().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SubSocket {
    topics: Arc<Topics>,
    receiver: FairReceiver,
}

impl SubSocket {
    /// Asks all peers, those of now and those to come, for the messages that begin with `topic`.
    ///
    /// Subscriptions count: what is subscribed to twice has to be unsubscribed from twice.
    pub fn subscribe(&self, topic: impl AsRef<[u8]>) {
        let topic = topic.as_ref();
        let mut counts = lock(&self.topics.counts);
        if counts.subscribe(topic) {
            let topic = Part::copy_from_slice(topic);
            self.tell_peers(|| ConnectionCommand::Subscribe(topic.clone()));
        }
    }

    /// Takes one subscription back. From now on no message is received that only it asked for.
    pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) {
        let topic = topic.as_ref();
        let mut counts = lock(&self.topics.counts);
        if counts.cancel(topic) {
            self.topics.has_cancelled.store(true, Ordering::Relaxed);
            let topic = Part::copy_from_slice(topic);
            self.tell_peers(|| ConnectionCommand::Cancel(topic.clone()));
        }
    }

    /// Waits for the next message.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the socket is closed.
    ///
    /// # Cancel safety
    ///
    /// No message is lost if the future is dropped.
    #[inline]
    pub async fn recv(&mut self) -> Result<Message, RecvError> {
        std::future::poll_fn(|context| self.poll_recv(context)).await
    }

    /// Takes the next message, if one has come.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if none has.
    #[inline]
    pub fn try_recv(&mut self) -> Result<Message, TryRecvError> {
        loop {
            let message = self.receiver.try_recv()?.message;
            if self.topics.matches(&message) {
                return Ok(message);
            }
        }
    }

    pub(crate) fn poll_recv(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Message, RecvError>> {
        loop {
            let message = ready!(self.receiver.poll_recv(context))?.message;
            if self.topics.matches(&message) {
                return Poll::Ready(Ok(message));
            }
        }
    }

    /// Called with the topics locked, so that a peer that attaches in the meantime is told either
    /// by this or by its attachment, and not twice.
    fn tell_peers(&self, command: impl Fn() -> ConnectionCommand) {
        self.receiver
            .handle()
            .hub()
            .for_each_peer(|peer| peer.outbox.push_command(command()));
    }
}

impl Stream for SubSocket {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll_recv(context).map(Result::ok)
    }
}

/// What the socket asks its peers for.
#[derive(Debug)]
struct Topics {
    counts: Mutex<TopicCounts>,
    /// Whether a subscription was ever taken back. Until then a publisher sends only what is asked
    /// for, and there is nothing to filter.
    has_cancelled: AtomicBool,
}

impl Topics {
    /// Whether `message` is still asked for: it may have been on its way when it was not any more.
    #[inline]
    fn matches(&self, message: &Message) -> bool {
        if !self.has_cancelled.load(Ordering::Relaxed) {
            return true;
        }
        let first = message.first().map_or(&[][..], Part::as_slice);
        lock(&self.counts).matches(first)
    }
}

impl Pattern for Topics {
    fn attach(&self, peer: &Arc<Peer>, _info: &PeerInfo) -> Result<Vec<Part>, DisconnectReason> {
        let counts = lock(&self.counts);
        // What changes from here on is told beside the whole that is sent now.
        peer.outbox.accept_commands();
        Ok(counts.topics().map(Part::from).collect())
    }
}

impl super::Socket for SubSocket {
    fn handle(&self) -> &SocketHandle {
        self.receiver.handle()
    }
}

impl sealed::Sealed for SubSocket {
    fn from_builder(builder: Builder<Self>) -> Self {
        let topics = Arc::new(Topics {
            counts: Mutex::new(TopicCounts::new()),
            has_cancelled: AtomicBool::new(false),
        });
        let handle = SocketHandle::new(SocketType::Sub, builder.options, Arc::clone(&topics) as _);
        Self {
            topics,
            receiver: FairReceiver::new(&handle, Envelope::Plain),
        }
    }
}
