//! The task that owns a socket and its multiplexer.

use std::collections::HashSet;
use std::pin::Pin;
use std::time::Instant;

use futures_util::FutureExt;
use proto::{ChannelEvent, Transmit};
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep_until};
use zmtp::{Message, Monitor, PeerId, SocketEvent, TrySendError};

use super::Multiplexer;
use super::link::{Link, PeerChange, Route, unwrap};

/// What differs between clients and servers.
///
/// Nothing here may wait, or work for long: heartbeats leave on the same task.
pub(crate) trait Engine: Send + 'static {
    /// What callers or handlers ask for.
    type Command: Send + 'static;

    fn handle_command(&mut self, mux: &mut Multiplexer, now: Instant, command: Self::Command);

    fn handle_event(&mut self, mux: &mut Multiplexer, event: ChannelEvent<Route>);

    fn handle_peer(&mut self, mux: &mut Multiplexer, now: Instant, change: PeerChange);

    fn handle_timeout(&mut self, mux: &mut Multiplexer, now: Instant);

    /// Nobody is left who could send a command.
    fn handle_hangup(&mut self, mux: &mut Multiplexer);

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Says whether the task goes on. Called after everything else.
    fn update(&mut self, mux: &Multiplexer, now: Instant) -> Status;
}

/// Whether a [`Driver`] goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Running,
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
    /// Connections that are gone, but whose last messages may not have been read yet.
    departed: Vec<PeerId>,
}

/// Messages, and commands, that are handled before the connections get their turn.
const BUDGET: usize = 256;

impl<L: Link, E: Engine> Driver<L, E> {
    pub(crate) fn new(
        link: L,
        mux: Multiplexer,
        engine: E,
        commands: mpsc::UnboundedReceiver<E::Command>,
    ) -> Self {
        Self {
            monitor: link.monitor(),
            link,
            mux,
            engine,
            commands: Commands::Open(commands),
            timer: Timer::default(),
            blocked: HashSet::new(),
            writable: None,
            departed: Vec::new(),
        }
    }

    /// Runs until the engine is finished, and then sends what is still queued.
    pub(crate) async fn run(mut self) {
        for peer in self.link.peers() {
            if self.link.peer_info(peer).is_some() {
                let up = PeerChange::Up(peer);
                self.engine.handle_peer(&mut self.mux, Instant::now(), up);
            }
        }
        loop {
            let load = self.turn();
            if self.engine.update(&self.mux, Instant::now()) == Status::Finished {
                break;
            }
            match load {
                Load::Idle => self.wait().await,
                Load::Busy => {
                    self.look_around();
                    // The connections of the socket may run on the same thread.
                    tokio::task::yield_now().await;
                }
            }
        }
        let Self {
            link, engine, mux, ..
        } = self;
        drop((engine, mux));
        link.close().await;
    }

    /// Handles everything that is there, within the budget.
    fn turn(&mut self) -> Load {
        let now = Instant::now();
        let commands = self.drain_commands(now);
        let messages = self.drain_messages(now);
        if messages == Load::Idle {
            for peer in std::mem::take(&mut self.departed) {
                self.mux.handle_peers_lost(|route| route.peer == peer);
                let down = PeerChange::Down(peer);
                self.engine.handle_peer(&mut self.mux, now, down);
            }
        }
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.mux.handle_timeout(now);
            self.engine.handle_timeout(&mut self.mux, now);
        }
        self.drain_outputs();
        match (commands, messages) {
            (Load::Idle, Load::Idle) => Load::Idle,
            _ => Load::Busy,
        }
    }

    fn drain_commands(&mut self, now: Instant) -> Load {
        for _ in 0..BUDGET {
            match self.commands.try_next() {
                Next::Command(command) => {
                    self.engine.handle_command(&mut self.mux, now, command);
                }
                Next::Hangup => self.engine.handle_hangup(&mut self.mux),
                Next::Empty => return Load::Idle,
            }
        }
        Load::Busy
    }

    fn drain_messages(&mut self, now: Instant) -> Load {
        for _ in 0..BUDGET {
            // A closed socket has nothing more to read; the engine ends the task.
            let Ok((peer, message)) = self.link.try_recv_from() else {
                return Load::Idle;
            };
            self.handle_message(now, peer, message);
        }
        Load::Busy
    }

    fn handle_message(&mut self, now: Instant, peer: PeerId, message: Message) {
        match Route::parse(peer, message) {
            Ok((route, payload)) => {
                if let Err(error) = self.mux.handle_event(now, &route, payload) {
                    tracing::debug!(%peer, %error, "dropped a payload that is no event");
                }
            }
            Err(error) => tracing::debug!(%peer, %error, "dropped a message that is no event"),
        }
    }

    /// Hands out what the multiplexer has for the peers and for the application.
    fn drain_outputs(&mut self) {
        loop {
            while let Some(transmit) = self.mux.poll_transmit(Instant::now()) {
                self.transmit(transmit);
            }
            let Some(event) = self.mux.poll_event() else {
                return;
            };
            self.engine.handle_event(&mut self.mux, event);
            while let Some(event) = self.mux.poll_event() {
                self.engine.handle_event(&mut self.mux, event);
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
                self.blocked.insert(transmit.peer.clone());
                transmit.payload = unwrap(message);
                self.mux.handle_blocked(transmit);
            }
            Err(error) => {
                tracing::debug!(%peer, %error, "lost a peer");
                self.mux.handle_peers_lost(|route| route.peer == peer);
            }
        }
    }

    /// Takes what [`wait`](Self::wait) would take beside commands and messages, so that a socket
    /// that is always busy hides neither a peer that has room again nor one that is gone.
    fn look_around(&mut self) {
        while let Some(Some(event)) = self.monitor.recv().now_or_never() {
            self.handle_socket_event(event);
        }
        if writable(&mut self.writable).now_or_never().is_some() {
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
            next = self.commands.next() => {
                let now = Instant::now();
                match next {
                    Next::Command(command) => {
                        self.engine.handle_command(&mut self.mux, now, command);
                    }
                    Next::Hangup | Next::Empty => self.engine.handle_hangup(&mut self.mux),
                }
            }
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
        let now = Instant::now();
        match event {
            SocketEvent::HandshakeSucceeded { peer, .. } => {
                // A connection that came back: what was open before is lost, whatever is unread.
                if let Some(position) = self.departed.iter().position(|gone| *gone == peer) {
                    self.departed.swap_remove(position);
                    self.mux.handle_peers_lost(|route| route.peer == peer);
                }
                self.engine
                    .handle_peer(&mut self.mux, now, PeerChange::Up(peer));
            }
            SocketEvent::Disconnected { peer, .. } => self.departed.push(peer),
            SocketEvent::Lagged(missed) => {
                tracing::debug!(missed, "missed events of the socket");
                for peer in self.link.peers() {
                    let change = match self.link.peer_info(peer) {
                        Some(_) => PeerChange::Up(peer),
                        None => PeerChange::Down(peer),
                    };
                    self.engine.handle_peer(&mut self.mux, now, change);
                }
            }
            _ => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let engine = self.engine.poll_timeout();
        let mux = self.mux.poll_timeout();
        [engine, mux].into_iter().flatten().min()
    }
}

/// Whether there may be more to do at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Load {
    Idle,
    Busy,
}

/// The receiving end of the commands, until the last sender is gone.
enum Commands<C> {
    Open(mpsc::UnboundedReceiver<C>),
    Closed,
}

enum Next<C> {
    Command(C),
    Hangup,
    Empty,
}

impl<C> Commands<C> {
    fn try_next(&mut self) -> Next<C> {
        let Self::Open(receiver) = self else {
            return Next::Empty;
        };
        match receiver.try_recv() {
            Ok(command) => Next::Command(command),
            Err(mpsc::error::TryRecvError::Empty) => Next::Empty,
            Err(mpsc::error::TryRecvError::Disconnected) => {
                *self = Self::Closed;
                Next::Hangup
            }
        }
    }

    async fn next(&mut self) -> Next<C> {
        let Self::Open(receiver) = self else {
            return std::future::pending().await;
        };
        match receiver.recv().await {
            Some(command) => Next::Command(command),
            None => {
                *self = Self::Closed;
                Next::Hangup
            }
        }
    }
}

/// A timer that is only touched when it would fire too late.
#[derive(Default)]
struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    fn arm(&mut self, deadline: Option<Instant>) {
        let Some(deadline) = deadline.map(tokio::time::Instant::from_std) else {
            return;
        };
        match &mut self.sleep {
            Some(sleep) if sleep.deadline() <= deadline && !sleep.is_elapsed() => {}
            Some(sleep) => sleep.as_mut().reset(deadline),
            vacant @ None => *vacant = Some(Box::pin(sleep_until(deadline))),
        }
    }

    /// Waits for the deadline; an early one only costs a look at the time.
    async fn fired(&mut self) {
        match &mut self.sleep {
            Some(sleep) => {
                sleep.as_mut().await;
                self.sleep = None;
            }
            None => std::future::pending().await,
        }
    }
}

async fn writable(writable: &mut Option<Pin<Box<dyn Future<Output = ()> + Send>>>) {
    match writable {
        Some(writable) => writable.await,
        None => std::future::pending().await,
    }
}
