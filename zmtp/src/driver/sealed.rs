//! Encrypted messages on their way to one connection (L3).
//!
//! Queued messages are encoded and not yet encrypted: each connection has its own keys, and a message
//! that goes out on the next connection needs those of that one. The connection task seals a chunk of
//! its batch at a time, writes it out, and seals the next one.
//!
//! Sealed frames delimit themselves as well, and there is one for each that is not sealed. After a
//! cut, walking both in step tells how far the batch was written.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::encoded::{Cursor, EncodedBatch, IDLE_CAPACITY, frame_len};
use crate::mechanism::SealError;
use crate::session::Session;

/// A chunk ends with the frame that makes it this long. It goes out in one system call, and is still
/// in the processor's cache then.
const CHUNK: usize = 64 * 1024;

/// A chunk of sealed frames and how much of it has been written.
#[derive(Debug, Default)]
pub(crate) struct SealedChunk {
    bytes: Vec<u8>,
    written: usize,
    /// Where the chunk begins in the batch.
    start: Cursor,
}

impl SealedChunk {
    /// Seals the next frames of `batch`. What was sealed before must be written.
    ///
    /// # Errors
    ///
    /// The session seals nothing any more; the connection has to end.
    pub(crate) fn fill(
        &mut self,
        batch: &mut EncodedBatch,
        session: &mut Session,
    ) -> Result<(), SealError> {
        self.bytes.clear();
        self.written = 0;
        self.start = batch.cursor();
        while self.bytes.len() < CHUNK
            && let Some((more, body)) = batch.take_frame()
        {
            session.seal(more, body, &mut self.bytes)?;
        }
        Ok(())
    }

    /// Writes once; the number of octets is that of the stream.
    pub(crate) fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        context: &mut Context<'_>,
        stream: &mut S,
    ) -> Poll<std::io::Result<usize>> {
        let rest = self.bytes.get(self.written..).unwrap_or_default();
        let written = ready!(Pin::new(stream).poll_write(context, rest))?;
        self.written += written;
        Poll::Ready(Ok(written))
    }

    /// Whether nothing is left to be written.
    pub(crate) fn is_written(&self) -> bool {
        self.written == self.bytes.len()
    }

    /// Gives a large buffer back to the allocator; only for a chunk that is written.
    pub(crate) fn release(&mut self) {
        if self.bytes.capacity() > IDLE_CAPACITY {
            *self = Self::default();
        }
    }

    /// Moves the cursor of `batch` back to the first frame of which no octet was written.
    pub(crate) fn rewind(&self, batch: &mut EncodedBatch) {
        if self.is_written() {
            return;
        }
        batch.rewind(self.start);
        let mut at = 0;
        while at < self.written
            && let Some(len) = self.bytes.get(at..).and_then(frame_len)
        {
            at += len;
            batch.take_frame();
        }
    }
}

#[cfg(test)]
mod tests;
