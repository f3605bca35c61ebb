//! The caller's side of one open call.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use proto::Request;
use tokio::sync::mpsc;

use super::engine::Command;
use super::mailbox::{End, Mailbox, Phase, Taken, Ticket};
use super::options::CallOptions;
use super::waking::Relays;
use crate::CallError;

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
    options: CallOptions,
}

impl OpenCall {
    /// Hands a request to the I/O task.
    pub(super) fn start(
        commands: CommandSender,
        method: Box<str>,
        args: proto::Body,
        options: CallOptions,
    ) -> Self {
        let mailbox = Arc::new(Mailbox::default());
        let command = Command::Open {
            ticket: Ticket::new(Arc::clone(&mailbox)),
            request: Request::new(&*method, args),
            options: options.clone(),
            since: Instant::now(),
        };
        commands.send(command);
        Self {
            mailbox,
            commands,
            method,
            options,
        }
    }

    pub(super) fn method(&self) -> &str {
        &self.method
    }

    pub(super) fn slots(&self) -> u32 {
        self.options.slots
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

    /// Translates an end that is a failure.
    pub(super) fn failure(&self, end: End) -> CallError {
        match end {
            End::Remote(error) => CallError::Remote(error),
            End::Closed(reason) => self.close_reason(reason),
            End::Refused { limit } => CallError::TooManyCalls { limit },
            // The first two are no failures.
            End::Value(_) | End::Done | End::ClientClosed => CallError::Closed,
        }
    }

    fn close_reason(&self, reason: proto::CloseReason) -> CallError {
        let mut error = CallError::from_close_reason(&self.method, reason);
        // The multiplexer knows only what was left of the timeout when a server was found.
        if let (CallError::Timeout { after, .. }, Some(timeout)) =
            (&mut error, self.options.timeout)
        {
            *after = timeout;
        }
        error
    }
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
