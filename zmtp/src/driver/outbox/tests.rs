//! What the queue counts, keeps and puts back.

use super::*;
use crate::driver::commands::MAX_COMMAND_OCTETS;

fn outbox(messages: usize, bytes: usize) -> Outbox {
    Outbox::new(QueueLimits { messages, bytes }, Arc::default())
}

#[test]
fn what_the_connection_has_taken_still_counts_towards_the_mark() {
    let outbox = outbox(2, usize::MAX);
    let mut batch = EncodedBatch::default();
    outbox.try_push(&[], &Message::from("a")).unwrap();
    outbox.try_push(&[], &Message::from("b")).unwrap();
    assert_eq!(
        outbox.try_push(&[], &Message::from("c")),
        Err(PushError::Full)
    );
    assert_eq!(outbox.take(&mut batch), (Taken::Messages, Room::Awaited));
    assert_eq!(batch.message_count(), 2);
    assert_eq!(
        outbox.try_push(&[], &Message::from("c")),
        Err(PushError::Full)
    );
    assert_eq!(outbox.take(&mut batch), (Taken::Empty, Room::Awaited));
    outbox.try_push(&[], &Message::from("c")).unwrap();
}

#[test]
fn a_message_larger_than_the_cap_passes_when_it_is_alone() {
    let outbox = outbox(usize::MAX, 10);
    outbox.try_push(&[], &Message::from(vec![0; 100])).unwrap();
    assert_eq!(
        outbox.try_push(&[], &Message::from("b")),
        Err(PushError::Full)
    );
}

#[test]
fn messages_not_begun_go_to_the_next_connection_before_later_ones() {
    let outbox = outbox(10, usize::MAX);
    let mut batch = EncodedBatch::default();
    for body in ["a", "b"] {
        outbox.try_push(&[], &Message::from(body)).unwrap();
    }
    let _ = outbox.take(&mut batch);
    outbox.try_push(&[], &Message::from("c")).unwrap();
    batch.advance(1);
    let _ = outbox.put_back(&mut batch);
    let _ = outbox.take(&mut batch);
    assert_eq!(batch.as_single_slice(), Some(&[0, 1, b'b', 0, 1, b'c'][..]));
}

#[test]
fn a_greeting_is_not_put_back_for_the_next_connection() {
    let outbox = outbox(10, usize::MAX);
    let mut batch = EncodedBatch::default();
    outbox.try_push(&[], &Message::from("a")).unwrap();
    for _ in 0..3 {
        outbox.push_first(&Message::from(["hello", "you"]));
        // Not taken, taken, and taken with a part of it written.
        let _ = outbox.put_back(&mut batch);
        assert_eq!(outbox.queued(), 1);
        outbox.push_first(&Message::from(["hello", "you"]));
        let _ = outbox.take(&mut batch);
        assert_eq!(batch.message_count(), 2);
        let _ = outbox.put_back(&mut batch);
        assert_eq!(outbox.queued(), 1);
        outbox.push_first(&Message::from(["hello", "you"]));
        let _ = outbox.take(&mut batch);
        batch.advance(3);
        let _ = outbox.put_back(&mut batch);
        assert_eq!(outbox.queued(), 1);
    }
    // What was said is behind us, and what comes after it is put back.
    outbox.push_first(&Message::from("hello"));
    let _ = outbox.take(&mut batch);
    let _ = outbox.take(&mut batch);
    outbox.try_push(&[], &Message::from("b")).unwrap();
    let _ = outbox.take(&mut batch);
    let _ = outbox.put_back(&mut batch);
    assert_eq!(outbox.queued(), 1);
}

#[test]
fn a_draining_queue_gives_out_what_it_has_and_takes_nothing() {
    let outbox = outbox(10, usize::MAX);
    let mut batch = EncodedBatch::default();
    outbox.try_push(&[], &Message::from("a")).unwrap();
    outbox.drain();
    assert_eq!(
        outbox.try_push(&[], &Message::from("b")),
        Err(PushError::Closed)
    );
    assert_eq!(outbox.take(&mut batch).0, Taken::Messages);
    assert_eq!(outbox.take(&mut batch).0, Taken::Finished);
}

// PUBSUB-039
#[test]
fn commands_that_nobody_takes_end_the_connection_at_some_point() {
    let outbox = outbox(10, usize::MAX);
    outbox.accept_commands();
    let topic = Part::from(vec![0; 1024 * 1024]);
    let toggle = || {
        outbox.push_command(ConnectionCommand::Subscribe(topic.clone()));
        outbox.push_command(ConnectionCommand::Cancel(topic.clone()));
    };
    for _ in 0..MAX_COMMAND_OCTETS / topic.len() {
        toggle();
        while outbox.pop_command().unwrap().is_some() {}
    }
    for _ in 0..MAX_COMMAND_OCTETS / topic.len() {
        toggle();
    }
    let end = Err(DisconnectReason::UnsentSubscriptions);
    assert_eq!(outbox.check_commands(), end);
    assert_eq!(outbox.pop_command().map(drop), end);
    // The next connection is told what there is.
    outbox.accept_commands();
    assert_eq!(outbox.pop_command(), Ok(None));
}

#[test]
fn a_queue_that_keeps_the_last_message_has_room_for_the_next() {
    let outbox = Outbox::new(QueueLimits::LAST_MESSAGE, Arc::default());
    for _ in 0..2 {
        let pushed = outbox.try_push(&[], &Message::from("a"));
        assert_eq!(pushed, Ok(Fill::Room));
    }
}

// INT-037
#[test]
fn a_lower_mark_keeps_what_is_queued_and_holds_the_next_message_back() {
    let outbox = outbox(3, usize::MAX);
    for body in ["a", "b", "c"] {
        outbox.try_push(&[], &Message::from(body)).unwrap();
    }
    let lower = QueueLimits {
        messages: 2,
        bytes: usize::MAX,
    };
    assert_eq!(outbox.set_limits(lower), Room::Unneeded);
    assert_eq!(outbox.queued(), 3);
    let full = outbox.try_push(&[], &Message::from("d"));
    assert_eq!(full, Err(PushError::Full));
    let mut batch = EncodedBatch::default();
    let _ = outbox.take(&mut batch);
    assert_eq!(batch.message_count(), 3);
    let _ = outbox.take(&mut batch);
    outbox.try_push(&[], &Message::from("d")).unwrap();
    outbox.try_push(&[], &Message::from("e")).unwrap();
    assert!(outbox.is_full());
}

#[test]
fn a_higher_mark_wakes_the_senders_that_wait_for_it() {
    let outbox = outbox(1, usize::MAX);
    let limits = |messages| QueueLimits {
        messages,
        bytes: usize::MAX,
    };
    outbox.try_push(&[], &Message::from("a")).unwrap();
    assert_eq!(outbox.set_limits(limits(2)), Room::Unneeded);
    outbox.try_push(&[], &Message::from("b")).unwrap();
    assert!(outbox.is_full());
    assert_eq!(outbox.set_limits(limits(1)), Room::Unneeded);
    assert_eq!(outbox.set_limits(limits(3)), Room::Awaited);
    assert!(!outbox.is_full());
}
