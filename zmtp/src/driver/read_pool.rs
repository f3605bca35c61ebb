//! Read buffers that wait for their next use (L3).
//!
//! A body that is passed on as a slice keeps the buffer alive that it was read into, so a busy
//! connection goes through one buffer after the other. A new one from the allocator costs a page
//! fault for each of its pages; one whose messages are done with is there, and often still in the
//! processor's cache.

use bytes::BytesMut;

use super::sync::{Mutex, lock};

/// The size of a buffer: what a busy connection reads at once.
pub(crate) const BUFFER_SIZE: usize = 128 * 1024;

/// A buffer with less room than this is not read into before it is free again: that would cost a
/// system call for a few octets.
pub(crate) const MIN_ROOM: usize = 16 * 1024;

/// How many buffers a socket keeps. They are enough for what a queue may hold, and more would only
/// be memory.
const MAX_BUFFERS: usize = 16;

/// The read buffers of all connections of a socket.
///
/// A connection holds one while it reads, and what it leaves of it is there for the next one: ten
/// thousand connections that seldom speak need a single buffer.
#[derive(Debug, Default)]
pub(crate) struct ReadPool {
    /// The latest at the end.
    buffers: Mutex<Vec<BytesMut>>,
}

impl ReadPool {
    /// Takes an empty buffer with room for some octets.
    pub(crate) fn take(&self) -> BytesMut {
        let mut buffers = lock(&self.buffers);
        if buffers
            .last()
            .is_some_and(|buffer| buffer.capacity() >= MIN_ROOM)
            && let Some(buffer) = buffers.pop()
        {
            return buffer;
        }
        // The latest is warm if its messages are gone already; if not, those of the oldest may be.
        let last = buffers.len().wrapping_sub(1);
        for index in [last, 0] {
            if buffers
                .get_mut(index)
                .is_some_and(|buffer| buffer.try_reclaim(BUFFER_SIZE))
            {
                return buffers.remove(index);
            }
        }
        drop(buffers);
        BytesMut::with_capacity(BUFFER_SIZE)
    }

    /// Keeps a buffer for later; what is in it is forgotten.
    pub(crate) fn put(&self, mut buffer: BytesMut) {
        buffer.clear();
        let mut buffers = lock(&self.buffers);
        if buffers.len() == MAX_BUFFERS {
            // Messages that are never let go must not fill the pool for good.
            buffers.remove(0);
        }
        buffers.push(buffer);
    }
}

#[cfg(test)]
mod tests {
    use bytes::BufMut;

    use super::*;

    #[test]
    fn a_buffer_comes_back_once_its_messages_are_gone() {
        let pool = ReadPool::default();
        let mut buffer = pool.take();
        buffer.put_bytes(1, BUFFER_SIZE);
        let address = buffer.as_ptr();
        let message = buffer.split_to(100).freeze();
        pool.put(buffer);
        assert_ne!(pool.take().as_ptr(), address);
        drop(message);
        assert_eq!(pool.take().as_ptr(), address);
    }

    #[test]
    fn what_a_connection_leaves_is_for_the_next_one() {
        let pool = ReadPool::default();
        let mut buffer = pool.take();
        buffer.put_bytes(1, 100);
        let message = buffer.split_to(100).freeze();
        pool.put(buffer);
        assert_eq!(pool.take().as_ptr(), message[100..].as_ptr());
    }

    #[test]
    fn the_pool_is_bounded() {
        let pool = ReadPool::default();
        for _ in 0..100 {
            pool.put(BytesMut::with_capacity(64));
        }
        assert_eq!(lock(&pool.buffers).len(), MAX_BUFFERS);
    }
}
