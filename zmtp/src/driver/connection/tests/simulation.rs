//! Connections that break at every octet, thousands of times in virtual hours: what was queued is
//! delivered once and in order, or was on its way when a connection broke.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::runtime::Builder;
use tokio::time::{Instant, timeout};

use super::wire::{Fault, Wire, pair};
use crate::driver::connection::task::{Connection, now};
use crate::driver::counters::DropReason;
use crate::driver::fair_queue::{Envelope, FairQueue};
use crate::driver::half_open::Share;
use crate::driver::hub::{Hub, NoPattern};
use crate::driver::options::SocketOptions;
use crate::driver::outbox::PushError;
use crate::driver::peer::{Peer, PeerId, Retention};
use crate::endpoint::PeerAddress;
use crate::mechanism::{MechanismConfig, Randomness};
use crate::message::Message;
use crate::pattern::SocketType;
use crate::session::{Heartbeat, Session, Side};

/// Messages of each run.
const MESSAGES: u64 = 120;

/// Connections of each run that break. One more does not.
const BREAKING: usize = 6;

/// Runs without more ado; `SIMULATION_SEEDS` asks for others.
const SEEDS: u64 = 100;

/// Longer than a run takes, in virtual time.
const HOURS: Duration = Duration::from_secs(10_000);

/// The mechanisms of one run: that of who connects, and that of who accepts.
type Mechanisms = fn() -> [MechanismConfig; 2];

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Outcome {
    /// By the peer that they came from, which is one for each connection.
    received: BTreeMap<PeerId, Vec<u64>>,
    sent: u64,
    dropped: u64,
    /// Messages of which the receiver has got a part, and nothing else that it dropped.
    incomplete: u64,
    /// How much virtual time it took.
    took: Duration,
}

/// Message `number`, whose size follows from its number.
fn message(number: u64) -> Message {
    let len = match number % 16 {
        0 => 0,
        // Sent by reference, and in several pieces.
        7 => 9000,
        other => other * 37,
    };
    let body = vec![number.to_be_bytes()[7]; usize::try_from(len).unwrap()];
    Message::from([number.to_string().into_bytes(), body])
}

fn number(received: &Message) -> u64 {
    let number = received.text(0).unwrap().parse().unwrap();
    assert_eq!(*received, message(number), "torn, or of two messages");
    number
}

fn hub(socket_type: SocketType) -> Arc<Hub> {
    let options = SocketOptions {
        heartbeat: Some(Heartbeat::new(Duration::from_secs(1))),
        // Full now and then.
        send_high_water_mark: 20,
        receive_high_water_mark: 20,
        ..SocketOptions::default()
    };
    Arc::new(Hub::new(socket_type, options, Arc::new(NoPattern)))
}

/// The two sockets of a run.
struct Sockets {
    sender: Arc<Hub>,
    receiver: Arc<Hub>,
    mechanisms: Mechanisms,
    random: StdRng,
}

impl Sockets {
    fn connection(&mut self, wire: Wire, side: Side, peer: &Arc<Peer>) -> Connection<Wire> {
        let [of_connector, of_listener] = (self.mechanisms)();
        let (hub, mechanism) = match side {
            Side::Connector => (&self.sender, of_connector),
            Side::Listener => (&self.receiver, of_listener),
        };
        let mut config = hub.options.session_config(hub.socket_type, side);
        config.mechanism = mechanism;
        let random = &mut self.random;
        let session = Session::new(
            config,
            now(),
            Randomness::generate(|octets| random.fill(octets)),
        );
        Connection::new(wire, session, Arc::clone(peer), Arc::clone(hub))
    }

    /// Connects once more, and returns when who connected has seen the end.
    async fn connect(&mut self, peer: &Arc<Peer>, strikes: [Option<(Fault, usize)>; 2]) {
        let [near, far] = pair(self.random.random(), strikes);
        let connecting = self.connection(near, Side::Connector, peer);
        let accepted = self.receiver.new_peer(Retention::Connection);
        let address = PeerAddress::Tcp("127.0.0.1:1".parse().unwrap());
        self.receiver
            .half_open
            .insert(Share::of(&address), Arc::clone(&accepted));
        let accepting = self.connection(far, Side::Listener, &accepted);
        let receiver = Arc::clone(&self.receiver);
        // It may notice later, when there is another connection already.
        tokio::spawn(async move {
            accepting.await;
            accepted.inbox.outlive_connection(&receiver.unreceived);
        });
        connecting.await;
    }

    /// How the next connection breaks: early or late, from either side.
    fn strikes(&mut self) -> [Option<(Fault, usize)>; 2] {
        let random = &mut self.random;
        let fault = match random.random_range(0..3) {
            0 => Fault::Reset,
            1 => Fault::Close,
            _ => Fault::Partition,
        };
        match random.random_range(0..4) {
            0 => [None, Some((fault, random.random_range(0..700)))],
            1 => [Some((fault, random.random_range(0..700))), None],
            _ => [Some((fault, random.random_range(0..20_000))), None],
        }
    }
}

async fn send_all(sender: Arc<Hub>, peer: Arc<Peer>) {
    for number in 0..MESSAGES {
        loop {
            // Before the attempt, so that no room is missed.
            let mut writable = pin!(sender.writable.notified());
            writable.as_mut().enable();
            match peer.outbox.try_push(&[], &message(number)) {
                Ok(_) => break,
                Err(PushError::Full) => writable.await,
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}

async fn receive_all(receiver: Arc<Hub>, received: Arc<Mutex<BTreeMap<PeerId, Vec<u64>>>>) {
    let mut queue = FairQueue::new(receiver);
    while let Ok(next) = poll_fn(|context| queue.poll_pop(context, Envelope::Plain)).await {
        let numbers = &mut *received.lock().unwrap();
        numbers
            .entry(next.peer)
            .or_default()
            .push(number(&next.message));
    }
}

/// One run: everything in it follows from the seed.
async fn run(seed: u64, mechanisms: Mechanisms) -> Outcome {
    let began = Instant::now();
    let mut sockets = Sockets {
        sender: hub(SocketType::Push),
        receiver: hub(SocketType::Pull),
        mechanisms,
        random: StdRng::seed_from_u64(seed),
    };
    let peer = sockets.sender.new_peer(Retention::Queue);
    sockets.sender.insert_peer(&peer);
    let received = Arc::default();
    let receiving = tokio::spawn(receive_all(
        Arc::clone(&sockets.receiver),
        Arc::clone(&received),
    ));
    let sending = tokio::spawn(send_all(Arc::clone(&sockets.sender), Arc::clone(&peer)));
    for _ in 0..BREAKING {
        let strikes = sockets.strikes();
        // A connection that has carried everything does not break any more.
        let connection = sockets.connect(&peer, strikes);
        let _ = timeout(Duration::from_secs(60), connection).await;
    }
    let last = sockets.connect(&peer, [None, None]);
    let _ = timeout(Duration::from_secs(10), last).await;
    sending.await.expect("everything is queued");
    receiving.abort();

    let counters = sockets.sender.counters();
    assert_eq!(counters.queued.outgoing, 0, "{seed}: {counters:?}");
    let received = received.lock().unwrap().clone();
    let at_receiver = sockets.receiver.counters().dropped;
    let incomplete = at_receiver.count(DropReason::Incomplete);
    assert_eq!(at_receiver.total(), incomplete, "{seed}: {at_receiver}");
    Outcome {
        received,
        sent: counters.sent.messages,
        dropped: counters.dropped.total(),
        incomplete,
        took: began.elapsed(),
    }
}

fn simulate(seed: u64, mechanisms: Mechanisms) -> Outcome {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let outcome = timeout(HOURS, run(seed, mechanisms)).await;
        outcome.unwrap_or_else(|_| panic!("{seed}: it hangs"))
    })
}

/// Fails unless every message of the run is accounted for.
fn check(seed: u64, outcome: &Outcome) {
    let mut all = Vec::new();
    for (peer, numbers) in &outcome.received {
        assert!(
            numbers.is_sorted_by(|one, next| one < next),
            "{seed}: {peer} of {outcome:?}"
        );
        all.extend(numbers);
    }
    all.sort_unstable();
    let delivered = all.len();
    all.dedup();
    assert_eq!(all.len(), delivered, "{seed}: doubled in {outcome:?}");
    assert_eq!(
        outcome.sent + outcome.dropped,
        MESSAGES,
        "{seed}: {outcome:?}"
    );
    let missing = (0..MESSAGES).filter(|number| all.binary_search(number).is_err());
    let missing: Vec<_> = missing.collect();
    let torn = usize::try_from(outcome.dropped).unwrap();
    assert!(
        torn <= BREAKING && torn <= missing.len(),
        "{seed}: {outcome:?}"
    );
    let incomplete = usize::try_from(outcome.incomplete).unwrap();
    assert!(
        incomplete <= BREAKING && incomplete <= missing.len(),
        "{seed}: {outcome:?}"
    );
    // One after the other is missing where a connection broke, and nowhere else.
    let gaps = missing.chunk_by(|one, next| one + 1 == *next).count();
    assert!(gaps <= BREAKING, "{seed}: {missing:?}");
}

fn seeds() -> u64 {
    std::env::var("SIMULATION_SEEDS")
        .ok()
        .and_then(|seeds| seeds.parse().ok())
        .unwrap_or(SEEDS)
}

fn null() -> [MechanismConfig; 2] {
    use crate::mechanism::Authentication::NotRequired;
    [NotRequired, NotRequired].map(MechanismConfig::Null)
}

/// ZMTP31-050, ZMTP31-102, ZMTP31-139.
#[test]
fn messages_of_connections_that_break_arrive_once_or_were_on_their_way() {
    for seed in 0..seeds() {
        check(seed, &simulate(seed, null));
    }
}

#[test]
fn a_seed_repeats_its_run() {
    for seed in 0..20 {
        assert_eq!(simulate(seed, null), simulate(seed, null), "{seed}");
    }
}

#[cfg(feature = "curve")]
mod encrypted {
    use super::*;
    use crate::curve::{KeyPair, SecretKey};
    use crate::mechanism::{Authentication, CurveClient, CurveServer};

    fn curve() -> [MechanismConfig; 2] {
        let keys = |seed| KeyPair::new(SecretKey::from_octets([seed; 32]));
        let client = CurveClient::new(keys(0x50).public_key(), keys(0xc0));
        let server = CurveServer::new(keys(0x50), Authentication::NotRequired);
        [
            MechanismConfig::CurveClient(client),
            MechanismConfig::CurveServer(server),
        ]
    }

    #[test]
    fn encrypted_messages_arrive_once_or_were_on_their_way() {
        for seed in 0..seeds() / 5 {
            check(seed, &simulate(seed, curve));
        }
    }
}
