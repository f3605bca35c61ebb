//! The client's side of a channel.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Arrival, ChannelOptions, Credit, ReceiveWindow};
use crate::event::names;

/// The client's side of a channel.
///
/// ```text
///                 OK, ERR, STREAM_DONE
///   ExpectReply ───────────────────────▶ closed
///        │ STREAM                          ▲
///        ▼          ERR, STREAM_DONE       │
///    Streaming ────────────────────────────┘
/// ```
///
/// A timeout before the first reply, a lost peer, an overrun and the application's close also lead
/// to closed, from either state. Closed is not a state: the channel is gone.
#[derive(Debug)]
pub(crate) struct ClientSide {
    state: State,
    window: ReceiveWindow,
    /// The bytes that each item holds that is received and not consumed.
    held: VecDeque<usize>,
    held_bytes: usize,
    largest_item: usize,
    /// How many slots are open, see [`Self::grant`].
    open_slots: u32,
    /// The encoded request until the driver takes it; a call that ends before that was never sent.
    pub(crate) request: Option<Bytes>,
}

/// So many bytes the items in the slots beyond the usual ones may take.
const WINDOW_BYTES: usize = 4 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    ExpectReply,
    Streaming,
}

/// The replies that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplyKind {
    Ok,
    Err,
    Stream,
    StreamDone,
}

/// What a reply did to the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It goes on, with an item that the peer had credit for.
    Open,
    /// It goes on, with an item that the peer had no credit for.
    Ahead,
    /// That was the last event.
    Ended,
    /// The reply does not fit the state.
    Unexpected,
    /// The peer sent more items than it may.
    Overrun,
}

impl ReplyKind {
    /// Returns the kind of reply that an event is, if it is one.
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        const OK: &[u8] = names::OK.as_bytes();
        const ERR: &[u8] = names::ERR.as_bytes();
        const STREAM: &[u8] = names::STREAM.as_bytes();
        const STREAM_DONE: &[u8] = names::STREAM_DONE.as_bytes();
        match name {
            OK => Some(Self::Ok),
            ERR => Some(Self::Err),
            STREAM => Some(Self::Stream),
            STREAM_DONE => Some(Self::StreamDone),
            _ => None,
        }
    }
}

impl ClientSide {
    pub(crate) fn new(slots: u32, request: Bytes) -> Self {
        Self {
            state: State::ExpectReply,
            window: ReceiveWindow::new(slots),
            held: VecDeque::new(),
            held_bytes: 0,
            largest_item: 0,
            open_slots: ChannelOptions::DEFAULT_SLOTS / 2,
            request: Some(request),
        }
    }

    /// A reply came that holds `len` bytes.
    pub(crate) fn recv_reply(&mut self, kind: ReplyKind, len: usize) -> Progress {
        match (self.state, kind) {
            (State::ExpectReply, ReplyKind::Ok) => Progress::Ended,
            (State::Streaming, ReplyKind::Ok) => Progress::Unexpected,
            (_, ReplyKind::Err | ReplyKind::StreamDone) => Progress::Ended,
            (_, ReplyKind::Stream) => {
                self.state = State::Streaming;
                let Some(arrival) = self.window.receive() else {
                    return Progress::Overrun;
                };
                self.held.push_back(len);
                self.held_bytes = self.held_bytes.saturating_add(len);
                self.largest_item = self.largest_item.max(len);
                match arrival {
                    Arrival::Granted => Progress::Open,
                    Arrival::Ahead => Progress::Ahead,
                }
            }
        }
    }

    /// The application took items. Returns their length, to be given back to the peer's share.
    pub(crate) fn release(&mut self, items: usize) -> usize {
        let items = items.min(self.held.len());
        let released = self
            .held
            .drain(..items)
            .fold(0_usize, usize::saturating_add);
        self.held_bytes = self.held_bytes.saturating_sub(released);
        released
    }

    /// Returns what to grant after the application took items, so that no more than `most` slots
    /// are open. `room` is how many bytes this channel may hold, received ones included.
    ///
    /// More slots than the usual ones open one grant after the other, and not for large items:
    /// what a stream will bring is known only from what it brought.
    pub(crate) fn grant(&mut self, items: usize, room: usize, most: u32) -> Option<Credit> {
        let afforded = |bytes: usize| {
            let items = bytes.checked_div(self.largest_item).unwrap_or(usize::MAX);
            u32::try_from(items).unwrap_or(u32::MAX)
        };
        let extra = afforded(WINDOW_BYTES).max(ChannelOptions::DEFAULT_SLOTS);
        let affordable = afforded(room).min(extra).min(most);
        let next = self.open_slots.saturating_mul(2);
        let count = u32::try_from(items).unwrap_or(u32::MAX);
        let grant =
            self.window
                .consume(count, affordable.min(self.open_slots), affordable.min(next))?;
        self.open_slots = next;
        Some(grant)
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Returns how many bytes the items may take that the peer has credit for, going by the largest.
    pub(crate) fn reserved_bytes(&self) -> usize {
        let items = usize::try_from(self.window.outstanding()).unwrap_or(usize::MAX);
        items.saturating_mul(self.largest_item)
    }

    pub(crate) fn slots(&self) -> u32 {
        self.window.slots()
    }
}
