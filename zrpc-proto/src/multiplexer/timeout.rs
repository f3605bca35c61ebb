//! The passing of time.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use super::peers::Entry;
use super::{ChannelId, CloseReason, Multiplexer};
use crate::channel::{Channel, Queued, ServerState, Side, Tick};
use crate::event::RemoteError;

impl<P: Clone + Eq + Hash + Debug> Multiplexer<P> {
    /// Handles the passing of time: sends heartbeats, ends calls that took too long, and gives up
    /// lost peers. To be called at [`poll_timeout`](Self::poll_timeout); earlier is harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((at, id)) = self.deadlines.pop_due(now) {
            let Some(channel) = self.channels.get_mut(id) else {
                continue;
            };
            if channel.scheduled != Some(at) {
                continue;
            }
            channel.scheduled = None;
            self.handle_channel_timeout(now, id);
            self.schedule(id);
        }
    }

    /// Returns when to call [`handle_timeout`](Self::handle_timeout) next.
    ///
    /// It may be earlier than anything happens, and it seldom changes: a call that starts and ends
    /// does not move it back. A driver re-arms its timer only for an earlier deadline, or after its
    /// timer fired.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.next_deadline()
    }

    fn handle_channel_timeout(&mut self, now: Instant, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        if let Some(expiry) = channel.expiry
            && expiry.at <= now
        {
            self.expire(
                id,
                CloseReason::TimedOut {
                    after: expiry.after,
                },
            );
            return;
        }
        let peer = self.peers.get(channel.peer);
        let heard = peer.and_then(|peer| peer.heard);
        match channel.pulse.handle_timeout(now, heard) {
            Tick::Early => {}
            Tick::Beat => self.queue_heartbeat(id),
            Tick::Lost { after } => {
                self.stats.lost = self.stats.lost.wrapping_add(1);
                let reason = CloseReason::LostRemote { after };
                self.tell_lost(id, &reason);
                self.end(id, reason);
            }
        }
    }

    /// Tells a client that its call is given up. It may be there and not know: because it has no
    /// heartbeats of its own, or because its link is too slow for those of this side.
    fn tell_lost(&mut self, id: ChannelId, reason: &CloseReason) {
        let Some(Channel {
            peer,
            id,
            side: Side::Server(server),
            ..
        }) = self.channels.get_mut(id)
        else {
            return;
        };
        let is_answerable = matches!(
            server.state,
            ServerState::Serving | ServerState::Held { .. }
        );
        // Beyond its credit a client would take it for a fault.
        if is_answerable && server.credit.take().is_some() {
            let (peer, id, version) = (*peer, id.clone(), server.version);
            let error = RemoteError::new(LOST_REMOTE, reason.to_string());
            self.tell_end(peer, &id, version, &error);
        }
    }

    /// Waiting for a reply or for a request is over. The latter nobody but the peer waits for.
    fn expire(&mut self, id: ChannelId, reason: CloseReason) {
        if matches!(self.channels.get(id), Some(channel) if matches!(channel.side, Side::Client(_)))
        {
            self.stats.timed_out = self.stats.timed_out.wrapping_add(1);
            self.tell_cancel(id);
        }
        self.end(id, reason);
    }

    /// Queues a heartbeat, unless one waits for the socket already.
    pub(super) fn queue_heartbeat(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        if channel.control.heartbeat == Queued::No {
            channel.control.heartbeat = Queued::Yes;
            self.peers.push(channel.peer, Entry::Heartbeat(id));
        }
    }
}

/// The name of the error that tells a client of the end of its call.
const LOST_REMOTE: &str = "LostRemote";
