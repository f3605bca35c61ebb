//! Who sent a message: also when the peer has gone, and when another one has come in its place.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::time::Duration;

use zmtp::authenticator::Passwords;
use zmtp::wire::greeting::MechanismName;
use zmtp::wire::metadata::Metadata;
use zmtp::{
    Builder, DealerSocket, Endpoint, MessageReceiver, Monitor, PairSocket, PeerAddress,
    PeerMessage, PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket, Socket, SubSocket,
    TryRecvError, XPubSocket, XSubSocket, blocking,
};

use crate::reserved_port::ReservedPort;
use crate::{LOOPBACK, disconnect, handshake, soon};

fn passwords() -> Passwords {
    let mut passwords = Passwords::new();
    passwords.insert("alice", "secret").unwrap();
    passwords.insert("bob", "secret").unwrap();
    passwords
}

/// A socket that knows users.
fn server<S: Socket>() -> Builder<S> {
    let builder = S::builder().plain_server().authenticator(passwords());
    builder.reconnect_interval(Duration::from_millis(1))
}

/// A socket of a user.
fn user<S: Socket>(name: &str) -> S {
    let builder = S::builder().plain_client(name, "secret").unwrap();
    builder.no_reconnect().build()
}

/// A server that listens, and tells what happens.
async fn listening<S: Socket>() -> (S, Monitor, Endpoint) {
    let server = server::<S>().build();
    let monitor = server.monitor();
    let endpoint = server.bind(LOOPBACK).await.unwrap();
    (server, monitor, endpoint)
}

fn user_id(received: &PeerMessage) -> Option<&[u8]> {
    received.info.user_id.as_ref().map(|id| id.as_slice())
}

/// The peer has sent something and gone before it is received.
async fn expect_alice(
    socket: &mut (impl Socket + MessageReceiver),
    monitor: &mut Monitor,
    body: &[u8],
) {
    disconnect(monitor).await;
    let received = soon(socket.recv_with_peer()).await.unwrap();
    assert_eq!(received.message, [body]);
    assert_eq!(user_id(&received), Some(&b"alice"[..]));
    assert_eq!(received.info.mechanism, MechanismName::PLAIN);
    let address = received.info.address.as_ref().unwrap();
    assert!(address.ip().is_some_and(|ip| ip.is_loopback()));
    assert!(socket.peer_info(received.peer).is_none(), "it has gone");
}

// ZAP-029
#[tokio::test]
async fn a_pull_knows_who_sent_what_is_left() {
    let (mut pull, mut monitor, endpoint) = listening::<PullSocket>().await;
    let mut push = user::<PushSocket>("alice");
    push.connect(&endpoint).await.unwrap();
    push.send("hello").await.unwrap();
    soon(push.close()).await;
    expect_alice(&mut pull, &mut monitor, b"hello").await;
    assert_eq!(
        pull.try_recv_with_peer().map(|_| ()),
        Err(TryRecvError::Empty)
    );
}

// ZAP-029
#[tokio::test]
async fn a_dealer_a_router_and_their_halves_know_who_sent_what_is_left() {
    let (mut dealer, mut monitor, endpoint) = listening::<DealerSocket>().await;
    let (mut router, mut router_monitor, router_endpoint) = listening::<RouterSocket>().await;
    for endpoint in [endpoint, router_endpoint] {
        let mut peer = user::<DealerSocket>("alice");
        peer.connect(&endpoint).await.unwrap();
        peer.send("first").await.unwrap();
        peer.send("second").await.unwrap();
        soon(peer.close()).await;
    }
    expect_alice(&mut dealer, &mut monitor, b"first").await;
    let (_sender, mut dealer) = dealer.split();
    let received = soon(dealer.recv_with_peer()).await.unwrap();
    assert_eq!(user_id(&received), Some(&b"alice"[..]));
    expect_alice(&mut router, &mut router_monitor, b"first").await;
    let (_sender, mut router) = router.split();
    let received = router.try_recv_with_peer().unwrap();
    assert_eq!(received.message, ["second"]);
    assert_eq!(user_id(&received), Some(&b"alice"[..]));
}

// ZAP-029
#[tokio::test]
async fn a_rep_and_a_req_know_whom_they_talk_to() {
    let (mut rep, mut monitor, endpoint) = listening::<RepSocket>().await;
    let mut req = user::<ReqSocket>("alice");
    req.connect(&endpoint).await.unwrap();
    req.send("question").await.unwrap();
    soon(req.close()).await;
    expect_alice(&mut rep, &mut monitor, b"question").await;
    rep.send("answer").unwrap();
    assert_eq!(
        rep.try_recv_with_peer().map(|_| ()),
        Err(TryRecvError::Empty)
    );

    let (mut req, mut monitor, endpoint) = listening::<ReqSocket>().await;
    let mut rep = user::<RepSocket>("alice");
    rep.connect(&endpoint).await.unwrap();
    soon(req.send("question")).await.unwrap();
    soon(rep.recv()).await.unwrap();
    rep.send("answer").unwrap();
    soon(rep.close()).await;
    expect_alice(&mut req, &mut monitor, b"answer").await;
    assert_eq!(
        req.try_recv_with_peer().map(|_| ()),
        Err(TryRecvError::OutOfTurn)
    );
}

// ZAP-029
#[tokio::test]
async fn a_sub_and_an_xsub_know_who_published_what_is_left() {
    let (mut sub, mut monitor, endpoint) = listening::<SubSocket>().await;
    sub.subscribe("topic");
    let (mut xsub, mut xsub_monitor, xsub_endpoint) = listening::<XSubSocket>().await;
    xsub.subscribe("topic");
    for endpoint in [endpoint, xsub_endpoint] {
        let mut publisher = user::<XPubSocket>("alice");
        publisher.connect(&endpoint).await.unwrap();
        soon(publisher.recv_event()).await.unwrap();
        publisher.send("topic one").await.unwrap();
        publisher.send("topic two").await.unwrap();
        soon(publisher.close()).await;
    }
    expect_alice(&mut sub, &mut monitor, b"topic one").await;
    let received = sub.try_recv_with_peer().unwrap();
    assert_eq!(user_id(&received), Some(&b"alice"[..]));
    expect_alice(&mut xsub, &mut xsub_monitor, b"topic one").await;
    let (_sender, mut xsub) = xsub.split();
    let received = soon(xsub.recv_with_peer()).await.unwrap();
    assert_eq!(received.message, ["topic two"]);
}

// ZAP-029
#[tokio::test]
async fn an_xpub_knows_who_subscribed_and_cancelled_and_sent() {
    let (mut xpub, mut monitor, endpoint) = listening::<XPubSocket>().await;
    let xsub = user::<XSubSocket>("alice");
    xsub.subscribe("topic");
    xsub.connect(&endpoint).await.unwrap();
    xsub.send("upstream").await.unwrap();
    soon(xsub.close()).await;
    expect_alice(&mut xpub, &mut monitor, b"\x01topic").await;
    let (_sender, mut xpub) = xpub.split();
    // The cancellation that the end of the connection is goes ahead of messages.
    for body in [&b"\0topic"[..], b"upstream"] {
        let received = soon(xpub.recv_with_peer()).await.unwrap();
        assert_eq!(received.message, [body]);
        assert_eq!(user_id(&received), Some(&b"alice"[..]));
    }
    assert!(xpub.try_recv_with_peer().is_err());
}

// ZAP-029
#[tokio::test]
async fn a_pair_knows_who_sent_what_is_left() {
    let (mut pair, mut monitor, endpoint) = listening::<PairSocket>().await;
    let mut other = user::<PairSocket>("alice");
    other.connect(&endpoint).await.unwrap();
    other.send("one").await.unwrap();
    other.send("two").await.unwrap();
    soon(other.close()).await;
    expect_alice(&mut pair, &mut monitor, b"one").await;
    let (_sender, mut pair) = pair.split();
    let received = pair.try_recv_with_peer().unwrap();
    assert_eq!(user_id(&received), Some(&b"alice"[..]));
}

// ZAP-029
#[tokio::test]
async fn the_messages_of_two_users_are_told_apart_in_turn() {
    let (mut pull, mut monitor, endpoint) = listening::<PullSocket>().await;
    for name in ["alice", "bob"] {
        let mut push = user::<PushSocket>(name);
        push.connect(&endpoint).await.unwrap();
        for _ in 0..10 {
            push.send(name).await.unwrap();
        }
        soon(push.close()).await;
        disconnect(&mut monitor).await;
    }
    for _ in 0..20 {
        let received = pull.try_recv_with_peer().unwrap();
        assert_eq!(
            received.message.first().map(|part| part.as_slice()),
            user_id(&received)
        );
    }
}

// ZAP-029: the id of a peer that was connected to stays, whoever is behind the endpoint.
#[tokio::test]
async fn what_one_user_has_left_is_not_taken_for_the_word_of_the_next_one() {
    let mut pull = server::<PullSocket>().build();
    let mut monitor = pull.monitor();
    let port = ReservedPort::new();
    for (round, name) in ["alice", "bob", "alice"].into_iter().enumerate() {
        let mut push = user::<PushSocket>(name);
        soon(push.bind(port.endpoint())).await.unwrap();
        if round == 0 {
            pull.connect(port.endpoint()).await.unwrap();
        }
        handshake(&mut monitor).await;
        for _ in 0..10 {
            push.send(name).await.unwrap();
        }
        if round == 1 {
            // Some of what the first one sent is in the hands of the receiver.
            let received = soon(pull.recv_with_peer()).await.unwrap();
            assert_eq!(received.message, ["alice"]);
            assert_eq!(user_id(&received), Some(&b"alice"[..]));
        }
        soon(push.close()).await;
        disconnect(&mut monitor).await;
    }
    let mut ids = Vec::new();
    for name in [["alice"; 9].as_slice(), &["bob"; 10], &["alice"; 10]].concat() {
        let received = soon(pull.recv_with_peer()).await.unwrap();
        assert_eq!(received.message, [name]);
        assert_eq!(user_id(&received), Some(name.as_bytes()));
        ids.push(received.peer);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(pull.try_recv(), Err(TryRecvError::Empty));
}

/// What is left of earlier connections counts towards the mark: peers that come and go are not a way
/// around it.
#[tokio::test]
async fn what_earlier_connections_have_left_counts_towards_the_mark() {
    let builder = server::<PullSocket>().receive_high_water_mark(10);
    let mut pull = builder.build();
    let mut monitor = pull.monitor();
    let port = ReservedPort::new();
    for (round, name) in ["alice", "bob"].into_iter().enumerate() {
        let mut push = user::<PushSocket>(name);
        soon(push.bind(port.endpoint())).await.unwrap();
        if round == 0 {
            pull.connect(port.endpoint()).await.unwrap();
        }
        handshake(&mut monitor).await;
        for _ in 0..8 {
            push.send(name).await.unwrap();
        }
        if round == 1 {
            soon(async {
                while pull.counters().queued.incoming < 10 {
                    tokio::task::yield_now().await;
                }
            })
            .await;
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            assert_eq!(pull.counters().queued.incoming, 10);
            for name in [["alice"; 8], ["bob"; 8]].concat() {
                let received = soon(pull.recv_with_peer()).await.unwrap();
                assert_eq!(user_id(&received), Some(name.as_bytes()));
            }
        }
        soon(push.close()).await;
        disconnect(&mut monitor).await;
    }
}

fn named<S: Socket>(name: &str) -> S {
    let mut metadata = Metadata::new();
    metadata.insert("X-Name", name).unwrap();
    S::builder().metadata(metadata).build()
}

// ZAP-029, ZAP-044: nobody is asked within the process, and everything else is known there too.
#[tokio::test]
async fn peers_of_the_process_are_told_apart_as_well() {
    let endpoint = "inproc://senders-of-the-process";
    let builder = PullSocket::builder().reconnect_interval(Duration::from_millis(1));
    let mut pull = builder.build();
    let mut monitor = pull.monitor();
    pull.connect(endpoint).await.unwrap();
    for name in ["alice", "bob"] {
        let mut push = named::<PushSocket>(name);
        push.bind(endpoint).await.unwrap();
        handshake(&mut monitor).await;
        for _ in 0..3 {
            push.send(name).await.unwrap();
        }
        soon(push.close()).await;
        disconnect(&mut monitor).await;
    }
    for name in [["alice"; 3], ["bob"; 3]].concat() {
        let received = soon(pull.recv_with_peer()).await.unwrap();
        assert_eq!(received.message, [name]);
        let info = &received.info;
        assert_eq!(info.metadata.get("X-Name"), Some(&name.into()));
        assert_eq!(info.user_id, None);
        assert!(matches!(info.address, Some(PeerAddress::Inproc(_))));
    }
}

// ZAP-029
#[test]
fn blocking_sockets_know_who_sent_what_is_left() {
    let mut pull = server::<PullSocket>().build_blocking();
    let endpoint = pull.bind(LOOPBACK).unwrap();
    let builder = PushSocket::builder().plain_client("alice", "secret");
    let mut push: blocking::PushSocket = builder.unwrap().build_blocking();
    push.connect(&endpoint).unwrap();
    for _ in 0..3 {
        push.send("hello").unwrap();
    }
    push.close();
    let long = Duration::from_secs(20);
    let first = pull.recv_with_peer().unwrap();
    let second = pull.recv_with_peer_timeout(long).unwrap();
    while !pull.peers().is_empty() {
        std::thread::yield_now();
    }
    let third = pull.try_recv_with_peer().unwrap();
    for received in [first, second, third] {
        assert_eq!(user_id(&received), Some(&b"alice"[..]));
    }
    let nothing = pull.recv_with_peer_timeout(Duration::from_millis(1));
    assert_eq!(
        nothing.map(|_| ()),
        Err(blocking::RecvTimeoutError::TimedOut)
    );
}
