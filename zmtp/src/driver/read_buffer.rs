//! The read side of a connection: how much to read at once, and into what (L3).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, BytesMut};
use tokio::io::AsyncRead;
use tokio_util::io::poll_read_buf;

use super::read_pool::ReadPool;

/// What the first read of a connection asks for.
const MIN_READ: usize = 128;

/// A buffer with more capacity than this is given back when the connection falls idle: a socket may
/// have ten thousand of them. To make another costs little beside the system call that fills it.
const IDLE_CAPACITY: usize = 512;

/// Buffers from this size on are kept in the pool of the socket.
const POOLED: usize = 16 * 1024;

/// So few octets of a frame that has begun are moved, to give a large buffer back.
const SMALL_REST: usize = 64;

/// What a read asks for on a busy connection.
const MAX_READ: usize = 128 * 1024;

/// A frame whose body has at least this many octets is read to its end and hardly beyond.
///
/// Its body then fills an allocation of its own. Read on, and the beginning of the next body lies
/// in the buffer that this one is split off, and has to be copied out of it: with bodies of 64 KiB
/// every octet once.
const LARGE_BODY: usize = 32 * 1024;

/// What is read beyond the end of a large frame: the head of the next one, and too little for the
/// buffer to be kept for the reads after that.
const NEXT_HEAD: usize = 32;

/// A buffer that grows while reads fill it and shrinks when they no longer do, so that an idle
/// connection holds next to nothing and a busy one needs few system calls.
#[derive(Debug)]
pub(crate) struct ReadBuffer {
    pub(crate) bytes: BytesMut,
    read_size: usize,
    /// The size of the allocation that `bytes` is the rest of.
    allocated: usize,
}

impl ReadBuffer {
    pub(crate) fn new() -> Self {
        Self {
            bytes: BytesMut::new(),
            read_size: MIN_READ,
            allocated: 0,
        }
    }

    /// Reads once; zero octets mean the end of the stream.
    ///
    /// `missing` is what the frame at the head of the buffer lacks. Room is made for it in steps no
    /// larger than what has come of it, or came at once before: a peer that only claims a large
    /// frame gets no memory for it.
    pub(crate) fn poll_read<S: AsyncRead + Unpin>(
        &mut self,
        context: &mut Context<'_>,
        stream: &mut S,
        missing: usize,
        pool: &ReadPool,
    ) -> Poll<io::Result<usize>> {
        if missing > 0 && self.bytes.len() + missing >= LARGE_BODY {
            return self.poll_read_rest(context, stream, missing);
        }
        self.reserve(missing, pool);
        let room = self.bytes.capacity() - self.bytes.len();
        let poll = poll_read_buf(Pin::new(stream), context, &mut self.bytes);
        match &poll {
            Poll::Ready(Ok(read)) if *read == room => {
                self.read_size = (self.read_size * 2).min(MAX_READ);
            }
            Poll::Ready(Ok(read)) if *read < self.read_size / 4 => {
                self.read_size = (self.read_size / 2).max(MIN_READ);
            }
            Poll::Pending => self.release(pool),
            Poll::Ready(_) => {}
        }
        poll
    }

    /// Reads what a large frame lacks, or a step towards it.
    fn poll_read_rest<S: AsyncRead + Unpin>(
        &mut self,
        context: &mut Context<'_>,
        stream: &mut S,
        missing: usize,
    ) -> Poll<io::Result<usize>> {
        let len = self.bytes.len();
        let step = missing.min(len.max(self.read_size));
        if self.bytes.capacity() - len < step {
            self.bytes.reserve(step + NEXT_HEAD);
            self.allocated = self.bytes.capacity();
        }
        let mut room = (&mut self.bytes).limit(step + NEXT_HEAD);
        let poll = poll_read_buf(Pin::new(stream), context, &mut room);
        if matches!(poll, Poll::Ready(Ok(read)) if read >= step) {
            self.read_size = (self.read_size * 2).min(MAX_READ);
        }
        poll
    }

    fn reserve(&mut self, missing: usize, pool: &ReadPool) {
        let len = self.bytes.len();
        let wanted = self.read_size.max(len + missing.min(len));
        let room = self.bytes.capacity() - len;
        // Reading into the last corner of a buffer would cost a system call for a few octets.
        if room == 0 || room < (wanted - len.min(wanted)) / 2 {
            let additional = wanted.saturating_sub(len).max(MIN_READ);
            if self.bytes.try_reclaim(additional) {
                return;
            }
            if wanted < POOLED {
                self.bytes.reserve(additional);
                self.allocated = self.bytes.capacity();
            } else {
                self.replace(len + additional, pool);
            }
        }
    }

    /// Goes on in another buffer of this capacity; messages still need the one that there is.
    fn replace(&mut self, capacity: usize, pool: &ReadPool) {
        let mut next = pool.take(capacity);
        next.extend_from_slice(&self.bytes);
        self.put_back(next, pool);
        self.allocated = self.bytes.capacity();
    }

    /// Gives a large buffer back while nothing comes.
    fn release(&mut self, pool: &ReadPool) {
        if self.allocated > IDLE_CAPACITY && self.bytes.len() < SMALL_REST {
            let rest = BytesMut::from(&self.bytes[..]);
            self.put_back(rest, pool);
            self.allocated = 0;
        }
    }

    fn put_back(&mut self, next: BytesMut, pool: &ReadPool) {
        let last = std::mem::replace(&mut self.bytes, next);
        if self.allocated >= POOLED {
            pool.put(last);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    const BODY: usize = 64 * 1024;
    const HEAD: usize = 9;

    fn read(buffer: &mut ReadBuffer, mut stream: &[u8], missing: usize) -> usize {
        let mut context = Context::from_waker(Waker::noop());
        let pool = ReadPool::default();
        match buffer.poll_read(&mut context, &mut stream, missing, &pool) {
            Poll::Ready(Ok(read)) => read,
            other => panic!("a slice is always ready: {other:?}"),
        }
    }

    #[test]
    fn a_peer_that_only_claims_a_large_frame_gets_no_memory_for_it() {
        let mut buffer = ReadBuffer::new();
        buffer.bytes.extend_from_slice(b"begin");
        read(&mut buffer, b"", 64 * 1024 * 1024);
        assert!(buffer.bytes.capacity() < 1024);
    }

    #[test]
    fn large_bodies_one_after_the_other_are_not_copied() {
        let stream = vec![0; 100 * (HEAD + BODY)];
        let mut rest = stream.as_slice();
        let mut buffer = ReadBuffer::new();
        for frame in 0..100 {
            while buffer.bytes.len() < HEAD {
                let count = read(&mut buffer, rest, 0);
                rest = &rest[count..];
            }
            drop(buffer.bytes.split_to(HEAD));
            let begun = buffer.bytes.len();
            if frame > 20 {
                assert!(begun <= NEXT_HEAD, "{begun} octets have to be copied");
            }
            while buffer.bytes.len() < BODY {
                let missing = BODY - buffer.bytes.len();
                let count = read(&mut buffer, rest, missing);
                rest = &rest[count..];
            }
            drop(buffer.bytes.split_to(BODY));
        }
    }
}
