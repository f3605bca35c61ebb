//! Peers that do not read what waits for them.

use super::pair::{
    PEER, Pair, SECOND, Scripted, array, happenings, item, no_extra, reply_header, request_header,
    transmitted,
};
use crate::multiplexer::{ChannelEvent, ChannelId, Config, Limits, Request, SendError};
use crate::{Body, ChannelOptions};

const MARK: usize = 4096;

fn limited(change: impl FnOnce(&mut Limits)) -> Scripted {
    let mut limits = Limits {
        queued_bytes_per_peer: MARK,
        ..Limits::default()
    };
    change(&mut limits);
    Scripted::server(Config::server().with_limits(limits))
}

fn body(len: usize) -> Body {
    Body::value(&"x".repeat(len)).unwrap()
}

fn request(server: &mut Scripted, id: usize) {
    server.recv(request_header(&id.into()), "method", &array(&[]));
}

/// Fills what waits for the peer to the mark, and blocks it.
fn fill(server: &mut Scripted) {
    (1000..1004).for_each(|id| request(server, id));
    for channel in channels(server) {
        server.mux.reply(channel, body(MARK / 3)).unwrap();
    }
    let transmit = server.poll_transmit().unwrap();
    server.mux.handle_blocked(transmit);
}

fn channels(server: &mut Scripted) -> Vec<ChannelId> {
    let events = server.events();
    assert!(
        events
            .iter()
            .all(|event| matches!(event, ChannelEvent::Request { .. }))
    );
    events.iter().map(ChannelEvent::channel).collect()
}

#[test]
fn requests_of_a_peer_that_does_not_read_are_held_back_and_not_refused() {
    let mut server = limited(|_| ());
    fill(&mut server);
    (0..100).for_each(|id| request(&mut server, id));
    assert!(server.poll_transmit().is_none());
    assert!(server.events().is_empty());
    assert_eq!(
        (
            server.mux.stats().refused,
            server.mux.stats().held_back,
            server.mux.channel_count()
        ),
        (0, 100, 100)
    );
    server.mux.handle_unblocked(&"peer");
    assert_eq!(server.sent_names(), ["OK"; 4]);
    let ids: Vec<u64> = server
        .events()
        .iter()
        .map(|event| match event {
            ChannelEvent::Request { header, .. } => {
                crate::decode(header.message_id.as_ref().unwrap().as_encoded()).unwrap()
            }
            other => panic!("no request but {other:?}"),
        })
        .collect();
    assert_eq!(ids, (0..100).collect::<Vec<_>>());
    request(&mut server, 100);
    server.accepted();
}

#[test]
fn payload_that_comes_back_has_not_left() {
    let mut server = limited(|_| ());
    request(&mut server, 1000);
    let channel = server.accepted();
    server.mux.reply(channel, body(MARK)).unwrap();
    request(&mut server, 1);
    for _ in 0..3 {
        let transmit = server.poll_transmit().unwrap();
        server.mux.handle_blocked(transmit);
        assert!(server.poll_transmit().is_none());
        assert!(server.events().is_empty());
        server.mux.handle_unblocked(&"peer");
    }
    assert_eq!(server.sent_names(), ["OK"]);
    server.accepted();
}

#[test]
fn held_back_requests_come_one_for_each_reply_that_leaves() {
    let mut server = limited(|_| ());
    fill(&mut server);
    (0..3).for_each(|id| request(&mut server, id));
    server.mux.handle_unblocked(&"peer");
    let mut handed_out = Vec::new();
    for _ in 0..5 {
        drop(server.poll_transmit());
        handed_out.push(channels(&mut server).len());
    }
    // What leaves is known to have left at the next poll, and the second brings them below the mark.
    assert_eq!(handed_out, [0, 0, 1, 1, 1]);
}

#[test]
fn payload_that_comes_back_below_the_mark_releases_nothing() {
    let mut server = limited(|_| ());
    fill(&mut server);
    (0..3).for_each(|id| request(&mut server, id));
    server.mux.handle_unblocked(&"peer");
    drop((server.poll_transmit(), server.poll_transmit()));
    for _ in 0..5 {
        let transmit = server.poll_transmit().unwrap();
        server.mux.handle_blocked(transmit);
        assert!(server.poll_transmit().is_none());
        server.mux.handle_unblocked(&"peer");
    }
    assert_eq!(channels(&mut server).len(), 1, "for the one that left");
}

#[test]
fn healthy_client_with_many_callers_and_large_replies_is_never_refused() {
    let mut pair = Pair::new(Config::client(), Config::server());
    let large = body(100 * 1024);
    for _ in 0..3 {
        for _ in 0..100 {
            pair.call(&ChannelOptions::default());
        }
        let mut replies = 0;
        while replies < 100 {
            pair.to_server
                .extend(transmitted(&mut pair.client, pair.now));
            // One reply leaves for every request that comes.
            while let Some(payload) = pair.to_server.pop_front() {
                pair.server
                    .handle_event(pair.now, &"client", payload)
                    .unwrap();
                if let Some(ChannelEvent::Request { channel, .. }) = pair.server.poll_event() {
                    pair.server.reply(channel, large.clone()).unwrap();
                }
            }
            pair.drive();
            for event in happenings(&mut pair.server) {
                pair.server.reply(event.channel(), large.clone()).unwrap();
            }
            for event in happenings(&mut pair.client) {
                assert!(matches!(event, ChannelEvent::Reply { .. }), "{event:?}");
                replies += 1;
            }
        }
    }
    assert!(pair.server.stats().held_back > 0);
    assert_eq!(pair.server.stats().refused, 0);
}

#[test]
fn held_back_request_beats_and_may_be_given_up() {
    let mut server = limited(|_| ());
    fill(&mut server);
    request(&mut server, 1);
    request(&mut server, 2);
    server.now += 5 * SECOND;
    server.mux.handle_timeout(server.now);
    server.recv_on(&1.into(), "_zpc_cancel", &array(&[]));
    assert!(
        server.events().is_empty(),
        "nobody knew of the call that was given up"
    );
    server.mux.handle_unblocked(&"peer");
    assert_eq!(
        server.sent_names(),
        ["_zpc_hb", "OK", "OK", "OK", "OK"],
        "the call that waits shows life"
    );
    assert_eq!(channels(&mut server).len(), 1);
    server.advance(60 * SECOND);
    assert_eq!(server.mux.channel_count(), 0);
}

#[test]
fn held_back_requests_count_as_open_calls() {
    let mut server = limited(|limits| limits.channels_per_peer = 6);
    fill(&mut server);
    (0..4).for_each(|id| request(&mut server, id));
    assert_eq!(
        (server.mux.stats().held_back, server.mux.stats().refused),
        (2, 2)
    );
}

#[test]
fn held_back_requests_that_end_leave_nothing_behind() {
    let mut server = limited(|_| ());
    fill(&mut server);
    for _ in 0..1000 {
        request(&mut server, 1);
    }
    let peer = server.mux.peers.iter().next().unwrap();
    assert!(peer.held.len() <= 2, "{}", peer.held.len());
    assert_eq!(server.mux.channel_count(), 1);
}

#[test]
fn ids_of_many_requests_that_were_given_up_go_with_the_next_one_that_is_held_back() {
    let mut server = limited(|_| ());
    fill(&mut server);
    (0..10).for_each(|id| request(&mut server, id));
    for id in 0..9 {
        server.recv_on(&id.into(), "_zpc_cancel", &array(&[]));
    }
    request(&mut server, 10);
    let peer = server.mux.peers.iter().next().unwrap();
    assert_eq!(peer.held.len(), 2);
}

#[test]
fn unread_replies_beyond_a_larger_limit_refuse_requests() {
    let mut server = limited(|limits| limits.unread_bytes_per_peer = 10 * MARK);
    (0..4).for_each(|id| request(&mut server, id));
    for channel in channels(&mut server) {
        server.mux.reply(channel, body(4 * MARK)).unwrap();
    }
    request(&mut server, 4);
    assert_eq!(server.mux.stats().refused, 1);
    let sent = server.sent();
    assert_eq!(sent[4].2[0], "LimitExceeded".into());
    request(&mut server, 5);
    server.accepted();
}

#[test]
fn every_stream_that_waits_for_the_socket_goes_on() {
    let mut server = limited(|_| ());
    (0..20).for_each(|id| request(&mut server, id));
    let streams = channels(&mut server);
    for (id, stream) in streams.iter().enumerate() {
        server.recv_on(&id.into(), "_zpc_more", &array(&[100.into()]));
        while server.mux.stream_item(*stream, body(MARK / 4)).is_ok() {}
        // Who asks again is not listed again.
        assert!(matches!(
            server.mux.stream_item(*stream, item(0)),
            Err(SendError::Full(_))
        ));
    }
    assert_eq!(server.sent_names().len(), 4);
    let woken: Vec<_> = server.events().iter().map(ChannelEvent::channel).collect();
    assert_eq!(woken, streams);
    for stream in streams {
        server.mux.stream_done(stream, no_extra()).unwrap();
    }
}

/// What waits for the one peer, and the most that there is room for.
fn waiting(scripted: &Scripted) -> (usize, usize) {
    let peer = scripted.mux.peers.iter().next().unwrap();
    (peer.queued_count(), peer.capacity())
}

// Q18
#[test]
fn heartbeats_of_channels_that_ended_do_not_pile_up() {
    for end in ["_zpc_hb", "_zpc_cancel"] {
        let mut server = limited(|_| ());
        fill(&mut server);
        let (before, _) = waiting(&server);
        for _ in 0..10_000 {
            // With the same id another time it gives the former channel up.
            server.recv(request_header(&"id".into()), "_zpc_hb", &array(&[0.into()]));
            server.recv_on(&"id".into(), end, &array(&[0.into()]));
        }
        let (after, capacity) = waiting(&server);
        assert!(after <= 2 * before + 2, "{after} after {before}");
        assert!(capacity < 2000, "{capacity}");
    }
}

#[test]
fn requests_of_calls_that_ended_do_not_pile_up() {
    let mut client = Scripted::client();
    let options = ChannelOptions::default();
    client.open(&options);
    client.now += 5 * SECOND;
    client.mux.handle_timeout(client.now);
    let heartbeat = client.poll_transmit().unwrap();
    client.mux.handle_blocked(heartbeat);
    for _ in 0..10_000 {
        let request = Request::new("method", Body::args(&()).unwrap());
        let opened = client.mux.open(client.now, &PEER, request, &options);
        client.mux.close(opened.unwrap()).unwrap();
    }
    let (count, capacity) = waiting(&client);
    assert!(count <= 2, "{count}");
    assert!(capacity < 2000, "{capacity}");
}

#[test]
fn what_ended_calls_left_goes_when_it_is_the_most_of_all() {
    let mut client = Scripted::client();
    let open = |client: &mut Scripted| {
        let request = Request::new("method", Body::args(&()).unwrap());
        let options = ChannelOptions::default();
        let opened = client.mux.open(client.now, &PEER, request, &options);
        opened.unwrap()
    };
    let close = |client: &mut Scripted, call| {
        client.mux.close(call).unwrap();
        waiting(client).0
    };
    let calls: Vec<_> = (0..4).map(|_| open(&mut client)).collect();
    assert_eq!(close(&mut client, calls[0]), 4);
    assert_eq!(close(&mut client, calls[1]), 4, "half of it");
    assert_eq!(close(&mut client, calls[2]), 1, "more than half");

    let calls = [(); 3].map(|()| open(&mut client));
    assert_eq!(close(&mut client, calls[0]), 4);
    // Behind the first request comes what is passed over, and counts no more.
    for left in [3, 1] {
        assert!(client.poll_transmit().is_some());
        assert_eq!(waiting(&client).0, left);
    }
    let calls = [(); 2].map(|()| open(&mut client));
    assert_eq!(close(&mut client, calls[0]), 3, "a third of it");
}

#[test]
fn a_connection_that_does_not_read_is_not_remembered_as_many_peers() {
    let mut server = limited(|limits| (limits.channels_total, limits.idle_peers) = (10, 5));
    for number in 0..100 {
        let peer = String::leak(number.to_string());
        let header = request_header(&"id".into());
        server.recv_from(peer, header.clone(), "_zpc_hb", &array(&[0.into()]));
        if let Some(heartbeat) = server.poll_transmit() {
            server.mux.handle_blocked(heartbeat);
        }
        server.recv_from(peer, reply_header(&"id".into()), "_zpc_cancel", &array(&[]));
    }
    assert_eq!(server.mux.channel_count(), 0);
    assert_eq!(server.mux.peer_count(), 5);
    assert_eq!(server.mux.stats().refused, 0, "it locks nobody out");
}
