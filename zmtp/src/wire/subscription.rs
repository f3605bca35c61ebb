//! Subscriptions as messages: one octet, 1 to subscribe and 0 to cancel, and the topic.
//!
//! This is the only form that a 3.0 peer knows; 3.1 has the commands
//! [`Subscribe`](crate::wire::command::Command::Subscribe) and
//! [`Cancel`](crate::wire::command::Command::Cancel). Publishers accept both from everybody.

use bytes::BufMut;

use crate::message::{More, Part};
use crate::wire::frame::{FrameKind, encode_header};

/// A change to what a subscriber wants to receive.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the octet in front of the topic has these two values"
)]
pub enum Subscription {
    /// Messages that begin with this topic are wanted.
    Subscribe(Part),
    /// One earlier subscription to this topic is given up.
    Cancel(Part),
}

impl Subscription {
    /// Reads a message of one part.
    ///
    /// # Errors
    ///
    /// Returns the part unchanged if it does not begin with 0 or 1: it is a message of the
    /// application then `[ZMTP30-011]`.
    pub fn decode(body: Part) -> Result<Self, Part> {
        match body.first() {
            Some(&SUBSCRIBE) => Ok(Self::Subscribe(body.skip(1))),
            Some(&CANCEL) => Ok(Self::Cancel(body.skip(1))),
            _ => Err(body),
        }
    }

    /// Returns how the messages begin that this is about.
    pub const fn topic(&self) -> &Part {
        match self {
            Self::Subscribe(topic) | Self::Cancel(topic) => topic,
        }
    }

    /// Returns the message of one part: what [`decode`](Self::decode) reads.
    pub fn to_part(&self) -> Part {
        let mut body = Vec::with_capacity(self.topic().len().saturating_add(1));
        body.push(self.first_octet());
        body.extend_from_slice(self.topic());
        Part::from(body)
    }

    /// Appends the message, frame and all.
    pub fn encode(&self, dst: &mut impl BufMut) {
        let (first, topic) = (self.first_octet(), self.topic());
        // [ZMTP30-010] A topic of 255 octets needs the long form.
        let body_len = topic.len().saturating_add(1);
        encode_header(dst, FrameKind::Message(More::Last), body_len);
        dst.put_u8(first);
        dst.put_slice(topic);
    }

    const fn first_octet(&self) -> u8 {
        match self {
            Self::Subscribe(_) => SUBSCRIBE,
            Self::Cancel(_) => CANCEL,
        }
    }
}

const SUBSCRIBE: u8 = 1;
const CANCEL: u8 = 0;

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::message::Frame;
    use crate::wire::frame::{FrameDecoder, FrameLimits, RawFrame};

    #[test]
    fn topics_of_any_length_survive() {
        // [ZMTP30-008] [ZMTP30-009] [ZMTP30-010] [ZMTP31-115]
        for len in [0, 1, 36, 37, 38, 39, 252, 253, 254, 255, 256, 257, 70_000] {
            let topic = Part::from(vec![0; len]);
            for subscription in [
                Subscription::Subscribe(topic.clone()),
                Subscription::Cancel(topic.clone()),
            ] {
                let mut encoded = BytesMut::new();
                subscription.encode(&mut encoded);
                let decoded = FrameDecoder::new(FrameLimits::DEFAULT).decode(&mut encoded);
                let Ok(Some(RawFrame::Message(Frame { body, more }))) = decoded else {
                    panic!("{decoded:?}");
                };
                assert_eq!(more, More::Last);
                assert_eq!(body, subscription.to_part());
                assert_eq!(Subscription::decode(body), Ok(subscription));
            }
        }
    }

    #[test]
    fn other_messages_are_given_back() {
        for body in ["", "\x02", "A"] {
            assert_eq!(Subscription::decode(body.into()), Err(body.into()));
        }
    }
}
