//! Subscriptions in both forms, both ways.

use crate::message::{Frame, Message, Part};
use crate::pattern::SocketType;
use crate::session::tests::pair::Pair;
use crate::session::tests::peer::{Scripted, V3_0, V3_1, command, frame, greeting, ready};
use crate::session::{Event, SessionConfig, Side};

fn open(ours: SocketType, version: [u8; 2], theirs: SocketType) -> Scripted {
    Scripted::open(SessionConfig::new(ours, Side::Connector), version, theirs)
}

fn subscribe(topic: impl Into<Part>) -> Event {
    Event::Subscribe(topic.into())
}

fn cancel(topic: impl Into<Part>) -> Event {
    Event::Cancel(topic.into())
}

// ZMTP31-032, ZMTP31-106, ZMTP31-107, ZMTP31-108, ZMTP31-115
#[test]
fn peers_of_3_1_and_later_get_commands() {
    for version in [V3_1, [3, 2], [4, 0]] {
        let mut scripted = open(SocketType::Sub, version, SocketType::Pub);
        scripted.session.subscribe(b"A");
        assert_eq!(scripted.sent(), b"\x04\x0b\x09SUBSCRIBEA");
        scripted.session.cancel(b"A");
        assert_eq!(scripted.sent(), b"\x04\x08\x06CANCELA");
        for len in [0, 1, 244, 245, 246, 248, 249, 255, 256, 70_000] {
            let topic = vec![0; len];
            scripted.session.subscribe(&topic);
            scripted.session.cancel(&topic);
            let expected = [command("SUBSCRIBE", &topic), command("CANCEL", &topic)];
            assert_eq!(scripted.sent(), expected.concat());
        }
    }
}

// ZMTP30-008, ZMTP30-009, ZMTP30-010, ZMTP30-012, ZMTP31-108
#[test]
fn peers_of_3_0_get_messages() {
    let mut scripted = open(SocketType::XSub, V3_0, SocketType::XPub);
    scripted.session.subscribe(b"A");
    assert_eq!(scripted.sent(), b"\x00\x02\x01A");
    scripted.session.cancel(b"A");
    assert_eq!(scripted.sent(), b"\x00\x02\x00A");
    scripted.session.subscribe(b"");
    assert_eq!(scripted.sent(), b"\x00\x01\x01");
    for len in [253, 254, 255, 256, 257] {
        let topic = vec![b't'; len];
        scripted.session.subscribe(&topic);
        let expected = frame(0, &[b"\x01", &topic[..]].concat());
        assert_eq!(scripted.sent(), expected);
    }
}

// ZMTP31-109, ZMTP31-111, ZMTP31-114, ZMTP30-011, PUBSUB-010, PUBSUB-026
#[test]
fn publishers_take_both_forms_from_everybody() {
    for publisher in [SocketType::Pub, SocketType::XPub] {
        for version in [V3_0, V3_1] {
            let mut scripted = open(publisher, version, SocketType::Sub);
            let octets = [
                command("SUBSCRIBE", b"A"),
                frame(0, b"\x01A"),
                command("CANCEL", b"A"),
                frame(0, b"\x00A"),
                command("SUBSCRIBE", b""),
                frame(0, b"\x01"),
            ];
            assert_eq!(
                scripted.feed(&octets.concat()),
                Ok(vec![
                    subscribe("A"),
                    subscribe("A"),
                    cancel("A"),
                    cancel("A"),
                    subscribe(""),
                    subscribe(""),
                ])
            );
        }
    }
}

// ZMTP31-109
#[test]
fn sockets_that_publish_nothing_take_neither_form() {
    for (ours, theirs) in [
        (SocketType::Push, SocketType::Pull),
        (SocketType::Scatter, SocketType::Gather),
        (SocketType::Pull, SocketType::Push),
        (SocketType::Dealer, SocketType::Router),
    ] {
        let mut scripted = open(ours, V3_1, theirs);
        let octets = [command("SUBSCRIBE", b"A"), command("CANCEL", b"A")];
        assert_eq!(scripted.feed(&octets.concat()), Ok(vec![]), "{ours}");
    }
}

// ZMTP31-115
#[test]
fn topics_of_any_octets_and_length_arrive() {
    const LONG: usize = if cfg!(miri) { 1000 } else { 70_000 };
    let mut scripted = open(SocketType::Pub, V3_1, SocketType::Sub);
    for len in [0, 1, 37, 38, 39, 245, 246, 255, 256, LONG] {
        let topic: Vec<u8> = (0..=u8::MAX).cycle().take(len).collect();
        let as_command = scripted.feed(&command("SUBSCRIBE", &topic));
        assert_eq!(as_command, Ok(vec![subscribe(topic.clone())]));
        let as_message = scripted.feed(&frame(0, &[b"\x01", &topic[..]].concat()));
        assert_eq!(as_message, Ok(vec![subscribe(topic)]));
    }
}

// ZMTP30-011, PUBSUB-004, PUBSUB-025
#[test]
fn other_messages_are_nobodys_at_pub_and_the_applications_at_xpub() {
    let octets = [
        frame(0, b"\x02junk"),
        frame(0, b""),
        frame(1, b"parts"),
        frame(0, b"\x01parts"),
        frame(0, b"\x01A"),
    ]
    .concat();
    let mut publisher = open(SocketType::Pub, V3_1, SocketType::Sub);
    assert_eq!(publisher.feed(&octets), Ok(vec![subscribe("A")]));
    let mut publisher = open(SocketType::XPub, V3_1, SocketType::XSub);
    assert_eq!(
        publisher.feed(&octets),
        Ok(vec![
            Event::Frame(Frame::last("\x02junk")),
            Event::Frame(Frame::last("")),
            Event::Frame(Frame::more("parts")),
            Event::Frame(Frame::last("\x01parts")),
            subscribe("A"),
        ])
    );
}

// PUBSUB-027
#[test]
fn parts_are_subscriptions_up_to_the_first_that_is_none() {
    let octets = [
        frame(1, b"\x01A"),
        frame(1, b"\x00B"),
        frame(1, b"parts"),
        frame(0, b"\x01C"),
        frame(1, b"\x01D"),
        frame(0, b"\x01E"),
    ]
    .concat();
    let told = [subscribe("A"), cancel("B"), subscribe("D"), subscribe("E")];
    let mut publisher = open(SocketType::Pub, V3_1, SocketType::Sub);
    assert_eq!(publisher.feed(&octets), Ok(told.to_vec()));
    let mut publisher = open(SocketType::XPub, V3_1, SocketType::XSub);
    let [a, b, d, e] = told;
    let message = [Frame::more("parts"), Frame::last("\x01C")].map(Event::Frame);
    let expected = [a, b].into_iter().chain(message).chain([d, e]).collect();
    assert_eq!(publisher.feed(&octets), Ok(expected));
}

// ZMTP30-002, ZMTP31-017
#[test]
fn peer_of_3_0_is_welcome() {
    let mut scripted = Scripted::new(SocketType::Pub);
    let octets = [
        greeting(V3_0),
        ready(SocketType::Sub, &[]),
        frame(0, b"\x01A"),
    ];
    assert_eq!(
        scripted.feed(&octets.concat()),
        Ok(vec![Event::Established, subscribe("A")])
    );
}

// PUBSUB-062
#[test]
fn subscriber_may_be_either_side() {
    for (connector, listener) in [
        (SocketType::Sub, SocketType::Pub),
        (SocketType::Pub, SocketType::Sub),
    ] {
        let mut pair = Pair::new(connector, listener);
        pair.drive();
        let (subscriber, publisher) = match connector {
            SocketType::Sub => (&mut pair.connector, &pair.listener),
            _ => (&mut pair.listener, &pair.connector),
        };
        assert_eq!(publisher.events, [Event::Established]);
        subscriber.session.subscribe(b"topic");
        subscriber.session.cancel(b"topic");
        pair.drive();
        let publisher = match connector {
            SocketType::Sub => &pair.listener,
            _ => &pair.connector,
        };
        assert_eq!(publisher.events[1..], [subscribe("topic"), cancel("topic")]);
    }
}

// ZMTP31-052
#[test]
fn published_messages_reach_the_subscriber_unchanged() {
    let mut pair = Pair::new(SocketType::XSub, SocketType::XPub);
    pair.drive();
    let message = Message::from([&b"\x01topic"[..], b"", b"\x00"]);
    pair.listener.send(&message);
    pair.listener.send(&Message::from(b"\x01"));
    pair.drive();
    let received = super::peer::messages(&pair.connector.events);
    assert_eq!(received, [message, Message::from(b"\x01")]);
}
