//! Who sent the messages of an inbox (L3).
//!
//! A peer that was connected to keeps its inbox over reconnects, and behind the same endpoint another
//! user may be found the next time. What one has sent shall not pass for the word of the other, also
//! where the receiver comes to it after the change.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use super::inbox::FrameBatch;
use crate::message::Frame;
use crate::session::PeerInfo;

/// Who sent what an inbox holds, and what is in the hands of its receiver.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    /// Who is connected, or was last.
    newest: Option<Arc<PeerInfo>>,
    /// There is something only while not everything comes from `newest`.
    division: Option<Box<Division>>,
}

/// What does not come from the newest connection.
#[derive(Debug)]
struct Division {
    /// Who sent what is in the hands of the receiver.
    taken: Arc<PeerInfo>,
    /// What earlier connections have left, oldest first. Each has a message, so that the mark of the
    /// inbox bounds them.
    left: VecDeque<Earlier>,
    count: Count,
}

/// Whole messages of an earlier connection.
pub(crate) struct Earlier {
    pub(crate) frames: VecDeque<Frame>,
    pub(crate) count: Count,
    info: Arc<PeerInfo>,
}

impl fmt::Debug for Earlier {
    /// Leaves out the messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Earlier")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// Messages, and the octets they are charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

impl Origin {
    /// Has what comes from now on come from `info`. What is in `queue` has not.
    pub(crate) fn introduce(&mut self, info: &Arc<PeerInfo>, queue: &mut FrameBatch) {
        let Some(before) = self.newest.replace(Arc::clone(info)) else {
            return;
        };
        if before == *info {
            // The same in all that is known of it.
            return;
        }
        let division = self.division.get_or_insert_with(|| {
            Box::new(Division {
                taken: Arc::clone(&before),
                left: VecDeque::new(),
                count: Count::default(),
            })
        });
        let (frames, count) = queue.take_messages();
        if !frames.is_empty() {
            division.count.messages += count.messages;
            division.count.bytes += count.bytes;
            division.left.push_back(Earlier {
                frames,
                count,
                info: before,
            });
        }
    }

    /// Whether not everything comes from the newest connection.
    #[inline]
    pub(crate) const fn is_divided(&self) -> bool {
        self.division.is_some()
    }

    /// Takes the oldest of what earlier connections have left. If there is none, the receiver is at
    /// what the newest one sent.
    #[cold]
    pub(crate) fn take_earlier(&mut self) -> Option<Earlier> {
        let division = self.division.as_mut()?;
        let Some(earlier) = division.left.pop_front() else {
            self.division = None;
            return None;
        };
        division.taken = Arc::clone(&earlier.info);
        division.count.messages -= earlier.count.messages;
        division.count.bytes -= earlier.count.bytes;
        Some(earlier)
    }

    /// Drops what earlier connections have left. Returns how many messages that were.
    pub(crate) fn discard_earlier(&mut self) -> usize {
        let Some(division) = &mut self.division else {
            return 0;
        };
        division.left.clear();
        std::mem::take(&mut division.count).messages
    }

    /// What earlier connections have left.
    #[inline]
    pub(crate) fn earlier(&self) -> Count {
        self.division
            .as_ref()
            .map_or_else(Count::default, |division| division.count)
    }

    /// Who is connected, or was last.
    pub(crate) fn newest(&self) -> Option<Arc<PeerInfo>> {
        self.newest.clone()
    }

    /// Who sent what is in the hands of the receiver.
    pub(crate) fn taken(&self) -> Option<Arc<PeerInfo>> {
        match &self.division {
            Some(division) => Some(Arc::clone(&division.taken)),
            None => self.newest.clone(),
        }
    }
}
