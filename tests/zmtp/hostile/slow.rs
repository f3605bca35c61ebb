//! Peers that stop, or crawl, at every step: each octet of the greeting, of the commands of every
//! mechanism in both roles, and of the head and the body of a frame.
//!
//! The attackers of a test run on its own thread, and its healthy peer on another.

use std::io;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tests::raw_peer::RawPeer;
use tests::victim::Victim;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use zmtp::authenticator::{AnyKey, Passwords};
use zmtp::pattern::SocketType;
use zmtp::{Builder, PushSocket, Socket};

use super::honest::{Honest, Mechanism};
use super::victim::{Healthy, LITTLE, SHORT, client_pair, plan, server_pair, start};

/// How far an attacker goes: so many flights in full, and so many octets of the next.
#[derive(Debug, Clone, Copy)]
struct Stop {
    flights: usize,
    octets: usize,
}

/// How many peers take their honest steps at once. Were it all of them, the victim would lose its
/// patience with them where they do nothing wrong yet.
const AT_ONCE: usize = 8;

/// How often a peer tries to get to where it stops, should the machine be too slow nevertheless.
const ATTEMPTS: usize = 20;

/// Measures so many flights of an honest peer.
async fn lengths(mechanism: Mechanism, flights: usize) -> Vec<usize> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answering = async {
        let peer = RawPeer::accept(&listener).await.unwrap();
        let mut other = Honest::with_config(peer, mechanism.opposite(), |config| {
            config.socket_type = SocketType::Pull;
        });
        other.shake_hands().await.unwrap();
        other
    };
    let measuring = async {
        let peer = RawPeer::connect(address).await.unwrap();
        let mut honest = Honest::new(peer, mechanism);
        let mut lengths = Vec::new();
        for _ in 0..flights {
            let flight = honest.next_flight().await.unwrap();
            honest.peer.send(&flight).await.unwrap();
            lengths.push(flight.len());
        }
        lengths
    };
    let (lengths, _other) = tokio::join!(measuring, answering);
    assert_eq!(lengths[0], 64, "a greeting");
    lengths
}

/// The first twenty octets of each flight one by one, which are its head and the name of its
/// command, from there on every thirteenth, and all but the last; of a greeting each.
async fn stops(mechanism: Mechanism, flights: usize) -> Vec<Stop> {
    let lengths = lengths(mechanism, flights).await;
    let all = lengths.into_iter().enumerate().flat_map(|(flights, len)| {
        (0..len)
            .filter(move |octets| {
                let is_head = flights == 0 || *octets < 20;
                is_head || octets.is_multiple_of(13) || octets + 1 == len
            })
            .map(move |octets| Stop { flights, octets })
    });
    all.collect()
}

/// What became of a slow peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Closed,
    StillOpen,
    /// The victim closed before the peer had done anything wrong.
    NotReached,
}

/// Goes as far as `stop` says.
async fn reach(honest: &mut Honest, stop: Stop) -> io::Result<()> {
    for _ in 0..stop.flights {
        let flight = honest.next_flight().await?;
        honest.peer.send(&flight).await?;
    }
    let flight = honest.next_flight().await?;
    honest.peer.send(&flight[..stop.octets]).await
}

/// Goes as far as `stop` says, when it is its turn, and waits for the end.
async fn stall(
    connect: impl AsyncFn() -> RawPeer,
    mechanism: Mechanism,
    stop: Stop,
    turns: &Semaphore,
) -> Outcome {
    for _ in 0..ATTEMPTS {
        let turn = turns.acquire().await.unwrap();
        let mut honest = Honest::new(connect().await, mechanism);
        if reach(&mut honest, stop).await.is_err() {
            continue;
        }
        drop(turn);
        return match honest.peer.recv_until_closed().await {
            Ok(_) => Outcome::Closed,
            Err(_) => Outcome::StillOpen,
        };
    }
    Outcome::NotReached
}

/// How long a peer that crawls takes for each of its flights. None of them alone is too slow, nor is any
/// octet, but two are.
const CRAWL: Duration = SHORT.saturating_mul(9).checked_div(10).unwrap();

/// Sends so many flights of an honest peer, one octet now and then.
async fn crawl(peer: RawPeer, mechanism: Mechanism, flights: usize) -> Outcome {
    let mut honest = Honest::new(peer, mechanism);
    for _ in 0..flights {
        let Ok(flight) = honest.next_flight().await else {
            return Outcome::Closed;
        };
        let pause = CRAWL / u32::try_from(flight.len()).unwrap();
        for octet in flight {
            if honest.peer.send(&[octet]).await.is_err() {
                return Outcome::Closed;
            }
            tokio::time::sleep(pause).await;
        }
    }
    Outcome::StillOpen
}

/// A crawl over several flights ends at the deadline of the whole handshake, not before, and not at
/// one that begins again with each flight or octet, of which none would have passed.
fn check_crawl(role: &str, outcome: Outcome, took: Duration) {
    assert_eq!(outcome, Outcome::Closed, "{role}: after {took:?}");
    assert!(took >= SHORT, "{role}: after {took:?}");
}

/// Attacks a server that gives everybody little time.
async fn attack_server(role: &'static str, flights: usize, as_mechanism: Mechanism) {
    // All but a message.
    let handshake = flights - 1;
    let client = match as_mechanism {
        Mechanism::Null => PushSocket::builder(),
        Mechanism::PlainClient => PushSocket::builder()
            .plain_client("admin", "correct-horse-battery")
            .unwrap(),
        _ => PushSocket::builder().curve_client(server_pair().public_key(), client_pair()),
    };
    let victim = start(role).await;
    let mut healthy = Healthy::connect_as(client, &victim).await;
    let stops = stops(as_mechanism, flights).await;
    let address = victim.address();
    let turns = &Semaphore::new(AT_ONCE);
    let attack = join_all(stops.iter().map(|stop| async move {
        let connect = async || RawPeer::connect(address).await.unwrap();
        (stop, stall(connect, as_mechanism, *stop, turns).await)
    }));
    let crawling = async {
        let began = Instant::now();
        let peer = RawPeer::connect(address).await.unwrap();
        (crawl(peer, as_mechanism, handshake).await, began.elapsed())
    };
    let attack = async { tokio::join!(attack, crawling) };
    let (stalled, (crawled, took)) = healthy.beside(&victim, attack).await;
    check_crawl(role, crawled, took);
    check(victim, role, &stalled, healthy).await;
}

async fn check(victim: Victim, role: &str, stalled: &[(&Stop, Outcome)], healthy: Healthy) {
    for (stop, outcome) in stalled {
        assert_eq!(*outcome, Outcome::Closed, "{role}: {stop:?}");
    }
    // And the one that crawls.
    let acts = stalled.len() + 1;
    victim.conclude(role, LITTLE, acts, healthy).await;
}

/// Attacks a client that gives everybody little time, from many servers at once.
async fn attack_client(role: &'static str, flights: usize, as_mechanism: Mechanism) {
    // All but a message.
    let handshake = flights - 1;
    let server: Builder<PushSocket> = match as_mechanism {
        Mechanism::Null => PushSocket::builder(),
        Mechanism::PlainServer => {
            let mut passwords = Passwords::new();
            passwords.insert("admin", "correct-horse-battery").unwrap();
            let builder = PushSocket::builder().plain_server();
            builder.authenticator(passwords)
        }
        _ => PushSocket::builder()
            .curve_server(server_pair())
            .authenticator(AnyKey),
    };
    let server = server.build();
    let bound = server.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut addresses = vec![crate::suite::address(&bound)];
    let stops = stops(as_mechanism, flights).await;
    let turns = &Semaphore::new(AT_ONCE);
    let mut listeners = Vec::new();
    for _ in 0..=stops.len() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.push(listener.local_addr().unwrap());
        listeners.push(listener);
    }
    // The victim connects at some time from now on.
    let began = Instant::now();
    let victim = plan(role).connecting_to(&addresses).start().await.unwrap();
    let mut healthy = Healthy::attach(server, &victim).await;
    let last = listeners.pop().unwrap();
    let attack = join_all(
        listeners
            .iter()
            .zip(&stops)
            .map(|(listener, stop)| async move {
                let connect = async || RawPeer::accept(listener).await.unwrap();
                (stop, stall(connect, as_mechanism, *stop, turns).await)
            }),
    );
    let crawling = async {
        let peer = RawPeer::accept(&last).await.unwrap();
        (crawl(peer, as_mechanism, handshake).await, began.elapsed())
    };
    let attack = async { tokio::join!(attack, crawling) };
    let (stalled, (crawled, took)) = healthy.beside(&victim, attack).await;
    check_crawl(role, crawled, took);
    check(victim, role, &stalled, healthy).await;
}

/// ZMTP31-025, ZMTP31-153, INT-016, INT-017: greeting, READY, message.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nobody_stays_who_stops_or_crawls_in_null() {
    attack_server("short NULL", 3, Mechanism::Null).await;
    attack_client("short NULL", 3, Mechanism::Null).await;
}

/// INT-016, INT-017: greeting, HELLO, INITIATE, message; and greeting, WELCOME, READY, message.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nobody_stays_who_stops_or_crawls_in_plain() {
    attack_server("short PLAIN server", 4, Mechanism::PlainClient).await;
    attack_client("short PLAIN client", 4, Mechanism::PlainServer).await;
}

/// INT-016, INT-017: greeting, HELLO, INITIATE, message; and greeting, WELCOME, READY, message.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nobody_stays_who_stops_or_crawls_in_curve() {
    attack_server("short CURVE server", 4, Mechanism::CurveClient).await;
    attack_client("short CURVE client", 4, Mechanism::CurveServer).await;
}

/// INT-030: silence costs the handshake its place, whatever else happens.
#[tokio::test]
async fn the_end_of_a_slow_peer_comes_in_time() {
    let victim = start("short NULL").await;
    let mut healthy = Healthy::connect(&victim).await;
    let waiting = async {
        let began = Instant::now();
        let mut silent = RawPeer::connect(victim.address()).await.unwrap();
        // It is not waited for beyond the patience of a test.
        silent.recv_until_closed().await.unwrap();
        began.elapsed()
    };
    let took = healthy.beside(&victim, waiting).await;
    assert!(took >= SHORT, "{took:?}");
    let what = "a silent connection";
    let warnings = victim.conclude(what, LITTLE, 1, healthy).await;
    assert!(warnings[0].contains("in time"), "{warnings:?}");
}
