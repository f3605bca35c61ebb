//! A peer that goes away and comes back, seen from connecting sockets of every type.

use std::cell::Cell;
use std::time::Duration;

use zmtp::{
    Builder, DealerSocket, Endpoint, PairSocket, PubSocket, PullSocket, PushSocket, RepSocket,
    ReqSocket, RouterSocket, Socket, SubSocket, XPubSocket, XSubSocket,
};

use crate::reserved_port::ReservedPort;
use crate::{handshake, soon};

/// Binds a socket where another one was closed: its listener may take a moment to go.
async fn rebind(socket: &impl Socket, endpoint: &Endpoint) {
    soon(async {
        while socket.bind(endpoint).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Connects one socket to three that listen at the same endpoint, one after another, and has it
/// exchange a message with each of them.
async fn assert_finds_again<S: Socket, T: Socket>(
    ours: Builder<S>,
    theirs: impl Fn() -> T,
    mut exchange: impl AsyncFnMut(&mut S, &mut T),
) {
    let mut ours = ours.reconnect_interval(Duration::from_millis(10)).build();
    let mut monitor = ours.monitor();
    let mut far = theirs();
    let port = ReservedPort::new();
    let bound = far.bind(port.endpoint()).await;
    let endpoint = bound.expect("a port of the test's own");
    ours.connect(&endpoint)
        .await
        .expect("an endpoint that was bound");
    for _ in 0..2 {
        handshake(&mut monitor).await;
        soon(exchange(&mut ours, &mut far)).await;
        soon(far.close()).await;
        far = theirs();
        rebind(&far, &endpoint).await;
    }
    handshake(&mut monitor).await;
    soon(exchange(&mut ours, &mut far)).await;
}

/// Waits until a publisher knows of the subscription.
async fn subscribed(topic_count: impl Fn() -> usize) {
    while topic_count() == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn sockets_of_every_type_find_their_peer_again() {
    assert_finds_again(PushSocket::builder(), PullSocket::new, async |ours, far| {
        ours.send("x").await.unwrap();
        assert_eq!(far.recv().await.unwrap(), ["x"]);
    })
    .await;
    assert_finds_again(PullSocket::builder(), PushSocket::new, async |ours, far| {
        far.send("x").await.unwrap();
        assert_eq!(ours.recv().await.unwrap(), ["x"]);
    })
    .await;
    assert_finds_again(ReqSocket::builder(), RepSocket::new, async |ours, far| {
        ours.send("x").await.unwrap();
        assert_eq!(far.recv().await.unwrap(), ["x"]);
        far.send("y").unwrap();
        assert_eq!(ours.recv().await.unwrap(), ["y"]);
    })
    .await;
    assert_finds_again(RepSocket::builder(), ReqSocket::new, async |ours, far| {
        far.send("x").await.unwrap();
        assert_eq!(ours.recv().await.unwrap(), ["x"]);
        ours.send("y").unwrap();
        assert_eq!(far.recv().await.unwrap(), ["y"]);
    })
    .await;
    let both = async |ours: &mut DealerSocket, far: &mut DealerSocket| {
        ours.send("x").await.unwrap();
        assert_eq!(far.recv().await.unwrap(), ["x"]);
        far.send("y").await.unwrap();
        assert_eq!(ours.recv().await.unwrap(), ["y"]);
    };
    assert_finds_again(DealerSocket::builder(), DealerSocket::new, both).await;
    let named = || DealerSocket::builder().routing_id("far").unwrap().build();
    let router = RouterSocket::builder().router_mandatory();
    assert_finds_again(router, named, async |ours, far| {
        ours.send(["far", "x"]).await.unwrap();
        assert_eq!(far.recv().await.unwrap(), ["x"]);
        far.send("y").await.unwrap();
        assert_eq!(ours.recv().await.unwrap(), ["far", "y"]);
    })
    .await;
    assert_finds_again(PairSocket::builder(), PairSocket::new, async |ours, far| {
        ours.send("x").await.unwrap();
        assert_eq!(far.recv().await.unwrap(), ["x"]);
    })
    .await;
}

#[tokio::test]
async fn publishers_and_subscribers_of_every_type_find_each_other_again() {
    let sub = || {
        let sub = SubSocket::new();
        sub.subscribe("x");
        sub
    };
    let xsub = || {
        let sub = XSubSocket::new();
        sub.subscribe("x");
        sub
    };
    assert_finds_again(PubSocket::builder(), sub, async |ours, far| {
        subscribed(|| ours.topic_count()).await;
        ours.send("x").await.unwrap();
        assert_eq!(far.recv().await.unwrap(), ["x"]);
    })
    .await;
    assert_finds_again(XPubSocket::builder(), xsub, async |ours, far| {
        subscribed(|| ours.topic_count()).await;
        ours.send("x").await.unwrap();
        assert_eq!(far.recv().await.unwrap(), ["x"]);
    })
    .await;
    // What was subscribed to once is asked for again on each new connection.
    let once = Cell::new(true);
    assert_finds_again(SubSocket::builder(), PubSocket::new, async |ours, far| {
        if once.take() {
            ours.subscribe("x");
        }
        subscribed(|| far.topic_count()).await;
        far.send("x").await.unwrap();
        assert_eq!(ours.recv().await.unwrap(), ["x"]);
    })
    .await;
    let once = Cell::new(true);
    assert_finds_again(XSubSocket::builder(), XPubSocket::new, async |ours, far| {
        if once.take() {
            ours.subscribe("x");
        }
        subscribed(|| far.topic_count()).await;
        far.send("x").await.unwrap();
        assert_eq!(ours.recv().await.unwrap(), ["x"]);
    })
    .await;
}
