//! Options that contradict each other.

use zmtp::authenticator::{Addresses, AnyKey, Passwords};
use zmtp::curve::{KeyPair, PublicKey};
use zmtp::{BindError, Builder, ConnectError, PullSocket, SecurityError, Socket};

async fn check(builder: impl Fn() -> Builder<PullSocket>, expected: SecurityError) {
    let socket = builder().build();
    for endpoint in ["tcp://127.0.0.1:*", "inproc://contradiction"] {
        let error = socket.bind(endpoint).await.unwrap_err();
        assert!(
            matches!(error, BindError::Security(error) if error == expected),
            "{error:?}"
        );
    }
    let error = socket.connect("tcp://127.0.0.1:1").await.unwrap_err();
    assert_eq!(error, ConnectError::Security(expected));
}

fn builder() -> Builder<PullSocket> {
    PullSocket::builder()
}

// PLAIN-021, CURVE-037
#[tokio::test]
async fn servers_need_somebody_who_decides() {
    check(|| builder().plain_server(), SecurityError::NoAuthenticator).await;
    let pair = KeyPair::generate();
    check(
        || builder().curve_server(pair.clone()),
        SecurityError::NoAuthenticator,
    )
    .await;
}

#[tokio::test]
async fn one_socket_has_one_mechanism_and_one_role() {
    let both = || builder().plain_client("admin", "secret").unwrap();
    check(
        || both().plain_server().authenticator(Passwords::new()),
        SecurityError::SeveralMechanisms,
    )
    .await;
    let pair = KeyPair::generate();
    check(
        || {
            builder()
                .curve_server(pair.clone())
                .curve_client(pair.public_key(), pair.clone())
                .authenticator(AnyKey)
        },
        SecurityError::SeveralMechanisms,
    )
    .await;
}

// CURVE-005
#[tokio::test]
async fn nobody_has_a_weak_key() {
    let weak = PublicKey::from_octets([0; 32]);
    let client = || builder().curve_client(weak, KeyPair::generate());
    check(client, SecurityError::WeakServerKey).await;
}

#[tokio::test]
async fn clients_let_nobody_in() {
    let client = || builder().plain_client("admin", "secret").unwrap();
    check(
        || client().authenticator(Addresses::deny([])),
        SecurityError::AuthenticatorOfClient,
    )
    .await;
}

// ZAP-011
#[tokio::test]
async fn a_domain_is_for_an_authenticator() {
    check(
        || builder().zap_domain("global").unwrap(),
        SecurityError::DomainWithoutAuthenticator,
    )
    .await;
    assert!(builder().zap_domain("").is_err());
    assert!(builder().zap_domain(&"d".repeat(256)).is_err());
}
