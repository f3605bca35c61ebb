//! Sends to the peers of a socket in turn (L3).

use std::sync::Arc;

use super::hub::{Hub, Linger};
use super::outbox::PushError;
use super::peer::{Peer, PeerId};
use crate::message::{Message, Part};

/// The sending end of a socket: each message goes to the next peer with room (`PIPE`, `REQREP`).
#[derive(Debug)]
pub(crate) struct LoadBalancer {
    hub: Arc<Hub>,
    /// The peers as they were at `generation`.
    targets: Vec<Arc<Peer>>,
    generation: usize,
    next: usize,
}

/// The generation of a balancer that has not looked for peers yet.
const NEVER: usize = usize::MAX;

/// Why no peer got the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BalanceError {
    /// There is no peer, or all queues are full.
    Full,
    /// The socket is closing.
    Closed,
    /// The socket keeps the last message alone, which has one part.
    Multipart,
}

impl LoadBalancer {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self {
            hub,
            targets: Vec::new(),
            generation: NEVER,
            next: 0,
        }
    }

    /// Queues `message`, behind the parts of `envelope`, with the next peer that has room.
    #[inline]
    pub(crate) fn try_send(
        &mut self,
        envelope: &[Part],
        message: &Message,
    ) -> Result<PeerId, BalanceError> {
        let generation = self.hub.generation();
        if generation != self.generation {
            self.refresh(generation);
        }
        if let [target] = self.targets.as_slice() {
            return match target.outbox.try_push(envelope, message) {
                Ok(_) => Ok(target.id),
                Err(error) => Err(self.refusal(error)),
            };
        }
        self.try_send_in_turn(envelope, message)
    }

    #[inline(never)]
    fn try_send_in_turn(
        &mut self,
        envelope: &[Part],
        message: &Message,
    ) -> Result<PeerId, BalanceError> {
        for _ in 0..self.targets.len() {
            let Some(target) = self.targets.get(self.next) else {
                self.next = 0;
                continue;
            };
            let pushed = target.outbox.try_push(envelope, message);
            let id = target.id;
            self.next += 1;
            if self.next == self.targets.len() {
                self.next = 0;
            }
            match pushed {
                Ok(_) => return Ok(id),
                Err(PushError::Full | PushError::Closed) => {}
                Err(PushError::Multipart) => return Err(BalanceError::Multipart),
            }
        }
        Err(self.refusal(PushError::Full))
    }

    /// Why no peer got the message, where the last of them did not take it for `error`.
    #[cold]
    fn refusal(&self, error: PushError) -> BalanceError {
        match (error, self.hub.linger()) {
            (PushError::Multipart, _) => BalanceError::Multipart,
            (PushError::Full | PushError::Closed, Linger::Open) => BalanceError::Full,
            (PushError::Full | PushError::Closed, _) => BalanceError::Closed,
        }
    }

    /// Whether trying to send makes sense: a peer has room, or the socket is closing.
    pub(crate) fn has_room(&mut self) -> bool {
        let generation = self.hub.generation();
        if generation != self.generation {
            self.refresh(generation);
        }
        self.targets.iter().any(|target| target.outbox.has_room())
            || self.hub.linger() != Linger::Open
    }

    #[cold]
    fn refresh(&mut self, generation: usize) {
        self.targets = self.hub.peers();
        if self.generation == NEVER {
            self.next = self.hub.next_start();
        }
        self.generation = generation;
        self.next = self.next.checked_rem(self.targets.len()).unwrap_or(0);
    }
}

impl Clone for LoadBalancer {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.hub))
    }
}
