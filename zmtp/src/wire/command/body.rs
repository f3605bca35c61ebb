//! Reading and writing commands.

use bytes::BufMut;
use thiserror::Error;

use crate::message::Part;
use crate::wire::command::{CommandName, ErrorReason, Group, PingContext, PingTtl, name};
use crate::wire::frame::{FrameKind, encode_header};
use crate::wire::metadata::{Metadata, MetadataError, MetadataLimits};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// The sender is ready for traffic and describes itself.
    Ready(Metadata),
    /// The sender refuses the connection.
    Error(ErrorReason),
    /// The sender wants messages that begin with this topic.
    Subscribe(Part),
    /// The sender gives up one subscription to this topic.
    Cancel(Part),
    /// The sender, a DISH, wants the messages of this group.
    Join(Group),
    /// The sender, a DISH, no longer wants the messages of this group.
    Leave(Group),
    /// The sender wants a sign of life.
    Ping {
        /// How long the sender may be silent.
        ttl: PingTtl,
        /// What the answer has to repeat.
        context: PingContext,
    },
    /// The answer to a PING.
    Pong(PingContext),
    /// A command of another mechanism, or of a later version.
    Unknown {
        /// The name, which is none of the above.
        name: CommandName,
        /// Everything after the name.
        data: Part,
    },
}

/// Why the body of a command frame is no command, or no command can be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CommandError {
    /// Malformed: there is no name, or one of length zero.
    #[error("command has no name")]
    MissingName,
    /// Malformed: the name is longer than the body.
    #[error("command name of {claimed} octets in a body with {available}")]
    TruncatedName {
        /// The length that the name claims.
        claimed: usize,
        /// The number of octets that follow the length.
        available: usize,
    },
    /// Malformed: the name has something else than letters.
    #[error("command name has the octet '{}'", octet.escape_ascii())]
    InvalidName {
        /// The first such octet.
        octet: u8,
    },
    /// Misuse: a name does not fit into its length octet.
    #[error("command name of {len} octets exceeds the limit of {limit}")]
    NameTooLong {
        /// The length of the name.
        len: usize,
        /// The longest name.
        limit: usize,
    },
    /// Malformed or over a limit: the properties of a READY.
    #[error("metadata is not acceptable")]
    Metadata(#[source] MetadataError),
    /// Malformed: an ERROR has no reason, or one of another length than it claims.
    #[error("error reason does not fill the command")]
    ErrorReasonLength,
    /// Malformed: a PING ends before or inside its time to live.
    #[error("ping without a time to live")]
    MissingTtl,
    /// Malformed: the context of a PING or PONG is longer than the protocol allows.
    #[error("ping context of {len} octets exceeds the limit of {limit}")]
    ContextTooLong {
        /// The length of the context.
        len: usize,
        /// The longest context.
        limit: usize,
    },
    /// Malformed or misuse: the name of a group is longer than the protocol allows.
    #[error("group of {len} octets exceeds the limit of {limit}")]
    GroupTooLong {
        /// The length of the name.
        len: usize,
        /// The longest name.
        limit: usize,
    },
    /// Malformed or misuse: the name of a group has an octet of zero.
    #[error("group has a zero at octet {offset}")]
    ZeroInGroup {
        /// Where the first zero is.
        offset: usize,
    },
}

impl Command {
    /// Reads the body of a command frame.
    ///
    /// # Errors
    ///
    /// Returns a [`CommandError`] if the body breaks the format of commands or that of the command
    /// which it names, or if there is more metadata than `limits` allow.
    pub fn decode(body: Part, limits: &MetadataLimits) -> Result<Self, CommandError> {
        let (name, data) = name::split(&body)?;
        // [ZMTP31-043] Names match exactly: case and length count.
        match name {
            READY => Metadata::decode(data, limits)
                .map(Self::Ready)
                .map_err(CommandError::Metadata),
            ERROR => ErrorReason::decode(data).map(Self::Error),
            SUBSCRIBE => Ok(Self::Subscribe(skip_name(body, SUBSCRIBE))),
            CANCEL => Ok(Self::Cancel(skip_name(body, CANCEL))),
            JOIN => Group::new(skip_name(body, JOIN)).map(Self::Join),
            LEAVE => Group::new(skip_name(body, LEAVE)).map(Self::Leave),
            PING => decode_ping(data),
            PONG => PingContext::new(data).map(Self::Pong),
            _ => {
                let name = CommandName::from_octets(name)?;
                let data = skip_name(body, name.as_bytes());
                Ok(Self::Unknown { name, data })
            }
        }
    }

    /// Appends the command to `dst`, frame and all.
    pub fn encode(&self, dst: &mut impl BufMut) {
        let name = self.name();
        let name_len = name.len();
        // [ZMTP31-032] Short or long depends on the whole body: length octet, name and data.
        let body_len = self
            .data_len()
            .saturating_add(name_len)
            .saturating_add(LENGTH_LEN);
        encode_header(dst, FrameKind::Command, body_len);
        // Names are no longer than 255 by construction; saturating keeps the code free of panics.
        dst.put_u8(u8::try_from(name_len).unwrap_or(u8::MAX));
        dst.put_slice(name);
        match self {
            Self::Ready(metadata) => metadata.encode(dst),
            Self::Error(reason) => {
                let reason = reason.as_bytes();
                dst.put_u8(u8::try_from(reason.len()).unwrap_or(u8::MAX));
                dst.put_slice(reason);
            }
            Self::Subscribe(data) | Self::Cancel(data) | Self::Unknown { data, .. } => {
                dst.put_slice(data);
            }
            Self::Join(group) | Self::Leave(group) => dst.put_slice(group.as_bytes()),
            Self::Ping { ttl, context } => {
                dst.put_u16(ttl.deciseconds());
                dst.put_slice(context.as_bytes());
            }
            Self::Pong(context) => dst.put_slice(context.as_bytes()),
        }
    }

    /// Returns the name of the command.
    pub fn name(&self) -> &[u8] {
        match self {
            Self::Ready(_) => READY,
            Self::Error(_) => ERROR,
            Self::Subscribe(_) => SUBSCRIBE,
            Self::Cancel(_) => CANCEL,
            Self::Join(_) => JOIN,
            Self::Leave(_) => LEAVE,
            Self::Ping { .. } => PING,
            Self::Pong(_) => PONG,
            Self::Unknown { name, .. } => name.as_bytes(),
        }
    }

    fn data_len(&self) -> usize {
        match self {
            Self::Ready(metadata) => metadata.encoded_len(),
            Self::Error(reason) => reason.as_bytes().len().saturating_add(LENGTH_LEN),
            Self::Subscribe(data) | Self::Cancel(data) | Self::Unknown { data, .. } => data.len(),
            Self::Join(group) | Self::Leave(group) => group.as_bytes().len(),
            Self::Ping { context, .. } => context.as_bytes().len().saturating_add(TTL_LEN),
            Self::Pong(context) => context.as_bytes().len(),
        }
    }
}

fn decode_ping(data: &[u8]) -> Result<Command, CommandError> {
    // [ZMTP31-134] Fewer than two octets of time to live are malformed.
    let Some((&ttl, context)) = data.split_first_chunk() else {
        return Err(CommandError::MissingTtl);
    };
    Ok(Command::Ping {
        ttl: PingTtl::from_octets(ttl),
        context: PingContext::new(context)?,
    })
}

fn skip_name(body: Part, name: &[u8]) -> Part {
    body.skip(name.len().saturating_add(LENGTH_LEN))
}

const READY: &[u8] = b"READY";
const ERROR: &[u8] = b"ERROR";
const SUBSCRIBE: &[u8] = b"SUBSCRIBE";
const CANCEL: &[u8] = b"CANCEL";
const JOIN: &[u8] = b"JOIN";
const LEAVE: &[u8] = b"LEAVE";
const PING: &[u8] = b"PING";
const PONG: &[u8] = b"PONG";

/// The length octet before a name or a reason.
const LENGTH_LEN: usize = 1;
const TTL_LEN: usize = 2;
