//! Unbinding, disconnecting, and what a socket says that it is bound and connected to.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io;
use std::time::Duration;

use futures_util::StreamExt;
use zmtp::{
    DealerSocket, DisconnectError, DisconnectReason, Endpoint, Message, Monitor, PullSocket,
    PushSocket, ReconnectStop, RouterSocket, Socket, SocketEvent, TrySendError, UnbindError,
};

use crate::reserved_port::ReservedPort;
use crate::{LOOPBACK, disconnect, handshake, soon};

/// A wildcard of each transport.
const WILDCARDS: &[&str] = if cfg!(unix) {
    &[LOOPBACK, "ipc://*"]
} else {
    &[LOOPBACK]
};

/// The port, and a wildcard of the other transport between processes.
fn places(port: &ReservedPort) -> impl Iterator<Item = &str> {
    std::iter::once(port.endpoint()).chain(cfg!(unix).then_some("ipc://*"))
}

/// A pusher that listens on `wildcard` and a puller that has received from it.
async fn bound_pair(wildcard: &str) -> (PushSocket, PullSocket, Endpoint) {
    let mut push = PushSocket::new();
    let endpoint = push.bind(wildcard).await.unwrap();
    let mut pull = PullSocket::builder().no_reconnect().build();
    pull.connect(&endpoint).await.unwrap();
    soon(push.send("first")).await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("first"));
    (push, pull, endpoint)
}

/// Waits for the first event that `wanted` makes something of.
async fn event<T>(monitor: &mut Monitor, wanted: impl Fn(SocketEvent) -> Option<T>) -> T {
    soon(async {
        loop {
            if let Some(found) = wanted(monitor.recv().await.unwrap()) {
                return found;
            }
        }
    })
    .await
}

#[tokio::test]
async fn an_unbound_endpoint_takes_its_peers_with_it() {
    let port = ReservedPort::new();
    for place in places(&port) {
        let (mut push, pull, endpoint) = bound_pair(place).await;
        let mut monitor = pull.monitor();
        soon(push.unbind(&endpoint)).await.unwrap();
        let refused = push.try_send("nobody").unwrap_err();
        assert_eq!(refused, TrySendError::Full(Message::from("nobody")));
        disconnect(&mut monitor).await;
        let late = PullSocket::builder().no_reconnect().build();
        let mut monitor = late.monitor();
        late.connect(&endpoint).await.unwrap();
        event(&mut monitor, |event| {
            matches!(event, SocketEvent::ConnectFailed { .. }).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn an_unbound_endpoint_can_be_bound_again_at_once() {
    // Not ipc: the directory of a wildcard goes with it.
    let port = ReservedPort::new();
    for place in [port.endpoint(), "inproc://rebound"] {
        let mut pull = PullSocket::new();
        let endpoint = pull.bind(place).await.unwrap();
        for _ in 0..20 {
            soon(pull.unbind(&endpoint)).await.unwrap();
            pull.bind(&endpoint).await.unwrap();
        }
        let mut push = PushSocket::new();
        push.connect(&endpoint).await.unwrap();
        push.send("here").await.unwrap();
        assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("here"));
    }
}

#[tokio::test]
async fn unbinding_and_disconnecting_within_the_process_part_the_two_sockets() {
    let (mut push, pull, endpoint) = bound_pair("inproc://parted").await;
    let mut monitor = pull.monitor();
    soon(push.unbind(&endpoint)).await.unwrap();
    assert!(push.try_send("nobody").is_err());
    disconnect(&mut monitor).await;
    assert_eq!(push.bound_endpoints(), []);

    let (mut push, pull, endpoint) = bound_pair("inproc://parted").await;
    let mut monitor = push.monitor();
    pull.disconnect(&endpoint).unwrap();
    disconnect(&mut monitor).await;
    assert!(push.try_send("nobody").is_err());
    assert_eq!(pull.connected_endpoints(), []);
}

#[tokio::test]
async fn what_was_queued_before_an_unbind_still_goes_out() {
    let (mut push, mut pull, endpoint) = bound_pair(LOOPBACK).await;
    for number in 0..100u32 {
        push.try_send(number.to_be_bytes().as_slice()).unwrap();
    }
    soon(push.unbind(&endpoint)).await.unwrap();
    for number in 0..100u32 {
        assert_eq!(soon(pull.recv()).await.unwrap()[0], number.to_be_bytes());
    }
}

#[tokio::test]
async fn what_a_peer_had_sent_can_be_received_after_an_unbind() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut push = PushSocket::new();
    push.connect(&endpoint).await.unwrap();
    push.send("one").await.unwrap();
    push.send("two").await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("one"));
    soon(pull.unbind(&endpoint)).await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("two"));
}

#[tokio::test]
async fn only_what_is_bound_can_be_unbound_and_a_wildcard_is_no_name() {
    let pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    assert_eq!(pull.bound_endpoints(), std::slice::from_ref(&endpoint));
    let wildcard: Endpoint = LOOPBACK.parse().unwrap();
    assert_eq!(
        pull.unbind(LOOPBACK).await,
        Err(UnbindError::NotBound { endpoint: wildcard })
    );
    soon(pull.unbind(&endpoint)).await.unwrap();
    assert_eq!(
        pull.unbind(&endpoint).await,
        Err(UnbindError::NotBound {
            endpoint: endpoint.clone()
        })
    );
    assert_eq!(pull.bound_endpoints(), []);
    assert_eq!(pull.last_endpoint(), Some(endpoint));
    let refused = pull.unbind("tcp://nowhere").await;
    assert!(matches!(refused, Err(UnbindError::Endpoint(_))));
}

#[tokio::test]
async fn monitors_hear_of_endpoints_that_are_bound_unbound_and_refused() {
    let pull = PullSocket::new();
    let mut monitor = pull.monitor();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let other = PullSocket::new();
    let mut other_monitor = other.monitor();
    other.bind(&endpoint).await.unwrap_err();
    let (refused, error) = event(&mut other_monitor, |event| match event {
        SocketEvent::BindFailed { endpoint, error } => Some((endpoint, error)),
        _ => None,
    })
    .await;
    assert_eq!(
        (refused, error),
        (endpoint.clone(), io::ErrorKind::AddrInUse)
    );
    soon(pull.unbind(&endpoint)).await.unwrap();
    let unbound = event(&mut monitor, |event| match event {
        SocketEvent::Unbound { endpoint } => Some(endpoint),
        _ => None,
    })
    .await;
    assert_eq!(unbound, endpoint);
}

// INT-048
#[tokio::test]
async fn a_monitor_is_a_stream_that_ends_with_its_socket() {
    let pull = PullSocket::new();
    let mut monitor = pull.monitor();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let push = PushSocket::builder().no_reconnect().build();
    let pushed = push.monitor();
    push.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    soon(push.close()).await;
    disconnect(&mut monitor).await;
    soon(pull.close()).await;
    let last = soon(monitor.collect::<Vec<_>>()).await;
    assert!(
        matches!(last[..], [SocketEvent::Unbound { .. }]),
        "{last:?}"
    );
    let all = soon(pushed.collect::<Vec<_>>()).await;
    assert!(
        matches!(
            all[..],
            [
                SocketEvent::Connecting { .. },
                SocketEvent::Connected { .. },
                SocketEvent::HandshakeSucceeded { .. },
                SocketEvent::Disconnected { .. },
            ]
        ),
        "{all:?}"
    );
}

#[tokio::test]
async fn nothing_is_sent_to_an_endpoint_after_a_disconnect() {
    for wildcard in WILDCARDS {
        let mut pull = PullSocket::new();
        let endpoint = pull.bind(*wildcard).await.unwrap();
        let mut monitor = pull.monitor();
        let mut push = PushSocket::new();
        let peer = push.connect(&endpoint).await.unwrap();
        assert_eq!(push.connected_endpoints(), [(peer, endpoint.clone())]);
        push.send("before").await.unwrap();
        assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("before"));
        push.disconnect(&endpoint).unwrap();
        assert!(push.try_send("after").is_err());
        disconnect(&mut monitor).await;
        assert_eq!(push.connected_endpoints(), []);
        let refused = push.disconnect(&endpoint).unwrap_err();
        assert_eq!(
            refused,
            DisconnectError::NotConnected {
                endpoint: endpoint.clone()
            }
        );
        push.connect(&endpoint).await.unwrap();
        push.send("again").await.unwrap();
        assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("again"));
    }
}

#[tokio::test]
async fn what_was_queued_before_a_disconnect_goes_out_even_if_the_peer_comes_later() {
    let mut push = PushSocket::builder()
        .reconnect_interval(Duration::from_millis(5))
        .build();
    let port = ReservedPort::new();
    let endpoint: Endpoint = port.endpoint().parse().unwrap();
    push.connect(&endpoint).await.unwrap();
    push.send("late").await.unwrap();
    push.disconnect(&endpoint).unwrap();
    let mut pull = PullSocket::new();
    pull.bind(&endpoint).await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("late"));
    soon(push.close()).await;
}

#[tokio::test]
async fn a_disconnect_without_linger_drops_what_is_queued() {
    let port = ReservedPort::new();
    let endpoint: Endpoint = port.endpoint().parse().unwrap();
    let mut push = PushSocket::builder().linger(Duration::ZERO).build();
    push.connect(&endpoint).await.unwrap();
    push.send("dropped").await.unwrap();
    push.disconnect(&endpoint).unwrap();
    // The socket would linger for ever if the message still counted.
    soon(push.close()).await;
}

// INT-033
#[tokio::test]
async fn a_disconnect_can_end_the_attempts_at_once() {
    let port = ReservedPort::new();
    let endpoint: Endpoint = port.endpoint().parse().unwrap();
    let mut push = PushSocket::builder()
        .reconnect_stop([ReconnectStop::AfterDisconnect])
        .build();
    push.connect(&endpoint).await.unwrap();
    push.send("dropped").await.unwrap();
    push.disconnect(&endpoint).unwrap();
    soon(push.close()).await;
}

#[tokio::test]
async fn a_single_peer_can_be_disconnected() {
    let mut router = RouterSocket::new();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let mut monitor = router.monitor();
    let mut dealers = Vec::new();
    for name in ["one", "two"] {
        let builder = DealerSocket::builder().no_reconnect();
        let dealer = builder.routing_id(name).unwrap().build();
        dealer.connect(&endpoint).await.unwrap();
        handshake(&mut monitor).await;
        dealers.push(dealer);
    }
    let [first, second] = router.peers()[..] else {
        panic!("there are two peers");
    };
    assert!(router.peer_address(first).is_some());
    router.disconnect_peer(first).unwrap();
    let (peer, reason) = event(&mut monitor, |event| match event {
        SocketEvent::Disconnected { peer, reason } => Some((peer, reason)),
        _ => None,
    })
    .await;
    assert_eq!((peer, reason), (first, DisconnectReason::Disconnected));
    assert_eq!(router.peers(), [second]);
    assert_eq!(
        router.disconnect_peer(first),
        Err(DisconnectError::UnknownPeer { peer: first })
    );
    soon(dealers[1].send("still here")).await.unwrap();
    let received = soon(router.recv()).await.unwrap();
    assert_eq!(received[1], *b"still here");
}

#[tokio::test]
async fn connecting_again_adds_a_connection_only_where_that_makes_sense() {
    let endpoint = "tcp://127.0.0.1:1";
    let dealer = DealerSocket::new();
    let first = dealer.connect(endpoint).await.unwrap();
    assert_eq!(dealer.connect(endpoint).await, Ok(first));
    let push = PushSocket::new();
    let first = push.connect(endpoint).await.unwrap();
    assert_ne!(push.connect(endpoint).await, Ok(first));
    assert_eq!(push.connected_endpoints().len(), 2);
}

// INT-035
#[tokio::test]
async fn without_reconnecting_a_lost_endpoint_stays_lost_until_it_is_connected_again() {
    let port = ReservedPort::new();
    for place in places(&port) {
        let mut pull = PullSocket::new();
        let endpoint = pull.bind(place).await.unwrap();
        let mut push = PushSocket::builder().no_reconnect().build();
        let mut monitor = push.monitor();
        push.connect(&endpoint).await.unwrap();
        handshake(&mut monitor).await;
        soon(pull.unbind(&endpoint)).await.unwrap();
        disconnect(&mut monitor).await;
        // The directory of an ipc wildcard has gone with it.
        let endpoint = pull.bind(place).await.unwrap();
        soon(async {
            while !push.connected_endpoints().is_empty() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert!(push.try_send("nobody").is_err());
        push.connect(&endpoint).await.unwrap();
        push.send("again").await.unwrap();
        assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("again"));
    }
}

// INT-033
#[tokio::test]
async fn a_refused_connection_can_end_the_attempts() {
    let port = ReservedPort::new();
    let endpoint: Endpoint = port.endpoint().parse().unwrap();
    let push = PushSocket::builder()
        .reconnect_stop([ReconnectStop::ConnectionRefused])
        .build();
    let mut monitor = push.monitor();
    push.connect(&endpoint).await.unwrap();
    let reason = event(&mut monitor, given_up).await;
    assert_eq!(
        reason,
        DisconnectReason::Io(io::ErrorKind::ConnectionRefused)
    );
    soon(push.close()).await;
}

// INT-033
#[tokio::test]
async fn a_failed_handshake_can_end_the_attempts() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    let push = PushSocket::builder()
        .reconnect_stop([ReconnectStop::HandshakeFailed])
        .build();
    let mut monitor = push.monitor();
    push.connect(&endpoint).await.unwrap();
    drop(soon(listener.accept()).await.unwrap());
    event(&mut monitor, given_up).await;
    soon(push.close()).await;
}

// INT-033
#[tokio::test]
async fn a_refusal_within_the_process_can_end_the_attempts() {
    let endpoint = "inproc://same-name-twice";
    let router = RouterSocket::new();
    router.bind(endpoint).await.unwrap();
    let named = || DealerSocket::builder().routing_id("same").unwrap();
    let first = named().build();
    let mut attached = first.monitor();
    first.connect(endpoint).await.unwrap();
    handshake(&mut attached).await;
    let second = named().reconnect_stop([ReconnectStop::HandshakeFailed]);
    let second = second.build();
    let mut monitor = second.monitor();
    second.connect(endpoint).await.unwrap();
    event(&mut monitor, given_up).await;
}

fn given_up(event: SocketEvent) -> Option<DisconnectReason> {
    match event {
        SocketEvent::ConnectGivenUp { reason, .. } => Some(reason),
        _ => None,
    }
}
