//! The server's side of a channel.

use bytes::Bytes;

use super::{Queued, SendCredit};
use crate::event::{Event, Notice, Version};

/// The server's side of a channel.
///
/// ```text
///   ExpectRequest ──request──▶ Serving ──last reply, with credit──▶ closed
///        │                      ▲ │                                    ▲
///        └──request──▶ Held ────┘ └──last reply──▶ Draining ──credit───┘
/// ```
///
/// A request is held back while its peer does not read what waits for it. A channel starts in
/// `Serving` when a request opens it, and in `ExpectRequest` when a heartbeat or a grant does. A lost
/// peer, a cancel and the application's close also lead to closed, from any state. Closed is not a
/// state: the channel is gone, though its last reply may still wait for the socket.
#[derive(Debug)]
pub(crate) struct ServerSide {
    pub(crate) state: ServerState,
    pub(crate) credit: SendCredit,
    pub(crate) stall: Stall,
    /// Whether the peer's list of streams that wait for the socket has this one.
    pub(crate) listed: Queued,
    pub(crate) version: Version,
    /// What the header of the next reply says.
    pub(crate) notice: Notice,
    /// The bytes of the request, which count against the peer for as long as the channel is open.
    pub(crate) charged: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ServerState {
    ExpectRequest,
    /// The application does not know of the request yet.
    Held {
        request: Box<Event>,
    },
    Serving,
    /// The last reply waits for credit.
    Draining {
        last: Bytes,
    },
}

/// What a stream waits for before its application hears that it is writable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stall {
    None,
    Credit,
    Socket,
}

impl ServerSide {
    pub(crate) fn new(version: Version) -> Self {
        Self {
            state: ServerState::ExpectRequest,
            credit: SendCredit::new(),
            stall: Stall::None,
            listed: Queued::No,
            version,
            notice: Self::first_notice(version),
            charged: 0,
        }
    }

    /// Returns what the header of the first event says that goes to a client of that version.
    ///
    /// A peer of version 1 may be a REQ socket that takes any event for its reply; its header is kept
    /// to what it knows.
    pub(crate) fn first_notice(version: Version) -> Notice {
        match version {
            Version::V3 => Notice::UnderstandsCancel,
            Version::V1 | Version::V2 => Notice::Nothing,
        }
    }

    /// Returns what the header of a heartbeat says: always the same, for it may overtake a reply
    /// that is encoded but not sent.
    pub(crate) fn heartbeat_notice(&self) -> Notice {
        Self::first_notice(self.version)
    }

    /// The request came.
    pub(crate) fn recv_request(&mut self, version: Version, len: usize) {
        let credit = self.credit;
        *self = Self {
            state: ServerState::Serving,
            credit,
            charged: len,
            ..Self::new(version)
        };
    }

    /// Takes the last reply once there is credit for it.
    pub(crate) fn take_last(&mut self) -> Option<Bytes> {
        let ServerState::Draining { last } = &mut self.state else {
            return None;
        };
        self.credit.take()?;
        Some(std::mem::take(last))
    }
}
