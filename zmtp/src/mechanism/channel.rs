//! Traffic that is encrypted, if a mechanism does that.

use thiserror::Error;

#[cfg(not(feature = "curve"))]
use crate::mechanism::CurveError;
#[cfg(feature = "curve")]
pub(crate) use crate::mechanism::curve::Channel;
#[cfg(not(feature = "curve"))]
use crate::wire::frame::FrameKind;

/// Why a frame cannot be sealed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SealError {
    /// Misuse: the session is not open.
    #[error("session is not open")]
    NotOpen,
    /// All nonces of the connection are used up: it has to be closed.
    #[error("all nonces of the connection are used up")]
    NoncesExhausted,
}

/// What no mechanism makes.
#[cfg(not(feature = "curve"))]
#[derive(Debug)]
pub(crate) enum Channel {}

#[cfg(not(feature = "curve"))]
#[expect(
    clippy::needless_pass_by_ref_mut,
    reason = "the signatures are those of a channel that exists"
)]
impl Channel {
    /// What a frame is longer by than what is in it, without its head.
    pub(crate) const OVERHEAD: usize = 0;

    /// Appends a frame of this kind to `out`.
    pub(crate) fn seal(
        &mut self,
        _kind: FrameKind,
        _body: &[u8],
        _out: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        match *self {}
    }

    /// Opens the body of a frame in place. What was in it begins behind the
    /// [overhead](Self::OVERHEAD).
    pub(crate) fn open(&mut self, _frame: &mut [u8]) -> Result<FrameKind, CurveError> {
        match *self {}
    }
}
