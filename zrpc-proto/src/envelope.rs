//! The frames of one message: the routing envelope, the empty delimiter, and the payload.

use bytes::Bytes;

/// The routing frames of a message, opaque and echoed unchanged.
///
/// A zerorpc message on DEALER or ROUTER is `[envelope…, "", payload]`. Peers deviate: some send no
/// delimiter, some send two, and proxies add hops. Everything before the payload and its delimiter
/// belongs to the envelope and goes back as it came. See `PROTOCOL.md`, "Frames".
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// # use zrpc_proto as proto;
/// use proto::Envelope;
///
/// # fn main() -> Result<(), proto::EnvelopeError> {
/// let frames = [Bytes::from_static(b"peer"), Bytes::new(), Bytes::from_static(b"payload")];
/// let (envelope, payload) = Envelope::parse(frames)?;
/// assert_eq!(payload, "payload");
/// assert_eq!(envelope.wrap(payload).count(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Envelope {
    /// Empty for a direct peer, so that a direct peer costs no allocation.
    frames: Vec<Bytes>,
}

impl Envelope {
    /// The most routing frames that a message may have; a hop adds one, so real chains are short.
    pub const MAX_FRAMES: usize = 32;

    /// The most octets of routing frames that are kept: as many routing ids as there may be frames,
    /// each as long as ZeroMQ lets it be, 255 octets, and the one that says how long it is.
    pub const MAX_LEN: usize = Self::MAX_FRAMES * 256;

    /// Returns the envelope of a direct peer: no routing frames.
    #[must_use]
    pub const fn direct() -> Self {
        Self { frames: Vec::new() }
    }

    /// Splits the frames of a message into its envelope and its payload.
    ///
    /// - one frame is a bare payload,
    /// - of two frames the first is the delimiter or, if it is not empty, an identity,
    /// - of more frames the last two are the delimiter and the payload, and the delimiter is not
    ///   checked.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::NoFrames`] without any frame, [`EnvelopeError::TooManyFrames`] beyond
    /// [`Self::MAX_FRAMES`].
    pub fn parse<I>(frames: I) -> Result<(Self, Bytes), EnvelopeError>
    where
        I: IntoIterator<Item = Bytes>,
    {
        let mut frames = frames.into_iter();
        let mut envelope = Vec::new();
        let mut delimiter = None;
        let mut payload = frames.next().ok_or(EnvelopeError::NoFrames)?;
        for frame in frames {
            if let Some(hop) = delimiter.replace(std::mem::replace(&mut payload, frame)) {
                if envelope.len() == Self::MAX_FRAMES {
                    return Err(EnvelopeError::TooManyFrames {
                        limit: Self::MAX_FRAMES,
                    });
                }
                envelope.push(hop);
            }
        }
        // Of exactly two frames, a first one with content is who sent it, not a delimiter.
        if let Some(identity) = delimiter
            && envelope.is_empty()
            && !identity.is_empty()
        {
            envelope.push(identity);
        }
        Ok((Self { frames: envelope }, payload))
    }

    /// Builds the frames that carry `payload` back along this envelope: `[envelope…, "", payload]`.
    pub fn wrap(&self, payload: Bytes) -> impl Iterator<Item = Bytes> + '_ {
        let tail = [Bytes::new(), payload];
        self.frames.iter().cloned().chain(tail)
    }

    /// Returns the routing frames.
    #[must_use]
    pub fn frames(&self) -> &[Bytes] {
        &self.frames
    }

    /// Returns whether the message came without routing frames.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.frames.is_empty()
    }

    /// Copies the frames, so that holding the envelope does not hold the buffer it was read into.
    ///
    /// An envelope that names a peer is held for as long as the peer is known, and a connection may
    /// pose as many peers: so there is a limit to what each of them costs.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::TooLong`] beyond [`Self::MAX_LEN`].
    pub fn detach(&self) -> Result<Self, EnvelopeError> {
        let lens = self.frames.iter().map(Bytes::len);
        let len = lens.fold(0, usize::saturating_add);
        let limit = Self::MAX_LEN;
        if len > limit {
            return Err(EnvelopeError::TooLong { len, limit });
        }
        Ok(Self {
            frames: self
                .frames
                .iter()
                .map(|frame| Bytes::copy_from_slice(frame))
                .collect(),
        })
    }
}

/// Why frames are not a zerorpc message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The message has no frames at all.
    #[error("message has no frames")]
    NoFrames,
    /// The envelope has more routing frames than are accepted.
    #[error("message has more than {limit} routing frames")]
    TooManyFrames {
        /// The most that is accepted.
        limit: usize,
    },
    /// The envelope has more octets than are kept.
    #[error("routing frames of {len} octets exceed the limit of {limit}")]
    TooLong {
        /// What it has.
        len: usize,
        /// The most that is kept.
        limit: usize,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames(parts: &[&'static str]) -> Vec<Bytes> {
        parts
            .iter()
            .map(|part| Bytes::from_static(part.as_bytes()))
            .collect()
    }

    fn echoed(parts: &[&'static str]) -> Vec<Bytes> {
        let (envelope, payload) = Envelope::parse(frames(parts)).unwrap();
        assert_eq!(payload, "payload");
        envelope.wrap(payload).collect()
    }

    #[test]
    fn direct_messages_are_answered_with_one_delimiter() {
        assert_eq!(echoed(&["", "payload"]), frames(&["", "payload"]));
    }

    #[test]
    fn q16_missing_delimiter_is_accepted_and_answered_with_one() {
        assert_eq!(echoed(&["payload"]), frames(&["", "payload"]));
    }

    #[test]
    fn q16_second_delimiter_is_echoed() {
        assert_eq!(echoed(&["", "", "payload"]), frames(&["", "", "payload"]));
    }

    #[test]
    fn q16_hops_are_echoed_verbatim() {
        assert_eq!(
            echoed(&["a", "", "b", "", "payload"]),
            frames(&["a", "", "b", "", "payload"])
        );
    }

    #[test]
    fn identity_without_delimiter_is_answered_with_both() {
        assert_eq!(echoed(&["id", "payload"]), frames(&["id", "", "payload"]));
    }

    #[test]
    fn messages_without_frames_and_endless_envelopes_are_errors() {
        assert_eq!(Envelope::parse([]), Err(EnvelopeError::NoFrames));
        let endless = std::iter::repeat_n(Bytes::new(), Envelope::MAX_FRAMES + 3);
        let limit = Envelope::MAX_FRAMES;
        assert_eq!(
            Envelope::parse(endless),
            Err(EnvelopeError::TooManyFrames { limit })
        );
        let longest = std::iter::repeat_n(Bytes::new(), Envelope::MAX_FRAMES + 2);
        assert!(Envelope::parse(longest).is_ok());
    }

    #[test]
    fn what_is_kept_of_a_long_envelope_is_nothing() {
        let hop = |len: usize| Bytes::from(vec![b'x'; len]);
        let limit = Envelope::MAX_LEN;
        let longest = Envelope {
            frames: vec![hop(limit - 1), hop(0), hop(1)],
        };
        assert_eq!(longest.detach().as_ref(), Ok(&longest));
        let longer = Envelope {
            frames: vec![hop(limit - 1), hop(2)],
        };
        let len = limit + 1;
        assert_eq!(longer.detach(), Err(EnvelopeError::TooLong { len, limit }));
        let hops = Envelope {
            frames: vec![hop(255); Envelope::MAX_FRAMES],
        };
        assert!(hops.detach().is_ok());
    }

    /// A frame, empty more often than not.
    fn frame() -> impl Strategy<Value = Bytes> {
        let content = prop::collection::vec(any::<u8>(), 0..9).prop_map(Bytes::from);
        prop_oneof![Just(Bytes::new()), content]
    }

    proptest! {
        // Q16
        #[test]
        fn any_frames_are_split_and_those_with_a_delimiter_echoed(
            mut frames in prop::collection::vec(frame(), 0..40),
            has_delimiter in any::<bool>(),
        ) {
            if has_delimiter && let Some(at) = frames.len().checked_sub(2) {
                frames[at] = Bytes::new();
            }
            let count = frames.len();
            let parsed = Envelope::parse(frames.clone());
            if count == 0 {
                prop_assert_eq!(parsed, Err(EnvelopeError::NoFrames));
                return Ok(());
            }
            let limit = Envelope::MAX_FRAMES;
            if count > limit + 2 {
                prop_assert_eq!(parsed, Err(EnvelopeError::TooManyFrames { limit }));
                return Ok(());
            }
            let (envelope, payload) = parsed.unwrap();
            prop_assert_eq!(frames.last(), Some(&payload));
            prop_assert_eq!(envelope.is_direct(), envelope.frames().is_empty());
            let detached = envelope.detach().unwrap();
            prop_assert_eq!(&detached, &envelope);
            let wrapped: Vec<_> = envelope.wrap(payload.clone()).collect();
            if count > 1 && frames[count - 2].is_empty() {
                prop_assert_eq!(&wrapped, &frames);
            }
            // What was wrapped is split as it was.
            prop_assert_eq!(Envelope::parse(wrapped), Ok((envelope, payload)));
        }
    }
}
