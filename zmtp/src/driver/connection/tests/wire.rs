//! A stream that breaks: both ends of a connection over a network that is made up.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::driver::connection::readable::Readable;

/// Octets that the network holds in each direction. A sender waits for room.
const CAPACITY: usize = 3000;

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Both ends see an error, and nothing of what is on its way.
    Reset,
    /// The reader sees what is on its way, and then the end.
    Close,
    /// Nothing moves any more, and nobody is told.
    Partition,
}

/// What both ends of a connection know.
#[derive(Debug, Default)]
struct Fate {
    reset: CancellationToken,
    is_partitioned: AtomicBool,
}

/// One end of a connection.
pub(super) struct Wire {
    inner: DuplexStream,
    random: StdRng,
    fate: Arc<Fate>,
    reset: Pin<Box<WaitForCancellationFutureOwned>>,
    /// The fault, and after how many octets that this end writes it comes.
    strike: Option<(Fault, usize)>,
    reading: Pin<Box<Sleep>>,
    writing: Pin<Box<Sleep>>,
    /// The end has closed its direction, in spite of who uses it.
    is_closed: bool,
}

/// Makes both ends of a connection; what befalls them follows from the seed.
pub(super) fn pair(seed: u64, strikes: [Option<(Fault, usize)>; 2]) -> [Wire; 2] {
    let (first, second) = tokio::io::duplex(CAPACITY);
    let fate = Arc::new(Fate::default());
    let [of_first, of_second] = strikes;
    [
        Wire::new(first, seed, &fate, of_first),
        Wire::new(second, !seed, &fate, of_second),
    ]
}

impl Wire {
    fn new(
        inner: DuplexStream,
        seed: u64,
        fate: &Arc<Fate>,
        strike: Option<(Fault, usize)>,
    ) -> Self {
        let no_time = || Box::pin(tokio::time::sleep(Duration::ZERO));
        Self {
            inner,
            random: StdRng::seed_from_u64(seed),
            fate: Arc::clone(fate),
            reset: Box::pin(fate.reset.clone().cancelled_owned()),
            strike,
            reading: no_time(),
            writing: no_time(),
            is_closed: false,
        }
    }

    /// How many octets the network takes or gives at once: often within a header.
    fn piece(&mut self) -> usize {
        match self.random.random_range(0..4) {
            0 => self.random.random_range(1..9),
            1 => self.random.random_range(1..300),
            _ => CAPACITY,
        }
    }

    /// How long the network takes for that, if it takes its time.
    fn delay(&mut self) -> Option<Duration> {
        let is_slow = self.random.random_range(0..4) == 0;
        is_slow.then(|| Duration::from_millis(self.random.random_range(1..20)))
    }

    /// Fails once the connection is reset, and waits for that where nothing moves.
    fn poll_network(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reset.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        match self.fate.is_partitioned.load(Ordering::Relaxed) {
            true => Poll::Pending,
            false => Poll::Ready(Ok(())),
        }
    }

    fn strike(&mut self, fault: Fault, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match fault {
            Fault::Reset => self.fate.reset.cancel(),
            Fault::Partition => self.fate.is_partitioned.store(true, Ordering::Relaxed),
            Fault::Close => {
                ready!(Pin::new(&mut self.inner).poll_shutdown(context))?;
                self.is_closed = true;
            }
        }
        self.strike = None;
        ready!(self.poll_network(context))?;
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.poll_network(context))?;
        if !this.reading.is_elapsed() {
            ready!(this.reading.as_mut().poll(context));
        }
        let mut octets = [0; CAPACITY];
        let most = this.piece().min(buffer.remaining());
        let mut piece = ReadBuf::new(&mut octets[..most]);
        ready!(Pin::new(&mut this.inner).poll_read(context, &mut piece))?;
        buffer.put_slice(piece.filled());
        if let Some(delay) = this.delay() {
            this.reading.set(tokio::time::sleep(delay));
        }
        Poll::Ready(Ok(()))
    }
}

/// Does not tell.
impl Readable for Wire {
    fn poll_readable(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.poll_network(context))?;
        if this.is_closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if !this.writing.is_elapsed() {
            ready!(this.writing.as_mut().poll(context));
        }
        let left = match this.strike {
            Some((fault, 0)) => return this.strike(fault, context),
            Some((_, left)) => left,
            None => usize::MAX,
        };
        let most = this.piece().min(octets.len()).min(left);
        let written = ready!(Pin::new(&mut this.inner).poll_write(context, &octets[..most]))?;
        if let Some((_, left)) = &mut this.strike {
            *left -= written;
        }
        if let Some(delay) = this.delay() {
            this.writing.set(tokio::time::sleep(delay));
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_network(context))?;
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
