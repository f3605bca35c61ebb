//! SUB: receives what it asked for from all its peers ([29/PUBSUB]).
//!
//! [29/PUBSUB]: https://rfc.zeromq.org/spec/29/

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::base::{SocketHandle, sealed};
use super::receiving::{FairReceiver, UNWANTED_PER_TRY};
use super::topics::{TopicFilter, Topics};
use super::{Builder, PeerMessage, RecvError, TryRecvError};
use crate::driver::{DropReason, Envelope, Matching, PeerId, Received};
use crate::message::Message;
use crate::pattern::SocketType;

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
    topics: Topics,
    filter: TopicFilter,
    receiver: FairReceiver,
}

impl Builder<SubSocket> {
    /// Receives the messages that begin with none of the topics, and all without any topic. The
    /// publishers have to be told the same.
    pub fn invert_matching(mut self) -> Self {
        self.options.matching = Matching::Inverted;
        self
    }
}

impl SubSocket {
    /// Asks all peers, those of now and those to come, for the messages that begin with `topic`.
    ///
    /// Subscriptions count: what is subscribed to twice has to be unsubscribed from twice.
    pub fn subscribe(&self, topic: impl AsRef<[u8]>) {
        self.topics.subscribe(topic.as_ref());
    }

    /// Takes one subscription back. From now on no message is received that only it asked for.
    pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) {
        self.topics.unsubscribe(topic.as_ref());
    }

    /// How many distinct topics the socket is subscribed to.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.topics.topic_count()
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
        // Most messages are at hand, and need no task context to be taken.
        while let Some((peer, body)) = self.receiver.pop_body() {
            if self.topics.matches_first(&mut self.filter, &body) {
                return Ok(Message::from(body));
            }
            self.count_unsubscribed(peer);
        }
        std::future::poll_fn(|context| self.poll_recv(context)).await
    }

    /// Waits for the next message and tells which peer it came from.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the socket is closed.
    ///
    /// # Cancel safety
    ///
    /// No message is lost if the future is dropped.
    pub async fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        let received = std::future::poll_fn(|context| self.poll_received(context)).await?;
        Ok((received.peer, received.message))
    }

    /// Takes the next message, if one has come.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if none has.
    #[inline]
    pub fn try_recv(&mut self) -> Result<Message, TryRecvError> {
        for _ in 0..UNWANTED_PER_TRY {
            let received = self.receiver.try_recv()?;
            if self.topics.matches(&mut self.filter, &received.message) {
                return Ok(received.message);
            }
            self.count_unsubscribed(received.peer);
        }
        Err(TryRecvError::Empty)
    }

    pub(crate) fn poll_recv(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Message, RecvError>> {
        // Not by way of `poll_received`: that would move each message once more.
        loop {
            let received = ready!(self.receiver.poll_recv(context))?;
            if self.topics.matches(&mut self.filter, &received.message) {
                return Poll::Ready(Ok(received.message));
            }
            self.count_unsubscribed(received.peer);
        }
    }

    pub(super) fn poll_recv_attributed(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        loop {
            let received = ready!(self.poll_received(context))?;
            if let Some(message) = self.receiver.attribute(received) {
                return Poll::Ready(Ok(message));
            }
        }
    }

    pub(super) fn try_recv_attributed(&mut self) -> Result<PeerMessage, TryRecvError> {
        let received = self.try_received()?;
        self.receiver.attribute(received).ok_or(TryRecvError::Empty)
    }

    fn try_received(&mut self) -> Result<Received, TryRecvError> {
        for _ in 0..UNWANTED_PER_TRY {
            let received = self.receiver.try_recv()?;
            if self.topics.matches(&mut self.filter, &received.message) {
                return Ok(received);
            }
            self.count_unsubscribed(received.peer);
        }
        Err(TryRecvError::Empty)
    }

    fn poll_received(&mut self, context: &mut Context<'_>) -> Poll<Result<Received, RecvError>> {
        loop {
            let received = ready!(self.receiver.poll_recv(context))?;
            if self.topics.matches(&mut self.filter, &received.message) {
                return Poll::Ready(Ok(received));
            }
            self.count_unsubscribed(received.peer);
        }
    }

    fn count_unsubscribed(&self, peer: PeerId) {
        let hub = self.topics.handle().hub();
        hub.count_dropped(peer, DropReason::Unsubscribed);
    }
}

impl Stream for SubSocket {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll_recv(context).map(Result::ok)
    }
}

impl super::Conflating for SubSocket {}

impl super::Socket for SubSocket {
    fn handle(&self) -> &SocketHandle {
        self.topics.handle()
    }
}

impl sealed::Sealed for SubSocket {
    fn from_builder(builder: Builder<Self>) -> Self {
        let topics = Topics::new(SocketType::Sub, builder.options);
        Self {
            receiver: FairReceiver::new(topics.handle(), Envelope::Plain),
            filter: TopicFilter::default(),
            topics,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;

    use super::*;
    use crate::Socket as _;
    use crate::driver::{FrameBatch, Retention};
    use crate::message::Frame;

    /// What a task does at most before it lets others run: 128 ticks of eight messages each, and some.
    const TURN: std::ops::Range<u64> = 1000..2000;

    /// A subscriber that wants a few of the messages that it is sent.
    fn subscriber() -> SubSocket {
        let sub = SubSocket::new();
        sub.subscribe("wanted");
        sub
    }

    /// One more peer sends it all of these at once: so many messages of each text.
    fn send(sub: &SubSocket, texts: &[(&'static str, usize)]) {
        let hub = sub.handle().hub();
        let peer = hub.new_peer(Retention::Connection);
        let mut batch = FrameBatch::default();
        for (text, count) in texts {
            for _ in 0..*count {
                batch.push(Frame::last(*text));
            }
        }
        peer.inbox.publish(&mut batch, &peer, &hub.ready);
    }

    /// Receives, and returns how many messages were dropped in each turn.
    async fn turns(sub: &mut SubSocket) -> Vec<u64> {
        let handle = sub.handle().clone();
        let dropped = || handle.hub().tally.dropped(DropReason::Unsubscribed);
        let mut turns = Vec::new();
        let mut before = 0;
        let mut receiving = pin!(sub.recv());
        let message = poll_fn(|context| {
            let polled = receiving.as_mut().poll(context);
            turns.push(dropped() - before);
            before = dropped();
            polled
        });
        let message = message.await.expect("nobody closes it");
        assert_eq!(message.parts(), ["wanted"]);
        turns
    }

    #[tokio::test]
    async fn a_subscriber_that_drops_what_many_send_lets_others_run() {
        let mut sub = subscriber();
        for _ in 0..100 {
            send(&sub, &[("unwanted", 100)]);
        }
        send(&sub, &[("wanted", 1)]);
        // The turn before has used its time up.
        tokio::task::yield_now().await;
        let turns = turns(&mut sub).await;
        let (last, whole) = turns.split_last().expect("there was a turn");
        assert!(*last < TURN.end, "{turns:?}");
        assert!(whole.iter().all(|count| TURN.contains(count)), "{turns:?}");
    }

    #[tokio::test]
    async fn a_subscriber_that_drops_what_is_at_hand_makes_up_for_it() {
        const BATCH: usize = 50_000;
        let mut sub = subscriber();
        send(&sub, &[("wanted", 1), ("unwanted", BATCH), ("wanted", 1)]);
        assert_eq!(turns(&mut sub).await, [0], "the first is wanted");
        tokio::task::yield_now().await;
        let turns = turns(&mut sub).await;
        // Half of what the peer has sent takes no longer than to receive it, and needs no task context;
        // after that others have as many turns as if it had.
        let half = BATCH as u64 / 2;
        assert!(turns[0] <= half + TURN.end, "{turns:?}");
        let count = turns.len() as u64;
        assert!(count >= BATCH as u64 / TURN.end, "{turns:?}");
    }

    #[test]
    fn an_attempt_to_receive_drops_so_many_and_no_more() {
        let mut sub = subscriber();
        send(&sub, &[("unwanted", 2 * UNWANTED_PER_TRY), ("wanted", 1)]);
        for _ in 0..2 {
            assert!(matches!(sub.try_recv(), Err(TryRecvError::Empty)));
        }
        assert_eq!(sub.try_recv().expect("it is there").parts(), ["wanted"]);
    }
}
