//! What a handler answers.

use thiserror::Error;

use crate::mechanism::{Decision, Denial};
use crate::message::{Message, Part};
use crate::wire::metadata::{Metadata, MetadataError, MetadataLimits};
use crate::zap::envelope::{MAX_LEN, VERSION};

/// Says whether a client may come in.
///
/// [`decode`](Self::decode) lets only such replies through as the protocol allows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "these are the parts that the protocol has"
)]
pub struct Reply {
    /// That of the request.
    pub request_id: Part,
    /// The answer.
    pub status: Status,
    /// The reason in words, for logs. The client never sees it `[ZAP-027]`.
    pub status_text: String,
    /// Who the client is; empty unless it may come in.
    pub user_id: Part,
    /// What else is known about the client; empty unless it may come in.
    pub metadata: Metadata,
}

/// The answer of a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the four codes that the protocol defines"
)]
pub enum Status {
    /// 200: the client may come in.
    Success,
    /// 300: not now; the client may try again.
    TemporaryError,
    /// 400: not with these credentials.
    AuthenticationFailure,
    /// 500: the handler failed.
    InternalError,
}

/// Why a message is not a [`Reply`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// Malformed: a DEALER received it without the empty part in front.
    #[error("no empty part in front of the reply")]
    Delimiter,
    /// Malformed: there are not six parts.
    #[error("a reply has six parts, not {count}")]
    PartCount {
        /// The number of parts.
        count: usize,
    },
    /// Incompatible: the reply is of another version of the protocol.
    #[error("not version 1.0 of ZAP")]
    Version,
    /// Violation: the reply belongs to another request.
    #[error("the request id is that of another request")]
    RequestId,
    /// Malformed: the status is not one of the four.
    #[error("the status is not 200, 300, 400 or 500")]
    Status,
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
    /// Malformed: the metadata are not properties.
    #[error("metadata of the reply")]
    Metadata(#[source] MetadataError),
}

impl Reply {
    /// Returns the reply that tells `decision`.
    ///
    /// A user id that is longer than ZAP allows cannot be told, nor can more metadata than
    /// [`decode`](Self::decode) accepts; their user is not let in.
    pub fn from_decision(request_id: impl Into<Part>, decision: Decision) -> Self {
        let (status, user_id, metadata) = match decision {
            Decision::Allow { user_id, metadata } => {
                let user_id = user_id.unwrap_or(Part::EMPTY);
                (Status::Success, user_id, metadata)
            }
            Decision::Deny(denial) => (denial.into(), Part::EMPTY, Metadata::new()),
        };
        let limits = MetadataLimits::DEFAULT;
        if user_id.len() > MAX_LEN
            || metadata.len() > limits.max_properties
            || metadata.encoded_len() > limits.max_encoded_len
        {
            let denial = Decision::Deny(Denial::InternalError);
            return Self::from_decision(request_id, denial);
        }
        Self {
            request_id: request_id.into(),
            status,
            status_text: status.text().to_owned(),
            user_id,
            metadata,
        }
    }

    /// Returns what the reply decides.
    pub fn into_decision(self) -> Decision {
        match self.status {
            Status::Success => Decision::Allow {
                user_id: Some(self.user_id).filter(|user_id| !user_id.is_empty()),
                metadata: self.metadata,
            },
            Status::TemporaryError => Decision::Deny(Denial::Temporary),
            Status::AuthenticationFailure => Decision::Deny(Denial::Refused),
            Status::InternalError => Decision::Deny(Denial::InternalError),
        }
    }

    /// Returns the message as a REP sends it `[ZAP-019]`.
    ///
    /// Nothing is checked: what [`from_decision`](Self::from_decision) or [`decode`](Self::decode) has
    /// returned keeps to the limits, and fields that were set afterwards are the caller's to check.
    pub fn encode(&self) -> Message {
        let mut metadata = Vec::with_capacity(self.metadata.encoded_len());
        self.metadata.encode(&mut metadata);
        Message::from([
            Part::from(VERSION),
            self.request_id.clone(),
            Part::from(self.status.code()),
            Part::from(self.status_text.as_str()),
            self.user_id.clone(),
            Part::from(metadata),
        ])
    }

    /// Reads the parts of the message that a REQ receives for the request with `request_id`.
    ///
    /// # Errors
    ///
    /// Returns a [`ReplyError`] if the message does not keep to the protocol, or answers another
    /// request.
    pub fn decode(parts: &[Part], request_id: &[u8]) -> Result<Self, ReplyError> {
        // [ZAP-020] The version decides what the rest means.
        if parts.first().is_some_and(|version| *version != *VERSION) {
            return Err(ReplyError::Version);
        }
        let count = parts.len();
        let [_, id, status, status_text, user_id, metadata] = parts else {
            return Err(ReplyError::PartCount { count });
        };
        if *id != *request_id {
            return Err(ReplyError::RequestId);
        }
        let status = Status::from_code(status).ok_or(ReplyError::Status)?;
        bounded("status text", status_text)?;
        bounded("user id", user_id)?;
        let decoded = Metadata::decode(metadata, &MetadataLimits::DEFAULT);
        let metadata = decoded.map_err(ReplyError::Metadata)?;
        let mut reply = Self {
            request_id: id.clone(),
            status,
            status_text: String::from_utf8_lossy(status_text).into_owned(),
            user_id: user_id.clone(),
            metadata,
        };
        // [ZAP-028] Who is not let in has no user id and no properties.
        if status != Status::Success {
            reply.user_id = Part::EMPTY;
            reply.metadata = Metadata::new();
        }
        Ok(reply)
    }
}

impl Status {
    /// Returns the three digits.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Success => "200",
            Self::TemporaryError => "300",
            Self::AuthenticationFailure => "400",
            Self::InternalError => "500",
        }
    }

    /// Says the same in words.
    const fn text(self) -> &'static str {
        match self {
            Self::Success => "OK",
            Self::TemporaryError => "temporary error",
            Self::AuthenticationFailure => "authentication failure",
            Self::InternalError => "internal error",
        }
    }

    /// Returns the status with these digits, if there is one `[ZAP-022]`.
    pub fn from_code(code: &[u8]) -> Option<Self> {
        [
            Self::Success,
            Self::TemporaryError,
            Self::AuthenticationFailure,
            Self::InternalError,
        ]
        .into_iter()
        .find(|status| status.code().as_bytes() == code)
    }
}

impl From<Denial> for Status {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Temporary => Self::TemporaryError,
            Denial::Refused => Self::AuthenticationFailure,
            Denial::InternalError => Self::InternalError,
        }
    }
}

impl ReplyError {
    /// Returns the number that libzmq's monitor gives the error.
    pub const fn code(&self) -> u32 {
        match self {
            Self::Delimiter | Self::PartCount { .. } | Self::TooLong { .. } => 0x2000_0001,
            Self::RequestId => 0x2000_0002,
            Self::Version => 0x2000_0003,
            Self::Status => 0x2000_0004,
            Self::Metadata(_) => 0x2000_0005,
        }
    }
}

fn bounded(field: &'static str, part: &Part) -> Result<(), ReplyError> {
    let (len, limit) = (part.len(), MAX_LEN);
    if len > limit {
        return Err(ReplyError::TooLong { field, len, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts() -> Vec<Part> {
        ["1.0", "0001", "200", "OK", "joe", ""]
            .map(Part::from)
            .to_vec()
    }

    fn reply(status: Status) -> Reply {
        Reply {
            request_id: "0001".into(),
            status,
            status_text: "OK".to_owned(),
            user_id: "joe".into(),
            metadata: Metadata::new(),
        }
    }

    // ZAP-019, ZAP-046
    #[test]
    fn the_example_of_the_protocol_is_read_and_written() {
        let expected = reply(Status::Success);
        assert_eq!(expected.encode().parts(), parts());
        assert_eq!(Reply::decode(&parts(), b"0001"), Ok(expected));
    }

    // ZAP-030
    #[test]
    fn metadata_survive_the_round_trip() {
        let mut reply = reply(Status::Success);
        reply.metadata.insert("Role", "admin").unwrap();
        let message = reply.encode();
        assert_eq!(Reply::decode(message.parts(), b"0001"), Ok(reply));
    }

    // ZAP-022
    #[test]
    fn only_four_codes_are_statuses() {
        for code in ["200", "300", "400", "500"] {
            let status = Status::from_code(code.as_bytes()).unwrap();
            assert_eq!(status.code(), code);
        }
        for code in [
            "", "20", "201", "2000", "OK", "100", "600", "200 ", "020", "2 0",
        ] {
            let mut message = parts();
            message[2] = code.into();
            assert_eq!(Reply::decode(&message, b"0001"), Err(ReplyError::Status));
        }
    }

    // ZAP-019, ZAP-020, ZAP-021, ZAP-030
    #[test]
    fn replies_that_the_protocol_does_not_allow_are_named() {
        let long = "x".repeat(256);
        let too_long = |field| ReplyError::TooLong {
            field,
            len: 256,
            limit: 255,
        };
        for (at, part, error, code) in [
            (0, "1.1", ReplyError::Version, 0x2000_0003),
            (1, "0002", ReplyError::RequestId, 0x2000_0002),
            (1, "", ReplyError::RequestId, 0x2000_0002),
            (3, long.as_str(), too_long("status text"), 0x2000_0001),
            (4, long.as_str(), too_long("user id"), 0x2000_0001),
            (
                5,
                "\x04Role\0\0",
                ReplyError::Metadata(MetadataError::Truncated),
                0x2000_0005,
            ),
        ] {
            let mut message = parts();
            message[at] = part.into();
            assert_eq!(Reply::decode(&message, b"0001"), Err(error.clone()));
            assert_eq!(error.code(), code);
        }
        for count in [0, 1, 5, 7] {
            let mut message = parts();
            message.resize(count, Part::EMPTY);
            let error = ReplyError::PartCount { count };
            assert_eq!(Reply::decode(&message, b"0001"), Err(error));
        }
    }

    // ZAP-028
    #[test]
    fn who_is_not_let_in_is_nobody() {
        for status in [
            Status::TemporaryError,
            Status::AuthenticationFailure,
            Status::InternalError,
        ] {
            let mut sent = reply(status);
            sent.metadata.insert("Role", "admin").unwrap();
            let read = Reply::decode(sent.encode().parts(), b"0001").unwrap();
            assert_eq!(read.status, status);
            assert!(read.user_id.is_empty() && read.metadata.is_empty());
        }
    }

    // ZAP-028
    #[test]
    fn a_decision_is_what_its_reply_decides() {
        let mut metadata = Metadata::new();
        metadata.insert("Role", "admin").unwrap();
        let joe = Decision::Allow {
            user_id: Some("joe".into()),
            metadata,
        };
        for decision in [
            joe,
            Decision::allowed(),
            Decision::Deny(Denial::Temporary),
            Decision::Deny(Denial::Refused),
            Decision::Deny(Denial::InternalError),
        ] {
            let message = Reply::from_decision("7", decision.clone()).encode();
            let read = Reply::decode(message.parts(), b"7").unwrap();
            assert_eq!(read.into_decision(), decision);
        }
        let too_long = Decision::Allow {
            user_id: Some("x".repeat(256).as_str().into()),
            metadata: Metadata::new(),
        };
        let reply = Reply::from_decision("7", too_long);
        assert_eq!(reply.status, Status::InternalError);
        assert!(reply.user_id.is_empty());
        let mut many = Metadata::new();
        for number in 0..=MetadataLimits::DEFAULT.max_properties {
            many.insert(&number.to_string(), "").unwrap();
        }
        let mut large = Metadata::new();
        let value = vec![0; MetadataLimits::DEFAULT.max_encoded_len];
        large.insert("large", value).unwrap();
        for metadata in [many, large] {
            let user_id = None;
            let reply = Reply::from_decision("7", Decision::Allow { user_id, metadata });
            assert_eq!(reply.status, Status::InternalError);
            assert!(reply.metadata.is_empty());
        }
    }

    proptest! {
        #[test]
        fn any_message_is_judged(
            message in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..9),
            changed in 0..6_usize,
        ) {
            let message: Vec<Part> = message.into_iter().map(Part::from).collect();
            let _ = Reply::decode(&message, b"0001");
            let mut almost = parts();
            if let Some(part) = message.first() {
                almost[changed] = part.clone();
            }
            if let Ok(reply) = Reply::decode(&almost, b"0001") {
                prop_assert_eq!(&reply.request_id, "0001");
            }
        }
    }
}
