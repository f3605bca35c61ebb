//! Credit: who may send how much, on both ends of a channel.

use crate::msgpack::{Elements, Head, Reader};

/// How many events a side may still send on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Credit(u32);

impl Credit {
    /// What each side may send before the other grants anything.
    pub const INITIAL: Self = Self(1);

    /// No credit.
    pub const NONE: Self = Self(0);

    /// The most that is kept, whatever a peer grants: room for a million small items, and no way
    /// to make a sum overflow.
    pub const MAX: Self = Self(1 << 20);

    /// Returns how many events this is good for.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0
    }

    /// Returns the sum, at most [`MAX`](Self::MAX).
    pub(crate) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0)).min(Self::MAX)
    }
}

/// The sending side of flow control.
///
/// Python means a grant to be added, Node means it to replace what is left. What serves both is
/// to add, but never beyond the largest grant seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SendCredit {
    available: Credit,
    largest: Credit,
}

impl SendCredit {
    pub(crate) const fn new() -> Self {
        Self {
            available: Credit::INITIAL,
            largest: Credit::INITIAL,
        }
    }

    /// Uses the credit of one event. Returns `None`, and uses nothing, if there is none left.
    pub(crate) fn take(&mut self) -> Option<()> {
        self.available = Credit(self.available.0.checked_sub(1)?);
        Some(())
    }

    /// Adds what the peer granted; nothing and less than nothing is ignored.
    pub(crate) fn grant(&mut self, granted: i64) {
        let Ok(granted) = u64::try_from(granted) else {
            return;
        };
        let granted = u32::try_from(granted)
            .map_or(Credit::MAX, Credit)
            .min(Credit::MAX);
        self.largest = self.largest.max(granted);
        self.available = self.available.plus(granted).min(self.largest);
    }

    pub(crate) fn available(&self) -> Credit {
        self.available
    }
}

/// The receiving side of flow control: Python's rule, which serves senders of both kinds.
///
/// The peer starts with one credit. From the second item on, when less than half of the slots are
/// reserved for items to come, the rest is granted and all slots are reserved again.
///
/// That is enough for as long as the slots stay as many. When they become fewer, what is reserved may
/// stay above half of them although the peer has nothing left: Node has forgotten what it had before
/// the last grant, and this implementation what exceeded the largest one. All that is sure is that
/// grant itself. So when as much has come and is consumed, at most as much is granted again: a peer
/// that had more keeps it, and gets no more than it ever had. Only slots that became more again, and
/// that nothing is reserved for, are granted as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReceiveWindow {
    slots: u32,
    /// Items that the peer may still send or that are not consumed.
    reserved: u32,
    /// Items received and not consumed.
    queued: u32,
    /// The last grant.
    granted: u32,
    /// Items received since then.
    arrived: u32,
}

/// What a received item was sent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Credit that was granted.
    Granted,
    /// Nothing, though there is a slot for it.
    Ahead,
}

impl ReceiveWindow {
    pub(crate) fn new(slots: u32) -> Self {
        Self {
            slots: slots.clamp(1, Credit::MAX.0),
            reserved: Credit::INITIAL.0,
            queued: 0,
            granted: Credit::INITIAL.0,
            arrived: 0,
        }
    }

    /// Counts an item. Returns `None` if all slots hold items already: the peer ignores credit.
    pub(crate) fn receive(&mut self) -> Option<Arrival> {
        if self.queued >= self.slots {
            return None;
        }
        let arrival = match self.outstanding() {
            0 => Arrival::Ahead,
            _ => Arrival::Granted,
        };
        self.queued = self.queued.saturating_add(1);
        self.arrived = self.arrived.saturating_add(1);
        Some(arrival)
    }

    /// Counts items that the application took, and returns what to grant for more.
    ///
    /// When less than half of the `open` slots are reserved, `next` are opened; fewer than are
    /// configured if there is no memory for so many. When nothing is sure to come, at most `next` are
    /// granted.
    pub(crate) fn consume(&mut self, items: u32, open: u32, next: u32) -> Option<Credit> {
        let items = items.min(self.queued);
        self.queued = self.queued.saturating_sub(items);
        self.reserved = self.reserved.saturating_sub(items);
        // With a single slot half of it is nothing, and a strict rule would never grant again.
        let threshold = (self.slots.min(open) / 2).max(1);
        let slots = self.slots.min(next.max(1));
        let grant = if items == 0 {
            return None;
        } else if self.reserved < threshold {
            slots.saturating_sub(self.reserved)
        } else if self.queued == 0 && self.arrived >= self.granted {
            // The slots may have become more again.
            let room = slots.saturating_sub(self.reserved);
            room.max(slots.min(self.arrived))
        } else {
            return None;
        };
        self.reserved = self.reserved.saturating_add(grant);
        self.granted = grant;
        self.arrived = 0;
        Some(Credit(grant))
    }

    pub(crate) fn slots(&self) -> u32 {
        self.slots
    }

    /// Returns how many items the peer may still send.
    pub(crate) fn outstanding(&self) -> u32 {
        self.reserved.saturating_sub(self.queued)
    }
}

/// Reads a grant: `[n]`, or a bare `n`, where n may also be an integral float or a decimal string.
pub(crate) fn granted(args: &[u8]) -> Option<i64> {
    let number = match Elements::of(args) {
        Some(mut elements) => elements.next()?,
        None => args,
    };
    match Reader::new(number).head().ok()? {
        Head::Str(_) | Head::Bin(_) => {
            let text = std::str::from_utf8(crate::msgpack::read_text(number)?).ok()?;
            text.trim().parse().ok()
        }
        Head::Unsigned(number) => Some(i64::try_from(number).unwrap_or(i64::MAX)),
        _ => crate::value::decode(number).ok(),
    }
}
