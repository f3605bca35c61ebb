//! How connections are secured, and who comes in (L5).
//!
//! - [`Security`] is what clients and servers are built with: a mechanism, its keys or passwords, and
//!   whoever decides who comes in.
//! - What it is made of comes from `zmtp`: [`Authenticator`] and the ready-made ones, credentials and,
//!   with the feature `curve`, keys and certificates.
//!
//! Which side is the server of a mechanism has nothing to do with who serves and who calls, or with
//! who binds and who connects: it is the side that decides whom to let in.
//!
//! # Example
//!
//! ```
//! use zrpc::security::{Passwords, Security};
//! use zrpc::{Client, Server};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut passwords = Passwords::new();
//! passwords.insert("ann", "secret")?;
//! let server = Server::builder()
//!     .method("whoami", |(): ()| async {
//!         let caller = zrpc::CallContext::current();
//!         caller.and_then(|call| call.user_id().map(|user| String::from_utf8_lossy(user).into_owned()))
//!     })
//!     .security(Security::plain_server(passwords))
//!     .bind("tcp://127.0.0.1:*")
//!     .build()
//!     .await?;
//!
//! let client = Client::builder()
//!     .security(Security::plain_client("ann", "secret")?)
//!     .connect(&server.endpoints()[0])
//!     .build()
//!     .await?;
//! assert_eq!(client.call::<String>("whoami", ()).await?, "ann");
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

#[cfg(feature = "curve")]
mod files;
mod policy;

#[cfg(feature = "curve")]
pub use files::KeyFileError;
pub use policy::Security;

pub use zmtp::authenticator::{
    Addresses, Authenticator, Candidate, Credentials, Decision, Denial, Passwords, from_fn,
};
#[cfg(feature = "curve")]
pub use zmtp::authenticator::{AnyKey, CertificateDirectory, CertificateFileError, PublicKeys};
#[cfg(feature = "curve")]
pub use zmtp::curve::{Certificate, KeyPair, PublicKey, SecretCertificate, SecretKey};
pub use zmtp::mechanism::{CredentialsError, PlainCredentials};
pub use zmtp::wire::metadata::Metadata;
