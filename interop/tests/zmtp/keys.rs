//! Keys and their text, made by one side and used by the other.

use interop::{Failure, Peer, PeerError, Program, TestResult};
use serde_json::{Value, json};
use zmtp::curve::{KeyPair, PublicKey, SecretKey};
use zmtp::wire::z85;

use crate::support::{pattern, python};

/// How many keys each side makes.
const KEYS: usize = 20;

async fn text(peer: &mut Peer, request: Value) -> Result<String, Failure> {
    let reply = peer.request(request).await?;
    let text = reply.as_str().map(str::to_owned);
    Ok(text.ok_or(PeerError::Field {
        field: String::from("text"),
        reply,
    })?)
}

// CURVE-001, Z85-016: libzmq's keys are those of libsodium.
#[tokio::test]
async fn public_keys_follow_from_secret_ones_in_the_same_way() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut peer = Peer::start(python, Program::Zmq, json!({})).await?;
    for _ in 0..KEYS {
        let theirs = peer.request(json!({"op": "curve_keypair"})).await?;
        let [public, secret] = [&theirs[0], &theirs[1]].map(|key| key.as_str().unwrap_or_default());
        let secret: SecretKey = secret.parse()?;
        let public: PublicKey = public.parse()?;
        assert_eq!(KeyPair::new(secret).public_key(), public);

        let ours = KeyPair::generate();
        let secret = ours.secret_key().expose_text();
        let public = text(&mut peer, json!({"op": "curve_public", "secret": secret})).await?;
        assert_eq!(public, ours.public_key().to_string());
    }
    Ok(())
}

// Z85-003, Z85-013
#[tokio::test]
async fn z85_is_the_same_on_both_sides() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut peer = Peer::start(python, Program::Zmq, json!({})).await?;
    for size in (0..=256).step_by(4) {
        let octets = pattern(size, size);
        let ours = z85::encode(&octets)?;
        let data = json!({"$pattern": {"size": size, "seed": size}});
        let theirs = text(&mut peer, json!({"op": "z85_encode", "data": data.clone()})).await?;
        assert_eq!(ours, theirs);
        assert_eq!(z85::decode(&theirs)?, octets);
        peer.request(json!({"op": "z85_decode", "text": ours, "expect": data}))
            .await?;
    }
    Ok(())
}
