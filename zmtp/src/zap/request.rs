//! What a handler is asked.

use std::fmt;

use thiserror::Error;

use crate::message::{Message, Part};
use crate::wire::greeting::MechanismName;
use crate::zap::envelope::{MAX_LEN, VERSION};

/// Asks whether a client may come in.
///
/// [`decode`](Self::decode) lets only such requests through as the protocol allows. The credentials
/// are in none of its output.
#[derive(Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "these are the parts that the protocol has"
)]
pub struct Request {
    /// What the reply has to repeat; opaque.
    pub request_id: Part,
    /// The name of the set of credentials. Empty if the server has none, as with libzmq.
    pub domain: String,
    /// Where the client is: an IP address without a port, or a text for other transports.
    pub address: String,
    /// The `Identity` of the client, as far as it is known by now.
    pub identity: Part,
    /// The security mechanism.
    pub mechanism: MechanismName,
    /// Nothing for NULL, user name and password for PLAIN, the 32 octets of a key for CURVE.
    pub credentials: Vec<Part>,
}

/// Why a message is not a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Malformed: there are fewer parts than every request has.
    #[error("a request has six parts and the credentials, not {count} parts")]
    PartCount {
        /// The number of parts.
        count: usize,
    },
    /// Incompatible: the request is of another version of the protocol.
    #[error("not version 1.0 of ZAP")]
    Version,
    /// Malformed: a part is longer than 255 octets.
    #[error("{field} of {len} octets exceeds the limit of {limit}")]
    TooLong {
        /// What the part is.
        field: &'static str,
        /// Its length in octets.
        len: usize,
        /// The largest length.
        limit: usize,
    },
    /// Malformed: a part is not printable ASCII.
    #[error("{field} is not printable ASCII")]
    Text {
        /// What the part is.
        field: &'static str,
    },
    /// Malformed: the name of the mechanism is none.
    #[error("illegal name of a mechanism")]
    Mechanism,
    /// Malformed: the credentials do not belong to the mechanism.
    #[error("{count} parts of credentials for the mechanism {mechanism}")]
    Credentials {
        /// The mechanism.
        mechanism: MechanismName,
        /// The number of parts.
        count: usize,
    },
    /// Malformed: the credentials of CURVE are not a key.
    #[error("a key has 32 octets, not {len}")]
    KeyLength {
        /// The length in octets.
        len: usize,
    },
}

impl Request {
    /// Returns the message as a REQ sends it `[ZAP-008]`.
    ///
    /// What exceeds the limits of the protocol is sent as it is, for the handler to refuse.
    pub fn encode(&self) -> Message {
        let mut message = Message::from([
            Part::from(VERSION),
            self.request_id.clone(),
            Part::from(self.domain.as_str()),
            Part::from(self.address.as_str()),
            self.identity.clone(),
            Part::from(self.mechanism.name()),
        ]);
        message.extend(self.credentials.iter().cloned());
        message
    }

    /// Reads the parts of a message as a REP receives it.
    ///
    /// # Errors
    ///
    /// Returns a [`RequestError`] if the message does not keep to the protocol: in the number of
    /// parts, their lengths and characters, or in the credentials of a mechanism that is known.
    pub fn decode(parts: &[Part]) -> Result<Self, RequestError> {
        // The version decides what the rest means.
        if parts.first().is_some_and(|version| *version != *VERSION) {
            return Err(RequestError::Version);
        }
        let count = parts.len();
        let [
            _,
            request_id,
            domain,
            address,
            identity,
            mechanism,
            credentials @ ..,
        ] = parts
        else {
            return Err(RequestError::PartCount { count });
        };
        let request = Self {
            request_id: bounded("request id", request_id)?.clone(),
            domain: text("domain", domain)?,
            address: text("address", address)?,
            identity: bounded("identity", identity)?.clone(),
            mechanism: std::str::from_utf8(mechanism)
                .ok()
                .and_then(|name| MechanismName::new(name).ok())
                .ok_or(RequestError::Mechanism)?,
            credentials: credentials.to_vec(),
        };
        request.check_credentials()?;
        Ok(request)
    }

    /// [ZAP-016] Each mechanism has its credentials.
    fn check_credentials(&self) -> Result<(), RequestError> {
        for part in &self.credentials {
            bounded("credential", part)?;
        }
        let mechanism = self.mechanism;
        let count = self.credentials.len();
        let expected = match mechanism {
            MechanismName::NULL => 0,
            MechanismName::PLAIN => 2,
            MechanismName::CURVE => 1,
            _ => return Ok(()),
        };
        if count != expected {
            return Err(RequestError::Credentials { mechanism, count });
        }
        match self.credentials.as_slice() {
            [key] if mechanism == MechanismName::CURVE && key.len() != KEY_LEN => {
                Err(RequestError::KeyLength { len: key.len() })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("request_id", &self.request_id)
            .field("domain", &self.domain)
            .field("address", &self.address)
            .field("identity", &self.identity)
            .field("mechanism", &self.mechanism)
            .finish_non_exhaustive()
    }
}

fn text(field: &'static str, part: &Part) -> Result<String, RequestError> {
    let part = bounded(field, part)?;
    let is_legal = |octet: &u8| octet.is_ascii_graphic() || *octet == b' ';
    let text = part.iter().all(is_legal).then(|| part.to_vec());
    text.and_then(|octets| String::from_utf8(octets).ok())
        .ok_or(RequestError::Text { field })
}

fn bounded<'a>(field: &'static str, part: &'a Part) -> Result<&'a Part, RequestError> {
    let (len, limit) = (part.len(), MAX_LEN);
    if len > limit {
        return Err(RequestError::TooLong { field, len, limit });
    }
    Ok(part)
}

/// The length of the public key of a client.
const KEY_LEN: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(texts: &[&str]) -> Vec<Part> {
        texts.iter().copied().map(Part::from).collect()
    }

    fn request(mechanism: MechanismName, credentials: &[&str]) -> Request {
        Request {
            request_id: "0001".into(),
            domain: "test".to_owned(),
            address: "192.168.55.1".to_owned(),
            identity: "BOB".into(),
            mechanism,
            credentials: parts(credentials),
        }
    }

    const HEAD: [&str; 5] = ["1.0", "0001", "test", "192.168.55.1", "BOB"];

    // ZAP-008, ZAP-009, ZAP-016, ZAP-046
    #[test]
    fn the_examples_of_the_protocol_are_read_and_written() {
        let key = "k".repeat(32);
        for (mechanism, name, credentials) in [
            (MechanismName::NULL, "NULL", &[][..]),
            (MechanismName::PLAIN, "PLAIN", &["admin", "secret"]),
            (MechanismName::CURVE, "CURVE", &[key.as_str()]),
        ] {
            let request = request(mechanism, credentials);
            let mut expected = parts(&HEAD);
            expected.push(name.into());
            expected.extend(parts(credentials));
            assert_eq!(request.encode().parts(), expected);
            assert_eq!(Request::decode(&expected), Ok(request));
        }
    }

    // ZAP-008, ZAP-009, ZAP-015, ZAP-017, ZAP-018
    #[test]
    fn parts_that_the_protocol_does_not_allow_are_named() {
        let long = "x".repeat(256);
        let too_long = |field| RequestError::TooLong {
            field,
            len: 256,
            limit: 255,
        };
        for (at, part, error) in [
            (0, "1.1", RequestError::Version),
            (0, "", RequestError::Version),
            (1, long.as_str(), too_long("request id")),
            (2, long.as_str(), too_long("domain")),
            (3, long.as_str(), too_long("address")),
            (4, long.as_str(), too_long("identity")),
            (2, "a\0", RequestError::Text { field: "domain" }),
            (3, "é", RequestError::Text { field: "address" }),
            (5, "", RequestError::Mechanism),
            (5, "plain", RequestError::Mechanism),
            (5, "NULL\0", RequestError::Mechanism),
        ] {
            let mut message = parts(&HEAD);
            message.push("NULL".into());
            message[at] = part.into();
            assert_eq!(Request::decode(&message), Err(error), "{at}");
        }
        for count in 1..6 {
            let mut message = parts(&HEAD);
            message.truncate(count);
            let error = RequestError::PartCount { count };
            assert_eq!(Request::decode(&message), Err(error));
        }
        assert_eq!(
            Request::decode(&[]),
            Err(RequestError::PartCount { count: 0 })
        );
    }

    // ZAP-016
    #[test]
    fn credentials_belong_to_the_mechanism() {
        for (name, credentials) in [
            ("NULL", &["a"][..]),
            ("PLAIN", &["a"]),
            ("PLAIN", &["a", "b", "c"]),
            ("CURVE", &[]),
            ("CURVE", &["a", "b"]),
        ] {
            let mechanism = MechanismName::new(name).unwrap();
            let count = credentials.len();
            assert_eq!(
                Request::decode(request(mechanism, credentials).encode().parts()),
                Err(RequestError::Credentials { mechanism, count })
            );
        }
        let short = request(MechanismName::CURVE, &["key"]).encode();
        let error = RequestError::KeyLength { len: 3 };
        assert_eq!(Request::decode(short.parts()), Err(error));
        let other = request(MechanismName::new("GSSAPI").unwrap(), &["principal"]);
        assert_eq!(Request::decode(other.encode().parts()), Ok(other));
    }

    // PLAIN-022
    #[test]
    fn credentials_are_not_shown() {
        let shown = format!("{:?}", request(MechanismName::PLAIN, &["admin", "secret"]));
        assert!(
            !shown.contains("secret") && !shown.contains("admin"),
            "{shown}"
        );
    }

    /// A request that keeps to the protocol.
    fn legal_request() -> impl Strategy<Value = Request> {
        let octets = |len| prop::collection::vec(any::<u8>(), len).prop_map(Part::from);
        let credentials = prop_oneof![
            Just((MechanismName::NULL, Vec::new())),
            prop::collection::vec(octets(0..=255), 2).prop_map(|both| (MechanismName::PLAIN, both)),
            octets(32..=32).prop_map(|key| (MechanismName::CURVE, vec![key])),
            (
                "X[A-Z0-9_.+-]{0,19}",
                prop::collection::vec(octets(0..=255), 0..5)
            )
                .prop_map(|(name, others)| (MechanismName::new(&name).unwrap(), others)),
        ];
        let texts = ("[ -~]{0,255}", "[ -~]{0,255}");
        let ids = (octets(0..=255), octets(0..=255));
        (texts, ids, credentials).prop_map(
            |((domain, address), (request_id, identity), (mechanism, credentials))| Request {
                request_id,
                domain,
                address,
                identity,
                mechanism,
                credentials,
            },
        )
    }

    proptest! {
        // ZAP-008, ZAP-009, ZAP-016
        #[test]
        fn a_request_is_read_as_it_was_written(request in legal_request()) {
            let message = request.encode();
            prop_assert_eq!(message.parts().len(), 6 + request.credentials.len());
            prop_assert_eq!(Request::decode(message.parts()), Ok(request));
        }

        // ZAP-008, ZAP-015, ZAP-016
        #[test]
        fn any_message_is_refused_or_read_without_loss(
            message in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..9),
            request in legal_request(),
            changed in any::<prop::sample::Index>(),
        ) {
            let message: Vec<Part> = message.into_iter().map(Part::from).collect();
            if let Ok(read) = Request::decode(&message) {
                prop_assert_eq!(read.encode(), Message::from_iter(message.clone()));
            }
            let mut almost = request.encode().parts().to_vec();
            let changed = changed.index(almost.len());
            if let Some(part) = message.first() {
                almost[changed] = part.clone();
            }
            if let Ok(read) = Request::decode(&almost) {
                prop_assert_eq!(read.encode(), Message::from_iter(almost));
            }
        }
    }
}
