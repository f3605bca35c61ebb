//! Conversations with libzmq 4.3.5 that were captured, whose random octets are known.

use super::party::{Party, body_of, capture, log, metadata, pair_of, public_key, waiting};
use crate::mechanism::{
    Authentication, Channel, CurveClient, CurveError, CurveServer, HandshakeError, MechanismConfig,
    Next,
};
use crate::message::More;
use crate::wire::frame::{FrameHeader, FrameKind};

/// The client whose secrets are all known.
fn client() -> (Party, Vec<Vec<u8>>) {
    let capture = capture("client");
    let key = |name: &str| capture["keys"][name].as_str().unwrap().to_owned();
    let conversation = &capture["mock_client_vs_libzmq_server"];
    let vouch_nonce = "564f5543484e4f4e43452d31362d6279";
    let config = CurveClient::new(public_key(&key("S")), pair_of(&key("c")));
    let unused = "00".repeat(32);
    let client = Party::new(MechanismConfig::CurveClient(config), "DEALER", 0)
        .with_metadata(metadata("DEALER", Some(b"")))
        .with_randomness(&[&key("cp"), &unused, vouch_nonce]);
    (client, log(conversation))
}

/// Splits frames into kinds and bodies.
fn frames(mut octets: &[u8]) -> Vec<(FrameKind, Vec<u8>)> {
    let mut frames = Vec::new();
    while let Ok(Some((header, header_len))) = FrameHeader::decode(octets) {
        let len = header_len + usize::try_from(header.body_len).unwrap();
        frames.push((header.kind, octets[header_len..len].to_vec()));
        octets = &octets[len..];
    }
    assert!(octets.is_empty());
    frames
}

fn open(channel: &mut Channel, frame: &[u8]) -> (FrameKind, Vec<u8>) {
    let mut frame = frame.to_vec();
    let kind = channel.open(&mut frame).unwrap();
    (kind, frame.split_off(Channel::OVERHEAD))
}

// CURVE-003, CURVE-011, CURVE-012, CURVE-013, CURVE-022, CURVE-028, CURVE-029, CURVE-031,
// CURVE-040, CURVE-041, CURVE-044, CURVE-049, ZCURVE-003, ZCURVE-005, INT-006
#[test]
fn client_says_what_was_captured_octet_by_octet() {
    let (mut client, log) = client();
    let state = client.start();
    assert_eq!(std::mem::take(&mut client.out), log[2], "HELLO");
    let state = waiting(client.handle(state, &body_of(&log[3])).unwrap());
    assert_eq!(std::mem::take(&mut client.out), log[4], "INITIATE");
    let Next::Done(done) = client.handle(state, &body_of(&log[5])).unwrap() else {
        panic!("handshake goes on");
    };
    assert_eq!(done.metadata.get("Socket-Type"), Some(&b"DEALER".into()));
    let mut channel = done.finish(&mut client.out).unwrap();
    assert!(client.out.is_empty());

    let mut sealed = Vec::new();
    let last = FrameKind::Message(More::Last);
    channel.seal(last, b"hello", &mut sealed).unwrap();
    assert_eq!(sealed, log[6], "MESSAGE");

    let received: Vec<_> = frames(&log[7])
        .into_iter()
        .map(|(outer, body)| {
            assert_eq!(outer, last);
            open(&mut channel, &body)
        })
        .collect();
    let more = FrameKind::Message(More::More);
    let expected = [
        (more, b"part1".to_vec()),
        (more, vec![]),
        (last, vec![b'z'; 300]),
    ];
    assert_eq!(received, expected);
}

// CURVE-064
#[test]
fn recorded_client_gets_no_further_than_its_hello() {
    let (_, log) = client();
    let [secret, _] = server_secrets();
    let config = CurveServer::new(pair_of(&secret), Authentication::NotRequired);
    let mut server = Party::new(MechanismConfig::CurveServer(config), "ROUTER", 9);
    let state = server.start();
    let state = waiting(server.handle(state, &body_of(&log[2])).unwrap());
    assert_eq!(server.said().len(), 168);
    let error = server.handle(state, &body_of(&log[4])).unwrap_err();
    assert_eq!(error, HandshakeError::Curve(CurveError::Cookie));
}

// CURVE-020, CURVE-024, CURVE-028, CURVE-029, CURVE-040, CURVE-042, ZCURVE-002, ZCURVE-003
#[test]
fn server_with_the_octets_of_the_capture_says_the_same_and_opens_what_libzmq_sent() {
    let capture = capture("server");
    let conversation = &capture["libzmq_client_vs_mock_server"];
    let log = log(conversation);
    let field = |name: &str| conversation[name].as_str().unwrap().to_owned();
    let [long_term, transient] = server_secrets();
    let config = CurveServer::new(pair_of(&long_term), Authentication::NotRequired);
    let mut server =
        Party::new(MechanismConfig::CurveServer(config), "ROUTER", 0).with_randomness(&[
            &transient,
            &field("cookie_key"),
            &field("welcome_nonce"),
            &field("cookie_nonce"),
        ]);
    let state = server.start();
    assert!(server.out.is_empty());
    // The greeting and HELLO came in one.
    let hello = body_of(&log[1][64..]);
    let state = waiting(server.handle(state, &hello).unwrap());
    // CURVE-023
    assert!(server.out.len() < hello.len());
    assert_eq!(std::mem::take(&mut server.out), log[2], "WELCOME");
    let Next::Done(done) = server.handle(state, &body_of(&log[3])).unwrap() else {
        panic!("handshake goes on");
    };
    assert_eq!(done.metadata, metadata("DEALER", Some(b"cli")));
    let mut channel = done.finish(&mut server.out).unwrap();
    assert_eq!(server.out, log[4], "READY");

    let received: Vec<_> = frames(&log[5])
        .into_iter()
        .map(|(_, body)| open(&mut channel, &body))
        .collect();
    let (more, last) = (More::More, More::Last);
    let [more, last] = [more, last].map(FrameKind::Message);
    assert_eq!(received, [(more, b"q1".to_vec()), (last, b"q2".to_vec())]);
    let mut sealed = Vec::new();
    channel.seal(last, b"reply", &mut sealed).unwrap();
    assert_eq!(sealed, log[6], "MESSAGE");
}

/// The long-term and the transient secret of the server in both captures.
fn server_secrets() -> [String; 2] {
    let keys = &capture("client")["keys"];
    ["s", "sp"].map(|name| keys[name].as_str().unwrap().to_owned())
}
