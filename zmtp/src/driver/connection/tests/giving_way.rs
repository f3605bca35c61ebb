//! What a connection does while the receiver is behind with the messages of many others.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf,
};
use tokio::time::{advance, timeout};

use crate::driver::connection::readable::Readable;
use crate::driver::connection::task::{Connection, Stage, now};
use crate::driver::hub::{Hub, NoPattern};
use crate::driver::options::SocketOptions;
use crate::driver::peer::{Peer, Retention};
use crate::driver::ready_set::{MAX_PATIENCE, MAX_WAITING};
use crate::mechanism::Randomness;
use crate::message::Message;
use crate::pattern::SocketType;
use crate::session::{Heartbeat, Session, Side};

/// Between two PINGs; so long a peer may take to answer as well.
const INTERVAL: Duration = Duration::from_secs(1);

/// A stream that knows whether it is quiet.
#[derive(Debug)]
struct Line {
    inner: DuplexStream,
    is_quiet: Arc<AtomicBool>,
}

impl Readable for Line {
    fn poll_readable(&self, _: &mut Context<'_>) -> Poll<()> {
        match self.is_quiet.load(Ordering::Relaxed) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, octets)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// Whether the connection wants another turn.
#[derive(Debug, Default)]
struct Wakes(AtomicBool);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A connection of a socket whose receiver has enough to do without it.
struct Crowded {
    hub: Arc<Hub>,
    peer: Arc<Peer>,
    connection: Connection<Line>,
    far: DuplexStream,
    is_quiet: Arc<AtomicBool>,
    wakes: Arc<Wakes>,
}

impl Crowded {
    async fn new() -> Self {
        let options = SocketOptions {
            heartbeat: Some(Heartbeat::new(INTERVAL)),
            ..SocketOptions::default()
        };
        let hub = Arc::new(Hub::new(SocketType::Dealer, options, Arc::new(NoPattern)));
        let peer = hub.new_peer(Retention::Queue);
        let (near, far) = tokio::io::duplex(4096);
        let is_quiet = Arc::new(AtomicBool::new(false));
        let line = Line {
            inner: near,
            is_quiet: Arc::clone(&is_quiet),
        };
        let config = hub
            .options
            .session_config(SocketType::Dealer, Side::Connector);
        let random = Randomness::generate(|octets| octets.fill(7));
        let session = Session::new(config, now(), random);
        let mut crowded = Self {
            connection: Connection::new(line, session, Arc::clone(&peer), Arc::clone(&hub)),
            hub,
            peer,
            far,
            is_quiet,
            wakes: Arc::default(),
        };
        let mut greeting = [0; 64];
        greeting[0] = 0xff;
        greeting[9] = 0x7f;
        greeting[10..12].copy_from_slice(&[3, 1]);
        greeting[12..16].copy_from_slice(b"NULL");
        crowded.far.write_all(&greeting).await.unwrap();
        let ready = b"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06ROUTER";
        crowded.far.write_all(ready).await.unwrap();
        while crowded.connection.stage != Stage::Attached {
            crowded.turn();
        }
        crowded.turn();
        for _ in 0..MAX_WAITING {
            let other = crowded.hub.new_peer(Retention::Connection);
            crowded.hub.ready.insert(other);
        }
        crowded
    }

    /// Gives the connection a turn. Returns whether it wants another one.
    fn turn(&mut self) -> bool {
        let waker = Waker::from(Arc::clone(&self.wakes));
        self.wakes.0.store(false, Ordering::Relaxed);
        let end = Pin::new(&mut self.connection).poll(&mut Context::from_waker(&waker));
        assert!(end.is_pending(), "{end:?}");
        assert_eq!(self.connection.stage, Stage::Attached);
        self.wakes.0.load(Ordering::Relaxed)
    }

    async fn bring_message(&mut self) {
        self.far.write_all(b"\x00\x02hi").await.unwrap();
    }

    /// Messages that have been read.
    fn received(&self) -> usize {
        self.peer.inbox.queued()
    }

    /// Octets that have been sent.
    async fn sent(&mut self) -> Vec<u8> {
        let mut octets = [0; 4096];
        let read = timeout(INTERVAL, self.far.read(&mut octets));
        let count = read.await.unwrap().unwrap();
        octets[..count].to_vec()
    }
}

#[tokio::test(start_paused = true)]
async fn it_reads_in_time_while_the_receiver_works_on_the_messages_of_others() {
    let mut crowded = Crowded::new().await;
    crowded.bring_message().await;
    for _ in 0..4 {
        assert!(crowded.turn(), "gives way, and comes back by itself");
        assert_eq!(crowded.received(), 0);
        crowded.hub.ready.proceed();
        advance(MAX_PATIENCE / 4).await;
    }
    crowded.turn();
    assert_eq!(crowded.received(), 1);
    // And gives way again.
    crowded.bring_message().await;
    assert!(crowded.turn());
    assert_eq!(crowded.received(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_reads_at_once_when_the_receiver_does_nothing() {
    let mut crowded = Crowded::new().await;
    crowded.bring_message().await;
    crowded.turn();
    crowded.turn();
    assert_eq!(crowded.received(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_would_count_as_silent_is_read_from_at_once() {
    let mut crowded = Crowded::new().await;
    crowded.is_quiet.store(true, Ordering::Relaxed);
    advance(INTERVAL).await;
    crowded.turn();
    crowded.is_quiet.store(false, Ordering::Relaxed);
    let deadline = crowded.connection.session.poll_timeout().unwrap();
    crowded.bring_message().await;
    advance(deadline - now()).await;
    crowded.hub.ready.proceed();
    crowded.turn();
    assert_eq!(crowded.received(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_sends_and_sleeps_when_nothing_has_come() {
    let mut crowded = Crowded::new().await;
    crowded.sent().await;
    crowded.is_quiet.store(true, Ordering::Relaxed);
    let message = Message::from("out");
    assert!(crowded.peer.outbox.try_push(&[], &message).is_ok());
    crowded.hub.ready.proceed();
    assert!(!crowded.turn(), "there is nothing to come back for");
    assert_eq!(crowded.sent().await, b"\x00\x03out");
}
