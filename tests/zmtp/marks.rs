//! High-water marks, and what each pattern does at them.

use std::net::SocketAddr;
use std::time::Duration;

use tests::bytes::{command, message};
use tests::raw_peer::{RawPeer, within};
use tokio::net::TcpListener;
use tokio::time::timeout;
use zmtp::{
    Builder, DealerSocket, Message, PubSocket, PushSocket, RepSocket, ReqSocket, RouterSocket,
    Socket, TrySendError,
};

use crate::suite::address;

/// Long enough for a send that does not wait.
const WINDOW: Duration = Duration::from_millis(50);

/// An endpoint to connect to where nobody answers yet.
async fn nobody() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    (listener, endpoint)
}

async fn bound(socket: &impl Socket) -> SocketAddr {
    address(&socket.bind("tcp://127.0.0.1:*").await.unwrap())
}

async fn peer(address: SocketAddr, socket_type: &str) -> RawPeer {
    let mut peer = RawPeer::connect(address).await.unwrap();
    peer.handshake(socket_type).await.unwrap();
    peer
}

fn small<S: Socket>() -> Builder<S> {
    S::builder().send_high_water_mark(2)
}

/// REQREP-030, REQREP-032, REQREP-034, REQREP-035, PIPE-003, PIPE-005, INT-037, INT-039.
#[tokio::test]
async fn a_dealer_queues_up_to_its_mark_for_a_peer_that_is_to_come_and_then_waits() {
    let mut dealer: DealerSocket = small().build();
    let full = |sent: Result<_, TrySendError>, body: &str| {
        let back = sent.map(drop).unwrap_err();
        assert_eq!(back, TrySendError::Full(Message::from(body)));
    };
    full(dealer.try_send("no peer"), "no peer");
    let (listener, endpoint) = nobody().await;
    dealer.connect(endpoint).await.unwrap();
    dealer.try_send("one").unwrap();
    dealer.try_send("two").unwrap();
    full(dealer.try_send("three"), "three");
    assert!(timeout(WINDOW, dealer.send("three")).await.is_err());
    let mut server = RawPeer::accept(&listener).await.unwrap();
    server.handshake("DEALER").await.unwrap();
    assert_eq!(server.recv_message().await.unwrap(), [b"one"]);
    assert_eq!(server.recv_message().await.unwrap(), [b"two"]);
    within(async { Ok(dealer.send("four").await) })
        .await
        .unwrap()
        .unwrap();
    // What was refused or given up was not sent.
    assert_eq!(server.recv_message().await.unwrap(), [b"four"]);
}

/// INT-039, PIPE-007, REQREP-005: PUSH and REQ wait as DEALER does.
#[tokio::test]
async fn push_and_req_wait_for_a_peer() {
    let mut push: PushSocket = small().build();
    assert!(timeout(WINDOW, push.send("one")).await.is_err());
    assert!(matches!(push.try_send("one"), Err(TrySendError::Full(_))));
    let mut puller = peer(bound(&push).await, "PULL").await;
    push.send("two").await.unwrap();
    assert_eq!(puller.recv_message().await.unwrap(), [b"two"]);

    let mut req: ReqSocket = small().build();
    assert!(timeout(WINDOW, req.send("one")).await.is_err());
    let mut server = peer(bound(&req).await, "REP").await;
    req.send("two").await.unwrap();
    assert_eq!(server.recv_message().await.unwrap(), [&b""[..], b"two"]);
}

/// INT-039, REQREP-049, REQREP-055: a ROUTER drops, or says so if it is asked to.
#[tokio::test]
async fn a_router_drops_at_the_mark_or_reports_it() {
    let large = vec![b'x'; 1 << 20];
    for report in ["drops", "reports"] {
        let builder: Builder<RouterSocket> = small();
        let mut router = match report {
            "drops" => builder.build(),
            _ => builder.router_mandatory().build(),
        };
        let mut client = peer(bound(&router).await, "DEALER").await;
        client.send(&message(&[b"hello"])).await.unwrap();
        let hello = within(async { Ok(router.recv().await) })
            .await
            .unwrap()
            .unwrap();
        let mut answer = Message::from(large.clone());
        answer.push_front(hello.iter().next().unwrap().clone());
        let mut full = 0;
        for _ in 0..100 {
            match router.try_send(answer.clone()) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => full += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(full > 0, report == "reports", "{report}: {full} refused");
    }
}

/// INT-039, PUBSUB-003, PUBSUB-008, PUBSUB-009, REQREP-022: PUB and REP drop and never wait.
#[tokio::test]
async fn pub_and_rep_drop_at_the_mark() {
    let large = vec![b'x'; 1 << 20];
    let publisher: PubSocket = small().build();
    let mut subscriber = peer(bound(&publisher).await, "SUB").await;
    subscriber.send(&command("SUBSCRIBE", b"")).await.unwrap();
    let started = async {
        loop {
            publisher.try_send("probe").unwrap();
            if let Ok(frame) = timeout(WINDOW, subscriber.recv_frame()).await {
                return frame;
            }
        }
    };
    within(started).await.unwrap();
    for _ in 0..100 {
        publisher.try_send(large.clone()).unwrap();
    }
    assert!(publisher.dropped() > 0);

    let mut rep: RepSocket = small().build();
    let mut client = peer(bound(&rep).await, "DEALER").await;
    for _ in 0..20 {
        client.send(&message(&[b"", b"request"])).await.unwrap();
        let request = within(async { Ok(rep.recv().await) }).await.unwrap();
        request.unwrap();
        rep.send(large.clone()).unwrap();
    }
}

/// INT-038: zero is no mark.
#[tokio::test]
async fn a_mark_of_zero_is_none() {
    let mut push = PushSocket::builder().send_high_water_mark(0).build();
    let (_listener, endpoint) = nobody().await;
    push.connect(endpoint).await.unwrap();
    for number in 0..5000 {
        push.try_send(format!("{number}")).unwrap();
    }
}

/// INT-043: nothing, everything, or what the time allows.
#[tokio::test]
async fn closing_lingers_as_long_as_it_is_told() {
    let body = vec![b'x'; 4 << 20];
    let sender = async |builder: Builder<PushSocket>| {
        let mut push = builder.build();
        let peer = peer(bound(&push).await, "PULL").await;
        // The peer does not read, so that most of it stays in the queue.
        for _ in 0..4 {
            let _ = timeout(WINDOW, push.send(body.clone())).await;
        }
        (push, peer)
    };

    let (push, _peer) = sender(PushSocket::builder().linger(Duration::ZERO)).await;
    within(async {
        push.close().await;
        Ok(())
    })
    .await
    .unwrap();

    let (push, mut peer) = sender(PushSocket::builder()).await;
    let closing = push.close();
    tokio::pin!(closing);
    assert!(timeout(WINDOW, &mut closing).await.is_err());
    let reading = async { while peer.recv_message().await.is_ok() {} };
    within(async {
        tokio::join!(closing, reading);
        Ok(())
    })
    .await
    .unwrap();

    let short = Duration::from_millis(100);
    let (push, _peer) = sender(PushSocket::builder().linger(short)).await;
    within(async {
        push.close().await;
        Ok(())
    })
    .await
    .unwrap();
}
