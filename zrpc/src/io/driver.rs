//! The task that owns a socket and its multiplexer.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use proto::{ChannelEvent, Transmit};
use tokio::time::timeout_at;
use zmtp::session::PeerInfo;
use zmtp::{DisconnectReason, Endpoint, Message, Monitor, PeerId, SocketEvent, TrySendError};

use super::commands::{Commands, Next};
use super::connections::{Arrival, Connections, Departure};
use super::link::{Link, PeerChange, Route, unwrap};
use super::patience::Patience;
use super::timer::Timer;
use super::{IoRuntime, Multiplexer, QueueReceiver};
use crate::ConnectionFailure;

/// What differs between clients and servers.
///
/// Nothing here may wait, or work for long: heartbeats leave on the same task.
pub(crate) trait Engine: Send + 'static {
    /// What callers or handlers ask for.
    type Command: Send + 'static;

    fn handle_command(&mut self, mux: &mut Multiplexer, now: Instant, command: Self::Command);

    fn handle_event(
        &mut self,
        mux: &mut Multiplexer,
        now: Instant,
        event: ChannelEvent<Route>,
        peers: &impl Peers,
    );

    fn handle_peer(&mut self, mux: &mut Multiplexer, now: Instant, change: PeerChange);

    /// Connecting to an endpoint failed, if only for now.
    fn handle_connect_failure(&mut self, failure: ConnectionFailure);

    fn handle_timeout(&mut self, mux: &mut Multiplexer, now: Instant);

    /// Nobody is left who could send a command.
    fn handle_hangup(&mut self, mux: &mut Multiplexer);

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Ends a turn: tells callers or handlers what it brought, and says whether there is more to
    /// come. What is said once of [`Status::Finished`] stays so.
    fn update(&mut self) -> Status;
}

/// Who is at the other end of a connection.
pub(crate) trait Peers {
    /// Returns what is known of a peer that is connected, or has just left.
    fn info(&self, peer: PeerId) -> Option<Arc<PeerInfo>>;
}

/// Whether an [`Engine`] goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Running,
    /// Nothing is left to be done but to send what is queued.
    Finished,
}

/// Drives a socket, a multiplexer and an [`Engine`] until the engine is finished.
pub(crate) struct Driver<L, E: Engine> {
    link: L,
    mux: Multiplexer,
    engine: E,
    commands: Commands<E::Command>,
    monitor: Monitor,
    timer: Timer,
    /// Peers whose queue was found full.
    blocked: HashSet<Route>,
    /// Resolves when one of those has room; made before the attempt that found it full.
    writable: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    connections: Connections,
    linger: Duration,
    phase: Phase,
    patience: Patience,
}

/// ```text
/// Running ──engine is finished──▶ Flushing ──all is sent, or time is up──▶ closed
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    /// The last payloads wait for credit, for the socket, or in it; for ever if there is no limit.
    Flushing {
        until: Option<Instant>,
    },
}

/// So many may be noted as blocked before those that are forgotten are looked for.
const KEPT_BLOCKED: usize = 64;

/// Messages, and commands, that are handled before the connections get their turn.
const BUDGET: usize = 256;

/// Calls that begin or end, at least, before the connections get their turn.
///
/// With a hundred calls in flight, one side could handle all of them while the other waits, and
/// then the other way round. Some are sent on early, so that both sides work at the same time: that
/// takes 100 calls in flight from 165 000 to 340 000 per second. The more are open, the more may be
/// handled together, since every turn costs system calls.
const MIN_CALLS: usize = 32;

/// The share of the open calls that is handled in one turn.
const CALLS_DIVISOR: usize = 4;

impl<L: Link, E: Engine> Driver<L, E> {
    /// Makes a driver. Once the engine is finished, it sends for `linger` what is still queued.
    ///
    /// The monitor is that of the socket; what it missed is looked up.
    pub(crate) fn new(
        (link, monitor): (L, Monitor),
        mux: Multiplexer,
        engine: E,
        commands: QueueReceiver<E::Command>,
        (io, linger): (IoRuntime, Duration),
    ) -> Self {
        Self {
            monitor,
            link,
            mux,
            engine,
            commands: Commands::Open(commands),
            timer: Timer::default(),
            blocked: HashSet::new(),
            writable: None,
            connections: Connections::default(),
            linger,
            phase: Phase::Running,
            patience: Patience::new(io),
        }
    }

    /// Runs until the engine is finished and what was queued by then is sent.
    pub(crate) async fn run(mut self) {
        for (peer, info) in self.present() {
            self.connected(peer, info);
        }
        loop {
            let load = self.turn();
            if self.engine.update() == Status::Finished && self.is_flushed() {
                break;
            }
            match load {
                Load::Idle if !self.looks_again() => self.wait().await,
                // The connections of the socket may run on the same thread.
                Load::Idle | Load::Busy => tokio::task::yield_now().await,
            }
        }
        let Self {
            link,
            engine,
            mux,
            commands,
            phase,
            ..
        } = self;
        // Whoever asks for something while the socket lingers is told that nobody is there.
        drop((engine, mux, commands));
        match phase {
            Phase::Flushing { until: Some(until) } => {
                // What is not sent by then is given up.
                let _ = timeout_at(until.into(), link.close()).await;
            }
            Phase::Running | Phase::Flushing { until: None } => link.close().await,
        }
    }

    /// The engine is finished: returns whether nothing is queued any more, or time is up.
    fn is_flushed(&mut self) -> bool {
        let now = Instant::now();
        if self.phase == Phase::Running {
            self.phase = Phase::Flushing {
                until: now.checked_add(self.linger),
            };
        }
        let (channels, payloads) = (self.mux.channel_count(), self.mux.queued_count());
        if channels == 0 && payloads == 0 {
            return true;
        }
        let is_late = self.flush_deadline().is_some_and(|until| until <= now);
        if is_late {
            tracing::debug!(channels, payloads, "gave up what could not be sent");
        }
        is_late
    }

    /// Nothing is there: returns whether to keep the thread awake all the same.
    fn looks_again(&mut self) -> bool {
        let calls = self.mux.channel_count();
        self.patience.goes_on(calls, Instant::now)
    }

    /// Handles everything that is there, within the budget.
    fn turn(&mut self) -> Load {
        let now = Instant::now();
        self.look_around();
        let commands = self.drain_commands(now);
        let messages = self.drain_messages(now);
        for peer in self.connections.forget(messages) {
            self.forget(peer);
        }
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.mux.handle_timeout(now);
            self.engine.handle_timeout(&mut self.mux, now);
        }
        self.drain_outputs(now);
        match (commands, messages) {
            (Load::Idle, Load::Idle) => Load::Idle,
            _ => Load::Busy,
        }
    }

    fn drain_commands(&mut self, now: Instant) -> Load {
        for _ in 0..BUDGET {
            match self.commands.try_next() {
                Next::Command(command) => {
                    self.patience.command();
                    self.engine.handle_command(&mut self.mux, now, command);
                }
                Next::Hangup => self.engine.handle_hangup(&mut self.mux),
                Next::Empty => return Load::Idle,
            }
        }
        Load::Busy
    }

    fn drain_messages(&mut self, now: Instant) -> Load {
        let mut open = self.mux.channel_count();
        let mut calls = (open / CALLS_DIVISOR).max(MIN_CALLS);
        for _ in 0..BUDGET {
            // A closed socket has nothing more to read; the engine ends the task.
            let Ok((peer, message)) = self.link.try_recv_from() else {
                return Load::Idle;
            };
            self.handle_message(now, peer, message);
            calls -= self.mux.channel_count().abs_diff(open).min(1);
            open = self.mux.channel_count();
            if calls == 0 {
                break;
            }
        }
        Load::Busy
    }

    fn handle_message(&mut self, now: Instant, peer: PeerId, message: Message) {
        self.patience.message();
        let (route, payload) = match Route::parse(peer, message) {
            Ok(parsed) => parsed,
            Err(error) => {
                tracing::debug!(%peer, %error, "dropped a message that is no event");
                return;
            }
        };
        let before = self.mux.stats();
        let handled = self.mux.handle_event(now, &route, payload);
        let after = self.mux.stats();
        if let Err(error) = handled {
            tracing::debug!(%peer, %error, "dropped a payload that is no event");
        } else if after.refused != before.refused {
            tracing::debug!(%peer, "refused a request beyond the limits");
        } else if after.ignored != before.ignored {
            tracing::debug!(%peer, "ignored an event that does not fit its channel");
        }
    }

    /// Hands out what the multiplexer has for the peers and for the application.
    fn drain_outputs(&mut self, now: Instant) {
        loop {
            while let Some(transmit) = self.mux.poll_transmit(now) {
                self.transmit(transmit);
            }
            let Some(event) = self.mux.poll_event() else {
                return;
            };
            let peers = Known {
                connections: &self.connections,
                link: &self.link,
            };
            self.engine.handle_event(&mut self.mux, now, event, &peers);
            while let Some(event) = self.mux.poll_event() {
                self.engine.handle_event(&mut self.mux, now, event, &peers);
            }
        }
    }

    fn transmit(&mut self, mut transmit: Transmit<Route>) {
        let peer = transmit.peer.peer;
        let payload = std::mem::take(&mut transmit.payload);
        let mut sent = self.link.try_send_to(peer, transmit.peer.wrap(payload));
        if let Err(TrySendError::Full(message)) = sent {
            // Room that appears from here on is not missed.
            self.writable
                .get_or_insert_with(|| Box::pin(self.link.writable()));
            sent = self.link.try_send_to(peer, message);
        }
        match sent {
            Ok(()) => {}
            Err(TrySendError::Full(message)) => {
                let route = transmit.peer.clone();
                transmit.payload = unwrap(message);
                self.mux.handle_blocked(transmit);
                self.note_blocked(route);
            }
            // What it sent before it left may still be read; what is queued for it goes with it.
            Err(error) => {
                if self.disconnected(peer) == Departure::New {
                    tracing::debug!(%peer, %error, "lost a peer");
                }
            }
        }
    }

    /// Remembers who shall be told of room. Some are forgotten before there is any: a connection can
    /// pose as any number of them.
    fn note_blocked(&mut self, route: Route) {
        if self.blocked.len() > KEPT_BLOCKED.max(2 * self.mux.peer_count()) {
            self.blocked.retain(|route| self.mux.knows(route));
        }
        self.blocked.insert(route);
    }

    /// Takes what [`wait`](Self::wait) would take beside commands and messages, so that a socket
    /// that is always busy hides neither a peer that has room again nor one that is gone.
    fn look_around(&mut self) {
        while let Some(Some(event)) = self.monitor.recv().now_or_never() {
            self.handle_socket_event(event);
        }
        if self.writable.is_some() && writable(&mut self.writable).now_or_never().is_some() {
            self.unblock();
        }
    }

    /// Some of the peers that were full have room, or a peer has come or gone.
    fn unblock(&mut self) {
        self.writable = None;
        for route in self.blocked.drain() {
            self.mux.handle_unblocked(&route);
        }
    }

    /// Waits until there is something to do.
    async fn wait(&mut self) {
        self.timer.arm(self.deadline());
        tokio::select! {
            next = self.commands.next() => match next {
                Some(command) => {
                    self.engine.handle_command(&mut self.mux, Instant::now(), command);
                }
                None => self.engine.handle_hangup(&mut self.mux),
            },
            received = self.link.recv_from() => {
                // An error means that the socket is closed; the engine ends the task.
                if let Ok((peer, message)) = received {
                    self.handle_message(Instant::now(), peer, message);
                }
            }
            event = self.monitor.recv() => {
                if let Some(event) = event {
                    self.handle_socket_event(event);
                }
            }
            () = writable(&mut self.writable) => self.unblock(),
            () = self.timer.fired() => {}
        }
    }

    fn handle_socket_event(&mut self, event: SocketEvent) {
        match event {
            SocketEvent::HandshakeSucceeded { peer, info } => self.connected(peer, info),
            SocketEvent::Disconnected { peer, .. } => {
                self.disconnected(peer);
            }
            SocketEvent::ConnectFailed {
                endpoint, error, ..
            } => {
                self.connect_failed(&endpoint, DisconnectReason::Io(error));
            }
            SocketEvent::ConnectGivenUp {
                endpoint, reason, ..
            } => {
                self.connect_failed(&endpoint, reason);
            }
            SocketEvent::HandshakeFailed { peer, reason } => {
                let endpoints = self.link.connected_endpoints();
                // Whoever came by itself is not who is looked for.
                if let Some((_, endpoint)) = endpoints.iter().find(|(id, _)| *id == peer) {
                    self.connect_failed(endpoint, reason);
                }
            }
            SocketEvent::Lagged(missed) => {
                tracing::debug!(missed, "missed events of the socket");
                self.reconcile();
            }
            _ => {}
        }
    }

    fn connect_failed(&mut self, endpoint: &Endpoint, reason: DisconnectReason) {
        let endpoint = endpoint.to_string();
        self.engine
            .handle_connect_failure(ConnectionFailure { endpoint, reason });
    }

    /// A connection is there.
    fn connected(&mut self, peer: PeerId, info: Arc<PeerInfo>) {
        match self.connections.arrive(peer, info) {
            Arrival::Known => return,
            Arrival::New => {}
            // What was open before is lost, whatever is unread.
            Arrival::Again => self.forget(peer),
        }
        let up = PeerChange::Up(peer);
        self.engine.handle_peer(&mut self.mux, Instant::now(), up);
    }

    /// A connection is gone: nothing new goes to it. Its channels end when all that it brought has
    /// been read.
    fn disconnected(&mut self, peer: PeerId) -> Departure {
        let departure = self.connections.depart(peer);
        if departure == Departure::New {
            let down = PeerChange::Down(peer);
            self.engine.handle_peer(&mut self.mux, Instant::now(), down);
        }
        departure
    }

    /// Ends all that there was with a connection, and with those behind it.
    fn forget(&mut self, peer: PeerId) {
        self.blocked.retain(|route| route.peer != peer);
        self.mux.handle_peers_lost(|route| route.peer == peer);
    }

    /// Finds out what became of the connections when events about them were missed.
    fn reconcile(&mut self) {
        let present = self.present();
        for peer in self.connections.stale(&present) {
            self.disconnected(peer);
        }
        for (peer, info) in present {
            self.connected(peer, info);
        }
        let connections = &self.connections;
        self.mux
            .handle_peers_lost(|route| !connections.knows(route.peer));
    }

    /// Returns the connections that there are.
    fn present(&self) -> HashMap<PeerId, Arc<PeerInfo>> {
        let peers = self.link.peers().into_iter();
        peers
            .filter_map(|peer| Some((peer, self.link.peer_info(peer)?)))
            .collect()
    }

    fn deadline(&self) -> Option<Instant> {
        let engine = self.engine.poll_timeout();
        let mux = self.mux.poll_timeout();
        let flush = self.flush_deadline();
        [engine, mux, flush].into_iter().flatten().min()
    }

    fn flush_deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Running => None,
            Phase::Flushing { until } => until,
        }
    }
}

/// The connections that were told of, and behind them the socket, which may have brought a request
/// before it told of the connection.
struct Known<'a, L> {
    connections: &'a Connections,
    link: &'a L,
}

impl<L: Link> Peers for Known<'_, L> {
    fn info(&self, peer: PeerId) -> Option<Arc<PeerInfo>> {
        let known = self.connections.info(peer).map(Arc::clone);
        known.or_else(|| self.link.peer_info(peer))
    }
}

/// Whether there may be more to do at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    Idle,
    Busy,
}

async fn writable(writable: &mut Option<Pin<Box<dyn Future<Output = ()> + Send>>>) {
    match writable {
        Some(writable) => writable.await,
        None => std::future::pending().await,
    }
}
