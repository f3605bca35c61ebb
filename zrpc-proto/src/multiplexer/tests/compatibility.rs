//! What other implementations do.

use rmpv::Value;

use super::pair::{
    SECOND, Scripted, array, header, item, map, no_extra, reply_header, request_header,
};
use crate::multiplexer::{ChannelEvent, CloseReason, Config};
use crate::{Body, ChannelOptions, DecodeError, RemoteError};

fn server() -> Scripted {
    Scripted::server(Config::server())
}

fn old_header(version: Option<u8>) -> Value {
    let mut entries = vec![("message_id", Value::from("id"))];
    entries.extend(version.map(|version| ("v", Value::from(version))));
    map(&entries)
}

#[test]
fn q1_ids_go_back_with_their_type() {
    let ids = [
        Value::from("text"),
        Value::Binary(b"binary".to_vec()),
        Value::from(7),
        Value::from(-7),
        Value::from(1.5),
        array(&[1.into(), "x".into()]),
        map(&[("k", Value::Nil)]),
    ];
    for id in ids {
        let mut server = server();
        let channel = server.accept(&id);
        server.mux.reply(channel, Body::nil()).unwrap();
        assert_eq!(header(&server.sent()[0].0, "response_to"), Some(id));
    }
}

#[test]
fn q2_q17_every_event_has_a_binary_id_and_version_3() {
    let mut server = server();
    server.recv(old_header(None), "method", &array(&[]));
    let channel = server.accepted();
    server.mux.reply(channel, Body::nil()).unwrap();
    let (head, name, args) = server.sent().remove(0);
    assert!(matches!(header(&head, "message_id"), Some(Value::Binary(id)) if id.len() == 32));
    assert_eq!(header(&head, "v"), Some(3.into()));
    assert_eq!((name.as_str(), args), ("OK", array(&[Value::Nil])));
}

#[test]
fn q12_version_1_peer_hears_no_heartbeat_until_it_sends_one() {
    let mut server = server();
    server.recv(old_header(None), "slow", &array(&[]));
    server.accepted();
    assert_eq!(
        server.advance(60 * SECOND),
        [""; 0],
        "a REQ socket would take it for its reply"
    );
    assert!(server.events().is_empty());
    server.recv(reply_header(&"id".into()), "_zpc_hb", &array(&[0.into()]));
    assert_eq!(server.sent_names(), ["_zpc_hb"]);
    assert_eq!(server.advance(5 * SECOND), ["_zpc_hb"]);
}

#[test]
fn q12_version_1_error_is_one_string() {
    for (version, expected) in [
        (None, array(&["KeyError('x')".into()])),
        (Some(1), array(&["KeyError('x')".into()])),
        (Some(2), array(&["KeyError".into(), "x".into(), Value::Nil])),
        (Some(4), array(&["KeyError".into(), "x".into(), Value::Nil])),
    ] {
        let mut server = server();
        server.recv(old_header(version), "method", &array(&[]));
        let channel = server.accepted();
        server
            .mux
            .fail(channel, &RemoteError::new("KeyError", "x"), no_extra())
            .unwrap();
        assert_eq!(server.sent()[0].2, expected);
    }
}

#[test]
fn q12_heartbeats_of_old_peers_carry_credit() {
    for (version, credited) in [(None, true), (Some(2), true), (Some(3), false)] {
        let mut server = server();
        server.recv(old_header(version), "method", &array(&[]));
        let channel = server.accepted();
        server.mux.stream_item(channel, item(0)).unwrap();
        server.recv_on(&"id".into(), "_zpc_hb", &array(&[5.into()]));
        assert_eq!(server.mux.is_writable(channel), credited);
    }
}

#[test]
fn q12_credit_for_an_old_server_is_a_heartbeat() {
    let mut client = Scripted::client();
    let (channel, id) = client.open(&ChannelOptions::default());
    let old = map(&[
        ("message_id", 1.into()),
        ("v", 2.into()),
        ("response_to", id),
    ]);
    client.recv(old, "STREAM", &1.into());
    client.mux.consume(channel, 1).unwrap();
    let (_, name, args) = client.sent().remove(0);
    assert_eq!((name.as_str(), args), ("_zpc_hb", array(&[100.into()])));
}

#[test]
fn q15_nil_response_to_opens_a_channel() {
    let mut server = server();
    let nil = map(&[
        ("message_id", "id".into()),
        ("v", 3.into()),
        ("response_to", Value::Nil),
    ]);
    server.recv(nil, "method", &array(&[]));
    server.accepted();
}

#[test]
fn q15_unknown_header_keys_reach_middleware() {
    let mut server = server();
    let context = map(&[
        ("message_id", 1.into()),
        ("access_key", "s".into()),
        ("v", 3.into()),
    ]);
    server.recv(context, "method", &array(&[]));
    let Some(ChannelEvent::Request { header, .. }) = server.mux.poll_event() else {
        panic!("no request")
    };
    assert_eq!(header.extra.count(), 1);
    assert_eq!(header.extra.decode("access_key"), Ok(Some("s".to_owned())));
}

#[test]
fn q17_reply_without_id_and_version_is_accepted() {
    let mut client = Scripted::client();
    let (_, id) = client.open(&ChannelOptions::default());
    client.recv(map(&[("response_to", id)]), "OK", &array(&[1.into()]));
    assert!(matches!(client.events()[..], [ChannelEvent::Reply { .. }]));
}

#[test]
fn q17_request_without_id_is_malformed() {
    let mut server = server();
    let payload = Body::value(&(map(&[]), "method", ()))
        .unwrap()
        .into_encoded();
    let result = server.mux.handle_event(server.now, &"peer", payload);
    assert_eq!(result, Err(DecodeError::MissingMessageId));
    assert_eq!(
        (server.mux.stats().malformed, server.mux.channel_count()),
        (1, 0)
    );
}

#[test]
fn reply_to_the_string_form_of_a_binary_id_is_matched() {
    let mut client = Scripted::client();
    let (_, id) = client.open(&ChannelOptions::default());
    let text = Value::from(String::from_utf8(id.as_slice().unwrap().to_vec()).unwrap());
    client.recv_on(&text, "OK", &array(&[1.into()]));
    assert!(matches!(client.events()[..], [ChannelEvent::Reply { .. }]));
}

#[test]
fn q18_heartbeat_or_grant_may_open_a_channel() {
    for name in ["_zpc_hb", "_zpc_more"] {
        let mut server = server();
        server.recv(request_header(&"id".into()), name, &array(&[0.into()]));
        assert!(server.events().is_empty());
        server.recv_on(&"id".into(), "method", &array(&[]));
        let channel = server.accepted();
        server.sent();
        server.mux.reply(channel, Body::nil()).unwrap();
        let (head, name, _) = server.sent().remove(0);
        assert_eq!(
            (header(&head, "response_to"), name.as_str()),
            (Some("id".into()), "OK")
        );
    }
}

#[test]
fn b19_channel_that_never_gets_its_request_is_freed() {
    let mut server = server();
    server.recv(request_header(&"id".into()), "_zpc_hb", &array(&[0.into()]));
    for _ in 0..5 {
        server.advance(4 * SECOND);
        server.recv_on(&"id".into(), "_zpc_hb", &array(&[0.into()]));
    }
    assert_eq!(server.mux.channel_count(), 0);
    assert!(server.events().is_empty(), "nobody knew about it");
}

#[test]
fn q19_q24_events_for_unknown_channels_are_dropped_quietly() {
    let mut server = server();
    for name in ["_zpc_hb", "_zpc_more", "method", "OK"] {
        server.recv_on(&"nobody".into(), name, &array(&[1.into()]));
    }
    assert_eq!(server.mux.stats().unroutable, 4);
    assert!(server.events().is_empty() && server.sent().is_empty());
    let mut client = Scripted::client();
    client.recv(request_header(&"id".into()), "method", &array(&[]));
    assert_eq!(client.mux.stats().unroutable, 1);
}

#[test]
fn q21_peers_with_the_same_id_do_not_meet() {
    let mut server = server();
    let constant = request_header(&"deadbeef1234".into());
    server.recv_from("a", constant.clone(), "method", &array(&[]));
    server.recv_from("b", constant, "method", &array(&[]));
    let (first, second) = (server.accepted(), server.accepted());
    server.mux.reply(second, item(2)).unwrap();
    assert_eq!(server.poll_transmit().unwrap().peer, "b");
    server.mux.reply(first, item(1)).unwrap();
    assert_eq!(server.poll_transmit().unwrap().peer, "a");
}

#[test]
fn q21_peer_that_reuses_an_id_gives_up_its_former_call() {
    let mut server = server();
    let former = server.accept(&"constant".into());
    server.recv(request_header(&"constant".into()), "method", &array(&[]));
    let superseded = CloseReason::Superseded;
    let closed = server.mux.poll_event();
    assert!(
        matches!(&closed, Some(ChannelEvent::Closed { channel, reason }) if *channel == former && *reason == superseded)
    );
    let latter = server.accepted();
    assert!(server.mux.reply(former, Body::nil()).is_err());
    assert!(server.mux.reply(latter, Body::nil()).is_ok());
}

#[test]
fn b4_no_type_of_id_harms_the_server() {
    let mut server = server();
    server.recv_on(&array(&[map(&[])]), "method", &array(&[]));
    server.recv_on(&map(&[("a", array(&[]))]), "_zpc_hb", &Value::Nil);
    server.accept(&"id".into());
}

#[test]
fn q23_ok_without_result_is_nil_and_bare_result_is_itself() {
    for (args, expected) in [
        (array(&[]), Value::Nil),
        (Value::Nil, Value::Nil),
        (5.into(), 5.into()),
        (array(&[1.into(), 2.into()]), 1.into()),
        (
            array(&[array(&[1.into(), 2.into()])]),
            array(&[1.into(), 2.into()]),
        ),
    ] {
        let mut client = Scripted::client();
        let (_, id) = client.open(&ChannelOptions::default());
        client.recv_on(&id, "OK", &args);
        let Some(ChannelEvent::Reply { value, .. }) = client.mux.poll_event() else {
            panic!("no reply")
        };
        assert_eq!(crate::decode::<Value>(&value), Ok(expected));
    }
}

#[test]
fn event_that_is_no_reply_ends_the_call_with_its_name() {
    let mut client = Scripted::client();
    let (_, id) = client.open(&ChannelOptions::default());
    client.recv_on(&id, "WHAT", &array(&[]));
    let reason = CloseReason::UnexpectedEvent {
        name: "WHAT".into(),
    };
    assert!(
        matches!(&client.events()[..], [ChannelEvent::Closed { reason: r, .. }] if *r == reason)
    );

    let (_, id) = client.open(&ChannelOptions::default());
    client.recv_on(&id, "STREAM", &1.into());
    client.recv_on(&id, "OK", &array(&[1.into()]));
    let reason = CloseReason::UnexpectedEvent { name: "OK".into() };
    assert!(
        matches!(&client.events()[..], [_, ChannelEvent::Closed { reason: r, .. }] if *r == reason)
    );
}

#[test]
fn second_request_on_a_channel_is_ignored() {
    let mut server = server();
    server.accept(&"id".into());
    server.recv_on(&"id".into(), "method", &array(&[]));
    assert!(server.events().is_empty());
    assert_eq!(server.mux.stats().ignored, 1);
}
