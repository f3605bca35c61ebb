//! Sockets that close: whoever waits is told, and what was sent is not lost.

use super::network::{Tasks, Transport, explore, finish, text};
use crate::driver::Retention;
use crate::socket::{PullSocket, PushSocket, RecvError, SendError, Socket};

/// As many messages as are sent.
const COUNT: usize = 3;

fn number(number: usize) -> String {
    number.to_string()
}

/// Closes a socket while one task waits for room and another for a message.
async fn close_under_waiters(transport: Transport) {
    let mut push = PushSocket::builder().send_high_water_mark(1).build();
    let mut pull = PullSocket::builder().receive_high_water_mark(1).build();
    let mut idle = PullSocket::new();
    let handles = [
        push.handle().clone(),
        pull.handle().clone(),
        idle.handle().clone(),
    ];
    let mut links = Tasks::default();
    transport.connect(&mut links, &push, &pull);
    let mut waiters = Tasks::default();
    waiters.spawn(async move {
        // More than fits anywhere, for a receiver that takes one.
        let mut sent = 0;
        while let Ok(()) = push.send("message").await {
            sent += 1;
        }
        assert!(matches!(
            push.send("message").await,
            Err(SendError::Closed(_))
        ));
        assert!(sent <= 8, "{sent} messages fit");
    });
    waiters.spawn(async move {
        assert!(matches!(idle.recv().await, Err(RecvError::Closed)));
    });
    waiters.spawn(async move {
        // May be closed before.
        let _ = pull.recv().await;
    });
    let closing: Vec<_> = handles.to_vec();
    waiters.spawn(async move {
        for handle in closing {
            handle.hub().close();
        }
    });
    waiters.join().await;
    // Nobody receives what is left, and no linger period is over in a model.
    links.abort();
}

#[test]
fn whoever_waits_learns_that_the_socket_closes_in_process() {
    explore(|| close_under_waiters(Transport::InProcess));
}

#[test]
fn whoever_waits_learns_that_the_socket_closes_over_a_stream() {
    explore(|| close_under_waiters(Transport::Stream { octets: 16 }));
}

/// Closes the sender as soon as it has queued its last message.
async fn linger(transport: Transport) {
    let mut push = PushSocket::builder().send_high_water_mark(COUNT).build();
    let mut pull = PullSocket::builder().receive_high_water_mark(1).build();
    let handles = [push.handle().clone(), pull.handle().clone()];
    let mut tasks = Tasks::default();
    transport.connect(&mut tasks, &push, &pull);
    tasks.spawn(async move {
        for sent in 0..COUNT {
            push.send(number(sent)).await.unwrap();
        }
        push.handle().hub().close();
    });
    for received in 0..COUNT {
        assert_eq!(text(&pull.recv().await.unwrap()), number(received));
    }
    finish(tasks, &handles).await;
}

#[test]
fn what_is_queued_still_goes_out_in_process() {
    explore(|| linger(Transport::InProcess));
}

#[test]
fn what_is_queued_still_goes_out_over_a_stream() {
    explore(|| linger(Transport::Stream { octets: 16 }));
}

/// Closes the receiver, and lets another one take its name, while messages flow.
async fn succeed() {
    let mut push = PushSocket::builder().send_high_water_mark(1).build();
    let first = PullSocket::builder().receive_high_water_mark(1).build();
    let second = PullSocket::new();
    let handles = [
        push.handle().clone(),
        first.handle().clone(),
        second.handle().clone(),
    ];
    let mut links = Tasks::default();
    links.bind(&handles[1], "model");
    links.connect(&handles[0], "model", Retention::Queue);
    let mut tasks = Tasks::default();
    tasks.spawn(async move {
        for sent in 0..COUNT {
            push.send(number(sent)).await.unwrap();
        }
    });
    handles[1].hub().close();
    links.bind(&handles[2], "model");
    let mut received = Vec::new();
    for mut receiver in [first, second] {
        while received.len() < COUNT
            && let Ok(message) = receiver.recv().await
        {
            received.push(text(&message));
        }
    }
    // The first one is told the end; the second one is told of all that the first did not take.
    received.sort();
    assert_eq!(received, ["0", "1", "2"]);
    tasks.join().await;
    finish(links, &handles).await;
}

#[test]
fn whoever_takes_the_name_receives_what_is_left() {
    explore(succeed);
}
