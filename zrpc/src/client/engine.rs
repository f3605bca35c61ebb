//! The client's part of the I/O task: finds a server for each call and hands out its replies.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proto::{ChannelEvent, ChannelId, CloseReason, Extra, Request};
use tokio::sync::{oneshot, watch};
use zmtp::PeerId;

use super::handle::Servers;
use super::mailbox::{End, Phase, ReplyHeader, Ticket};
use super::options::CallOptions;
use super::waking::Wakers;
use super::watch::ItemWatches;
use crate::io::{ChannelMap, Engine, Multiplexer, Network, PeerChange, Peers, Route, Status};
use crate::{ConnectionFailure, Stats};

/// What callers ask of the I/O task.
#[derive(Debug)]
pub(super) enum Command {
    /// Call a method.
    Open {
        ticket: Ticket,
        request: Request,
        options: CallOptions,
        /// When the caller asked.
        since: Instant,
    },
    /// The application took items of a stream.
    Consumed { channel: ChannelId, items: usize },
    /// The application waits for an item of a stream.
    AwaitItem {
        channel: ChannelId,
        timeout: Duration,
        since: Instant,
    },
    /// The caller of an open call is gone.
    Close { channel: ChannelId },
    /// The caller of a call that waits for a server is gone.
    Abandoned,
    /// Close the client and all calls.
    Shutdown,
    /// Tell what was counted.
    Stats(oneshot::Sender<Stats>),
}

/// The calls of one client.
#[derive(Debug)]
pub(super) struct ClientEngine {
    open: ChannelMap<Ticket>,
    /// Calls for which there is no server yet.
    waiting: VecDeque<Waiting>,
    /// When the first of them gives up.
    deadline: Option<Instant>,
    /// Callers of waiting calls that are gone; their calls are removed in bulk.
    abandoned: usize,
    /// The servers that are connected, in the order in which they get calls.
    servers: VecDeque<PeerId>,
    /// What those are told who want to know of them.
    news: watch::Sender<Servers>,
    network: Network,
    /// How connecting failed since the last server came.
    failure: Option<Arc<ConnectionFailure>>,
    /// What became of calls for which there was no server.
    unserved: Unserved,
    /// Streams whose items have to come in time.
    watches: ItemWatches,
    /// Callers for whom something came in this turn.
    wakers: Wakers,
    /// From when on a server that breaks the protocol is worth a warning again.
    next_warning: Option<Instant>,
    status: Status,
}

/// How long it takes from one warning to the next.
const WARNING_INTERVAL: Duration = Duration::from_secs(1);

/// A call for which there is no server yet.
#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    request: Request,
    options: CallOptions,
    since: Instant,
}

/// Calls that ended before there was a server for them.
#[derive(Debug, Default)]
struct Unserved {
    calls: u64,
    lost: u64,
    timed_out: u64,
}

impl ClientEngine {
    /// Makes the engine, and what tells how many servers it is connected to.
    pub(super) fn new(network: Network) -> (Self, watch::Receiver<Servers>) {
        let (news, servers) = watch::channel(Servers::default());
        let engine = Self {
            open: ChannelMap::new(),
            waiting: VecDeque::new(),
            deadline: None,
            abandoned: 0,
            servers: VecDeque::new(),
            news,
            network,
            failure: None,
            unserved: Unserved::default(),
            watches: ItemWatches::new(),
            wakers: Wakers::default(),
            next_warning: None,
            status: Status::Running,
        };
        (engine, servers)
    }

    /// Gives a call to the next server, or lets it wait for one.
    fn open(&mut self, mux: &mut Multiplexer, now: Instant, call: Waiting) {
        // A ticket that is dropped ends its call as closed.
        if self.status == Status::Finished || call.ticket.phase() == Phase::Ended {
            return;
        }
        let Some(server) = self.next_server(mux) else {
            match self.unreachable() {
                Some(failure) => self.give_up(&call, End::Unreachable(failure)),
                None => self.wait_for_server(call),
            }
            return;
        };
        let options = call.options.to_channel(now.duration_since(call.since));
        match mux.open(now, &Route::direct(server), call.request, &options) {
            Ok(channel) => match call.ticket.set_open(channel) {
                Ok(()) => {
                    self.open.insert(channel, call.ticket);
                }
                Err(_abandoned) => close(mux, channel),
            },
            Err(
                proto::OpenError::TooManyChannels { limit }
                | proto::OpenError::TooManyChannelsInTotal { limit },
            ) => {
                self.finish(&call.ticket, End::Refused { limit });
            }
            Err(_) => self.finish(&call.ticket, End::ClientClosed),
        }
    }

    /// A server has ended a call by breaking the protocol, which its caller is told in any case: one
    /// that always does shall not fill the log.
    fn report(&mut self, now: Instant, reason: &CloseReason) {
        if self.next_warning.is_some_and(|at| now < at) {
            tracing::debug!(%reason, "a server broke the protocol");
            return;
        }
        tracing::warn!(%reason, "a server broke the protocol");
        self.next_warning = now.checked_add(WARNING_INTERVAL);
    }

    fn finish(&mut self, ticket: &Ticket, end: End) {
        self.wakers.add(ticket.finish(end));
    }

    /// Returns the next server that has room, and if none has, the one whose turn it is.
    fn next_server(&mut self, mux: &Multiplexer) -> Option<PeerId> {
        for _ in 1..self.servers.len() {
            let server = self.rotate()?;
            if mux.has_room(&Route::direct(server)) {
                return Some(server);
            }
        }
        self.rotate()
    }

    fn rotate(&mut self) -> Option<PeerId> {
        let server = self.servers.pop_front()?;
        self.servers.push_back(server);
        Some(server)
    }

    /// Returns why there will be no server, if that is so.
    fn unreachable(&self) -> Option<Arc<ConnectionFailure>> {
        let failure = self.failure.as_ref()?;
        let is_final = self.servers.is_empty() && !self.network.has_endpoints();
        is_final.then(|| Arc::clone(failure))
    }

    /// Ends a call for which there was no server.
    fn give_up(&mut self, call: &Waiting, end: End) {
        // Those whose caller is gone are counted as he says so.
        if call.ticket.phase() != Phase::Ended {
            self.unserved.count(&end);
        }
        self.finish(&call.ticket, end);
    }

    fn tell_count(&self) {
        let count = self.servers.len();
        self.news.send_modify(|servers| servers.count = count);
    }

    /// Returns what was counted.
    fn stats(&self, mux: &Multiplexer) -> Stats {
        let waiting = self.waiting.iter();
        let waiting = waiting.filter(|call| call.ticket.phase() != Phase::Ended);
        let waiting = u64::try_from(waiting.count()).unwrap_or(u64::MAX);
        let mut stats = Stats::of(mux);
        stats.calls_made += self.unserved.calls + waiting;
        stats.lost_remotes += self.unserved.lost;
        stats.timed_out += self.unserved.timed_out;
        stats
    }

    fn wait_for_server(&mut self, call: Waiting) {
        let gives_up = call.gives_up().map(|(at, _)| at);
        self.deadline = [self.deadline, gives_up].into_iter().flatten().min();
        self.waiting.push_back(call);
    }

    fn close_all(&mut self, mux: &mut Multiplexer) {
        for (channel, _ended) in self.open.take() {
            close(mux, channel);
        }
        self.waiting.clear();
        self.deadline = None;
        self.news.send_replace(Servers::default());
        self.status = Status::Finished;
    }
}

/// Nobody is connected to anything any more, however the I/O task ended.
impl Drop for ClientEngine {
    fn drop(&mut self) {
        self.news.send_replace(Servers::default());
    }
}

impl Engine for ClientEngine {
    type Command = Command;

    fn handle_command(&mut self, mux: &mut Multiplexer, now: Instant, command: Command) {
        match command {
            Command::Open {
                ticket,
                request,
                options,
                since,
            } => {
                let call = Waiting {
                    ticket,
                    request,
                    options,
                    since,
                };
                self.open(mux, now, call);
            }
            // Items outlive their channel, so that it has ended is routine.
            Command::Consumed { channel, items } => drop(mux.consume(channel, items)),
            Command::AwaitItem {
                channel,
                timeout,
                since,
            } => {
                // What came meanwhile is taken first.
                if self.open.get(channel).is_some_and(|call| call.is_awaited()) {
                    self.watches.begin(channel, since, timeout);
                }
            }
            Command::Close { channel } => {
                self.watches.end(channel);
                if self.open.remove(channel).is_some() {
                    close(mux, channel);
                }
            }
            Command::Abandoned => {
                self.unserved.calls += 1;
                self.abandoned += 1;
                if self.abandoned > self.waiting.len() / 2 {
                    self.abandoned = 0;
                    self.waiting
                        .retain(|call| call.ticket.phase() != Phase::Ended);
                }
            }
            Command::Shutdown => self.close_all(mux),
            // Whoever asked may have gone.
            Command::Stats(answer) => drop(answer.send(self.stats(mux))),
        }
    }

    fn handle_event(
        &mut self,
        _mux: &mut Multiplexer,
        now: Instant,
        event: ChannelEvent<Route>,
        _peers: &impl Peers,
    ) {
        let channel = event.channel();
        self.watches.end(channel);
        let end = match event {
            ChannelEvent::StreamItem { item, .. } => {
                if let Some(ticket) = self.open.get(channel) {
                    self.wakers.add(ticket.push(item));
                }
                return;
            }
            ChannelEvent::Reply { value, extra, .. } => End::Value(value, boxed(extra)),
            ChannelEvent::StreamDone { extra, .. } => End::Done(boxed(extra)),
            ChannelEvent::Error { error, extra, .. } => End::Remote(error, boxed(extra)),
            ChannelEvent::Closed { reason, .. } => {
                if let CloseReason::Overrun { .. } | CloseReason::UnexpectedEvent { .. } = reason {
                    self.report(now, &reason);
                }
                End::Closed(reason)
            }
            // Events of a server.
            _ => return,
        };
        if let Some(ticket) = self.open.remove(channel) {
            self.finish(&ticket, end);
        }
    }

    fn handle_peer(&mut self, mux: &mut Multiplexer, now: Instant, change: PeerChange) {
        match change {
            PeerChange::Up(peer) => {
                if !self.servers.contains(&peer) {
                    self.servers.push_back(peer);
                }
                self.failure = None;
                self.news.send_replace(Servers {
                    count: self.servers.len(),
                    unreachable: None,
                });
                self.deadline = None;
                self.abandoned = 0;
                for call in std::mem::take(&mut self.waiting) {
                    self.open(mux, now, call);
                }
            }
            PeerChange::Down(peer) => {
                self.servers.retain(|server| *server != peer);
                self.tell_count();
            }
        }
    }

    fn handle_connect_failure(&mut self, failure: ConnectionFailure) {
        self.failure = Some(Arc::new(failure));
        let Some(failure) = self.unreachable() else {
            return;
        };
        self.deadline = None;
        self.abandoned = 0;
        for call in std::mem::take(&mut self.waiting) {
            self.give_up(&call, End::Unreachable(Arc::clone(&failure)));
        }
        self.news
            .send_modify(|servers| servers.unreachable = Some(failure));
    }

    fn handle_timeout(&mut self, mux: &mut Multiplexer, now: Instant) {
        for channel in self.watches.take_expired(now) {
            if let Some(ticket) = self.open.remove(channel) {
                close(mux, channel);
                self.finish(&ticket, End::ItemTimedOut);
            }
        }
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        self.deadline = None;
        for call in std::mem::take(&mut self.waiting) {
            match call.gives_up() {
                Some((at, reason)) if at <= now => {
                    let end = End::Unserved(reason, self.failure.clone());
                    self.give_up(&call, end);
                }
                _ => self.wait_for_server(call),
            }
        }
    }

    fn handle_hangup(&mut self, mux: &mut Multiplexer) {
        self.close_all(mux);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [self.deadline, self.watches.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    fn update(&mut self) -> Status {
        self.wakers.wake_all();
        self.status
    }
}

impl Unserved {
    fn count(&mut self, end: &End) {
        self.calls += 1;
        match end {
            End::Unserved(CloseReason::TimedOut { .. }, _) => self.timed_out += 1,
            End::Unserved(CloseReason::LostRemote { .. }, _) => self.lost += 1,
            _ => {}
        }
    }
}

impl Waiting {
    /// When the call gives up, and what it says then: what it would say of a silent server. With
    /// neither timeout nor heartbeat it waits for as long as it takes.
    fn gives_up(&self) -> Option<(Instant, CloseReason)> {
        let timed_out = self.options.timeout.map(|after| {
            let reason = CloseReason::TimedOut { after };
            (after, reason)
        });
        let lost = self.options.heartbeat.patience().map(|patience| {
            let after = patience.reported;
            (patience.silence, CloseReason::LostRemote { after })
        });
        let (after, reason) = [timed_out, lost]
            .into_iter()
            .flatten()
            .min_by_key(|(after, _)| *after)?;
        Some((self.since.checked_add(after)?, reason))
    }
}

fn boxed(header: Extra) -> ReplyHeader {
    (!header.is_empty()).then(|| Box::new(header))
}

/// Ends a channel and tells its server.
fn close(mux: &mut Multiplexer, channel: ChannelId) {
    // That the channel has ended already is as good.
    let _ = mux.close(channel);
}
