//! One part together with its place in the message.

use crate::message::Part;

/// One frame of a message: a part and whether others follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the two fields are all that the protocol defines"
)]
pub struct Frame {
    /// The octets of this part.
    pub body: Part,
    /// Whether this part ends its message.
    pub more: More,
}

impl Frame {
    /// Returns a frame that ends its message.
    pub fn last(body: impl Into<Part>) -> Self {
        Self {
            body: body.into(),
            more: More::Last,
        }
    }

    /// Returns a frame that is followed by another one of the same message.
    pub fn more(body: impl Into<Part>) -> Self {
        Self {
            body: body.into(),
            more: More::More,
        }
    }
}

/// Whether further frames of the same message follow: the MORE flag of a message frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "it is one bit of the frame's flags and stays one"
)]
// As wide as a word, so that a frame is moved as words: see `Part`.
#[repr(usize)]
pub enum More {
    /// This frame ends its message.
    Last,
    /// At least one more frame of this message follows.
    More,
}

impl More {
    /// Returns true for a frame that ends its message.
    #[inline]
    pub const fn is_last(self) -> bool {
        matches!(self, Self::Last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_adds_at_most_a_word_to_its_part() {
        assert!(size_of::<Frame>() <= 48);
        assert!(size_of::<Option<Frame>>() <= 48);
    }
}
