//! Versions, mechanisms and noise in the first 64 octets.

use std::time::Duration;

use tests::bytes::{frame, greeting, greeting_with_mechanism, message, ready};
use tests::raw_peer::RawPeer;
use tokio::net::TcpListener;
use zmtp::{
    DealerSocket, PairSocket, PubSocket, PullSocket, RepSocket, RouterSocket, Socket, SubSocket,
    XPubSocket,
};

use crate::suite::{Case, Reaction, Role, address, expect_message, run};

fn changed(at: usize, octets: &[u8]) -> Vec<u8> {
    let mut greeting = greeting(3, 1);
    greeting[at..at + octets.len()].copy_from_slice(octets);
    greeting
}

/// A whole conversation that starts with this greeting and brings one message.
fn talk(greeting: Vec<u8>) -> Vec<u8> {
    [greeting, ready("PUSH"), message(&[b"hello"])].concat()
}

fn accepted(name: &'static str, greeting: Vec<u8>) -> Case {
    Case::new(
        name,
        talk(greeting),
        Reaction::Deliver(vec![vec![b"hello"]]),
    )
}

fn refused(name: &'static str, octets: Vec<u8>) -> Case {
    Case::new(name, octets, Reaction::Close)
}

/// ZMTP31-015, ZMTP31-016, ZMTP30-002, ZMTP30-020, LZ-004.
#[tokio::test]
async fn other_versions_of_3_and_above_are_accepted() {
    run(&[
        accepted("3.0", greeting(3, 0)),
        accepted("3.1", greeting(3, 1)),
        accepted("3.9", greeting(3, 9)),
        accepted("4.0", greeting(4, 0)),
        accepted("255.255", greeting(255, 255)),
    ])
    .await;
}

/// ZMTP31-004, ZMTP31-005, ZMTP31-012, LZ-003.
#[tokio::test]
async fn what_has_no_meaning_is_not_looked_at() {
    run(&[
        accepted("padding", changed(1, &[0, 1, 2, 3, 4, 5, 6, 7])),
        accepted("libzmq's padding", changed(8, &[1])),
        accepted("filler", changed(33, &[0xaa; 31])),
        accepted("as-server 1", changed(32, &[1])),
        accepted("as-server 7", changed(32, &[7])),
        accepted("signature ends in an odd octet", changed(9, &[0x01])),
        accepted("signature ends in ff", changed(9, &[0xff])),
    ])
    .await;
}

/// ZMTP31-007, ZMTP31-008, ZMTP31-009, LZ-006, GSS-002.
#[tokio::test]
async fn another_mechanism_ends_the_connection_after_the_whole_greeting() {
    run(&[
        refused("CURVE", greeting_with_mechanism(3, 1, b"CURVE")),
        refused("PLAIN", greeting_with_mechanism(3, 1, b"PLAIN")),
        refused("GSSAPI", greeting_with_mechanism(3, 1, b"GSSAPI")),
        refused("lower case", greeting_with_mechanism(3, 1, b"null")),
        refused(
            "octets after the end",
            greeting_with_mechanism(3, 1, b"NULL\0x"),
        ),
        refused(
            "padded with a space",
            greeting_with_mechanism(3, 1, b"NULL "),
        ),
        refused("none", greeting_with_mechanism(3, 1, b"")),
    ])
    .await;
}

/// ZMTP31-018, ZMTP31-024, ZMTP31-148, LZ-005, LZ-007, ZMTP10-021, ZMTP10-022, ZMTP20-019,
/// ZMTP20-020, ZMTP20-023.
#[tokio::test]
async fn older_peers_and_other_protocols_are_refused() {
    let v2 = |revision: u8, socket_type: u8| {
        let start = vec![
            0xff,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            1,
            0x7f,
            revision,
            socket_type,
            0,
            0,
        ];
        [start, vec![0; 64]].concat()
    };
    run(&[
        refused(
            "1.0, anonymous",
            [vec![1, 0], frame(0, b"\0hello"), vec![0; 64]].concat(),
        ),
        refused(
            "1.0, long length",
            [&[0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0][..], &[0; 64]].concat(),
        ),
        refused("1.0, identity", [&b"\x04\0abc"[..], &[0; 64]].concat()),
        refused("1.0, length 0", vec![0; 64]),
        refused("2.0, revision 0", v2(0, 8)),
        refused("2.0, revision 1", v2(1, 8)),
        refused("2.0, revision 2", v2(2, 8)),
        refused("2.0, another type", v2(1, 1)),
        refused("2.0, a reserved flag", [v2(1, 8), frame(4, b"x")].concat()),
        refused(
            "1.0, all flags",
            [&b"\x01\0\x06\xfehello"[..], &[0; 64]].concat(),
        ),
        refused(
            "2.0, an identity of 300 octets",
            [&v2(1, 5)[..12], &[2, 0, 0, 0, 0, 0, 0, 1, 44], &[b'x'; 300]].concat(),
        ),
        refused(
            "HTTP",
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(2),
        ),
        refused("TLS", [&[0x16, 3, 1, 2, 0, 1][..], &[0; 64]].concat()),
    ])
    .await;
}

/// ZMTP31-018, ZMTP31-024: D1 to D14 for those that take commands, or answer, or know their peers.
#[tokio::test]
async fn older_peers_are_refused_by_sockets_of_other_types() {
    async fn refuses<S: Socket>() {
        let older: [&[u8]; 4] = [
            b"\x01\0\x06\0hello",
            b"\x04\0abc\x02\x01x\x02\0y",
            b"\x01\0\x03\0\x01A",
            b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x0a\0\0",
        ];
        for role in Role::BOTH {
            for octets in older {
                let socket = S::new();
                let peer = role.peer_of(&socket).await;
                let mut peer = peer.expect("it listens, or connects");
                // It may have seen enough before.
                let _ = peer.send(octets).await;
                let said = peer.recv_until_closed().await.expect("it closes");
                assert!(said.len() <= 64, "{role:?}: {said:x?}");
            }
        }
    }
    refuses::<PubSocket>().await;
    refuses::<XPubSocket>().await;
    refuses::<SubSocket>().await;
    refuses::<RouterSocket>().await;
    refuses::<DealerSocket>().await;
    refuses::<RepSocket>().await;
    refuses::<PairSocket>().await;
}

/// ZMTP31-153: D33, slow but in time.
#[tokio::test]
async fn a_greeting_may_take_its_time() {
    for role in Role::BOTH {
        let mut pull = PullSocket::new();
        let mut peer = role.peer_of(&pull).await.unwrap();
        for octet in greeting(3, 1) {
            peer.send(&[octet]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        peer.send(&[ready("PUSH"), message(&[b"at last"])].concat())
            .await
            .unwrap();
        expect_message(&mut pull, &[b"at last"]).await.unwrap();
    }
}

/// ZMTP31-025, INT-030: D34 in the other role, where the socket comes back each time.
#[tokio::test]
async fn a_server_may_leave_at_every_octet_of_its_greeting() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut pull = PullSocket::builder()
        .reconnect_interval(Duration::from_millis(1))
        .reconnect_interval_max(Duration::from_millis(2))
        .build();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    pull.connect(endpoint).await.unwrap();
    for count in 0..=64 {
        let mut peer = RawPeer::accept(&listener).await.unwrap();
        peer.send(&greeting(3, 1)[..count]).await.unwrap();
        peer.finish().await.unwrap();
        peer.recv_until_closed().await.unwrap();
    }
    let mut healthy = RawPeer::accept(&listener).await.unwrap();
    healthy.handshake("PUSH").await.unwrap();
    healthy.send(&message(&[b"healthy"])).await.unwrap();
    expect_message(&mut pull, &[b"healthy"]).await.unwrap();
}

/// ZMTP31-025, INT-030.
#[tokio::test]
async fn a_peer_may_leave_at_every_octet_of_its_greeting() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let address = address(&endpoint);
    for count in 0..=64 {
        let mut peer = RawPeer::connect(address).await.unwrap();
        peer.send(&greeting(3, 1)[..count]).await.unwrap();
        peer.finish().await.unwrap();
        peer.recv_until_closed().await.unwrap();
    }
    let mut healthy = RawPeer::connect(address).await.unwrap();
    healthy.handshake("PUSH").await.unwrap();
    healthy.send(&message(&[b"healthy"])).await.unwrap();
    expect_message(&mut pull, &[b"healthy"]).await.unwrap();
}

/// ZMTP31-001, ZMTP31-002, ZMTP31-010, ZMTP31-011, ZMTP31-020, LZ-001.
#[tokio::test]
async fn our_greeting_leaves_at_once_and_whole() {
    let pull = PullSocket::new();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    assert_eq!(peer.recv_greeting().await.unwrap(), greeting(3, 1));
}

/// ZMTP31-153, INT-016, INT-017.
#[tokio::test]
async fn one_deadline_covers_the_handshake_wherever_it_stalls() {
    let timeout = Duration::from_millis(100);
    let pull = PullSocket::builder().handshake_timeout(timeout).build();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let whole = [greeting(3, 1), ready("PUSH")].concat();
    for count in [0, 1, 9, 10, 11, 12, 32, 63, 64, 65, 70, whole.len() - 1] {
        let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
        peer.send(&whole[..count]).await.unwrap();
        peer.recv_until_closed().await.unwrap();
    }
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    let mut closed = false;
    for octet in &whole[..64] {
        closed = peer.send(&[*octet]).await.is_err();
        if closed || peer.recv_for(Duration::from_millis(10)).await.is_err() {
            closed = true;
            break;
        }
    }
    assert!(closed, "octet by octet the deadline is the same");
}
