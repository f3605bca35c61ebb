//! The read side of a connection: how much to read at once, and into what (L3).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, BytesMut};
use tokio::io::AsyncRead;
use tokio_util::io::poll_read_buf;

use super::read_pool::{BUFFER_SIZE, MIN_ROOM, ReadPool};
use crate::mechanism::wipe;

/// So much of a large frame is read into an allocation of its own at first.
const MIN_STEP: usize = 128;

/// What comes in smaller pieces is moved into an allocation of its own size: a message that is kept
/// for long shall not keep a buffer of the pool with it, and a peer that sends little shall not
/// cost much. Moving it costs less than the system call that brought it.
const BULK: usize = 16 * 1024;

/// A frame whose body has at least this many octets is read to its end and hardly beyond.
///
/// Its body then fills an allocation of its own. Read on, and the beginning of the next body lies
/// in the buffer that this one is split off, and has to be copied out of it: with bodies of 64 KiB
/// every octet once.
const LARGE_BODY: usize = 32 * 1024;

/// What is read beyond the end of a large frame: the head of the next one.
const NEXT_HEAD: usize = 32;

/// What has been read of a connection and not yet decoded.
///
/// The octets are read into a buffer of the socket's [`ReadPool`], which goes back as soon as little
/// comes: an idle connection keeps the beginning of a frame, if it has one, and no buffer.
#[derive(Debug)]
pub(crate) struct ReadBuffer {
    pub(crate) bytes: BytesMut,
    owner: Owner,
    content: Content,
    /// What came at once of large frames lately.
    step: usize,
}

/// Whose allocation the octets are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// It has to go back.
    Pool,
    Connection,
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// It may have a password, of which no copy is to be left behind.
    Handshake,
    Traffic,
}

impl ReadBuffer {
    /// Returns the buffer of a connection whose handshake has not begun.
    pub(crate) fn new() -> Self {
        Self {
            bytes: BytesMut::new(),
            owner: Owner::Connection,
            content: Content::Handshake,
            step: MIN_STEP,
        }
    }

    /// Reads once; zero octets mean the end of the stream.
    ///
    /// `missing` is what the frame at the head of the buffer lacks. A large one gets room in steps
    /// no larger than what has come of it, or came at once before: a peer that only claims a large
    /// frame gets no memory for it.
    pub(crate) fn poll_read<S: AsyncRead + Unpin>(
        &mut self,
        context: &mut Context<'_>,
        stream: &mut S,
        missing: usize,
        pool: &ReadPool,
    ) -> Poll<io::Result<usize>> {
        if missing > 0 && self.bytes.len() + missing >= LARGE_BODY {
            return self.poll_read_large(context, stream, missing, pool);
        }
        self.make_room(pool);
        let poll = poll_read_buf(Pin::new(stream), context, &mut self.bytes);
        match &poll {
            Poll::Ready(Ok(read)) => {
                self.adapt(*read);
                if self.bytes.len() < BULK {
                    self.own(self.bytes.len(), pool);
                }
            }
            Poll::Pending => self.rest(pool),
            Poll::Ready(Err(_)) => {}
        }
        poll
    }

    /// The handshake is done: what comes from now on is traffic.
    pub(crate) const fn begin_traffic(&mut self) {
        self.content = Content::Traffic;
    }

    /// Drops what was read.
    pub(crate) fn clear(&mut self) {
        self.content.leave(&mut self.bytes);
        self.bytes.clear();
    }

    /// Gives the buffer back, because nothing comes for now.
    pub(crate) fn rest(&mut self, pool: &ReadPool) {
        if self.owner == Owner::Connection {
            // Even if nothing is left in it, it would keep what the last messages were read into.
            let left = BytesMut::from(&self.bytes[..]);
            let mut last = std::mem::replace(&mut self.bytes, left);
            self.content.leave(&mut last);
        } else {
            self.own(self.bytes.len(), pool);
        }
    }

    /// Gives a buffer back that not much is left in, because nobody takes it for now.
    pub(crate) fn settle(&mut self, pool: &ReadPool) {
        if self.bytes.len() < LARGE_BODY {
            self.own(self.bytes.len(), pool);
        }
    }

    /// Reads what a large frame lacks, or a step towards it.
    fn poll_read_large<S: AsyncRead + Unpin>(
        &mut self,
        context: &mut Context<'_>,
        stream: &mut S,
        missing: usize,
        pool: &ReadPool,
    ) -> Poll<io::Result<usize>> {
        let len = self.bytes.len();
        let step = missing.min(len.max(self.step));
        self.own(len + step + NEXT_HEAD, pool);
        if self.bytes.capacity() - len < step {
            self.bytes.reserve(step + NEXT_HEAD);
        }
        let mut room = (&mut self.bytes).limit(step + NEXT_HEAD);
        let poll = poll_read_buf(Pin::new(stream), context, &mut room);
        if let Poll::Ready(Ok(read)) = &poll {
            self.adapt(*read);
        }
        poll
    }

    fn adapt(&mut self, read: usize) {
        if read >= self.step {
            self.step = (self.step * 2).min(BUFFER_SIZE);
        } else if read < self.step / 4 {
            self.step = (self.step / 2).max(MIN_STEP);
        }
    }

    /// Sees to it that the octets are in a buffer of the pool, with room behind them.
    fn make_room(&mut self, pool: &ReadPool) {
        let len = self.bytes.len();
        if self.owner == Owner::Pool
            && (self.bytes.capacity() - len >= MIN_ROOM
                || self.bytes.try_reclaim(BUFFER_SIZE - len))
        {
            return;
        }
        let mut next = pool.take();
        next.extend_from_slice(&self.bytes);
        let mut last = std::mem::replace(&mut self.bytes, next);
        self.content.leave(&mut last);
        if self.owner == Owner::Pool {
            pool.put(last);
        }
        self.owner = Owner::Pool;
    }

    /// Moves the octets into an allocation of this size, and gives the pool its buffer back.
    fn own(&mut self, capacity: usize, pool: &ReadPool) {
        if self.owner == Owner::Connection {
            return;
        }
        let mut own = BytesMut::with_capacity(capacity);
        own.extend_from_slice(&self.bytes);
        let mut last = std::mem::replace(&mut self.bytes, own);
        self.content.leave(&mut last);
        pool.put(last);
        self.owner = Owner::Connection;
    }
}

impl Content {
    /// Sees to it that octets of a handshake do not stay where nobody looks after them.
    fn leave(self, octets: &mut [u8]) {
        if self == Self::Handshake {
            wipe(octets);
        }
    }
}

impl Drop for ReadBuffer {
    fn drop(&mut self) {
        self.content.leave(&mut self.bytes);
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
    fn little_that_comes_keeps_no_buffer_of_the_pool() {
        let mut buffer = ReadBuffer::new();
        let count = read(&mut buffer, &[7; 100], 0);
        assert_eq!((count, buffer.bytes.len()), (100, 100));
        assert!(buffer.bytes.capacity() < 200);
    }

    #[test]
    fn what_was_taken_out_is_kept_by_nobody_who_rests() {
        let mut buffer = ReadBuffer::new();
        assert_eq!(read(&mut buffer, &[7; 1000], 0), 1000);
        for left in [3, 0] {
            drop(buffer.bytes.split_to(buffer.bytes.len() - left));
            buffer.rest(&ReadPool::default());
            assert_eq!(buffer.bytes.len(), left);
            assert!(!buffer.bytes.try_reclaim(500), "{left} left");
        }
    }

    #[test]
    fn what_nobody_takes_keeps_no_buffer_of_the_pool() {
        let mut buffer = ReadBuffer::new();
        read(&mut buffer, &[7; 2 * BULK], 0);
        drop(buffer.bytes.split_to(BULK));
        buffer.settle(&ReadPool::default());
        assert_eq!(buffer.bytes, [7; BULK][..]);
        assert!(buffer.bytes.capacity() < 2 * BULK);
    }

    // PLAIN-022
    #[test]
    fn octets_of_a_handshake_are_wiped_where_they_are_left_and_those_of_traffic_are_not() {
        let mut buffer = ReadBuffer::new();
        for expected in [[0; 6], *b"octets"] {
            let mut octets = *b"octets";
            buffer.content.leave(&mut octets);
            assert_eq!(octets, expected);
            buffer.begin_traffic();
        }
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
