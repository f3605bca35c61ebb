//! The I/O task of a model: an engine and its multiplexer, with a wire in place of a socket.

use std::sync::LazyLock;
use std::time::Instant;

use bytes::Bytes;
use proto::{Config, IdSource};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use zmtp::{DealerSocket, PeerId, Socket};

use super::commands::{Commands, Next};
use super::driver::{Engine, Peers, Status};
use super::lifetime::Life;
use super::link::{PeerChange, Route};
use super::{Multiplexer, Network, QueueReceiver};

/// Where sockets find a runtime, though none of their tasks ever runs.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
});

/// The peer at the other end of every wire.
static PEER: LazyLock<PeerId> = LazyLock::new(|| {
    let socket = DealerSocket::new();
    RUNTIME.block_on(socket.connect("inproc://model")).unwrap()
});

/// One end of a wire.
pub(crate) struct Wire {
    outgoing: mpsc::UnboundedSender<Bytes>,
    /// `None` when the other end is gone.
    incoming: Option<mpsc::UnboundedReceiver<Bytes>>,
}

/// Makes a wire.
pub(crate) fn wire() -> (Wire, Wire) {
    let (left, from_left) = mpsc::unbounded_channel();
    let (right, from_right) = mpsc::unbounded_channel();
    let end = |outgoing, incoming| Wire {
        outgoing,
        incoming: Some(incoming),
    };
    (end(left, from_right), end(right, from_left))
}

/// What binds and connects, for those who have to have one.
pub(crate) fn network() -> Network {
    let _context = RUNTIME.enter();
    Network::new(&DealerSocket::new())
}

/// Does what [`Driver`](super::Driver) does, without time and with one peer.
pub(crate) struct ModelDriver<E: Engine> {
    wire: Wire,
    mux: Multiplexer,
    engine: E,
    commands: Commands<E::Command>,
    life: Life,
}

impl<E: Engine> ModelDriver<E> {
    pub(crate) fn new(
        (wire, config): (Wire, Config),
        engine: E,
        commands: QueueReceiver<E::Command>,
        life: Life,
    ) -> Self {
        LazyLock::force(&PEER);
        Self {
            wire,
            mux: Multiplexer::new(config, IdSource::new([0; 12])),
            engine,
            commands: Commands::Open(commands),
            life,
        }
    }

    /// Runs until the engine is finished and what was queued by then is sent.
    pub(crate) async fn run(mut self) {
        let up = PeerChange::Up(*PEER);
        self.engine.handle_peer(&mut self.mux, Instant::now(), up);
        loop {
            self.turn();
            let is_flushed = self.mux.channel_count() == 0 && self.mux.queued_count() == 0;
            if self.engine.update() == Status::Finished && is_flushed {
                break;
            }
            self.wait().await;
        }
        let Self {
            engine,
            mux,
            commands,
            life,
            ..
        } = self;
        drop((engine, mux, commands));
        life.finish();
    }

    fn turn(&mut self) {
        loop {
            match self.commands.try_next() {
                Next::Command(command) => self.handle_command(command),
                Next::Hangup => self.engine.handle_hangup(&mut self.mux),
                Next::Empty => break,
            }
        }
        while let Some(incoming) = &mut self.wire.incoming
            && let Ok(payload) = incoming.try_recv()
        {
            self.handle_payload(payload);
        }
        self.drain_outputs();
    }

    fn drain_outputs(&mut self) {
        let now = Instant::now();
        loop {
            while let Some(transmit) = self.mux.poll_transmit(now) {
                // Nobody reads it if the other end is gone.
                let _ = self.wire.outgoing.send(transmit.payload);
            }
            let Some(event) = self.mux.poll_event() else {
                return;
            };
            self.engine
                .handle_event(&mut self.mux, now, event, &Unknown);
        }
    }

    async fn wait(&mut self) {
        tokio::select! {
            // Whose turn it is must not depend on anything but the scheduler.
            biased;
            next = self.commands.next() => match next {
                Some(command) => self.handle_command(command),
                None => self.engine.handle_hangup(&mut self.mux),
            },
            payload = receive(&mut self.wire.incoming) => match payload {
                Some(payload) => self.handle_payload(payload),
                None => self.lose(),
            },
        }
    }

    fn handle_command(&mut self, command: E::Command) {
        self.engine
            .handle_command(&mut self.mux, Instant::now(), command);
    }

    fn handle_payload(&mut self, payload: Bytes) {
        let route = Route::direct(*PEER);
        self.mux
            .handle_event(Instant::now(), &route, payload)
            .unwrap();
    }

    /// The other end is gone.
    fn lose(&mut self) {
        self.wire.incoming = None;
        let down = PeerChange::Down(*PEER);
        self.engine.handle_peer(&mut self.mux, Instant::now(), down);
        self.mux.handle_peers_lost(|_| true);
    }
}

async fn receive(incoming: &mut Option<mpsc::UnboundedReceiver<Bytes>>) -> Option<Bytes> {
    match incoming {
        Some(incoming) => incoming.recv().await,
        None => std::future::pending().await,
    }
}

/// Nothing is known of the peers of a model.
struct Unknown;

impl Peers for Unknown {
    fn info(&self, _peer: PeerId) -> Option<std::sync::Arc<zmtp::session::PeerInfo>> {
        None
    }
}
