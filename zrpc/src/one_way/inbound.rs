//! What subscribers and pullers have in common.

use std::sync::Arc;

use proto::DecodeLimits;
use tokio::task::coop;
use zmtp::MessageReceiver;

use super::reports::Reports;
use super::{Event, ReceiverStats};

/// Makes events of the messages of one socket, and skips what is none.
#[derive(Debug)]
pub(super) struct Inbound<S> {
    pub(super) socket: S,
    pub(super) endpoints: Vec<String>,
    limits: DecodeLimits,
    reports: Arc<Reports>,
}

impl<S: MessageReceiver> Inbound<S> {
    pub(super) fn new(
        socket: S,
        endpoints: Vec<String>,
        limits: DecodeLimits,
        reports: Reports,
    ) -> Self {
        Self {
            socket,
            endpoints,
            limits,
            reports: Arc::new(reports),
        }
    }

    /// Waits for the next event; `None` when the socket is closed.
    pub(super) async fn recv(&mut self) -> Option<Event> {
        loop {
            // A flood of messages lets other tasks have their turn.
            coop::consume_budget().await;
            let message = self.socket.recv_with_peer().await.ok()?;
            self.reports.received();
            match Event::decode(message, &self.limits) {
                Ok(event) => return Some(event),
                Err(error) => self.reports.error(&error),
            }
        }
    }

    /// Waits for the next event, for somebody who handles it without a method.
    pub(super) async fn take(&mut self) -> Option<Event> {
        let event = self.recv().await?;
        self.reports.handled();
        Some(event)
    }

    pub(super) fn stats(&self) -> ReceiverStats {
        self.reports.stats()
    }

    pub(super) fn reports(&self) -> &Arc<Reports> {
        &self.reports
    }
}
