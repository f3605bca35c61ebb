//! Traffic whose frames are boxes.

use std::time::Instant;

use bytes::{Buf, BytesMut};

use crate::mechanism::{Channel, CurveError, SealError};
use crate::message::{Frame, More};
use crate::session::machine::{Progress, State};
use crate::session::{Session, SessionError};
use crate::wire::frame::{FrameKind, encode_part, take_body};

impl Session {
    /// Appends a part of a message as the peer has to get it: sealed, if traffic is encrypted.
    ///
    /// What this and [`poll_transmit`](Self::poll_transmit) append has to be sent in the order of
    /// the calls, all of it and once: the peer refuses what comes out of order `[CURVE-050]`.
    ///
    /// # Errors
    ///
    /// Returns a [`SealError`] if the session is not open, or has no nonce left; nothing is
    /// appended then.
    #[inline]
    pub fn seal(&mut self, more: More, body: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        let State::Open(open) = &mut self.state else {
            return Err(SealError::NotOpen);
        };
        match open.channel() {
            Some(channel) => channel.seal(FrameKind::Message(more), body, out),
            None => {
                encode_part(out, more, body);
                Ok(())
            }
        }
    }

    /// Returns true if messages have to go through [`seal`](Self::seal): the session is open, and
    /// its traffic is encrypted.
    #[inline]
    pub const fn needs_sealing(&self) -> bool {
        match &self.state {
            State::Open(open) => open.is_sealed(),
            _ => false,
        }
    }

    /// Takes the next frame of encrypted traffic.
    pub(super) fn take_sealed(
        &mut self,
        now: Instant,
        input: &mut BytesMut,
    ) -> Result<Progress, SessionError> {
        let State::Open(open) = &mut self.state else {
            return Err(SessionError::Closed);
        };
        if input.is_empty() {
            return Ok(Progress::NeedsMore);
        }
        let Some((outer, len)) = self.frames.decode_head(input)? else {
            return Ok(Progress::NeedsMore);
        };
        open.liveness.recv_answer(now);
        // [ZCURVE-006] [INT-006] libzmq does not say that it is a command; MORE is never right.
        if outer == FrameKind::Message(More::More) {
            return Err(CurveError::OuterMore.into());
        }
        let Some(channel) = open.channel() else {
            return Err(SessionError::Closed);
        };
        // [ZCURVE-007] Nothing but a box that opens gets any further.
        let inner = channel.open(input.get_mut(..len).unwrap_or_default())?;
        let body_len = len.saturating_sub(Channel::OVERHEAD);
        open.check_len(inner, body_len)?;
        input.advance(len - body_len);
        let body = take_body(input, body_len);
        let event = match inner {
            FrameKind::Message(more) => open.recv_frame(Frame { body, more })?,
            FrameKind::Command => open.recv_command(body, &mut self.control)?,
        };
        Ok(event.map_or(Progress::Taken, Progress::Event))
    }
}
