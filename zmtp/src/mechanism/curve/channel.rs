//! Traffic in boxes: MESSAGE in both directions.
//!
//! ```text
//! frame   07 "MESSAGE"  nonce(8)  tag(16)  flags(1)  body
//!         └──────── in the clear ────────┘ └─ sealed ──┘
//! ```

use std::fmt;

use super::boxes::{BoxKey, PrefixedKey, TAG_LEN};
use super::nonce::{SHORT_LEN, prefix};
use crate::mechanism::{CurveCommand, CurveError, SealError};
use crate::message::More;
use crate::wire::frame::{FrameKind, encode_header};
use crate::wire::greeting::SecurityRole;

/// The two directions of an open connection.
pub(crate) struct Channel {
    sending: PrefixedKey,
    receiving: PrefixedKey,
    /// The nonce of the next box that is sent; `None` after the last one that there is.
    next_nonce: Option<u64>,
    /// The nonce of the last box that was received and opened.
    last_nonce: u64,
}

impl Channel {
    /// What a frame is longer by than what is in it, without its head.
    pub(crate) const OVERHEAD: usize = NAME.len() + SHORT_LEN + TAG_LEN + FLAGS_LEN;

    /// Returns the channel of the side `ours` after a handshake in which `last_sent` and
    /// `last_received` were the last nonces `[CURVE-042]` `[CURVE-043]` `[CURVE-049]`.
    pub(super) fn new(
        key: &BoxKey,
        ours: SecurityRole,
        last_sent: u64,
        last_received: u64,
    ) -> Self {
        let from_client = key.with_prefix(&prefix::MESSAGE_CLIENT);
        let from_server = key.with_prefix(&prefix::MESSAGE_SERVER);
        let (sending, receiving) = match ours {
            SecurityRole::Client => (from_client, from_server),
            SecurityRole::Server => (from_server, from_client),
        };
        Self {
            sending,
            receiving,
            next_nonce: last_sent.checked_add(1),
            last_nonce: last_received,
        }
    }

    /// Appends a frame of this kind to `out`.
    pub(crate) fn seal(
        &mut self,
        kind: FrameKind,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        // [CURVE-051] No nonce is used twice.
        let nonce = self.next_nonce.ok_or(SealError::NoncesExhausted)?;
        self.next_nonce = nonce.checked_add(1);
        let nonce = nonce.to_be_bytes();
        // [ZCURVE-005] [CURVE-048] Neither COMMAND nor MORE is told to those who listen, and libzmq
        // would drop a frame that is a command.
        let outer = FrameKind::Message(More::Last);
        encode_header(out, outer, body.len().saturating_add(Self::OVERHEAD));
        out.extend_from_slice(NAME);
        out.extend_from_slice(&nonce);
        let tag_at = out.len();
        out.extend_from_slice(&[0; TAG_LEN]);
        out.push(flags(kind));
        out.extend_from_slice(body);
        if let Some((tag, sealed)) = out
            .get_mut(tag_at..)
            .and_then(|sealed| sealed.split_first_chunk_mut())
        {
            *tag = self.sending.seal(&nonce, sealed);
        }
        Ok(())
    }

    /// Opens the body of a frame in place. What was in it begins behind the
    /// [overhead](Self::OVERHEAD).
    pub(crate) fn open(&mut self, frame: &mut [u8]) -> Result<FrameKind, CurveError> {
        let len = frame.len();
        let (command, last) = (CurveCommand::Message, self.last_nonce);
        let Some((name, rest)) = frame.split_first_chunk_mut() else {
            return Err(CurveError::Length { command, len });
        };
        if name != NAME {
            return Err(CurveError::NotMessage);
        }
        // [CURVE-044] There are flags in the box at least.
        let Some((nonce, rest)) = rest.split_first_chunk_mut() else {
            return Err(CurveError::Length { command, len });
        };
        let Some((tag, sealed @ [_, ..])) = rest.split_first_chunk_mut() else {
            return Err(CurveError::Length { command, len });
        };
        // [CURVE-050] Nonces grow; gaps are legal.
        let received = u64::from_be_bytes(*nonce);
        if received <= last {
            return Err(CurveError::Nonce {
                command,
                last,
                received,
            });
        }
        // [CURVE-052] Nothing of a box that does not open shows.
        self.receiving
            .open(nonce, tag, sealed)
            .map_err(|_| CurveError::Box { command })?;
        // Not before: a forged frame must not push the nonces on.
        self.last_nonce = received;
        let flags = sealed.first().copied().unwrap_or_default();
        // [CURVE-045] [CURVE-046] [CURVE-047] Two flags, of which a frame has one at most.
        match flags {
            0 => Ok(FrameKind::Message(More::Last)),
            MORE => Ok(FrameKind::Message(More::More)),
            COMMAND => Ok(FrameKind::Command),
            flags => Err(CurveError::Flags { flags }),
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("next_nonce", &self.next_nonce)
            .field("last_nonce", &self.last_nonce)
            .finish_non_exhaustive()
    }
}

const fn flags(kind: FrameKind) -> u8 {
    match kind {
        FrameKind::Message(More::Last) => 0,
        FrameKind::Message(More::More) => MORE,
        FrameKind::Command => COMMAND,
    }
}

const NAME: &[u8; 8] = b"\x07MESSAGE";
const FLAGS_LEN: usize = 1;

const MORE: u8 = 1;
/// Not the flag that frames have, which is 4.
const COMMAND: u8 = 2;
