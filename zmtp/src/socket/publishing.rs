//! Sending to all peers that want it, shared by PUB and XPUB.

use std::sync::Arc;

use super::base::SocketHandle;
use super::sending::{final_error, when_writable};
use super::subscription_table::{Full, SubscriptionTable};
use super::{SendError, TrySendError};
use crate::driver::{Conflation, Linger, SocketOptions};
use crate::message::Message;
use crate::pattern::SocketType;

/// The sending side of a publisher; clones send to the same peers.
#[derive(Clone, Debug)]
pub(crate) struct Publisher {
    table: Arc<SubscriptionTable>,
    handle: SocketHandle,
}

impl Publisher {
    pub(crate) fn new(socket_type: SocketType, options: SocketOptions) -> Self {
        let table = Arc::new(SubscriptionTable::new(&options));
        let handle = SocketHandle::new(socket_type, options, Arc::clone(&table) as _);
        Self { table, handle }
    }

    #[inline]
    pub(crate) fn handle(&self) -> &SocketHandle {
        &self.handle
    }

    #[inline]
    pub(crate) fn table(&self) -> &SubscriptionTable {
        &self.table
    }

    /// Sends `message` once the connections have had their turn, if it is theirs.
    #[inline]
    pub(crate) async fn send(&self, message: Message) -> Result<(), SendError> {
        if self.table.take_turn() {
            tokio::task::yield_now().await;
        }
        match self.try_send(message) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(message)) => {
                when_writable(self.handle.hub(), message, |message| self.try_send(message)).await
            }
            Err(error) => Err(final_error(error)),
        }
    }

    #[inline]
    pub(crate) fn try_send(&self, message: Message) -> Result<(), TrySendError> {
        if message.is_empty() {
            return Err(TrySendError::NoParts(message));
        }
        if self.handle.hub().linger() != Linger::Open {
            return Err(TrySendError::Closed(message));
        }
        let conflation = self.handle.hub().options.conflation;
        if conflation == Conflation::LastMessage && message.part_count() > 1 {
            return Err(TrySendError::Multipart(message));
        }
        match self.table.publish(&message) {
            Ok(()) => Ok(()),
            Err(Full) => Err(TrySendError::Full(message)),
        }
    }
}
