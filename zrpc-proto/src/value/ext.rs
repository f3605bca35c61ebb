//! Extensions of msgpack as values.

use std::fmt;

use bytes::Bytes;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// The name of the newtype struct as which an extension goes through serde: the pair of its tag and
/// its content. Other msgpack crates know the same name.
pub(super) const STRUCT_NAME: &str = "_ExtStruct";

/// A msgpack extension: a tag that says what it is, and its bytes.
///
/// Python has it as `msgpack.ExtType`, and Node as an `ExtBuffer`. Tags from 0 to 127 are for
/// applications, and the negative ones for msgpack itself, of which −1 is a
/// [`Timestamp`](crate::Timestamp). Node uses the tags from 1 to 29 for objects of its own.
///
/// # Example
///
/// ```
/// # use zrpc_proto::{Body, Ext, decode};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let body = Body::value(&Ext::new(42, b"abc".as_slice()))?;
/// assert_eq!(body.encoded(), b"\xc7\x03\x2aabc");
/// let ext: Ext = decode(body.encoded())?;
/// assert_eq!((ext.tag(), &ext.content()[..]), (42, &b"abc"[..]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Ext {
    tag: i8,
    content: Bytes,
}

impl Ext {
    /// Returns an extension.
    pub fn new(tag: i8, content: impl Into<Bytes>) -> Self {
        Self {
            tag,
            content: content.into(),
        }
    }

    /// Returns what it is.
    #[must_use]
    pub fn tag(&self) -> i8 {
        self.tag
    }

    /// Returns its bytes.
    #[must_use]
    pub fn content(&self) -> &Bytes {
        &self.content
    }

    /// Returns its bytes without copying them.
    #[must_use]
    pub fn into_content(self) -> Bytes {
        self.content
    }
}

impl fmt::Debug for Ext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ext")
            .field("tag", &self.tag)
            .field("len", &self.content.len())
            .finish()
    }
}

impl Serialize for Ext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self.tag, &self.content, serializer)
    }
}

impl<'de> Deserialize<'de> for Ext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer, "an extension", |tag, content| {
            Ok(Self::new(tag, Bytes::copy_from_slice(content)))
        })
    }
}

/// Serializes an extension without owning its content.
pub(super) fn serialize<S: Serializer>(
    tag: i8,
    content: &[u8],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(STRUCT_NAME, &(tag, Raw(content)))
}

/// Deserializes an extension, and makes of it what `make` does.
pub(super) fn deserialize<'de, D, T, F>(
    deserializer: D,
    expected: &'static str,
    make: F,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    F: FnOnce(i8, &[u8]) -> Result<T, String>,
{
    deserializer.deserialize_newtype_struct(STRUCT_NAME, ExtVisitor { expected, make })
}

/// Bytes, which serde would take for a sequence.
struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

struct ExtVisitor<F> {
    expected: &'static str,
    make: F,
}

impl<'de, T, F> Visitor<'de> for ExtVisitor<F>
where
    F: FnOnce(i8, &[u8]) -> Result<T, String>,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_tuple(2, self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<T, A::Error> {
        let missing = || de::Error::invalid_type(de::Unexpected::Seq, &self.expected);
        let tag: i8 = pair.next_element()?.ok_or_else(missing)?;
        let content: Content = pair.next_element()?.ok_or_else(missing)?;
        (self.make)(tag, &content.0).map_err(de::Error::custom)
    }
}

/// The content of an extension.
struct Content(Vec<u8>);

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContentVisitor;

        impl Visitor<'_> for ContentVisitor {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the bytes of an extension")
            }

            fn visit_bytes<E: de::Error>(self, content: &[u8]) -> Result<Content, E> {
                Ok(Content(content.to_vec()))
            }

            fn visit_byte_buf<E: de::Error>(self, content: Vec<u8>) -> Result<Content, E> {
                Ok(Content(content))
            }
        }

        deserializer.deserialize_byte_buf(ContentVisitor)
    }
}
