//! The patterns as they are without further options, and what an XPUB is told.

use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::task::yield_now;
use zmtp::{
    DealerSocket, PairSocket, PubSocket, PullSocket, PushSocket, RecvError, RepSocket, ReqSocket,
    RouterSocket, SendError, Socket, SubSocket, TryRecvError, XPubEvent, XPubSocket,
};

use super::{SOCKETS, Topics, config, peers, run, text};

proptest! {
    #![proptest_config(config())]

    // PIPELINE: in turn, and to each of them in order.
    #[test]
    fn pushed_messages_go_to_the_pullers_in_turn(takers in vec(0..SOCKETS, 0..40)) {
        run(async |name| {
            let mut push = PushSocket::new();
            push.bind(&name).await.unwrap();
            let mut pullers: Vec<_> = (0..SOCKETS).map(|_| PullSocket::new()).collect();
            for puller in &pullers {
                puller.connect(&name).await.unwrap();
            }
            peers(&push, SOCKETS).await;
            for number in 0..takers.len() * SOCKETS {
                push.send(number.to_string()).await.unwrap();
            }
            // Whoever receives when, a round of messages has one for each.
            let mut received = [const { Vec::new() }; SOCKETS];
            for &taker in &takers {
                if received[taker].len() < takers.len() {
                    let message = pullers[taker].recv().await.unwrap();
                    received[taker].push(text(&message).parse::<usize>().unwrap());
                }
            }
            for (puller, received) in pullers.iter_mut().zip(&mut received) {
                while received.len() < takers.len() {
                    let message = puller.recv().await.unwrap();
                    received.push(text(&message).parse::<usize>().unwrap());
                }
                let first = received.first().copied().unwrap_or_default();
                let expected = (0..takers.len()).map(|round| first + round * SOCKETS);
                assert!(received.iter().copied().eq(expected), "{received:?}");
                assert_eq!(puller.try_recv(), Err(TryRecvError::Empty));
            }
        });
    }

    // REQREP: what goes to a peer, and what comes from it, is a queue each.
    #[test]
    fn a_router_and_its_dealers_have_a_queue_in_each_direction(
        operations in vec((0..SOCKETS, 0..4_u8), 0..60),
    ) {
        run(async |name| {
            let mut router = RouterSocket::builder().router_mandatory().build();
            router.bind(&name).await.unwrap();
            let mut dealers = Vec::new();
            for number in 0..SOCKETS {
                let builder = DealerSocket::builder().routing_id(number.to_string());
                let dealer = builder.unwrap().build();
                dealer.connect(&name).await.unwrap();
                dealers.push(dealer);
            }
            peers(&router, SOCKETS).await;
            let mut upward: [VecDeque<String>; SOCKETS] = Default::default();
            let mut downward: [VecDeque<String>; SOCKETS] = Default::default();
            for (step, (peer, operation)) in operations.into_iter().enumerate() {
                let body = step.to_string();
                match operation {
                    0 => {
                        dealers[peer].send(body.as_str()).await.unwrap();
                        upward[peer].push_back(body);
                    }
                    1 => {
                        let id = peer.to_string();
                        router.send([id.as_bytes(), body.as_bytes()]).await.unwrap();
                        downward[peer].push_back(body);
                    }
                    2 if upward.iter().any(|queue| !queue.is_empty()) => {
                        let message = router.recv().await.unwrap();
                        let from: usize = String::from_utf8(message[0].to_vec())
                            .unwrap()
                            .parse()
                            .unwrap();
                        assert_eq!(Some(text(&message)), upward[from].pop_front());
                    }
                    2 => assert_eq!(router.try_recv(), Err(TryRecvError::Empty)),
                    _ => match downward[peer].pop_front() {
                        Some(expected) => {
                            let message = dealers[peer].recv().await.unwrap();
                            assert_eq!(text(&message), expected);
                        }
                        None => assert_eq!(dealers[peer].try_recv(), Err(TryRecvError::Empty)),
                    },
                }
            }
        });
    }

    // REQREP: requests and replies alternate on both sides.
    #[test]
    fn requests_and_replies_alternate(operations in vec((0..SOCKETS, 0..4_u8), 0..60)) {
        run(async |name| {
            let mut reply = RepSocket::new();
            reply.bind(&name).await.unwrap();
            let mut clients: Vec<_> = (0..SOCKETS).map(|_| ReqSocket::new()).collect();
            for client in &clients {
                client.connect(&name).await.unwrap();
            }
            peers(&reply, SOCKETS).await;
            // What each client waits for, and has been answered; which requests nobody took; whose
            // request is being answered.
            let mut states = [Request::None; SOCKETS];
            let mut owed: Option<usize> = None;
            for (client, operation) in operations {
                match operation {
                    0 => {
                        let sent = clients[client].send(client.to_string()).await;
                        match states[client] {
                            Request::None => {
                                sent.unwrap();
                                states[client] = Request::Sent;
                            }
                            _ => assert!(matches!(sent, Err(SendError::OutOfTurn(_)))),
                        }
                    }
                    1 => match states[client] {
                        Request::None => {
                            let received = clients[client].recv().await;
                            assert_eq!(received, Err(RecvError::OutOfTurn));
                        }
                        Request::Answered => {
                            let message = clients[client].recv().await.unwrap();
                            assert_eq!(text(&message), format!("to {client}"));
                            states[client] = Request::None;
                        }
                        Request::Sent | Request::Taken => {
                            assert_eq!(clients[client].try_recv(), Err(TryRecvError::Empty));
                        }
                    },
                    2 if owed.is_some() => {
                        assert_eq!(reply.recv().await, Err(RecvError::OutOfTurn));
                    }
                    2 if states.contains(&Request::Sent) => {
                        let message = reply.recv().await.unwrap();
                        let from: usize = text(&message).parse().unwrap();
                        assert_eq!(states[from], Request::Sent);
                        states[from] = Request::Taken;
                        owed = Some(from);
                    }
                    2 => assert_eq!(reply.try_recv(), Err(TryRecvError::Empty)),
                    _ => match owed.take() {
                        Some(to) => {
                            reply.send(format!("to {to}")).unwrap();
                            states[to] = Request::Answered;
                        }
                        None => {
                            let sent = reply.send("nobody asked");
                            assert!(matches!(sent, Err(SendError::OutOfTurn(_))));
                        }
                    },
                }
            }
        });
    }

    // PUBSUB: a subscriber gets what began with one of its topics when it was sent, and still does.
    #[test]
    fn subscribers_get_what_they_ask_for(
        operations in vec((0..SOCKETS, 0..3_u8, "[ab]{0,3}"), 0..40),
    ) {
        run(async |name| {
            let publisher = PubSocket::new();
            publisher.bind(&name).await.unwrap();
            let mut subscribers: Vec<_> = (0..SOCKETS).map(|_| SubSocket::new()).collect();
            for subscriber in &subscribers {
                subscriber.subscribe("end");
                subscriber.connect(&name).await.unwrap();
            }
            let mut topics: [Topics; SOCKETS] = Default::default();
            let mut expected = [const { Vec::new() }; SOCKETS];
            for topics in &mut topics {
                topics.add("end");
            }
            agree(&publisher, &topics).await;
            for (peer, operation, topic) in operations {
                match operation {
                    0 => {
                        subscribers[peer].subscribe(&topic);
                        topics[peer].add(&topic);
                    }
                    1 => {
                        subscribers[peer].unsubscribe(&topic);
                        topics[peer].remove(&topic);
                    }
                    _ => {
                        agree(&publisher, &topics).await;
                        publisher.send(topic.as_str()).await.unwrap();
                        for (topics, expected) in topics.iter().zip(&mut expected) {
                            if topics.matches(&topic) {
                                expected.push(topic.clone());
                            }
                        }
                    }
                }
            }
            publisher.send("end").await.unwrap();
            let sockets = subscribers.iter_mut().zip(&topics);
            for ((subscriber, topics), mut expected) in sockets.zip(expected) {
                expected.push("end".to_owned());
                // A subscriber looks at what has come as well, with the topics that it has now.
                expected.retain(|message| topics.matches(message));
                for expected in expected {
                    assert_eq!(text(&subscriber.recv().await.unwrap()), expected);
                }
            }
        });
    }

    // PUBSUB: an XPUB hears of the first subscriber and the last that leaves, unless it is verbose.
    #[test]
    fn an_xpub_hears_of_what_changes(
        verbosity in 0..3_u8,
        operations in vec((0..SOCKETS, 0..2_u8, "[ab]{1,2}"), 0..40),
    ) {
        run(async |name| {
            let builder = XPubSocket::builder();
            let mut publisher = match verbosity {
                0 => builder,
                1 => builder.xpub_verbose(),
                _ => builder.xpub_verboser(),
            }
            .build();
            publisher.bind(&name).await.unwrap();
            let subscribers: Vec<_> = (0..SOCKETS).map(|_| SubSocket::new()).collect();
            for subscriber in &subscribers {
                subscriber.connect(&name).await.unwrap();
            }
            peers(&publisher, SOCKETS).await;
            let mut topics: [Topics; SOCKETS] = Default::default();
            for (peer, operation, topic) in operations {
                let others = |topics: &[Topics; SOCKETS]| {
                    (0..SOCKETS).any(|other| other != peer && topics[other].0.contains_key(&topic))
                };
                let part = topic.as_str().into();
                let expected = if operation == 0 {
                    subscribers[peer].subscribe(&topic);
                    let is_told = topics[peer].add(&topic) && (verbosity > 0 || !others(&topics));
                    is_told.then_some(XPubEvent::Subscribed(part))
                } else {
                    subscribers[peer].unsubscribe(&topic);
                    let is_told = topics[peer].remove(&topic) && (verbosity > 1 || !others(&topics));
                    is_told.then_some(XPubEvent::Cancelled(part))
                };
                agree(&publisher, &topics).await;
                let event = publisher.try_recv_event().ok().map(|(_, event)| event);
                assert_eq!(event, expected);
            }
        });
    }

    // PAIR: one queue in each direction.
    #[test]
    fn a_pair_is_two_queues(operations in vec((0..2_usize, any::<bool>()), 0..60)) {
        run(async |name| {
            let mut pair = [PairSocket::new(), PairSocket::new()];
            pair[0].bind(&name).await.unwrap();
            pair[1].connect(&name).await.unwrap();
            let mut queues: [VecDeque<String>; 2] = Default::default();
            for (step, (side, sends)) in operations.into_iter().enumerate() {
                if sends {
                    pair[side].send(step.to_string()).await.unwrap();
                    queues[1 - side].push_back(step.to_string());
                } else if let Some(expected) = queues[side].pop_front() {
                    assert_eq!(text(&pair[side].recv().await.unwrap()), expected);
                } else {
                    assert_eq!(pair[side].try_recv(), Err(TryRecvError::Empty));
                }
            }
        });
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    None,
    Sent,
    Taken,
    Answered,
}

/// Waits until the publisher knows of as many topics as the subscribers have.
async fn agree(publisher: &impl Socket, topics: &[Topics; SOCKETS]) {
    let expected: Vec<usize> = {
        let mut counts: Vec<usize> = topics.iter().map(|topics| topics.0.len()).collect();
        counts.sort_unstable();
        counts
    };
    // Twice: what is asked for last may leave the count as it is.
    for _ in 0..2 {
        loop {
            let peers = publisher.peers();
            let counters = peers
                .iter()
                .filter_map(|peer| publisher.peer_counters(*peer));
            let mut known: Vec<usize> = counters.map(|counters| counters.subscriptions).collect();
            known.sort_unstable();
            if known == expected {
                break;
            }
            yield_now().await;
        }
        for _ in 0..8 {
            yield_now().await;
        }
    }
}
