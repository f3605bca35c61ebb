//! Proxies between sockets of every kind.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use tokio::task::JoinHandle;
use zmtp::{
    DealerSocket, Endpoint, Message, Proxy, ProxyControl, ProxyError, PubSocket, PullSocket,
    PushSocket, RepSocket, ReqSocket, RouterSocket, Socket, SubSocket, TrySendError, XPubSocket,
    XSubSocket,
};

use crate::{LOOPBACK, handshake, soon};

type Running = JoinHandle<Result<(), ProxyError>>;

fn start(mut proxy: Proxy) -> (ProxyControl, Running) {
    let control = proxy.control();
    (control, tokio::spawn(async move { proxy.run().await }))
}

async fn bound<S: Socket>(socket: S) -> (S, Endpoint) {
    let endpoint = socket.bind(LOOPBACK).await.expect("a port is free");
    (socket, endpoint)
}

async fn connected<S: Socket>(socket: S, endpoint: &Endpoint) -> S {
    let connected = socket.connect(endpoint).await;
    connected.expect("the socket is open");
    socket
}

async fn until(condition: impl Fn() -> bool) {
    soon(async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn requests_and_replies_pass_and_are_counted() {
    let (frontend, for_clients) = bound(RouterSocket::new()).await;
    let (backend, for_workers) = bound(DealerSocket::new()).await;
    let (control, running) = start(Proxy::new(frontend, backend));
    for _ in 0..2 {
        let mut worker = connected(RepSocket::new(), &for_workers).await;
        tokio::spawn(async move {
            while let Ok(request) = worker.recv().await {
                worker.send(request).unwrap();
            }
        });
    }
    for _ in 0..3 {
        let mut client = connected(ReqSocket::new(), &for_clients).await;
        for number in 0..10 {
            let request = Message::from(["work", &number.to_string()]);
            soon(client.send(request.clone())).await.unwrap();
            assert_eq!(soon(client.recv()).await.unwrap(), request);
        }
    }
    control.terminate();
    assert_eq!(soon(running).await.unwrap(), Ok(()));
    let statistics = control.statistics();
    let traffic = [
        statistics.from_frontend,
        statistics.to_backend,
        statistics.from_backend,
        statistics.to_frontend,
    ];
    for traffic in traffic {
        assert_eq!(traffic.messages, 30);
        // A routing id of five octets, the delimiter, "work" and a digit.
        assert_eq!(traffic.bytes, 30 * 10);
    }
}

// PUBSUB-055
#[tokio::test]
async fn subscriptions_pass_upstream_and_messages_downstream() {
    let (frontend, for_publishers) = bound(XSubSocket::new()).await;
    let (backend, for_subscribers) = bound(XPubSocket::new()).await;
    let (_control, running) = start(Proxy::new(frontend, backend));
    let publisher = connected(PubSocket::new(), &for_publishers).await;
    let mut first = connected(SubSocket::new(), &for_subscribers).await;
    first.subscribe("A");
    until(|| publisher.topic_count() == 1).await;
    let mut second = connected(SubSocket::new(), &for_subscribers).await;
    second.subscribe("A");
    second.subscribe("B");
    until(|| publisher.topic_count() == 2).await;
    publisher.try_send(["B", "1"]).unwrap();
    assert_eq!(
        soon(second.recv()).await.unwrap(),
        Message::from(["B", "1"])
    );
    // The other one still wants A, which must not be cancelled upstream.
    first.unsubscribe("A");
    first.subscribe("C");
    until(|| publisher.topic_count() == 3).await;
    publisher.try_send(["A", "2"]).unwrap();
    assert_eq!(
        soon(second.recv()).await.unwrap(),
        Message::from(["A", "2"])
    );
    second.close().await;
    until(|| publisher.topic_count() == 1).await;
    publisher.try_send(["C", "3"]).unwrap();
    assert_eq!(soon(first.recv()).await.unwrap(), Message::from(["C", "3"]));
    running.abort();
}

// PUBSUB-055
#[tokio::test]
async fn churning_subscribers_leave_the_subscriptions_that_remain() {
    let (frontend, for_publishers) = bound(XSubSocket::new()).await;
    let (backend, for_subscribers) = bound(XPubSocket::new()).await;
    let (_control, running) = start(Proxy::new(frontend, backend));
    let publisher = connected(PubSocket::new(), &for_publishers).await;
    let stable = connected(SubSocket::new(), &for_subscribers).await;
    let mut held = BTreeSet::new();
    for round in 0..20_u32 {
        let passing = connected(SubSocket::new(), &for_subscribers).await;
        for topic in 0..30_u32 {
            // Pseudo-random, and the same each time.
            match (topic * 7 + round * 13) % 5 {
                0 if held.insert(topic) => stable.subscribe(topic.to_be_bytes()),
                1 if held.remove(&topic) => stable.unsubscribe(topic.to_be_bytes()),
                2 => passing.subscribe(topic.to_be_bytes()),
                3 => {
                    passing.subscribe(topic.to_be_bytes());
                    passing.unsubscribe(topic.to_be_bytes());
                }
                _ => {}
            }
        }
        tokio::task::yield_now().await;
        drop(passing);
    }
    stable.subscribe("mark");
    until(|| publisher.topic_count() == held.len() + 1).await;
    running.abort();
}

#[tokio::test]
async fn what_finds_no_room_waits_and_nothing_is_lost() {
    const COUNT: u32 = 3000;
    let frontend = PullSocket::builder().receive_high_water_mark(2).build();
    let (frontend, for_senders) = bound(frontend).await;
    let backend = PushSocket::builder().send_high_water_mark(2).build();
    let (backend, for_receivers) = bound(backend).await;
    let (control, running) = start(Proxy::one_way(frontend, backend));
    let sender = PushSocket::builder().send_high_water_mark(2).build();
    let mut sender = connected(sender, &for_senders).await;
    let sending = tokio::spawn(async move {
        for number in 0..COUNT {
            let body = [&number.to_be_bytes()[..], &[0; 2000]].concat();
            sender.send(body).await.unwrap();
        }
        sender.close().await;
    });
    // Nobody takes anything: the proxy holds one message, and the rest stays where it is.
    tokio::task::yield_now().await;
    let receiver = PullSocket::builder().receive_high_water_mark(2).build();
    let mut receiver = connected(receiver, &for_receivers).await;
    for number in 0..COUNT {
        let message = soon(receiver.recv()).await.unwrap();
        assert_eq!(message[0][..4], number.to_be_bytes());
    }
    soon(sending).await.unwrap();
    control.terminate();
    soon(running).await.unwrap().unwrap();
    assert_eq!(control.statistics().to_backend.messages, u64::from(COUNT));
    assert_eq!(control.statistics().held(), 0);
    assert_eq!(control.statistics().to_frontend.messages, 0);
}

#[tokio::test]
async fn a_publisher_that_waits_holds_the_proxy_and_its_sources() {
    const COUNT: u32 = 2000;
    let (frontend, for_publishers) = bound(XSubSocket::new()).await;
    let backend = XPubSocket::builder().send_high_water_mark(5).xpub_nodrop();
    let (backend, for_subscribers) = bound(backend.build()).await;
    let (_control, running) = start(Proxy::new(frontend, backend));
    let publisher = PubSocket::builder().send_high_water_mark(5).xpub_nodrop();
    let publisher = connected(publisher.build(), &for_publishers).await;
    let mut subscriber = connected(SubSocket::new(), &for_subscribers).await;
    subscriber.subscribe("");
    until(|| publisher.topic_count() == 1).await;
    let publishing = tokio::spawn(async move {
        for number in 0..COUNT {
            let body = [&number.to_be_bytes()[..], &[0; 3000]].concat();
            publisher.send(body).await.unwrap();
        }
        publisher
    });
    for number in 0..COUNT {
        let message = soon(subscriber.recv()).await.unwrap();
        assert_eq!(message[0][..4], number.to_be_bytes());
    }
    soon(publishing).await.unwrap();
    running.abort();
}

#[tokio::test]
async fn a_paused_proxy_receives_nothing_until_it_goes_on() {
    let (frontend, for_senders) = bound(PullSocket::new()).await;
    let (backend, for_receivers) = bound(PushSocket::new()).await;
    let (control, running) = start(Proxy::one_way(frontend, backend));
    let mut sender = connected(PushSocket::new(), &for_senders).await;
    let mut receiver = connected(PullSocket::new(), &for_receivers).await;
    soon(sender.send("before")).await.unwrap();
    assert_eq!(
        soon(receiver.recv()).await.unwrap(),
        Message::from("before")
    );
    control.pause();
    soon(sender.send("meanwhile")).await.unwrap();
    let window = std::time::Duration::from_millis(50);
    assert!(tokio::time::timeout(window, receiver.recv()).await.is_err());
    control.resume();
    let message = soon(receiver.recv()).await.unwrap();
    assert_eq!(message, Message::from("meanwhile"));
    control.pause();
    control.terminate();
    // Too late.
    control.resume();
    assert_eq!(soon(running).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_dropped_run_loses_nothing() {
    let (frontend, for_senders) = bound(PullSocket::new()).await;
    let backend = PushSocket::builder().send_high_water_mark(1).build();
    let (backend, for_receivers) = bound(backend).await;
    let mut proxy = Proxy::one_way(frontend, backend);
    let mut sender = connected(PushSocket::new(), &for_senders).await;
    for number in 0..10_u32 {
        soon(sender.send(&number.to_be_bytes()[..])).await.unwrap();
    }
    let window = std::time::Duration::from_millis(50);
    // It has received a message by then, for which there is nobody.
    assert!(tokio::time::timeout(window, proxy.run()).await.is_err());
    let mut receiver = connected(PullSocket::new(), &for_receivers).await;
    let running = tokio::spawn(async move { proxy.run().await });
    for number in 0..10_u32 {
        let message = soon(receiver.recv()).await.unwrap();
        assert_eq!(message[0], number.to_be_bytes());
    }
    running.abort();
}

#[tokio::test]
async fn the_capture_sees_both_directions() {
    let (frontend, for_clients) = bound(RouterSocket::new()).await;
    let (backend, for_workers) = bound(DealerSocket::new()).await;
    let (capture, observed) = bound(PushSocket::new()).await;
    let (_control, running) = start(Proxy::new(frontend, backend).capture(capture));
    let mut observer = connected(PullSocket::new(), &observed).await;
    let mut worker = connected(RepSocket::new(), &for_workers).await;
    let mut client = connected(ReqSocket::new(), &for_clients).await;
    soon(client.send("question")).await.unwrap();
    soon(worker.recv()).await.unwrap();
    worker.send("answer").unwrap();
    assert_eq!(soon(client.recv()).await.unwrap(), Message::from("answer"));
    for body in ["question", "answer"] {
        let seen = soon(observer.recv()).await.unwrap();
        assert_eq!(seen.last().unwrap(), body);
    }
    running.abort();
}

#[tokio::test]
async fn a_single_socket_sends_back_what_it_receives() {
    let (service, endpoint) = bound(RepSocket::new()).await;
    let (_control, running) = start(Proxy::single(service));
    let mut client = connected(ReqSocket::new(), &endpoint).await;
    for body in ["one", "two"] {
        soon(client.send(body)).await.unwrap();
        assert_eq!(soon(client.recv()).await.unwrap(), Message::from(body));
    }
    running.abort();
}

#[tokio::test]
async fn a_closed_socket_ends_the_proxy() {
    let frontend = PullSocket::new();
    let handle = frontend.handle().clone();
    let (control, running) = start(Proxy::one_way(frontend, PushSocket::new()));
    handle.close().await;
    assert_eq!(soon(running).await.unwrap(), Err(ProxyError::Closed));
    assert_eq!(control.statistics().from_frontend.messages, 0);
}

#[tokio::test]
async fn what_names_no_peer_is_counted_and_dropped() {
    let (frontend, for_senders) = bound(PullSocket::new()).await;
    let (backend, _endpoint) = bound(RouterSocket::new()).await;
    let (control, running) = start(Proxy::one_way(frontend, backend));
    let mut sender = connected(PushSocket::new(), &for_senders).await;
    soon(sender.send("no routing id")).await.unwrap();
    until(|| control.statistics().undeliverable == 1).await;
    running.abort();
}

/// The capture has room again before it says so, and then it is the destination that is full.
#[tokio::test]
async fn room_at_the_destination_is_not_waited_for_at_the_capture() {
    let (frontend, for_senders) = bound(PullSocket::new()).await;
    let (backend, for_receivers) = bound(PushSocket::new()).await;
    let mut observer = PullSocket::builder().receive_high_water_mark(4).build();
    observer.bind("inproc://captured").await.unwrap();
    let capture = PushSocket::builder().send_high_water_mark(4).build();
    let mut monitor = capture.monitor();
    capture.connect("inproc://captured").await.unwrap();
    handshake(&mut monitor).await;
    let mut filler = capture.clone();
    for _ in 0..2 {
        filler.try_send("filler").unwrap();
    }
    // It has both in its hands, and their room is not given back before the second one.
    soon(observer.recv()).await.unwrap();
    for _ in 0..6 {
        filler.try_send("filler").unwrap();
    }
    let full = filler.try_send("one more");
    assert!(matches!(full, Err(TrySendError::Full(_))), "{full:?}");
    let mut proxy = Proxy::one_way(frontend, backend).capture(capture);
    let control = proxy.control();
    let mut sender = connected(PushSocket::new(), &for_senders).await;
    soon(sender.send("passes")).await.unwrap();
    let mut running = pin!(proxy.run());
    soon(poll_fn(|context| {
        assert!(running.as_mut().poll(context).is_pending());
        match control.statistics().from_frontend.messages {
            1 => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }))
    .await;
    soon(observer.recv()).await.unwrap();
    let mut receiver = PullSocket::new();
    let connecting = async {
        tokio::task::yield_now().await;
        receiver.connect(&for_receivers).await.unwrap();
        receiver.recv().await.unwrap()
    };
    let received = soon(async {
        tokio::select! {
            biased;
            ended = &mut running => panic!("{ended:?}"),
            received = connecting => received,
        }
    });
    assert_eq!(received.await, Message::from("passes"));
}

#[tokio::test]
async fn what_a_proxy_holds_when_it_ends_is_counted() {
    let (frontend, for_senders) = bound(PullSocket::new()).await;
    let (control, running) = start(Proxy::one_way(frontend, PushSocket::new()));
    let mut sender = connected(PushSocket::new(), &for_senders).await;
    for _ in 0..3 {
        soon(sender.send("for nobody")).await.unwrap();
    }
    until(|| control.statistics().from_frontend.messages == 1).await;
    control.terminate();
    soon(running).await.unwrap().unwrap();
    assert_eq!(control.statistics().held(), 1);
}
