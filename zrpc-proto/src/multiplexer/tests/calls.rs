//! Calls and streams from end to end.

use super::pair::{Pair, SERVER, array, happenings, header, item, no_extra, parse, transmitted};
use crate::event::names;
use crate::multiplexer::{
    ChannelEvent, CloseReason, CommandError, Config, OpenError, Request, SendError,
};
use crate::{Body, ChannelOptions, Extra, IdSource, RemoteError};

fn pair() -> Pair {
    Pair::new(Config::client(), Config::server())
}

#[test]
fn call_returns_its_result_once() {
    let mut pair = pair();
    let call = pair.call(&ChannelOptions::default());
    pair.drive();
    let Some(ChannelEvent::Request {
        channel,
        peer,
        name,
        args,
        ..
    }) = pair.server.poll_event()
    else {
        panic!("no request");
    };
    assert_eq!((peer, name), ("client", "method".into()));
    assert_eq!(args.decode(), Ok((1, "two".to_owned())));
    pair.server
        .reply(channel, Body::value(&[1, 2]).unwrap())
        .unwrap();
    pair.drive();
    let Some(ChannelEvent::Reply { channel, value, .. }) = pair.client.poll_event() else {
        panic!("no reply");
    };
    assert_eq!(channel, call);
    assert_eq!(crate::decode(&value), Ok([1, 2]));
    assert!(pair.client.poll_event().is_none());
    assert_eq!(
        (pair.client.channel_count(), pair.server.channel_count()),
        (0, 0)
    );
}

#[test]
fn error_carries_name_message_and_traceback() {
    let mut pair = pair();
    let (_, channel) = pair.accepted(&ChannelOptions::default());
    let sent = RemoteError::new("KeyError", "'x'").with_traceback("Traceback");
    pair.server.fail(channel, &sent, no_extra()).unwrap();
    pair.drive();
    let Some(ChannelEvent::Error { error, .. }) = pair.client.poll_event() else {
        panic!("no error")
    };
    assert_eq!(error, sent);
}

#[test]
fn a_request_may_have_an_id_of_the_callers_choice_that_is_not_in_use() {
    let mut pair = pair();
    let id = IdSource::new([0xaa; 12]).next_id();
    let request = || {
        let request = Request::new("method", Body::args(&()).unwrap());
        request.with_message_id(id.clone())
    };
    let options = ChannelOptions::default();
    let open = |pair: &mut Pair| pair.client.open(pair.now, &SERVER, request(), &options);
    open(&mut pair).unwrap();
    assert_eq!(open(&mut pair), Err(OpenError::IdInUse { id: id.clone() }));
    pair.drive();
    let Some(ChannelEvent::Request {
        channel, header, ..
    }) = pair.server.poll_event()
    else {
        panic!("no request");
    };
    assert_eq!(header.message_id, Some(id.clone()));
    pair.server.reply(channel, Body::nil()).unwrap();
    pair.drive();
    assert!(
        pair.client
            .poll_event()
            .is_some_and(|event| event.is_final())
    );
    // It was only in use.
    open(&mut pair).unwrap();
}

#[test]
fn q3_stream_items_are_bare_and_end_is_nil() {
    let mut pair = pair();
    let (_, channel) = pair.accepted(&ChannelOptions::default());
    pair.server.stream_item(channel, item(0)).unwrap();
    let sent = transmitted(&mut pair.server, pair.now);
    assert_eq!(parse(&sent[0]).2, 0.into());
    pair.to_client.extend(sent);
    pair.drive();
    assert!(
        matches!(pair.client.poll_event(), Some(ChannelEvent::StreamItem { item, .. }) if *item == b"\0"[..])
    );
    pair.server.stream_done(channel, no_extra()).unwrap();
    pair.drive();
    assert!(
        pair.client.poll_event().is_none(),
        "the end waits for credit (Q6)"
    );
}

#[test]
fn long_stream_arrives_in_order_and_ends() {
    let mut pair = pair();
    let (call, channel) = pair.accepted(&ChannelOptions::default());
    let (mut sent, mut received) = (0_usize, 0_usize);
    while received < 1000 {
        let before = received;
        while sent < 1000 && pair.server.stream_item(channel, item(sent)).is_ok() {
            sent += 1;
        }
        pair.drive();
        while let Some(event) = pair.client.poll_event() {
            let ChannelEvent::StreamItem { item, .. } = event else {
                panic!("{event:?}")
            };
            assert_eq!(crate::decode(&item), Ok(received));
            received += 1;
            pair.client.consume(call, 1).unwrap();
        }
        pair.drive();
        assert!(received > before, "stuck at item {received}");
    }
    pair.server.stream_done(channel, no_extra()).unwrap();
    pair.drive();
    assert!(matches!(
        happenings(&mut pair.client)[..],
        [ChannelEvent::StreamDone { .. }]
    ));
}

#[test]
fn empty_stream_is_a_lone_end() {
    let mut pair = pair();
    let (call, channel) = pair.accepted(&ChannelOptions::default());
    pair.server.stream_done(channel, no_extra()).unwrap();
    pair.drive();
    let events = happenings(&mut pair.client);
    assert!(matches!(events[..], [ChannelEvent::StreamDone { channel, .. }] if channel == call));
}

#[test]
fn stream_that_fails_sends_an_error_in_place_of_its_end() {
    let mut pair = pair();
    let (call, channel) = pair.accepted(&ChannelOptions::default());
    pair.server.stream_item(channel, item(0)).unwrap();
    pair.server
        .fail(channel, &RemoteError::new("E", "m"), no_extra())
        .unwrap();
    pair.drive();
    pair.client.consume(call, 1).unwrap();
    pair.drive();
    let events = happenings(&mut pair.client);
    assert!(matches!(
        events[..],
        [ChannelEvent::StreamItem { .. }, ChannelEvent::Error { .. }]
    ));
    assert_eq!(pair.server.channel_count(), 0);
}

#[test]
fn commands_after_the_end_are_errors() {
    let mut pair = pair();
    let (call, channel) = pair.accepted(&ChannelOptions::default());
    assert_eq!(
        pair.client.reply(call, Body::nil()),
        Err(CommandError::Misuse)
    );
    assert!(matches!(
        pair.client.stream_item(call, Body::nil()),
        Err(SendError::Misuse(_))
    ));
    assert_eq!(pair.server.consume(channel, 1), Err(CommandError::Misuse));
    pair.server.reply(channel, Body::nil()).unwrap();
    assert_eq!(
        pair.server.reply(channel, Body::nil()),
        Err(CommandError::Closed)
    );
    assert!(matches!(
        pair.server.stream_item(channel, Body::nil()),
        Err(SendError::Closed(_))
    ));
    pair.drive();
    assert_eq!(pair.client.close(call), Err(CommandError::Closed));
}

#[test]
fn commands_after_a_last_event_that_waits_are_misuse() {
    let mut pair = pair();
    let (_, channel) = pair.accepted(&ChannelOptions::default());
    pair.server.stream_item(channel, item(0)).unwrap();
    pair.server.stream_done(channel, no_extra()).unwrap();
    assert_eq!(
        pair.server.stream_done(channel, no_extra()),
        Err(CommandError::Misuse)
    );
    assert!(matches!(
        pair.server.stream_item(channel, item(1)),
        Err(SendError::Closed(_))
    ));
}

#[test]
fn channel_ids_are_not_reused() {
    let mut pair = pair();
    let (first, channel) = pair.accepted(&ChannelOptions::default());
    pair.server.reply(channel, Body::nil()).unwrap();
    pair.drive();
    let (second, _) = pair.accepted(&ChannelOptions::default());
    assert_ne!(first, second);
    assert_eq!(pair.client.close(first), Err(CommandError::Closed));
}

#[test]
fn task_context_travels_both_ways() {
    let mut pair = pair();
    let mut extra = Extra::new();
    extra.insert("trace", "abc").unwrap();
    let request = Request::new("method", Body::args(&()).unwrap().with_extra(extra.clone()));
    pair.client
        .open(pair.now, &"server", request, &ChannelOptions::default())
        .unwrap();
    pair.drive();
    let Some(ChannelEvent::Request {
        channel, header, ..
    }) = pair.server.poll_event()
    else {
        panic!("no request");
    };
    assert_eq!(header.extra.decode("trace"), Ok(Some("abc".to_owned())));
    pair.server
        .reply(channel, Body::nil().with_extra(extra))
        .unwrap();
    pair.drive();
    let Some(ChannelEvent::Reply { extra, .. }) = pair.client.poll_event() else {
        panic!("no reply")
    };
    assert_eq!(extra.decode("trace"), Ok(Some("abc".to_owned())));
}

#[test]
fn timeout_bounds_the_first_reply_only() {
    let mut pair = pair();
    let options = ChannelOptions::default();
    let (call, _) = pair.accepted(&options);
    pair.advance(ChannelOptions::DEFAULT_TIMEOUT);
    let after = ChannelOptions::DEFAULT_TIMEOUT;
    let events = happenings(&mut pair.client);
    assert!(
        matches!(&events[..], [ChannelEvent::Closed { channel, reason: CloseReason::TimedOut { after: a } }]
            if *channel == call && *a == after)
    );

    happenings(&mut pair.server);
    let (_, channel) = pair.accepted(&options);
    pair.server.stream_item(channel, item(0)).unwrap();
    pair.drive();
    pair.advance(4 * ChannelOptions::DEFAULT_TIMEOUT);
    assert!(matches!(
        happenings(&mut pair.client)[..],
        [ChannelEvent::StreamItem { .. }]
    ));
    assert_eq!(pair.client.channel_count(), 1);
}

#[test]
fn lost_peer_closes_its_channels_and_no_others() {
    let mut pair = pair();
    let request = || Request::new("method", Body::args(&()).unwrap());
    let options = ChannelOptions::default();
    let mine = pair
        .client
        .open(pair.now, &"a", request(), &options)
        .unwrap();
    let other = pair
        .client
        .open(pair.now, &"b", request(), &options)
        .unwrap();
    pair.client.handle_peers_lost(|peer| *peer == "a");
    let events = happenings(&mut pair.client);
    let reason = CloseReason::PeerLost;
    assert!(
        matches!(&events[..], [ChannelEvent::Closed { channel, reason: r }] if *channel == mine && *r == reason)
    );
    assert_eq!(
        transmitted(&mut pair.client, pair.now).len(),
        1,
        "nothing is sent to the lost peer"
    );
    assert!(pair.client.close(other).is_ok());
}

#[test]
fn request_that_was_closed_before_it_was_sent_is_never_sent() {
    let mut pair = pair();
    let call = pair.call(&ChannelOptions::default());
    pair.client.close(call).unwrap();
    assert!(pair.client.poll_transmit(pair.now).is_none());
    assert_eq!(pair.client.queued_count(), 0);
}

#[test]
fn request_for_a_push_socket_has_an_id_and_no_channel() {
    let mut ids = IdSource::new([7; 12]);
    let payload = Request::new("log", Body::args(&("x",)).unwrap()).into_payload(&mut ids);
    let (head, name, args) = parse(&payload);
    assert_eq!((name.as_str(), args), ("log", array(&["x".into()])));
    assert!(
        header(&head, names::MESSAGE_ID).is_some() && header(&head, names::RESPONSE_TO).is_none()
    );
}
