//! Several peers of one socket: which are taken, in which order they are heard, and what is left
//! when one goes.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tests::bytes::{MORE, command, frame, greeting, message, ping, ready};
use tests::raw_peer::{RawPeer, within};
use tokio::net::TcpListener;
use zmtp::{
    DealerSocket, Message, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket,
    Socket, SubSocket, TryRecvError,
};

use crate::suite::{address, expect_message};

async fn bound(socket: &impl Socket) -> SocketAddr {
    address(&socket.bind("tcp://127.0.0.1:*").await.unwrap())
}

async fn peer(address: SocketAddr, socket_type: &str) -> RawPeer {
    let mut peer = RawPeer::connect(address).await.unwrap();
    peer.handshake(socket_type).await.unwrap();
    peer
}

/// Sends octets, and waits until the socket has read them all.
async fn tell(peer: &mut RawPeer, octets: &[u8]) {
    peer.send(&[octets, &ping(0, b"fence")].concat())
        .await
        .unwrap();
    let answer = peer.recv_frame().await.unwrap();
    assert!(answer.is_command("PONG"), "{answer:?}");
}

/// Any number of its legal peers is taken by a socket, and no other.
async fn takes_its_peers(socket: impl Socket, legal: &[&str]) {
    let at = bound(&socket).await;
    let mut open = Vec::new();
    for socket_type in legal.iter().chain(legal) {
        open.push(peer(at, socket_type).await);
    }
    let all = [
        "REQ", "REP", "DEALER", "ROUTER", "PUB", "SUB", "XPUB", "XSUB", "PUSH", "PULL", "PAIR",
    ];
    for socket_type in all.iter().filter(|name| !legal.contains(name)) {
        let mut unfit = RawPeer::connect(at).await.unwrap();
        unfit
            .send(&[greeting(3, 1), ready(socket_type)].concat())
            .await
            .unwrap();
        unfit.recv_until_closed().await.unwrap();
    }
    for peer in &mut open {
        tell(peer, b"").await;
    }
}

/// REQREP-001, REQREP-015, REQREP-027, REQREP-038, PUBSUB-001, PUBSUB-030, PIPE-001, PIPE-013,
/// ZMTP31-079, ZMTP31-080.
#[tokio::test]
async fn a_socket_takes_any_number_of_the_peers_of_its_pattern() {
    takes_its_peers(ReqSocket::new(), &["REP", "ROUTER"]).await;
    takes_its_peers(RepSocket::new(), &["REQ", "DEALER"]).await;
    takes_its_peers(DealerSocket::new(), &["REP", "DEALER", "ROUTER"]).await;
    takes_its_peers(RouterSocket::new(), &["REQ", "DEALER", "ROUTER"]).await;
    takes_its_peers(PubSocket::new(), &["SUB", "XSUB"]).await;
    takes_its_peers(SubSocket::new(), &["PUB", "XPUB"]).await;
    takes_its_peers(PushSocket::new(), &["PULL"]).await;
    takes_its_peers(PullSocket::new(), &["PUSH"]).await;
}

/// LZ-075: peers come, are known and are heard while nothing of the socket is called.
#[tokio::test]
async fn peers_are_served_without_a_call() {
    let publisher = PubSocket::new();
    let at = bound(&publisher).await;
    let mut subscriber = peer(at, "SUB").await;
    tell(&mut subscriber, &command("SUBSCRIBE", b"a")).await;
    // These look, and let nothing happen.
    assert_eq!(publisher.topic_count(), 1);
    assert_eq!(publisher.counters().peers, 1);
    // So the first call already has somebody to send to.
    publisher.try_send("abc").unwrap();
    assert_eq!(subscriber.recv_message().await.unwrap(), [b"abc"]);

    let mut pull = PullSocket::new();
    let mut pusher = peer(bound(&pull).await, "PUSH").await;
    tell(&mut pusher, &message(&[b"before the first call"])).await;
    assert_eq!(pull.try_recv(), Ok(Message::from("before the first call")));
}

/// ZMTP31-098.
#[tokio::test]
async fn one_socket_binds_and_connects_several_times() {
    let mut pull = PullSocket::new();
    let mut peers = Vec::new();
    for _ in 0..2 {
        peers.push(peer(bound(&pull).await, "PUSH").await);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
        pull.connect(endpoint).await.unwrap();
        let mut accepted = RawPeer::accept(&listener).await.unwrap();
        accepted.handshake("PUSH").await.unwrap();
        peers.push(accepted);
    }
    for (name, peer) in [b"a", b"b", b"c", b"d"].into_iter().zip(&mut peers) {
        peer.send(&message(&[name])).await.unwrap();
        expect_message(&mut pull, &[name]).await.unwrap();
    }
}

/// LZ-074: a PUSH that connects twice gets twice the share, and others gain nothing from it.
#[tokio::test]
async fn connecting_twice_makes_two_connections_where_that_makes_sense() {
    async fn expect_connections(socket: impl Socket, expected: usize) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
        socket.connect(&endpoint).await.unwrap();
        socket.connect(&endpoint).await.unwrap();
        let mut accepted = Vec::new();
        for _ in 0..expected {
            accepted.push(RawPeer::accept(&listener).await.unwrap());
        }
        let window = Duration::from_millis(100);
        let more = tokio::time::timeout(window, listener.accept()).await;
        assert!(more.is_err(), "more than {expected} connections");
    }
    expect_connections(PushSocket::new(), 2).await;
    expect_connections(DealerSocket::new(), 1).await;
    expect_connections(ReqSocket::new(), 1).await;
    expect_connections(SubSocket::new(), 1).await;
    expect_connections(PubSocket::new(), 1).await;
}

/// What is received from two peers that both have sent a lot, one letter for each message.
async fn order_of_two(
    at: SocketAddr,
    socket_type: &str,
    head: &[&[u8]],
    mut receive: impl AsyncFnMut() -> Message,
) -> String {
    let mut peers = Vec::new();
    for name in [b"a", b"b"] {
        let mut peer = peer(at, socket_type).await;
        let one = message(&[head, &[&name[..]]].concat());
        tell(&mut peer, &one.repeat(20)).await;
        peers.push(peer);
    }
    let mut order = String::new();
    for _ in 0..40 {
        let received = receive().await;
        let last = received.iter().last().unwrap();
        order.push(char::from(last.as_slice()[0]));
    }
    order
}

/// REQREP-018, REQREP-036, REQREP-051, PUBSUB-035, PIPE-016.
#[tokio::test]
async fn peers_are_heard_in_turn() {
    let in_turn = |order: &str| {
        let mut chars = order.chars().zip(order.chars().skip(1));
        assert!(chars.all(|(one, next)| one != next), "{order}");
    };
    let mut dealer = DealerSocket::new();
    let at = bound(&dealer).await;
    in_turn(&order_of_two(at, "DEALER", &[], async || dealer.recv().await.unwrap()).await);

    let mut router = RouterSocket::new();
    let at = bound(&router).await;
    in_turn(&order_of_two(at, "DEALER", &[], async || router.recv().await.unwrap()).await);

    let mut rep = RepSocket::new();
    let at = bound(&rep).await;
    let serve = async || {
        let request = rep.recv().await.unwrap();
        rep.send("reply").unwrap();
        request
    };
    in_turn(&order_of_two(at, "DEALER", &[b""], serve).await);

    let mut sub = SubSocket::new();
    sub.subscribe("");
    let at = bound(&sub).await;
    let mut publishers = Vec::new();
    for name in [b"a", b"b"] {
        let mut publisher = peer(at, "PUB").await;
        // The subscription comes before the answer to the PING.
        publisher.recv_frame().await.unwrap();
        tell(&mut publisher, &message(&[name]).repeat(20)).await;
        publishers.push(publisher);
    }
    let mut order = String::new();
    for _ in 0..40 {
        let received = sub.recv().await.unwrap();
        order.push(char::from(received.iter().next().unwrap().as_slice()[0]));
    }
    in_turn(&order);
}

/// REQREP-031, REQREP-041: what was queued for a peer that was accepted goes with it.
#[tokio::test]
async fn the_queue_of_an_accepted_peer_goes_with_it() {
    let mut dealer = DealerSocket::new();
    let at = bound(&dealer).await;
    let first = peer(at, "DEALER").await;
    let large = vec![b'x'; 1 << 20];
    // More than the system takes, so that something is left in the queue.
    while dealer.try_send(large.clone()).is_ok() {}
    drop(first);
    let mut second = peer(at, "DEALER").await;
    within(async { Ok(dealer.send("new").await) })
        .await
        .unwrap()
        .unwrap();
    assert_eq!(second.recv_message().await.unwrap(), [b"new"]);
}

/// REQREP-039: a peer that does not read is still heard.
#[tokio::test]
async fn a_peer_that_does_not_read_is_still_heard() {
    let mut router = RouterSocket::builder().router_mandatory().build();
    let at = bound(&router).await;
    let mut deaf = peer(at, "DEALER").await;
    deaf.send(&message(&[b"first"])).await.unwrap();
    let first = within(async { Ok(router.recv().await) })
        .await
        .unwrap()
        .unwrap();
    let name = first.iter().next().unwrap().clone();
    let large = Message::from(vec![b'x'; 1 << 20]);
    let mut answer = large.clone();
    answer.push_front(name);
    while router.try_send(answer.clone()).is_ok() {}
    deaf.send(&message(&[b"second"])).await.unwrap();
    let second = within(async { Ok(router.recv().await) })
        .await
        .unwrap()
        .unwrap();
    assert_eq!(second.iter().last().unwrap().as_slice(), b"second");
}

/// PUBSUB-031, LZ-073: what came before its sender left is still delivered.
#[tokio::test]
async fn what_came_before_a_publisher_left_is_delivered() {
    let mut sub = SubSocket::new();
    sub.subscribe("");
    let at = bound(&sub).await;
    let mut publisher = peer(at, "PUB").await;
    publisher.recv_frame().await.unwrap();
    tell(&mut publisher, &message(&[b"last words"]).repeat(3)).await;
    publisher.finish().await.unwrap();
    publisher.recv_until_closed().await.unwrap();
    for _ in 0..3 {
        let received = within(async { Ok(sub.recv().await) }).await.unwrap();
        assert_eq!(received.unwrap(), Message::from("last words"));
    }
    assert_eq!(sub.try_recv(), Err(TryRecvError::Empty));
}

/// PUBSUB-034, LZ-046: a SUB that is full stops reading.
#[tokio::test]
async fn a_full_subscriber_stops_reading() {
    let mut sub = SubSocket::builder().receive_high_water_mark(10).build();
    sub.subscribe("");
    let at = bound(&sub).await;
    let mut publisher = peer(at, "PUB").await;
    publisher.recv_frame().await.unwrap();
    let body = vec![b'x'; 64 << 10];
    let one = message(&[&body]);
    let mut sent: usize = 0;
    // The kernel takes some megabytes; what it takes is not lost.
    let window = Duration::from_millis(300);
    while let Ok(result) = tokio::time::timeout(window, publisher.send(&one)).await {
        result.unwrap();
        sent += 1;
        assert!(sent < 2000, "it reads on");
    }
    for _ in 0..sent {
        let received = within(async { Ok(sub.recv().await) }).await.unwrap();
        assert_eq!(received.unwrap(), Message::from(body.clone()));
    }
}

/// REQREP-014, ZMTP31-050: half a reply is none.
#[tokio::test]
async fn a_reply_that_is_cut_is_discarded_whole() {
    let mut req = ReqSocket::builder().req_relaxed().build();
    let at = bound(&req).await;
    let mut first = peer(at, "REP").await;
    req.send("one").await.unwrap();
    let request = first.recv_message().await.unwrap();
    let number = &request[0];
    let half = [frame(MORE, number), frame(MORE, b""), frame(MORE, b"half")].concat();
    tell(&mut first, &half).await;
    drop(first);
    let mut second = peer(at, "REP").await;
    req.send("two").await.unwrap();
    let request = second.recv_message().await.unwrap();
    second
        .send(&message(&[&request[0], b"", b"whole"]))
        .await
        .unwrap();
    let reply = within(async { Ok(req.recv().await) }).await.unwrap();
    assert_eq!(reply.unwrap(), Message::from("whole"));
}

/// REQREP-023, PUBSUB-036: any octets pass unchanged.
#[tokio::test]
async fn any_octets_pass_unchanged() -> io::Result<()> {
    let mut rep = RepSocket::new();
    let mut client = peer(bound(&rep).await, "REQ").await;
    let all: Vec<u8> = (0..=255).collect();
    for body in [&all[..], &[0], &[1], &[0xff; 300]] {
        let parts = [b"", body, b"", body];
        client.send(&message(&parts)).await?;
        let request = within(async { Ok(rep.recv().await) }).await?.unwrap();
        rep.send(request).unwrap();
        assert_eq!(client.recv_message().await?, parts);
    }
    Ok(())
}
