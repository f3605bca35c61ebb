//! PLAIN and CURVE with libzmq, as the client and as the server, and who is let in.

use std::path::PathBuf;
use std::time::Duration;

use interop::{Failure, Peer, Python, TestResult};
use serde_json::{Value, json};
use tests::reserved_port::ReservedPort;
use zmtp::authenticator::{AnyKey, CertificateDirectory, Passwords, PublicKeys};
use zmtp::curve::{Certificate, KeyPair, SecretCertificate};
use zmtp::session::Heartbeat;
use zmtp::{
    Builder, DealerSocket, DisconnectReason, PubSocket, PullSocket, PushSocket, Socket,
    SocketEvent, SubSocket,
};

use crate::support::{
    Binder, Receives, Sends, assert_same, bind_libzmq, disconnected, join, libzmq, message, parts,
    python, soon,
};

const BOTH: [Binder; 2] = [Binder::We, Binder::Libzmq];

/// The options of libzmq for a client with this pair of a server with that one.
fn curve_client(server: &KeyPair, client: &KeyPair) -> Value {
    json!({
        "CURVE_SERVERKEY": server.public_key().to_string(),
        "CURVE_PUBLICKEY": client.public_key().to_string(),
        "CURVE_SECRETKEY": client.secret_key().expose_text(),
    })
}

/// The options of libzmq for a server with this pair.
fn curve_server(server: &KeyPair) -> Value {
    json!({"CURVE_SERVER": 1, "CURVE_SECRETKEY": server.secret_key().expose_text()})
}

fn dealer() -> Builder<DealerSocket> {
    DealerSocket::builder().reconnect_interval(Duration::from_millis(10))
}

/// Messages of many shapes, there and back.
async fn converse(ours: &mut DealerSocket, peer: &mut Peer) -> TestResult {
    let shapes: [&[usize]; 7] = [
        &[0],
        &[1, 0, 255],
        &[256, 8191, 8192, 8193],
        &[65_536],
        &[1_048_576, 1],
        &[33; 40],
        &[],
    ];
    for sizes in shapes {
        ours.give(message(&["ours"], sizes)).await?;
        let expect = parts(&["ours"], sizes);
        peer.request(json!({"op": "recv", "name": "z", "expect": expect}))
            .await?;
        let sent = parts(&["theirs"], sizes);
        peer.request(json!({"op": "send", "name": "z", "parts": sent}))
            .await?;
        assert_same(&ours.take().await?, &message(&["theirs"], sizes));
    }
    Ok(())
}

async fn expect_converse(
    python: &Python,
    ours: Builder<DealerSocket>,
    theirs: Value,
    binder: Binder,
) -> TestResult {
    let mut ours = ours.build();
    let mut peer = libzmq(python, "DEALER", theirs).await?;
    join(&ours, &mut peer, binder).await?;
    converse(&mut ours, &mut peer).await
}

// INT-005, INT-006, INT-007, CURVE-044, ZCURVE-001, ZCURVE-005
#[tokio::test]
async fn we_are_a_curve_server_of_libzmq() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let (server, client) = (KeyPair::generate(), KeyPair::generate());
    let keys: PublicKeys = [client.public_key()].into_iter().collect();
    for binder in BOTH {
        let ours = dealer().curve_server(server.clone());
        let ours = ours.authenticator(keys.clone());
        expect_converse(python, ours, curve_client(&server, &client), binder).await?;
    }
    Ok(())
}

// INT-005, INT-006, CURVE-044, ZCURVE-001, ZCURVE-005
#[tokio::test]
async fn we_are_a_curve_client_of_libzmq() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let (server, client) = (KeyPair::generate(), KeyPair::generate());
    for binder in BOTH {
        let ours = dealer().curve_client(server.public_key(), client.clone());
        expect_converse(python, ours, curve_server(&server), binder).await?;
    }
    Ok(())
}

// PLAIN-001, PLAIN-011
#[tokio::test]
async fn we_are_a_plain_server_of_libzmq() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut passwords = Passwords::new();
    passwords.insert("admin", "secret")?;
    for binder in BOTH {
        let ours = dealer().plain_server().authenticator(passwords.clone());
        let theirs = json!({"PLAIN_USERNAME": "admin", "PLAIN_PASSWORD": "secret"});
        expect_converse(python, ours, theirs, binder).await?;
    }
    Ok(())
}

// PLAIN-001, PLAIN-011, ZAP-045
#[tokio::test]
async fn a_zap_handler_of_python_lets_our_users_in() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for binder in BOTH {
        let mut peer = libzmq(python, "DEALER", json!({"PLAIN_SERVER": 1})).await?;
        peer.request(json!({"op": "authenticate", "users": {"admin": "secret"}}))
            .await?;
        let mut ours = dealer().plain_client("admin", "secret")?.build();
        join(&ours, &mut peer, binder).await?;
        converse(&mut ours, &mut peer).await?;
    }
    Ok(())
}

// ZAP-045, CURVE-059, PLAIN-009, PLAIN-018
#[tokio::test]
async fn a_zap_handler_of_python_keeps_strangers_out() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let files = Directory::new()?;
    let server = KeyPair::generate();
    let curve = dealer().curve_client(server.public_key(), KeyPair::generate());
    let plain = dealer().plain_client("admin", "wrong")?;
    for (ours, theirs) in [
        (curve, curve_server(&server)),
        (plain, json!({"PLAIN_SERVER": 1})),
    ] {
        let mut peer = libzmq(python, "DEALER", theirs).await?;
        peer.request(json!({
            "op": "authenticate",
            "users": {"admin": "secret"},
            "certificates": files.0,
        }))
        .await?;
        let ours = ours.build();
        let mut monitor = ours.monitor();
        join(&ours, &mut peer, Binder::Libzmq).await?;
        let reason = soon(async {
            loop {
                match monitor.recv().await {
                    Some(SocketEvent::ConnectGivenUp { reason, .. }) => return reason,
                    Some(_) => {}
                    None => return DisconnectReason::SocketClosed,
                }
            }
        })
        .await?;
        assert!(reason.to_string().contains("400"), "{reason}");
    }
    Ok(())
}

// ZAP-045
#[tokio::test]
async fn certificates_of_python_open_our_door_and_theirs() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let (known, secrets) = (Directory::new()?, Directory::new()?);
    let server = KeyPair::generate();
    let mut peer = libzmq(python, "DEALER", curve_server(&server)).await?;
    peer.request(json!({"op": "certificates", "path": secrets.0, "name": "client"}))
        .await?;
    let certificate = std::fs::read_to_string(secrets.0.join("client.key_secret"))?;
    let certificate: SecretCertificate = certificate.parse()?;
    assert_eq!(certificate.certificate().get("owner"), Some("client"));
    let public = std::fs::read_to_string(secrets.0.join("client.key"))?;
    let public: Certificate = public.parse()?;
    assert_eq!(public.public_key(), certificate.certificate().public_key());
    // What we write is read by both. Python leaves the metadata out of its public files.
    let public = certificate.certificate().to_string();
    std::fs::write(known.0.join("client.key"), public)?;
    peer.request(json!({"op": "authenticate", "users": {}, "certificates": known.0}))
        .await?;
    let client = certificate.key_pair();

    let mut ours = dealer()
        .curve_client(server.public_key(), client.clone())
        .build();
    join(&ours, &mut peer, Binder::Libzmq).await?;
    converse(&mut ours, &mut peer).await?;

    let directory = CertificateDirectory::open(&known.0).await?;
    let mut ours = dealer()
        .curve_server(server.clone())
        .authenticator(directory)
        .build();
    let mut peer = libzmq(python, "DEALER", curve_client(&server, &client)).await?;
    join(&ours, &mut peer, Binder::We).await?;
    converse(&mut ours, &mut peer).await?;
    let user = ours.peers().first().and_then(|peer| ours.peer_info(*peer));
    let user = user.expect("the peer has just sent something");
    assert_eq!(user.granted.get("owner"), Some(&b"client".into()));
    assert_eq!(user.user_id, Some(client.public_key().to_string().into()));
    Ok(())
}

// ZAP-025, ZAP-045, CURVE-038, PLAIN-008
#[tokio::test]
async fn libzmq_strangers_are_kept_out() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let (server, client) = (KeyPair::generate(), KeyPair::generate());
    let curve = PullSocket::builder()
        .curve_server(server.clone())
        .authenticator(PublicKeys::new());
    let plain = PullSocket::builder()
        .plain_server()
        .authenticator(Passwords::new());
    let other_server = PullSocket::builder()
        .curve_server(KeyPair::generate())
        .authenticator(AnyKey);
    for (ours, theirs, expected) in [
        (
            curve,
            curve_client(&server, &client),
            "HANDSHAKE_FAILED_AUTH",
        ),
        (
            plain,
            json!({"PLAIN_USERNAME": "admin", "PLAIN_PASSWORD": "secret"}),
            // libzmq knows its own misspelt ERROR only.
            "HANDSHAKE_FAILED_PROTOCOL",
        ),
        (
            other_server,
            curve_client(&server, &client),
            "HANDSHAKE_FAILED_NO_DETAIL",
        ),
    ] {
        let ours = ours.build();
        let mut peer = libzmq(python, "PUSH", theirs).await?;
        peer.request(json!({"op": "monitor", "name": "z"})).await?;
        join(&ours, &mut peer, Binder::We).await?;
        peer.request(json!({"op": "await_event", "name": "z", "event": expected}))
            .await?;
        assert!(ours.peers().is_empty());
    }
    Ok(())
}

// CURVE-055, INT-007
#[tokio::test]
async fn subscriptions_pass_under_curve() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let (server, client) = (KeyPair::generate(), KeyPair::generate());
    for binder in BOTH {
        let ours = PubSocket::builder()
            .curve_server(server.clone())
            .authenticator(AnyKey)
            .build();
        let mut options = curve_client(&server, &client);
        options["SUBSCRIBE"] = json!("a");
        let mut peer = libzmq(python, "SUB", options).await?;
        join(&ours, &mut peer, binder).await?;
        publish_until(&ours, &mut peer).await?;

        let mut ours = SubSocket::builder()
            .curve_client(server.public_key(), client.clone())
            .build();
        ours.subscribe("a");
        let mut peer = libzmq(python, "PUB", curve_server(&server)).await?;
        join(&ours, &mut peer, binder).await?;
        let received = soon(async {
            loop {
                for topic in ["b", "a"] {
                    peer.request(json!({"op": "send", "name": "z", "parts": [topic]}))
                        .await?;
                }
                let wait = Duration::from_millis(50);
                if let Ok(received) = tokio::time::timeout(wait, ours.recv()).await {
                    return Ok::<_, Failure>(received?);
                }
            }
        });
        assert_eq!(received.await??, ["a"]);
    }
    Ok(())
}

/// Publishes until the subscription has come, and checks that nothing else is received.
async fn publish_until(ours: &PubSocket, peer: &mut Peer) -> TestResult {
    let request = json!({"op": "recv", "name": "z", "expect": ["a"]});
    let mut received = std::pin::pin!(peer.request(request));
    soon(async {
        loop {
            for topic in ["b", "a"] {
                ours.send(topic).await?;
            }
            let wait = tokio::time::sleep(Duration::from_millis(20));
            tokio::select! {
                result = &mut received => {
                    result?;
                    return Ok(());
                }
                () = wait => {}
            }
        }
    })
    .await?
}

// CURVE-046, INT-007
#[tokio::test]
async fn heartbeats_pass_under_curve() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let (server, client) = (KeyPair::generate(), KeyPair::generate());
    let mut often = Heartbeat::new(Duration::from_millis(100));
    // A busy machine may take its time for an answer.
    let patience = Duration::from_secs(2);
    often.timeout = patience;
    let mut ours = dealer()
        .heartbeat(often)
        .curve_server(server.clone())
        .authenticator(AnyKey)
        .build();
    let mut options = curve_client(&server, &client);
    options["HEARTBEAT_IVL"] = json!(100);
    options["HEARTBEAT_TIMEOUT"] = json!(patience.as_millis());
    let mut peer = libzmq(python, "DEALER", options).await?;
    peer.request(json!({"op": "monitor", "name": "z"})).await?;
    join(&ours, &mut peer, Binder::We).await?;
    tokio::time::sleep(5 * patience / 2).await;
    let events = peer
        .request(json!({"op": "events", "name": "z"}))
        .await?
        .to_string();
    assert!(events.contains("HANDSHAKE_SUCCEEDED"), "{events}");
    assert!(!events.contains("DISCONNECTED"), "{events}");
    ours.give(message(&["still here"], &[])).await?;
    peer.request(json!({"op": "recv", "name": "z", "expect": ["still here"]}))
        .await?;
    Ok(())
}

// CURVE-007, CURVE-063, ZMTP31-050
#[tokio::test]
async fn a_killed_curve_server_is_found_again() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let (server, client) = (KeyPair::generate(), KeyPair::generate());
    let port = ReservedPort::new()?;
    let endpoint = port.endpoint();
    let mut push = PushSocket::builder()
        .reconnect_interval(Duration::from_millis(10))
        .curve_client(server.public_key(), client)
        .build();
    let mut monitor = push.monitor();
    push.connect(endpoint.as_str()).await?;
    for round in 0..3 {
        let mut peer = libzmq(python, "PULL", curve_server(&server)).await?;
        bind_libzmq(&mut peer, &endpoint).await?;
        let text = format!("round {round}");
        push.give(message(&[&text], &[20_000])).await?;
        let expect = parts(&[&text], &[20_000]);
        peer.request(json!({"op": "recv", "name": "z", "expect": expect}))
            .await?;
        peer.kill().await?;
        // What is written into a dying connection is lost, as with libzmq.
        disconnected(&mut monitor).await?;
    }
    Ok(())
}

/// A directory of its own, removed at the end of the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Result<Self, Failure> {
        let unique = KeyPair::generate();
        let unique: String = unique.public_key().as_octets()[..8]
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect();
        let path = std::env::temp_dir().join(format!("zmtp-interop-{unique}"));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
