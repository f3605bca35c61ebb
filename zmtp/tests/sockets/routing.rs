//! How a ROUTER comes to know its peers, and who has which name.

use zmtp::authenticator::Passwords;
use zmtp::pattern::RoutingId;
use zmtp::{
    ConnectError, DealerSocket, DisconnectReason, Message, Monitor, ReqSocket, RouterNotify,
    RouterSocket, Socket, SocketEvent, TrySendError,
};

use crate::reserved_port::ReservedPort;
use crate::{LOOPBACK, disconnect, handshake, soon};

fn dealer(name: &str) -> DealerSocket {
    let builder = DealerSocket::builder().no_reconnect();
    builder.routing_id(name).expect("a legal name").build()
}

fn name(name: &str) -> RoutingId {
    RoutingId::new(name).expect("a legal name")
}

// REQREP-045, INT-047
#[tokio::test]
async fn a_handover_gives_the_routing_id_to_the_newcomer() {
    let mut router = RouterSocket::builder().router_handover().build();
    let mut monitor = router.monitor();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let mut first = dealer("same");
    let mut first_monitor = first.monitor();
    first.connect(&endpoint).await.unwrap();
    first.send("one").await.unwrap();
    assert_eq!(
        soon(router.recv()).await.unwrap(),
        Message::from(["same", "one"])
    );
    let mut second = dealer("same");
    second.connect(&endpoint).await.unwrap();
    second.send("two").await.unwrap();
    assert_eq!(
        soon(router.recv()).await.unwrap(),
        Message::from(["same", "two"])
    );
    router.send(["same", "yours"]).await.unwrap();
    assert_eq!(soon(second.recv()).await.unwrap(), Message::from("yours"));
    disconnect(&mut first_monitor).await;
    soon(async {
        loop {
            if let Some(SocketEvent::Disconnected { reason, .. }) = monitor.recv().await {
                assert_eq!(reason, DisconnectReason::RoutingIdHandedOver);
                return;
            }
        }
    })
    .await;
    // The end of the first takes nothing from the second.
    router.send(["same", "still"]).await.unwrap();
    assert_eq!(soon(second.recv()).await.unwrap(), Message::from("still"));
}

// REQREP-045
#[tokio::test]
async fn a_handover_does_not_wait_for_a_peer_that_reads_nothing() {
    let router = RouterSocket::builder()
        .router_handover()
        .router_mandatory()
        .send_high_water_mark(2)
        .build();
    let mut monitor = router.monitor();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let first = DealerSocket::builder()
        .routing_id("same")
        .unwrap()
        .receive_high_water_mark(1)
        .no_reconnect()
        .build();
    first.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    let body = vec![0; 1 << 20];
    // More than the buffers of the kernel take: the connection is stuck in a write.
    soon(async {
        loop {
            match router.try_send([b"same".as_slice(), &body]) {
                Ok(()) => tokio::task::yield_now().await,
                Err(TrySendError::Full(_)) => return,
                Err(error) => panic!("{error}"),
            }
        }
    })
    .await;
    let mut second = dealer("same");
    second.connect(&endpoint).await.unwrap();
    disconnect(&mut monitor).await;
    soon(router.send(["same", "yours"])).await.unwrap();
    assert_eq!(soon(second.recv()).await.unwrap(), Message::from("yours"));
}

// REQREP-054
#[tokio::test]
async fn a_probe_tells_a_router_who_is_there() {
    let mut router = RouterSocket::new();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let builder = RouterSocket::builder().probe_router();
    let mut other = builder.routing_id("router").unwrap().build();
    other.connect(&endpoint).await.unwrap();
    assert_eq!(
        soon(router.recv()).await.unwrap(),
        Message::from(["router", ""])
    );
    router.send(["router", "hello"]).await.unwrap();
    assert_eq!(soon(other.recv()).await.unwrap()[1], "hello");

    let builder = DealerSocket::builder().probe_router();
    let mut dealer = builder.routing_id("dealer").unwrap().build();
    dealer.connect(&endpoint).await.unwrap();
    // Before what was sent before the connection was there.
    dealer.send("second").await.unwrap();
    assert_eq!(
        soon(router.recv()).await.unwrap(),
        Message::from(["dealer", ""])
    );
    assert_eq!(
        soon(router.recv()).await.unwrap(),
        Message::from(["dealer", "second"])
    );

    let builder = ReqSocket::builder().probe_router();
    let mut req = builder.routing_id("req").unwrap().build();
    req.connect(&endpoint).await.unwrap();
    req.send("question").await.unwrap();
    assert_eq!(
        soon(router.recv()).await.unwrap(),
        Message::from(["req", ""])
    );
    let question = Message::from(["req", "", "question"]);
    assert_eq!(soon(router.recv()).await.unwrap(), question);
}

// REQREP-054
#[tokio::test]
async fn the_side_that_accepts_probes_as_well() {
    let router = RouterSocket::builder().probe_router().build();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let mut dealer = DealerSocket::new();
    dealer.connect(&endpoint).await.unwrap();
    assert_eq!(soon(dealer.recv()).await.unwrap(), Message::from(""));
}

// REQREP-040, REQREP-053
#[tokio::test]
async fn a_router_names_the_peers_that_it_connects_to() {
    let mut first = RouterSocket::builder().router_mandatory().build();
    let mut second = RouterSocket::builder().routing_id("own").unwrap().build();
    let endpoint = second.bind(LOOPBACK).await.unwrap();
    first.connect_as(&endpoint, name("given")).await.unwrap();
    // Before there is a connection.
    first.send(["given", "hello"]).await.unwrap();
    let mut message = soon(second.recv()).await.unwrap();
    assert_eq!(message[1], "hello");
    message.push_back("world");
    second.send(message).await.unwrap();
    let answer = Message::from(["given", "hello", "world"]);
    assert_eq!(soon(first.recv()).await.unwrap(), answer);
    assert!(matches!(
        first.send(["own", "x"]).await,
        Err(zmtp::SendError::Unroutable(_))
    ));
}

// REQREP-053
#[tokio::test]
async fn a_name_is_given_once() {
    let router = RouterSocket::new();
    let peer = RouterSocket::new();
    let endpoint = peer.bind(LOOPBACK).await.unwrap();
    router.connect_as(&endpoint, name("given")).await.unwrap();
    let refused = router.connect_as(&endpoint, name("given")).await;
    let routing_id = name("given");
    assert_eq!(
        refused,
        Err(ConnectError::DuplicateRoutingId { routing_id })
    );
    assert_eq!(router.peers().len(), 1);
}

// REQREP-040, REQREP-053
#[tokio::test]
async fn a_given_name_survives_the_connection() {
    let router = RouterSocket::builder()
        .reconnect_interval(std::time::Duration::from_millis(5))
        .build();
    let mut monitor = router.monitor();
    let mut peer = DealerSocket::new();
    let port = ReservedPort::new();
    let endpoint = peer.bind(port.endpoint()).await.unwrap();
    router.connect_as(&endpoint, name("given")).await.unwrap();
    handshake(&mut monitor).await;
    peer.close().await;
    disconnect(&mut monitor).await;
    router.send(["given", "waits"]).await.unwrap();
    peer = DealerSocket::new();
    peer.bind(&endpoint).await.unwrap();
    assert_eq!(soon(peer.recv()).await.unwrap(), Message::from("waits"));
}

#[tokio::test]
async fn a_notifying_router_receives_the_comings_and_goings_of_its_peers() {
    let builder = RouterSocket::builder().router_notify(RouterNotify::Both);
    let mut router = builder.build();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let mut peer = dealer("me");
    peer.connect(&endpoint).await.unwrap();
    peer.send(["two", "parts"]).await.unwrap();
    assert_eq!(
        soon(router.recv()).await.unwrap(),
        Message::from(["me", ""])
    );
    let between = Message::from(["me", "two", "parts"]);
    assert_eq!(soon(router.recv()).await.unwrap(), between);
    peer.close().await;
    assert_eq!(
        soon(router.recv()).await.unwrap(),
        Message::from(["me", ""])
    );
}

#[tokio::test]
async fn what_is_not_asked_for_is_not_notified() {
    for (notify, expected) in [
        (RouterNotify::Connect, ["", "x"]),
        (RouterNotify::Disconnect, ["x", ""]),
    ] {
        let mut router = RouterSocket::builder().router_notify(notify).build();
        let endpoint = router.bind(LOOPBACK).await.unwrap();
        let mut peer = dealer("me");
        peer.connect(&endpoint).await.unwrap();
        peer.send("x").await.unwrap();
        peer.close().await;
        for body in expected {
            assert_eq!(
                soon(router.recv()).await.unwrap(),
                Message::from(["me", body])
            );
        }
    }
}

#[tokio::test]
async fn messages_go_with_the_coming_and_going_of_peers() {
    let mut server = DealerSocket::builder()
        .hello_message(["hello", "from the server"])
        .disconnect_message("a client left")
        .build();
    let port = ReservedPort::new();
    let endpoint = server.bind(port.endpoint()).await.unwrap();
    let mut client = DealerSocket::builder()
        .hello_message("hello from the client")
        .hiccup_message("the server is lost")
        .reconnect_interval(std::time::Duration::from_millis(5))
        .build();
    client.connect(&endpoint).await.unwrap();
    let greeting = Message::from(["hello", "from the server"]);
    assert_eq!(soon(client.recv()).await.unwrap(), greeting);
    let greeting = Message::from("hello from the client");
    assert_eq!(soon(server.recv()).await.unwrap(), greeting);
    server.close().await;
    let lost = Message::from("the server is lost");
    assert_eq!(soon(client.recv()).await.unwrap(), lost);
    let mut server = DealerSocket::builder().disconnect_message("left").build();
    server.bind(&endpoint).await.unwrap();
    assert_eq!(soon(server.recv()).await.unwrap(), greeting);
    client.close().await;
    assert_eq!(soon(server.recv()).await.unwrap(), Message::from("left"));
}

// REQREP-049
#[tokio::test]
async fn a_burst_beyond_the_mark_reaches_a_peer_that_reads() {
    let mut router = RouterSocket::builder().send_high_water_mark(100).build();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let mut peer = dealer("peer");
    peer.connect(&endpoint).await.unwrap();
    peer.send("here").await.unwrap();
    soon(router.recv()).await.unwrap();
    let receiving = tokio::spawn(async move {
        for number in 0..2000_u32 {
            let message = soon(peer.recv()).await.unwrap();
            assert_eq!(message[0], number.to_be_bytes());
        }
    });
    for number in 0..2000_u32 {
        let body = number.to_be_bytes();
        router.send([&b"peer"[..], &body]).await.unwrap();
    }
    soon(receiving).await.unwrap();
}

// REQREP-045
#[tokio::test]
async fn a_handover_takes_no_name_that_the_application_gave() {
    let router = RouterSocket::builder().router_handover().build();
    let mut monitor = router.monitor();
    let there = DealerSocket::new();
    let remote = there.bind(LOOPBACK).await.unwrap();
    router.connect_as(&remote, name("given")).await.unwrap();
    handshake(&mut monitor).await;
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let newcomer = dealer("given");
    newcomer.connect(&endpoint).await.unwrap();
    refused_as_duplicate(&mut monitor).await;
}

// REQREP-045
#[tokio::test]
async fn a_handover_is_for_the_same_user_alone() {
    let mut passwords = Passwords::new();
    passwords.insert("one", "secret").unwrap();
    passwords.insert("other", "secret").unwrap();
    let mut router = RouterSocket::builder()
        .router_handover()
        .plain_server()
        .authenticator(passwords)
        .build();
    let mut monitor = router.monitor();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let dealer_of = |user: &str| {
        let builder = DealerSocket::builder().no_reconnect();
        let builder = builder.routing_id("same").unwrap();
        builder.plain_client(user, "secret").unwrap().build()
    };
    let mut first = dealer_of("one");
    first.connect(&endpoint).await.unwrap();
    first.send("mine").await.unwrap();
    let mine = Message::from(["same", "mine"]);
    assert_eq!(soon(router.recv()).await.unwrap(), mine);
    let thief = dealer_of("other");
    thief.connect(&endpoint).await.unwrap();
    refused_as_duplicate(&mut monitor).await;
    let mut second = dealer_of("one");
    second.connect(&endpoint).await.unwrap();
    second.send("again").await.unwrap();
    let again = Message::from(["same", "again"]);
    assert_eq!(soon(router.recv()).await.unwrap(), again);
}

/// Waits for a connection to end because the routing id of the peer was taken.
async fn refused_as_duplicate(monitor: &mut Monitor) {
    let refused = async {
        loop {
            let event = monitor.recv().await;
            if let Some(
                SocketEvent::Disconnected { reason, .. }
                | SocketEvent::HandshakeFailed { reason, .. },
            ) = event
            {
                return reason;
            }
        }
    };
    assert_eq!(soon(refused).await, DisconnectReason::DuplicateRoutingId);
}

#[tokio::test]
async fn probes_and_notifications_leave_the_other_messages_alone() {
    let mut router = RouterSocket::builder()
        .disconnect_message("left")
        .router_notify(RouterNotify::Both)
        .router_notify(RouterNotify::Disconnect)
        .build();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let builder = DealerSocket::builder().routing_id("me").unwrap();
    let dealer = builder.probe_router().hello_message("hello").build();
    dealer.connect(&endpoint).await.unwrap();
    for expected in ["", "hello"] {
        let received = soon(router.recv()).await.unwrap();
        assert_eq!(received, Message::from(["me", expected]));
    }
    dealer.close().await;
    for expected in ["left", ""] {
        let received = soon(router.recv()).await.unwrap();
        assert_eq!(received, Message::from(["me", expected]));
    }
}

#[tokio::test]
async fn a_closed_socket_says_so_and_not_that_the_peer_is_gone() {
    let mut router = RouterSocket::new();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let mut peer = dealer("peer");
    peer.connect(&endpoint).await.unwrap();
    peer.send("here").await.unwrap();
    let (id, _) = soon(router.recv_from()).await.unwrap();
    let (sender, _receiver) = router.split();
    soon(sender.handle().close()).await;
    let refused = sender.try_send_to(id, "late");
    assert!(matches!(refused, Err(TrySendError::Closed(_))));
}

// The handshake ends with the answer of the authenticator, not with what the peer sends.
#[cfg(feature = "curve")]
#[tokio::test]
async fn a_notifying_router_is_told_of_a_silent_peer_that_somebody_decided_about() {
    use zmtp::authenticator::AnyKey;
    use zmtp::curve::KeyPair;

    let pair = KeyPair::generate();
    let mut router = RouterSocket::builder()
        .router_notify(RouterNotify::Both)
        .curve_server(pair.clone())
        .authenticator(AnyKey)
        .build();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let peer = DealerSocket::builder()
        .routing_id("me")
        .expect("a legal name")
        .curve_client(pair.public_key(), KeyPair::generate())
        .build();
    peer.connect(&endpoint).await.unwrap();
    let arrival = soon(router.recv()).await.unwrap();
    assert_eq!(arrival, Message::from(["me", ""]));
}
