//! Handlers that say what they are told, and servers that ask them.

use std::time::Duration;

use tests::raw_peer::within;
use zmtp::authenticator::{Authenticator, Candidate, Credentials};
use zmtp::curve::{KeyPair, SecretKey};
use zmtp::wire::metadata::Metadata;
use zmtp::{
    Builder, Endpoint, IntoEndpoint, Monitor, Part, PullSocket, PushSocket, RouterSocket, Socket,
    SocketEvent, ZapAuthenticator,
};

use crate::security::support::chain;

/// Awaits what has to happen soon.
pub(super) async fn soon<T>(operation: impl Future<Output = T>) -> T {
    within(async { Ok(operation.await) }).await.unwrap()
}

/// A candidate, and so what a handler is asked.
pub(super) fn candidate() -> Candidate {
    let address: std::net::SocketAddr = "192.0.2.7:1".parse().unwrap();
    Candidate::new(address.into(), Credentials::Null)
}

/// The answer to `request` that lets "joe" in, with the empty part in front.
pub(super) fn success(request: &[Part]) -> Vec<Part> {
    let mut metadata = Metadata::new();
    metadata.insert("Role", "admin").unwrap();
    let mut encoded = Vec::new();
    metadata.encode(&mut encoded);
    vec![
        Part::EMPTY,
        "1.0".into(),
        request[2].clone(),
        "200".into(),
        "OK".into(),
        "joe".into(),
        encoded.into(),
    ]
}

/// Starts a handler that answers what `script` says.
pub(super) async fn start_handler(
    endpoint: &str,
    script: impl Fn(&[Part]) -> Vec<Vec<Part>> + Send + 'static,
) -> Endpoint {
    let mut router = RouterSocket::new();
    let endpoint = router.bind(endpoint).await.unwrap();
    tokio::spawn(async move {
        while let Ok((peer, request)) = router.recv_from().await {
            for reply in script(request.parts()) {
                router.try_send_to(peer, reply).unwrap();
            }
        }
    });
    endpoint
}

/// Asks `endpoint`, and does not wait for long.
pub(super) fn asking(endpoint: impl IntoEndpoint) -> ZapAuthenticator {
    ZapAuthenticator::at(endpoint)
        .unwrap()
        .reply_timeout(Duration::from_secs(5))
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Mechanism {
    Null,
    Plain,
    Curve,
}

impl Mechanism {
    pub(super) const ALL: [Self; 3] = [Self::Null, Self::Plain, Self::Curve];

    pub(super) fn server(self, authenticator: impl Authenticator) -> Builder<PullSocket> {
        let builder = PullSocket::builder().authenticator(authenticator);
        match self {
            Self::Null => builder,
            Self::Plain => builder.plain_server(),
            Self::Curve => builder.curve_server(server_pair()),
        }
    }

    pub(super) fn client(self) -> PushSocket {
        let builder = PushSocket::builder().no_reconnect();
        match self {
            Self::Null => builder,
            Self::Plain => builder.plain_client("admin", "secret").unwrap(),
            Self::Curve => builder.curve_client(server_pair().public_key(), KeyPair::generate()),
        }
        .build()
    }
}

pub(super) fn server_pair() -> KeyPair {
    KeyPair::new(SecretKey::from_octets([0x51; 32]))
}

/// Why the next peer was not let in.
pub(super) async fn next_refusal(monitor: &mut Monitor) -> String {
    soon(async {
        loop {
            if let Some(SocketEvent::HandshakeFailed { reason, .. }) = monitor.recv().await {
                return chain(&reason);
            }
        }
    })
    .await
}
