//! The proxy that stands for the network.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::plan::{Direction, Fault, Plan, Schedule};
use super::pump::{Counters, End, Pump};

/// A network between two sockets: who connects to [`Self::endpoint`] reaches the target, by
/// connections that end as the schedule wants. Dropping it ends them all.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    calm: watch::Sender<bool>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    connections: AtomicU64,
    struck: AtomicU64,
    /// Connections that the network has begun to end.
    ending: AtomicU64,
    forwards: Counters,
    backwards: Counters,
}

impl Proxy {
    /// Stands between `target` and whoever connects.
    ///
    /// # Errors
    ///
    /// Fails if no port is free.
    pub fn start(target: SocketAddr, schedule: Schedule) -> io::Result<Self> {
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0)))?.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let (calm, is_calm) = watch::channel(false);
        let network = Network {
            target,
            schedule,
            shared: Arc::clone(&shared),
            is_calm,
        };
        Ok(Self {
            address,
            shared,
            calm,
            task: tokio::spawn(network.run(listener, address)),
        })
    }

    /// Returns what is to be connected to.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// Lets nothing befall connections any more, those that there are and those to come, and waits
    /// until those have ended that were about to.
    pub async fn calm_down(&self) {
        self.calm.send_replace(true);
        // Who has looked before has begun after the first of these.
        for _ in 0..2 {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                if self.shared.ending.load(Ordering::Relaxed) == 0 {
                    break;
                }
            }
        }
    }

    /// Returns how many connections there were.
    #[must_use]
    pub fn connection_count(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Returns how many connections the network has ended.
    #[must_use]
    pub fn struck_count(&self) -> u64 {
        self.shared.struck.load(Ordering::Relaxed)
    }

    /// Returns how many connections the network has ended, or changed so that their peers have to.
    #[must_use]
    pub fn cut_count(&self) -> u64 {
        self.struck_count() + self.corrupted_count()
    }

    /// Returns how many octets it has changed.
    #[must_use]
    pub fn corrupted_count(&self) -> u64 {
        let count = |counters: &Counters| counters.corrupted.load(Ordering::Relaxed);
        count(&self.shared.forwards) + count(&self.shared.backwards)
    }

    /// Returns how many of those were the flags of a frame.
    #[must_use]
    pub fn corrupted_flags_count(&self) -> u64 {
        let count = |counters: &Counters| counters.corrupted_flags.load(Ordering::Relaxed);
        count(&self.shared.forwards) + count(&self.shared.backwards)
    }

    /// Returns how many connections went on for long after one of their messages was changed.
    #[must_use]
    pub fn unnoticed_count(&self) -> u64 {
        let count = |counters: &Counters| counters.unnoticed.load(Ordering::Relaxed);
        count(&self.shared.forwards) + count(&self.shared.backwards)
    }

    /// Returns how many octets it took and did not pass on in one direction.
    #[must_use]
    pub fn lost_octets(&self, direction: Direction) -> u64 {
        let counters = match direction {
            Direction::Forwards => &self.shared.forwards,
            Direction::Backwards => &self.shared.backwards,
        };
        counters.taken.load(Ordering::Relaxed) - counters.passed.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Network {
    target: SocketAddr,
    schedule: Schedule,
    shared: Arc<Shared>,
    is_calm: watch::Receiver<bool>,
}

impl Network {
    /// Accepts connections; for a refusal nobody listens.
    async fn run(mut self, listener: TcpListener, address: SocketAddr) {
        let mut listener = listener;
        // Dropped with this task.
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = connections.join_next() => continue,
            };
            let Ok((client, _)) = accepted else {
                continue;
            };
            self.shared.connections.fetch_add(1, Ordering::Relaxed);
            let plan = match *self.is_calm.borrow() {
                true => Plan::calm(),
                false => self.schedule.next_plan(),
            };
            connections.spawn(carry(
                client,
                self.target,
                plan,
                Arc::clone(&self.shared),
                self.is_calm.clone(),
            ));
            if !plan.refusal.is_zero() {
                drop(listener);
                // At once, or somebody else could get the port meanwhile.
                let next = bind(address);
                tokio::time::sleep(plan.refusal).await;
                let next = next.and_then(|socket| socket.listen(BACKLOG));
                listener = next.expect("the port is still that of the network");
            }
        }
    }
}

/// As much waits in each kernel buffer of the network, about: the less it is, the less is lost when
/// a connection breaks, and the sooner both sides notice.
const BUFFER: u32 = 4096;

/// As many connections may wait to be accepted.
const BACKLOG: u32 = 128;

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    // Those that are accepted inherit it.
    socket.set_recv_buffer_size(BUFFER)?;
    socket.set_send_buffer_size(BUFFER)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn connect(target: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(BUFFER)?;
    socket.set_send_buffer_size(BUFFER)?;
    socket.connect(target).await
}

/// Carries one connection to its end.
async fn carry(
    client: TcpStream,
    target: SocketAddr,
    plan: Plan,
    shared: Arc<Shared>,
    calm: watch::Receiver<bool>,
) {
    let Ok(server) = connect(target).await else {
        return;
    };
    // Small pieces are to stay small.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let strike = |direction| plan.strike.filter(|strike| strike.direction == direction);
    let mut forwards = Pump {
        from: from_client,
        to: to_server,
        pace: plan.pace[0],
        strike: strike(Direction::Forwards),
        counters: &shared.forwards,
        ending: &shared.ending,
        calm: calm.clone(),
    };
    let mut backwards = Pump {
        from: from_server,
        to: to_client,
        pace: plan.pace[1],
        strike: strike(Direction::Backwards),
        counters: &shared.backwards,
        ending: &shared.ending,
        calm,
    };
    let end = {
        let (there, back) = (forwards.run(), backwards.run());
        tokio::pin!(there, back);
        // The network ends both directions; a peer that says no more may still listen.
        tokio::select! {
            end = &mut there => match end {
                End::ByPeers => back.await,
                End::Struck(_) => end,
            },
            end = &mut back => match end {
                End::ByPeers => there.await,
                End::Struck(_) => end,
            },
        }
    };
    if let End::Struck(fault) = end {
        shared.struck.fetch_add(1, Ordering::Relaxed);
        if matches!(fault, Fault::Reset | Fault::Stall) {
            for half in [&forwards.to, &backwards.to] {
                let _ = half.as_ref().set_zero_linger();
            }
            // Dropped, they would first say that no more comes, and the peers would see an orderly end.
            forwards.to.forget();
            backwards.to.forget();
        } else {
            drop((forwards.to, backwards.to));
        }
        drop((forwards.from, backwards.from));
        shared.ending.fetch_sub(1, Ordering::Relaxed);
    }
}
