//! Letting users of PLAIN in by their passwords.

use std::collections::HashMap;
use std::fmt;

use crate::authenticator::decide::decided;
use crate::authenticator::{Authenticator, Candidate, Deciding};
use crate::mechanism::{Credentials, CredentialsError, Decision, Denial, PlainCredentials};
use crate::message::Part;
use crate::wire::metadata::Metadata;

/// Knows the passwords of users, and lets in whoever has the right one. Peers with another mechanism
/// stay out.
///
/// The user name becomes the user id. Whether a password is wrong or its user is unknown, and where
/// it is wrong, shows neither in the answer nor in the time that it takes.
#[derive(Clone, Default)]
pub struct Passwords {
    users: HashMap<Box<[u8]>, PlainCredentials>,
}

impl Passwords {
    /// Returns an authenticator that knows nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a user, or gives one another password.
    ///
    /// # Errors
    ///
    /// Returns a [`CredentialsError`] if PLAIN cannot carry them.
    pub fn insert(&mut self, username: &str, password: &str) -> Result<(), CredentialsError> {
        let credentials = PlainCredentials::new(username, password)?;
        self.users.insert(username.as_bytes().into(), credentials);
        Ok(())
    }

    /// Removes a user; connections that are there stay.
    pub fn remove(&mut self, username: &str) {
        self.users.remove(username.as_bytes());
    }

    fn decide(&self, credentials: &PlainCredentials) -> Decision {
        let username = credentials.expose_username();
        // A stranger is compared with somebody too, and differs in the name at least.
        let mut others = self.users.values();
        let known = self.users.get(username).or_else(|| others.next());
        let is_known = known.is_some_and(|known| credentials == known);
        if !is_known {
            return Decision::Deny(Denial::Refused);
        }
        Decision::Allow {
            user_id: Some(Part::from(username)),
            metadata: Metadata::new(),
        }
    }
}

impl Authenticator for Passwords {
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Deciding<'a> {
        decided(match &candidate.credentials {
            Credentials::Plain(credentials) => self.decide(credentials),
            _ => Decision::Deny(Denial::Refused),
        })
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords")
            .field("count", &self.users.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::endpoint::PeerAddress;

    async fn ask(passwords: &Passwords, credentials: Credentials) -> Decision {
        let address = PeerAddress::from(SocketAddr::from(([127, 0, 0, 1], 1)));
        let candidate = Candidate::new(address, credentials);
        passwords.authenticate(&candidate).await
    }

    fn plain(username: &str, password: &str) -> Credentials {
        Credentials::Plain(PlainCredentials::new(username, password).unwrap())
    }

    // ZAP-045
    #[tokio::test]
    async fn users_with_their_passwords_come_in() {
        let mut passwords = Passwords::new();
        passwords.insert("admin", "old").unwrap();
        passwords.insert("admin", "secret").unwrap();
        passwords.insert("guest", "").unwrap();
        for (username, password) in [("admin", "secret"), ("guest", "")] {
            let expected = Decision::Allow {
                user_id: Some(username.into()),
                metadata: Metadata::new(),
            };
            assert_eq!(ask(&passwords, plain(username, password)).await, expected);
        }
        let refused = Decision::Deny(Denial::Refused);
        for (username, password) in [
            ("admin", "old"),
            ("admin", "secre"),
            ("admin", "secrett"),
            ("admin", ""),
            ("guest", "secret"),
            ("", ""),
            ("Admin", "secret"),
        ] {
            let decision = ask(&passwords, plain(username, password)).await;
            assert_eq!(decision, refused, "{username} {password}");
        }
        assert_eq!(ask(&passwords, Credentials::Null).await, refused);
        passwords.remove("admin");
        assert_eq!(ask(&passwords, plain("admin", "secret")).await, refused);
    }

    // PLAIN-022
    #[test]
    fn nothing_secret_is_shown() {
        let mut passwords = Passwords::new();
        passwords.insert("admin", "secret").unwrap();
        let shown = format!("{passwords:#?}");
        assert!(!shown.contains("secret") && !shown.contains("admin"));
    }
}
