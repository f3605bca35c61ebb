//! Everything at once, for as long as one likes, with peers that are restarted all the time: what
//! the process holds stays the same.
//!
//! Without more ado that takes some seconds. For an hour, with a line each minute:
//!
//! ```sh
//! SOAK_SECONDS=3600 SOAK_SAMPLE=60 cargo test --release -p tests --test endurance -- --nocapture
//! ```
//!
//! `SOAK_RATE` says how many messages each of the lanes sends in ten milliseconds.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something fails, and says where"
)]

mod calls;
mod holdings;
mod lane;
mod sockets;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tests::random::Random;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use zmtp::authenticator::AnyKey;
use zmtp::curve::{KeyPair, SecretKey};
use zmtp::{PairSocket, PubSocket, PullSocket, PushSocket, SubSocket, XPubSocket, XSubSocket};

use calls::Secured;
use holdings::{Holdings, assert_flat};
use lane::{Lane, PATIENCE, Tally};
use sockets::{one_way, quick};

/// The share of the time after which every cache and buffer is as large as it gets.
const WARM_UP: u32 = 4;

/// What has happened in each of the lanes.
type Tallies = Vec<(&'static str, Arc<Tally>)>;

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Returns what an environment variable asks for.
fn asked(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

fn key_pair() -> KeyPair {
    KeyPair::new(SecretKey::from_octets([0x51; 32]))
}

/// One of each kind.
fn lanes(mut lane: impl FnMut(&'static str) -> Lane) -> Vec<Running> {
    vec![
        Box::pin(one_way::<PushSocket, PullSocket>(
            lane("PUSH, PULL"),
            || quick().build(),
            || quick().build(),
        )),
        Box::pin(one_way::<PushSocket, PullSocket>(
            lane("PUSH, PULL with CURVE"),
            || {
                let server_key = key_pair().public_key();
                quick()
                    .curve_client(server_key, KeyPair::generate())
                    .build()
            },
            || {
                quick()
                    .curve_server(key_pair())
                    .authenticator(AnyKey)
                    .build()
            },
        )),
        Box::pin(one_way::<PubSocket, SubSocket>(
            lane("PUB, SUB"),
            || quick().build(),
            || {
                let socket: SubSocket = quick().build();
                socket.subscribe("");
                socket
            },
        )),
        Box::pin(one_way::<XPubSocket, XSubSocket>(
            lane("XPUB, XSUB"),
            || quick().build(),
            || {
                let socket: XSubSocket = quick().build();
                socket.subscribe("");
                socket
            },
        )),
        Box::pin(one_way::<PairSocket, PairSocket>(
            lane("PAIR, PAIR"),
            || quick().build(),
            || quick().build(),
        )),
        Box::pin(sockets::dealer_and_router(lane("DEALER, ROUTER"))),
        Box::pin(sockets::request_and_reply(lane("REQ, REP"))),
        Box::pin(calls::calls(lane("calls"), Secured::Not)),
        Box::pin(calls::calls(lane("calls with CURVE"), Secured::WithCurve)),
        Box::pin(calls::pushed(lane("pushed events"))),
        Box::pin(calls::published(lane("published events"))),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_stays_the_same_while_peers_come_and_go() {
    let duration = Duration::from_secs(asked("SOAK_SECONDS", 6));
    let sample = duration / 60;
    let sample = Duration::from_secs(asked("SOAK_SAMPLE", 0)).max(sample);
    let rate = asked("SOAK_RATE", 2);
    let mut random = Random::from_environment("SOAK_SEED", 1);

    let before = Holdings::now();
    let mut tallies = Tallies::new();
    let (over, end) = watch::channel(false);
    let mut running = JoinSet::new();
    let lanes = lanes(|name| {
        let tally = Arc::<Tally>::default();
        tallies.push((name, Arc::clone(&tally)));
        Lane::new(tally, random.fork(), rate, end.clone())
    });
    for lane in lanes {
        running.spawn(lane);
    }

    let began = Instant::now();
    let mut samples = Vec::new();
    while began.elapsed() < duration {
        tokio::select! {
            () = tokio::time::sleep(sample) => {}
            Some(ended) = running.join_next() => panic!("a lane ended: {ended:?}"),
        }
        let held = Holdings::now();
        show(began.elapsed(), held, &tallies);
        if began.elapsed() > duration / WARM_UP {
            samples.push(held);
        }
    }
    tokio::select! {
        () = every_lane_is_alive(&tallies) => {}
        Some(ended) = running.join_next() => panic!("a lane ended: {ended:?}"),
    }
    over.send_replace(true);
    while let Some(ended) = lane::in_time(running.join_next()).await {
        ended.unwrap();
    }
    for (name, tally) in &tallies {
        let [calls, items] = [&tally.calls, &tally.items].map(|one| one.load(Ordering::Relaxed));
        assert_eq!(calls != 0, items != 0, "{name}: {tally:?}");
    }
    Holdings::assert_back_at(before).await;
    show(began.elapsed(), Holdings::now(), &tallies);
    assert_flat(&samples, duration);
}

/// Waits until each lane has delivered across a restart, and goes on doing so.
async fn every_lane_is_alive(tallies: &Tallies) {
    for (name, tally) in tallies {
        let before = tally.delivered();
        let deadline = Instant::now() + PATIENCE;
        while !tally.is_alive_since(before) {
            assert!(Instant::now() < deadline, "{name} is dead: {tally:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the figures of a long run are what it is for"
)]
fn show(elapsed: Duration, held: Holdings, tallies: &Tallies) {
    let count = |counter: fn(&Tally) -> &AtomicU64| -> u64 {
        let counters = tallies.iter().map(|(_, tally)| counter(tally));
        counters.map(|one| one.load(Ordering::Relaxed)).sum()
    };
    println!(
        "{:6.1} s: {held}; {} sent, {} calls, {} of them lost, {} delivered, {} items, {} restarts",
        elapsed.as_secs_f64(),
        count(|tally| &tally.sent),
        count(|tally| &tally.calls),
        count(|tally| &tally.calls_lost),
        count(|tally| &tally.delivered),
        count(|tally| &tally.items),
        count(|tally| &tally.lives),
    );
}
