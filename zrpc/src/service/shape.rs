//! What a handler's argument type looks like, found by asking the type itself.
//!
//! Serde tells a deserialiser what a type expects before it hands over a value. A probe that
//! answers with placeholders therefore learns the number of arguments, which of them are
//! optional, and, for a struct, their names. That is what introspection shows and what a call
//! with too few arguments is completed from; no trait has to be implemented per tuple size.

use serde::de::value::Error as ProbeError;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// The positional arguments a type accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A tuple, a struct or unit: one parameter for each field.
    Fixed(Vec<Parameter>),
    /// A sequence type such as `Vec<rmpv::Value>`: any number of arguments.
    Variadic,
    /// A single value, such as a string or a map: no list of arguments decodes into it.
    Unsuitable,
}

/// One position of a [`Shape::Fixed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// The field's name, if the type is a struct.
    pub(crate) name: Option<&'static str>,
    pub(crate) presence: Presence,
}

/// Whether a caller may leave an argument out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    /// An `Option`: missing means `None`.
    Optional,
    /// The probe did not get this far; decoding decides.
    Unknown,
}

impl Shape {
    /// Finds out what `A` expects.
    pub(crate) fn of<A: DeserializeOwned>() -> Self {
        let mut shape = Self::Unsuitable;
        // The value is of no interest and an error only ends the probe early.
        drop(A::deserialize(ArgumentsProbe { shape: &mut shape }));
        shape
    }
}

/// Stands in for the whole argument list.
struct ArgumentsProbe<'a> {
    shape: &'a mut Shape,
}

impl ArgumentsProbe<'_> {
    fn fixed<'de, V: Visitor<'de>>(
        self,
        names: impl Iterator<Item = Option<&'static str>>,
        visitor: V,
    ) -> Result<V::Value, ProbeError> {
        let parameters = names
            .map(|name| Parameter {
                name,
                presence: Presence::Unknown,
            })
            .collect();
        *self.shape = Shape::Fixed(parameters);
        let Shape::Fixed(parameters) = self.shape else {
            return Err(ProbeError::custom("not a fixed shape"));
        };
        visitor.visit_seq(ParametersProbe {
            parameters: parameters.iter_mut(),
        })
    }
}

/// Ends the probe for what is no list of arguments.
macro_rules! unsuitable {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, ProbeError> {
            Err(ProbeError::custom("no list of arguments"))
        })*
    };
}

impl<'de> Deserializer<'de> for ArgumentsProbe<'_> {
    type Error = ProbeError;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, ProbeError> {
        *self.shape = Shape::Variadic;
        Err(ProbeError::custom("any number of arguments"))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        *self.shape = Shape::Fixed(Vec::new());
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ProbeError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ProbeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, ProbeError> {
        self.fixed((0..len).map(|_| None), visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, ProbeError> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ProbeError> {
        self.fixed(fields.iter().copied().map(Some), visitor)
    }

    unsuitable! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf deserialize_option
        deserialize_map deserialize_identifier
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, ProbeError> {
        Err(ProbeError::custom("no list of arguments"))
    }
}

/// Hands one [`ParameterProbe`] to each field.
struct ParametersProbe<'a> {
    parameters: std::slice::IterMut<'a, Parameter>,
}

impl<'de> SeqAccess<'de> for ParametersProbe<'_> {
    type Error = ProbeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ProbeError> {
        let Some(parameter) = self.parameters.next() else {
            return Ok(None);
        };
        parameter.presence = Presence::Required;
        seed.deserialize(ParameterProbe { parameter }).map(Some)
    }
}

/// Stands in for one argument and answers with a placeholder of the wanted kind.
struct ParameterProbe<'a> {
    parameter: &'a mut Parameter,
}

impl<'de> Deserializer<'de> for ParameterProbe<'_> {
    type Error = ProbeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        self.parameter.presence = Presence::Optional;
        visitor.visit_none()
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        visitor.visit_bool(false)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        visitor.visit_i64(1)
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        visitor.visit_f64(1.0)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        visitor.visit_char('a')
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        visitor.visit_str("")
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        visitor.visit_str("")
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        visitor.visit_bytes(&[])
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        visitor.visit_bytes(&[])
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        visitor.visit_seq(serde::de::value::SeqDeserializer::new(
            std::iter::empty::<()>(),
        ))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        visitor.visit_map(serde::de::value::MapDeserializer::new(std::iter::empty::<(
            (),
            (),
        )>()))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ProbeError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        unit unit_struct tuple tuple_struct struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presences<A: DeserializeOwned>() -> Vec<Presence> {
        match Shape::of::<A>() {
            Shape::Fixed(parameters) => parameters.iter().map(|p| p.presence).collect(),
            other => panic!("a fixed shape was expected: {other:?}"),
        }
    }

    #[test]
    fn unit_takes_no_arguments() {
        assert_eq!(Shape::of::<()>(), Shape::Fixed(Vec::new()));
    }

    #[test]
    fn tuple_fields_are_required_unless_they_are_options() {
        assert_eq!(
            presences::<(String, u64, Option<f64>)>(),
            [Presence::Required, Presence::Required, Presence::Optional]
        );
    }

    #[test]
    fn collections_and_dynamic_values_are_required() {
        assert_eq!(
            presences::<(Vec<u8>, rmpv::Value, std::collections::HashMap<String, u8>)>(),
            [Presence::Required; 3]
        );
    }

    #[test]
    fn fields_behind_one_that_has_no_placeholder_are_unknown() {
        assert_eq!(
            presences::<((u8, u8), Option<u8>)>(),
            [Presence::Required, Presence::Unknown]
        );
    }

    #[test]
    fn sequences_and_values_are_variadic() {
        assert_eq!(Shape::of::<Vec<rmpv::Value>>(), Shape::Variadic);
        assert_eq!(Shape::of::<rmpv::Value>(), Shape::Variadic);
    }

    #[test]
    fn single_values_are_unsuitable() {
        assert_eq!(Shape::of::<String>(), Shape::Unsuitable);
        assert_eq!(Shape::of::<u64>(), Shape::Unsuitable);
        assert_eq!(Shape::of::<Option<(u64,)>>(), Shape::Unsuitable);
        let map = Shape::of::<std::collections::HashMap<String, u8>>();
        assert_eq!(map, Shape::Unsuitable);
    }

    #[test]
    fn struct_fields_give_their_names() {
        #[derive(serde::Deserialize)]
        #[expect(dead_code, reason = "only the shape is of interest")]
        struct Add {
            left: i64,
            right: Option<i64>,
        }
        let Shape::Fixed(parameters) = Shape::of::<Add>() else {
            panic!("a fixed shape was expected");
        };
        let names: Vec<_> = parameters.iter().map(|p| p.name).collect();
        assert_eq!(names, [Some("left"), Some("right")]);
        assert_eq!(parameters[1].presence, Presence::Optional);
    }
}
