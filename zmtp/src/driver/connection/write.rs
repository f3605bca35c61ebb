//! The write side of a connection (L3).

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::AsyncWrite;

use super::readable::Readable;
use super::task::{Connection, Progress, Stage};
use crate::driver::commands::ConnectionCommand;
use crate::driver::encoded::{IDLE_CAPACITY, MAX_SLICES};
use crate::driver::monitor::DisconnectReason;
use crate::driver::outbox::{Room, Taken};
use crate::mechanism::wipe;

impl<S: Readable + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn run_commands(&mut self) -> Result<(), DisconnectReason> {
        if self.stage != Stage::Attached {
            return Ok(());
        }
        // What the kernel does not take stays where it is bounded.
        if self.control.has_remaining() {
            return self.peer.outbox.check_commands();
        }
        while let Some(command) = self.peer.outbox.pop_command()? {
            match command {
                ConnectionCommand::Subscribe(topic) => self.session.subscribe(&topic),
                ConnectionCommand::Cancel(topic) => self.session.cancel(&topic),
            }
        }
        Ok(())
    }

    pub(super) fn write(&mut self, context: &mut Context<'_>) -> Result<(), DisconnectReason> {
        loop {
            if self.has_messages_to_write() {
                match self.poll_write_messages(context) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(result) => result.map_err(io_reason)?,
                }
            } else if self.control.has_remaining() || self.session.has_transmit() {
                match self.poll_write_control(context) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(result) => result.map_err(io_reason)?,
                }
            } else if !self.outgoing.is_written() {
                self.seal()?;
            } else if self.stage == Stage::Attached {
                let (taken, room) = self.peer.outbox.take(&mut self.outgoing);
                if room == Room::Awaited {
                    self.hub.writable.notify_waiters();
                }
                match taken {
                    Taken::Messages => {}
                    Taken::Empty => {
                        self.outgoing.release();
                        if let Some(sealed) = &mut self.sealed {
                            sealed.release();
                        }
                        return Ok(());
                    }
                    Taken::Finished => return Err(self.hub.own_end()),
                }
            } else {
                return Ok(());
            }
        }
    }

    /// Whether octets of messages are there as they go out: sealed, if they have to be.
    fn has_messages_to_write(&self) -> bool {
        match &self.sealed {
            None => !self.outgoing.is_written(),
            Some(sealed) => !sealed.is_written(),
        }
    }

    /// Seals the next messages.
    fn seal(&mut self) -> Result<(), DisconnectReason> {
        if let Some(sealed) = &mut self.sealed {
            sealed.fill(&mut self.outgoing, &mut self.session)?;
        }
        Ok(())
    }

    fn poll_write_messages(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(sealed) = &mut self.sealed {
            let written = ready!(sealed.poll_write(context, &mut self.stream))?;
            self.peer.tally.count_sent_octets(written);
            return Poll::Ready(nonzero(written));
        }
        let stream = Pin::new(&mut self.stream);
        let written = if let Some(slice) = self.outgoing.as_single_slice() {
            ready!(stream.poll_write(context, slice))?
        } else {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let used = self.outgoing.fill_slices(&mut slices);
            ready!(stream.poll_write_vectored(context, &slices[..used]))?
        };
        self.peer.tally.count_sent_octets(written);
        self.outgoing.advance(written);
        Poll::Ready(nonzero(written))
    }

    pub(super) fn poll_write_control(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Only what the kernel takes is fetched, so that the session sees how much piles up.
        if self.control.is_empty() {
            self.session.poll_transmit(&mut self.control);
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.control))?;
        self.peer.tally.count_sent_octets(written);
        if self.progress == Progress::Handshake {
            // It may have been a password.
            wipe(self.control.get_mut(..written).unwrap_or_default());
        }
        self.control.advance(written);
        if self.control.is_empty() && self.control.capacity() > IDLE_CAPACITY {
            self.control = BytesMut::new();
        }
        Poll::Ready(nonzero(written))
    }
}

fn io_reason(error: io::Error) -> DisconnectReason {
    DisconnectReason::Io(error.kind())
}

/// A stream that takes nothing will never take more.
fn nonzero(written: usize) -> io::Result<()> {
    if written == 0 {
        return Err(io::ErrorKind::WriteZero.into());
    }
    Ok(())
}
