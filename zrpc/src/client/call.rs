//! The caller's side of one open call.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use proto::{CloseReason, Request};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::engine::Command;
use super::mailbox::{End, Mailbox, Phase, Taken, Ticket};
use super::observer::Observer;
use super::options::CallOptions;
use super::waking::Relays;
use crate::middleware::CallOutcome;
use crate::{CallError, ConnectionFailure};

/// How callers reach the I/O task, and it them.
///
/// Unbounded, because dropping a call must work without waiting. What it holds is bounded by the
/// calls that are alive: each sends one request, one end, and a report for every few items.
#[derive(Debug, Clone)]
pub(super) struct CommandSender(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    commands: mpsc::UnboundedSender<Command>,
    relays: Relays,
}

impl CommandSender {
    pub(super) fn new(commands: mpsc::UnboundedSender<Command>, relays: Relays) -> Self {
        Self(Arc::new(Shared { commands, relays }))
    }

    /// Sends a command, unless there is no I/O task any more. One that nobody takes drops what it
    /// has, such as the ticket of a call, which ends it as closed.
    pub(super) fn send(&self, command: Command) {
        let _ = self.0.commands.send(command);
    }

    fn relays(&self) -> &Relays {
        &self.0.relays
    }
}

/// A call whose replies have not all been taken. Dropping it ends the call.
#[derive(Debug)]
pub(super) struct OpenCall {
    mailbox: Arc<Mailbox>,
    commands: CommandSender,
    method: Box<str>,
    timeout: Option<Duration>,
    item_timeout: Option<Duration>,
    slots: u32,
    /// `None` without middleware. Dropped behind the call itself.
    observer: Option<Box<Observer>>,
}

/// The end of a call that is no failure.
pub(super) enum Completed<'a> {
    /// A single result.
    Value(&'a Bytes),
    /// The end of a stream.
    Done,
}

impl OpenCall {
    /// Hands a request to the I/O task.
    pub(super) fn start(
        commands: CommandSender,
        method: Box<str>,
        request: Request,
        options: CallOptions,
    ) -> Self {
        let CallOptions {
            timeout,
            item_timeout,
            slots,
            ..
        } = options;
        let mailbox = Arc::new(Mailbox::default());
        let command = Command::Open {
            ticket: Ticket::new(Arc::clone(&mailbox)),
            request,
            options,
            since: Instant::now(),
        };
        commands.send(command);
        Self {
            mailbox,
            commands,
            method,
            timeout,
            item_timeout,
            slots,
            observer: None,
        }
    }

    /// Lets middleware know how the call goes on.
    pub(super) fn with_observer(mut self, observer: Box<Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    pub(super) fn method(&self) -> &str {
        &self.method
    }

    pub(super) fn slots(&self) -> u32 {
        self.slots
    }

    /// Takes what has come, see [`Mailbox::poll_take`].
    pub(super) fn poll_take(
        &self,
        context: &Context<'_>,
        batch: &mut VecDeque<Bytes>,
    ) -> Poll<Taken> {
        let relays = self.commands.relays();
        self.mailbox.poll_take(context, relays, batch)
    }

    /// Tells the I/O task that the application took `items`, so that the server may send more.
    pub(super) fn consumed(&self, items: usize) {
        if let Phase::Open(channel) = self.mailbox.phase() {
            self.commands.send(Command::Consumed { channel, items });
        }
    }

    /// Tells the I/O task that the application waits for an item, if that has a limit.
    pub(super) fn await_item(&self) {
        if let (Some(timeout), Phase::Open(channel)) = (self.item_timeout, self.mailbox.phase()) {
            self.commands.send(Command::AwaitItem {
                channel,
                timeout,
                since: Instant::now(),
            });
        }
    }

    /// Items of a stream are there: asks middleware whether the call takes them.
    pub(super) fn accept_items(&mut self) -> Result<(), CallError> {
        let Some(observer) = &mut self.observer else {
            return Ok(());
        };
        let accepted = observer.items();
        if let Err(error) = &accepted {
            observer.finish(&CallOutcome::Failed { error, reply: None });
        }
        accepted
    }

    /// The call fails on this side, whatever the server has to say.
    pub(super) fn fail(&mut self, error: CallError) -> CallError {
        if let Some(observer) = &mut self.observer {
            let error = &error;
            observer.finish(&CallOutcome::Failed { error, reply: None });
        }
        error
    }

    /// Ends the call: makes a result of how it ended, and tells middleware.
    pub(super) fn finish<R>(
        &mut self,
        end: End,
        complete: impl FnOnce(&str, Completed<'_>) -> Result<R, CallError>,
    ) -> Result<R, CallError> {
        let Some(mut observer) = self.observer.take() else {
            return self.outcome(end, complete);
        };
        let reply = match observer.last(&end) {
            Ok(reply) => reply,
            Err(error) => {
                let error_ref = &error;
                observer.finish(&CallOutcome::Failed {
                    error: error_ref,
                    reply: None,
                });
                return Err(error);
            }
        };
        let translated = match &end {
            End::Remote(error, _) => observer.translate(error),
            _ => None,
        };
        let outcome = match translated {
            Some(error) => Err(error),
            None => self.outcome(end, complete),
        };
        observer.finish(&match (&outcome, &reply) {
            (Ok(_), Some(reply)) => CallOutcome::Completed { reply },
            (Err(error), reply) => CallOutcome::Failed {
                error,
                reply: reply.as_ref(),
            },
            // What ends well was ended by the server.
            (Ok(_), None) => CallOutcome::Dropped,
        });
        outcome
    }

    fn outcome<R>(
        &self,
        end: End,
        complete: impl FnOnce(&str, Completed<'_>) -> Result<R, CallError>,
    ) -> Result<R, CallError> {
        Err(match end {
            End::Value(value, _) => return complete(&self.method, Completed::Value(&value)),
            End::Done(_) => return complete(&self.method, Completed::Done),
            End::Remote(error, _) => CallError::Remote(error),
            End::Closed(reason) => self.close_reason(reason),
            End::Unserved(reason, failure) => self.unserved(reason, failure),
            End::Unreachable(failure) => CallError::Unreachable(boxed(failure)),
            End::Refused { limit } => CallError::TooManyCalls { limit },
            End::ItemTimedOut => CallError::ItemTimeout {
                after: self.item_timeout.unwrap_or_default(),
                method: self.method.to_string(),
            },
            End::ClientClosed => CallError::Closed,
        })
    }

    /// The call waited for a server until it gave up.
    fn unserved(&self, reason: CloseReason, failure: Option<Arc<ConnectionFailure>>) -> CallError {
        let mut error = self.close_reason(reason);
        if let CallError::Timeout { cause, .. } | CallError::LostRemote { cause, .. } = &mut error {
            *cause = failure.map(boxed);
        }
        error
    }

    fn close_reason(&self, reason: CloseReason) -> CallError {
        let mut error = CallError::from_close_reason(&self.method, reason);
        // The multiplexer knows only what was left of the timeout when a server was found.
        if let (CallError::Timeout { after, .. }, Some(timeout)) = (&mut error, self.timeout) {
            *after = timeout;
        }
        error
    }
}

/// Makes a value of a result, or of an item.
pub(super) fn decode<T: DeserializeOwned>(method: &str, encoded: &[u8]) -> Result<T, CallError> {
    proto::decode(encoded).map_err(|error| CallError::Decode {
        method: method.to_owned(),
        detail: error.to_string(),
    })
}

/// Calls share what the I/O task knows; errors have it for themselves.
fn boxed(failure: Arc<ConnectionFailure>) -> Box<ConnectionFailure> {
    Box::new(Arc::unwrap_or_clone(failure))
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        let command = match self.mailbox.abandon() {
            Phase::Open(channel) => Command::Close { channel },
            Phase::Queued => Command::Abandoned,
            Phase::Ended => return,
        };
        self.commands.send(command);
    }
}
