//! Handlers of ZAP in other processes: Python's, asked by our servers, and ours, asked by libzmq's
//! and by programs.

use interop::{Failure, Peer, PeerError, Program, Python, TestResult};
use serde_json::json;
use zmtp::authenticator::Passwords;
use zmtp::curve::KeyPair;
use zmtp::{
    Builder, MessageReceiver, PullSocket, PushSocket, RepSocket, RouterSocket, Socket, SocketEvent,
    ZapAuthenticator, ZapHandler, zap,
};

use crate::support::{libzmq, python, soon};

/// Starts a proxy in the process of the peer; tells where it listens.
async fn forward(peer: &mut Peer, frontend: &str, backend: &str) -> Result<String, Failure> {
    let request = json!({"op": "forward", "frontend": frontend, "backend": backend});
    let reply = peer.request(request).await?;
    let endpoint = reply["endpoint"].as_str().map(str::to_owned);
    Ok(endpoint.ok_or(PeerError::Field {
        field: String::from("endpoint"),
        reply,
    })?)
}

/// Where the authenticator of pyzmq can be asked from outside of its process.
async fn their_handler(python: &Python, frontend: &str) -> Result<(Peer, String), Failure> {
    let mut peer = Peer::start(python, Program::Zmq, json!({})).await?;
    peer.request(json!({"op": "authenticate", "users": {"admin": "secret"}}))
        .await?;
    let endpoint = forward(&mut peer, frontend, zap::ENDPOINT).await?;
    Ok((peer, endpoint))
}

/// The user that the server takes the client for; `None` if it does not let the client in.
async fn admitted_as(
    server: Builder<PullSocket>,
    client: Builder<PushSocket>,
) -> Result<Option<String>, Failure> {
    let mut pull = server.build();
    let mut monitor = pull.monitor();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await?;
    let mut push = client.no_reconnect().build();
    push.connect(endpoint).await?;
    push.send("hello").await?;
    let refused = async {
        loop {
            match monitor.recv().await {
                Some(SocketEvent::HandshakeFailed { reason, .. }) => return reason,
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    };
    let outcome = async {
        tokio::select! {
            received = pull.recv_with_peer() => Ok(Some(received?)),
            reason = refused => {
                assert!(reason.to_string().contains("400"), "{reason}");
                Ok::<_, Failure>(None)
            }
        }
    };
    let Some(received) = soon(outcome).await?? else {
        return Ok(None);
    };
    let user_id = received.info.user_id.clone().unwrap_or_default();
    Ok(Some(String::from_utf8_lossy(&user_id).into_owned()))
}

// ZAP-001, ZAP-002, ZAP-035, ZAP-045, ZAP-029
#[tokio::test]
async fn our_servers_ask_the_handler_of_python() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = KeyPair::generate();
    for frontend in ["tcp://127.0.0.1:*", "ipc://*"] {
        let (_peer, handler) = their_handler(python, frontend).await?;
        let ask = || ZapAuthenticator::at(handler.as_str());
        let pull = PullSocket::builder;

        let null = pull().zap_domain("global")?.authenticator(ask()?);
        let user = admitted_as(null, PushSocket::builder()).await?;
        assert_eq!(user.as_deref(), Some("anonymous"));

        let plain = pull().plain_server().authenticator(ask()?);
        let client = PushSocket::builder().plain_client("admin", "secret")?;
        let user = admitted_as(plain.clone(), client).await?;
        assert_eq!(user.as_deref(), Some("admin"));
        let client = PushSocket::builder().plain_client("admin", "secret")?;
        let elsewhere = plain.clone().zap_domain("where it knows nobody")?;
        assert_eq!(admitted_as(elsewhere, client).await?, None);
        let stranger = PushSocket::builder().plain_client("admin", "wrong")?;
        assert_eq!(admitted_as(plain, stranger).await?, None);

        let curve = pull().curve_server(server.clone()).authenticator(ask()?);
        let pair = KeyPair::generate();
        let client = PushSocket::builder().curve_client(server.public_key(), pair.clone());
        let user = admitted_as(curve, client).await?;
        assert_eq!(user, Some(pair.public_key().to_string()));
    }
    Ok(())
}

/// Starts our handler, for one user.
async fn our_handler() -> Result<String, Failure> {
    let mut users = Passwords::new();
    users.insert("admin", "secret")?;
    let router = RouterSocket::new();
    let endpoint = router.bind("tcp://127.0.0.1:*").await?;
    tokio::spawn(ZapHandler::new(users).serve(router));
    Ok(endpoint.to_string())
}

// ZAP-001, ZAP-032, ZAP-034, ZAP-035, ZAP-036, ZAP-029
#[tokio::test]
async fn servers_of_libzmq_ask_our_handler() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let handler = our_handler().await?;
    let options = json!({"PLAIN_SERVER": 1, "ZAP_DOMAIN": "global"});
    let mut peer = libzmq(python, "PULL", options).await?;
    forward(&mut peer, zap::ENDPOINT, &handler).await?;
    let request = json!({"op": "bind", "name": "z", "endpoint": "tcp://127.0.0.1:*"});
    let reply = peer.request(request).await?;
    let endpoint = reply["endpoint"].as_str().unwrap_or_default().to_owned();

    let stranger = PushSocket::builder()
        .plain_client("admin", "wrong")?
        .build();
    let mut monitor = stranger.monitor();
    stranger.connect(&endpoint).await?;
    let given_up = async {
        loop {
            match monitor.recv().await {
                Some(SocketEvent::ConnectGivenUp { .. }) | None => return,
                Some(_) => {}
            }
        }
    };
    soon(given_up).await?;

    let mut push = PushSocket::builder()
        .plain_client("admin", "secret")?
        .build();
    push.connect(&endpoint).await?;
    push.send("hello").await?;
    let request = json!({"op": "recv_properties", "name": "z", "properties": ["User-Id"]});
    let properties = peer.request(request).await?;
    assert_eq!(properties["User-Id"], "admin");
    Ok(())
}

// ZAP-019, ZAP-033, ZAP-034, ZAP-046
#[tokio::test]
async fn a_program_asks_our_handlers_with_a_req_and_a_dealer() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut users = Passwords::new();
    users.insert("admin", "secret")?;
    let rep = RepSocket::new();
    let behind_rep = rep.bind("tcp://127.0.0.1:*").await?.to_string();
    tokio::spawn(ZapHandler::new(users).serve_in_turn(rep));
    let request = [
        "1.0",
        "0001",
        "test",
        "192.168.55.1",
        "BOB",
        "PLAIN",
        "admin",
    ];
    for endpoint in [our_handler().await?, behind_rep] {
        for (kind, envelope) in [("REQ", &[][..]), ("DEALER", &["hop", ""])] {
            let mut peer = libzmq(python, kind, json!({})).await?;
            peer.request(json!({"op": "connect", "name": "z", "endpoint": endpoint}))
                .await?;
            for (password, reply) in [
                ("secret", ["200", "OK", "admin", ""]),
                ("wrong", ["400", "authentication failure", "", ""]),
            ] {
                let sent = [envelope, &request, &[password]].concat();
                peer.request(json!({"op": "send", "name": "z", "parts": sent}))
                    .await?;
                let expect = [envelope, &["1.0", "0001"], &reply].concat();
                peer.request(json!({"op": "recv", "name": "z", "expect": expect}))
                    .await?;
            }
        }
    }
    Ok(())
}
