//! Messages through queues with the lowest marks: each arrives, once, in order, and no queue ever
//! holds more than its mark.

use std::collections::BTreeMap;

use super::network::{Tasks, Transport, explore, finish, queued, text};
use crate::message::Message;
use crate::socket::{DealerSocket, PullSocket, PushSocket, RouterSocket, Socket, SocketHandle};

/// As many messages as each sender sends.
const COUNT: usize = 3;

const NARROW: Transport = Transport::Stream { octets: 16 };

fn push(mark: usize) -> PushSocket {
    PushSocket::builder().send_high_water_mark(mark).build()
}

fn pull(mark: usize) -> PullSocket {
    PullSocket::builder().receive_high_water_mark(mark).build()
}

/// Lets `senders` clones of a socket send at once, and checks what arrives.
async fn pipeline(transport: Transport, senders: usize, send_mark: usize, receive_mark: usize) {
    let (push, mut pull) = (push(send_mark), pull(receive_mark));
    let handles = [push.handle().clone(), pull.handle().clone()];
    let mut tasks = Tasks::default();
    transport.connect(&mut tasks, &push, &pull);
    for sender in 0..senders {
        let mut push = push.clone();
        tasks.spawn(async move {
            for number in 0..COUNT {
                let message = format!("{sender} {number}");
                push.send(message.as_str()).await.unwrap();
            }
        });
    }
    let mut expected: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..senders * COUNT {
        let (outgoing, _) = queued(&handles[0]);
        let (_, incoming) = queued(&handles[1]);
        match transport {
            // One queue, which both count.
            Transport::InProcess => assert!(outgoing.max(incoming) <= send_mark + receive_mark),
            Transport::Stream { .. } => {
                assert!(outgoing <= send_mark, "{outgoing}");
                assert!(incoming <= receive_mark, "{incoming}");
            }
        }
        let message = text(&pull.recv().await.unwrap());
        let (sender, number) = message.split_once(' ').unwrap();
        let next = expected.entry(sender.to_owned()).or_default();
        assert_eq!(number, next.to_string(), "of {sender}");
        *next += 1;
    }
    assert!(pull.try_recv().is_err());
    finish(tasks, &handles).await;
}

#[test]
fn every_message_arrives_once_in_the_order_of_its_sender_in_process() {
    explore(|| pipeline(Transport::InProcess, 2, 1, 1));
}

#[test]
fn every_message_arrives_once_in_the_order_of_its_sender_over_a_stream() {
    explore(|| pipeline(NARROW, 2, 1, 1));
}

#[test]
fn every_message_arrives_with_higher_marks() {
    explore(|| pipeline(Transport::InProcess, 2, 2, 3));
    explore(|| pipeline(Transport::Stream { octets: 64 }, 2, 3, 2));
}

/// Sends requests without waiting for the replies, which come back by the same connection.
async fn echo(transport: Transport) {
    let dealer = DealerSocket::builder()
        .send_high_water_mark(1)
        .receive_high_water_mark(1)
        .build();
    let router = RouterSocket::builder()
        .send_high_water_mark(1)
        .receive_high_water_mark(1)
        .router_mandatory()
        .build();
    let handles = [dealer.handle().clone(), router.handle().clone()];
    let mut tasks = Tasks::default();
    transport.connect(&mut tasks, &dealer, &router);
    let (mut sender, mut receiver) = dealer.split();
    tasks.spawn(async move {
        for number in 0..COUNT {
            sender.send(number.to_string().as_str()).await.unwrap();
        }
    });
    let (replies, mut requests) = router.split();
    tasks.spawn(async move {
        for _ in 0..COUNT {
            let request = requests.recv().await.unwrap();
            replies.send(request).await.unwrap();
        }
    });
    for number in 0..COUNT {
        let reply = receiver.recv().await.unwrap();
        assert_eq!(text(&reply), number.to_string());
    }
    finish(tasks, &handles).await;
}

#[test]
fn both_directions_of_a_connection_flow_in_process() {
    explore(|| echo(Transport::InProcess));
}

#[test]
fn both_directions_of_a_connection_flow_over_a_stream() {
    explore(|| echo(NARROW));
}

/// Raises a mark while a sender waits for room. Nobody receives before all is sent.
async fn widen(transport: Transport, raise: impl FnOnce(&[SocketHandle; 2]) + Send + 'static) {
    let (mut push, mut pull) = (push(1), pull(1));
    let handles = [push.handle().clone(), pull.handle().clone()];
    let mut links = Tasks::default();
    transport.connect(&mut links, &push, &pull);
    let mut tasks = Tasks::default();
    tasks.spawn(async move {
        for number in 0..COUNT {
            push.send(long(number)).await.unwrap();
        }
    });
    let raised = handles.clone();
    tasks.spawn(async move { raise(&raised) });
    tasks.join().await;
    for number in 0..COUNT {
        assert_eq!(pull.recv().await.unwrap(), long(number));
    }
    finish(links, &handles).await;
}

/// More than the stream holds.
fn long(number: usize) -> Message {
    Message::from(format!("{number:0>40}").as_str())
}

#[test]
fn senders_hear_of_a_higher_mark_of_their_own() {
    let raise = |[sender, _]: &[SocketHandle; 2]| sender.set_send_high_water_mark(COUNT);
    explore(move || widen(Transport::InProcess, raise));
    explore(move || widen(NARROW, raise));
}

#[test]
fn senders_hear_of_a_higher_mark_of_the_receiver() {
    let raise = |[_, receiver]: &[SocketHandle; 2]| receiver.set_receive_high_water_mark(COUNT);
    explore(move || widen(Transport::InProcess, raise));
    explore(move || widen(NARROW, raise));
}
