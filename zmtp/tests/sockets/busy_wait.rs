//! Receivers that look again and again before they sleep.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use zmtp::{Message, PullSocket, PushSocket, Socket};

use crate::{LOOPBACK, soon};

const PATIENCE: Duration = Duration::from_millis(20);

/// Receives one message, and counts how often the receiver was asked for it.
async fn receive_counted(mut pull: PullSocket, polls: Arc<AtomicUsize>) -> (PullSocket, Message) {
    let received = {
        let mut receiving = pin!(pull.recv());
        poll_fn(|context| {
            polls.fetch_add(1, Ordering::Relaxed);
            receiving.as_mut().poll(context)
        })
        .await
    };
    (pull, received.unwrap())
}

/// Waits until a receiver is not asked any more, and returns how often it was.
async fn asleep(polls: &AtomicUsize) -> usize {
    let mut before = 0;
    loop {
        tokio::time::sleep(2 * PATIENCE).await;
        let now = polls.load(Ordering::Relaxed);
        if now > 0 && now == before {
            return now;
        }
        before = now;
    }
}

#[tokio::test]
async fn a_receiver_looks_for_a_while_each_time_and_sleeps_then() {
    let pull = PullSocket::builder().busy_wait(PATIENCE).build();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut push = PushSocket::new();
    push.connect(endpoint).await.unwrap();
    let mut pull = Some(pull);
    for text in ["first", "second"] {
        let polls = Arc::new(AtomicUsize::new(0));
        let receiver = pull.take().unwrap();
        let receiving = tokio::spawn(receive_counted(receiver, Arc::clone(&polls)));
        let looks = soon(asleep(&polls)).await;
        assert!(looks > 2, "it looked {looks} times");
        push.send(text).await.unwrap();
        let (receiver, message) = soon(receiving).await.unwrap();
        assert_eq!(message, Message::from(text));
        pull = Some(receiver);
    }
}

#[tokio::test]
async fn by_default_a_receiver_sleeps_at_once() {
    let pull = PullSocket::new();
    let polls = Arc::new(AtomicUsize::new(0));
    let receiving = tokio::spawn(receive_counted(pull, Arc::clone(&polls)));
    assert_eq!(soon(asleep(&polls)).await, 1);
    receiving.abort();
}
