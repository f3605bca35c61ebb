//! Encodes values of applications.
//!
//! - Structs are maps with the names of their fields, and enums the names of their variants, as
//!   every other language expects. Addresses, UUIDs and the like are strings.
//! - Integers of 128 bits are integers as far as msgpack has them, and an error beyond that.
//! - What serializes as the newtype struct `_ExtStruct` of a tag and bytes is an extension.

use std::fmt;

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::path::{PathStep, ValuePath};
use super::{EncodeError, ext};
use crate::msgpack::{
    DecodeLimits, Head, Reader, put_array, put_bin, put_ext, put_int, put_map, put_str, put_uint,
    read_text,
};

/// Returns the deepest nesting that is encoded: what is decoded, without the array that a result
/// comes in. It also keeps a value that contains itself from exhausting the stack.
fn max_depth() -> usize {
    DecodeLimits::default().depth.saturating_sub(1)
}

/// Appends the encoded `value`.
pub(super) fn serialize<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    value: &T,
) -> Result<(), EncodeError> {
    let serializer = ValueSerializer {
        out,
        depth_left: max_depth(),
        options_left: max_depth(),
    };
    value.serialize(serializer).map_err(|error| error.finish())
}

/// Why a value has no encoded form, with the way to it from the inside out.
#[derive(Debug)]
struct SerializeError(Box<Failure>);

#[derive(Debug)]
struct Failure {
    cause: Cause,
    steps: Vec<PathStep>,
}

#[derive(Debug)]
enum Cause {
    Refused(String),
    OutOfRange(String),
}

impl SerializeError {
    fn new(cause: Cause) -> Self {
        let steps = Vec::new();
        Self(Box::new(Failure { cause, steps }))
    }

    fn out_of_range(value: impl fmt::Display) -> Self {
        Self::new(Cause::OutOfRange(value.to_string()))
    }

    fn inside(mut self, step: PathStep) -> Self {
        self.0.steps.push(step);
        self
    }

    fn finish(self) -> EncodeError {
        let path: ValuePath = self.0.steps.into_iter().rev().collect();
        match self.0.cause {
            Cause::OutOfRange(value) => EncodeError::IntegerOutOfRange { path, value },
            Cause::Refused(message) => EncodeError::Unserializable { message },
        }
    }
}

impl fmt::Display for SerializeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.cause {
            Cause::Refused(message) => f.write_str(message),
            Cause::OutOfRange(value) => write!(f, "integer {value} is out of range"),
        }
    }
}

impl std::error::Error for SerializeError {}

impl serde::ser::Error for SerializeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Cause::Refused(message.to_string()))
    }
}

/// Serializes one value.
struct ValueSerializer<'a> {
    out: &'a mut Vec<u8>,
    /// As it is counted when the value is decoded.
    depth_left: usize,
    /// How many more options may be around it. They are no depth, but each needs stack.
    options_left: usize,
}

impl<'a> ValueSerializer<'a> {
    fn compound(
        self,
        kind: CompoundKind,
        len: Option<usize>,
    ) -> Result<Compound<'a>, SerializeError> {
        let depth_left = deeper(self.depth_left)?;
        let head = self.out.len();
        match (kind, len) {
            (_, None) => {}
            (CompoundKind::Array, Some(len)) => put_array(self.out, claim(len)?),
            (CompoundKind::Map, Some(len)) => put_map(self.out, claim(len)?),
        }
        Ok(Compound {
            out: self.out,
            depth_left,
            options_left: self.options_left,
            kind,
            head,
            claimed: len,
            count: 0,
            key: 0,
        })
    }

    /// Writes the pair of a tag and bytes, and makes an extension of it.
    fn extension<T: Serialize + ?Sized>(self, pair: &T) -> Result<(), SerializeError> {
        let start = self.out.len();
        pair.serialize(ValueSerializer {
            out: self.out,
            depth_left: self.depth_left,
            options_left: self.options_left,
        })?;
        let mut reader = Reader::new(self.out.get(start..).unwrap_or_default());
        let heads = [reader.head(), reader.head(), reader.head()];
        let [Ok(Head::Array(2)), Ok(tag), Ok(Head::Bin(len))] = heads else {
            return Err(refused("an extension is a tag and bytes".to_owned()));
        };
        let tag = match tag {
            Head::Unsigned(tag) => i8::try_from(tag).ok(),
            Head::Negative(tag) => i8::try_from(tag).ok(),
            _ => None,
        };
        let tag = tag.ok_or_else(|| refused("the tag of an extension is an i8".to_owned()))?;
        let content = self.out.len().saturating_sub(reader.rest().len());
        let mut head = Vec::new();
        put_ext(&mut head, tag, claim(len)?);
        self.out.splice(start..content, head);
        Ok(())
    }

    /// Begins `{variant: …}`.
    fn variant(mut self, variant: &'static str) -> Result<Self, SerializeError> {
        self.depth_left = deeper(self.depth_left)?;
        put_map(self.out, 1);
        put_str(self.out, variant.as_bytes());
        Ok(self)
    }
}

/// Goes one level down.
fn deeper(left: usize) -> Result<usize, SerializeError> {
    left.checked_sub(1)
        .ok_or_else(|| refused(format!("nested deeper than {}", max_depth())))
}

fn refused(message: String) -> SerializeError {
    SerializeError::new(Cause::Refused(message))
}

fn claim(len: usize) -> Result<u32, SerializeError> {
    u32::try_from(len).map_err(|_| {
        refused(format!(
            "length {len}: msgpack has no more than {}",
            u32::MAX
        ))
    })
}

impl<'a> Serializer for ValueSerializer<'a> {
    type Ok = ();
    type Error = SerializeError;
    type SerializeSeq = Compound<'a>;
    type SerializeTuple = Compound<'a>;
    type SerializeTupleStruct = Compound<'a>;
    type SerializeTupleVariant = Compound<'a>;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeStructVariant = Compound<'a>;

    fn serialize_bool(self, value: bool) -> Result<(), SerializeError> {
        self.out.push(if value { 0xc3 } else { 0xc2 });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), SerializeError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), SerializeError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), SerializeError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), SerializeError> {
        put_int(self.out, value);
        Ok(())
    }

    fn serialize_i128(self, value: i128) -> Result<(), SerializeError> {
        match (u64::try_from(value), i64::try_from(value)) {
            (Ok(value), _) => self.serialize_u64(value),
            (_, Ok(value)) => self.serialize_i64(value),
            _ => Err(SerializeError::out_of_range(value)),
        }
    }

    fn serialize_u8(self, value: u8) -> Result<(), SerializeError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), SerializeError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), SerializeError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), SerializeError> {
        put_uint(self.out, value);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), SerializeError> {
        match u64::try_from(value) {
            Ok(value) => self.serialize_u64(value),
            Err(_) => Err(SerializeError::out_of_range(value)),
        }
    }

    fn serialize_f32(self, value: f32) -> Result<(), SerializeError> {
        self.out.push(0xca);
        self.out.extend_from_slice(&value.to_be_bytes());
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<(), SerializeError> {
        self.out.push(0xcb);
        self.out.extend_from_slice(&value.to_be_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), SerializeError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), SerializeError> {
        claim(value.len())?;
        put_str(self.out, value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), SerializeError> {
        put_bin(self.out, claim(value.len())?);
        self.out.extend_from_slice(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), SerializeError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(mut self, value: &T) -> Result<(), SerializeError> {
        self.options_left = deeper(self.options_left)?;
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), SerializeError> {
        self.out.push(0xc0);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), SerializeError> {
        put_array(self.out, 0);
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), SerializeError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), SerializeError> {
        if name == ext::STRUCT_NAME {
            return self.extension(value);
        }
        self.depth_left = deeper(self.depth_left)?;
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), SerializeError> {
        let inner = value.serialize(self.variant(variant)?);
        inner.map_err(|error| error.inside(PathStep::key(variant.as_bytes())))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Compound<'a>, SerializeError> {
        self.compound(CompoundKind::Array, len)
    }

    fn serialize_tuple(self, len: usize) -> Result<Compound<'a>, SerializeError> {
        self.compound(CompoundKind::Array, Some(len))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        len: usize,
    ) -> Result<Compound<'a>, SerializeError> {
        self.compound(CompoundKind::Array, Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Compound<'a>, SerializeError> {
        let content = self.variant(variant)?;
        content.compound(CompoundKind::Array, Some(len))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Compound<'a>, SerializeError> {
        self.compound(CompoundKind::Map, len)
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Compound<'a>, SerializeError> {
        self.compound(CompoundKind::Map, Some(len))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Compound<'a>, SerializeError> {
        let content = self.variant(variant)?;
        content.compound(CompoundKind::Map, Some(len))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum CompoundKind {
    Array,
    Map,
}

/// An array or a map that is being written.
struct Compound<'a> {
    out: &'a mut Vec<u8>,
    depth_left: usize,
    options_left: usize,
    kind: CompoundKind,
    /// Where its head is, or has to be.
    head: usize,
    /// The count in its head, if it was known.
    claimed: Option<usize>,
    /// How many elements or entries were written.
    count: usize,
    /// Where the last key begins.
    key: usize,
}

impl Compound<'_> {
    fn inner(&mut self) -> ValueSerializer<'_> {
        ValueSerializer {
            out: self.out,
            depth_left: self.depth_left,
            options_left: self.options_left,
        }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerializeError> {
        let index = self.count;
        self.count = self.count.saturating_add(1);
        let written = value.serialize(self.inner());
        written.map_err(|error| error.inside(PathStep::Index(index)))
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), SerializeError> {
        let entry = self.count;
        self.count = self.count.saturating_add(1);
        self.key = self.out.len();
        let written = key.serialize(self.inner());
        written.map_err(|error| error.inside(PathStep::Entry(entry)))
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerializeError> {
        let written = value.serialize(self.inner());
        written.map_err(|error| {
            let key = self.out.get(self.key..).and_then(read_text);
            error.inside(key.map_or_else(
                || PathStep::Entry(self.count.saturating_sub(1)),
                PathStep::key,
            ))
        })
    }

    fn field<T: Serialize + ?Sized>(
        &mut self,
        name: &str,
        value: &T,
    ) -> Result<(), SerializeError> {
        self.count = self.count.saturating_add(1);
        self.key = self.out.len();
        put_str(self.out, name.as_bytes());
        self.value(value)
    }

    /// Sees to it that the head has the count of what was written.
    fn finish(self) -> Result<(), SerializeError> {
        if self.claimed == Some(self.count) {
            return Ok(());
        }
        let mut head = Vec::new();
        match self.kind {
            CompoundKind::Array => put_array(&mut head, claim(self.count)?),
            CompoundKind::Map => put_map(&mut head, claim(self.count)?),
        }
        match self.claimed {
            None => {
                self.out.splice(self.head..self.head, head);
                Ok(())
            }
            Some(claimed) => {
                let count = self.count;
                Err(refused(format!(
                    "{count} elements, and {claimed} were announced"
                )))
            }
        }
    }
}

impl SerializeSeq for Compound<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_element<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<(), SerializeError> {
        self.element(value)
    }

    fn end(self) -> Result<(), SerializeError> {
        self.finish()
    }
}

impl SerializeTuple for Compound<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_element<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<(), SerializeError> {
        self.element(value)
    }

    fn end(self) -> Result<(), SerializeError> {
        self.finish()
    }
}

impl SerializeTupleStruct for Compound<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerializeError> {
        self.element(value)
    }

    fn end(self) -> Result<(), SerializeError> {
        self.finish()
    }
}

impl SerializeTupleVariant for Compound<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerializeError> {
        self.element(value)
    }

    fn end(self) -> Result<(), SerializeError> {
        self.finish()
    }
}

impl SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), SerializeError> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerializeError> {
        self.value(value)
    }

    fn end(self) -> Result<(), SerializeError> {
        self.finish()
    }
}

impl SerializeStruct for Compound<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), SerializeError> {
        self.field(name, value)
    }

    fn end(self) -> Result<(), SerializeError> {
        self.finish()
    }
}

impl SerializeStructVariant for Compound<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), SerializeError> {
        self.field(name, value)
    }

    fn end(self) -> Result<(), SerializeError> {
        self.finish()
    }
}
