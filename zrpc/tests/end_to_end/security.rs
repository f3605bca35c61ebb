//! Who comes in, what is encrypted, and what a method learns about its caller.

use std::time::Duration;

use zrpc::security::{Addresses, Authenticator, Decision, Denial, Passwords, Security, from_fn};
use zrpc::{CallContext, CallError, Client, ConnectError, DisconnectReason, Server, ServerBuilder};

use crate::support::{in_time, pair_with};

/// A service that says who its caller is.
fn whoami() -> ServerBuilder {
    Server::builder().method("whoami", |(): ()| async {
        let context = CallContext::current()?;
        let user = context.user_id()?;
        Some(String::from_utf8_lossy(user).into_owned())
    })
}

fn passwords() -> Passwords {
    let mut passwords = Passwords::new();
    passwords.insert("ann", "secret").unwrap();
    passwords
}

/// Calls a server that will not let this client in.
async fn refused(server: &Server, security: Security) -> CallError {
    let client = Client::builder()
        .security(security)
        .timeout(Duration::from_millis(300))
        .connect(&server.endpoints()[0])
        .build()
        .await
        .unwrap();
    in_time(client.call::<Option<String>>("whoami", ()))
        .await
        .unwrap_err()
}

#[tokio::test]
async fn plain_tells_the_method_which_user_calls() {
    let server = whoami().security(Security::plain_server(passwords()));
    let client = Client::builder().security(Security::plain_client("ann", "secret").unwrap());
    let (server, client) = pair_with(server, client).await;
    let user = in_time(client.call::<Option<String>>("whoami", ())).await;
    assert_eq!(user, Ok(Some("ann".to_owned())));
    let wrong = Security::plain_client("ann", "guess").unwrap();
    assert!(matches!(
        refused(&server, wrong).await,
        CallError::Unreachable(_)
    ));
    assert!(matches!(
        refused(&server, Security::null()).await,
        CallError::Unreachable(_)
    ));
    // Whoever is in stays in.
    in_time(client.call::<Option<String>>("whoami", ()))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_client_that_every_server_refuses_does_not_wait_until_it_connects_elsewhere() {
    let server = |security| {
        let server = whoami().security(security).bind("tcp://127.0.0.1:*");
        server.build()
    };
    let strict = server(Security::plain_server(passwords())).await.unwrap();
    let open = server(Security::null()).await.unwrap();
    let client = Client::builder()
        .timeout(None)
        .connect(&strict.endpoints()[0])
        .build()
        .await
        .unwrap();
    let Err(ConnectError::Unreachable(failure)) = in_time(client.connected()).await else {
        panic!("not refused");
    };
    assert_eq!(failure.endpoint, strict.endpoints()[0]);
    assert!(matches!(failure.reason, DisconnectReason::Protocol(_)));
    let refused = in_time(client.call::<Option<String>>("whoami", ())).await;
    assert_eq!(refused, Err(CallError::Unreachable(failure)));
    assert_eq!(client.stats().await.unwrap().calls_made, 1);

    client.connect_to(&open.endpoints()[0]).await.unwrap();
    in_time(client.connected()).await.unwrap();
    let user = in_time(client.call::<Option<String>>("whoami", ())).await;
    assert_eq!(user, Ok(None));
    assert_eq!(client.stats().await.unwrap().calls_made, 2);
}

#[tokio::test]
async fn without_an_authenticator_there_is_no_user() {
    let (_server, client) = pair_with(whoami(), Client::builder()).await;
    let user = in_time(client.call::<Option<String>>("whoami", ())).await;
    assert_eq!(user, Ok(None));
}

#[tokio::test]
async fn an_authenticator_decides_by_address_and_gives_properties() {
    let local = Addresses::allow(["127.0.0.0/8".parse().unwrap()]);
    let named = from_fn(|_| async {
        Decision::Allow {
            user_id: Some("local".into()),
            metadata: zrpc::security::Metadata::default(),
        }
    });
    let server = whoami().security(Security::null_server(local.and(named)));
    let (_server, client) = pair_with(server, Client::builder()).await;
    let user = in_time(client.call::<Option<String>>("whoami", ())).await;
    assert_eq!(user, Ok(Some("local".to_owned())));

    let nobody = from_fn(|_| async { Decision::Deny(Denial::Refused) });
    let server = whoami()
        .security(Security::null_server(nobody))
        .bind("tcp://127.0.0.1:*");
    let server = server.build().await.unwrap();
    assert!(matches!(
        refused(&server, Security::null()).await,
        CallError::Unreachable(_)
    ));
}

/// A client that binds decides which workers it gives calls to.
#[tokio::test]
async fn a_client_that_binds_lets_in_the_workers_that_it_knows() {
    let client = Client::builder()
        .security(Security::plain_server(passwords()))
        .timeout(Duration::from_millis(300))
        .bind("tcp://127.0.0.1:*")
        .build()
        .await
        .unwrap();
    let impostor = whoami()
        .security(Security::plain_client("ann", "guess").unwrap())
        .connect(&client.endpoints()[0])
        .build()
        .await
        .unwrap();
    let unserved = in_time(client.call::<Option<String>>("whoami", ())).await;
    assert!(matches!(unserved, Err(CallError::Timeout { .. })));
    drop(impostor);
    let _worker = whoami()
        .security(Security::plain_client("ann", "secret").unwrap())
        .connect(&client.endpoints()[0])
        .build()
        .await
        .unwrap();
    let request = client
        .request("whoami", ())
        .timeout(Duration::from_secs(20));
    let user = in_time(request.call::<Option<String>>()).await;
    // The worker did not authenticate the client.
    assert_eq!(user, Ok(None));
}

#[cfg(feature = "curve")]
mod curve {
    use zrpc::security::{AnyKey, Certificate, KeyPair, PublicKeys, SecretCertificate};

    use super::*;

    #[tokio::test]
    async fn curve_lets_in_the_keys_that_are_known() {
        let (ours, known) = (KeyPair::generate(), KeyPair::generate());
        let mut keys = PublicKeys::new();
        keys.insert(known.public_key());
        let server_key = ours.public_key();
        let server = whoami().security(Security::curve_server(ours, keys));
        let client = Client::builder().security(Security::curve_client(server_key, known.clone()));
        let (server, client) = pair_with(server, client).await;
        let user = in_time(client.call::<Option<String>>("whoami", ())).await;
        assert_eq!(user, Ok(Some(known.public_key().to_string())));
        let stranger = Security::curve_anonymous(server_key);
        assert!(matches!(
            refused(&server, stranger).await,
            CallError::Unreachable(_)
        ));
        // A server that cannot read the client's HELLO closes the connection without a word.
        let misled = Security::curve_client(KeyPair::generate().public_key(), known);
        assert!(matches!(
            refused(&server, misled).await,
            CallError::Timeout { cause: Some(_), .. }
        ));
    }

    #[tokio::test]
    async fn keys_come_from_certificate_files() {
        let (ours, theirs) = (KeyPair::generate(), KeyPair::generate());
        let directory = std::env::temp_dir().join(format!("zrpc-keys-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = |name: &str| directory.join(name);
        for (name, text) in [
            (
                "server.key",
                Certificate::new(ours.public_key()).to_string(),
            ),
            (
                "server.key_secret",
                SecretCertificate::new(&ours).expose_text(),
            ),
            (
                "client.key_secret",
                SecretCertificate::new(&theirs).expose_text(),
            ),
        ] {
            std::fs::write(path(name), text).unwrap();
        }
        let server = Security::curve_server_from_file(path("server.key_secret"), AnyKey).unwrap();
        let client =
            Security::curve_client_from_files(path("server.key"), path("client.key_secret"))
                .unwrap();
        // A public certificate is no key pair.
        let lacking = Security::curve_server_from_file(path("server.key"), AnyKey).unwrap_err();
        assert!(format!("{:?}", lacking.reason).contains("secret-key"));
        assert!(!format!("{client:?}").contains(&theirs.secret_key().expose_text()));
        let (_server, client) = pair_with(
            whoami().security(server),
            Client::builder().security(client),
        )
        .await;
        let user = in_time(client.call::<Option<String>>("whoami", ())).await;
        assert!(user.is_ok(), "{user:?}");
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
