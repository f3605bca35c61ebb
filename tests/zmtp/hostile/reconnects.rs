//! Servers that a socket comes back to, or not, and clients that come back themselves.

use std::time::Duration;

use tests::bytes::{
    claim, command, error, frame, greeting, greeting_with_mechanism, message, ready,
};
use tests::raw_peer::{PATIENCE, RawPeer};
use tokio::net::TcpListener;

use super::victim::{Healthy, LITTLE, plan, start};

/// Long enough for several attempts of a victim, were any made.
pub(crate) const QUIET: Duration = Duration::from_millis(300);

/// How often each server or client does the same.
const TIMES: usize = 3;

/// Whether a client comes back to a server that ends a connection like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comes {
    Again,
    NoMore,
}

/// What somebody does from the start of a connection on, and what comes of it.
struct Conduct {
    name: &'static str,
    says: Vec<u8>,
    comes: Comes,
    /// How many warnings it is worth.
    acts: usize,
}

/// R1 to R8 of the reconnections that libzmq makes, each with what the specification has of the same.
fn conducts() -> Vec<Conduct> {
    [in_the_handshake(), after_the_handshake()]
        .into_iter()
        .flatten()
        .collect()
}

fn conduct(name: &'static str, says: &[&[u8]], comes: Comes, acts: usize) -> Conduct {
    Conduct {
        name,
        says: says.concat(),
        comes,
        acts,
    }
}

fn in_the_handshake() -> Vec<Conduct> {
    let ours = greeting(3, 1);
    let mut v2 = b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x08\0\0".to_vec();
    v2.resize(64, 0);
    vec![
        conduct("closes", &[], Comes::Again, 1),
        conduct("closes after its greeting", &[&ours], Comes::Again, 1),
        conduct("ERROR 400", &[&ours, &error("400")], Comes::NoMore, 1),
        conduct(
            "ERROR without a reason",
            &[&ours, &error("")],
            Comes::NoMore,
            1,
        ),
        conduct(
            "ERROR cut",
            &[&ours, &command("ERROR", b"\x09ab")],
            Comes::NoMore,
            1,
        ),
        conduct(
            "another mechanism",
            &[&greeting_with_mechanism(3, 1, b"CURVE")],
            Comes::NoMore,
            1,
        ),
        conduct("version 2", &[&v2], Comes::NoMore, 1),
        conduct("version 1", &[b"\x01\0\x06\0hello"], Comes::NoMore, 1),
        conduct(
            "another protocol",
            &[b"HTTP/1.1 400\r\n\r\n"],
            Comes::NoMore,
            1,
        ),
        conduct("another type", &[&ours, &ready("PUB")], Comes::NoMore, 1),
        conduct(
            "another command",
            &[&ours, &command("FOO", b"")],
            Comes::NoMore,
            1,
        ),
        conduct(
            "a message first",
            &[&ours, &message(&[b"hi"])],
            Comes::NoMore,
            1,
        ),
    ]
}

fn after_the_handshake() -> Vec<Conduct> {
    let open = [greeting(3, 1), ready("PUSH")].concat();
    vec![
        conduct(
            "too large a frame",
            &[&open, &claim(0, 1 << 62)],
            Comes::Again,
            1,
        ),
        conduct(
            "a reserved flag",
            &[&open, &frame(0x80, b"x")],
            Comes::Again,
            1,
        ),
        conduct(
            "closes after a message",
            &[&open, &message(&[b"news"])],
            Comes::Again,
            0,
        ),
    ]
}

/// Says all it has to, and ends the connection when the other side has done with it.
async fn act(conduct: &Conduct, mut peer: RawPeer) {
    // The victim may have heard enough before.
    let _ = peer.send(&conduct.says).await;
    let _ = peer.finish().await;
    peer.recv_until_closed().await.unwrap();
}

/// ZMTP31-061, ZMTP31-082, ZMTP31-093, ZMTP31-095, ZMTP31-100, INT-033, LZ-079: R1 to R8.
#[tokio::test]
async fn a_client_comes_back_to_those_that_may_get_better_and_to_no_others() {
    let conducts = conducts();
    let mut listeners = Vec::new();
    let mut addresses = Vec::new();
    for _ in &conducts {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.push(listener.local_addr().unwrap());
        listeners.push(listener);
    }
    let plan = plan("pull").connecting_to(&addresses);
    let victim = plan.start().await.unwrap();
    let mut healthy = Healthy::connect(&victim).await;
    let mut acts = 0;
    let mut reformed = Vec::new();
    for (listener, conduct) in listeners.iter().zip(&conducts) {
        let times = match conduct.comes {
            Comes::Again => TIMES,
            Comes::NoMore => 1,
        };
        for _ in 0..times {
            let acting = async { act(conduct, RawPeer::accept(listener).await.unwrap()).await };
            healthy.beside(&victim, acting).await;
            acts += conduct.acts;
        }
        let window = match conduct.comes {
            Comes::Again => PATIENCE,
            Comes::NoMore => QUIET,
        };
        let again = tokio::time::timeout(window, RawPeer::accept(listener)).await;
        assert_eq!(
            again.is_ok(),
            conduct.comes == Comes::Again,
            "{}",
            conduct.name
        );
        if let Ok(peer) = again {
            // From now on there is nothing wrong with it.
            let mut peer = peer.unwrap();
            peer.handshake("PUSH").await.unwrap();
            reformed.push(peer);
        }
    }
    let what = "servers that let nobody in";
    victim.conclude(what, LITTLE, acts, healthy).await;
}

/// INT-030: the same in the other role. A listener bears nobody a grudge, and does for each of them no
/// more than for the first.
#[tokio::test]
async fn a_listener_hears_everybody_out_who_comes_back() {
    for conduct in conducts() {
        let victim = start("pull").await;
        let mut healthy = Healthy::connect(&victim).await;
        for _ in 0..TIMES {
            let peer = RawPeer::connect(victim.address()).await.unwrap();
            healthy.beside(&victim, act(&conduct, peer)).await;
        }
        let acts = conduct.acts * TIMES;
        victim.conclude(conduct.name, LITTLE, acts, healthy).await;
    }
}

/// INT-034, LZ-078: R10, who lets everybody in and out again is asked less and less often.
#[tokio::test]
async fn a_client_does_not_storm_a_server_that_closes_at_once() {
    const WINDOW: Duration = Duration::from_secs(2);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = [listener.local_addr().unwrap()];
    let plan = plan("patient client").connecting_to(&at);
    let victim = plan.start().await.unwrap();
    let mut healthy = Healthy::connect(&victim).await;
    let mut attempts = 0;
    let closing = async {
        loop {
            drop(listener.accept().await.unwrap());
            attempts += 1;
        }
    };
    let closing = tokio::time::timeout(WINDOW, closing);
    assert!(healthy.beside(&victim, closing).await.is_err());
    // With 50 ms in between from first to last it would be forty; the delay doubles, up to 400 ms.
    assert!((2..25).contains(&attempts), "{attempts} attempts");
    let what = "a server that closes at once";
    // Whether a connection ended, or was reset, is a matter of chance; only the former is told.
    victim.conclude(what, LITTLE, 0..=attempts, healthy).await;
}

/// INT-035, LZ-080: R11.
#[tokio::test]
async fn a_client_that_may_not_come_back_does_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = [listener.local_addr().unwrap()];
    let plan = plan("one attempt").connecting_to(&at);
    let victim = plan.start().await.unwrap();
    let healthy = Healthy::connect(&victim).await;
    drop(RawPeer::accept(&listener).await.unwrap());
    let again = tokio::time::timeout(QUIET, listener.accept()).await;
    assert!(again.is_err());
    victim.conclude("one attempt", LITTLE, 0..=1, healthy).await;
}

/// ZMTP31-153, INT-016, INT-033: R9, a server that says nothing is left at the deadline, and asked again.
#[tokio::test]
async fn a_client_leaves_a_silent_server_in_time_and_comes_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = [listener.local_addr().unwrap()];
    let plan = plan("short NULL").connecting_to(&at);
    let victim = plan.start().await.unwrap();
    let mut healthy = Healthy::connect(&victim).await;
    let silence = async {
        let mut silent = RawPeer::accept(&listener).await.unwrap();
        silent.recv_until_closed().await.unwrap();
        RawPeer::accept(&listener).await.unwrap()
    };
    let again = healthy.beside(&victim, silence).await;
    let what = "a server that says nothing";
    // It is left once, and again each time that this takes as long.
    victim.conclude(what, LITTLE, 1..=5, healthy).await;
    drop(again);
}
