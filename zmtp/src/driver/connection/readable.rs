//! Whether a read would find something (L3).

use std::task::{Context, Poll};

use tokio::io::AsyncRead;
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

/// A stream that tells whether something has come, without taking it.
pub(crate) trait Readable: AsyncRead {
    /// Ready if something has come, or may have; otherwise the task of `context` is woken for it.
    fn poll_readable(&self, context: &mut Context<'_>) -> Poll<()>;
}

impl Readable for TcpStream {
    fn poll_readable(&self, context: &mut Context<'_>) -> Poll<()> {
        self.poll_read_ready(context).map(drop)
    }
}

#[cfg(unix)]
impl Readable for UnixStream {
    fn poll_readable(&self, context: &mut Context<'_>) -> Poll<()> {
        self.poll_read_ready(context).map(drop)
    }
}

/// Does not tell.
#[cfg(test)]
impl Readable for tokio::io::DuplexStream {
    fn poll_readable(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}
