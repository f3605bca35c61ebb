//! The blocking sockets, without a runtime in sight.

use std::thread;
use std::time::{Duration, Instant};

use zmtp::blocking::{
    DealerSocket, PairSocket, Poller, PubSocket, PullSocket, PushSocket, RecvTimeoutError,
    RepSocket, ReqSocket, RouterSocket, SendTimeoutError, SubSocket, TimedOut, XPubSocket,
    XSubSocket,
};
use zmtp::pattern::RoutingId;
use zmtp::{Message, RecvError, SendError, SocketEvent, TryRecvError, XPubEvent};

use crate::LOOPBACK;
use crate::reserved_port::ReservedPort;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// Long enough to see that nothing comes.
const SHORT: Duration = Duration::from_millis(50);

#[test]
fn requests_and_replies_between_threads() {
    let mut rep = RepSocket::new();
    let endpoint = rep.bind(LOOPBACK).unwrap();
    let server = thread::spawn(move || {
        for _ in 0..200 {
            let (peer, request) = rep.recv_from().unwrap();
            assert!(rep.peer_info(peer).is_some());
            rep.send(request).unwrap();
        }
        assert_eq!(
            rep.send("no").map_err(SendError::into_message),
            Err("no".into())
        );
        rep.close();
    });
    let mut req = ReqSocket::new();
    req.connect(&endpoint).unwrap();
    for round in 0..200u8 {
        req.send([round]).unwrap();
        assert_eq!(req.recv_timeout(LONG).unwrap(), [[round]]);
    }
    assert_eq!(req.try_recv(), Err(TryRecvError::OutOfTurn));
    server.join().unwrap();
}

// A ROUTER that has worked through half of a batch gives way to the connection, for its replies.
#[test]
fn who_has_no_time_to_wait_receives_what_has_come() {
    let mut router = RouterSocket::new();
    router.bind("inproc://no time").unwrap();
    let mut dealer = DealerSocket::new();
    dealer.connect("inproc://no time").unwrap();
    for number in 0..32u8 {
        dealer.send([number]).unwrap();
    }
    let first = router.recv_timeout(LONG).unwrap();
    router.send([first[0].clone(), "reply".into()]).unwrap();
    for number in 1..32u8 {
        let message = router.recv_timeout(Duration::ZERO).unwrap();
        assert_eq!(message[1], [number]);
    }
}

// PIPE-007, INT-044
#[test]
fn what_takes_too_long_times_out_and_loses_nothing() {
    let mut push = PushSocket::new();
    let started = Instant::now();
    let refused = push.send_timeout(SHORT, ["two", "parts"]);
    assert_eq!(
        refused,
        Err(SendTimeoutError::TimedOut(["two", "parts"].into()))
    );
    let mut pull = PullSocket::new();
    assert_eq!(pull.recv_timeout(SHORT), Err(RecvTimeoutError::TimedOut));
    assert!(started.elapsed() >= SHORT * 2);
    assert_eq!(
        pull.recv_timeout(Duration::ZERO),
        Err(RecvTimeoutError::TimedOut)
    );
    let endpoint = pull.bind(LOOPBACK).unwrap();
    push.connect(&endpoint).unwrap();
    push.send_timeout(Duration::MAX, "in time").unwrap();
    assert_eq!(pull.recv_timeout(Duration::MAX).unwrap(), ["in time"]);
    let refused = push.send_timeout(LONG, Message::new());
    assert_eq!(refused, Err(SendError::NoParts(Message::new()).into()));
}

#[test]
fn a_full_queue_blocks_until_somebody_receives() {
    let mut pull = PullSocket::builder()
        .receive_high_water_mark(5)
        .build_blocking();
    let endpoint = pull.bind(LOOPBACK).unwrap();
    let push = PushSocket::builder()
        .send_high_water_mark(5)
        .build_blocking();
    push.connect(&endpoint).unwrap();
    let senders: Vec<_> = (0..4_u8)
        .map(|thread| {
            let mut push = push.clone();
            thread::spawn(move || {
                for number in 0..500_u32 {
                    push.send((&number.to_be_bytes(), [thread])).unwrap();
                }
            })
        })
        .collect();
    let mut next = [0_u32; 4];
    for message in pull.iter().take(2000) {
        let expected = &mut next[usize::from(message[1][0])];
        assert_eq!(message[0], expected.to_be_bytes());
        *expected += 1;
    }
    assert_eq!(next, [500; 4]);
    for sender in senders {
        sender.join().unwrap();
    }
}

#[test]
fn halves_work_in_two_threads() {
    let router = RouterSocket::new();
    let dealer = DealerSocket::builder()
        .routing_id("me")
        .unwrap()
        .build_blocking();
    let endpoint = router.bind(LOOPBACK).unwrap();
    dealer.connect(&endpoint).unwrap();
    let (mut replies, mut requests) = router.split();
    thread::spawn(move || {
        for message in requests.iter() {
            replies.send(message).unwrap();
        }
    });
    let (mut ask, mut hear) = dealer.split();
    let asking = thread::spawn(move || {
        for number in 0..100_u8 {
            ask.send([number]).unwrap();
        }
        ask
    });
    for number in 0..100_u8 {
        assert_eq!(hear.recv_timeout(LONG).unwrap(), [[number]]);
    }
    drop(asking.join().unwrap());
}

#[test]
fn a_router_names_and_addresses_peers() {
    let router = RouterSocket::new();
    let mut dealer = DealerSocket::new();
    let endpoint = dealer.bind(LOOPBACK).unwrap();
    let name = RoutingId::new("given").unwrap();
    let peer = router.connect_as(&endpoint, name).unwrap();
    router.try_send_to(peer, "hello").unwrap();
    let (peer, message) = dealer.recv_from().unwrap();
    assert_eq!(message, ["hello"]);
    dealer.try_send_to(peer, "world").unwrap();
    let mut router = router;
    assert_eq!(router.recv_from().unwrap().1, ["world"]);
}

#[test]
fn subscribers_get_what_they_asked_for() {
    let mut publisher = PubSocket::new();
    let endpoint = publisher.bind(LOOPBACK).unwrap();
    let mut sub = SubSocket::new();
    sub.subscribe("b");
    sub.connect(&endpoint).unwrap();
    let deadline = Instant::now() + LONG;
    while sub.try_recv().is_err() {
        assert!(Instant::now() < deadline);
        publisher.send("a").unwrap();
        publisher.send("b").unwrap();
        thread::yield_now();
    }
    sub.unsubscribe("b");
    assert_eq!(sub.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn a_poller_takes_from_each_socket_in_turn() {
    let (mut first, mut second, mut idle) =
        (PullSocket::new(), PullSocket::new(), ReqSocket::new());
    let mut monitors = Vec::new();
    let mut senders = Vec::new();
    for pull in [&first, &second] {
        monitors.push(pull.monitor());
        let endpoint = pull.bind(LOOPBACK).unwrap();
        let mut push = PushSocket::new();
        push.connect(&endpoint).unwrap();
        for _ in 0..20 {
            push.send("x").unwrap();
        }
        senders.push(push);
    }
    let mut poller = Poller::new();
    let mut counts = [0; 3];
    for _ in 0..40 {
        let sockets = &mut [&mut first as _, &mut second as _, &mut idle as _];
        let (index, message) = poller.recv_timeout(LONG, sockets).unwrap();
        assert_eq!(message, ["x"]);
        counts[index] += 1;
    }
    assert_eq!(counts, [20, 20, 0]);
    let sockets = &mut [&mut first as _, &mut second as _];
    assert_eq!(
        poller.recv_timeout(SHORT, sockets),
        Err(RecvTimeoutError::TimedOut)
    );
    assert_eq!(poller.recv(&mut [&mut idle]), Err(RecvError::OutOfTurn));
    assert_eq!(poller.recv(&mut []), Err(RecvError::Closed));
    for mut monitor in monitors {
        let first = monitor.recv_timeout(LONG);
        assert!(
            matches!(first, Ok(Some(SocketEvent::Listening { .. }))),
            "{first:?}"
        );
        assert!(monitor.any(|event| matches!(event, SocketEvent::Accepted { .. })));
    }
}

#[test]
fn a_monitor_tells_a_quiet_socket_from_one_that_is_gone() {
    let socket = PullSocket::new();
    let mut monitor = socket.monitor();
    assert!(matches!(monitor.recv_timeout(SHORT), Err(TimedOut)));
    drop(socket);
    assert!(matches!(monitor.recv_timeout(LONG), Ok(None)));
}

// INT-043
#[test]
fn closing_waits_for_what_is_queued() {
    let mut push = PushSocket::new();
    let port = ReservedPort::new();
    push.connect(port.endpoint()).unwrap();
    push.send("waits").unwrap();
    let closing = thread::spawn(move || push.close());
    let mut pull = PullSocket::new();
    pull.bind(port.endpoint()).unwrap();
    assert_eq!(pull.recv_timeout(LONG).unwrap(), ["waits"]);
    closing.join().unwrap();
}

#[test]
fn endpoints_are_given_up() {
    let pull = PullSocket::new();
    let port = ReservedPort::new();
    let endpoint = pull.bind(port.endpoint()).unwrap();
    let push = PushSocket::new();
    push.connect(&endpoint).unwrap();
    push.disconnect(&endpoint).unwrap();
    pull.unbind(&endpoint).unwrap();
    pull.bind(&endpoint).unwrap();
}

#[test]
fn pairs_and_extended_publishers_block_too() {
    let mut left = PairSocket::new();
    let endpoint = left.bind(LOOPBACK).unwrap();
    let right = PairSocket::new();
    right.connect(&endpoint).unwrap();
    let (mut sender, mut receiver) = right.split();
    left.send("ping").unwrap();
    assert_eq!(receiver.recv_timeout(LONG).unwrap(), ["ping"]);
    sender.send_timeout(LONG, "pong").unwrap();
    assert_eq!(left.recv_timeout(LONG).unwrap(), ["pong"]);

    let mut publisher = XPubSocket::new();
    let endpoint = publisher.bind(LOOPBACK).unwrap();
    let mut sub = XSubSocket::new();
    sub.connect(&endpoint).unwrap();
    sub.subscribe("a");
    assert_eq!(publisher.recv_timeout(LONG).unwrap(), ["\x01a"]);
    publisher.send("a message").unwrap();
    assert_eq!(sub.recv_timeout(LONG).unwrap(), ["a message"]);
}

/// A task has a budget of operations, which only its runtime refills.
#[tokio::test]
async fn a_thread_that_runs_futures_is_blocked_and_not_stuck() {
    let mut pull = PullSocket::new();
    let mut push = PushSocket::new();
    push.connect(pull.bind(LOOPBACK).unwrap()).unwrap();
    for number in 0..2000_u32 {
        push.send(number.to_be_bytes()).unwrap();
        assert_eq!(pull.recv_timeout(LONG).unwrap(), [number.to_be_bytes()]);
    }
}

#[test]
fn blocking_sockets_move_between_threads() {
    fn movable<T: Send + Sync + 'static>() {}
    movable::<(ReqSocket, RepSocket, DealerSocket, RouterSocket)>();
    movable::<(PushSocket, PullSocket, PubSocket, SubSocket, Poller)>();
}

#[test]
fn halves_tell_who_sent_a_message_and_answer_that_peer() {
    let router = RouterSocket::new();
    let endpoint = router.bind(LOOPBACK).unwrap();
    let (routes, mut requests) = router.split();
    let dealer = DealerSocket::new();
    let server = dealer.connect(&endpoint).unwrap();
    let (asking, mut answers) = dealer.split();
    asking.try_send_to(server, "question").unwrap();
    let (peer, question) = requests.recv_from().unwrap();
    assert_eq!(question, Message::from("question"));
    routes.try_send_to(peer, "answer").unwrap();
    assert_eq!(answers.recv_from().unwrap(), (server, "answer".into()));
}

#[test]
fn halves_of_an_extended_publisher_decide_who_gets_what() {
    let publisher = XPubSocket::builder().xpub_manual().build_blocking();
    let endpoint = publisher.bind(LOOPBACK).unwrap();
    let (mut sender, mut events) = publisher.split();
    let subscriber = XSubSocket::new();
    let source = subscriber.connect(&endpoint).unwrap();
    let (asking, mut messages) = subscriber.split();
    asking.subscribe("a");
    let (peer, event) = events.recv_event().unwrap();
    assert_eq!(event, XPubEvent::Subscribed("a".into()));
    sender.subscribe(peer, "b").unwrap();
    sender.send("a").unwrap();
    sender.send("b").unwrap();
    assert_eq!(messages.recv_from().unwrap(), (source, "b".into()));
    sender.cancel(peer, "b").unwrap();
    sender.send("b").unwrap();
    sender.try_send_to(peer, "c").unwrap();
    assert_eq!(messages.recv_from().unwrap(), (source, "c".into()));
    asking.unsubscribe("a");
    let (_, event) = events.recv_event().unwrap();
    assert_eq!(event, XPubEvent::Cancelled("a".into()));
}

#[test]
fn a_listener_that_exists_is_taken_over() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut rep = RepSocket::new();
    let endpoint = rep.bind_listener(listener).unwrap();
    assert_eq!(
        rep.handle().bound_endpoints(),
        std::slice::from_ref(&endpoint)
    );
    let mut req = ReqSocket::new();
    let server = req.connect(&endpoint).unwrap();
    req.send("question").unwrap();
    assert_eq!(rep.recv().unwrap(), Message::from("question"));
    rep.send("answer").unwrap();
    assert_eq!(req.recv_from().unwrap(), (server, "answer".into()));
    req.handle().set_linger(Duration::ZERO);
}
