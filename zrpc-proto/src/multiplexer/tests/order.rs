//! What goes before what, and when the clock of a call starts.

use rmpv::Value;

use super::pair::{
    CLIENT, Mux, PEER, Pair, SECOND, SERVER, Scripted, array, header, item, parse, reply_header,
    transmitted,
};
use crate::event::names;
use crate::multiplexer::{ChannelEvent, ChannelId, Config, Request};
use crate::{Body, ChannelOptions, Heartbeat};

fn without_timeout() -> ChannelOptions {
    ChannelOptions::default().with_timeout(None)
}

/// Opens a call whose request is not polled.
fn open(client: &mut Scripted) -> ChannelId {
    let request = Request::new("method", Body::args(&()).unwrap());
    client
        .mux
        .open(client.now, &PEER, request, &without_timeout())
        .unwrap()
}

/// Lets time pass without a payload being polled.
fn wait(mux: &mut Mux, client_now: &mut std::time::Instant, seconds: u32) {
    for _ in 0..seconds {
        *client_now += SECOND;
        mux.handle_timeout(*client_now);
    }
}

#[test]
fn heartbeat_of_a_call_begins_when_its_request_leaves() {
    let mut client = Scripted::client();
    open(&mut client);
    wait(&mut client.mux, &mut client.now, 14);
    assert!(client.events().is_empty(), "nobody can be lost yet");
    assert_eq!(client.sent_names(), ["method"]);
    assert_eq!(client.advance(4 * SECOND), [""; 0]);
    assert_eq!(client.advance(SECOND), ["_zpc_hb"]);
}

#[test]
fn heartbeat_of_a_request_that_comes_back_stops() {
    let mut client = Scripted::client();
    open(&mut client);
    for _ in 0..2 {
        let transmit = client.poll_transmit().unwrap();
        client.mux.handle_blocked(transmit);
        wait(&mut client.mux, &mut client.now, 7);
        assert!(client.events().is_empty());
        client.mux.handle_unblocked(&PEER);
    }
    assert_eq!(client.sent_names(), ["method"]);
    assert_eq!(client.advance(5 * SECOND), ["_zpc_hb"]);
    assert_eq!(client.mux.stats().payloads_sent, 2);
}

#[test]
fn request_that_comes_back_after_its_call_was_closed_is_never_sent() {
    let mut client = Scripted::client();
    let call = open(&mut client);
    let transmit = client.poll_transmit().unwrap();
    client.mux.close(call).unwrap();
    client.mux.handle_blocked(transmit);
    client.mux.handle_unblocked(&PEER);
    assert_eq!(client.sent_names(), [""; 0]);
    assert_eq!(client.mux.queued_count(), 0);
}

#[test]
fn event_for_a_call_whose_request_has_not_left_is_for_nobody() {
    let mut client = Scripted::client();
    open(&mut client);
    let transmit = client.poll_transmit().unwrap();
    let id = header(&parse(&transmit.payload).0, names::MESSAGE_ID).unwrap();
    client.mux.handle_blocked(transmit);
    client.recv_on(&id, "_zpc_hb", &array(&[0.into()]));
    client.recv_on(&id, "OK", &array(&[1.into()]));
    assert_eq!(client.mux.stats().unroutable, 2);
    client.mux.handle_unblocked(&PEER);
    assert_eq!(client.sent_names(), ["method"]);
}

#[test]
fn heartbeats_of_a_server_pass_by_its_data() {
    let mut server = Scripted::server(Config::server());
    let stream = server.accept(&"id".into());
    server.accept(&"slow".into());
    server.recv_on(&"id".into(), "_zpc_more", &array(&[9.into()]));
    (0..3).for_each(|number| server.mux.stream_item(stream, item(number)).unwrap());
    let first = server.poll_transmit().unwrap();
    server.mux.handle_blocked(first);
    server.now += 5 * SECOND;
    server.mux.handle_timeout(server.now);
    server.mux.handle_unblocked(&PEER);
    let sent = server.sent();
    let names: Vec<_> = sent.iter().map(|(_, name, _)| name.as_str()).collect();
    assert_eq!(names, ["_zpc_hb", "_zpc_hb", "STREAM", "STREAM", "STREAM"]);
    let items: Vec<_> = sent[2..].iter().map(|(_, _, args)| args.clone()).collect();
    assert_eq!(items, [Value::from(0), 1.into(), 2.into()]);
}

#[test]
fn credit_and_heartbeats_of_a_client_pass_by_requests_but_not_by_their_own() {
    let mut client = Scripted::client();
    let (stream, id) = client.open(&without_timeout());
    client.recv_on(&id, "STREAM", &1.into());
    open(&mut client);
    open(&mut client);
    client.mux.consume(stream, 1).unwrap();
    wait(&mut client.mux, &mut client.now, 5);
    assert_eq!(
        client.sent_names(),
        ["_zpc_more", "_zpc_hb", "method", "method"]
    );
}

#[test]
fn two_sides_without_heartbeats_do_not_answer_each_other_for_ever() {
    let mut pair = Pair::new(
        Config::client(),
        Config::server().with_heartbeat(Heartbeat::Off),
    );
    let call = pair.call(&without_timeout().with_heartbeat(Heartbeat::Off));
    let request = pair.client.poll_transmit(pair.now).unwrap().payload;
    let id = header(&parse(&request).0, names::MESSAGE_ID).unwrap();
    let mut server = |payload| {
        pair.server
            .handle_event(pair.now, &CLIENT, payload)
            .unwrap();
        transmitted(&mut pair.server, pair.now)
    };
    assert!(server(request).is_empty());
    let answer = server(stray(&id)).remove(0);
    pair.client
        .handle_event(pair.now, &SERVER, answer.clone())
        .unwrap();
    assert!(transmitted(&mut pair.client, pair.now).is_empty());
    // Nor does a server answer what it would send itself.
    let (_, name, args) = parse(&answer);
    assert_eq!(
        (name.as_str(), &args),
        ("_zpc_hb", &array(&[0.into(), 0.into()]))
    );
    let echo = Body::value(&(reply_header(&id), name, args)).unwrap();
    assert!(server(echo.into_encoded()).is_empty());
    pair.client.close(call).unwrap();
}

fn stray(id: &Value) -> bytes::Bytes {
    let event = Body::value(&(reply_header(id), "_zpc_hb", [0])).unwrap();
    event.into_encoded()
}

#[test]
fn first_event_of_a_call_is_still_known_to_be_a_reply() {
    let mut server = Scripted::server(Config::server());
    let channel = server.accept(&"id".into());
    server.mux.reply(channel, Body::nil()).unwrap();
    server.now += 5 * SECOND;
    server.mux.handle_timeout(server.now);
    assert_eq!(server.sent_names(), ["OK"], "no heartbeat of an ended call");
    assert!(
        server
            .events()
            .iter()
            .all(|event| !matches!(event, ChannelEvent::Closed { .. }))
    );
}
