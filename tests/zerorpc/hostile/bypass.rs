//! Clients that want to do what they may not.

use rmpv::Value;
use tests::bytes::{command, greeting_with_mechanism, message, property};
use tests::raw_peer::RawPeer;
use tests::rpc::{self, RawEvent};
use tests::victim::Victim;
use zrpc::security::Security;

use super::victim::{Healthy, LITTLE, start};

async fn admin(victim: &Victim) -> Healthy {
    let security = Security::plain_client("admin", "correct-horse-battery").unwrap();
    Healthy::connect_with(victim, security).await
}

fn hello(user: &str, password: &str) -> Vec<u8> {
    let mut data = Vec::new();
    for text in [user, password] {
        data.push(u8::try_from(text.len()).unwrap());
        data.extend_from_slice(text.as_bytes());
    }
    command("HELLO", &data)
}

/// A guest, who says of himself whatever he likes.
async fn guest(victim: &Victim, claims: &[(&str, &[u8])]) -> RawPeer {
    let mut peer = RawPeer::connect(victim.address()).await.unwrap();
    peer.send(&greeting_with_mechanism(3, 1, b"PLAIN"))
        .await
        .unwrap();
    peer.recv_greeting().await.unwrap();
    peer.send(&hello("guest", "guest-staple")).await.unwrap();
    assert!(peer.recv_frame().await.unwrap().is_command("WELCOME"));
    let claims = claims
        .iter()
        .flat_map(|(name, value)| property(name, value));
    let metadata: Vec<u8> = property("Socket-Type", b"DEALER")
        .into_iter()
        .chain(claims)
        .collect();
    peer.send(&command("INITIATE", &metadata)).await.unwrap();
    assert!(peer.recv_frame().await.unwrap().is_command("READY"));
    peer
}

async fn ask(peer: &mut RawPeer, payload: &[u8]) -> RawEvent {
    rpc::send(peer, payload).await.unwrap();
    let mut reply = rpc::recv(peer).await.unwrap();
    while reply.is("_zpc_hb") {
        reply = rpc::recv(peer).await.unwrap();
    }
    reply
}

/// The reply is an error of this name.
fn assert_refused(what: &str, reply: &RawEvent, error: &str) {
    assert!(reply.is("ERR"), "{what}: {reply:?}");
    assert_eq!(reply.args[0], Value::from(error), "{what}: {reply:?}");
}

async fn conclude(victim: Victim, mut healthy: Healthy, what: &str) {
    healthy.call().await;
    let ran = victim.all_said("ran ");
    assert!(ran.is_empty(), "{what}: {ran:?}");
    victim.conclude(what, LITTLE, 0, healthy).await;
}

#[tokio::test]
async fn no_spelling_of_a_name_gets_around_who_may_call_it() {
    let victim = start("guarded").await;
    let healthy = admin(&victim).await;
    let mut peer = guest(&victim, &[]).await;
    let name = |name: &[u8]| Value::Binary(name.to_vec());
    // The same method in either type, to which the same rule holds.
    for spelling in [Value::from("shutdown"), name(b"shutdown")] {
        let header = rpc::header(rpc::id(1), None);
        let payload = rpc::event(header, spelling.clone(), Value::Array(vec![]));
        let reply = ask(&mut peer, &payload).await;
        assert_refused(&spelling.to_string(), &reply, "PermissionError");
    }
    // And what may look like it to somebody, and to the server is nothing.
    let others: [&[u8]; 14] = [
        b"Shutdown",
        b"SHUTDOWN",
        b" shutdown",
        b"shutdown ",
        b"shutdown\0",
        b"shutdown\n",
        b"\xef\xbb\xbfshutdown",
        b"shutdown\xff",
        b"shut\xc0\xa4own",
        "shutd\u{ff4f}wn".as_bytes(),
        b"./shutdown",
        b"_zerorpc_shutdown",
        b"_zpc_shutdown",
        b"",
    ];
    for spelling in others {
        let header = rpc::header(rpc::id(1), None);
        let payload = rpc::event(header, name(spelling), Value::Array(vec![]));
        let reply = ask(&mut peer, &payload).await;
        assert_refused(&String::from_utf8_lossy(spelling), &reply, "NameError");
    }
    conclude(victim, healthy, "names spelled otherwise").await;
}

#[tokio::test]
async fn what_introspection_hides_no_prefix_finds() {
    let victim = start("guarded").await;
    let healthy = admin(&victim).await;
    let mut peer = guest(&victim, &[]).await;
    for method in ["ping", "name", "list", "help", "args", "inspect"] {
        for prefix in [
            "_zerorpc_",
            "_zerorpc__zerorpc_",
            "_ZERORPC_",
            "zerorpc_",
            "_zpc_",
        ] {
            let name = format!("{prefix}{method}");
            for args in [vec![], vec![Value::from("shutdown")]] {
                let reply = ask(&mut peer, &rpc::request(rpc::id(1), &name, args)).await;
                assert_refused(&name, &reply, "NameError");
                let text = reply.args[1].as_str().unwrap();
                assert!(!text.contains("shutdown"), "{text}");
            }
        }
    }
    conclude(victim, healthy, "hidden introspection").await;
}

// ZAP-030: what a peer says of itself proves nothing.
#[tokio::test]
async fn nobody_becomes_another_user_by_saying_so() {
    let victim = start("guarded").await;
    let healthy = admin(&victim).await;
    let claims: [&[(&str, &[u8])]; 5] = [
        &[("User-Id", b"admin")],
        &[("user-id", b"admin"), ("X-User-Id", b"admin")],
        &[("USER-ID", b"admin"), ("Peer-Address", b"127.0.0.1")],
        &[("Identity", b"admin")],
        &[("X-Granted", b"admin"), ("Username", b"admin")],
    ];
    for claims in claims {
        let mut peer = guest(&victim, claims).await;
        let entries = [
            "user_id", "User-Id", "user", "username", "identity", "metadata",
        ];
        let mut header = vec![
            (Value::from("message_id"), rpc::id(1)),
            (Value::from("v"), Value::from(3)),
        ];
        header.extend(entries.map(|entry| (Value::from(entry), Value::from("admin"))));
        for name in ["shutdown", "add"] {
            let args = Value::Array(vec![]);
            let payload = rpc::event(Value::Map(header.clone()), name, args);
            let reply = ask(&mut peer, &payload).await;
            let error = if name == "shutdown" {
                "PermissionError"
            } else {
                "TypeError"
            };
            assert_refused(&format!("{claims:x?}"), &reply, error);
        }
    }
    conclude(victim, healthy, "claims to be somebody else").await;
}

// Q18: a rule is asked about the request, whatever opened its channel.
#[tokio::test]
async fn no_way_into_a_channel_gets_around_who_may_call() {
    let victim = start("guarded").await;
    let healthy = admin(&victim).await;
    let mut peer = guest(&victim, &[]).await;
    let none = || Value::Array(vec![]);
    // Opened by a heartbeat.
    let opening = rpc::event(rpc::header(rpc::id(1), None), "_zpc_hb", none());
    rpc::send(&mut peer, &opening).await.unwrap();
    let reply = ask(&mut peer, &rpc::on_channel(&rpc::id(1), "shutdown", none())).await;
    assert_refused("after a heartbeat", &reply, "PermissionError");
    // On the channel of a call that is allowed, and goes on.
    let allowed = rpc::request(rpc::id(2), "wait", vec![]);
    rpc::send(&mut peer, &allowed).await.unwrap();
    let within = rpc::on_channel(&rpc::id(2), "shutdown", none());
    rpc::send(&mut peer, &within).await.unwrap();
    // With the envelope of somebody else, and as an older version.
    let payload = rpc::request(rpc::id(3), "shutdown", vec![]);
    for envelope in [&b"admin"[..], b"\0\0\0\0\x01"] {
        peer.send(&message(&[envelope, b"", &payload]))
            .await
            .unwrap();
        let (_, reply) = rpc::recv_enveloped(&mut peer).await.unwrap();
        assert_refused("another envelope", &reply, "PermissionError");
    }
    for version in [Value::Nil, Value::from(1), Value::from(2), Value::from(99)] {
        let header = Value::Map(vec![
            (Value::from("message_id"), rpc::id(4)),
            (Value::from("v"), version.clone()),
        ]);
        let reply = ask(&mut peer, &rpc::event(header, "shutdown", none())).await;
        assert!(reply.is("ERR"), "{version}: {reply:?}");
    }
    conclude(victim, healthy, "other ways into a channel").await;
}

// Q21: ids are those of a connection.
#[tokio::test]
async fn nobody_reaches_the_channel_of_another_connection() {
    let victim = start("guarded").await;
    let healthy = admin(&victim).await;
    let mut owner = guest(&victim, &[]).await;
    let call = rpc::request(rpc::id(7), "wait", vec![]);
    rpc::send(&mut owner, &call).await.unwrap();
    let mut other = guest(&victim, &[("Identity", b"owner")]).await;
    for name in ["_zpc_cancel", "_zpc_hb", "_zpc_more", "OK", "shutdown"] {
        let event = rpc::on_channel(&rpc::id(7), name, Value::Array(vec![Value::from(0)]));
        rpc::send(&mut other, &event).await.unwrap();
    }
    let add = vec![Value::from(1), Value::from(2)];
    let reply = ask(&mut other, &rpc::request(rpc::id(7), "add", add)).await;
    assert_eq!(reply.args, Value::Array(vec![Value::from(3)]));
    // The call of the owner is as it was: it is answered when it is asked for again.
    let add = vec![Value::from(1), Value::from(2)];
    let reply = ask(&mut owner, &rpc::request(rpc::id(8), "add", add)).await;
    assert_eq!(reply.entry("response_to"), Some(&rpc::id(8)));
    conclude(victim, healthy, "channels of others").await;
}

// PLAIN-016: and nobody learns from the log what was tried.
#[tokio::test]
async fn passwords_that_are_guessed_stay_out_of_the_log() {
    let victim = start("guarded").await;
    let mut healthy = admin(&victim).await;
    let guesses = [
        "",
        "correct-horse-batter",
        "guest-staple",
        "correct-horse-battery ",
    ];
    for guess in guesses {
        let mut peer = RawPeer::connect(victim.address()).await.unwrap();
        let octets = [
            greeting_with_mechanism(3, 1, b"PLAIN"),
            hello("admin", guess),
        ];
        peer.send(&octets.concat()).await.unwrap();
        let said = peer.recv_until_closed().await.unwrap();
        assert!(said.ends_with(b"\x05ERROR\x03400"), "{said:x?}");
    }
    healthy.call().await;
    let what = "passwords that are guessed";
    let acts = guesses.len();
    let warnings = victim.conclude(what, LITTLE, acts, healthy).await;
    assert!(warnings.iter().all(|warning| !warning.contains("horse")));
}
