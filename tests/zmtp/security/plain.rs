//! PLAIN: user names and passwords.

use tests::bytes::{COMMAND, command, command_body, error, frame, greeting_with_mechanism};
use tests::bytes::{message, property, ready};
use tests::raw_peer::RawPeer;
use zmtp::authenticator::Passwords;
use zmtp::{PullSocket, PushSocket, Socket};

use super::support::Server;

fn greeting() -> Vec<u8> {
    greeting_with_mechanism(3, 1, b"PLAIN")
}

fn server_greeting() -> Vec<u8> {
    let mut greeting = greeting();
    greeting[32] = 1;
    greeting
}

fn hello(username: &[u8], password: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    for text in [username, password] {
        data.push(u8::try_from(text.len()).unwrap());
        data.extend_from_slice(text);
    }
    command("HELLO", &data)
}

fn initiate(socket_type: &str) -> Vec<u8> {
    command("INITIATE", &property("Socket-Type", socket_type.as_bytes()))
}

async fn start() -> Server {
    let mut passwords = Passwords::new();
    passwords.insert("admin", "hunter2hunter2").unwrap();
    let server = PullSocket::builder()
        .plain_server()
        .authenticator(passwords);
    let client = PushSocket::builder().plain_client("admin", "hunter2hunter2");
    Server::start(server, client.unwrap()).await.unwrap()
}

async fn shake_hands(peer: &mut RawPeer) {
    peer.send(&greeting()).await.unwrap();
    assert_eq!(peer.recv_greeting().await.unwrap(), server_greeting());
    peer.send(&hello(b"admin", b"hunter2hunter2"))
        .await
        .unwrap();
    assert!(peer.recv_frame().await.unwrap().is_command("WELCOME"));
    peer.send(&initiate("PUSH")).await.unwrap();
    assert!(peer.recv_frame().await.unwrap().is_command("READY"));
}

// PLAIN-001, PLAIN-011, PLAIN-025, ZAP-029
#[tokio::test]
async fn users_with_their_passwords_are_known_by_name() {
    let mut server = start().await;
    let mut peer = server.connect().await;
    shake_hands(&mut peer).await;
    peer.send(&message(&[b"hello"])).await.unwrap();
    assert_eq!(server.recv().await, ["hello"]);
    for peer in server.pull.peers() {
        let info = server.pull.peer_info(peer).unwrap();
        assert_eq!(info.user_id, Some("admin".into()));
    }
}

// PLAIN-008, PLAIN-016, PLAIN-021, ZAP-025, ZAP-039
#[tokio::test]
async fn wrong_passwords_are_refused_all_alike() {
    for (username, password) in [
        (&b"admin"[..], &b"hunter2hunter3"[..]),
        (b"admin", b"hunter2"),
        (b"admin", b""),
        (b"nobody", b"hunter2hunter2"),
        (b"", b""),
        (b"\xff\xfe", b"\0"),
    ] {
        let server = start().await;
        let mut peer = server.connect().await;
        let octets = [greeting(), hello(username, password)].concat();
        peer.send(&octets).await.unwrap();
        let last_words = peer.recv_until_closed().await.unwrap();
        assert_eq!(last_words, [server_greeting(), error("400")].concat());
        drop(peer);
        let reason = server
            .expect_one_fault(&["hunter", "admin", "nobody"])
            .await;
        assert!(reason.contains("400"), "{reason}");
    }
}

// PLAIN-002, PLAIN-010, PLAIN-012, PLAIN-013, PLAIN-017, PLAIN-026
#[tokio::test]
async fn commands_out_of_turn_or_out_of_shape_end_the_connection() {
    let good = || hello(b"admin", b"hunter2hunter2");
    let long_name = [
        command_body("HELLO", b"\x05admin\x0ehunter2hunter2"),
        vec![0],
    ]
    .concat();
    for octets in [
        // Malformed.
        command("HELLO", b""),
        command("HELLO", b"\x05admin"),
        command("HELLO", b"\x05admin\x0fhunter2hunter2"),
        frame(COMMAND, &long_name),
        command("HELLO   ", b"\x05admin\x0ehunter2hunter2"),
        // Out of turn.
        initiate("PUSH"),
        command("WELCOME", b"\x05admin\x0ehunter2hunter2"),
        ready("PUSH"),
        message(&[b"hunter2hunter2"]),
        [good(), good()].concat(),
        [good(), message(&[b"early"])].concat(),
        [good(), ready("PUSH")].concat(),
        // Incompatible.
        [good(), initiate("PUB")].concat(),
        [good(), command("INITIATE", b"\x01")].concat(),
    ] {
        let server = start().await;
        let mut peer = server.connect().await;
        peer.send(&greeting()).await.unwrap();
        let _ = peer.send(&octets).await;
        let last_words = peer.recv_until_closed().await.unwrap();
        assert!(last_words.starts_with(&server_greeting()), "{octets:x?}");
        drop(peer);
        server.expect_one_fault(&["hunter", "admin"]).await;
    }
}

// PLAIN-013: what comes too early opens nothing, and a door that is open anyway need not be closed.
#[tokio::test]
async fn an_initiate_that_does_not_wait_lets_nobody_in() {
    let server = start().await;
    let mut peer = server.connect().await;
    let early = [initiate("PUSH"), message(&[b"in"])].concat();
    let octets = [greeting(), hello(b"admin", b"wrong"), early].concat();
    peer.send(&octets).await.unwrap();
    let last_words = peer.recv_until_closed().await.unwrap();
    assert_eq!(last_words, [server_greeting(), error("400")].concat());
    drop(peer);
    server.expect_one_fault(&["wrong", "admin"]).await;
}

// ZMTP31-008, PLAIN-019
#[tokio::test]
async fn other_mechanisms_are_no_way_in() {
    for mechanism in [&b"NULL"[..], b"CURVE", b"plain", b"PLAINX"] {
        let server = start().await;
        let mut peer = server.connect().await;
        let greeting = greeting_with_mechanism(3, 1, mechanism);
        let _ = peer
            .send(&[greeting, ready("PUSH"), message(&[b"in"])].concat())
            .await;
        let last_words = peer.recv_until_closed().await.unwrap();
        assert_eq!(last_words, server_greeting());
        drop(peer);
        let reason = server.expect_one_fault(&[]).await;
        assert!(reason.contains("mechanism"), "{reason}");
    }
}

// PLAIN-020
#[tokio::test]
async fn passwords_are_shown_to_servers_of_plain_only() {
    for mechanism in [&b"NULL"[..], b"CURVE"] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
        let push = PushSocket::builder()
            .plain_client("admin", "hunter2hunter2")
            .unwrap()
            .build();
        push.connect(endpoint).await.unwrap();
        let mut peer = RawPeer::accept(&listener).await.unwrap();
        peer.send(&greeting_with_mechanism(3, 1, mechanism))
            .await
            .unwrap();
        assert_eq!(peer.recv_until_closed().await.unwrap(), greeting());
    }
}

// PLAIN-009, PLAIN-018, INT-008
#[tokio::test]
async fn clients_that_are_refused_do_not_come_again() {
    // The second is how libzmq spells it.
    for refusal in [error("400"), frame(COMMAND, b"\x5eRROR\x03400")] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
        let push = PushSocket::builder()
            .plain_client("admin", "wrong")
            .unwrap()
            .build();
        let mut monitor = push.monitor();
        push.connect(endpoint).await.unwrap();
        let mut peer = RawPeer::accept(&listener).await.unwrap();
        peer.send(&server_greeting()).await.unwrap();
        peer.recv_greeting().await.unwrap();
        assert!(peer.recv_frame().await.unwrap().is_command("HELLO"));
        peer.send(&refusal).await.unwrap();
        drop(peer);
        let given_up = async {
            while let Some(event) = monitor.recv().await {
                if let zmtp::SocketEvent::ConnectGivenUp { .. } = event {
                    return Ok(());
                }
            }
            Err(std::io::Error::other("the socket is gone"))
        };
        tests::raw_peer::within(given_up).await.unwrap();
    }
}
