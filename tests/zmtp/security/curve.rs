//! CURVE: peers that do everything right, up to the point where they do not.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use tests::bytes::{command, error, frame, greeting_with_mechanism, message, ping, ready};
use tests::raw_peer::RawPeer;
use zmtp::authenticator::{AnyKey, Authenticator, PublicKeys};
use zmtp::curve::{KeyPair, PublicKey, SecretKey};
use zmtp::mechanism::{CurveClient, MechanismConfig, Randomness};
use zmtp::pattern::SocketType;
use zmtp::session::{Event, Session, SessionConfig, Side};
use zmtp::{Message, More, PullSocket, PushSocket, Socket};

use super::support::Server;

fn server_pair() -> KeyPair {
    KeyPair::new(SecretKey::from_octets([0x51; 32]))
}

fn client_pair() -> KeyPair {
    KeyPair::new(SecretKey::from_octets([0xc1; 32]))
}

fn greeting() -> Vec<u8> {
    greeting_with_mechanism(3, 1, b"CURVE")
}

fn server_greeting() -> Vec<u8> {
    let mut greeting = greeting();
    greeting[32] = 1;
    greeting
}

/// What must not be in any log line or error: the secret keys in every form.
fn secrets() -> Vec<String> {
    [server_pair(), client_pair()]
        .iter()
        .flat_map(|pair| {
            let octets = pair.secret_key().expose_octets();
            [
                pair.secret_key().expose_text(),
                format!("{octets:?}"),
                format!("{octets:x?}"),
            ]
        })
        .collect()
}

async fn start(authenticator: impl Authenticator) -> Server {
    let server = PullSocket::builder()
        .curve_server(server_pair())
        .authenticator(authenticator);
    let client =
        PushSocket::builder().curve_client(server_pair().public_key(), KeyPair::generate());
    Server::start(server, client).await.unwrap()
}

async fn expect_one_fault(server: Server) -> String {
    let secrets = secrets();
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    server.expect_one_fault(&secrets).await
}

/// A client whose octets pass through the hands of the test.
struct Client {
    session: Session,
    peer: RawPeer,
}

impl Client {
    async fn connect(server: &Server, server_key: PublicKey, key_pair: KeyPair) -> Self {
        let mut config = SessionConfig::new(SocketType::Push, Side::Connector);
        config.mechanism = MechanismConfig::CurveClient(CurveClient::new(server_key, key_pair));
        let seed = KeyPair::generate();
        let randomness = Randomness::generate(|octets| {
            for (at, octet) in octets.iter_mut().enumerate() {
                *octet = seed.secret_key().expose_octets()[at % 32] ^ u8::try_from(at).unwrap();
            }
        });
        Self {
            session: Session::new(config, Instant::now(), randomness),
            peer: server.connect().await,
        }
    }

    /// A client that the server lets in, if nothing else is wrong.
    async fn new(server: &Server) -> Self {
        Self::connect(server, server_pair().public_key(), client_pair()).await
    }

    /// What the client has to send next.
    fn next_octets(&mut self) -> Vec<u8> {
        let mut octets = BytesMut::new();
        self.session.poll_transmit(&mut octets);
        octets.to_vec()
    }

    /// Sends that.
    async fn send_next(&mut self) {
        let octets = self.next_octets();
        self.peer.send(&octets).await.unwrap();
    }

    /// Hands octets of the server to the client.
    fn take(&mut self, octets: &[u8]) -> Option<Event> {
        let mut input = BytesMut::from(octets);
        self.session
            .handle_input(Instant::now(), &mut input)
            .unwrap()
    }

    async fn recv_command(&mut self) -> Option<Event> {
        let received = self.peer.recv_frame().await.unwrap();
        self.take(&frame(received.flags & !2, &received.body))
    }

    /// Sends HELLO.
    async fn send_hello(&mut self) {
        self.greet().await;
        self.send_next().await;
    }

    /// Exchanges the greetings; what is next is HELLO.
    async fn greet(&mut self) {
        self.send_next().await;
        let theirs = self.peer.recv_greeting().await.unwrap();
        assert_eq!(theirs, server_greeting());
        self.take(&theirs);
    }

    /// Goes as far as WELCOME; what is next is INITIATE.
    async fn be_welcome(&mut self) {
        self.send_hello().await;
        self.recv_command().await;
    }

    /// Shakes hands.
    async fn come_in(&mut self) {
        self.be_welcome().await;
        self.send_next().await;
        assert_eq!(self.recv_command().await, Some(Event::Established));
    }

    fn seal(&mut self, body: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::new();
        self.session.seal(More::Last, body, &mut sealed).unwrap();
        sealed
    }
}

// CURVE-037, CURVE-054, ZAP-029
#[tokio::test]
async fn owners_of_known_keys_come_in_under_their_name() {
    let mut server = start(AnyKey).await;
    let mut client = Client::new(&server).await;
    client.come_in().await;
    let sealed = client.seal(b"hello");
    client.peer.send(&sealed).await.unwrap();
    assert_eq!(server.recv().await, ["hello"]);
    let name = client_pair().public_key().to_string();
    let known = server.pull.peers().into_iter().filter(|peer| {
        let info = server.pull.peer_info(*peer).unwrap();
        info.user_id == Some(name.as_str().into())
    });
    assert_eq!(known.count(), 1);
}

// CURVE-038, CURVE-039, ZAP-025, ZAP-040
#[tokio::test]
async fn unknown_keys_are_refused() {
    let healthy = KeyPair::generate();
    let keys: PublicKeys = [healthy.public_key()].into_iter().collect();
    let builder = PullSocket::builder()
        .curve_server(server_pair())
        .authenticator(keys);
    let client = PushSocket::builder().curve_client(server_pair().public_key(), healthy);
    let server = Server::start(builder, client).await.unwrap();
    let mut client = Client::new(&server).await;
    client.be_welcome().await;
    client.send_next().await;
    let last_words = client.peer.recv_until_closed().await.unwrap();
    assert_eq!(last_words, error("400"));
    drop(client);
    let reason = expect_one_fault(server).await;
    assert!(reason.contains("400"), "{reason}");
}

// CURVE-012, CURVE-017
#[tokio::test]
async fn a_client_of_another_server_gets_no_answer() {
    let server = start(AnyKey).await;
    let other = KeyPair::generate().public_key();
    let mut client = Client::connect(&server, other, client_pair()).await;
    client.send_hello().await;
    assert!(client.peer.recv_until_closed().await.unwrap().is_empty());
    drop(client);
    expect_one_fault(server).await;
}

// ZMTP31-008, ZCURVE-007
#[tokio::test]
async fn other_mechanisms_and_versions_are_no_way_in() {
    let octets = |mut greeting: Vec<u8>, major: u8| {
        greeting[10] = major;
        [greeting, ready("PUSH"), message(&[b"in"])].concat()
    };
    for octets in [
        octets(greeting_with_mechanism(3, 0, b"NULL"), 3),
        octets(greeting_with_mechanism(3, 1, b"PLAIN"), 3),
        octets(greeting(), 2),
        octets(greeting(), 1),
        // An unversioned peer: the length of its identity, and none.
        b"\x01\x00".to_vec(),
    ] {
        let server = start(AnyKey).await;
        let mut peer = server.connect().await;
        let _ = peer.send(&octets).await;
        let last_words = peer.recv_until_closed().await.unwrap();
        assert!(server_greeting().starts_with(&last_words), "{octets:x?}");
        drop(peer);
        expect_one_fault(server).await;
    }
}

// CURVE-011, CURVE-014, CURVE-015, CURVE-016, CURVE-017, CURVE-018, CURVE-061
#[tokio::test]
async fn hello_is_right_in_every_octet() {
    type Change = fn(&mut Vec<u8>);
    let changes: [(&str, Change); 9] = [
        ("name", |hello| hello[3] ^= 1),
        ("version", |hello| hello[8] ^= 2),
        ("padding", |hello| hello[50] = 1),
        ("key", |hello| hello[90] ^= 1),
        ("nonce", |hello| hello[121] ^= 1),
        ("box", |hello| hello[201] ^= 1),
        ("too short", |hello| {
            hello[1] -= 1;
            hello.pop();
        }),
        ("too long", |hello| {
            hello[1] += 1;
            hello.push(0);
        }),
        ("twice", |hello| hello.extend_from_within(..)),
    ];
    for (name, change) in changes {
        let server = start(AnyKey).await;
        let mut client = Client::new(&server).await;
        client.greet().await;
        let mut hello = client.next_octets();
        change(&mut hello);
        let _ = client.peer.send(&hello).await;
        let last_words = client.peer.recv_until_closed().await.unwrap();
        let is_welcome = last_words.starts_with(b"\x04\xa8\x07WELCOME");
        assert_eq!(is_welcome, name == "twice", "{name}: {last_words:x?}");
        drop(client);
        expect_one_fault(server).await;
    }
}

// CURVE-028, CURVE-031, CURVE-032, CURVE-034, INT-021
#[tokio::test]
async fn initiate_is_right_in_every_octet() {
    type Change = fn(&mut Vec<u8>);
    // Behind nine octets of frame: the name, then cookie, nonce and box.
    let changes: [(&str, Change); 6] = [
        ("name", |initiate| initiate[12] ^= 1),
        ("cookie", |initiate| initiate[9 + 30] ^= 1),
        ("nonce", |initiate| initiate[9 + 112] ^= 1),
        ("box", |initiate| initiate[9 + 150] ^= 1),
        ("cut", |initiate| {
            initiate.truncate(9 + 256);
            initiate[1..9].copy_from_slice(&256_u64.to_be_bytes());
        }),
        ("a megabyte", |initiate| {
            initiate[1..9].copy_from_slice(&(1_u64 << 20).to_be_bytes());
            initiate.resize(9 + (1 << 20), 0);
        }),
    ];
    for (name, change) in changes {
        let server = start(AnyKey).await;
        let mut client = Client::new(&server).await;
        client.be_welcome().await;
        let mut initiate = client.next_octets();
        assert_eq!(initiate[0], 6, "a long command");
        change(&mut initiate);
        let _ = client.peer.send(&initiate).await;
        let last_words = client.peer.recv_until_closed().await.unwrap();
        assert!(last_words.is_empty(), "{name}: {last_words:x?}");
        drop(client);
        expect_one_fault(server).await;
    }
}

// CURVE-043, CURVE-047, CURVE-050, CURVE-052, CURVE-053, ZCURVE-007
#[tokio::test]
async fn traffic_that_does_not_open_ends_the_connection() {
    let forged = |len: usize| {
        let mut body = b"\x07MESSAGE\0\0\0\0\0\0\0\x63".to_vec();
        body.resize(16 + len, 0x5a);
        body
    };
    for octets in [
        message(&[b"in the clear"]),
        ping(0, b""),
        ready("PUSH"),
        error("400"),
        command("MESSAGE", b""),
        frame(0, &forged(17)),
        frame(0, &forged(1000)),
        frame(0, &forged(0)),
        frame(1, &forged(17)),
        b"\xff\xff\xff".to_vec(),
    ] {
        let server = start(AnyKey).await;
        let mut client = Client::new(&server).await;
        client.come_in().await;
        client.peer.send(&octets).await.unwrap();
        let last_words = client.peer.recv_until_closed().await.unwrap();
        assert!(last_words.is_empty(), "{octets:x?}: {last_words:x?}");
        drop(client);
        expect_one_fault(server).await;
    }
}

// CURVE-050
#[tokio::test]
async fn a_message_that_comes_again_ends_the_connection() {
    let mut server = start(AnyKey).await;
    let mut client = Client::new(&server).await;
    client.come_in().await;
    let (first, second) = (client.seal(b"one"), client.seal(b"two"));
    // What was left out may not come later; what was left out may be left out.
    client.peer.send(&second).await.unwrap();
    assert_eq!(server.recv().await, ["two"]);
    client.peer.send(&first).await.unwrap();
    assert!(client.peer.recv_until_closed().await.unwrap().is_empty());
    drop(client);
    expect_one_fault(server).await;
}

// CURVE-052
#[tokio::test]
async fn a_message_that_was_changed_is_not_delivered() {
    let mut server = start(AnyKey).await;
    let mut client = Client::new(&server).await;
    client.come_in().await;
    let good = client.seal(b"good");
    let mut bad = client.seal(b"bad");
    *bad.last_mut().unwrap() ^= 1;
    client.peer.send(&[good, bad].concat()).await.unwrap();
    assert_eq!(server.recv().await, ["good"]);
    assert!(client.peer.recv_until_closed().await.unwrap().is_empty());
    drop(client);
    expect_one_fault(server).await;
}

// CURVE-008, CURVE-064
#[tokio::test]
async fn what_was_recorded_opens_no_other_connection() {
    let mut server = start(AnyKey).await;
    let mut client = Client::new(&server).await;
    client.greet().await;
    let hello = client.next_octets();
    client.peer.send(&hello).await.unwrap();
    client.recv_command().await;
    let initiate = client.next_octets();
    client.peer.send(&initiate).await.unwrap();
    client.recv_command().await;
    let sealed = client.seal(b"once");
    client.peer.send(&sealed).await.unwrap();
    assert_eq!(server.recv().await, ["once"]);

    let mut replay = server.connect().await;
    let recorded = [greeting(), hello, initiate, sealed].concat();
    replay.send(&recorded).await.unwrap();
    let answer = replay.recv_until_closed().await.unwrap();
    assert_eq!(answer.len(), 64 + 170, "greeting and WELCOME, no READY");
    drop(replay);
    expect_one_fault(server).await;
}

// INT-016, INT-030
#[tokio::test]
async fn many_that_never_finish_keep_nobody_out() {
    let server = start(AnyKey).await;
    let mut silent = Vec::new();
    for count in 0..50 {
        let mut client = Client::new(&server).await;
        match count % 3 {
            0 => {}
            1 => client.send_hello().await,
            _ => client.be_welcome().await,
        }
        silent.push(client);
    }
    let mut client = Client::new(&server).await;
    client.come_in().await;
    client.peer.send(&message(&[b"end"])).await.unwrap();
    client.peer.recv_until_closed().await.unwrap();
    drop(client);
    expect_one_fault(server).await;
}

// CURVE-022, CURVE-063
#[tokio::test]
async fn an_impostor_learns_nothing_and_is_left() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    let mut push = PushSocket::builder()
        .curve_client(server_pair().public_key(), client_pair())
        .linger(Duration::ZERO)
        .build();
    push.connect(endpoint).await.unwrap();
    push.send(Message::from("secret")).await.unwrap();
    let mut peer = RawPeer::accept(&listener).await.unwrap();
    peer.send(&server_greeting()).await.unwrap();
    assert_eq!(peer.recv_greeting().await.unwrap(), greeting());
    let hello = peer.recv_frame().await.unwrap();
    assert!(hello.is_command("HELLO") && hello.body.len() == 200);
    peer.send(&command("WELCOME", &[0; 160])).await.unwrap();
    let rest = peer.recv_until_closed().await.unwrap();
    assert!(rest.is_empty(), "{rest:x?}");
    let client_key = client_pair();
    let shown = hello.body.windows(32);
    let mut shown = shown.filter(|octets| *octets == client_key.public_key().as_octets());
    assert_eq!(shown.next(), None, "who the client is");
}
