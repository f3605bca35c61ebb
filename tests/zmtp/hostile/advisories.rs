//! The inputs of libzmq's published advisories.
//!
//! Each test does what the advisory says an attacker does, and a little more of the same kind.

use tests::bytes::{
    COMMAND, MORE, claim, command, frame, greeting, greeting_with_mechanism, message, ready,
};
use tests::raw_peer::RawPeer;
use tokio::net::TcpListener;
use tokio::time::timeout;
use zmtp::authenticator::{AnyKey, Passwords};
use zmtp::{PushSocket, Socket};

use super::honest::{Honest, Mechanism};
use super::reconnects::QUIET;
use super::victim::{
    Healthy, LITTLE, Listener, PASSWORD, Side, Target, client_pair, plan, server_pair, start,
};

async fn curve_client(victim: &tests::victim::Victim) -> Healthy {
    let client = PushSocket::builder().curve_client(server_pair().public_key(), client_pair());
    Healthy::connect_as(client, victim).await
}

/// Greetings of other versions and mechanisms, with a message behind each in its own framing.
fn downgrades() -> Vec<Vec<u8>> {
    let hello = message(&[b"downgraded"]);
    let unversioned = [&[1, 0][..], b"\x0b\0downgraded"].concat();
    let v2 = |revision| [&b"\xff\0\0\0\0\0\0\0\x01\x7f"[..], &[revision, 8, 0, 0]].concat();
    let v3 = |mechanism: &[u8]| {
        let greeting = greeting_with_mechanism(3, 0, mechanism);
        [greeting, ready("PUSH"), hello.clone()].concat()
    };
    let mut of_server = v3(b"NULL");
    of_server[32] = 1;
    vec![
        unversioned,
        [v2(0), hello.clone(), vec![0; 64]].concat(),
        [v2(1), hello.clone(), vec![0; 64]].concat(),
        [v2(2), hello.clone(), vec![0; 64]].concat(),
        v3(b"NULL"),
        v3(b"PLAIN"),
        v3(b""),
        v3(b"CURVE\0X"),
        of_server,
    ]
}

/// CVE-2014-7202: whoever is in between says that he speaks an older version, which has no CURVE.
///
/// ZMTP31-008, ZMTP31-018, ZCURVE-007.
#[tokio::test]
async fn cve_2014_7202_an_older_greeting_is_no_way_around_curve() {
    let victim = start("CURVE server").await;
    let mut healthy = curve_client(&victim).await;
    let downgrades = downgrades();
    for octets in &downgrades {
        let mut peer = RawPeer::connect(victim.address()).await.unwrap();
        let _ = peer.send(octets).await;
        let said = peer.recv_until_closed().await.unwrap();
        assert!(said.len() <= 64, "no more than a greeting: {said:x?}");
        healthy.exchange(&victim).await;
    }
    assert!(victim.all_said("got downgraded").is_empty());
    victim
        .conclude("downgrade of a server", LITTLE, downgrades.len(), healthy)
        .await;
}

/// CVE-2014-7202, in the other role: the client says nothing to such a server, and does not ask it
/// again. R4, R12 and R13 of the reconnections that libzmq makes.
///
/// ZMTP31-008, ZMTP31-082, INT-033.
#[tokio::test]
async fn cve_2014_7202_an_older_greeting_gets_nothing_from_a_client_of_curve() {
    for role in ["CURVE client", "PLAIN client"] {
        let server = PushSocket::builder();
        let server = if role == "CURVE client" {
            server.curve_server(server_pair()).authenticator(AnyKey)
        } else {
            let mut passwords = Passwords::new();
            passwords.insert("admin", PASSWORD).unwrap();
            server.plain_server().authenticator(passwords)
        };
        let server = server.build();
        let bound = server.bind("tcp://127.0.0.1:*").await.unwrap();
        let mut addresses = vec![crate::suite::address(&bound)];
        let mut downgrades = downgrades();
        downgrades.retain(|octets| !octets[12..].starts_with(&role.as_bytes()[..5]));
        let mut listeners = Vec::new();
        for _ in &downgrades {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            addresses.push(listener.local_addr().unwrap());
            listeners.push(listener);
        }
        let plan = plan(role).connecting_to(&addresses);
        let victim = plan.start().await.unwrap();
        let mut healthy = Healthy::attach(server, &victim).await;
        for (listener, octets) in listeners.iter().zip(&downgrades) {
            let mut peer = RawPeer::accept(listener).await.unwrap();
            let _ = peer.send(octets).await;
            let said = peer.recv_until_closed().await.unwrap();
            assert!(said.len() <= 64, "{role}: {said:x?}");
            drop(peer);
            let again = timeout(QUIET, listener.accept()).await;
            assert!(again.is_err(), "{role}: it comes again to {octets:x?}");
            healthy.exchange(&victim).await;
        }
        let acts = downgrades.len();
        victim.conclude(role, LITTLE, acts, healthy).await;
    }
}

/// CVE-2014-7203: nonces that were not checked let messages be sent again.
///
/// CURVE-050.
#[tokio::test]
async fn cve_2014_7203_a_message_that_is_sent_again_is_not_delivered_again() {
    let victim = start("CURVE server").await;
    let mut healthy = curve_client(&victim).await;
    let mut acts = 0;
    // The first and the second message; what is sent of them, and how many of them may arrive.
    for (name, order, delivered) in [
        ("again", &[0, 0][..], 1),
        ("again, later", &[0, 1, 0], 2),
        ("the other way round", &[1, 0], 1),
    ] {
        let peer = RawPeer::connect(victim.address()).await.unwrap();
        let mut client = Honest::new(peer, Mechanism::CurveClient);
        client.shake_hands().await.unwrap();
        let messages = [0, 1].map(|at| client.seal(format!("{name}: {at}").as_bytes()));
        let octets: Vec<u8> = order.iter().flat_map(|at| messages[*at].clone()).collect();
        client.peer.send(&octets).await.unwrap();
        client.peer.recv_until_closed().await.unwrap();
        healthy.exchange(&victim).await;
        let got = victim.all_said(&format!("got {name}: "));
        assert_eq!(got.len(), delivered, "{name}: {got:?}");
        drop(client);
        acts += 1;
        victim.until_warned(acts).await.unwrap();
    }
    let what = "messages of CURVE sent again";
    let warnings = victim.conclude(what, LITTLE, acts, healthy).await;
    for warning in warnings {
        assert!(warning.contains("nonce"), "{warning}");
    }
}

/// CVE-2019-6250: the size of a frame was added to a pointer, and compared afterwards.
///
/// ZMTP31-035, ZMTP31-036.
#[tokio::test]
async fn cve_2019_6250_a_size_close_to_all_of_memory_ends_the_connection() {
    for side in [Side::Connects, Side::Listens] {
        let target = Target::start("pull", side).await;
        let mut healthy = Healthy::connect(&target.victim).await;
        let sizes: Vec<u64> = (0..20)
            .map(|below| u64::MAX - below * 8)
            .chain([47, 48, 52, 56, 63].map(|bit| 1 << bit))
            .chain([u64::from(u32::MAX), (1 << 63) - 1])
            .collect();
        for (number, size) in sizes.iter().enumerate() {
            let mut peer = target.attacker().await;
            // Behind the head the attacker put what was to be jumped to.
            let kind = if number % 2 == 0 { 0 } else { COMMAND };
            let first = if number % 3 == 0 {
                frame(MORE, b"first")
            } else {
                Vec::new()
            };
            let octets = [first, claim(kind, *size), vec![0x41; 500]].concat();
            let _ = peer.send(&octets).await;
            assert_eq!(peer.recv_until_closed().await.unwrap(), b"", "{size}");
        }
        healthy.exchange(&target.victim).await;
        let what = "sizes close to 2^64";
        target
            .victim
            .conclude(what, LITTLE, sizes.len(), healthy)
            .await;
    }
}

/// CVE-2019-13132: the metadata of an INITIATE were copied to where there was no room for them.
///
/// CURVE-032, CURVE-035, INT-021.
#[tokio::test]
async fn cve_2019_13132_metadata_of_any_length_in_an_initiate_are_read_or_refused() {
    let victim = start("CURVE server").await;
    let mut healthy = curve_client(&victim).await;
    let mut refused = 0;
    for len in [
        0, 100, 129, 256, 257, 300, 2000, 7000, 8000, 9000, 60_000, 500_000,
    ] {
        let peer = RawPeer::connect(victim.address()).await.unwrap();
        let mut client = Honest::with_config(peer, Mechanism::CurveClient, |config| {
            config.metadata.insert("X-long", vec![7; len]).unwrap();
        });
        if len <= 7000 {
            client.shake_hands().await.unwrap();
            let text = format!("metadata of {len}");
            let sealed = client.seal(text.as_bytes());
            client.peer.send(&sealed).await.unwrap();
            victim.said(&format!("got {text}")).await.unwrap();
        } else if client.shake_hands().await.is_err() || len > 8192 {
            let _ = client.peer.recv_until_closed().await;
            refused += 1;
        }
        healthy.exchange(&victim).await;
    }
    assert!(refused >= 3, "{refused}");
    let what = "INITIATE with long metadata";
    victim.conclude(what, LITTLE, refused, healthy).await;
}

/// CVE-2020-15166: a connection without a handshake was a peer, and the socket waited for it.
///
/// INT-030, ZMTP31-153.
#[tokio::test]
async fn cve_2020_15166_raw_connections_stop_no_message_of_others() {
    let victim = start("CURVE server").await;
    let mut healthy = curve_client(&victim).await;
    let mut raw = Vec::new();
    for said in [
        &b""[..],
        b"\xff",
        b"GET / HTTP/1.1\r\n\r\n",
        &greeting(3, 0)[..11],
    ] {
        for _ in 0..5 {
            let mut peer = RawPeer::connect(victim.address()).await.unwrap();
            peer.send(said).await.unwrap();
            raw.push(peer);
        }
    }
    for _ in 0..20 {
        healthy.exchange(&victim).await;
    }
    let mut late = curve_client(&victim).await;
    late.exchange(&victim).await;
    drop(raw);
    // Those that speak another protocol. To be silent and go is nobody's fault.
    victim
        .conclude("raw connections", LITTLE, 5, (late, healthy))
        .await;
}

/// CVE-2020-36400, CVE-2021-20235: octets of no version, whose messages are larger than the buffer
/// that they are read into, made the decoder forget how large that is.
///
/// ZMTP31-018, ZMTP10-021.
#[tokio::test]
async fn cve_2021_20235_and_2020_36400_large_unversioned_messages_end_the_connection() {
    for side in [Side::Connects, Side::Listens] {
        let target = Target::start("pull", side).await;
        let mut healthy = Healthy::connect(&target.victim).await;
        let long = |len: usize| {
            let size = u64::try_from(len + 1).unwrap().to_be_bytes();
            [&[0xff][..], &size, &[0], &vec![0x41; len]].concat()
        };
        let mut acts = 0;
        for len in [8191, 8192, 8193, 20_000] {
            for start in [&[1, 0][..], &[]] {
                let mut peer = target.peer().await;
                let octets = [start, &long(len), &long(len + 1), &long(3 * len)].concat();
                // In pieces that end where buffers do.
                for piece in octets.chunks(8192) {
                    if peer.send(piece).await.is_err() {
                        break;
                    }
                }
                let said = peer.recv_until_closed().await.unwrap();
                assert!(said.len() <= 64, "{said:x?}");
                acts += 1;
                // Such a server is not asked again.
                if side == Side::Listens {
                    break;
                }
            }
            if side == Side::Listens {
                break;
            }
        }
        healthy.exchange(&target.victim).await;
        let what = "large unversioned messages";
        target.victim.conclude(what, LITTLE, acts, healthy).await;
    }
}

/// CVE-2021-20234: what a server had begun to send when its connection ended was never freed.
///
/// ZMTP31-050, ZMTP31-097.
#[tokio::test]
async fn cve_2021_20234_messages_that_a_server_leaves_unfinished_are_freed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = [listener.local_addr().unwrap()];
    let victim = plan("pull").connecting_to(&at).start().await.unwrap();
    let mut healthy = Healthy::connect(&victim).await;
    let part = frame(MORE, &vec![7; 1 << 20]);
    let attack = async {
        for _ in 0..100 {
            let mut peer = RawPeer::accept(&listener).await.unwrap();
            peer.handshake("PUSH").await.unwrap();
            peer.send(&[&part[..], &part[..part.len() / 2]].concat())
                .await
                .unwrap();
            peer.finish().await.unwrap();
            peer.recv_until_closed().await.unwrap();
        }
    };
    healthy.beside(&victim, attack).await;
    let what = "100 unfinished messages of a server";
    victim.conclude(what, LITTLE, 100, healthy).await;
}

/// CVE-2021-20236: a topic was removed by a function that called itself for each octet.
///
/// PUBSUB-018.
#[tokio::test]
async fn cve_2021_20236_a_topic_as_long_as_may_be_is_removed_without_a_deep_stack() {
    let victim = start("pub").await;
    let mut listener = Listener::connect(&victim).await;
    // Just as large as a command may be, each a little longer than the one before.
    let topics: Vec<Vec<u8>> = (0..8).map(|more| vec![b'A'; (255 << 10) + more]).collect();
    for end in ["CANCEL", "nothing"] {
        let mut peer = RawPeer::connect(victim.address()).await.unwrap();
        peer.handshake("SUB").await.unwrap();
        let attack = async {
            for topic in &topics {
                peer.send(&command("SUBSCRIBE", topic)).await.unwrap();
            }
            if end == "CANCEL" {
                for topic in &topics {
                    peer.send(&command(end, topic)).await.unwrap();
                }
            }
            peer.finish().await.unwrap();
            peer.recv_until_closed().await.unwrap();
        };
        listener.beside(attack).await;
    }
    victim
        .conclude("topics of 255 KiB", LITTLE, 0, listener)
        .await;
}

/// CVE-2021-20237: what a publisher was sent, and what came with it, was never freed.
///
/// PUBSUB-020.
#[tokio::test]
async fn cve_2021_20237_messages_to_a_publisher_with_metadata_are_freed() {
    let victim = start("pub").await;
    let mut listener = Listener::connect(&victim).await;
    let long = vec![b'x'; 4000];
    let ready = tests::bytes::ready_with(&[("Socket-Type", b"SUB"), ("X-long", &long)]);
    let attack = async {
        for _ in 0..200 {
            let mut peer = RawPeer::connect(victim.address()).await.unwrap();
            peer.handshake_with(&greeting(3, 1), &ready).await.unwrap();
            peer.send(&message(&[&[7; 1000], &[8; 1000]]).repeat(50))
                .await
                .unwrap();
            peer.finish().await.unwrap();
            peer.recv_until_closed().await.unwrap();
        }
    };
    listener.beside(attack).await;
    victim
        .conclude("messages with metadata to a PUB", LITTLE, 0, listener)
        .await;
}
