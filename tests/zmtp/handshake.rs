//! READY, ERROR and what else may come after the greeting.

use tests::bytes::{
    COMMAND, MORE, command, command_body, error, frame, greeting, long_frame, message, ping,
    property, ready, ready_with,
};
use tests::raw_peer::RawPeer;
use zmtp::{DealerSocket, PullSocket, RouterSocket, Socket};

use crate::suite::{Case, Reaction, Role, address, run};

fn after_greeting(octets: Vec<u8>) -> Vec<u8> {
    [greeting(3, 1), octets].concat()
}

fn closes(name: &'static str, octets: Vec<u8>) -> Case {
    Case::new(name, after_greeting(octets), Reaction::Close)
}

fn errs(name: &'static str, octets: Vec<u8>) -> Case {
    Case::new(name, after_greeting(octets), Reaction::Error)
}

fn works(name: &'static str, octets: Vec<u8>) -> Case {
    let octets = [octets, message(&[b"hello"])].concat();
    Case::new(
        name,
        after_greeting(octets),
        Reaction::Deliver(vec![vec![b"hello"]]),
    )
}

fn ready_octets(data: &[u8]) -> Vec<u8> {
    command("READY", data)
}

/// ZMTP31-042, ZMTP31-043, ZMTP31-047, ZMTP31-030, LZ-015, LZ-021.
#[tokio::test]
async fn anything_but_a_ready_ends_the_handshake() {
    let ready_body = command_body("READY", &property("Socket-Type", b"PUSH"));
    run(&[
        closes("a message", message(&[b"hello"])),
        closes("READY as a message", frame(0, &ready_body)),
        closes("READY with MORE", frame(COMMAND | MORE, &ready_body)),
        closes(
            "another spelling",
            command("Ready", &property("Socket-Type", b"PUSH")),
        ),
        closes("an unknown command", command("FOO", b"x")),
        closes("no name", frame(COMMAND, b"")),
        closes("an empty name", frame(COMMAND, &[0])),
        closes("a name beyond the body", frame(COMMAND, &[9, b'a'])),
        closes("PING", ping(0, b"")),
        closes("SUBSCRIBE", command("SUBSCRIBE", b"")),
        closes(
            "a longer name",
            command("READYX", &property("Socket-Type", b"PUSH")),
        ),
        closes(
            "a shorter name",
            command("READ", &property("Socket-Type", b"PUSH")),
        ),
        closes("reserved flags", frame(COMMAND | 0x80, &ready_body)),
    ])
    .await;
}

/// ZMTP31-066, ZMTP31-069, ZMTP31-071, ZMTP31-074, LZ-016, LZ-018.
#[tokio::test]
async fn malformed_metadata_ends_the_handshake() {
    let good = property("Socket-Type", b"PUSH");
    let with = |more: &[u8]| ready_octets(&[&good, more].concat());
    run(&[
        closes("an empty name", with(&[0, 0, 0, 0, 0])),
        closes("a space in a name", with(&property("a b", b""))),
        closes("a trailing octet", with(b"x")),
        closes("a name cut", with(b"\x09abc")),
        closes("a length cut", with(b"\x01a\0\0")),
        closes("a value cut", with(b"\x01a\0\0\0\x05abc")),
        closes("a length of 2^31", with(b"\x01a\x80\0\0\0")),
        closes("a length of 2^32-1", with(b"\x01a\xff\xff\xff\xff")),
        closes("two socket types", with(&property("Socket-Type", b"PUB"))),
        closes(
            "two of another case",
            with(&property("SOCKET-TYPE", b"PUSH")),
        ),
        closes(
            "two identities",
            with(&[property("Identity", b"a"), property("Identity", b"b")].concat()),
        ),
    ])
    .await;
}

/// ZMTP31-067, ZMTP31-070, ZMTP31-072, ZMTP31-033, ZMTP31-084, INT-003, LZ-015, LZ-016.
#[tokio::test]
async fn unusual_metadata_is_accepted() {
    let good = property("Socket-Type", b"PUSH");
    let with = |more: &[u8]| ready_octets(&[&good, more].concat());
    let body = command_body("READY", &good);
    run(&[
        works("nothing else", ready("PUSH")),
        works("a long frame", long_frame(COMMAND, &body)),
        works(
            "a name in lower case",
            ready_with(&[("socket-type", b"PUSH")]),
        ),
        works(
            "an application's property",
            with(&property("X-key", b"value")),
        ),
        works("an unknown property", with(&property("Foo", b""))),
        works("a resource", with(&property("Resource", b"system/test"))),
        works("an empty identity", with(&property("Identity", b""))),
        works(
            "an identity that means nothing here",
            with(&property("Identity", b"me")),
        ),
    ])
    .await;
}

/// ZMTP31-075, INT-021, INT-022.
#[tokio::test]
async fn metadata_is_limited() {
    let many: Vec<u8> = (0..10_000)
        .flat_map(|at| property(&format!("X-{at}"), b""))
        .collect();
    let large = property("X-large", &vec![0; 1 << 20]);
    run(&[
        closes("10 000 properties", ready_octets(&many)),
        closes("1 MiB of properties", ready_octets(&large)),
    ])
    .await;
}

/// ZMTP31-058, ZMTP31-077, ZMTP31-078, ZMTP31-079, ZMTP31-080, ZMTP31-081, ZMTP30-016, LZ-017,
/// LZ-019.
#[tokio::test]
async fn an_unfit_socket_type_is_told_and_refused() {
    run(&[
        errs("unknown", ready("FOO")),
        errs("lower case", ready("push")),
        errs("an old name", ready("XREQ")),
        errs("not our counterpart", ready("PUB")),
        errs("our own type", ready("PULL")),
        errs(
            "by a name in lower case",
            ready_with(&[("socket-type", b"PUB")]),
        ),
        errs("empty", ready("")),
    ])
    .await;
    run(&[closes("none", ready_octets(b""))]).await;
}

/// ZMTP31-059, ZMTP31-060, ZMTP31-061.
#[tokio::test]
async fn an_error_of_the_peer_ends_the_handshake() {
    run(&[
        closes("with a reason", error("400")),
        closes("without a reason", error("")),
        closes("with a reason of 255 octets", error(&"x".repeat(255))),
        closes("cut before the reason", command("ERROR", b"")),
        closes("cut within the reason", command("ERROR", b"\x09ab")),
        closes("with more than the reason", command("ERROR", b"\x01ab")),
    ])
    .await;
}

/// ZMTP30-005, ZMTP31-022, ZMTP31-056, INT-002.
#[tokio::test]
async fn ready_and_messages_may_come_in_one_segment() {
    run(&[works("glued", ready("PUSH"))]).await;
}

/// ZMTP31-085, ZMTP31-086, ZMTP30-017, LZ-018.
#[tokio::test]
async fn a_router_refuses_unfit_identities() {
    let long = [b'x'; 256];
    let huge = vec![b'x'; 70_000];
    for role in Role::BOTH {
        for identity in [&b"\0abc"[..], &long[..], &huge[..]] {
            let router = RouterSocket::new();
            let mut peer = role.peer_of(&router).await.unwrap();
            let ready = ready_with(&[("Socket-Type", b"DEALER"), ("Identity", identity)]);
            peer.send(&after_greeting(ready)).await.unwrap();
            peer.recv_until_closed().await.unwrap();
        }
    }
}

/// ZMTP31-057, ZMTP30-004, ZMTP30-006, INT-001, LZ-014.
#[tokio::test]
async fn nothing_follows_our_ready_before_the_peers() {
    let mut dealer = DealerSocket::new();
    let endpoint = dealer.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    peer.send(&greeting(3, 1)).await.unwrap();
    peer.recv_greeting().await.unwrap();
    let window = std::time::Duration::from_millis(50);
    let early = peer.recv_for(window).await.unwrap();
    peer.send(&ready("DEALER")).await.unwrap();
    dealer.send("hello").await.unwrap();
    let ours = [ready("DEALER"), message(&[b"hello"])].concat();
    let rest = peer.recv(ours.len() - early.len()).await.unwrap();
    assert_eq!([early, rest].concat(), ours);
}

/// ZMTP31-065, ZMTP31-068, ZMTP31-076, ZMTP31-083, ZMTP31-034, ZMTP31-073, INT-004.
#[tokio::test]
async fn our_ready_is_spelled_as_libzmq_expects() {
    let pull = PullSocket::new();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    peer.handshake("PUSH").await.unwrap();
    let dealer = DealerSocket::builder().routing_id("me").unwrap().build();
    let endpoint = dealer.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    let answer = peer.handshake("ROUTER").await.unwrap();
    let expected = ready_with(&[("Socket-Type", b"DEALER"), ("Identity", b"me")]);
    assert_eq!(frame(answer.flags, &answer.body), expected);
}
