//! The options of REQ, DEALER and ROUTER, in bytes.

use std::net::SocketAddr;
use std::time::Duration;

use tests::bytes::{greeting, message, property, ready_with};
use tests::raw_peer::{RawPeer, within};
use tokio::net::TcpListener;
use zmtp::wire::metadata::{Metadata, Resource};
use zmtp::{
    DealerSocket, DisconnectReason, Message, Monitor, PullSocket, ReqSocket, RouterNotify,
    RouterSocket, Socket, SocketEvent,
};

use crate::suite::address;

async fn bound(socket: &impl Socket) -> SocketAddr {
    let endpoint = socket.bind("tcp://127.0.0.1:*").await;
    address(&endpoint.expect("a port is free"))
}

async fn connected(address: SocketAddr, socket_type: &str) -> RawPeer {
    named(address, socket_type, b"").await
}

async fn named(address: SocketAddr, socket_type: &str, identity: &[u8]) -> RawPeer {
    let mut peer = RawPeer::connect(address).await.expect("it listens");
    let properties = [
        ("Socket-Type", socket_type.as_bytes()),
        ("Identity", identity),
    ];
    let ready = ready_with(&properties);
    let handshake = peer.handshake_with(&greeting(3, 1), &ready).await;
    handshake.expect("a legal handshake");
    peer
}

async fn reply(req: &mut ReqSocket) -> Message {
    let reply = within(async { Ok(req.recv().await) }).await;
    reply.expect("a reply in time").expect("an open socket")
}

async fn received(router: &mut RouterSocket) -> Message {
    let received = within(async { Ok(router.recv().await) }).await;
    received
        .expect("a message in time")
        .expect("an open socket")
}

/// REQREP-011.
#[tokio::test]
async fn a_numbered_request_has_four_octets_before_the_delimiter() {
    let mut req = ReqSocket::builder().req_correlate().build();
    let mut server = connected(bound(&req).await, "REP").await;
    let mut last = None;
    for _ in 0..3 {
        req.send("hi").await.unwrap();
        let octets = server.recv(12).await.unwrap();
        assert_eq!(octets[..2], [0x01, 0x04]);
        assert_eq!(octets[6..], [0x01, 0x00, 0x00, 0x02, b'h', b'i']);
        let number = octets[2..6].to_vec();
        assert_ne!(last.as_ref(), Some(&number));
        if let Some(last) = &last {
            server.send(&message(&[last, b"", b"late"])).await.unwrap();
        }
        let answers = [
            message(&[b"", b"no number"]),
            message(&[&number, b"no delimiter"]),
            message(&[&number, b""]),
            message(&[&number]),
            message(&[&number, b"", b"reply", b"of two"]),
        ];
        server.send(&answers.concat()).await.unwrap();
        assert_eq!(reply(&mut req).await, ["reply", "of two"]);
        last = Some(number);
    }
}

/// REQREP-012.
#[tokio::test]
async fn a_relaxed_request_is_sent_while_the_reply_to_another_is_missing() {
    let mut req = ReqSocket::builder().req_relaxed().build();
    let mut server = connected(bound(&req).await, "REP").await;
    let mut envelopes = Vec::new();
    for body in ["one", "two", "three"] {
        req.send(body).await.unwrap();
        let request = server.recv_message().await.unwrap();
        assert_eq!(request[2], body.as_bytes());
        envelopes.push(request);
    }
    // The replies come in another order, and the first ones too late.
    for request in [&envelopes[1], &envelopes[2], &envelopes[0]] {
        let parts: Vec<&[u8]> = request.iter().map(Vec::as_slice).collect();
        server.send(&message(&parts)).await.unwrap();
    }
    assert_eq!(reply(&mut req).await, ["three"]);
    assert!(req.try_recv().is_err());
}

/// REQREP-054.
#[tokio::test]
async fn a_probe_is_an_empty_message_before_all_others() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    let mut dealer = DealerSocket::builder()
        .probe_router()
        .reconnect_interval(Duration::from_millis(5))
        .build();
    dealer.connect(endpoint).await.unwrap();
    dealer.send("first").await.unwrap();
    let mut router = RawPeer::accept(&listener).await.unwrap();
    router.handshake("ROUTER").await.unwrap();
    let expected = [message(&[b""]), message(&[b"first"])].concat();
    assert_eq!(router.recv(expected.len()).await.unwrap(), expected);
    drop(router);
    // And again on the next connection.
    let mut router = RawPeer::accept(&listener).await.unwrap();
    router.handshake("ROUTER").await.unwrap();
    assert_eq!(router.recv(2).await.unwrap(), [0x00, 0x00]);

    let mut req = ReqSocket::builder().probe_router().build();
    let mut router = connected(bound(&req).await, "ROUTER").await;
    assert_eq!(router.recv(2).await.unwrap(), [0x00, 0x00]);
    req.send("hi").await.unwrap();
    let expected = message(&[b"", b"hi"]);
    assert_eq!(router.recv(expected.len()).await.unwrap(), expected);
}

/// REQREP-045, REQREP-052, INT-047.
#[tokio::test]
async fn a_handover_closes_the_first_connection_of_an_identity() {
    let mut router = RouterSocket::builder().router_handover().build();
    let address = bound(&router).await;
    let mut first = named(address, "DEALER", b"dup").await;
    first.send(&message(&[b"one"])).await.unwrap();
    assert_eq!(received(&mut router).await, ["dup", "one"]);
    let mut second = named(address, "DEALER", b"dup").await;
    first.recv_until_closed().await.unwrap();
    second.send(&message(&[b"two"])).await.unwrap();
    assert_eq!(received(&mut router).await, ["dup", "two"]);
    router.send(["dup", "yours"]).await.unwrap();
    assert_eq!(second.recv_message().await.unwrap(), [b"yours"]);
}

/// A router with a handover that was connected to `server`, which has the identity "dup", and waits so
/// long until it connects again.
async fn parted_router(server: &TcpListener, interval: Duration) -> (RouterSocket, Monitor) {
    let router = RouterSocket::builder()
        .router_handover()
        .reconnect_interval(interval)
        .build();
    let mut monitor = router.monitor();
    let endpoint = format!("tcp://{}", server.local_addr().unwrap());
    router.connect(endpoint).await.unwrap();
    let mut first = RawPeer::accept(server).await.unwrap();
    let ready = ready_with(&[("Socket-Type", b"DEALER"), ("Identity", b"dup")]);
    let handshake = first.handshake_with(&greeting(3, 1), &ready).await;
    handshake.unwrap();
    drop(first);
    wait_for(&mut monitor, |it| {
        matches!(it, SocketEvent::ConnectRetried { .. })
    })
    .await;
    (router, monitor)
}

async fn wait_for(monitor: &mut Monitor, is_it: impl Fn(&SocketEvent) -> bool) {
    let came = async {
        while !monitor.recv().await.as_ref().is_some_and(&is_it) {}
        Ok(())
    };
    within(came).await.unwrap();
}

/// REQREP-045.
#[tokio::test]
async fn who_has_lost_its_identity_during_a_handshake_is_not_connected_to_again() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut router, mut monitor) = parted_router(&server, Duration::from_millis(1)).await;
    let mut again = RawPeer::accept(&server).await.unwrap();
    let mut other = named(bound(&router).await, "DEALER", b"dup").await;
    again.recv_until_closed().await.unwrap();
    wait_for(&mut monitor, |it| {
        let reason = &DisconnectReason::RoutingIdHandedOver;
        matches!(it, SocketEvent::ConnectGivenUp { reason: it, .. } if it == reason)
    })
    .await;
    assert!(router.connected_endpoints().is_empty());
    other.send(&message(&[b"mine"])).await.unwrap();
    assert_eq!(received(&mut router).await, ["dup", "mine"]);
}

/// REQREP-045.
#[tokio::test]
async fn who_has_lost_its_identity_between_two_connections_is_not_connected_to_again() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (router, mut monitor) = parted_router(&server, Duration::from_millis(500)).await;
    let _other = named(bound(&router).await, "DEALER", b"dup").await;
    wait_for(&mut monitor, |it| {
        let reason = &DisconnectReason::RoutingIdHandedOver;
        matches!(it, SocketEvent::ConnectGivenUp { reason: it, .. } if it == reason)
    })
    .await;
    assert!(router.connected_endpoints().is_empty());
}

/// REQREP-045, INT-047.
#[tokio::test]
async fn a_handover_is_not_told_as_a_departure() {
    let mut router = RouterSocket::builder()
        .router_handover()
        .router_notify(RouterNotify::Both)
        .build();
    let address = bound(&router).await;
    let first = named(address, "DEALER", b"dup").await;
    let mut second = named(address, "DEALER", b"dup").await;
    second.send(&message(&[b"here"])).await.unwrap();
    for body in ["", "", "here"] {
        assert_eq!(received(&mut router).await, ["dup", body]);
    }
    drop((first, second));
    assert_eq!(received(&mut router).await, ["dup", ""]);
    assert!(router.try_recv().is_err());
}

/// A peer that fails its handshake was never there.
#[tokio::test]
async fn a_failed_handshake_is_not_notified() {
    let builder = RouterSocket::builder().router_notify(RouterNotify::Both);
    let mut router = builder.build();
    let address = bound(&router).await;
    let mut peer = RawPeer::connect(address).await.unwrap();
    peer.send(&greeting(3, 1)).await.unwrap();
    peer.send(&ready_with(&[("Socket-Type", b"PUSH")]))
        .await
        .unwrap();
    peer.recv_until_closed().await.unwrap();
    let mut good = named(address, "DEALER", b"good").await;
    good.send(&message(&[b"x"])).await.unwrap();
    assert_eq!(received(&mut router).await, ["good", ""]);
    assert_eq!(received(&mut router).await, ["good", "x"]);
}

/// A notice comes between messages, and what came of a message that was cut is dropped.
///
/// REQREP-014.
#[tokio::test]
async fn a_departure_is_no_part_of_a_message_that_was_cut() {
    let builder = RouterSocket::builder().router_notify(RouterNotify::Disconnect);
    let mut router = builder.build();
    let mut peer = named(bound(&router).await, "DEALER", b"me").await;
    peer.send(&message(&[b"whole"])).await.unwrap();
    peer.send(&[0x01, 0x01, b'c']).await.unwrap();
    drop(peer);
    assert_eq!(received(&mut router).await, ["me", "whole"]);
    assert_eq!(received(&mut router).await, ["me", ""]);
}

/// ZMTP31-088, ZMTP31-089, ZMTP31-090.
#[tokio::test]
async fn any_resource_may_be_asked_for_that_is_one() {
    let resource = Resource::new("system/name-service/test").unwrap();
    let pull = PullSocket::builder().resource(resource.clone()).build();
    let address = bound(&pull).await;
    let mut peer = RawPeer::connect(address).await.unwrap();
    let ready = [
        ("Socket-Type", &b"PUSH"[..]),
        ("resource", b"not/there/yet"),
    ];
    let ready = ready_with(&ready);
    let answer = peer.handshake_with(&greeting(3, 1), &ready).await.unwrap();
    assert!(
        answer
            .body
            .ends_with(&property("Resource", resource.as_str().as_bytes()))
    );
    peer.send(&message(&[b"x"])).await.unwrap();
    let mut pull = pull;
    let (from, _) = within(async { Ok(pull.recv_from().await) })
        .await
        .unwrap()
        .unwrap();
    let asked = pull.peer_info(from).unwrap().resource.clone();
    assert_eq!(asked, Some(Resource::new("not/there/yet").unwrap()));

    for malformed in [&b""[..], b"/leading", b"a//b", b"a b"] {
        let mut peer = RawPeer::connect(address).await.unwrap();
        peer.send(&greeting(3, 1)).await.unwrap();
        let ready = [("Socket-Type", &b"PUSH"[..]), ("Resource", malformed)];
        peer.send(&ready_with(&ready)).await.unwrap();
        peer.recv_until_closed().await.unwrap();
    }
}

/// ZMTP31-073.
#[tokio::test]
async fn properties_of_the_application_are_announced_as_they_are() {
    let mut metadata = Metadata::new();
    metadata.insert("X-key", "value").unwrap();
    let pull = PullSocket::builder().metadata(metadata).build();
    let mut peer = RawPeer::connect(bound(&pull).await).await.unwrap();
    let ready = peer.handshake("PUSH").await.unwrap();
    let expected = property("X-key", b"value");
    assert!(ready.body.ends_with(&expected), "{ready:?}");
    assert_eq!(expected[..6], [5, b'X', b'-', b'k', b'e', b'y']);
}
