//! Decodes values into the types of applications, tolerating what other implementations send.
//!
//! - JavaScript sends integers beyond 31 bits as floats: an integral float is taken for an integer.
//! - Python 2 sends strings as binary, and old peers send binary as strings: either is taken for the
//!   other. A string that is not UTF-8 is binary.
//! - A sequence of small integers may come as binary.
//!
//! Nesting is limited, so a hostile value cannot exhaust the stack.

use serde::de::value::SeqDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer,
    MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::{ValueError, ext};
use crate::msgpack::{DecodeError, DecodeLimits, Head, Reader, skip};

/// Decodes one encoded value.
///
/// # Errors
///
/// [`ValueError`] if `encoded` is malformed or not a `T`.
///
/// # Example
///
/// ```
/// # use zrpc_proto::decode;
/// assert_eq!(decode::<u64>(b"\x07"), Ok(7));
/// assert_eq!(decode::<u64>(b"\xcb\x41\xf0\x00\x00\x00\x00\x00\x00"), Ok(1 << 32));
/// assert!(decode::<u64>(b"\xa3two").is_err());
/// ```
pub fn decode<T: DeserializeOwned>(encoded: &[u8]) -> Result<T, ValueError> {
    T::deserialize(ValueDeserializer::new(&mut Reader::new(encoded)))
}

/// Deserializes the next value of a reader.
pub(super) struct ValueDeserializer<'a, 'de> {
    reader: &'a mut Reader<'de>,
    depth_left: usize,
}

impl<'a, 'de> ValueDeserializer<'a, 'de> {
    pub(super) fn new(reader: &'a mut Reader<'de>) -> Self {
        Self {
            reader,
            depth_left: DecodeLimits::MAX_DEPTH,
        }
    }

    fn head(&mut self) -> Result<Head, ValueError> {
        self.reader.head().map_err(ValueError::Malformed)
    }

    fn peek(&self) -> Result<Head, ValueError> {
        // A reader is a slice: copying it costs nothing.
        let mut ahead = *self.reader;
        ahead.head().map_err(ValueError::Malformed)
    }

    fn take(&mut self, len: usize) -> Result<&'de [u8], ValueError> {
        self.reader.take(len).map_err(ValueError::Malformed)
    }

    fn deeper(&self) -> Result<usize, ValueError> {
        let limit = DecodeLimits::MAX_DEPTH;
        let deeper = self.depth_left.checked_sub(1);
        deeper.ok_or(ValueError::Malformed(DecodeError::TooDeep { limit }))
    }

    fn visit<V: Visitor<'de>>(mut self, head: Head, visitor: V) -> Result<V::Value, ValueError> {
        match head {
            Head::Nil => visitor.visit_unit(),
            Head::Boolean(value) => visitor.visit_bool(value),
            Head::Unsigned(value) => visitor.visit_u64(value),
            Head::Negative(value) => visitor.visit_i64(value),
            Head::F32(value) => visitor.visit_f32(value),
            Head::F64(value) => visitor.visit_f64(value),
            Head::Str(len) => visit_text(self.take(len)?, visitor),
            Head::Bin(len) => visitor.visit_borrowed_bytes(self.take(len)?),
            Head::Array(count) => self.visit_seq(count, visitor),
            Head::Map(count) => self.visit_map(count, visitor),
            Head::Ext(tag, len) => {
                let content = self.take(len)?;
                visitor.visit_newtype_struct(ExtDeserializer { tag, content })
            }
        }
    }

    fn visit_seq<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value, ValueError> {
        let depth_left = self.deeper()?;
        let mut access = Compound {
            reader: self.reader,
            count,
            depth_left,
        };
        let value = visitor.visit_seq(&mut access)?;
        match access.count {
            0 => Ok(value),
            left => {
                let taken = count.saturating_sub(left);
                let expected = format!("{taken} elements");
                Err(ValueError::invalid_length(count, &expected.as_str()))
            }
        }
    }

    fn visit_map<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value, ValueError> {
        let depth_left = self.deeper()?;
        let mut access = Compound {
            reader: self.reader,
            count,
            depth_left,
        };
        let value = visitor.visit_map(&mut access)?;
        match access.count {
            0 => Ok(value),
            _ => Err(ValueError::invalid_length(count, &"fewer entries")),
        }
    }

    /// Takes an integral float for the integer that it is.
    fn deserialize_integer<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, ValueError> {
        let head = match self.head()? {
            Head::F32(value) => integral(f64::from(value)).unwrap_or(Head::F32(value)),
            Head::F64(value) => integral(value).unwrap_or(Head::F64(value)),
            head => head,
        };
        self.visit(head, visitor)
    }

    /// Takes 16 bytes of binary, which is how some encode integers of 128 bits: msgpack has none.
    fn take_wide(&mut self) -> Result<Option<[u8; 16]>, ValueError> {
        if self.peek()? != Head::Bin(16) {
            return Ok(None);
        }
        self.head()?;
        Ok(self.take(16)?.first_chunk().copied())
    }

    /// Takes binary that is UTF-8 for a string.
    fn deserialize_text<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, ValueError> {
        match self.head()? {
            Head::Str(len) | Head::Bin(len) => visit_text(self.take(len)?, visitor),
            head => self.visit(head, visitor),
        }
    }

    /// Takes a string for binary.
    fn deserialize_binary<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, ValueError> {
        match self.head()? {
            Head::Str(len) | Head::Bin(len) => visitor.visit_borrowed_bytes(self.take(len)?),
            head => self.visit(head, visitor),
        }
    }

    /// Takes binary for a sequence of integers.
    fn deserialize_sequence<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, ValueError> {
        match self.head()? {
            Head::Bin(len) => {
                let bytes = self.take(len)?.iter().copied();
                let mut bytes = SeqDeserializer::new(bytes);
                let value = visitor.visit_seq(&mut bytes)?;
                bytes.end().map(|()| value)
            }
            head => self.visit(head, visitor),
        }
    }
}

impl<'de> Deserializer<'de> for ValueDeserializer<'_, 'de> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, ValueError> {
        let head = self.head()?;
        self.visit(head, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, ValueError> {
        if self.peek()? == Head::Nil {
            self.head()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, ValueError> {
        match self.head()? {
            Head::Array(0) => visitor.visit_unit(),
            head => self.visit(head, visitor),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        if name == ext::STRUCT_NAME
            && let Head::Ext(tag, len) = self.peek()?
        {
            self.head()?;
            let content = self.take(len)?;
            return visitor.visit_newtype_struct(ExtDeserializer { tag, content });
        }
        let depth_left = self.deeper()?;
        visitor.visit_newtype_struct(ValueDeserializer {
            reader: self.reader,
            depth_left,
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        let depth_left = self.deeper()?;
        match self.peek()? {
            Head::Map(1) => {
                self.head()?;
                visitor.visit_enum(Variant {
                    reader: self.reader,
                    depth_left,
                })
            }
            Head::Str(len) | Head::Bin(len) => {
                self.head()?;
                let name = std::str::from_utf8(self.take(len)?);
                let name = name.map_err(|_| ValueError::custom("variant name is not UTF-8"))?;
                visitor.visit_enum(name.into_deserializer())
            }
            head => Err(ValueError::custom(format_args!(
                "invalid type: {}, expected an enum",
                head.kind()
            ))),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let limits = DecodeLimits::default();
        skip(self.reader, &limits, &mut limits.values.clone()).map_err(ValueError::Malformed)?;
        visitor.visit_unit()
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_integer(visitor)
    }

    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_integer(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_integer(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_integer(visitor)
    }

    fn deserialize_i128<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, ValueError> {
        match self.take_wide()? {
            Some(bytes) => visitor.visit_i128(i128::from_be_bytes(bytes)),
            None => self.deserialize_integer(visitor),
        }
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_integer(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_integer(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_integer(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_integer(visitor)
    }

    fn deserialize_u128<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, ValueError> {
        match self.take_wide()? {
            Some(bytes) => visitor.visit_u128(u128::from_be_bytes(bytes)),
            None => self.deserialize_integer(visitor),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_text(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_text(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_text(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_text(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_binary(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_binary(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_sequence(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_sequence(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_sequence(visitor)
    }

    forward_to_deserialize_any! { bool f32 f64 map struct }
}

/// The rest of an array or a map.
struct Compound<'a, 'de> {
    reader: &'a mut Reader<'de>,
    count: usize,
    depth_left: usize,
}

impl<'de> Compound<'_, 'de> {
    fn value(&mut self) -> ValueDeserializer<'_, 'de> {
        ValueDeserializer {
            reader: self.reader,
            depth_left: self.depth_left,
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Compound<'_, 'de> {
    type Error = ValueError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ValueError> {
        let Some(left) = self.count.checked_sub(1) else {
            return Ok(None);
        };
        self.count = left;
        seed.deserialize(self.value()).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        // What is claimed, but never more than there are bytes.
        Some(self.count.min(self.reader.rest().len()))
    }
}

impl<'de> MapAccess<'de> for &mut Compound<'_, 'de> {
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ValueError> {
        SeqAccess::next_element_seed(self, seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<T::Value, ValueError> {
        seed.deserialize(self.value())
    }

    fn size_hint(&self) -> Option<usize> {
        SeqAccess::size_hint(self)
    }
}

/// An enum variant with content: `{name: content}`.
struct Variant<'a, 'de> {
    reader: &'a mut Reader<'de>,
    depth_left: usize,
}

impl<'a, 'de> Variant<'a, 'de> {
    fn content(self) -> ValueDeserializer<'a, 'de> {
        ValueDeserializer {
            reader: self.reader,
            depth_left: self.depth_left,
        }
    }
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = ValueError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self), ValueError> {
        let name = ValueDeserializer {
            reader: self.reader,
            depth_left: self.depth_left,
        };
        let name = seed.deserialize(name)?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = ValueError;

    fn unit_variant(self) -> Result<(), ValueError> {
        serde::Deserialize::deserialize(self.content())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, ValueError> {
        seed.deserialize(self.content())
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.content().deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.content().deserialize_struct("", fields, visitor)
    }
}

/// An extension, which serde knows as the pair of its tag and its content.
struct ExtDeserializer<'de> {
    tag: i8,
    content: &'de [u8],
}

impl<'de> Deserializer<'de> for ExtDeserializer<'de> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_seq(ExtAccess::Tag(self))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

enum ExtAccess<'de> {
    Tag(ExtDeserializer<'de>),
    Content(&'de [u8]),
    End,
}

impl<'de> SeqAccess<'de> for ExtAccess<'de> {
    type Error = ValueError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ValueError> {
        match std::mem::replace(self, Self::End) {
            Self::Tag(ExtDeserializer { tag, content }) => {
                *self = Self::Content(content);
                seed.deserialize(tag.into_deserializer()).map(Some)
            }
            Self::Content(content) => {
                let content = serde::de::value::BorrowedBytesDeserializer::new(content);
                seed.deserialize(content).map(Some)
            }
            Self::End => Ok(None),
        }
    }
}

fn visit_text<'de, V: Visitor<'de>>(
    content: &'de [u8],
    visitor: V,
) -> Result<V::Value, ValueError> {
    match std::str::from_utf8(content) {
        Ok(text) => visitor.visit_borrowed_str(text),
        Err(_) => visitor.visit_borrowed_bytes(content),
    }
}

/// Returns the integer that a float is, if it is one and a float can tell it from its neighbours.
fn integral(value: f64) -> Option<Head> {
    /// 2⁶³: every integral float below it is exactly an `i64`.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if value.fract() != 0.0 || !(-LIMIT..LIMIT).contains(&value) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "integral and within the range of i64"
    )]
    let value = value as i64;
    Some(u64::try_from(value).map_or(Head::Negative(value), Head::Unsigned))
}
