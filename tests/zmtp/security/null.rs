//! NULL with an authenticator: who comes in is a matter of addresses.

use std::time::Duration;

use tests::bytes::{error, greeting, message, ready};
use zmtp::authenticator::{Addresses, Authenticator, Candidate, Decision, Denial, from_fn};
use zmtp::wire::metadata::Metadata;
use zmtp::{Builder, PullSocket, PushSocket, Socket};

use super::support::Server;

/// The first peer comes in; about the others the authenticator is asked.
fn after_the_first<A: Authenticator>(other: A) -> Builder<PullSocket> {
    let other = std::sync::Arc::new(other);
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    PullSocket::builder().authenticator(from_fn(move |candidate: Candidate| {
        let is_first = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        let other = std::sync::Arc::clone(&other);
        async move {
            if is_first {
                return Decision::allowed();
            }
            other.authenticate(&candidate).await
        }
    }))
}

async fn start(authenticator: impl Authenticator) -> Server {
    Server::start(after_the_first(authenticator), PushSocket::builder())
        .await
        .unwrap()
}

// ZAP-025, ZAP-037, ZAP-041, ZAP-027
#[tokio::test]
async fn a_peer_that_is_denied_gets_the_code_and_nothing_else() {
    let nowhere = Addresses::allow(["192.0.2.0/24".parse().unwrap()]);
    let server = start(nowhere).await;
    let mut peer = server.connect().await;
    peer.send(&[greeting(3, 1), ready("PUSH"), message(&[b"never"])].concat())
        .await
        .unwrap();
    let last_words = peer.recv_until_closed().await.unwrap();
    assert_eq!(last_words, [greeting(3, 1), error("400")].concat());
    drop(peer);
    let reason = server.expect_one_fault(&["never"]).await;
    assert!(reason.contains("400"), "{reason}");
}

// ZAP-024, ZAP-026
#[tokio::test]
async fn temporary_denials_are_silent_and_failures_are_told() {
    for (denial, last) in [
        (Denial::Temporary, Vec::new()),
        (Denial::InternalError, error("500")),
    ] {
        let server = start(from_fn(move |_| async move { Decision::Deny(denial) })).await;
        let mut peer = server.connect().await;
        peer.send(&greeting(3, 1)).await.unwrap();
        let last_words = peer.recv_until_closed().await.unwrap();
        assert_eq!(last_words, [greeting(3, 1), last].concat());
        drop(peer);
        server.expect_one_fault(&[]).await;
    }
}

// ZAP-038, ZAP-041
#[tokio::test]
async fn ready_is_withheld_until_somebody_has_decided() {
    let release = std::sync::Arc::new(tokio::sync::Notify::new());
    let released = std::sync::Arc::clone(&release);
    let mut server = start(from_fn(move |_| {
        let released = std::sync::Arc::clone(&released);
        async move {
            released.notified().await;
            Decision::allowed()
        }
    }))
    .await;
    let mut peer = server.connect().await;
    let octets = [greeting(3, 1), ready("PUSH"), message(&[b"late"])].concat();
    peer.send(&octets).await.unwrap();
    assert_eq!(peer.recv_greeting().await.unwrap(), greeting(3, 1));
    let nothing = peer.recv_for(Duration::from_millis(50)).await.unwrap();
    assert!(nothing.is_empty(), "{nothing:x?}");
    release.notify_one();
    assert!(peer.recv_frame().await.unwrap().is_command("READY"));
    assert_eq!(server.recv().await, ["late"]);
}

// ZAP-007, ZAP-042, INT-016
#[tokio::test]
async fn who_never_decides_lets_nobody_in() {
    let builder = after_the_first(from_fn(|_| std::future::pending()))
        .handshake_timeout(Duration::from_millis(200));
    let server = Server::start(builder, PushSocket::builder()).await.unwrap();
    let mut peer = server.connect().await;
    peer.send(&[greeting(3, 1), ready("PUSH")].concat())
        .await
        .unwrap();
    assert_eq!(peer.recv_until_closed().await.unwrap(), greeting(3, 1));
    drop(peer);
    let reason = server.expect_one_fault(&[]).await;
    assert!(reason.contains("in time"), "{reason}");
}

// ZAP-026
#[tokio::test]
async fn who_panics_lets_nobody_in() {
    let server = start(from_fn(|_| async { panic!("the authenticator fails") })).await;
    let mut peer = server.connect().await;
    peer.send(&[greeting(3, 1), ready("PUSH")].concat())
        .await
        .unwrap();
    let last_words = peer.recv_until_closed().await.unwrap();
    assert_eq!(last_words, [greeting(3, 1), error("500")].concat());
    drop(peer);
    let reason = server.expect_one_fault(&[]).await;
    assert!(reason.contains("500"), "{reason}");
}

// ZAP-042
#[tokio::test]
async fn a_peer_that_goes_while_it_is_asked_about_is_forgotten() {
    let (dropped, was_dropped) = tokio::sync::oneshot::channel::<()>();
    let dropped = std::sync::Mutex::new(Some(dropped));
    let server = start(from_fn(move |_| {
        let dropped = dropped.lock().unwrap().take();
        async move {
            let _dropped = dropped;
            std::future::pending().await
        }
    }))
    .await;
    let mut peer = server.connect().await;
    peer.send(&greeting(3, 1)).await.unwrap();
    peer.recv_greeting().await.unwrap();
    drop(peer);
    let gone = async { Ok(was_dropped.await) };
    let gone = tests::raw_peer::within(gone).await.unwrap();
    assert!(gone.is_err(), "the question is dropped with the connection");
    server.expect_one_fault(&[]).await;
}

// A peer that is decided about may send more than it has to say, but not without limit.
#[tokio::test]
async fn nothing_is_read_on_and_on_while_somebody_decides() {
    let builder = after_the_first(from_fn(|_| std::future::pending()))
        .handshake_timeout(Duration::from_secs(3));
    let server = Server::start(builder, PushSocket::builder()).await.unwrap();
    let mut peer = server.connect().await;
    peer.send(&greeting(3, 1)).await.unwrap();
    let flood = vec![0; 64 * 1024 * 1024];
    let sent = tokio::time::timeout(Duration::from_millis(200), peer.send(&flood)).await;
    assert!(sent.is_err(), "the socket stops to read");
    drop(peer);
    server.expect_one_fault(&[]).await;
}

// ZAP-029, ZAP-030
#[tokio::test]
async fn what_was_decided_is_apart_from_what_the_peer_says() {
    let mut metadata = Metadata::new();
    metadata.insert("X-Role", "admin").unwrap();
    let decision = Decision::Allow {
        user_id: Some("joe".into()),
        metadata,
    };
    let mut server = start(from_fn(move |candidate| {
        let decision = decision.clone();
        async move {
            assert!(candidate.address.ip().is_some_and(|ip| ip.is_loopback()));
            decision
        }
    }))
    .await;
    let mut peer = server.connect().await;
    let ready = tests::bytes::ready_with(&[
        ("Socket-Type", b"PUSH"),
        ("x-role", b"guest"),
        ("X-Admin", b"yes"),
        ("User-Id", b"root"),
    ]);
    peer.handshake_with(&greeting(3, 1), &ready).await.unwrap();
    let info = loop {
        if let zmtp::SocketEvent::HandshakeSucceeded { peer, .. } = server.next_event().await {
            break server.pull.peer_info(peer).unwrap();
        }
    };
    assert_eq!(info.user_id, Some("joe".into()));
    assert_eq!(info.granted.get("X-Role"), Some(&b"admin".into()));
    assert_eq!(info.granted.get("X-Admin"), None);
    assert_eq!(info.metadata.get("X-Role"), Some(&b"guest".into()));
    assert_eq!(info.metadata.get("User-Id"), None);
}
