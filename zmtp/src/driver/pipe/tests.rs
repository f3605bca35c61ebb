//! What the pipe counts, keeps and tells.

use std::future::Future as _;
use std::pin::pin;

use super::*;
use crate::driver::hub::NoPattern;
use crate::driver::options::SocketOptions;
use crate::driver::peer::Retention;

fn hub(socket_type: SocketType, mark: usize) -> Arc<Hub> {
    let options = SocketOptions {
        send_high_water_mark: mark,
        receive_high_water_mark: mark,
        ..SocketOptions::default()
    };
    Arc::new(Hub::new(socket_type, options, Arc::new(NoPattern)))
}

fn pushed(pipe: &Pipe, bodies: &[&str]) -> Vec<Result<(), PushError>> {
    let push = |body: &&str| pipe.push(&[], Message::from(*body).parts()).map(drop);
    bodies.iter().map(push).collect()
}

#[test]
fn what_was_taken_counts_until_it_is_credited() {
    let pipe = Pipe::new(&hub(SocketType::Push, 2), Arc::default());
    let mut frames = VecDeque::new();
    assert_eq!(pushed(&pipe, &["a", "b"]), [Ok(()), Ok(())]);
    assert_eq!(pipe.take(&mut frames).0, Found::Messages);
    assert_eq!(pushed(&pipe, &["c"]), [Err(PushError::Full)]);
    pipe.credit();
    assert_eq!(pushed(&pipe, &["c"]), [Ok(())]);
    assert_eq!(frames, [Frame::last("a"), Frame::last("b")]);
}

#[test]
fn a_message_counts_once_however_many_parts_it_has() {
    let pipe = Pipe::new(&hub(SocketType::Push, 1), Arc::default());
    let envelope = [Part::from("id")];
    pipe.push(&envelope, Message::from(["", "body"]).parts())
        .unwrap();
    let mut frames = VecDeque::new();
    assert_eq!(pipe.take(&mut frames).0, Found::Messages);
    assert_eq!(
        frames,
        [Frame::more("id"), Frame::more(""), Frame::last("body")]
    );
}

#[test]
fn a_greeting_that_was_not_taken_is_not_for_the_next_receiver() {
    let pipe = Pipe::new(&hub(SocketType::Push, 3), Arc::default());
    assert_eq!(pushed(&pipe, &["a"]), [Ok(())]);
    pipe.push_first(&Message::from(["hello", "you"]));
    pipe.forget_greetings();
    let mut frames = VecDeque::new();
    assert_eq!(pipe.take(&mut frames).0, Found::Messages);
    assert_eq!(frames, [Frame::last("a")]);
    frames.clear();
    pipe.push_first(&Message::from("hello"));
    assert_eq!(pipe.take(&mut frames).0, Found::Messages);
    assert_eq!(pushed(&pipe, &["b"]), [Ok(())]);
    pipe.forget_greetings();
    assert_eq!(pipe.queued(), 2);
}

#[test]
fn a_receiver_is_told_once_until_it_found_nothing() {
    let (sender, receiver) = (hub(SocketType::Push, 0), hub(SocketType::Pull, 0));
    let peer = receiver.new_peer_in_process(Retention::Connection);
    let pipe = Arc::new(Pipe::new(&sender, Arc::default()));
    let told = || {
        let mut count = 0;
        receiver.ready.drain(|_peer| count += 1);
        count
    };
    pipe.push(&[], Message::from("before").parts()).unwrap();
    pipe.connect(&receiver, &peer);
    assert_eq!(told(), 1);
    pipe.push(&[], Message::from("after").parts()).unwrap();
    assert_eq!(told(), 0);
    let mut frames = VecDeque::new();
    assert!(peer.inbox.take(&mut frames).is_some());
    frames.clear();
    assert!(peer.inbox.take(&mut frames).is_none());
    pipe.push(&[], Message::from("woken").parts()).unwrap();
    assert_eq!(told(), 1);
}

#[test]
fn what_has_come_is_received_before_what_the_next_pipe_brings() {
    let (sender, receiver) = (hub(SocketType::Push, 0), hub(SocketType::Pull, 0));
    let peer = receiver.new_peer_in_process(Retention::Queue);
    let first = Arc::new(Pipe::new(&sender, Arc::default()));
    first.connect(&receiver, &peer);
    first.push(&[], Message::from("a").parts()).unwrap();
    peer.inbox.disconnect(&peer, &receiver);
    assert!(first.is_empty());
    let second = Arc::new(Pipe::new(&sender, Arc::default()));
    second.connect(&receiver, &peer);
    second.push(&[], Message::from("b").parts()).unwrap();
    let mut received = Vec::new();
    let mut frames = VecDeque::new();
    while peer.inbox.take(&mut frames).is_some() {
        received.extend(frames.drain(..));
    }
    assert_eq!(received, [Frame::last("a"), Frame::last("b")]);
}

#[test]
fn what_was_taken_before_a_pipe_counts_no_more_once_the_pipe_is_read() {
    let (sender, receiver) = (hub(SocketType::Push, 0), hub(SocketType::Pull, 0));
    let peer = receiver.new_peer_in_process(Retention::Queue);
    let mut frames = VecDeque::new();
    for body in ["a", "b"] {
        let pipe = Arc::new(Pipe::new(&sender, Arc::default()));
        pipe.connect(&receiver, &peer);
        pipe.push(&[], Message::from(body).parts()).unwrap();
        if body == "a" {
            peer.inbox.disconnect(&peer, &receiver);
        }
    }
    assert_eq!(peer.inbox.queued(), 2);
    for left in [2, 1, 0] {
        peer.inbox.take(&mut frames);
        assert_eq!(peer.inbox.queued(), left);
        frames.clear();
    }
}

#[test]
fn a_suspended_pipe_is_empty_and_takes_nothing() {
    let pipe = Pipe::new(&hub(SocketType::Push, 0), Arc::default());
    assert_eq!(pushed(&pipe, &["lost"]), [Ok(())]);
    pipe.suspend();
    assert!(pipe.is_empty());
    assert_eq!(pushed(&pipe, &["a"]), [Err(PushError::Closed)]);
    pipe.resume();
    assert_eq!(pushed(&pipe, &["b"]), [Ok(())]);
    pipe.drain();
    pipe.resume();
    assert_eq!(pushed(&pipe, &["c"]), [Err(PushError::Closed)]);
    assert!(!pipe.is_empty());
}

// INT-041
#[test]
fn senders_that_wait_go_on_when_half_of_the_pipe_is_free() {
    let hub = hub(SocketType::Push, 4);
    let pipe = Pipe::new(&hub, Arc::default());
    let mut context = Context::from_waker(Waker::noop());
    let mut frames = VecDeque::new();
    assert_eq!(pushed(&pipe, &["a"]), [Ok(())]);
    assert_eq!(pipe.take(&mut frames).0, Found::Messages);
    frames.clear();
    assert_eq!(pushed(&pipe, &["b", "c", "d"]), [Ok(()); 3]);
    assert_eq!(pushed(&pipe, &["e"]), [Err(PushError::Full)]);
    let mut woken = pin!(hub.writable.notified());
    assert!(woken.as_mut().poll(&mut context).is_pending());
    // There is room for one, and nobody is woken for that.
    assert_eq!(pipe.take(&mut frames).0, Found::Messages);
    assert_eq!(pipe.queued(), 3);
    assert!(woken.as_mut().poll(&mut context).is_pending());
    pipe.credit();
    assert!(woken.as_mut().poll(&mut context).is_ready());
}
