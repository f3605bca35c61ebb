//! What received events hold, and what may still come.

use bytes::Bytes;
use rmpv::Value;

use super::pair::{Scripted, array, map, reply_header, request_header};
use crate::multiplexer::peers::{Entry, Peers};
use crate::multiplexer::{
    ChannelEvent, CloseReason, Config, Limits, OpenError, OverrunUnit, Request, Role,
};
use crate::{Body, ChannelOptions};

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

fn client(change: impl FnOnce(&mut Limits)) -> Scripted {
    Scripted::server(Config::client().with_limits(limits(change)))
}

fn server(change: impl FnOnce(&mut Limits)) -> Scripted {
    Scripted::server(Config::server().with_limits(limits(change)))
}

fn text(len: usize) -> Value {
    Value::from("x".repeat(len))
}

fn received_bytes(scripted: &Scripted) -> usize {
    let peers = scripted.mux.peers.iter();
    peers.map(|peer| peer.received_bytes()).sum()
}

fn queued_bytes(scripted: &Scripted) -> usize {
    let peers = scripted.mux.peers.iter();
    peers.map(|peer| peer.queued_bytes()).sum()
}

fn reserved_bytes(scripted: &Scripted) -> usize {
    let peers = scripted.mux.peers.iter();
    peers.map(|peer| peer.reserved_bytes).sum()
}

fn items_only(scripted: &mut Scripted, count: usize) {
    let events = scripted.events();
    assert_eq!(events.len(), count);
    assert!(
        events
            .iter()
            .all(|event| matches!(event, ChannelEvent::StreamItem { .. })),
        "{events:?}"
    );
}

#[test]
fn grants_leave_room_for_what_other_streams_may_still_send() {
    let mut client = client(|limits| limits.received_bytes_per_peer = 20_000);
    let mut granted = Vec::new();
    for _ in 0..4 {
        let (channel, id) = client.open(&ChannelOptions::default());
        client.recv_on(&id, "STREAM", &text(1900));
        client.mux.consume(channel, 1).unwrap();
        granted.push((id, client.sent()[0].2[0].as_u64().unwrap()));
    }
    let counts: Vec<_> = granted.iter().map(|(_, count)| *count).collect();
    assert_eq!(
        counts,
        [10, 1, 1, 1],
        "the first has it all, the others go on"
    );
    items_only(&mut client, 4);
    // All of it may come at once.
    for (id, count) in &granted {
        (0..*count).for_each(|_| client.recv_on(id, "STREAM", &text(1900)));
    }
    items_only(&mut client, 13);
}

#[test]
fn item_that_has_credit_is_never_judged() {
    let mut client = client(|limits| limits.received_bytes_per_peer = 10_000);
    let (channel, id) = client.open(&ChannelOptions::default());
    client.recv_on(&id, "STREAM", &text(100));
    client.mux.consume(channel, 1).unwrap();
    let granted = client.sent()[0].2[0].as_u64().unwrap();
    // Nobody could know that larger ones follow.
    (0..granted).for_each(|_| client.recv_on(&id, "STREAM", &text(1000)));
    let (_, other) = client.open(&ChannelOptions::default());
    client.recv_on(&other, "STREAM", &text(5000));
    items_only(&mut client, usize::try_from(granted).unwrap() + 2);
    // Beyond the credit it is judged.
    client.recv_on(&other, "STREAM", &text(1));
    let overrun = CloseReason::Overrun {
        limit: 10_000,
        unit: OverrunUnit::Bytes,
    };
    assert!(
        matches!(&client.events()[..], [ChannelEvent::Closed { reason, .. }] if *reason == overrun)
    );
}

#[test]
fn credit_of_a_stream_that_ends_is_free_for_others() {
    let mut client = client(|limits| limits.received_bytes_per_peer = 20_000);
    for _ in 0..3 {
        let (channel, id) = client.open(&ChannelOptions::default());
        client.recv_on(&id, "STREAM", &text(1900));
        client.mux.consume(channel, 1).unwrap();
        assert_eq!(client.sent()[0].2, array(&[10.into()]));
        assert!(reserved_bytes(&client) >= 19_000);
        client.recv_on(&id, "STREAM_DONE", &Value::Nil);
        assert_eq!(reserved_bytes(&client), 0);
    }
}

#[test]
fn items_of_all_servers_together_are_limited() {
    let mut client = client(|limits| limits.received_bytes_total = 10_000);
    let (channel, id) = client.open(&ChannelOptions::default());
    client.recv_on(&id, "STREAM", &text(10));
    client.mux.consume(channel, 1).unwrap();
    for _ in 0..6 {
        client.recv_on(&id, "STREAM", &text(2000));
    }
    let overrun = CloseReason::Overrun {
        limit: 10_000,
        unit: OverrunUnit::Bytes,
    };
    let events = client.events();
    assert!(
        matches!(events.last(), Some(ChannelEvent::Closed { reason, .. }) if *reason == overrun)
    );
    assert_eq!((events.len(), received_bytes(&client)), (6, 0));
}

#[test]
fn whole_payload_of_a_request_is_charged() {
    let mut server = server(|limits| limits.received_bytes_per_peer = 1000);
    let context = |id: u8| {
        map(&[
            ("message_id", id.into()),
            ("v", 3.into()),
            ("context", text(600)),
        ])
    };
    server.recv(context(1), "method", &array(&[]));
    assert!(received_bytes(&server) > 600);
    server.recv(context(2), "method", &array(&[]));
    assert_eq!((server.events().len(), server.mux.stats().refused), (1, 1));
}

/// An event with bytes behind it, which are ignored.
fn padded(header: &Value, name: &str, args: &Value) -> Bytes {
    let event = Body::value(&(header, name, args)).unwrap();
    [event.encoded(), &[0; 100_000]].concat().into()
}

#[test]
fn small_request_does_not_keep_a_large_payload() {
    let mut server = server(|_| ());
    let payload = padded(&request_header(&1.into()), "method", &array(&[7.into()]));
    let witness = payload.clone();
    server
        .mux
        .handle_event(server.now, &"peer", payload)
        .unwrap();
    let event = server.mux.poll_event();
    assert!(
        matches!(&event, Some(ChannelEvent::Request { name, args, .. }) if *name == "method" && args.decode() == Ok((7,)))
    );
    assert!(witness.is_unique());
    assert!(received_bytes(&server) < 100);
}

#[test]
fn large_request_is_not_copied() {
    let mut server = server(|_| ());
    let args = array(&[text(100_000)]);
    let payload = Body::value(&(request_header(&1.into()), "method", args)).unwrap();
    let payload = payload.into_encoded();
    let range = payload.as_ptr_range();
    server
        .mux
        .handle_event(server.now, &"peer", payload.clone())
        .unwrap();
    let event = server.mux.poll_event();
    assert!(
        matches!(&event, Some(ChannelEvent::Request { args, .. }) if range.contains(&args.encoded().as_ptr()))
    );
    assert_eq!(received_bytes(&server), payload.len());
}

#[test]
fn small_replies_and_items_do_not_keep_a_large_payload() {
    let mut client = client(|_| ());
    let (_, id) = client.open(&ChannelOptions::default());
    let header = reply_header(&id);
    let item = padded(&header, "STREAM", &1.into());
    let (_, id) = client.open(&ChannelOptions::default());
    let header = reply_header(&id);
    let args = array(&[7.into(), text(100_000)]);
    let reply = Body::value(&(header, "OK", args)).unwrap().into_encoded();
    let mut events = Vec::new();
    for payload in [item, reply] {
        let witness = payload.clone();
        client
            .mux
            .handle_event(client.now, &"peer", payload)
            .unwrap();
        events.extend(client.events());
        assert!(witness.is_unique());
    }
    assert!(
        matches!(&events[..], [ChannelEvent::StreamItem { item, .. }, ChannelEvent::Reply { value, .. }] if *item == b"\x01"[..] && *value == b"\x07"[..])
    );
}

#[test]
fn request_of_a_channel_that_a_heartbeat_opened_is_limited() {
    let mut server = server(|limits| limits.received_bytes_per_peer = 1000);
    server.recv(request_header(&1.into()), "_zpc_hb", &array(&[0.into()]));
    server.recv_on(&1.into(), "method", &array(&[text(2000)]));
    assert!(server.events().is_empty());
    assert_eq!(server.sent_names(), ["ERR"]);
    assert_eq!(server.mux.channel_count(), 0);
}

/// Sets a limit.
type Set = fn(&mut Limits, usize);

#[test]
fn request_that_fills_a_limit_is_accepted_and_one_that_exceeds_it_is_refused() {
    let request = |server: &mut Scripted| {
        server.recv(request_header(&1.into()), "method", &array(&[text(600)]));
    };
    let mut probe = server(|_| ());
    request(&mut probe);
    let held = received_bytes(&probe);
    let limits: [Set; 2] = [
        |limits, len| limits.received_bytes_per_peer = len,
        |limits, len| limits.received_bytes_total = len,
    ];
    for set in limits {
        for (limit, refused) in [(held, 0), (held - 1, 1)] {
            let mut server = server(|limits| set(limits, limit));
            request(&mut server);
            assert_eq!(server.mux.stats().refused, refused);
        }
    }
}

#[test]
fn replies_that_fill_a_limit_refuse_nothing_and_those_that_exceed_it_do() {
    let reply = |server: &mut Scripted| {
        let channel = server.accept(&1.into());
        let reply = Body::value(&"x".repeat(600)).unwrap();
        server.mux.reply(channel, reply).unwrap();
    };
    let mut probe = server(|_| ());
    reply(&mut probe);
    let queued = queued_bytes(&probe);
    let limits: [Set; 2] = [
        |limits, len| limits.unread_bytes_per_peer = len,
        |limits, len| limits.queued_bytes_total = len,
    ];
    for set in limits {
        for (limit, refused) in [(queued, 0), (queued - 1, 1)] {
            let mut server = server(|limits| set(limits, limit));
            reply(&mut server);
            server.recv(request_header(&2.into()), "method", &array(&[]));
            assert_eq!(server.mux.stats().refused, refused);
        }
    }
}

#[test]
fn item_that_fills_a_limit_is_kept_and_one_that_exceeds_it_is_too_much() {
    // The second one comes without credit.
    let items = |client: &mut Scripted| {
        let (_, id) = client.open(&ChannelOptions::default());
        client.recv_on(&id, "STREAM", &text(600));
        client.recv_on(&id, "STREAM", &text(600));
    };
    let mut probe = client(|_| ());
    items(&mut probe);
    let held = received_bytes(&probe);
    let limits: [Set; 2] = [
        |limits, len| limits.received_bytes_per_peer = len,
        |limits, len| limits.received_bytes_total = len,
    ];
    for set in limits {
        for (limit, overrun) in [(held, 0), (held - 1, 1)] {
            let mut client = client(|limits| set(limits, limit));
            items(&mut client);
            assert_eq!(client.mux.stats().overrun, overrun);
        }
    }
}

#[test]
fn request_counts_as_bytes_that_wait_until_it_leaves() {
    let mut client = client(|_| ());
    let request = Request::new("method", Body::args(&("x".repeat(600),)).unwrap());
    let options = ChannelOptions::default();
    let call = client.mux.open(client.now, &"peer", request, &options);
    let waiting = queued_bytes(&client);
    let transmit = client.poll_transmit().unwrap();
    assert_eq!(waiting, transmit.payload.len());
    assert_eq!(queued_bytes(&client), 0);
    client.mux.handle_blocked(transmit);
    assert_eq!(queued_bytes(&client), waiting);
    client.mux.close(call.unwrap()).unwrap();
    assert_eq!(queued_bytes(&client), 0);
}

const POSES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

#[test]
fn connection_that_poses_as_many_peers_is_limited() {
    let mut server = server(|limits| limits.channels_total = 3);
    for peer in POSES {
        server.recv_from(peer, request_header(&1.into()), "method", &array(&[]));
    }
    let open = server.events();
    assert_eq!((open.len(), server.mux.stats().refused), (3, 5));
    assert_eq!(
        server.sent()[0].2[1],
        "more than 3 calls are open in total".into()
    );
    server.mux.reply(open[0].channel(), Body::nil()).unwrap();
    server.sent();
    server.recv_from("h", request_header(&2.into()), "method", &array(&[]));
    server.accepted();
}

#[test]
fn refusals_of_a_connection_that_poses_as_many_peers_are_limited() {
    let mut server = server(|limits| (limits.channels_total, limits.idle_peers) = (2, 0));
    for id in 0..100 {
        for peer in POSES {
            server.recv_from(peer, request_header(&id.into()), "method", &array(&[]));
        }
    }
    assert_eq!(server.events().len(), 2);
    assert_eq!(server.mux.queued_count(), 4);
    assert!(server.mux.peers.iter().count() <= 6);
}

#[test]
fn bytes_of_all_peers_together_are_limited() {
    let mut server = server(|limits| {
        limits.received_bytes_total = 10_000;
        limits.queued_bytes_total = 10_000;
    });
    for peer in POSES {
        let args = array(&[text(4000)]);
        server.recv_from(peer, request_header(&1.into()), "method", &args);
    }
    let open = server.events();
    assert_eq!((open.len(), server.mux.stats().refused), (2, 6));
    for event in open {
        let reply = Body::value(&"x".repeat(6000)).unwrap();
        server.mux.reply(event.channel(), reply).unwrap();
    }
    server.recv_from("h", request_header(&2.into()), "method", &array(&[]));
    assert_eq!(
        server.mux.stats().refused,
        7,
        "nobody reads, so nobody gets more"
    );
    server.sent();
    server.recv_from("h", request_header(&3.into()), "method", &array(&[]));
    server.accepted();
}

#[test]
fn client_is_told_that_all_peers_have_too_many_calls() {
    let mut client = client(|limits| limits.channels_total = 2);
    let mut open = |peer| {
        let request = Request::new("method", Body::args(&()).unwrap());
        let options = ChannelOptions::default();
        client.mux.open(client.now, &peer, request, &options)
    };
    assert!(open("a").is_ok() && open("b").is_ok());
    let error = OpenError::TooManyChannelsInTotal { limit: 2 };
    assert_eq!(open("c"), Err(error));
}

#[test]
fn request_that_waits_for_the_socket_counts_once() {
    let mut client = client(|limits| limits.channels_per_peer = 2);
    let mut open = || {
        let request = Request::new("method", Body::args(&()).unwrap());
        let options = ChannelOptions::default();
        client.mux.open(client.now, &"peer", request, &options)
    };
    assert!(open().is_ok() && open().is_ok());
    assert_eq!(open(), Err(OpenError::TooManyChannels { limit: 2 }));
}

#[test]
fn the_room_of_a_burst_is_given_back() {
    let mut server = server(|limits| {
        limits.channels_per_peer = 20_000;
        limits.idle_peers = 10;
    });
    // One call stays open all the time.
    let first = server.accept(&Value::from("first"));
    for number in 0..10_000 {
        let header = request_header(&Value::from(number));
        server.recv(header, "method", &array(&[]));
    }
    let calls: Vec<_> = server
        .events()
        .into_iter()
        .map(|event| match event {
            ChannelEvent::Request { channel, .. } => channel,
            other => panic!("no request but {other:?}"),
        })
        .collect();
    for call in calls {
        server.mux.reply(call, Body::nil()).unwrap();
    }
    assert_eq!(server.sent().len(), 10_000);
    server.advance(std::time::Duration::from_secs(6));
    let mux = &server.mux;
    let peers = mux.peers.iter().map(|peer| peer.capacity());
    let capacities = [
        mux.channels.capacity(),
        mux.deadlines.capacity(),
        mux.events.capacity(),
        peers.sum(),
    ];
    assert!(capacities.iter().all(|it| *it < 2000), "{capacities:?}");
    server.mux.reply(first, Body::nil()).unwrap();
    assert_eq!(server.sent_names(), ["OK"]);
}

#[test]
fn the_room_of_held_back_requests_is_given_back() {
    let mut server = server(|limits| {
        limits.channels_per_peer = 20_000;
        limits.queued_bytes_per_peer = 1;
    });
    let unread = server.accept(&Value::from("unread"));
    server.mux.reply(unread, Body::nil()).unwrap();
    let transmit = server.poll_transmit().unwrap();
    server.mux.handle_blocked(transmit);
    for number in 0..10_000 {
        let header = request_header(&Value::from(number));
        server.recv(header, "method", &array(&[]));
    }
    let capacity = |server: &Scripted| server.mux.peers.iter().next().unwrap().capacity();
    assert!(capacity(&server) >= 10_000);
    server.mux.handle_unblocked(&"peer");
    assert_eq!(server.sent_names(), ["OK"]);
    for event in server.events() {
        server.mux.reply(event.channel(), Body::nil()).unwrap();
    }
    assert_eq!(server.sent().len(), 10_000);
    assert!(capacity(&server) < 2000, "{}", capacity(&server));
}

#[test]
fn the_room_of_a_crowd_of_peers_is_given_back() {
    let mut peers = Peers::new(Role::Server, 1);
    let first = peers.find_or_insert(&0);
    let crowd: Vec<u32> = (1..100_000_u32)
        .map(|key| {
            let index = peers.find_or_insert(&key);
            peers.push(index, Entry::Control(Bytes::new()));
            index
        })
        .collect();
    while peers.pop().is_some() {}
    for index in crowd {
        peers.settle(index);
    }
    assert!(peers.capacity() < 2000, "{}", peers.capacity());
    assert_eq!(peers.find(&0), Some(first));
    // Places that come again are as good as new.
    let again: Vec<u32> = (1..4).map(|key| peers.find_or_insert(&key)).collect();
    assert_eq!(again, [1, 2, 3]);
    assert_eq!(peers.iter().count(), 4);
}

#[test]
fn as_many_idle_peers_as_allowed_are_remembered() {
    let mut peers = Peers::new(Role::Server, 2);
    let indices = ["a", "b"].map(|key| peers.find_or_insert(&key));
    peers.settle(indices[0]);
    assert_eq!(peers.find(&"a"), Some(indices[0]));
    let third = peers.find_or_insert(&"c");
    peers.settle(third);
    assert_eq!(peers.find(&"c"), None);
}

#[test]
fn lost_peer_leaves_no_place_in_the_line() {
    let mut peers = Peers::new(Role::Server, 1);
    let first = peers.find_or_insert(&0);
    peers.push(first, Entry::Control(Bytes::new()));
    for key in 1..10_000 {
        let lost = peers.find_or_insert(&key);
        peers.push(lost, Entry::Control(Bytes::new()));
        peers.remove(lost);
    }
    assert!(peers.capacity() < 100, "{}", peers.capacity());
    assert!(matches!(peers.pop(), Some((index, _)) if index == first));
    assert!(peers.pop().is_none());
}
