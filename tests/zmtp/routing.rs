//! How a ROUTER names its peers, in bytes.

use tests::bytes::{greeting, message, ready_with};
use tests::raw_peer::{RawPeer, within};
use zmtp::{Message, RouterSocket, Socket};

use crate::suite::address;

async fn dealer(router: &RouterSocket, identity: &[u8]) -> RawPeer {
    let endpoint = router.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    let ready = ready_with(&[("Socket-Type", b"DEALER"), ("Identity", identity)]);
    peer.handshake_with(&greeting(3, 1), &ready).await.unwrap();
    peer
}

async fn recv(router: &mut RouterSocket) -> Message {
    within(async { Ok(router.recv().await) })
        .await
        .unwrap()
        .unwrap()
}

/// REQREP-042, REQREP-043, REQREP-046, INT-003, INT-046, LZ-069.
#[tokio::test]
async fn a_peer_without_identity_gets_one_of_five_octets() {
    let mut router = RouterSocket::new();
    let mut seen = Vec::new();
    for _ in 0..10 {
        let mut peer = dealer(&router, b"").await;
        peer.send(&message(&[b"", b"hello"])).await.unwrap();
        let received = recv(&mut router).await;
        assert_eq!(received.part_count(), 3);
        assert_eq!((received[0].len(), received[0][0]), (5, 0));
        assert!(!seen.contains(&received[0]), "{received:?}");
        seen.push(received[0].clone());
        router.send(received).await.unwrap();
        assert_eq!(peer.recv_message().await.unwrap(), [&b""[..], b"hello"]);
    }
}

/// REQREP-044, REQREP-047.
#[tokio::test]
async fn a_chosen_identity_is_the_address() {
    let mut router = RouterSocket::new();
    let mut peer = dealer(&router, b"me").await;
    peer.send(&message(&[b"hello"])).await.unwrap();
    assert_eq!(recv(&mut router).await, Message::from(["me", "hello"]));
    router.send(["me", "", "reply"]).await.unwrap();
    let expected = message(&[b"", b"reply"]);
    assert_eq!(peer.recv(expected.len()).await.unwrap(), expected);
}

/// ZMTP31-067, ZMTP31-085.
#[tokio::test]
async fn property_names_of_any_letter_case_and_the_longest_identity_are_accepted() {
    let mut router = RouterSocket::new();
    let endpoint = router.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    let identity = [b'x'; 255];
    let ready = ready_with(&[("SOCKET-TYPE", b"DEALER"), ("identity", &identity)]);
    peer.handshake_with(&greeting(3, 1), &ready).await.unwrap();
    peer.send(&message(&[b"hello"])).await.unwrap();
    assert_eq!(recv(&mut router).await[0].as_slice(), identity);
}

/// REQREP-045, INT-047, LZ-070.
#[tokio::test]
async fn the_second_peer_of_an_identity_is_closed() {
    let mut router = RouterSocket::new();
    let mut first = dealer(&router, b"dup").await;
    first.send(&message(&[b"first"])).await.unwrap();
    assert_eq!(recv(&mut router).await, Message::from(["dup", "first"]));
    let mut second = dealer(&router, b"dup").await;
    second.recv_until_closed().await.unwrap();
    router.send(["dup", "still yours"]).await.unwrap();
    assert_eq!(first.recv_message().await.unwrap(), [b"still yours"]);
}

/// REQREP-052.
#[tokio::test]
async fn an_identity_is_free_again_when_its_peer_has_left() {
    let mut router = RouterSocket::new();
    let mut first = dealer(&router, b"me").await;
    first.finish().await.unwrap();
    first.recv_until_closed().await.unwrap();
    let mut second = dealer(&router, b"me").await;
    second.send(&message(&[b"again"])).await.unwrap();
    assert_eq!(recv(&mut router).await, Message::from(["me", "again"]));
}

/// REQREP-048, REQREP-049, LZ-071.
#[tokio::test]
async fn messages_to_nobody_harm_nobody() {
    let mut router = RouterSocket::new();
    let mut peer = dealer(&router, b"me").await;
    peer.send(&message(&[b"hello"])).await.unwrap();
    recv(&mut router).await;
    // Whether the caller is told is an option; nothing may reach the wire.
    let _ = router.send(["nobody", "lost"]).await;
    let _ = router.send("me").await;
    router.send(["me", "found"]).await.unwrap();
    assert_eq!(peer.recv_message().await.unwrap(), [b"found"]);
}
