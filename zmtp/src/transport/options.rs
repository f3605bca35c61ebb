//! What streams of any transport are configured with.

use std::io;

use socket2::SockRef;

use super::tcp::TcpOptions;

/// The options of all transports.
#[derive(Clone, Debug)]
pub(crate) struct TransportOptions {
    /// How many connections the operating system keeps ready to be accepted.
    pub(crate) backlog: u32,
    pub(crate) buffers: BufferSizes,
    pub(crate) tcp: TcpOptions,
}

/// What the operating system buffers for a stream, in octets; `None` leaves that to the system.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BufferSizes {
    pub(crate) send: Option<usize>,
    pub(crate) receive: Option<usize>,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            backlog: 1024,
            buffers: BufferSizes::default(),
            tcp: TcpOptions::default(),
        }
    }
}

impl TransportOptions {
    /// The backlog as the operating system takes it.
    pub(super) fn backlog(&self) -> i32 {
        i32::try_from(self.backlog).unwrap_or(i32::MAX)
    }
}

impl BufferSizes {
    /// Sets the sizes of a socket that is not connected yet: tcp announces its window when it
    /// connects.
    pub(super) fn apply(&self, socket: &SockRef<'_>) -> io::Result<()> {
        if let Some(size) = self.send {
            socket.set_send_buffer_size(size)?;
        }
        if let Some(size) = self.receive {
            socket.set_recv_buffer_size(size)?;
        }
        Ok(())
    }
}
