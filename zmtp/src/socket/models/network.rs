//! What binds, connects and runs sockets in a model.

use std::sync::{Arc, LazyLock};

use shuttle::future::{JoinHandle, block_on, spawn};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};
use tokio::runtime::Runtime;

use crate::Socket;
use crate::driver::{BoundName, Connection, Retention, Share, hold, keep_linked, randomness};
use crate::endpoint::{Endpoint, EndpointName, PeerAddress};
use crate::message::Message;
use crate::session::{Session, Side};
use crate::socket::SocketHandle;

/// How many interleavings are tried of a model, by each of two ways to choose them.
const RUNS: usize = 200;

/// How often the second way lets another task than the one that it prefers run on.
const PREEMPTIONS: usize = 3;

/// Room for what a debug build keeps on the stack of a task.
const STACK: usize = 512 * 1024;

/// The timers of connections want one. It never runs, and none of them goes off.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().build().unwrap()
});

/// Runs `model` in many interleavings.
pub(super) fn explore<F>(model: impl Fn() -> F + Copy + Send + Sync + 'static)
where
    F: Future<Output = ()> + 'static,
{
    let _context = RUNTIME.enter();
    let mut config = Config::new();
    config.stack_size = STACK;
    config.silence_warnings = true;
    let run = move || block_on(model());
    Runner::new(RandomScheduler::new(RUNS), config.clone()).run(run);
    Runner::new(PctScheduler::new(PREEMPTIONS, RUNS), config).run(run);
}

/// The tasks of a model. Each of them has to end.
#[derive(Default)]
pub(super) struct Tasks(Vec<JoinHandle<()>>);

impl Tasks {
    pub(super) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.push(spawn(task));
    }

    /// Waits for all tasks.
    pub(super) async fn join(self) {
        for task in self.0 {
            task.await.unwrap();
        }
    }

    /// Ends all tasks, wherever they are.
    pub(super) fn abort(self) {
        for task in self.0 {
            task.abort();
        }
    }

    /// Binds `name`, as [`Socket::bind`] does.
    pub(super) fn bind(&mut self, handle: &SocketHandle, name: &str) {
        let hub = handle.hub();
        let name = EndpointName::new(name).unwrap();
        let endpoint = Endpoint::Inproc(name.clone());
        let binding = hub.endpoints.bind(endpoint.clone(), endpoint, &hub.closing);
        let bound = BoundName::new(&name, hub).unwrap();
        self.spawn(hold(Arc::clone(hub), bound, binding));
    }

    /// Connects to whoever binds `name`, as [`Socket::connect`] does.
    pub(super) fn connect(&mut self, handle: &SocketHandle, name: &str, retention: Retention) {
        let hub = handle.hub();
        let name = EndpointName::new(name).unwrap();
        let peer = hub.new_peer_in_process(retention);
        match retention {
            Retention::Queue | Retention::Connection => hub.insert_peer(&peer),
            Retention::Endpoint => peer.outbox.suspend(),
        }
        let endpoint = Endpoint::Inproc(name.clone());
        let link = hub.endpoints.link(endpoint, &peer, &hub.closing);
        self.spawn(keep_linked(Arc::clone(hub), link, name));
    }

    /// Connects two sockets by a stream that holds `octets` in each direction.
    pub(super) fn connect_by_stream(
        &mut self,
        connector: &SocketHandle,
        listener: &SocketHandle,
        octets: usize,
    ) {
        let (near, far) = tokio::io::duplex(octets);
        self.serve(connector, Side::Connector, near);
        self.serve(listener, Side::Listener, far);
    }

    fn serve(&mut self, handle: &SocketHandle, side: Side, stream: tokio::io::DuplexStream) {
        let hub = Arc::clone(handle.hub());
        let address = PeerAddress::Inproc(EndpointName::new("stream").unwrap());
        let peer = match side {
            Side::Connector => {
                let peer = hub.new_peer(Retention::Queue);
                hub.insert_peer(&peer);
                peer
            }
            Side::Listener => {
                let peer = hub.new_peer(Retention::Connection);
                hub.half_open.insert(Share::of(&address), Arc::clone(&peer));
                peer
            }
        };
        let config = hub.options.session_config(hub.socket_type, side);
        let now = tokio::time::Instant::now().into_std();
        let session = Session::new(config, now, randomness());
        let connection = Connection::new(stream, session, Arc::clone(&peer), Arc::clone(&hub));
        self.spawn(async move {
            connection.await;
            peer.inbox.outlive_connection(&hub.unreceived);
            hub.remove_peer(&peer);
        });
    }
}

/// Two sockets, and how they are connected.
#[derive(Clone, Copy)]
pub(super) enum Transport {
    /// The connecting one is linked to the other.
    InProcess,
    /// By a stream of so many octets.
    Stream { octets: usize },
}

impl Transport {
    /// Connects `connector` to `listener`.
    pub(super) fn connect(
        self,
        tasks: &mut Tasks,
        connector: &impl Socket,
        listener: &impl Socket,
    ) {
        let (connector, listener) = (connector.handle(), listener.handle());
        match self {
            Self::InProcess => {
                tasks.bind(listener, "model");
                tasks.connect(connector, "model", Retention::Queue);
            }
            Self::Stream { octets } => tasks.connect_by_stream(connector, listener, octets),
        }
    }
}

/// Closes the sockets of `handles`, and checks that nothing of them is left running.
pub(super) async fn finish(tasks: Tasks, handles: &[SocketHandle]) {
    for handle in handles {
        handle.hub().close();
    }
    tasks.join().await;
}

/// How much of what `handle` sends, and of what it receives, waits in its queues.
pub(super) fn queued(handle: &SocketHandle) -> (usize, usize) {
    let queued = handle.counters().queued;
    (queued.outgoing, queued.incoming)
}

/// The text of a message of one part.
pub(super) fn text(message: &Message) -> String {
    let body = message.first().expect("a message has a part");
    String::from_utf8(body.to_vec()).unwrap()
}
