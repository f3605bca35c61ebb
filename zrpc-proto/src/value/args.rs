//! Decodes positional arguments, with errors that say which one is wrong.

use std::fmt;

use bytes::Bytes;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::de::ValueDeserializer;
use super::{ArgumentsError, ValueError, decode};
use crate::msgpack::{Elements, Head, Kind, Reader};

/// The arguments of a request, still encoded.
///
/// # Example
///
/// ```
/// # use zrpc_proto as proto;
/// use proto::{Args, ArgumentsError, Body};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let args = Args::from_encoded(Body::args(&("ada", 36))?.into_encoded());
/// assert_eq!(args.decode::<(String, u8)>()?, ("ada".to_owned(), 36));
/// let error = args.decode::<(String, bool)>().unwrap_err();
/// assert!(error.to_string().starts_with("argument 2: invalid type: integer `36`"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Args {
    encoded: Bytes,
}

impl Args {
    /// Takes encoded arguments, which should be an array; nil is taken for no arguments.
    #[must_use]
    pub fn from_encoded(encoded: Bytes) -> Self {
        Self { encoded }
    }

    /// Decodes all arguments into `T`: a tuple, a struct by the order of its fields, a sequence,
    /// or `()` for a method that takes none.
    ///
    /// # Errors
    ///
    /// [`ArgumentsError`], which says which argument is wrong and what was expected.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, ArgumentsError> {
        let elements = self.elements()?;
        T::deserialize(ArgsDeserializer { elements })
    }

    /// Decodes the argument at `index`, or returns `None` if there are fewer.
    ///
    /// # Errors
    ///
    /// [`ArgumentsError`], which says what is wrong with it.
    pub fn decode_at<T: DeserializeOwned>(
        &self,
        index: usize,
    ) -> Result<Option<T>, ArgumentsError> {
        let value = self.elements()?.nth(index).map(decode);
        value
            .transpose()
            .map_err(|error| ArgumentsError::Argument { index, error })
    }

    /// Returns how many arguments there are.
    ///
    /// # Errors
    ///
    /// [`ArgumentsError::NotAnArray`] if the caller sent something else.
    pub fn count(&self) -> Result<usize, ArgumentsError> {
        self.elements().map(|elements| elements.count_left())
    }

    /// Returns the encoded arguments.
    #[must_use]
    pub fn encoded(&self) -> &Bytes {
        &self.encoded
    }

    fn elements(&self) -> Result<Elements<'_>, ArgumentsError> {
        if let Some(elements) = Elements::of(&self.encoded) {
            return Ok(elements);
        }
        match Reader::new(&self.encoded).head().map(Head::kind) {
            Ok(Kind::Nil) | Err(_) => Ok(Elements::none()),
            Ok(found) => Err(ArgumentsError::NotAnArray { found }),
        }
    }
}

impl fmt::Debug for Args {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Args")
            .field("len", &self.encoded.len())
            .finish()
    }
}

/// Hands out the arguments one by one, so that an error can be pinned to one of them.
struct ArgsDeserializer<'de> {
    elements: Elements<'de>,
}

impl<'de> ArgsDeserializer<'de> {
    fn visit<V: Visitor<'de>>(
        self,
        visitor: V,
        expected: Option<usize>,
    ) -> Result<V::Value, ArgumentsError> {
        let got = self.elements.count_left();
        if let Some(expected) = expected
            && got > expected
        {
            return Err(ArgumentsError::Count { expected, got });
        }
        let mut access = ArgsAccess {
            elements: self.elements,
            index: 0,
            end: End::NotReached,
        };
        match (visitor.visit_seq(&mut access), expected, access.end) {
            // A visitor that asked for more than there is and fails misses that argument.
            (Err(ArgumentsError::Refused { .. }), Some(expected), End::Reached) => {
                Err(ArgumentsError::Count { expected, got })
            }
            (result, ..) => result,
        }
    }
}

impl<'de> Deserializer<'de> for ArgsDeserializer<'de> {
    type Error = ArgumentsError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgumentsError> {
        self.visit(visitor, None)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgumentsError> {
        match self.elements.count_left() {
            0 => visitor.visit_unit(),
            got => Err(ArgumentsError::Count { expected: 0, got }),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ArgumentsError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ArgumentsError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, ArgumentsError> {
        self.visit(visitor, Some(len))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, ArgumentsError> {
        self.visit(visitor, Some(len))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ArgumentsError> {
        self.visit(visitor, Some(fields.len()))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        seq map enum identifier ignored_any
    }
}

struct ArgsAccess<'de> {
    elements: Elements<'de>,
    index: usize,
    end: End,
}

/// Whether more was asked for than there is.
enum End {
    NotReached,
    Reached,
}

impl<'de> SeqAccess<'de> for &mut ArgsAccess<'de> {
    type Error = ArgumentsError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ArgumentsError> {
        let Some(element) = self.elements.next() else {
            self.end = End::Reached;
            return Ok(None);
        };
        let index = self.index;
        self.index = index.saturating_add(1);
        let value = seed.deserialize(ValueDeserializer::new(&mut Reader::new(element)));
        value
            .map(Some)
            .map_err(|error: ValueError| ArgumentsError::Argument { index, error })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.elements.count_left())
    }
}
