//! The read side of a connection: how much to read at once, and into what (L3).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use tokio::io::AsyncRead;
use tokio_util::io::poll_read_buf;

use super::encoded::IDLE_CAPACITY;

/// What the first read of a connection asks for.
const MIN_READ: usize = 128;

/// What a read asks for on a busy connection.
const MAX_READ: usize = 128 * 1024;

/// A buffer that grows while reads fill it and shrinks when they no longer do, so that an idle
/// connection holds next to nothing and a busy one needs few system calls.
#[derive(Debug)]
pub(crate) struct ReadBuffer {
    pub(crate) bytes: BytesMut,
    read_size: usize,
}

impl ReadBuffer {
    pub(crate) fn new() -> Self {
        Self {
            bytes: BytesMut::new(),
            read_size: MIN_READ,
        }
    }

    /// Reads once; zero octets mean the end of the stream.
    ///
    /// `missing` is what the frame at the head of the buffer lacks. Room is made for it in steps no
    /// larger than what has come already: a peer that only claims a large frame gets no memory for
    /// it.
    pub(crate) fn poll_read<S: AsyncRead + Unpin>(
        &mut self,
        context: &mut Context<'_>,
        stream: &mut S,
        missing: usize,
    ) -> Poll<io::Result<usize>> {
        self.reserve(missing);
        let room = self.bytes.capacity() - self.bytes.len();
        let poll = poll_read_buf(Pin::new(stream), context, &mut self.bytes);
        match &poll {
            Poll::Ready(Ok(read)) if *read == room => {
                self.read_size = (self.read_size * 2).min(MAX_READ);
            }
            Poll::Ready(Ok(read)) if *read < self.read_size / 4 => {
                self.read_size = (self.read_size / 2).max(MIN_READ);
            }
            Poll::Pending => self.release(),
            Poll::Ready(_) => {}
        }
        poll
    }

    fn reserve(&mut self, missing: usize) {
        let len = self.bytes.len();
        let wanted = self.read_size.max(len + missing.min(len));
        let room = self.bytes.capacity() - len;
        // Reading into the last corner of a buffer would cost a system call for a few octets.
        if room == 0 || room < (wanted - len.min(wanted)) / 2 {
            self.bytes.reserve(wanted.saturating_sub(len).max(MIN_READ));
        }
    }

    /// Gives a large buffer back while nothing comes.
    fn release(&mut self) {
        if self.bytes.is_empty() && self.bytes.capacity() > IDLE_CAPACITY {
            self.bytes = BytesMut::new();
        }
    }
}
