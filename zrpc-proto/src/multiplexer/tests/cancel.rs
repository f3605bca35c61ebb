//! Telling a server that nobody waits any more.

use rmpv::Value;

use super::pair::{
    PEER, Pair, SECOND, Scripted, array, happenings, header, item, map, reply_header,
    request_header,
};
use crate::event::names;
use crate::multiplexer::{ChannelEvent, CloseReason, Config, Limits};
use crate::{Body, ChannelOptions};

#[test]
fn b28_our_server_hears_at_once_that_a_call_was_given_up() {
    let mut pair = Pair::new(Config::client(), Config::server());
    let (call, channel) = pair.accepted(&ChannelOptions::default().with_timeout(None));
    pair.advance(5 * SECOND);
    pair.client.close(call).unwrap();
    pair.drive();
    let events = happenings(&mut pair.server);
    let reason = CloseReason::Cancelled;
    assert!(
        matches!(&events[..], [ChannelEvent::Closed { channel: c, reason: r }] if *c == channel && *r == reason)
    );
    assert_eq!(pair.server.channel_count(), 0);
}

#[test]
fn stream_that_is_left_early_is_cancelled() {
    let mut pair = Pair::new(Config::client(), Config::server());
    let (call, channel) = pair.accepted(&ChannelOptions::default());
    pair.server.stream_item(channel, item(0)).unwrap();
    pair.drive();
    pair.client.close(call).unwrap();
    pair.drive();
    assert!(matches!(
        happenings(&mut pair.server)[..],
        [ChannelEvent::Closed {
            reason: CloseReason::Cancelled,
            ..
        }]
    ));
}

#[test]
fn timed_out_call_is_cancelled() {
    let mut pair = Pair::new(Config::client(), Config::server());
    pair.accepted(&ChannelOptions::default().with_timeout(Some(7 * SECOND)));
    pair.advance(8 * SECOND);
    assert!(matches!(
        happenings(&mut pair.server)[..],
        [ChannelEvent::Closed {
            reason: CloseReason::Cancelled,
            ..
        }]
    ));
}

#[test]
fn unknown_server_is_not_told() {
    let mut client = Scripted::client();
    let (channel, _) = client.open(&ChannelOptions::default());
    client.mux.close(channel).unwrap();
    assert_eq!(client.sent_names(), [""; 0]);
}

#[test]
fn foreign_server_is_not_told() {
    let mut client = Scripted::client();
    let (channel, id) = client.open(&ChannelOptions::default());
    client.recv_on(&id, "STREAM", &1.into());
    client.mux.close(channel).unwrap();
    assert_eq!(client.sent_names(), [""; 0]);
}

#[test]
fn nobody_behind_a_broker_is_told_once_a_foreign_server_was_heard_there() {
    let mut client = Scripted::client();
    let ours = |id: &Value| {
        let understands = ("_zpc_cancel", Value::from(true));
        map(&[
            ("message_id", 1.into()),
            ("v", 3.into()),
            ("response_to", id.clone()),
            understands,
        ])
    };
    let (first, first_id) = client.open(&ChannelOptions::default());
    client.recv(ours(&first_id), "STREAM", &1.into());
    client.mux.close(first).unwrap();
    assert_eq!(client.sent_names(), ["_zpc_cancel"]);

    let (_, foreign_id) = client.open(&ChannelOptions::default());
    client.recv(reply_header(&foreign_id), "STREAM", &1.into());
    let (third, third_id) = client.open(&ChannelOptions::default());
    client.recv(ours(&third_id), "STREAM", &1.into());
    client.mux.close(third).unwrap();
    assert_eq!(client.sent_names(), [""; 0]);
}

#[test]
fn first_event_of_a_channel_says_that_cancel_is_understood() {
    let understands = |event: &(Value, String, Value)| header(&event.0, names::CANCEL).is_some();
    let mut server = Scripted::server(Config::server());
    let channel = server.accept(&"id".into());
    server.recv_on(&"id".into(), "_zpc_more", &array(&[9.into()]));
    server.mux.stream_item(channel, item(0)).unwrap();
    server.mux.stream_item(channel, item(1)).unwrap();
    let sent = server.sent();
    assert_eq!(
        sent.iter().map(understands).collect::<Vec<_>>(),
        [true, false]
    );

    server.accept(&"other".into());
    server.now += 5 * SECOND;
    server.mux.handle_timeout(server.now);
    assert!(
        server
            .sent()
            .iter()
            .any(|event| event.1 == "_zpc_hb" && understands(event))
    );
}

#[test]
fn a_refusal_does_not_end_what_the_two_sides_agreed_on() {
    let limits = Limits {
        channels_per_peer: 1,
        ..Limits::default()
    };
    let mut pair = Pair::new(Config::client(), Config::server().with_limits(limits));
    let options = ChannelOptions::default();
    let (call, channel) = pair.accepted(&options);
    pair.server.stream_item(channel, item(0)).unwrap();
    pair.call(&options);
    pair.drive();
    let refused = happenings(&mut pair.client);
    assert!(matches!(refused.last(), Some(ChannelEvent::Error { .. })));
    pair.client.close(call).unwrap();
    pair.drive();
    assert!(matches!(
        happenings(&mut pair.server)[..],
        [ChannelEvent::Closed {
            reason: CloseReason::Cancelled,
            ..
        }]
    ));
}

#[test]
fn old_clients_see_no_foreign_header_keys() {
    let mut server = Scripted::server(Config::server());
    let old = map(&[("message_id", "id".into())]);
    server.recv(old, "method", &array(&[]));
    let channel = server.accepted();
    server.mux.reply(channel, item(0)).unwrap();
    assert!(header(&server.sent()[0].0, names::CANCEL).is_none());
    let malformed = map(&[("message_id", "id".into()), ("v", 1.into())]);
    let event = array(&[malformed, 7.into(), array(&[])]);
    let payload = Body::value(&event).unwrap().into_encoded();
    server
        .mux
        .handle_event(server.now, &PEER, payload)
        .unwrap_err();
    let refusal = &server.sent()[0];
    assert_eq!(refusal.1, "ERR");
    assert!(header(&refusal.0, names::CANCEL).is_none());
}

#[test]
fn cancel_that_opens_a_channel_opens_none() {
    let mut server = Scripted::server(Config::server());
    server.recv(request_header(&"id".into()), "_zpc_cancel", &Value::Nil);
    server.recv_on(&"id".into(), "_zpc_cancel", &Value::Nil);
    assert_eq!(
        (server.mux.channel_count(), server.mux.stats().unroutable),
        (0, 2)
    );
}
