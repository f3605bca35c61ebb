//! Sockets that ask each other for signs of life.

use std::time::Duration;

use tokio::time::timeout;
use zmtp::session::Heartbeat;
use zmtp::{
    DealerSocket, PairSocket, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket,
    RouterSocket, Socket, SocketEvent, SubSocket, XPubSocket, XSubSocket,
};

use crate::{LOOPBACK, handshake};

/// A peer that did not answer would be lost after this.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Nothing but PING and PONG goes between the two for longer than either would bear silence.
async fn live_together<A: Socket, B: Socket>() {
    let heartbeat = Heartbeat::new(Duration::from_millis(50)).with_timeout(TIMEOUT);
    let heartbeat = heartbeat.with_ttl(TIMEOUT).expect("short enough");
    let bound = A::builder().heartbeat(heartbeat).build();
    let connected = B::builder().heartbeat(heartbeat).build();
    let mut monitor = bound.monitor();
    let endpoint = bound.bind(LOOPBACK).await.expect("a port is free");
    let peer = connected.connect(&endpoint).await;
    peer.expect("the socket is open");
    handshake(&mut monitor).await;
    let ended = timeout(TIMEOUT + TIMEOUT / 2, async {
        while !matches!(
            monitor.recv().await,
            Some(SocketEvent::Disconnected { .. }) | None
        ) {}
    });
    assert!(ended.await.is_err(), "the connection ended");
}

// ZMTP31-138, ZMTP31-139, ZMTP31-140
#[tokio::test]
async fn peers_that_answer_live_on_whatever_their_type() {
    tokio::join!(
        live_together::<DealerSocket, RouterSocket>(),
        live_together::<RouterSocket, DealerSocket>(),
        live_together::<ReqSocket, RepSocket>(),
        live_together::<RepSocket, ReqSocket>(),
        live_together::<PushSocket, PullSocket>(),
        live_together::<PullSocket, PushSocket>(),
        live_together::<PubSocket, SubSocket>(),
        live_together::<SubSocket, PubSocket>(),
        live_together::<XPubSocket, XSubSocket>(),
        live_together::<PairSocket, PairSocket>(),
    );
}

/// HEARTBEAT_TTL of libzmq takes 6 553 599 ms and no more, and counts in tenths of a second, though not
/// less than one as none.
///
/// ZMTP31-130.
#[test]
fn a_time_to_live_is_at_most_what_a_ping_can_say() {
    let heartbeat = Heartbeat::new(TIMEOUT);
    for (milliseconds, tenths) in [(0, 0), (99, 1), (100, 1), (250, 2), (6_553_599, 65_535)] {
        let ttl = Duration::from_millis(milliseconds);
        let heartbeat = heartbeat.with_ttl(ttl).unwrap();
        assert_eq!(heartbeat.ttl.deciseconds(), tenths);
    }
    let beyond = Duration::from_millis(6_553_600);
    assert!(heartbeat.with_ttl(beyond).is_err());
}
