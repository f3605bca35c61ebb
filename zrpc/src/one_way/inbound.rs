//! What subscribers and pullers have in common.

use std::sync::Arc;

use proto::DecodeLimits;
use tokio::runtime::Handle;
use tokio::task::{JoinSet, coop};
use zmtp::{MessageReceiver, Socket};

use super::execute::admit;
use super::reports::Reports;
use super::{Event, ReceiveError, ReceiverStats};
use crate::middleware::Chain;

/// Makes events of the messages of one socket, and skips what is none.
#[derive(Debug)]
pub(super) struct Inbound<S: Socket> {
    pub(super) socket: S,
    pub(super) endpoints: Vec<String>,
    limits: DecodeLimits,
    reports: Arc<Reports>,
    /// The event whose hooks run. It is not lost if nobody waits for them any more.
    admitting: JoinSet<Result<Event, ReceiveError>>,
    /// Runs the hooks, wherever somebody waits for events.
    runtime: Handle,
}

impl<S: Socket> Drop for Inbound<S> {
    /// Handles that are left keep nothing open.
    fn drop(&mut self) {
        drop(self.socket.handle().close());
    }
}

impl<S: MessageReceiver + Socket> Inbound<S> {
    /// To be called on the runtime of the socket.
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
            admitting: JoinSet::new(),
            runtime: Handle::current(),
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

    /// Waits for the next event that middleware lets in, for somebody who handles it without a
    /// method. What it does not let in is reported and skipped.
    pub(super) async fn take(&mut self, hooks: Option<&Arc<Chain>>) -> Option<Event> {
        loop {
            match self.admitting.join_next().await {
                Some(Ok(Ok(event))) => {
                    self.reports.handled();
                    return Some(event);
                }
                Some(Ok(Err(error))) => self.reports.error(&error),
                // Either the runtime ends, or there is none.
                Some(Err(_)) | None => {}
            }
            let event = self.recv().await?;
            let Some(chain) = hooks else {
                self.reports.handled();
                return Some(event);
            };
            let admission = admit(event, Arc::clone(chain));
            self.admitting.spawn_on(admission, &self.runtime);
        }
    }

    pub(super) fn stats(&self) -> ReceiverStats {
        self.reports.stats()
    }

    pub(super) fn reports(&self) -> &Arc<Reports> {
        &self.reports
    }
}
