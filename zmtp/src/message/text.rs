//! Parts as text.

use std::str::Utf8Error;

use crate::message::{Message, Part};

/// Why a part of a message is not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// The message has no such part.
    #[error("the message has {count} parts and none at {index}")]
    Missing {
        /// The index that was asked for.
        index: usize,
        /// How many parts there are.
        count: usize,
    },
    /// The octets are not UTF-8.
    #[error("part {index} is not text")]
    NotUtf8 {
        /// The index of the part.
        index: usize,
        /// Where it is not.
        source: Utf8Error,
    },
}

impl Part {
    /// Returns the octets as text.
    ///
    /// ```
    /// # fn main() -> Result<(), std::str::Utf8Error> {
    /// let part = zmtp::Part::from("hello");
    /// assert_eq!(part.to_str()?, "hello");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// A [`Utf8Error`] says where the octets are not UTF-8.
    pub fn to_str(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(self.as_slice())
    }
}

impl Message {
    /// Returns the part at `index`, counted from 0, as text.
    ///
    /// ```
    /// use zmtp::{Message, TextError};
    ///
    /// # fn main() -> Result<(), TextError> {
    /// let message = Message::from(["weather", "sunny"]);
    /// assert_eq!(message.text(1)?, "sunny");
    /// assert_eq!(message.text(2), Err(TextError::Missing { index: 2, count: 2 }));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`TextError`] says that there is no such part, or that it is not UTF-8.
    pub fn text(&self, index: usize) -> Result<&str, TextError> {
        let count = self.part_count();
        let part = self.get(index).ok_or(TextError::Missing { index, count })?;
        let text = part.to_str();
        text.map_err(|source| TextError::NotUtf8 { index, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_that_are_no_text_are_an_error_that_says_where() {
        let message = Message::from([&b"ok"[..], b"ab\xff"]);
        assert_eq!(message.text(0), Ok("ok"));
        let Err(TextError::NotUtf8 { index: 1, source }) = message.text(1) else {
            panic!("{:?}", message.text(1));
        };
        assert_eq!(source.valid_up_to(), 2);
    }
}
