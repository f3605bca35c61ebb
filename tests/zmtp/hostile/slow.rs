//! Peers that stop, or crawl, at every step: each octet of the greeting, of the commands of every
//! mechanism in both roles, and of the head and the body of a frame.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tests::raw_peer::{PATIENCE, RawPeer};
use tests::victim::Victim;
use tokio::net::TcpListener;
use zmtp::authenticator::{AnyKey, Passwords};
use zmtp::{Builder, PushSocket, Socket};

use super::honest::{Honest, Mechanism};
use super::victim::{Healthy, LITTLE, SHORT, client_pair, plan, server_pair, start};

/// How far an attacker goes: so many flights in full, and so many octets of the next.
#[derive(Debug, Clone, Copy)]
struct Stop {
    flights: usize,
    octets: usize,
}

/// The longest flight, that of an INITIATE, is shorter.
const LONGEST: usize = 400;

/// The first twenty octets of each flight one by one, which are its head and the name of its
/// command, and from there on every thirteenth; of a greeting all.
fn stops(flights: usize) -> Vec<Stop> {
    let all = (0..flights).flat_map(|flights| {
        (0..LONGEST)
            .filter(move |octets| flights == 0 || *octets < 20 || octets.is_multiple_of(13))
            .filter(move |octets| flights > 0 || *octets < 64)
            .map(move |octets| Stop { flights, octets })
    });
    all.collect()
}

/// What became of a slow peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Closed,
    StillOpen,
}

/// Goes as far as `stop` says, and waits for the end. A flight that is shorter goes without its
/// last octet.
async fn stall(peer: RawPeer, mechanism: Mechanism, stop: Stop) -> Outcome {
    let mut honest = Honest::new(peer, mechanism);
    for _ in 0..stop.flights {
        let flight = honest.next_flight().await.unwrap();
        honest.peer.send(&flight).await.unwrap();
    }
    let flight = honest.next_flight().await.unwrap();
    let octets = stop.octets.min(flight.len() - 1);
    honest.peer.send(&flight[..octets]).await.unwrap();
    match honest.peer.recv_until_closed().await {
        Ok(_) => Outcome::Closed,
        Err(_) => Outcome::StillOpen,
    }
}

/// Sends what an honest peer would, one octet now and then.
async fn crawl(peer: RawPeer, mechanism: Mechanism) -> Outcome {
    let began = Instant::now();
    let mut honest = Honest::new(peer, mechanism);
    while began.elapsed() < PATIENCE {
        let Ok(flight) = honest.next_flight().await else {
            return Outcome::Closed;
        };
        for octet in flight {
            if honest.peer.send(&[octet]).await.is_err() {
                return Outcome::Closed;
            }
            tokio::time::sleep(SHORT / 40).await;
        }
    }
    Outcome::StillOpen
}

/// Attacks a server that gives everybody little time.
async fn attack_server(role: &'static str, flights: usize, as_mechanism: Mechanism) {
    let client = match as_mechanism {
        Mechanism::Null => PushSocket::builder(),
        Mechanism::PlainClient => PushSocket::builder()
            .plain_client("admin", "correct-horse-battery")
            .unwrap(),
        _ => PushSocket::builder().curve_client(*server_pair().public_key(), client_pair()),
    };
    let mut victim = start(role).await;
    let mut healthy = Healthy::connect_as(client, &victim).await;
    let stops = stops(flights);
    let address = victim.address();
    let attack = join_all(stops.iter().map(|stop| async move {
        let peer = RawPeer::connect(address).await.unwrap();
        (stop, stall(peer, as_mechanism, *stop).await)
    }));
    let crawling = async {
        let peer = RawPeer::connect(address).await.unwrap();
        crawl(peer, as_mechanism).await
    };
    let attack = async { tokio::join!(attack, crawling) };
    let (stalled, crawled) = healthy.beside(&victim, attack).await;
    check(&mut victim, role, &stalled).await;
    let alike = "octet by octet the deadline is the same";
    assert_eq!(crawled, Outcome::Closed, "{role}: {alike}");
    healthy.assert_undisturbed(role).await;
}

async fn check(victim: &mut Victim, role: &str, stalled: &[(&Stop, Outcome)]) {
    for (stop, outcome) in stalled {
        assert_eq!(*outcome, Outcome::Closed, "{role}: {stop:?}");
    }
    victim.assert_unharmed(role, LITTLE);
    // And the one that crawls.
    victim.assert_warnings(role, stalled.len() + 1).await;
}

/// Attacks a client that gives everybody little time, from many servers at once.
async fn attack_client(role: &'static str, flights: usize, as_mechanism: Mechanism) {
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
    let stops = stops(flights);
    let mut listeners = Vec::new();
    for _ in 0..=stops.len() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.push(listener.local_addr().unwrap());
        listeners.push(listener);
    }
    let mut victim = plan(role).connecting_to(&addresses).start().await.unwrap();
    let mut healthy = Healthy::attach(server, &victim).await;
    let last = listeners.pop().unwrap();
    let attack = join_all(
        listeners
            .iter()
            .zip(&stops)
            .map(|(listener, stop)| async move {
                let peer = RawPeer::accept(listener).await.unwrap();
                (stop, stall(peer, as_mechanism, *stop).await)
            }),
    );
    let crawling = async {
        let peer = RawPeer::accept(&last).await.unwrap();
        crawl(peer, as_mechanism).await
    };
    let attack = async { tokio::join!(attack, crawling) };
    let (stalled, crawled) = healthy.beside(&victim, attack).await;
    check(&mut victim, role, &stalled).await;
    let alike = "octet by octet the deadline is the same";
    assert_eq!(crawled, Outcome::Closed, "{role}: {alike}");
    healthy.assert_undisturbed(role).await;
}

/// ZMTP31-025, ZMTP31-153, INT-016, INT-017: greeting, READY, message.
#[tokio::test]
async fn nobody_stays_who_stops_or_crawls_in_null() {
    attack_server("short NULL", 3, Mechanism::Null).await;
    attack_client("short NULL", 3, Mechanism::Null).await;
}

/// INT-016, INT-017: greeting, HELLO, INITIATE, message; and greeting, WELCOME, READY, message.
#[tokio::test]
async fn nobody_stays_who_stops_or_crawls_in_plain() {
    attack_server("short PLAIN server", 4, Mechanism::PlainClient).await;
    attack_client("short PLAIN client", 4, Mechanism::PlainServer).await;
}

/// INT-016, INT-017: greeting, HELLO, INITIATE, message; and greeting, WELCOME, READY, message.
#[tokio::test]
async fn nobody_stays_who_stops_or_crawls_in_curve() {
    attack_server("short CURVE server", 4, Mechanism::CurveClient).await;
    attack_client("short CURVE client", 4, Mechanism::CurveServer).await;
}

/// INT-030: silence costs the handshake its place, whatever else happens.
#[tokio::test]
async fn the_end_of_a_slow_peer_comes_in_time() {
    let victim = start("short NULL").await;
    let began = Instant::now();
    let mut silent = RawPeer::connect(victim.address()).await.unwrap();
    silent.recv_until_closed().await.unwrap();
    let took = began.elapsed();
    let soon = SHORT + Duration::from_secs(5);
    assert!((SHORT..soon).contains(&took), "{took:?}");
}
