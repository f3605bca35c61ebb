//! Clients and servers of CURVE that have all the keys, and say with them what is not so.
//!
//! The boxes of the liars are made by hand, so that each lie is sealed as the truth would be.

use tests::bytes::{COMMAND, command, command_body, error, frame, message, ping, pong, property};
use tests::raw_curve::{self, RawCurveClient, RawCurveServer, public_key};
use tests::raw_peer::RawPeer;
use tests::victim::Victim;
use tokio::net::TcpListener;
use zmtp::authenticator::AnyKey;
use zmtp::{PushSocket, Socket};

use super::reconnects::{Comes, QUIET};
use super::victim::{
    CLIENT_SECRET, Healthy, LITTLE, SERVER_SECRET, client_pair, plan, server_pair, start,
};

/// The key of somebody else.
const STRANGER: raw_curve::Key = [0x66; 32];

async fn healthy_client(victim: &Victim) -> Healthy {
    let client = PushSocket::builder().curve_client(server_pair().public_key(), client_pair());
    Healthy::connect_as(client, victim).await
}

fn honest() -> RawCurveClient {
    RawCurveClient::new(CLIENT_SECRET, public_key(&SERVER_SECRET), "PUSH")
}

/// How a client changes what it says.
type Lie = (&'static str, fn(&mut RawCurveClient));

/// CURVE-011, CURVE-012, CURVE-014, CURVE-015, CURVE-016, CURVE-017: O2 to O7, O10 to O14.
#[tokio::test]
async fn a_hello_that_lies_gets_no_welcome() {
    let lies: [Lie; 14] = [
        ("padding, first octet", |it| it.padding[0] = 1),
        ("padding, last octet", |it| it.padding[71] = 1),
        ("no zeros in the box", |it| it.zeros[63] = 1),
        ("version 1.1", |it| it.version = [1, 1]),
        ("version 2.0", |it| it.version = [2, 0]),
        ("199 octets", |it| it.padding.truncate(71)),
        ("201 octets", |it| it.padding.push(0)),
        ("a short box", |it| it.zeros.truncate(63)),
        ("for another server", |it| it.server = public_key(&STRANGER)),
        ("by another key", |it| it.transient = STRANGER),
        ("with another key", |it| {
            it.shown_transient = public_key(&STRANGER);
        }),
        ("as a message", |it| it.hello_flags = 0),
        ("by another name", |it| it.names[0] = "HELLX"),
        ("by the next name", |it| it.names[0] = "INITIATE"),
    ];
    let victim = start("CURVE server").await;
    let mut healthy = healthy_client(&victim).await;
    for (name, lie) in lies {
        let mut client = honest();
        lie(&mut client);
        let mut peer = RawPeer::connect(victim.address()).await.unwrap();
        peer.send(&raw_curve::client_greeting()).await.unwrap();
        peer.recv_greeting().await.unwrap();
        peer.send(&client.hello()).await.unwrap();
        let said = peer.recv_until_closed().await;
        assert_eq!(said.ok(), Some(Vec::new()), "{name}");
        healthy.exchange(&victim).await;
    }
    let acts = lies.len();
    victim
        .conclude("a HELLO that lies", LITTLE, acts, healthy)
        .await;
}

/// CURVE-028, CURVE-031, CURVE-032, CURVE-033, CURVE-034, CURVE-035: P2 to P10.
///
/// A vouch is what binds the key of the client to its connection: by somebody else, for somebody else,
/// for another connection or for another server, it must not let anybody in.
#[tokio::test]
async fn a_vouch_that_is_wrong_lets_nobody_in() {
    let lies: [Lie; 17] = [
        ("vouch by a stranger", |it| it.voucher = STRANGER),
        ("key of somebody else", |it| {
            it.shown = public_key(&STRANGER);
        }),
        ("vouch for another connection", |it| {
            it.vouched_transient = public_key(&STRANGER);
        }),
        ("vouch for another server", |it| {
            it.vouched_server = public_key(&STRANGER);
        }),
        ("vouch for nobody", |it| it.vouched_server = [0; 32]),
        ("vouch by the key of the connection", |it| {
            it.voucher = it.transient;
        }),
        ("no key", |it| it.shown = [0; 32]),
        ("key of the server", |it| it.shown = it.server),
        ("cookie, its nonce", |it| {
            it.cookie = |cookie| cookie[0] ^= 1;
        }),
        ("cookie, its box", |it| it.cookie = |cookie| cookie[95] ^= 1),
        ("a short cookie", |it| {
            it.cookie = |cookie| cookie.truncate(95);
        }),
        ("a nonce that was used", |it| it.initiate_nonce = 1),
        ("a nonce before all", |it| it.initiate_nonce = 0),
        ("a nonce after the last", |it| {
            it.hello_nonce = u64::MAX;
            it.initiate_nonce = u64::MAX;
        }),
        ("metadata cut", |it| it.metadata.truncate(19)),
        ("more than metadata", |it| it.metadata.push(0)),
        ("by another name", |it| it.names[1] = "INITIALS"),
    ];
    let victim = start("CURVE server").await;
    let mut healthy = healthy_client(&victim).await;
    for (name, lie) in lies {
        let mut client = honest();
        lie(&mut client);
        let mut peer = RawPeer::connect(victim.address()).await.unwrap();
        client.introduce(&mut peer).await.unwrap();
        // What it would say, were it let in.
        let _ = peer.send(&client.message(3, 0, b"got in")).await;
        let said = peer.recv_until_closed().await;
        assert_eq!(said.ok(), Some(Vec::new()), "{name}: no READY");
        healthy.exchange(&victim).await;
    }
    assert_eq!(victim.all_said("got got in"), [""; 0]);
    let acts = lies.len();
    victim
        .conclude("an INITIATE that lies", LITTLE, acts, healthy)
        .await;
}

/// CURVE-032: O8, and a vouch that was recorded: that of a client whose connection went on.
#[tokio::test]
async fn an_honest_client_is_let_in_and_its_vouch_only_once() {
    let victim = start("CURVE server").await;
    let mut healthy = healthy_client(&victim).await;
    let mut client = honest();
    client.hello_nonce = 0;
    client.initiate_nonce = u64::MAX - 7;
    let mut peer = RawPeer::connect(victim.address()).await.unwrap();
    client.shake_hands(&mut peer).await.unwrap();
    let sealed = client.message(u64::MAX, 0, b"with the last nonce");
    peer.send(&sealed).await.unwrap();
    victim.said("got with the last nonce").await.unwrap();

    // The same keys on another connection, and the vouch of the first.
    let mut replay = RawPeer::connect(victim.address()).await.unwrap();
    let mut other = honest();
    other.recorded_vouch = Some(client.vouch());
    other.introduce(&mut replay).await.unwrap();
    assert_eq!(replay.recv_until_closed().await.unwrap(), b"");
    assert_ne!(other.server_transient, client.server_transient);
    healthy.exchange(&victim).await;
    victim.conclude("a vouch again", LITTLE, 1, healthy).await;
}

/// What a client that was let in sends, and how it is answered.
type Message = (&'static str, fn(&RawCurveClient) -> Vec<u8>);

/// CURVE-003, CURVE-044, CURVE-047, CURVE-048, CURVE-050, CURVE-052: N2, N4 to N9, N12 to N14, N16, N17.
#[tokio::test]
async fn a_message_that_lies_ends_the_connection() {
    let lies: [Message; 17] = [
        ("outer MORE", |it| flagged(1, &it.message(4, 0, b"lie"))),
        ("outer reserved flag", |it| {
            flagged(8, &it.message(4, 0, b"lie"))
        }),
        ("an equal nonce", |it| it.message(3, 0, b"lie")),
        ("the nonce of INITIATE", |it| it.message(2, 0, b"lie")),
        ("the nonce of HELLO", |it| it.message(1, 0, b"lie")),
        ("no nonce", |it| it.message(0, 0, b"lie")),
        ("all reserved flags", |it| it.message(4, 0xf0, b"lie")),
        ("the flag of a command in a frame", |it| {
            it.message(4, 4, &command_body("PING", &[0, 0]))
        }),
        ("a command with MORE", |it| {
            it.message(4, 3, &command_body("PING", &[0, 0]))
        }),
        ("a PING in the clear", |_| ping(0, b"")),
        ("a message in the clear", |_| message(&[b"lie"])),
        ("ERROR in the clear", |_| error("400")),
        ("HELLO again", RawCurveClient::hello),
        ("no flags", |it| {
            let sealed = it.message(4, 0, b"");
            frame(0, &sealed[2..sealed.len() - 1])
        }),
        ("another tag", |it| {
            changed(it.message(4, 0, b"lie"), 2 + 16)
        }),
        ("another body", |it| {
            changed(it.message(4, 0, b"lie"), 2 + 33)
        }),
        ("another name", |it| {
            changed(it.message(4, 0, b"lie"), 2 + 3)
        }),
    ];
    let victim = start("CURVE server").await;
    let mut healthy = healthy_client(&victim).await;
    for (name, lie) in lies {
        let mut client = honest();
        let mut peer = RawPeer::connect(victim.address()).await.unwrap();
        client.shake_hands(&mut peer).await.unwrap();
        let octets = [client.message(3, 0, b"the truth"), lie(&client)].concat();
        peer.send(&octets).await.unwrap();
        let said = peer.recv_until_closed().await;
        assert_eq!(said.ok(), Some(Vec::new()), "{name}");
        healthy.exchange(&victim).await;
    }
    assert_eq!(victim.all_said("got the truth").len(), lies.len());
    assert_eq!(victim.all_said("got lie"), [""; 0]);
    let acts = lies.len();
    victim
        .conclude("a MESSAGE that lies", LITTLE, acts, healthy)
        .await;
}

/// CURVE-003: N8, in a test of its own because it takes the box of the other direction.
#[tokio::test]
async fn a_message_of_the_other_direction_ends_the_connection() {
    let victim = start("CURVE server").await;
    let mut healthy = healthy_client(&victim).await;
    let mut client = honest();
    let mut peer = RawPeer::connect(victim.address()).await.unwrap();
    client.shake_hands(&mut peer).await.unwrap();
    // An answer of the server is sent back to it.
    let ping = command_body("PING", b"\0\0context");
    peer.send(&client.message(3, 2, &ping)).await.unwrap();
    let answer = loop {
        let answer = peer.recv_frame().await.unwrap();
        let inside = client.open(&answer.body).unwrap();
        // Heartbeats of the server may come before.
        if inside[1..].starts_with(b"\x04PONG") {
            // N11: sealed as the PING was.
            assert_eq!([&[2], &pong(b"context")[2..]].concat(), inside);
            break answer;
        }
    };
    peer.send(&frame(0, &answer.body)).await.unwrap();
    peer.recv_until_closed().await.unwrap();
    healthy.exchange(&victim).await;
    victim
        .conclude("a MESSAGE sent back", LITTLE, 1, healthy)
        .await;
}

/// CURVE-044, CURVE-046, CURVE-050: N1, N3, N10, N15.
#[tokio::test]
async fn what_is_unusual_in_a_message_is_no_lie() {
    let victim = start("CURVE server").await;
    let mut healthy = healthy_client(&victim).await;
    let mut client = honest();
    let mut peer = RawPeer::connect(victim.address()).await.unwrap();
    client.shake_hands(&mut peer).await.unwrap();
    let octets = [
        flagged(COMMAND, &client.message(3, 0, b"outer command")),
        client.message(1000, 0, b"after a gap"),
        client.message(1001, 0, b""),
        client.message(1002, 1, b"part"),
        client.message(1003, 0, b""),
        client.message(1004, 2, &command_body("FOO", b"nobody knows")),
        client.message(1005, 0, b"the end"),
    ];
    peer.send(&octets.concat()).await.unwrap();
    victim.said("got the end").await.unwrap();
    for text in ["got outer command", "got after a gap"] {
        assert_eq!(victim.all_said(text).len(), 1, "{text}");
    }
    assert!(victim.all_said("got ").contains(&String::new()));
    healthy.exchange(&victim).await;
    victim
        .conclude("unusual messages", LITTLE, 0, healthy)
        .await;
}

/// CURVE-035, ZMTP31-077: N18. No metadata are legal metadata, which do not say what is at the other end.
#[tokio::test]
async fn a_client_without_metadata_does_not_say_what_it_is_and_is_not_let_in() {
    let victim = start("CURVE server").await;
    let mut healthy = healthy_client(&victim).await;
    let mut client = honest();
    client.metadata.clear();
    let mut peer = RawPeer::connect(victim.address()).await.unwrap();
    client.introduce(&mut peer).await.unwrap();
    // What it would say, were it let in.
    let _ = peer.send(&client.message(3, 0, b"got in")).await;
    assert_eq!(peer.recv_until_closed().await.unwrap(), b"", "no READY");
    assert_eq!(victim.all_said("got got in"), [""; 0]);
    healthy.exchange(&victim).await;
    let warnings = victim
        .conclude("an INITIATE without metadata", LITTLE, 1, healthy)
        .await;
    assert!(warnings[0].contains("no socket type"), "{warnings:?}");
}

/// How a server goes on when its client has said all it has to.
type Answer = (&'static str, Comes, fn(&mut RawCurveServer) -> Vec<u8>);

const ANSWERS: [Answer; 15] = [
    ("ERROR 400", Comes::NoMore, |_| error("400")),
    ("ERROR in words", Comes::NoMore, |_| error("nope")),
    ("ERROR without a reason", Comes::NoMore, |_| error("")),
    ("ERROR cut", Comes::NoMore, |_| command("ERROR", b"\x09no")),
    ("metadata cut", Comes::NoMore, |it| {
        it.metadata.pop();
        it.ready()
    }),
    ("no metadata", Comes::NoMore, |it| {
        it.metadata.clear();
        it.ready()
    }),
    ("another socket type", Comes::NoMore, |it| {
        it.metadata = property("Socket-Type", b"PUB");
        it.ready()
    }),
    ("READY in the clear", Comes::NoMore, |it| {
        command("READY", &it.metadata)
    }),
    ("the nonce of READY", Comes::Again, |it| {
        [it.ready(), it.message(1, 0, b"lie")].concat()
    }),
    ("no nonce", Comes::Again, |it| {
        [it.ready(), it.message(0, 0, b"lie")].concat()
    }),
    ("outer MORE", Comes::Again, |it| {
        [it.ready(), flagged(1, &it.message(2, 0, b"lie"))].concat()
    }),
    ("reserved flags", Comes::Again, |it| {
        [it.ready(), it.message(2, 0xf0, b"lie")].concat()
    }),
    ("a message in the clear", Comes::Again, |it| {
        [it.ready(), message(&[b"lie"])].concat()
    }),
    ("a PING in the clear", Comes::Again, |it| {
        [it.ready(), ping(0, b"")].concat()
    }),
    ("ERROR after READY", Comes::Again, |it| {
        [it.ready(), error("400")].concat()
    }),
];

/// CURVE-041, CURVE-043, CURVE-047, CURVE-050, CURVE-059, CURVE-060: Q2, S1 to S4, and what the other
/// direction has of N2, N4, N9, N12 to N14 and N18.
#[tokio::test]
async fn a_server_with_the_right_key_that_lies_is_left() {
    let healthy = PushSocket::builder()
        .curve_server(server_pair())
        .authenticator(AnyKey)
        .build();
    let bound = healthy.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut addresses = vec![crate::suite::address(&bound)];
    let mut listeners = Vec::new();
    for _ in &ANSWERS {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.push(listener.local_addr().unwrap());
        listeners.push(listener);
    }
    let plan = plan("CURVE client").connecting_to(&addresses);
    let victim = plan.start().await.unwrap();
    let mut healthy = Healthy::attach(healthy, &victim).await;
    let mut reformed = Vec::new();
    for (listener, (name, comes, answer)) in listeners.iter().zip(ANSWERS) {
        let mut peer = RawPeer::accept(listener).await.unwrap();
        let mut server = RawCurveServer::new(SERVER_SECRET, "PUSH");
        server.welcome(&mut peer).await.unwrap();
        let octets = answer(&mut server);
        peer.send(&octets).await.unwrap();
        peer.recv_until_closed().await.unwrap();
        drop(peer);
        let window = match comes {
            Comes::Again => tests::raw_peer::PATIENCE,
            Comes::NoMore => QUIET,
        };
        let again = tokio::time::timeout(window, RawPeer::accept(listener)).await;
        assert_eq!(again.is_ok(), comes == Comes::Again, "{name}");
        if let Ok(peer) = again {
            // From now on it tells the truth.
            let mut peer = peer.unwrap();
            let mut server = RawCurveServer::new(SERVER_SECRET, "PUSH");
            server.welcome(&mut peer).await.unwrap();
            peer.send(&server.ready()).await.unwrap();
            reformed.push(peer);
        }
        healthy.exchange(&victim).await;
    }
    assert_eq!(victim.all_said("got lie"), [""; 0]);
    let acts = ANSWERS.len();
    victim
        .conclude("a server that lies", LITTLE, acts, healthy)
        .await;
}

/// CURVE-042: Q3 and Q4, a server may begin with any nonce.
#[tokio::test]
async fn a_server_may_begin_to_count_anywhere() {
    let healthy = PushSocket::builder()
        .curve_server(server_pair())
        .authenticator(AnyKey)
        .build();
    let bound = healthy.bind("tcp://127.0.0.1:*").await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addresses = [
        crate::suite::address(&bound),
        listener.local_addr().unwrap(),
    ];
    let plan = plan("CURVE client").connecting_to(&addresses);
    let victim = plan.start().await.unwrap();
    let healthy = Healthy::attach(healthy, &victim).await;
    for first in [0, 7] {
        let mut peer = RawPeer::accept(&listener).await.unwrap();
        let mut server = RawCurveServer::new(SERVER_SECRET, "PUSH");
        server.ready_nonce = first;
        server.welcome(&mut peer).await.unwrap();
        let text = format!("from {first} on");
        let octets = [
            server.ready(),
            server.message(first + 1, 0, text.as_bytes()),
        ];
        peer.send(&octets.concat()).await.unwrap();
        victim.said(&format!("got {text}")).await.unwrap();
    }
    victim
        .conclude("other first nonces", LITTLE, 0, healthy)
        .await;
}

/// The frame with these flags instead of its own.
fn flagged(flags: u8, sealed: &[u8]) -> Vec<u8> {
    [&[flags], &sealed[1..]].concat()
}

fn changed(mut octets: Vec<u8>, at: usize) -> Vec<u8> {
    octets[at] ^= 1;
    octets
}
