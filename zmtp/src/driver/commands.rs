//! What a socket tells its connections beside messages (L3).

use std::collections::VecDeque;

use super::inbox::charge;
use super::monitor::DisconnectReason;
use crate::message::Part;

/// A command for the connection task. It has a path of its own beside the messages, so that a full
/// queue delays neither subscriptions nor the end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ConnectionCommand {
    /// Announce a subscription.
    Subscribe(Part),
    /// Take a subscription back.
    Cancel(Part),
}

impl ConnectionCommand {
    fn topic(&self) -> &Part {
        match self {
            Self::Subscribe(topic) | Self::Cancel(topic) => topic,
        }
    }
}

/// Commands that the connection has not taken. What is subscribed to and cancelled again and again
/// piles up here while the peer reads nothing.
#[derive(Debug, Default)]
pub(super) struct Commands {
    queue: VecDeque<ConnectionCommand>,
    /// What they cost in memory. Beyond [`MAX_COMMAND_OCTETS`] the queue is given up.
    octets: usize,
}

/// So much may wait; more than a million short topics.
pub(super) const MAX_COMMAND_OCTETS: usize = 128 * 1024 * 1024;

impl Commands {
    pub(super) fn push(&mut self, command: ConnectionCommand) {
        self.octets = self.octets.saturating_add(charge(command.topic()));
        if self.octets > MAX_COMMAND_OCTETS {
            self.queue = VecDeque::new();
        } else {
            self.queue.push_back(command);
        }
    }

    pub(super) fn pop(&mut self) -> Result<Option<ConnectionCommand>, DisconnectReason> {
        self.check()?;
        let command = self.queue.pop_front();
        if let Some(command) = &command {
            self.octets -= charge(command.topic());
        }
        Ok(command)
    }

    pub(super) fn check(&self) -> Result<(), DisconnectReason> {
        if self.octets > MAX_COMMAND_OCTETS {
            return Err(DisconnectReason::UnsentSubscriptions);
        }
        Ok(())
    }
}
