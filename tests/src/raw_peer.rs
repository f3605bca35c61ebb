//! A peer that sends what it is told to and reports what it gets.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::ops::Sub;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::bytes::{self, COMMAND, LONG};

/// How long a peer waits for anything before it gives up. Never reached in a passing test, not even
/// under attack on a machine that is busy otherwise.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A frame as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RawFrame {
    /// The first octet.
    pub flags: u8,
    /// What follows the size.
    pub body: Vec<u8>,
}

impl RawFrame {
    /// Returns whether this is a command of the given name.
    #[must_use]
    pub fn is_command(&self, name: &str) -> bool {
        let start = bytes::command_body(name, &[]);
        self.flags & COMMAND != 0 && self.body.starts_with(&start)
    }
}

/// What raw peers have given a socket to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Work {
    /// Octets that they have sent, and that they have taken.
    pub octets: u64,
    /// Connections that there were.
    pub connections: u32,
}

impl Sub for Work {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            octets: self.octets - before.octets,
            connections: self.connections - before.connections,
        }
    }
}

thread_local! {
    /// A test has a thread of its own, and its raw peers are on it.
    static WORK: Cell<Work> = const { Cell::new(Work { octets: 0, connections: 0 }) };
}

/// Returns what the raw peers of this thread have given to do so far.
#[must_use]
pub fn work() -> Work {
    WORK.get()
}

/// Counts connections that others have made for this thread, and that are none of its raw peers.
///
/// # Panics
///
/// Panics if they are more than four thousand million.
pub fn count_connections(count: usize) {
    let mut work = WORK.get();
    work.connections += u32::try_from(count).expect("a legal number of connections");
    WORK.set(work);
}

fn count_octets(count: usize) {
    let mut work = WORK.get();
    work.octets += count as u64;
    WORK.set(work);
}

/// A TCP connection to a socket under test.
#[derive(Debug)]
pub struct RawPeer {
    stream: TcpStream,
}

impl RawPeer {
    /// Connects to a socket under test.
    ///
    /// # Errors
    ///
    /// Fails if the connection is refused or does not come about in time.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        within(TcpStream::connect(address)).await.map(Self::new)
    }

    /// As [`Self::connect`], and the system takes only about so many octets for this side that are
    /// not read.
    ///
    /// # Errors
    ///
    /// Fails if the connection is refused or does not come about in time.
    pub async fn connect_with_buffer(address: SocketAddr, octets: u32) -> io::Result<Self> {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.set_recv_buffer_size(octets)?;
        within(socket.connect(address)).await.map(Self::new)
    }

    /// Accepts a connection of a socket under test.
    ///
    /// # Errors
    ///
    /// Fails if none comes in time.
    pub async fn accept(listener: &TcpListener) -> io::Result<Self> {
        within(listener.accept())
            .await
            .map(|(stream, _)| Self::new(stream))
    }

    fn new(stream: TcpStream) -> Self {
        count_connections(1);
        Self { stream }
    }

    /// Sends greeting and READY of a 3.1 peer, and returns the socket's READY.
    ///
    /// # Errors
    ///
    /// Fails if the socket answers with anything else than a greeting and a command.
    pub async fn handshake(&mut self, socket_type: &str) -> io::Result<RawFrame> {
        self.handshake_with(&bytes::greeting(3, 1), &bytes::ready(socket_type))
            .await
    }

    /// Sends this greeting and this READY, and returns the socket's READY.
    ///
    /// # Errors
    ///
    /// Fails if the socket answers with anything else than a greeting and a command.
    pub async fn handshake_with(&mut self, greeting: &[u8], ready: &[u8]) -> io::Result<RawFrame> {
        self.send(greeting).await?;
        self.recv_greeting().await?;
        self.send(ready).await?;
        let answer = self.recv_frame().await?;
        if answer.is_command("READY") {
            return Ok(answer);
        }
        Err(io::Error::other(format!("no READY but {answer:?}")))
    }

    /// Sends octets as they are, in one write.
    ///
    /// # Errors
    ///
    /// Fails as a write does.
    pub async fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        within(async {
            let mut rest = octets;
            while !rest.is_empty() {
                rest = &rest[self.write(rest).await?..];
            }
            Ok(())
        })
        .await
    }

    /// Sends as many of these octets as are taken before nothing more is for so long, and returns how
    /// many that were.
    ///
    /// # Errors
    ///
    /// Fails as a write does.
    pub async fn send_until_stopped(
        &mut self,
        octets: &[u8],
        patience: Duration,
    ) -> io::Result<usize> {
        let mut sent = 0;
        while sent < octets.len() {
            match timeout(patience, self.write(&octets[sent..])).await {
                Ok(count) => sent += count?,
                Err(_) => break,
            }
        }
        Ok(sent)
    }

    /// Writes some of these octets, and counts those that were written and no others.
    async fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let count = self.stream.write(octets).await?;
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        count_octets(count);
        Ok(count)
    }

    /// Sends octets one at a time, each in a segment of its own. Stops quietly when the socket
    /// has closed.
    ///
    /// # Errors
    ///
    /// Fails if the connection cannot be told to send small segments.
    pub async fn send_dribbled(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        for octet in octets {
            if self.send(&[*octet]).await.is_err() {
                return Ok(());
            }
            // Lets the other side of the same runtime read before the next octet is there.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Returns the next `count` octets.
    ///
    /// # Errors
    ///
    /// Fails if the socket closes before, or sends too slowly.
    pub async fn recv(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut octets = vec![0; count];
        within(self.stream.read_exact(&mut octets)).await?;
        count_octets(count);
        Ok(octets)
    }

    /// Returns the next octets, at least one and as many as there are at once.
    ///
    /// # Errors
    ///
    /// Fails if the socket closes before, or sends too slowly.
    pub async fn recv_some(&mut self) -> io::Result<Vec<u8>> {
        let mut octets = vec![0; 4096];
        let count = within(self.stream.read(&mut octets)).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        octets.truncate(count);
        count_octets(count);
        Ok(octets)
    }

    /// Returns the socket's greeting.
    ///
    /// # Errors
    ///
    /// Fails if the socket closes before, or sends too slowly.
    pub async fn recv_greeting(&mut self) -> io::Result<Vec<u8>> {
        self.recv(64).await
    }

    /// Returns the next frame.
    ///
    /// # Errors
    ///
    /// Fails if the socket closes before, or sends too slowly.
    pub async fn recv_frame(&mut self) -> io::Result<RawFrame> {
        let flags = self.recv(1).await?[0];
        let size_octets = if flags & LONG == 0 { 1 } else { 8 };
        let size = self.recv(size_octets).await?;
        let size = size
            .iter()
            .fold(0, |size, octet| size << 8 | usize::from(*octet));
        let body = self.recv(size).await?;
        Ok(RawFrame { flags, body })
    }

    /// Returns the parts of the next message.
    ///
    /// # Errors
    ///
    /// Fails if a command comes instead, if the socket closes before, or sends too slowly.
    pub async fn recv_message(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let mut parts = Vec::new();
        loop {
            let frame = self.recv_frame().await?;
            if frame.flags & COMMAND != 0 {
                return Err(io::Error::other(format!("no message but {frame:?}")));
            }
            parts.push(frame.body);
            if frame.flags & bytes::MORE == 0 {
                return Ok(parts);
            }
        }
    }

    /// Waits until the socket closes, and returns what it sent before. A reset counts as a close.
    ///
    /// # Errors
    ///
    /// Fails if the socket keeps the connection open.
    pub async fn recv_until_closed(&mut self) -> io::Result<Vec<u8>> {
        let mut octets = Vec::new();
        match within(self.stream.read_to_end(&mut octets)).await {
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error),
            _ => Ok(octets),
        }
    }

    /// Returns what comes within `window`, which may be nothing.
    ///
    /// # Errors
    ///
    /// Fails if the socket closes.
    pub async fn recv_for(&mut self, window: Duration) -> io::Result<Vec<u8>> {
        let mut octets = Vec::new();
        let all = async {
            loop {
                let mut chunk = [0; 4096];
                let count = self.stream.read(&mut chunk).await?;
                if count == 0 {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
                }
                count_octets(count);
                octets.extend_from_slice(&chunk[..count]);
            }
        };
        match timeout(window, all).await {
            Ok(closed) => closed,
            Err(_) => Ok(octets),
        }
    }

    /// Ends the sending half, so that the socket sees an end of stream.
    ///
    /// # Errors
    ///
    /// Fails if the connection is gone already.
    pub async fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }
}

/// Runs an operation with the patience of a test.
///
/// # Errors
///
/// Fails as the operation does, or with `TimedOut`.
pub async fn within<T>(operation: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match timeout(PATIENCE, operation).await {
        Ok(result) => result,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}
