//! What a peer may not do.

use rmpv::Value;

use super::pair::{Pair, Scripted, array, happenings, header, map, reply_header, request_header};
use crate::multiplexer::{ChannelEvent, CloseReason, Config, Limits, OpenError, Request};
use crate::{Body, ChannelOptions, DecodeError, Heartbeat, Kind};

fn limited(change: impl FnOnce(&mut Limits)) -> Scripted {
    let mut limits = Limits::default();
    change(&mut limits);
    Scripted::server(Config::server().with_limits(limits))
}

#[test]
fn b24_channels_of_a_peer_are_limited_and_others_are_free() {
    let mut server = limited(|limits| limits.channels_per_peer = 2);
    for id in 0..4 {
        server.recv_from("greedy", request_header(&id.into()), "method", &array(&[]));
    }
    server.recv_from("modest", request_header(&0.into()), "method", &array(&[]));
    let requests = server.events();
    assert_eq!(requests.len(), 3);
    let refusals = server.sent();
    assert_eq!(refusals.len(), 2);
    let expected = array(&[
        "LimitExceeded".into(),
        "more than 2 calls are open".into(),
        Value::Nil,
    ]);
    assert!(
        refusals
            .iter()
            .all(|(_, name, args)| name == "ERR" && *args == expected)
    );
    server
        .mux
        .reply(requests[0].channel(), Body::nil())
        .unwrap();
    server.sent();
    server.recv_from("greedy", request_header(&9.into()), "method", &array(&[]));
    server.accepted();
}

#[test]
fn bytes_that_open_calls_hold_are_limited() {
    let mut server = limited(|limits| limits.received_bytes_per_peer = 1000);
    let large = array(&["x".repeat(600).into()]);
    server.recv(request_header(&1.into()), "method", &large);
    server.recv(request_header(&2.into()), "method", &large);
    let first = server.accepted();
    assert!(server.events().is_empty());
    assert_eq!(server.sent_names(), ["ERR"]);
    server.mux.reply(first, Body::nil()).unwrap();
    server.recv(request_header(&3.into()), "method", &large);
    server.accepted();
}

#[test]
fn peer_that_reads_no_replies_gets_no_more_calls_and_costs_a_bounded_amount() {
    let mut server = limited(|limits| limits.channels_per_peer = 8);
    server.recv(request_header(&"first".into()), "method", &array(&[]));
    let first = server.accepted();
    server.mux.reply(first, Body::nil()).unwrap();
    let transmit = server.poll_transmit().unwrap();
    server.mux.handle_blocked(transmit);
    for id in 0..1000 {
        server.recv(request_header(&id.into()), "method", &array(&[]));
        for event in happenings(&mut server.mux) {
            server.mux.reply(event.channel(), Body::nil()).unwrap();
        }
    }
    assert_eq!(
        (
            server.mux.stats().channels_accepted,
            server.mux.queued_count()
        ),
        (8, 16)
    );
}

#[test]
fn client_is_told_that_a_peer_has_too_many_calls() {
    let limits = Limits {
        channels_per_peer: 1,
        ..Limits::default()
    };
    let mut pair = Pair::new(Config::client().with_limits(limits), Config::server());
    pair.call(&ChannelOptions::default());
    pair.drive();
    let request = Request::new("method", Body::args(&()).unwrap());
    let result = pair
        .client
        .open(pair.now, &"server", request, &ChannelOptions::default());
    assert_eq!(result, Err(OpenError::TooManyChannels { limit: 1 }));
}

#[test]
fn malformed_payloads_are_errors_and_nothing_else() {
    let mut server = limited(|limits| limits.decode.event_len = 1000);
    for payload in [
        &b""[..],
        b"\x01",
        b"\x93",
        b"\x92\x80\xa1x",
        b"\x93\x80\x01\xc0",
        b"\xc1",
        &[0; 1001],
    ] {
        let result = server
            .mux
            .handle_event(server.now, &"peer", payload.to_vec().into());
        assert!(result.is_err(), "{payload:?}");
    }
    let too_long = [b"\x93\x80\xa1m".as_slice(), &[0; 997]].concat().into();
    assert_eq!(
        server.mux.handle_event(server.now, &"peer", too_long),
        Err(DecodeError::TooLong {
            len: 1001,
            limit: 1000
        })
    );
    assert_eq!(
        (server.mux.stats().malformed, server.mux.channel_count()),
        (8, 0)
    );
    server.accept(&"id".into());
}

#[test]
fn b14_caller_of_a_malformed_request_is_told() {
    let mut server = limited(|limits| limits.decode.event_len = 1000);
    let long = Body::value(&(request_header(&"id".into()), "method", ["x".repeat(1000)])).unwrap();
    assert!(
        server
            .mux
            .handle_event(server.now, &"peer", long.into_encoded())
            .is_err()
    );
    let (head, name, args) = server.sent().remove(0);
    assert_eq!(
        (header(&head, "response_to"), name.as_str()),
        (Some("id".into()), "ERR")
    );
    assert_eq!(args[0], "ProtocolError".into());
    assert_eq!(server.mux.channel_count(), 0);
}

#[test]
fn b14_call_whose_reply_is_malformed_ends_at_once() {
    let mut client = Scripted::client();
    let (_, id) = client.open(&ChannelOptions::default());
    let reply = Body::value(&(reply_header(&id), 5, [1])).unwrap();
    assert!(
        client
            .mux
            .handle_event(client.now, &"peer", reply.into_encoded())
            .is_err()
    );
    let error = DecodeError::NameNotAString {
        found: Kind::Integer,
    };
    let reason = CloseReason::Malformed { error };
    assert!(
        matches!(&client.events()[..], [ChannelEvent::Closed { reason: r, .. }] if *r == reason)
    );
}

#[test]
fn b14_header_is_read_past_what_is_wrong_in_it() {
    let id = || ("message_id", Value::from("id"));
    let entries = |count: u8| (0..count).map(|key| (Value::from(key), Value::Nil));
    let crowded: Vec<_> = entries(200)
        .chain([("message_id".into(), "id".into())])
        .chain([("v".into(), 3.into())])
        .collect();
    let cases = [
        array(&[map(&[("v", "3".into()), id()]), "m".into(), Value::Nil]),
        array(&[
            request_header(&"id".into()),
            "m".into(),
            Value::Nil,
            Value::Nil,
        ]),
        array(&[request_header(&"id".into()), "m".into()]),
        array(&[Value::Map(crowded), "m".into(), Value::Nil]),
    ];
    for event in cases {
        let mut server = limited(|_| ());
        let payload = Body::value(&event).unwrap().into_encoded();
        let result = server.mux.handle_event(server.now, &"peer", payload);
        assert!(result.is_err(), "{event}");
        let (head, name, args) = server.sent().remove(0);
        assert_eq!(
            (header(&head, "response_to"), name.as_str()),
            (Some("id".into()), "ERR")
        );
        assert_eq!(args[0], "ProtocolError".into());
        assert!(server.events().is_empty());
    }
}

#[test]
fn header_whose_channel_cannot_be_read_blames_nobody() {
    let mut server = limited(|_| ());
    let long = map(&[
        ("message_id", "id".into()),
        ("response_to", "x".repeat(300).into()),
    ]);
    let payload = Body::value(&(long, "m", ())).unwrap().into_encoded();
    let result = server.mux.handle_event(server.now, &"peer", payload);
    assert!(matches!(result, Err(DecodeError::IdTooLong { .. })));
    assert_eq!(server.sent_names(), [""; 0]);
}

#[test]
fn malformed_event_does_not_stop_a_handler() {
    let mut server = limited(|_| ());
    let channel = server.accept(&"id".into());
    let malformed = Body::value(&(reply_header(&"id".into()), 5, [1])).unwrap();
    let result = server
        .mux
        .handle_event(server.now, &"peer", malformed.into_encoded());
    assert!(result.is_err());
    assert!(server.events().is_empty());
    assert_eq!(server.mux.stats().malformed, 1);
    server.mux.reply(channel, Body::nil()).unwrap();
    assert_eq!(server.sent_names(), ["OK"]);
}

#[test]
fn idle_peers_are_forgotten_beyond_the_limit() {
    let mut server = limited(|limits| limits.idle_peers = 4);
    for number in 0..100_u32 {
        let name: &'static str = ["a", "b", "c", "d", "e", "f", "g", "h"][number as usize % 8];
        server.recv_from(name, request_header(&number.into()), "method", &array(&[]));
        let channel = server.accepted();
        server.mux.reply(channel, Body::nil()).unwrap();
        server.sent();
    }
    assert!(server.mux.peers.iter().count() <= 5);
}

#[test]
fn a_peer_that_uses_an_id_again_is_not_forgotten_over_it() {
    let mut server = limited(|limits| limits.idle_peers = 0);
    let id = "constant".into();
    let former = server.accept(&id);
    server.recv(request_header(&id), "method", &array(&[]));
    assert!(
        matches!(server.mux.poll_event(), Some(ChannelEvent::Closed { channel, .. }) if channel == former)
    );
    let latter = server.accepted();
    // What comes on the channel still finds it.
    server.recv_on(&id, "_zpc_hb", &array(&[0.into()]));
    assert_eq!(server.mux.stats().unroutable, 0);
    server.mux.reply(latter, Body::nil()).unwrap();
    assert_eq!(server.sent_names(), ["OK"]);
}

#[test]
fn ended_calls_leave_few_deadlines_behind() {
    let mut client = Scripted::client();
    for _ in 0..10_000 {
        let (_, id) = client.open(&ChannelOptions::default());
        client.recv_on(&id, "OK", &array(&[1.into()]));
        assert!(matches!(client.events()[..], [ChannelEvent::Reply { .. }]));
    }
    assert!(client.mux.deadlines.count() < 2000);
}

#[test]
fn deadlines_of_open_calls_outlive_those_of_ended_ones() {
    let mut client = Scripted::client();
    let patient = ChannelOptions::default().with_heartbeat(Heartbeat::Off);
    let (open, _) = client.open(&patient);
    for _ in 0..3000 {
        let (_, id) = client.open(&ChannelOptions::default());
        client.recv_on(&id, "OK", &array(&[1.into()]));
    }
    assert!(client.mux.deadlines.count() < 3000, "they were swept");
    client.events();
    client.advance(ChannelOptions::DEFAULT_TIMEOUT);
    assert!(
        matches!(client.events()[..], [ChannelEvent::Closed { channel, .. }] if channel == open)
    );
}

#[test]
fn limits_are_those_that_were_set() {
    let limits = Limits {
        channels_total: 7,
        ..Limits::default()
    };
    let config = Config::server().with_limits(limits.clone());
    assert_eq!(*config.limits(), limits);
}
