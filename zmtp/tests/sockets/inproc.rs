//! Sockets of one process, without octets in between.

use std::io::ErrorKind;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime;
use tokio::time::timeout;
use zmtp::pattern::SocketType;
use zmtp::{
    BindError, DealerSocket, DisconnectReason, Message, PairSocket, PeerAddress, PubSocket,
    PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket, Socket, SocketEvent, SubSocket,
    TryRecvError, TrySendError,
};

use crate::{disconnect, handshake, soon};

/// Sends until nothing more is taken, although everybody had a turn.
async fn fill(push: &mut PushSocket) -> usize {
    let mut sent = 0;
    loop {
        let before = sent;
        while sent < 20_000 && push.try_send("").is_ok() {
            sent += 1;
        }
        if sent == before {
            return sent;
        }
        tokio::task::yield_now().await;
    }
}

async fn drain(pull: &mut PullSocket) -> usize {
    let mut received = 0;
    while timeout(Duration::from_millis(200), pull.recv())
        .await
        .is_ok()
    {
        received += 1;
    }
    received
}

#[tokio::test]
async fn messages_pass_whichever_side_comes_first() {
    for (name, first) in [
        ("inproc://bind-first", "bind"),
        ("inproc://connect-first", "connect"),
    ] {
        let (mut push, mut pull) = (PushSocket::new(), PullSocket::new());
        if first == "connect" {
            push.connect(name).await.unwrap();
            push.send("early").await.unwrap();
            pull.bind(name).await.unwrap();
        } else {
            pull.bind(name).await.unwrap();
            push.connect(name).await.unwrap();
            push.send("early").await.unwrap();
        }
        push.send(["two", "parts"]).await.unwrap();
        assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("early"));
        assert_eq!(
            soon(pull.recv()).await.unwrap(),
            Message::from(["two", "parts"])
        );
    }
}

#[tokio::test]
async fn the_receiver_may_be_the_one_that_connects() {
    let (mut push, mut pull) = (PushSocket::new(), PullSocket::new());
    push.bind("inproc://pull-connects").await.unwrap();
    pull.connect("inproc://pull-connects").await.unwrap();
    soon(push.send("here")).await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("here"));
}

#[tokio::test]
async fn a_name_is_bound_once_and_free_after_its_socket_closed() {
    let name = "inproc://once";
    let first = PullSocket::new();
    first.bind(name).await.unwrap();
    let second = PullSocket::new();
    let elsewhere = second.bind("inproc://elsewhere").await.unwrap();
    let refused = second.bind(name).await.unwrap_err();
    assert!(
        matches!(&refused, BindError::Io { source, .. } if source.kind() == ErrorKind::AddrInUse)
    );
    assert_eq!(second.last_endpoint(), Some(elsewhere));
    drop(first);
    PullSocket::new().bind(name).await.unwrap();
}

#[tokio::test]
async fn many_connect_to_one_name() {
    let mut pull = PullSocket::new();
    let mut pushes: Vec<_> = (0..10).map(|_| PushSocket::new()).collect();
    for push in &mut pushes[..5] {
        push.connect("inproc://many").await.unwrap();
    }
    pull.bind("inproc://many").await.unwrap();
    for push in &mut pushes[5..] {
        push.connect("inproc://many").await.unwrap();
    }
    for (number, push) in (0u8..).zip(&mut pushes) {
        push.send([number].as_slice()).await.unwrap();
    }
    let mut received = Vec::new();
    for _ in 0..10 {
        received.push(soon(pull.recv()).await.unwrap()[0][0]);
    }
    received.sort_unstable();
    assert_eq!(received, (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_large_body_is_handed_over_and_not_copied() {
    let (mut push, mut pull) = (PushSocket::new(), PullSocket::new());
    pull.bind("inproc://by-reference").await.unwrap();
    push.connect("inproc://by-reference").await.unwrap();
    let body = Bytes::from(vec![7; 1024 * 1024]);
    push.send(body.clone()).await.unwrap();
    let received = soon(pull.recv()).await.unwrap();
    assert_eq!(received[0].as_slice().as_ptr(), body.as_ptr());
}

#[tokio::test]
async fn a_publisher_shares_one_body_with_all_its_subscribers() {
    let publisher = PubSocket::new();
    let mut monitor = publisher.monitor();
    publisher.bind("inproc://fan-out").await.unwrap();
    let mut subscribers = [SubSocket::new(), SubSocket::new()];
    for subscriber in &subscribers {
        subscriber.subscribe("");
        subscriber.connect("inproc://fan-out").await.unwrap();
        handshake(&mut monitor).await;
    }
    let body = Bytes::from(vec![7; 1024 * 1024]);
    publisher.try_send(body.clone()).unwrap();
    for subscriber in &mut subscribers {
        let received = soon(subscriber.recv()).await.unwrap();
        assert_eq!(received[0].as_slice().as_ptr(), body.as_ptr());
    }
}

#[tokio::test]
async fn subscriptions_of_before_and_after_the_connection_reach_the_publisher() {
    let publisher = PubSocket::new();
    let mut subscriber = SubSocket::new();
    subscriber.subscribe("a");
    subscriber.connect("inproc://topics").await.unwrap();
    let mut monitor = subscriber.monitor();
    publisher.bind("inproc://topics").await.unwrap();
    handshake(&mut monitor).await;
    subscriber.subscribe("b");
    subscriber.unsubscribe("a");
    // The task of the link carries them over.
    let arrived = async {
        loop {
            publisher.try_send("b").unwrap();
            if subscriber.try_recv().is_ok() {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    soon(arrived).await;
    publisher.try_send("a").unwrap();
    publisher.try_send("b-last").unwrap();
    let next = soon(subscriber.recv()).await.unwrap();
    assert_eq!(next, Message::from("b-last"));
}

#[tokio::test]
async fn a_router_sees_routing_ids_and_answers_by_them() {
    let mut router = RouterSocket::new();
    router.bind("inproc://named").await.unwrap();
    let mut dealer = DealerSocket::builder().routing_id("me").unwrap().build();
    dealer.connect("inproc://named").await.unwrap();
    dealer.send("question").await.unwrap();
    let question = soon(router.recv()).await.unwrap();
    assert_eq!(question, Message::from(["me", "question"]));
    router.send(["me", "answer"]).await.unwrap();
    assert_eq!(soon(dealer.recv()).await.unwrap(), Message::from("answer"));
}

#[tokio::test]
async fn requests_are_answered() {
    let (mut req, mut rep) = (ReqSocket::new(), RepSocket::new());
    rep.bind("inproc://asked").await.unwrap();
    req.connect("inproc://asked").await.unwrap();
    for number in 0..100u8 {
        soon(req.send([number].as_slice())).await.unwrap();
        let request = soon(rep.recv()).await.unwrap();
        rep.send(request).unwrap();
        assert_eq!(soon(req.recv()).await.unwrap()[0], [number]);
    }
}

/// What libzmq's test_invalid_rep shows.
#[tokio::test]
async fn a_reply_without_delimiter_is_passed_over() {
    let mut router = RouterSocket::new();
    router.bind("inproc://invalid-reply").await.unwrap();
    let mut req = ReqSocket::new();
    req.connect("inproc://invalid-reply").await.unwrap();
    req.send("hello").await.unwrap();
    let request = soon(router.recv()).await.unwrap();
    let id = request[0].clone();
    assert_eq!(request.part_count(), 3);
    router
        .send(Message::from_parts(vec![id.clone(), "bad".into()]))
        .await
        .unwrap();
    router
        .send(Message::from_parts(vec![id, "".into(), "good".into()]))
        .await
        .unwrap();
    assert_eq!(soon(req.recv()).await.unwrap(), Message::from("good"));
}

#[tokio::test]
async fn sockets_that_do_not_fit_are_told_and_get_nothing() {
    let mut pull = PullSocket::new();
    let mut heard_by_pull = pull.monitor();
    pull.bind("inproc://misfit").await.unwrap();
    let mut dealer = DealerSocket::new();
    let mut heard_by_dealer = dealer.monitor();
    dealer.connect("inproc://misfit").await.unwrap();
    dealer.send("nobody's").await.unwrap();
    for monitor in [&mut heard_by_pull, &mut heard_by_dealer] {
        soon(async {
            while !matches!(
                monitor.recv().await,
                Some(SocketEvent::HandshakeFailed { .. })
            ) {}
        })
        .await;
    }
    let given_up = soon(heard_by_dealer.recv()).await.unwrap();
    assert!(matches!(
        given_up,
        SocketEvent::ConnectGivenUp {
            reason: DisconnectReason::Protocol(_),
            ..
        }
    ));
    assert_eq!(pull.try_recv().unwrap_err(), TryRecvError::Empty);
    assert!(pull.peers().is_empty());
    assert!(matches!(
        dealer.try_send("again"),
        Err(TrySendError::Full(_))
    ));
}

/// The bound side has taken the other one in by the time that the latter finds its name taken.
#[tokio::test]
async fn a_connection_that_one_side_refuses_has_not_begun_for_the_other() {
    let [first, second] = ["inproc://first-namesake", "inproc://second-namesake"];
    let namesake = || DealerSocket::builder().routing_id("me").unwrap().build();
    let dealers = [namesake(), namesake()];
    dealers[0].bind(first).await.unwrap();
    dealers[1].bind(second).await.unwrap();
    let mut monitor = dealers[1].monitor();
    let router = RouterSocket::new();
    let mut heard_by_router = router.monitor();
    router.connect(first).await.unwrap();
    handshake(&mut heard_by_router).await;
    router.connect(second).await.unwrap();
    let mut told = Vec::new();
    for _ in 0..2 {
        told.push(soon(monitor.recv()).await.unwrap());
    }
    assert!(
        matches!(
            told[..],
            [
                SocketEvent::Accepted { .. },
                SocketEvent::HandshakeFailed {
                    reason: DisconnectReason::PeerClosed,
                    ..
                }
            ]
        ),
        "{told:?}"
    );
}

#[tokio::test]
async fn both_monitors_tell_of_the_connection() {
    let pull = PullSocket::new();
    let mut heard_by_pull = pull.monitor();
    pull.bind("inproc://heard").await.unwrap();
    let push = PushSocket::new();
    let mut heard_by_push = push.monitor();
    let peer = push.connect("inproc://heard").await.unwrap();
    let mut next = async || soon(heard_by_pull.recv()).await.unwrap();
    assert!(matches!(next().await, SocketEvent::Listening { .. }));
    let SocketEvent::Accepted {
        address: PeerAddress::Inproc(name),
        ..
    } = next().await
    else {
        panic!("not accepted");
    };
    assert_eq!(name.as_str(), "heard");
    let SocketEvent::HandshakeSucceeded { info, .. } = next().await else {
        panic!("no handshake");
    };
    assert_eq!(info.socket_type, SocketType::Push);
    handshake(&mut heard_by_push).await;
    let info = push.peer_info(peer).unwrap();
    assert_eq!(info.socket_type, SocketType::Pull);
    pull.close().await;
    disconnect(&mut heard_by_push).await;
    assert!(push.peer_info(peer).is_none());
}

// INT-042
#[tokio::test]
async fn the_marks_of_both_sides_add_up() {
    // Of the sender, of the receiver, and what fits: libzmq's test_hwm.
    for (number, (send, receive, fits)) in [
        (1000, 1000, 2000),
        (1, 1, 2),
        (5, 1, 6),
        (0, 1, 20_000),
        (1, 0, 20_000),
        (0, 0, 20_000),
    ]
    .into_iter()
    .enumerate()
    {
        for order in ["bind", "connect"] {
            let name = format!("inproc://marks-{number}-{order}");
            let mut pull = PullSocket::builder()
                .receive_high_water_mark(receive)
                .build();
            let mut push = PushSocket::builder().send_high_water_mark(send).build();
            let mut monitor = push.monitor();
            if order == "bind" {
                pull.bind(&name).await.unwrap();
                push.connect(&name).await.unwrap();
            } else {
                push.connect(&name).await.unwrap();
                pull.bind(&name).await.unwrap();
            }
            handshake(&mut monitor).await;
            assert_eq!(fill(&mut push).await, fits, "{name}");
            for _ in 0..fits {
                soon(pull.recv()).await.unwrap();
            }
            assert_eq!(pull.try_recv().unwrap_err(), TryRecvError::Empty);
            // The marks hold again as before.
            assert_eq!(fill(&mut push).await, fits, "{name}");
        }
    }
}

// INT-042
#[tokio::test]
async fn before_there_is_a_receiver_the_mark_of_the_sender_holds() {
    let mut push = PushSocket::builder().send_high_water_mark(4).build();
    push.connect("inproc://alone").await.unwrap();
    assert_eq!(fill(&mut push).await, 4);
    let closed = tokio::spawn(push.close());
    let mut pull = PullSocket::new();
    pull.bind("inproc://alone").await.unwrap();
    assert_eq!(drain(&mut pull).await, 4);
    soon(closed).await.unwrap();
}

#[tokio::test]
async fn what_a_closed_socket_had_sent_is_still_received() {
    let (mut push, mut pull) = (PushSocket::new(), PullSocket::new());
    pull.bind("inproc://closed-sender").await.unwrap();
    push.connect("inproc://closed-sender").await.unwrap();
    for number in 0..1500u32 {
        push.send(number.to_be_bytes().as_slice()).await.unwrap();
    }
    soon(push.close()).await;
    for number in 0..1500u32 {
        assert_eq!(soon(pull.recv()).await.unwrap()[0], number.to_be_bytes());
    }
}

#[tokio::test]
async fn a_bound_sender_that_closes_has_sent_all() {
    let (mut push, mut pull) = (PushSocket::new(), PullSocket::new());
    push.bind("inproc://closed-listener").await.unwrap();
    let mut monitor = push.monitor();
    pull.connect("inproc://closed-listener").await.unwrap();
    handshake(&mut monitor).await;
    for number in 0..100u8 {
        push.send([number].as_slice()).await.unwrap();
    }
    soon(push.close()).await;
    for number in 0..100u8 {
        assert_eq!(soon(pull.recv()).await.unwrap()[0], [number]);
    }
}

#[tokio::test]
async fn what_a_receiver_did_not_take_goes_to_the_next_one() {
    let mut push = PushSocket::new();
    let mut monitor = push.monitor();
    push.connect("inproc://next").await.unwrap();
    let mut first = PullSocket::new();
    first.bind("inproc://next").await.unwrap();
    handshake(&mut monitor).await;
    push.send("taken").await.unwrap();
    assert_eq!(soon(first.recv()).await.unwrap(), Message::from("taken"));
    push.send("left").await.unwrap();
    first.close().await;
    disconnect(&mut monitor).await;
    push.send("later").await.unwrap();
    let mut second = PullSocket::new();
    second.bind("inproc://next").await.unwrap();
    for body in ["left", "later"] {
        assert_eq!(soon(second.recv()).await.unwrap(), Message::from(body));
    }
}

#[tokio::test]
async fn closing_before_anybody_binds_ends_with_the_linger_period() {
    let mut push = PushSocket::builder()
        .linger(Duration::from_millis(20))
        .build();
    push.connect("inproc://nobody").await.unwrap();
    push.send("lost").await.unwrap();
    soon(push.close()).await;
    let mut pull = PullSocket::new();
    pull.bind("inproc://nobody").await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(pull.try_recv().unwrap_err(), TryRecvError::Empty);
}

#[tokio::test]
async fn with_immediate_nothing_is_queued_for_a_name_that_nobody_bound() {
    let mut push = PushSocket::builder().immediate().build();
    push.connect("inproc://immediate").await.unwrap();
    assert!(matches!(push.try_send("early"), Err(TrySendError::Full(_))));
    let mut pull = PullSocket::new();
    pull.bind("inproc://immediate").await.unwrap();
    soon(push.send("now")).await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("now"));
}

#[tokio::test]
async fn a_full_pipe_holds_the_sender_until_there_is_room() {
    let mut pull = PullSocket::builder().receive_high_water_mark(1).build();
    let mut push = PushSocket::builder().send_high_water_mark(1).build();
    pull.bind("inproc://full").await.unwrap();
    push.connect("inproc://full").await.unwrap();
    let sender = tokio::spawn(async move {
        for number in 0..1000u32 {
            push.send(number.to_be_bytes().as_slice()).await.unwrap();
        }
    });
    for number in 0..1000u32 {
        assert_eq!(soon(pull.recv()).await.unwrap()[0], number.to_be_bytes());
    }
    soon(sender).await.unwrap();
}

// INT-044
#[tokio::test]
async fn a_send_that_is_dropped_while_it_waits_sends_nothing() {
    let mut pull = PullSocket::builder().receive_high_water_mark(1).build();
    let mut push = PushSocket::builder().send_high_water_mark(1).build();
    let mut monitor = push.monitor();
    pull.bind("inproc://dropped-send").await.unwrap();
    push.connect("inproc://dropped-send").await.unwrap();
    handshake(&mut monitor).await;
    assert_eq!(fill(&mut push).await, 2);
    let waiting = timeout(Duration::from_millis(10), push.send(["never", "sent"]));
    assert!(waiting.await.is_err());
    for _ in 0..2 {
        assert_eq!(soon(pull.recv()).await.unwrap(), Message::from(""));
    }
    push.send(["a", "b"]).await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from(["a", "b"]));
}

#[test]
fn sockets_on_different_threads_and_runtimes_talk() {
    const COUNT: u32 = 50_000;
    let runtime = || {
        runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let senders: Vec<_> = (0..2)
        .map(|_| {
            thread::spawn(move || {
                runtime().block_on(async {
                    let mut push = PushSocket::new();
                    push.connect("inproc://threads").await.unwrap();
                    for number in 0..COUNT {
                        soon(push.send(number.to_be_bytes().as_slice()))
                            .await
                            .unwrap();
                    }
                    soon(push.close()).await;
                });
            })
        })
        .collect();
    runtime().block_on(async {
        let mut pull = PullSocket::new();
        pull.bind("inproc://threads").await.unwrap();
        let mut sum = 0u64;
        for _ in 0..2 * COUNT {
            let message = soon(pull.recv()).await.unwrap();
            let number: [u8; 4] = message[0].as_slice().try_into().unwrap();
            sum += u64::from(u32::from_be_bytes(number));
        }
        assert_eq!(sum, u64::from(COUNT) * u64::from(COUNT - 1));
    });
    for sender in senders {
        sender.join().unwrap();
    }
}

#[test]
fn a_runtime_that_goes_away_disconnects_its_socket() {
    let runtime = || {
        runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let theirs = runtime();
    let ours = runtime();
    let mut pull = PullSocket::new();
    let mut monitor = pull.monitor();
    ours.block_on(pull.bind("inproc://gone")).unwrap();
    let mut push = PushSocket::new();
    theirs.block_on(async {
        let mut monitor = push.monitor();
        push.connect("inproc://gone").await.unwrap();
        handshake(&mut monitor).await;
        push.send("last").await.unwrap();
    });
    drop(theirs);
    ours.block_on(async {
        disconnect(&mut monitor).await;
        assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("last"));
        assert!(pull.peers().is_empty());
    });
}

#[test]
fn a_socket_that_closes_with_a_message_for_one_that_is_paired_leaves_the_runtime_to_others() {
    let (outcome, has_ended) = mpsc::channel();
    // A runtime that is not given up again would keep the test from its end, too.
    thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let received = runtime.unwrap().block_on(async {
            let (mut first, second, mut third) =
                (PairSocket::new(), PairSocket::new(), PairSocket::new());
            first.bind("inproc://paired").await.unwrap();
            let mut monitor = first.monitor();
            second.connect("inproc://paired").await.unwrap();
            handshake(&mut monitor).await;
            third.connect("inproc://paired").await.unwrap();
            third.send("kept").await.unwrap();
            drop(third);
            for _ in 0..3 {
                soon(async {
                    while !matches!(
                        monitor.recv().await,
                        Some(
                            SocketEvent::Disconnected {
                                reason: DisconnectReason::AlreadyPaired,
                                ..
                            } | SocketEvent::HandshakeFailed {
                                reason: DisconnectReason::AlreadyPaired,
                                ..
                            }
                        )
                    ) {}
                })
                .await;
            }
            drop(second);
            soon(first.recv()).await.unwrap()
        });
        outcome.send(received).unwrap();
    });
    let received = has_ended.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(received, Message::from("kept"));
}
