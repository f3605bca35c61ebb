//! What authenticators are asked about, and what nobody but the application learns from them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tests::bytes::{command, greeting, greeting_with_mechanism, message, property, ready};
use tests::raw_peer::{RawPeer, within};
use tokio::net::TcpListener;
use zmtp::authenticator::{Authenticator, Candidate, Decision, Denial, Passwords, from_fn};
use zmtp::wire::metadata::Metadata;
use zmtp::{Message, PullSocket, PushSocket, Socket, SocketEvent};

use crate::suite::{address, expect_message};

/// Lets everybody in, gives them a name, and notes their addresses in the form of ZAP.
fn noting(seen: &Arc<Mutex<Vec<String>>>) -> impl Authenticator + use<> {
    let seen = Arc::clone(seen);
    from_fn(move |candidate: Candidate| {
        seen.lock().unwrap().push(candidate.zap_address());
        let mut metadata = Metadata::new();
        metadata.insert("X-Private", b"for us").unwrap();
        async move {
            Decision::Allow {
                user_id: Some("joe".into()),
                metadata,
            }
        }
    })
}

/// ZAP-004, ZAP-023, ZAP-031, ZMTP31-157: what was decided is not told to the peer, and nothing is
/// told before.
#[tokio::test]
async fn what_was_decided_is_attached_and_stays_here() {
    let seen = Arc::default();
    let shared: Arc<dyn Authenticator> = Arc::new(noting(&seen));
    for _ in 0..2 {
        let mut pull = PullSocket::builder()
            .authenticator(Arc::clone(&shared))
            .build();
        let mut monitor = pull.monitor();
        let at = address(&pull.bind("tcp://127.0.0.1:*").await.unwrap());
        let mut peer = RawPeer::connect(at).await.unwrap();
        peer.send(&greeting(3, 1)).await.unwrap();
        assert_eq!(peer.recv_greeting().await.unwrap(), greeting(3, 1));
        peer.send(&ready("PUSH")).await.unwrap();
        let answer = peer.recv_frame().await.unwrap();
        let expected = [&b"\x05READY"[..], &property("Socket-Type", b"PULL")].concat();
        assert_eq!(answer.body, expected);
        peer.send(&message(&[b"hello"])).await.unwrap();
        expect_message(&mut pull, &[b"hello"]).await.unwrap();
        let info = within(async {
            loop {
                if let Some(SocketEvent::HandshakeSucceeded { info, .. }) = monitor.recv().await {
                    return Ok(info);
                }
            }
        })
        .await
        .unwrap();
        assert_eq!(info.granted.get("X-Private"), Some(&b"for us".into()));
    }
    assert_eq!(*seen.lock().unwrap(), ["127.0.0.1", "127.0.0.1"]);
}

/// ZAP-044, ZAP-013.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn peers_over_ipc_are_asked_about_and_those_of_the_process_are_not() {
    let seen = Arc::default();
    let mut pull = PullSocket::builder().authenticator(noting(&seen)).build();
    for (endpoint, asked) in [("ipc://*", 1), ("inproc://the-same-process", 1)] {
        let bound = pull.bind(endpoint).await.unwrap();
        let mut push = PushSocket::new();
        push.connect(bound).await.unwrap();
        push.send("hello").await.unwrap();
        expect_message(&mut pull, &[b"hello"]).await.unwrap();
        assert_eq!(seen.lock().unwrap().len(), asked, "{endpoint}");
    }
    let seen = seen.lock().unwrap();
    let of_this_process = format!(":{}", std::process::id());
    assert!(seen[0].starts_with(':'), "{seen:?}");
    assert!(seen[0].ends_with(&of_this_process), "{seen:?}");
}

/// ZAP-047: the events tell the denials apart, and a denial from an authenticator that failed.
#[tokio::test]
async fn events_tell_why_somebody_was_not_let_in() {
    let mut reasons = BTreeSet::new();
    for denial in [Denial::Temporary, Denial::Refused, Denial::InternalError] {
        let pull = PullSocket::builder()
            .authenticator(from_fn(move |_| async move { Decision::Deny(denial) }))
            .build();
        let mut monitor = pull.monitor();
        let at = address(&pull.bind("tcp://127.0.0.1:*").await.unwrap());
        let mut peer = RawPeer::connect(at).await.unwrap();
        peer.send(&[greeting(3, 1), ready("PUSH")].concat())
            .await
            .unwrap();
        peer.recv_until_closed().await.unwrap();
        drop(peer);
        let reason = within(async {
            loop {
                if let Some(SocketEvent::HandshakeFailed { reason, .. }) = monitor.recv().await {
                    return Ok(reason.to_string());
                }
            }
        })
        .await
        .unwrap();
        reasons.insert(reason);
    }
    assert_eq!(reasons.len(), 3, "{reasons:?}");
}

/// ZMTP31-149, ZMTP31-150, ZMTP10-026, ZMTP20-025, LZ-009: who cannot authenticate is closed at once,
/// and nobody is asked about him.
#[tokio::test]
async fn peers_of_older_versions_are_no_way_around() {
    let older = [
        vec![1, 0, 6, 0, b'h', b'e', b'l', b'l', b'o'],
        [
            &[0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 1, 8, 0, 0][..],
            b"\0\x05hello",
        ]
        .concat(),
    ];
    let seen = Arc::default();
    let with_authenticator = PullSocket::builder().authenticator(noting(&seen)).build();
    let with_plain = PullSocket::builder()
        .plain_server()
        .authenticator(noting(&seen))
        .build();
    for mut pull in [with_authenticator, with_plain] {
        let at = address(&pull.bind("tcp://127.0.0.1:*").await.unwrap());
        for octets in &older {
            let mut peer = RawPeer::connect(at).await.unwrap();
            peer.send(octets).await.unwrap();
            let sent = peer.recv_until_closed().await.unwrap();
            assert!(sent.len() <= 64, "{sent:x?}");
        }
        assert!(pull.try_recv().is_err());
    }
    assert_eq!(*seen.lock().unwrap(), [""; 0]);
}

/// ZAP-005, PLAIN-021: a server that was told nobody to ask does not begin.
#[tokio::test]
async fn a_server_without_an_authenticator_lets_nobody_in() {
    let pull = PullSocket::builder().plain_server().build();
    assert!(pull.bind("tcp://127.0.0.1:*").await.is_err());
    assert!(pull.connect("tcp://127.0.0.1:1").await.is_err());
}

/// ZMTP31-014, INT-005, LZ-002: servers of libzmq say that they are none.
#[tokio::test]
async fn a_client_accepts_a_server_that_says_it_is_none() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut push = PushSocket::builder()
        .plain_client("admin", "secret")
        .unwrap()
        .build();
    push.connect(format!("tcp://{}", listener.local_addr().unwrap()))
        .await
        .unwrap();
    let mut server = RawPeer::accept(&listener).await.unwrap();
    let greeting = greeting_with_mechanism(3, 1, b"PLAIN");
    assert_eq!(greeting[32], 0);
    server.send(&greeting).await.unwrap();
    server.recv_greeting().await.unwrap();
    let hello = command("HELLO", b"\x05admin\x06secret");
    assert_eq!(server.recv(hello.len()).await.unwrap(), hello);
    server.send(&command("WELCOME", b"")).await.unwrap();
    assert!(server.recv_frame().await.unwrap().is_command("INITIATE"));
    server.send(&ready("PULL")).await.unwrap();
    push.send("hello").await.unwrap();
    assert_eq!(server.recv_message().await.unwrap(), [b"hello"]);
}

/// INT-023, ZAP-007: those who wait to be let in hold up nobody, and leave nothing behind.
#[tokio::test]
async fn a_crowd_that_nobody_decides_about_leaves_no_trace() {
    let mut users = Passwords::new();
    users.insert("admin", "secret").unwrap();
    let users = Arc::new(users);
    let slow_for_others = from_fn(move |candidate: Candidate| {
        let users = Arc::clone(&users);
        async move {
            match users.authenticate(&candidate).await {
                Decision::Deny(_) => std::future::pending().await,
                allowed @ Decision::Allow { .. } => allowed,
            }
        }
    });
    let mut pull = PullSocket::builder()
        .plain_server()
        .authenticator(slow_for_others)
        .handshake_timeout(Duration::from_secs(1))
        .build();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut crowd = Vec::new();
    for _ in 0..100 {
        let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
        let hello = command("HELLO", b"\x05admin\x05wrong");
        let octets = [greeting_with_mechanism(3, 1, b"PLAIN"), hello].concat();
        peer.send(&octets).await.unwrap();
        crowd.push(peer);
    }
    let mut push = PushSocket::builder()
        .plain_client("admin", "secret")
        .unwrap()
        .build();
    push.connect(&endpoint).await.unwrap();
    push.send(Message::from("hello")).await.unwrap();
    expect_message(&mut pull, &[b"hello"]).await.unwrap();
    for mut peer in crowd {
        peer.recv_until_closed().await.unwrap();
    }
    assert_eq!(pull.peers().len(), 1);
}
