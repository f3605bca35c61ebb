//! Peers that know CURVE, have the right keys, and change what they say on its way.

use tests::raw_peer::RawPeer;
use tokio::net::TcpListener;
use zmtp::PushSocket;
use zmtp::Socket;
use zmtp::authenticator::AnyKey;

use super::honest::{Honest, Mechanism};
use super::victim::{Healthy, LITTLE, client_pair, plan, server_pair, start};

/// The points with which everybody agrees on the same key, and spellings of them that are not
/// reduced.
const LOW_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
    {
        // p - 1.
        let mut last = [0xff; 32];
        last[0] = 0xec;
        last[31] = 0x7f;
        last
    },
];

/// CURVE-005: such a key agrees with any other, so that the box would open for everybody.
#[tokio::test]
async fn keys_of_low_order_are_refused() {
    let victim = start("CURVE server").await;
    let client = PushSocket::builder().curve_client(server_pair().public_key(), client_pair());
    let mut healthy = Healthy::connect_as(client, &victim).await;
    for point in LOW_ORDER {
        for high_bit in [0, 0x80] {
            let peer = RawPeer::connect(victim.address()).await.unwrap();
            let mut client = Honest::new(peer, Mechanism::CurveClient);
            let greeting = client.next_flight().await.unwrap();
            client.peer.send(&greeting).await.unwrap();
            let mut hello = client.next_flight().await.unwrap();
            // Behind the head, the name, the version and the padding.
            hello[82..114].copy_from_slice(&point);
            hello[113] |= high_bit;
            client.peer.send(&hello).await.unwrap();
            let said = client.peer.recv_until_closed().await.unwrap();
            assert_eq!(said, b"", "no WELCOME");
        }
    }
    healthy.exchange(&victim).await;
    let acts = LOW_ORDER.len() * 2;
    let warnings = victim
        .conclude("keys of low order", LITTLE, acts, healthy)
        .await;
    for warning in warnings {
        assert!(warning.contains("weak"), "{warning}");
    }
}

/// What a server that is trusted does wrong: which of its flights, and how it is changed.
type Lie = (&'static str, usize, fn(&mut Vec<u8>));

/// CURVE-022, CURVE-042, CURVE-050, CURVE-052, CURVE-063.
#[tokio::test]
async fn a_server_that_lies_is_left() {
    // Greeting, WELCOME, READY, and a message that came with it or not.
    let lies: [Lie; 13] = [
        ("WELCOME by another name", 1, |octets| octets[4] ^= 1),
        ("another nonce of WELCOME", 1, |octets| octets[12] ^= 1),
        ("another box of WELCOME", 1, |octets| octets[100] ^= 1),
        ("a short WELCOME", 1, |octets| {
            octets[1] -= 1;
            octets.pop();
        }),
        ("a long WELCOME", 1, |octets| {
            octets[1] += 1;
            octets.push(0);
        }),
        ("WELCOME twice", 1, |octets| octets.extend_from_within(..)),
        ("WELCOME as a message", 1, |octets| octets[0] = 0),
        ("READY by another name", 2, |octets| octets[4] ^= 1),
        ("another nonce of READY", 2, |octets| octets[15] ^= 1),
        ("another box of READY", 2, |octets| octets[30] ^= 1),
        ("READY cut", 2, |octets| {
            octets.truncate(20);
            octets[1] = 18;
        }),
        ("READY twice", 2, |octets| octets.extend_from_within(..)),
        ("a message twice", 3, |octets| octets.extend_from_within(..)),
    ];
    let healthy = PushSocket::builder()
        .curve_server(server_pair())
        .authenticator(AnyKey)
        .build();
    let bound = healthy.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut addresses = vec![crate::suite::address(&bound)];
    let mut listeners = Vec::new();
    for _ in &lies {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.push(listener.local_addr().unwrap());
        listeners.push(listener);
    }
    let plan = plan("CURVE client").connecting_to(&addresses);
    let victim = plan.start().await.unwrap();
    let mut healthy = Healthy::attach(healthy, &victim).await;
    for (listener, (name, flight, change)) in listeners.iter().zip(lies) {
        let peer = RawPeer::accept(listener).await.unwrap();
        let mut server = Honest::new(peer, Mechanism::CurveServer);
        for _ in 0..flight {
            let octets = server.next_flight().await.unwrap();
            server.peer.send(&octets).await.unwrap();
        }
        let mut octets = server.next_flight().await.unwrap();
        change(&mut octets);
        server.peer.send(&octets).await.unwrap();
        let said = server.peer.recv_until_closed().await;
        assert!(said.is_ok(), "{name}: {said:?}");
        healthy.exchange(&victim).await;
    }
    drop(listeners);
    let got = victim.all_said("got a message of a whole sentence");
    assert_eq!(got.len(), 1, "the message that was sent twice");
    victim
        .conclude("servers that lie", LITTLE, lies.len(), healthy)
        .await;
}
