//! Heartbeats and lost peers.

use std::time::Duration;

use rmpv::Value;

use super::pair::{
    PEER, Pair, SECOND, Scripted, array, happenings, header, item, parse, reply_header, transmitted,
};
use crate::multiplexer::{ChannelEvent, ChannelId, CloseReason, Config, Request};
use crate::{Body, ChannelOptions, Heartbeat};

fn active(seconds: u64) -> Heartbeat {
    Heartbeat::Active(Duration::from_secs(seconds))
}

fn without_timeout() -> ChannelOptions {
    ChannelOptions::default().with_timeout(None)
}

fn is_lost(events: &[ChannelEvent<&'static str>]) -> bool {
    let after = 2 * Heartbeat::DEFAULT_INTERVAL;
    matches!(events, [ChannelEvent::Closed { reason: CloseReason::LostRemote { after: a }, .. }] if *a == after)
}

#[test]
fn q7_nothing_follows_a_request_for_one_interval() {
    let mut client = Scripted::client();
    client.open(&without_timeout());
    assert_eq!(
        client.advance(5 * SECOND - Duration::from_millis(1)),
        [""; 0]
    );
    assert_eq!(client.advance(Duration::from_millis(1)), ["_zpc_hb"]);
}

#[test]
fn q10_peer_that_is_never_heard_is_lost_at_the_third_tick() {
    let mut client = Scripted::client();
    client.open(&without_timeout());
    assert_eq!(
        client.advance(15 * SECOND - Duration::from_millis(1)),
        ["_zpc_hb"; 2]
    );
    assert!(client.events().is_empty());
    assert_eq!(client.advance(Duration::from_millis(1)), [""; 0]);
    assert!(is_lost(&client.events()));
    assert_eq!(client.mux.channel_count(), 0);
}

#[test]
fn a_client_that_may_be_there_is_told_that_its_call_is_given_up() {
    let mut server = Scripted::server(Config::server());
    server.accept(&"id".into());
    assert_eq!(
        server.advance(15 * SECOND),
        ["_zpc_hb", "_zpc_hb", "ERR"],
        "the first reply needs no grant"
    );
    assert!(is_lost(&server.events()));
    // The credit of this one is used up.
    let streaming = server.accept(&"other".into());
    server.mux.stream_item(streaming, item(0)).unwrap();
    assert_eq!(server.sent_names(), ["STREAM"]);
    assert_eq!(server.advance(15 * SECOND), ["_zpc_hb"; 2]);
    assert!(is_lost(&server.events()));
}

#[test]
fn peer_that_falls_silent_is_lost_after_two_intervals() {
    let mut client = Scripted::client();
    let (_, id) = client.open(&without_timeout());
    client.advance(7 * SECOND);
    client.recv_on(&id, "_zpc_hb", &array(&[0.into()]));
    client.advance(13 * SECOND - Duration::from_millis(1));
    assert!(
        client.events().is_empty(),
        "a tick at 15 s is only 8 s after the last sign of life"
    );
    client.advance(Duration::from_millis(1));
    assert!(is_lost(&client.events()));
}

#[test]
fn any_traffic_is_a_sign_of_life() {
    let mut client = Scripted::client();
    let (channel, id) = client.open(&without_timeout());
    for _ in 0..20 {
        client.advance(4 * SECOND);
        client.recv_on(&id, "STREAM", &1.into());
        client.mux.consume(channel, 1).unwrap();
    }
    assert!(
        client
            .events()
            .iter()
            .all(|event| matches!(event, ChannelEvent::StreamItem { .. }))
    );
}

#[test]
fn q10_heartbeats_go_on_while_data_flows() {
    let mut pair = Pair::new(Config::client(), Config::server());
    let (call, channel) = pair.accepted(&without_timeout());
    for number in 0..40 {
        pair.server.stream_item(channel, item(number)).unwrap();
        pair.drive();
        pair.client.consume(call, 1).unwrap();
        pair.drive();
        pair.advance(SECOND);
    }
    assert_eq!(pair.server.stats().heartbeats_sent, 8);
    assert_eq!(pair.client.stats().heartbeats_sent, 8);
}

#[test]
fn heartbeats_stop_when_the_call_ends() {
    let mut pair = Pair::new(Config::client(), Config::server());
    let (_, channel) = pair.accepted(&without_timeout());
    pair.advance(6 * SECOND);
    pair.server.reply(channel, Body::nil()).unwrap();
    pair.drive();
    let before = (
        pair.client.stats().heartbeats_sent,
        pair.server.stats().heartbeats_sent,
    );
    pair.advance(60 * SECOND);
    assert_eq!(
        (
            pair.client.stats().heartbeats_sent,
            pair.server.stats().heartbeats_sent
        ),
        before
    );
    assert_eq!(before, (1, 1));
}

#[test]
fn b6_slow_method_keeps_its_caller_for_as_long_as_it_takes() {
    let mut pair = Pair::new(Config::client(), Config::server());
    let (_, channel) = pair.accepted(&without_timeout());
    pair.advance(3600 * SECOND);
    pair.server.reply(channel, Body::nil()).unwrap();
    pair.drive();
    assert!(matches!(
        happenings(&mut pair.client)[..],
        [ChannelEvent::Reply { .. }]
    ));
    assert!(pair.server.poll_event().is_none());
}

#[test]
fn b9_lost_client_frees_the_channel_of_the_server() {
    let mut server = Scripted::server(Config::server());
    let channel = server.accept(&"id".into());
    server.advance(60 * SECOND);
    assert!(is_lost(&server.events()));
    assert_eq!(server.mux.channel_count(), 0);
    assert!(server.mux.reply(channel, Body::nil()).is_err());
}

#[test]
fn q11_passive_client_answers_the_first_heartbeat_at_once() {
    let mut client = Scripted::client();
    let options = without_timeout().with_heartbeat(Heartbeat::Passive(5 * SECOND));
    let (_, id) = client.open(&options);
    assert_eq!(
        client.advance(600 * SECOND),
        [""; 0],
        "no heartbeat and no judgement until then"
    );
    assert!(client.events().is_empty());
    client.recv_on(&id, "_zpc_hb", &array(&[0.into()]));
    assert_eq!(client.sent_names(), ["_zpc_hb"]);
    assert_eq!(client.advance(5 * SECOND), ["_zpc_hb"]);
    client.advance(60 * SECOND);
    assert!(is_lost(&client.events()));
}

#[test]
fn q11_server_waits_fifteen_seconds_for_a_passive_client() {
    let mut server = Scripted::server(Config::server());
    server.accept(&"id".into());
    server.advance(14 * SECOND);
    server.recv_on(&"id".into(), "_zpc_hb", &array(&[0.into()]));
    server.advance(10 * SECOND);
    assert!(server.events().is_empty());
}

#[test]
fn heartbeat_off_sends_none_and_answers_what_comes() {
    let mut client = Scripted::client();
    let (_, id) = client.open(&without_timeout().with_heartbeat(Heartbeat::Off));
    assert_eq!(client.advance(600 * SECOND), [""; 0]);
    client.recv_on(&id, "_zpc_hb", &array(&[0.into()]));
    assert_eq!(client.sent_names(), ["_zpc_hb"]);
    assert_eq!(client.advance(600 * SECOND), [""; 0]);
    assert!(client.events().is_empty());
}

#[test]
fn heartbeat_may_be_off_on_one_side_only() {
    for (ours, theirs) in [(Heartbeat::Off, active(5)), (active(5), Heartbeat::Off)] {
        let mut pair = Pair::new(Config::client(), Config::server().with_heartbeat(theirs));
        let (_, channel) = pair.accepted(&without_timeout().with_heartbeat(ours));
        pair.advance(600 * SECOND);
        pair.server.reply(channel, Body::nil()).unwrap();
        pair.drive();
        assert!(matches!(
            happenings(&mut pair.client)[..],
            [ChannelEvent::Reply { .. }]
        ));
    }
}

#[test]
fn q4_heartbeat_carries_an_array_of_zero_and_accepts_anything() {
    let mut client = Scripted::client();
    let (_, id) = client.open(&without_timeout());
    client.now += 5 * SECOND;
    client.mux.handle_timeout(client.now);
    let (head, _, args) = client.sent().remove(0);
    assert_eq!(
        (header(&head, "response_to"), args),
        (Some(id.clone()), array(&[0.into()]))
    );
    for args in [
        Value::Nil,
        array(&[]),
        array(&[7.into()]),
        0.into(),
        "x".into(),
    ] {
        client.recv_on(&id, "_zpc_hb", &args);
    }
    assert!(client.events().is_empty());
}

#[test]
fn side_that_overslept_does_not_blame_the_peer() {
    let mut client = Scripted::client();
    let (_, id) = client.open(&without_timeout());
    client.recv_on(&id, "_zpc_hb", &Value::Nil);
    client.now += 120 * SECOND;
    client.mux.handle_timeout(client.now);
    assert!(
        client.events().is_empty(),
        "what the peer sent meanwhile may still be unread"
    );
    client.advance(5 * SECOND);
    assert!(is_lost(&client.events()), "but it was not");
}

#[test]
fn late_heartbeat_of_a_finished_call_is_dropped_quietly() {
    let mut client = Scripted::client();
    let (_, id) = client.open(&without_timeout());
    client.recv_on(&id, "OK", &array(&[1.into()]));
    client.recv_on(&id, "_zpc_hb", &Value::Nil);
    assert_eq!(client.mux.stats().unroutable, 1);
    assert_eq!(client.events().len(), 1);
}

#[test]
fn blocked_peer_piles_up_no_heartbeats() {
    let mut client = Scripted::client();
    let (_, id) = client.open(&without_timeout());
    client.now += 5 * SECOND;
    client.mux.handle_timeout(client.now);
    let heartbeat = client.poll_transmit().unwrap();
    client.mux.handle_blocked(heartbeat);
    for _ in 0..100 {
        client.recv(reply_header(&id), "_zpc_hb", &Value::Nil);
        assert_eq!(client.advance(5 * SECOND), [""; 0]);
    }
    assert_eq!(client.mux.queued_count(), 2);
    client.mux.handle_unblocked(&"peer");
    let sent = transmitted(&mut client.mux, client.now);
    assert_eq!(
        sent.iter()
            .map(|payload| parse(payload).1)
            .collect::<Vec<_>>(),
        ["_zpc_hb"; 2]
    );
}

/// A call whose heartbeats wait for one of the server.
fn passive(timeout: Duration) -> ChannelOptions {
    ChannelOptions::default()
        .with_heartbeat(Heartbeat::Passive(Heartbeat::DEFAULT_INTERVAL))
        .with_timeout(Some(timeout))
}

#[test]
fn a_deadline_that_moves_forward_is_met() {
    let mut client = Scripted::client();
    let (interval, timeout) = (Heartbeat::DEFAULT_INTERVAL, 60 * SECOND);
    let (_, id) = client.open(&passive(timeout));
    assert_eq!(client.mux.poll_timeout(), Some(client.now + timeout));
    client.recv_on(&id, "_zpc_hb", &array(&[0.into()]));
    assert_eq!(client.sent_names(), ["_zpc_hb"]);
    assert_eq!(client.mux.poll_timeout(), Some(client.now + interval));
    assert_eq!(client.advance(interval), ["_zpc_hb"]);
}

#[test]
fn a_deadline_that_moves_back_is_met_later_without_another_entry() {
    let mut client = Scripted::client();
    let (interval, timeout) = (Heartbeat::DEFAULT_INTERVAL, 3 * SECOND);
    let (_, id) = client.open(&passive(timeout));
    let sooner = Some(client.now + timeout);
    assert_eq!(client.mux.poll_timeout(), sooner);
    // The first item ends the wait for it; what is left to wait for is the next heartbeat.
    client.recv_on(&id, "STREAM", &1.into());
    client.recv_on(&id, "_zpc_hb", &array(&[0.into()]));
    assert_eq!(client.sent_names(), ["_zpc_hb"]);
    assert_eq!(client.mux.poll_timeout(), sooner);
    assert_eq!(client.mux.deadlines.count(), 1);
    assert_eq!(client.advance(timeout), [""; 0]);
    assert_eq!(client.mux.deadlines.count(), 1);
    assert_eq!(client.advance(interval - timeout), ["_zpc_hb"]);
}

/// A client with one call that was sent, one that waits, and a server that does not read.
fn client_of_a_full_socket() -> (Scripted, ChannelId, Value) {
    let mut client = Scripted::client();
    let (_, sent) = client.open(&without_timeout());
    let request = Request::new("method", Body::args(&()).unwrap());
    let options = without_timeout();
    let waiting = client.mux.open(client.now, &PEER, request, &options);
    refuse_one(&mut client);
    (client, waiting.unwrap(), sent)
}

/// The socket gets room, of which one payload finds none.
fn refuse_one(client: &mut Scripted) {
    client.mux.handle_unblocked(&PEER);
    let refused = client.poll_transmit().unwrap();
    client.mux.handle_blocked(refused);
}

// Q10
#[test]
fn a_call_whose_request_waits_for_a_silent_server_is_lost_as_others_are() {
    let (mut client, waiting, _) = client_of_a_full_socket();
    let mut lost = Vec::new();
    for second in 1..=15 {
        assert!(lost.is_empty(), "after {second} s");
        client.advance(SECOND);
        lost = client.events();
        refuse_one(&mut client);
    }
    let reasons: Vec<_> = lost.iter().map(ChannelEvent::channel).collect();
    assert_eq!((reasons.len(), reasons.contains(&waiting)), (2, true));
    assert!(is_lost(&lost[..1]) && is_lost(&lost[1..]), "{lost:?}");
    assert_eq!(client.mux.channel_count(), 0);
}

#[test]
fn a_call_whose_request_waits_for_a_server_that_is_heard_goes_on() {
    let (mut client, waiting, sent) = client_of_a_full_socket();
    for _ in 0..20 {
        client.recv_on(&sent, "_zpc_hb", &Value::Nil);
        client.advance(4 * SECOND);
    }
    assert!(client.events().is_empty());
    client.recv_on(&sent, "OK", &array(&[1.into()]));
    assert_eq!(client.events().len(), 1);
    client.advance(10 * SECOND);
    client.recv_on(&sent, "_zpc_hb", &Value::Nil);
    client.advance(14 * SECOND);
    assert!(client.events().is_empty());
    client.advance(6 * SECOND);
    let lost = client.events();
    assert!(is_lost(&lost) && lost[0].channel() == waiting, "{lost:?}");
}
