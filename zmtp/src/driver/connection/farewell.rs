//! The end of a connection (L3).

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Buf;
use tokio::io::AsyncWrite;

use super::readable::Readable;
use super::task::{Connection, Progress, Shutdown, Stage, now};
use crate::driver::counters::DropReason;
use crate::driver::hub::Linger;
use crate::driver::monitor::DisconnectReason;
use crate::driver::peer::Retention;

/// How long a closed connection waits for the other side to take note, so that an RST does not
/// overtake what was sent last.
const FAREWELL: Duration = Duration::from_secs(1);

impl<S> Connection<S> {
    /// Takes the peer from the socket.
    pub(super) fn leave(&mut self) {
        if self.stage == Stage::Attached {
            let notice = self.hub.pattern.detach(&self.peer);
            self.announce(notice);
        }
        self.peer.set_info(None);
        match self.peer.retention {
            Retention::Connection => {
                self.hub.forget_peer(&self.peer);
                self.peer.outbox.close();
            }
            Retention::Endpoint => {
                self.hub.remove_peer(&self.peer);
                self.peer.outbox.suspend();
            }
            Retention::Queue => {}
        }
    }
}

impl<S: Readable + AsyncWrite + Unpin> Connection<S> {
    /// Takes the peer from the socket and decides what still has to go out.
    pub(super) fn begin_farewell(&mut self, reason: DisconnectReason) {
        let unfinished = self.incoming.drop_unfinished_message();
        let tally = &self.peer.tally;
        tally.count_dropped(DropReason::Incomplete, unfinished);
        let notices = &self.hub.options.notices;
        if self.stage == Stage::Attached {
            for notice in notices.parting(self.peer.retention, &reason) {
                self.incoming.push_whole(notice);
            }
        }
        self.publish();
        // At once: senders shall not find a peer that is as good as gone.
        self.leave();
        if self.progress == Progress::Handshake {
            self.hub.half_open.reject(self.peer.id);
        }
        let shutdown = match reason {
            // There is nobody left to say anything to.
            DisconnectReason::PeerClosed | DisconnectReason::Io(_) => Shutdown::Done,
            _ => Shutdown::Pending,
        };
        let farewell = match reason {
            // Its place is wanted, and nothing was said that must not be lost.
            DisconnectReason::Evicted => now(),
            _ => now() + FAREWELL,
        };
        let deadline = match self.linger() {
            Linger::Until(deadline) => deadline.min(farewell),
            Linger::Open | Linger::Unlimited => farewell,
        };
        self.stage = Stage::Farewell {
            reason,
            shutdown,
            deadline,
        };
    }

    /// Sends what the session has left to say (an ERROR, say), closes our side and reads the other
    /// side to its end.
    pub(super) fn poll_farewell(&mut self, context: &mut Context<'_>) -> Poll<DisconnectReason> {
        loop {
            let Stage::Farewell {
                reason,
                shutdown,
                deadline,
            } = &mut self.stage
            else {
                return Poll::Ready(DisconnectReason::SocketClosed);
            };
            let reason = reason.clone();
            let is_evicted = self.peer.dismissal() == Some(&DisconnectReason::Evicted);
            if is_evicted || *deadline <= now() {
                return Poll::Ready(reason);
            }
            if *shutdown == Shutdown::Done
                && matches!(
                    reason,
                    DisconnectReason::PeerClosed | DisconnectReason::Io(_)
                )
            {
                return Poll::Ready(reason);
            }
            if *shutdown == Shutdown::Pending {
                // After a handshake that encrypts, nothing goes out that is not encrypted, and a
                // session that has ended encrypts nothing.
                let may_speak = self.sealed.is_none() && self.outgoing.is_written();
                if may_speak && (self.control.has_remaining() || self.session.has_transmit()) {
                    match self.poll_write_control(context) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(Ok(())) => continue,
                        Poll::Ready(Err(_)) => return Poll::Ready(reason),
                    }
                }
                match ready!(Pin::new(&mut self.stream).poll_shutdown(context)) {
                    Ok(()) => *shutdown = Shutdown::Done,
                    Err(_) => return Poll::Ready(reason),
                }
                continue;
            }
            self.reader.clear();
            let pool = &self.hub.read_pool;
            match ready!(self.reader.poll_read(context, &mut self.stream, 0, pool)) {
                Ok(0) | Err(_) => return Poll::Ready(reason),
                Ok(_) => {}
            }
        }
    }
}
