//! Credit and back-pressure.

use rmpv::Value;

use super::pair::{Pair, Scripted, array, happenings, item, no_extra, reply_header};
use crate::multiplexer::{ChannelEvent, CloseReason, Config, Limits, OverrunUnit, SendError};
use crate::{Body, ChannelOptions};

/// Whose server streams at a client.
#[derive(Clone, Copy)]
enum Server {
    /// One of this implementation.
    Ours,
    /// Python's, or another.
    Foreign,
}

impl Server {
    fn header(self, id: &Value) -> Value {
        let mut header = reply_header(id);
        if let (Self::Ours, Value::Map(entries)) = (self, &mut header) {
            entries.push(("_zpc_cancel".into(), true.into()));
        }
        header
    }
}

/// Streams `count` items at a client, which takes each at once; returns the grants that it gave
/// with the number of items before each.
fn grants(slots: u32, count: usize) -> Vec<(usize, u64)> {
    grants_to(Server::Foreign, slots, count)
}

fn grants_to(server: Server, slots: u32, count: usize) -> Vec<(usize, u64)> {
    let mut client = Scripted::client();
    let (channel, id) = client.open(&ChannelOptions::default().with_slots(slots));
    let mut grants = Vec::new();
    for number in 1..=count {
        client.recv(server.header(&id), "STREAM", &Value::from(number));
        client.mux.consume(channel, 1).unwrap();
        for (_, name, args) in client.sent() {
            assert_eq!(name, "_zpc_more");
            grants.push((number, args[0].as_u64().unwrap()));
        }
    }
    grants
}

#[test]
fn q8_receiver_grants_as_python_does() {
    assert_eq!(grants(100, 160), [(1, 100), (52, 51), (103, 51), (154, 51)]);
    assert_eq!(grants(10, 20), [(1, 10), (7, 6), (13, 6), (19, 6)]);
}

#[test]
fn more_slots_than_usual_open_one_grant_after_the_other() {
    let expected = [(1, 100), (52, 151), (153, 301), (354, 301), (605, 251)];
    assert_eq!(grants_to(Server::Ours, 500, 700), expected);
}

// B25: Python's socket drops what is sent too far ahead.
#[test]
fn foreign_servers_get_the_usual_slots_only() {
    let expected = [(1, 100), (52, 51), (103, 51), (154, 51)];
    assert_eq!(grants_to(Server::Foreign, 1024, 160), expected);
}

// B25: its mark is that of all streams together.
#[test]
fn streams_of_a_foreign_server_share_the_room_in_its_socket() {
    let mut client = Scripted::client();
    let options = ChannelOptions::default();
    let streams: Vec<_> = (0..20).map(|_| client.open(&options)).collect();
    for number in 0..100 {
        let mut granted = 0;
        for (channel, id) in &streams {
            client.recv(Server::Foreign.header(id), "STREAM", &Value::from(number));
            client.mux.consume(*channel, 1).unwrap();
            let grants = client.sent();
            granted += grants
                .iter()
                .filter_map(|(_, _, args)| args[0].as_u64())
                .sum::<u64>();
        }
        assert!(granted <= 400, "{granted}");
        assert!(number > 0 || granted == 400, "{granted}");
    }
}

#[test]
fn large_items_get_the_usual_slots_only() {
    let mut client = Scripted::client();
    let options = ChannelOptions::default().with_slots(10_000);
    let (channel, id) = client.open(&options);
    let large = Value::from(vec![b'x'; 100_000]);
    let mut grants = Vec::new();
    for _ in 0..200 {
        client.recv(Server::Ours.header(&id), "STREAM", &large);
        client.mux.consume(channel, 1).unwrap();
        grants.extend(
            client
                .sent()
                .iter()
                .filter_map(|(_, _, args)| args[0].as_u64()),
        );
    }
    assert_eq!(grants, [100, 51, 51, 51]);
}

#[test]
fn b11_one_slot_does_not_stall() {
    assert_eq!(grants(1, 3), [(1, 1), (2, 1), (3, 1)]);
    assert_eq!(grants(2, 3), [(1, 2), (3, 2)]);
}

#[test]
fn grants_follow_consumption_only() {
    let mut client = Scripted::client();
    let (_, id) = client.open(&ChannelOptions::default());
    for number in 0..50 {
        client.recv_on(&id, "STREAM", &Value::from(number));
    }
    assert_eq!(client.sent_names(), [""; 0]);
}

#[test]
fn q6_every_reply_needs_credit_and_the_first_has_it() {
    let mut server = Scripted::server(Config::server());
    let channel = server.accept(&"id".into());
    server.mux.stream_item(channel, item(0)).unwrap();
    assert!(matches!(
        server.mux.stream_item(channel, item(1)),
        Err(SendError::NoCredit(_))
    ));
    server.mux.stream_done(channel, no_extra()).unwrap();
    assert_eq!(server.sent_names(), ["STREAM"]);
    assert_eq!(server.mux.channel_count(), 1);
    server.recv_on(&"id".into(), "_zpc_more", &array(&[1.into()]));
    assert_eq!(server.sent_names(), ["STREAM_DONE"]);
    assert_eq!(server.mux.channel_count(), 0);
}

#[test]
fn q9_credit_is_never_exceeded() {
    let mut server = Scripted::server(Config::server());
    let channel = server.accept(&"id".into());
    let send = |server: &mut Scripted| {
        let sent = (0..1000)
            .take_while(|n| server.mux.stream_item(channel, item(*n)).is_ok())
            .count();
        server.sent();
        sent
    };
    assert_eq!(send(&mut server), 1);
    let mut more = |args: Value| {
        server.recv_on(&"id".into(), "_zpc_more", &args);
        send(&mut server)
    };
    assert_eq!(more(array(&[100.into()])), 100);
    assert_eq!(more(array(&[51.into()])), 51);
    // Nothing, less than nothing, and nonsense are ignored; strings, floats and bare numbers are not (Q5).
    for ignored in [
        array(&[0.into()]),
        array(&[(-5).into()]),
        array(&[]),
        Value::Nil,
        array(&["x".into()]),
    ] {
        assert_eq!(more(ignored), 0);
    }
    assert_eq!(more(array(&["2".into()])), 2);
    assert_eq!(more(3.into()), 3);
    assert_eq!(more(array(&[4.0.into()])), 4);
}

#[test]
fn b2_flood_of_grants_is_capped_at_the_largest() {
    let mut server = Scripted::server(Config::server());
    let channel = server.accept(&"id".into());
    for _ in 0..1000 {
        server.recv_on(&"id".into(), "_zpc_more", &array(&[60.into()]));
    }
    let sent = (0..1000)
        .take_while(|_| server.mux.stream_item(channel, Body::nil()).is_ok())
        .count();
    assert_eq!(sent, 60);
}

#[test]
fn stream_hears_when_it_may_go_on() {
    let mut server = Scripted::server(Config::server());
    let channel = server.accept(&"id".into());
    assert!(server.mux.is_writable(channel));
    server.mux.stream_item(channel, item(0)).unwrap();
    assert!(!server.mux.is_writable(channel));
    server.recv_on(&"id".into(), "_zpc_more", &array(&[2.into()]));
    assert!(
        server.events().is_empty(),
        "nobody was refused, so nobody waits"
    );
    server.mux.stream_item(channel, item(1)).unwrap();
    server.mux.stream_item(channel, item(2)).unwrap();
    assert!(server.mux.stream_item(channel, item(3)).is_err());
    server.recv_on(&"id".into(), "_zpc_more", &array(&[2.into()]));
    server.recv_on(&"id".into(), "_zpc_more", &array(&[2.into()]));
    let events = server.events();
    assert!(matches!(events[..], [ChannelEvent::Writable { channel: c }] if c == channel));
}

#[test]
fn grant_of_nothing_wakes_nobody() {
    let mut server = Scripted::server(Config::server());
    let stream = server.accept(&1.into());
    server.mux.stream_item(stream, item(1)).unwrap();
    assert!(matches!(
        server.mux.stream_item(stream, item(2)),
        Err(SendError::NoCredit(_))
    ));
    for granted in [0, -1] {
        server.recv_on(&1.into(), "_zpc_more", &array(&[granted.into()]));
        assert!(server.events().is_empty());
    }
}

#[test]
fn client_ignores_what_only_servers_are_told() {
    let mut client = Scripted::client();
    let (_, id) = client.open(&ChannelOptions::default());
    for name in ["_zpc_more", "_zpc_cancel"] {
        client.recv_on(&id, name, &array(&[1.into()]));
    }
    assert!(client.events().is_empty());
    assert_eq!(
        (client.mux.stats().ignored, client.mux.channel_count()),
        (2, 1)
    );
}

#[test]
fn whatever_the_limits_one_event_passes() {
    let limits = Limits {
        queued_bytes_per_peer: 0,
        queued_bytes_total: 0,
        ..Limits::default()
    };
    let mut server = Scripted::server(Config::server().with_limits(limits));
    let channel = server.accept(&"id".into());
    server.recv_on(&"id".into(), "_zpc_more", &array(&[100.into()]));
    while server.poll_transmit().is_some() {}
    server.mux.stream_item(channel, item(1)).unwrap();
    assert!(matches!(
        server.mux.stream_item(channel, item(2)),
        Err(SendError::Full(_))
    ));
    assert_eq!(server.sent_names(), ["STREAM"]);
    server.mux.stream_item(channel, item(2)).unwrap();
}

#[test]
fn open_channels_have_small_numbers_of_their_own() {
    let mut pair = Pair::new(Config::client(), Config::server());
    let calls = [(); 3].map(|()| pair.call(&ChannelOptions::default()));
    let mut numbers = calls.map(|call| call.number());
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2]);
}

#[test]
fn full_socket_stops_streams_and_lets_them_go_on() {
    let limits = Limits {
        queued_bytes_per_peer: 4096,
        ..Limits::default()
    };
    let mut server = Scripted::server(Config::server().with_limits(limits));
    let channel = server.accept(&"id".into());
    server.recv_on(&"id".into(), "_zpc_more", &array(&[100.into()]));
    let large = Body::value(&"x".repeat(3000)).unwrap();
    server.mux.stream_item(channel, large.clone()).unwrap();
    server.mux.stream_item(channel, large.clone()).unwrap();
    assert!(matches!(
        server.mux.stream_item(channel, large.clone()),
        Err(SendError::Full(_))
    ));
    let blocked = server.poll_transmit().unwrap();
    server.mux.handle_blocked(blocked);
    assert!(server.poll_transmit().is_none());
    assert!(server.events().is_empty());
    server.mux.handle_unblocked(&"peer");
    assert_eq!(server.sent_names(), ["STREAM"; 2]);
    assert!(matches!(
        server.events()[..],
        [ChannelEvent::Writable { .. }]
    ));
    server.mux.stream_item(channel, large).unwrap();
}

#[test]
fn b3_overrun_closes_its_channel_and_no_other() {
    let mut client = Scripted::client();
    let (slow, slow_id) = client.open(&ChannelOptions::default());
    let (_, other_id) = client.open(&ChannelOptions::default());
    for number in 0..200 {
        client.recv_on(&slow_id, "STREAM", &Value::from(number));
    }
    client.recv_on(&other_id, "OK", &array(&[1.into()]));
    let events = client.events();
    assert_eq!(events.len(), 102);
    let overrun = CloseReason::Overrun {
        limit: 100,
        unit: OverrunUnit::Items,
    };
    assert!(
        matches!(&events[100], ChannelEvent::Closed { channel, reason } if *channel == slow && *reason == overrun)
    );
    assert!(matches!(&events[101], ChannelEvent::Reply { .. }));
}

#[test]
fn overrun_says_what_there_was_too_much_of() {
    let texts = [OverrunUnit::Items, OverrunUnit::Bytes].map(|unit| {
        let limit = 7;
        CloseReason::Overrun { limit, unit }.to_string()
    });
    assert_eq!(
        texts,
        [
            "peer overran the limit of 7 stream items",
            "peer overran the limit of 7 stream bytes"
        ]
    );
}

#[test]
fn b1_stream_that_is_left_early_does_not_harm_later_calls() {
    let mut pair = Pair::new(Config::client(), Config::server());
    let (left, channel) = pair.accepted(&ChannelOptions::default());
    pair.server.stream_item(channel, item(0)).unwrap();
    pair.drive();
    pair.client.consume(left, 1).unwrap();
    pair.drive();
    (0..100).for_each(|number| pair.server.stream_item(channel, item(number)).unwrap());
    pair.client.close(left).unwrap();
    pair.drive();
    happenings(&mut pair.server);
    let (_, channel) = pair.accepted(&ChannelOptions::default());
    pair.server.reply(channel, Body::nil()).unwrap();
    pair.drive();
    assert!(matches!(
        happenings(&mut pair.client).last(),
        Some(ChannelEvent::Reply { .. })
    ));
}

#[test]
fn window_shrinks_to_the_memory_that_there_is() {
    let limits = Limits {
        received_bytes_per_peer: 10_000,
        ..Limits::default()
    };
    let mut client = Scripted::server(Config::client().with_limits(limits));
    let (channel, id) = client.open(&ChannelOptions::default());
    let large = Value::from("x".repeat(2000));
    client.recv_on(&id, "STREAM", &large);
    client.mux.consume(channel, 1).unwrap();
    assert_eq!(client.sent()[0].2, array(&[4.into()]));
    (0..4).for_each(|_| client.recv_on(&id, "STREAM", &large));
    assert_eq!(client.events().len(), 5);
    client.mux.consume(channel, 4).unwrap();
    assert_eq!(client.sent_names(), ["_zpc_more"]);
}

#[test]
fn bytes_beyond_the_limit_close_the_channel() {
    let limits = Limits {
        received_bytes_per_peer: 10_000,
        ..Limits::default()
    };
    let mut client = Scripted::server(Config::client().with_limits(limits));
    let (_, id) = client.open(&ChannelOptions::default());
    (0..6).for_each(|_| client.recv_on(&id, "STREAM", &Value::from("x".repeat(2000))));
    let overrun = CloseReason::Overrun {
        limit: 10_000,
        unit: OverrunUnit::Bytes,
    };
    let events = client.events();
    assert!(
        matches!(events.last(), Some(ChannelEvent::Closed { reason, .. }) if *reason == overrun)
    );
}

#[test]
fn blocked_peer_does_not_hold_up_others() {
    let mut server = Scripted::server(Config::server());
    for peer in ["slow", "fast"] {
        server.recv_from(
            peer,
            super::pair::request_header(&"id".into()),
            "method",
            &array(&[]),
        );
    }
    let (slow, fast) = (server.accepted(), server.accepted());
    server.mux.reply(slow, item(1)).unwrap();
    let transmit = server.poll_transmit().unwrap();
    assert_eq!(transmit.peer, "slow");
    server.mux.handle_blocked(transmit);
    server.mux.reply(fast, item(2)).unwrap();
    assert_eq!(server.poll_transmit().unwrap().peer, "fast");
    assert!(server.poll_transmit().is_none());
    server.mux.handle_unblocked(&"slow");
    assert_eq!(server.poll_transmit().unwrap().peer, "slow");
}

#[test]
fn peers_take_turns() {
    let mut server = Scripted::server(Config::server());
    for peer in ["a", "a", "a", "b"] {
        let id = Value::from(server.mux.stats().events_received + 1);
        server.recv_from(
            peer,
            super::pair::request_header(&id),
            "method",
            &array(&[]),
        );
        let channel = server.accepted();
        server.mux.reply(channel, Body::nil()).unwrap();
    }
    let order: Vec<_> = std::iter::from_fn(|| server.poll_transmit())
        .map(|sent| sent.peer)
        .collect();
    assert_eq!(order, ["a", "b", "a", "a"]);
}
