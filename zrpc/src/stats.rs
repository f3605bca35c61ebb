//! What a client or server has counted.

use crate::io::Multiplexer;

/// What a client or server is doing, and what it has counted since it was made.
///
/// Counting happens where something goes wrong or a channel begins; asking costs one message to the
/// I/O task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Calls and streams that are open, with those whose last event waits for credit or the socket.
    pub open_channels: usize,
    /// Events that wait for a socket.
    pub queued_events: usize,
    /// Calls that this side has made, with those for which there is, or was, no server.
    pub calls_made: u64,
    /// Calls that others have made of this side.
    pub calls_accepted: u64,
    /// Events that were received, of any kind.
    pub events_received: u64,
    /// Events that were sent, of any kind.
    pub events_sent: u64,
    /// Calls that ended because nothing was heard from the other side: [`CallError::LostRemote`] on
    /// a client, a handler that was cancelled on a server.
    ///
    /// [`CallError::LostRemote`]: crate::CallError::LostRemote
    pub lost_remotes: u64,
    /// Calls that ended because the first reply took too long.
    pub timed_out: u64,
    /// Times that a stream waited because its caller took the items slowly.
    pub credit_stalls: u64,
    /// Times that a stream waited because the socket of its caller was behind.
    pub socket_stalls: u64,
    /// Requests that were refused because a limit was reached.
    pub refused: u64,
    /// Requests that had to wait because their caller does not read its replies.
    pub held_back: u64,
    /// Calls that were ended because the other side sent more than it was allowed to.
    pub overruns: u64,
    /// Received messages that are no events.
    pub malformed: u64,
    /// Received events of calls that do not exist any more. Some are routine: what crosses the end
    /// of a call on its way.
    pub unroutable: u64,
    /// Received events that made no sense at that point of their call.
    pub ignored: u64,
}

impl Stats {
    pub(crate) fn of(mux: &Multiplexer) -> Self {
        let stats = mux.stats();
        Self {
            open_channels: mux.channel_count(),
            queued_events: mux.queued_count(),
            calls_made: stats.channels_opened,
            calls_accepted: stats.channels_accepted,
            events_received: stats.events_received,
            events_sent: stats.payloads_sent,
            lost_remotes: stats.lost,
            timed_out: stats.timed_out,
            credit_stalls: stats.credit_stalls,
            socket_stalls: stats.send_stalls.saturating_sub(stats.credit_stalls),
            refused: stats.refused,
            held_back: stats.held_back,
            overruns: stats.overrun,
            malformed: stats.malformed,
            unroutable: stats.unroutable,
            ignored: stats.ignored,
        }
    }
}
