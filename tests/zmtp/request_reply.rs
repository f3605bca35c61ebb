//! Envelopes of REQ, REP and DEALER, in bytes.

use std::net::SocketAddr;
use std::time::Duration;

use tests::bytes::{MORE, frame, message, ping};
use tests::raw_peer::{RawPeer, within};
use zmtp::{DealerSocket, Message, RepSocket, ReqSocket, Socket};

use crate::suite::address;

async fn bound(socket: &impl Socket) -> SocketAddr {
    address(&socket.bind("tcp://127.0.0.1:*").await.unwrap())
}

async fn connected(address: SocketAddr, socket_type: &str) -> RawPeer {
    let mut peer = RawPeer::connect(address).await.unwrap();
    peer.handshake(socket_type).await.unwrap();
    peer
}

async fn request(rep: &mut RepSocket) -> Message {
    within(async { Ok(rep.recv().await) })
        .await
        .unwrap()
        .unwrap()
}

async fn reply(req: &mut ReqSocket) -> Message {
    within(async { Ok(req.recv().await) })
        .await
        .unwrap()
        .unwrap()
}

/// REQREP-003, REQREP-004, REQREP-013.
#[tokio::test]
async fn a_request_has_a_delimiter_that_nobody_sees() {
    let mut req = ReqSocket::new();
    let mut server = connected(bound(&req).await, "REP").await;
    req.send("hi").await.unwrap();
    let expected = message(&[b"", b"hi"]);
    assert_eq!(server.recv(expected.len()).await.unwrap(), expected);
    server.send(&message(&[b"", b"a", b"b"])).await.unwrap();
    assert_eq!(reply(&mut req).await, Message::from(["a", "b"]));
    req.send("").await.unwrap();
    let expected = message(&[b"", b""]);
    assert_eq!(server.recv(expected.len()).await.unwrap(), expected);
}

/// REQREP-002.
#[tokio::test]
async fn requests_and_replies_alternate() {
    let mut req = ReqSocket::new();
    let mut server = connected(bound(&req).await, "REP").await;
    assert!(req.recv().await.is_err(), "a reply before any request");
    req.send("one").await.unwrap();
    assert!(req.send("two").await.is_err(), "a request before the reply");
    server.recv_message().await.unwrap();
    server.send(&message(&[b"", b"reply"])).await.unwrap();
    assert_eq!(reply(&mut req).await, Message::from("reply"));
}

/// REQREP-009, LZ-066.
#[tokio::test]
async fn a_message_without_delimiter_is_no_reply() {
    let mut req = ReqSocket::new();
    let mut server = connected(bound(&req).await, "REP").await;
    req.send("hi").await.unwrap();
    server.recv_message().await.unwrap();
    let octets = [
        message(&[b"ok"]),
        message(&[b"not", b"", b"ok"]),
        message(&[b""]),
        message(&[b"", b"reply"]),
    ];
    server.send(&octets.concat()).await.unwrap();
    assert_eq!(reply(&mut req).await, Message::from("reply"));
}

/// REQREP-008.
#[tokio::test]
async fn only_the_asked_server_may_reply() {
    let mut req = ReqSocket::new();
    let address = bound(&req).await;
    let mut first = connected(address, "REP").await;
    let mut second = connected(address, "REP").await;
    req.send("hi").await.unwrap();
    let (asked, other) = tokio::select! {
        request = first.recv_message() => request.map(|_| (&mut first, &mut second)),
        request = second.recv_message() => request.map(|_| (&mut second, &mut first)),
    }
    .unwrap();
    let unasked = [message(&[b"", b"unasked"]), ping(0, b"")].concat();
    other.send(&unasked).await.unwrap();
    assert!(other.recv_frame().await.unwrap().is_command("PONG"));
    asked.send(&message(&[b"", b"asked"])).await.unwrap();
    assert_eq!(reply(&mut req).await, Message::from("asked"));
}

/// REQREP-016, REQREP-017, REQREP-019, REQREP-020.
#[tokio::test]
async fn a_reply_carries_the_envelope_of_its_request() {
    let mut rep = RepSocket::new();
    let address = bound(&rep).await;
    let mut client = connected(address, "DEALER").await;
    let mut other = connected(address, "DEALER").await;
    client
        .send(&message(&[b"A", b"B", b"", b"x"]))
        .await
        .unwrap();
    assert_eq!(request(&mut rep).await, Message::from("x"));
    rep.send("y").unwrap();
    let expected = message(&[b"A", b"B", b"", b"y"]);
    assert_eq!(client.recv(expected.len()).await.unwrap(), expected);
    let quiet = other.recv_for(Duration::from_millis(30)).await.unwrap();
    assert_eq!(quiet, b"");
}

/// REQREP-024, REQREP-026, LZ-068.
#[tokio::test]
async fn requests_without_delimiter_or_data_are_dropped() {
    let mut rep = RepSocket::new();
    let mut client = connected(bound(&rep).await, "REQ").await;
    let octets = [
        message(&[b"x"]),
        message(&[b"x", b"y"]),
        message(&[b""]),
        message(&[b"x", b""]),
        message(&[b"", b"good"]),
    ];
    client.send(&octets.concat()).await.unwrap();
    assert_eq!(request(&mut rep).await, Message::from("good"));
    rep.send("reply").unwrap();
    client.send(&message(&[b"", b""])).await.unwrap();
    client.recv_message().await.unwrap();
    assert_eq!(request(&mut rep).await, Message::from(""));
}

/// REQREP-025.
#[tokio::test]
async fn an_endless_envelope_ends_the_connection() {
    let mut rep = RepSocket::new();
    let address = bound(&rep).await;
    let mut hostile = connected(address, "REQ").await;
    let _ = hostile.send(&frame(MORE, b"x").repeat(100_000)).await;
    hostile.recv_until_closed().await.unwrap();
    let mut client = connected(address, "REQ").await;
    client.send(&message(&[b"", b"good"])).await.unwrap();
    assert_eq!(request(&mut rep).await, Message::from("good"));
}

/// REQREP-021, REQREP-022.
#[tokio::test]
async fn a_reply_to_a_client_that_left_is_discarded() {
    let mut rep = RepSocket::new();
    let address = bound(&rep).await;
    let mut gone = connected(address, "REQ").await;
    gone.send(&message(&[b"", b"one"])).await.unwrap();
    assert_eq!(request(&mut rep).await, Message::from("one"));
    gone.finish().await.unwrap();
    gone.recv_until_closed().await.unwrap();
    // Whether the caller is told or not, the next request is served.
    let _ = rep.send("lost");
    let mut client = connected(address, "REQ").await;
    client.send(&message(&[b"", b"two"])).await.unwrap();
    assert_eq!(request(&mut rep).await, Message::from("two"));
}

/// REQREP-028, ZMTP31-026, ZMTP31-031, ZMTP31-154.
#[tokio::test]
async fn a_dealer_adds_nothing() {
    let mut dealer = DealerSocket::new();
    let mut peer = connected(bound(&dealer).await, "ROUTER").await;
    dealer.send("hi").await.unwrap();
    dealer.send(["", "a", ""]).await.unwrap();
    dealer.send(vec![7; 255]).await.unwrap();
    dealer.send(vec![7; 256]).await.unwrap();
    let expected = [
        message(&[b"hi"]),
        message(&[b"", b"a", b""]),
        message(&[&[7; 255]]),
        message(&[&[7; 256]]),
    ]
    .concat();
    assert_eq!(peer.recv(expected.len()).await.unwrap(), expected);
}

/// REQREP-033, REQREP-037, ZMTP31-103.
#[tokio::test]
async fn a_dealer_goes_round_its_peers_with_whole_messages() {
    let mut dealer = DealerSocket::new();
    let address = bound(&dealer).await;
    let mut peers = [
        connected(address, "ROUTER").await,
        connected(address, "ROUTER").await,
    ];
    for peer in &mut peers {
        // A message received proves that the peer is attached.
        peer.send(&message(&[b"here"])).await.unwrap();
        within(async { Ok(dealer.recv().await) })
            .await
            .unwrap()
            .unwrap();
    }
    for number in 0..4_u8 {
        dealer.send([&[number][..], b"tail"]).await.unwrap();
    }
    for peer in &mut peers {
        let first = peer.recv_message().await.unwrap();
        let second = peer.recv_message().await.unwrap();
        assert_eq!(first[0][0] + 2, second[0][0]);
        assert_eq!(second[1], b"tail");
    }
}
