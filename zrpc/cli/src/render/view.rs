//! A msgpack value seen as the Python value it stands for.

use std::cmp::Ordering;
use std::collections::HashMap;

use rmpv::{Integer, Value};

/// The Python value that a msgpack value decodes to.
#[derive(Clone, Copy, Debug)]
pub(super) enum View<'a> {
    None,
    Bool(bool),
    Int(Integer),
    Float(f64),
    Str(&'a str),
    Bytes(&'a [u8]),
    List(&'a [Value]),
    Dict(&'a [(Value, Value)]),
    Time { seconds: i64, nanoseconds: u32 },
    Ext { code: i8, data: &'a [u8] },
}

impl<'a> View<'a> {
    /// Looks at a value. A string that is not UTF-8 (peers older than msgpack's `bin` type send
    /// those) is bytes.
    pub(super) fn of(value: &'a Value) -> Self {
        match value {
            Value::Nil => Self::None,
            Value::Boolean(truth) => Self::Bool(*truth),
            Value::Integer(number) => Self::Int(*number),
            Value::F32(number) => Self::Float(f64::from(*number)),
            Value::F64(number) => Self::Float(*number),
            Value::String(text) => text
                .as_str()
                .map_or_else(|| Self::Bytes(text.as_bytes()), Self::Str),
            Value::Binary(bytes) => Self::Bytes(bytes),
            Value::Array(items) => Self::List(items),
            Value::Map(entries) => Self::Dict(entries),
            Value::Ext(code, data) => timestamp(*code, data),
        }
    }

    /// The place of a key among keys of other types: comparable types share one.
    fn rank(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => 1,
            Self::Bytes(_) => 2,
            Self::Dict(_) => 3,
            Self::List(_) => 4,
            Self::Time { .. } => 5,
            Self::Ext { .. } => 6,
            Self::Str(_) => 7,
        }
    }

    fn as_number(self) -> f64 {
        match self {
            Self::Bool(truth) => f64::from(u8::from(truth)),
            Self::Int(number) => number.as_f64().unwrap_or_default(),
            Self::Float(number) => number,
            _ => 0.0,
        }
    }

    /// Orders keys as `pprint` does: within a type by value, types by their names.
    fn key_order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Str(one), Self::Str(two)) => one.cmp(two),
            (Self::Bytes(one), Self::Bytes(two)) => one.cmp(two),
            (Self::Int(one), Self::Int(two)) => integer_order(one, two),
            _ if self.rank() == other.rank() => self.as_number().total_cmp(&other.as_number()),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

/// A key by what Python takes for the same key.
#[derive(Debug, PartialEq, Eq, Hash)]
enum DictKey<'a> {
    None,
    /// Also of a boolean, and of a float without a fraction: they are equal, and so is their hash.
    Whole(i128),
    Float(u64),
    Str(&'a str),
    Bytes(&'a [u8]),
    Time(i64, u32),
    Ext(i8, &'a [u8]),
}

impl<'a> DictKey<'a> {
    /// Returns `None` for what equals no key: what is not a number, and what Python cannot take as one.
    fn of(view: View<'a>) -> Option<Self> {
        let key = match view {
            View::None => Self::None,
            View::Bool(truth) => Self::Whole(i128::from(truth)),
            View::Int(number) => Self::Whole(wide(number)),
            View::Float(number) if number.is_nan() => return None,
            View::Float(number) => {
                whole(number).map_or_else(|| Self::Float(number.to_bits()), Self::Whole)
            }
            View::Str(text) => Self::Str(text),
            View::Bytes(bytes) => Self::Bytes(bytes),
            View::Time {
                seconds,
                nanoseconds,
            } => Self::Time(seconds, nanoseconds),
            View::Ext { code, data } => Self::Ext(code, data),
            View::List(_) | View::Dict(_) => return None,
        };
        Some(key)
    }
}

/// Returns the entries of a map as a Python dict keeps them: where a key is repeated, its last value,
/// at its first place. Lists and maps, which are no keys there, all stay.
pub(super) fn unique(entries: &[(Value, Value)]) -> Vec<(&Value, &Value)> {
    let mut places = HashMap::with_capacity(entries.len());
    let mut kept: Vec<(&Value, &Value)> = Vec::with_capacity(entries.len());
    for (key, item) in entries {
        let key_of_dict = DictKey::of(View::of(key));
        let place = key_of_dict.map(|key| *places.entry(key).or_insert(kept.len()));
        match place.and_then(|place| kept.get_mut(place)) {
            Some(earlier) => earlier.1 = item,
            None => kept.push((key, item)),
        }
    }
    kept
}

/// Returns the entries of a map in the order in which `pprint` lists them.
pub(super) fn sorted(entries: &[(Value, Value)]) -> Vec<(&Value, &Value)> {
    let mut entries = unique(entries);
    entries.sort_by(|(one, _), (two, _)| View::of(one).key_order(View::of(two)));
    entries
}

/// Decodes msgpack's timestamp extension (type -1), in any of its three lengths.
fn timestamp(code: i8, data: &[u8]) -> View<'_> {
    let ext = View::Ext { code, data };
    if code != -1 {
        return ext;
    }
    if let Ok(bytes) = <[u8; 4]>::try_from(data) {
        let seconds = i64::from(u32::from_be_bytes(bytes));
        return View::Time {
            seconds,
            nanoseconds: 0,
        };
    }
    if let Ok(bytes) = <[u8; 8]>::try_from(data) {
        let both = u64::from_be_bytes(bytes);
        let seconds = i64::try_from(both & ((1 << 34) - 1));
        return match (seconds, u32::try_from(both >> 34)) {
            (Ok(seconds), Ok(nanoseconds)) => View::Time {
                seconds,
                nanoseconds,
            },
            _ => ext,
        };
    }
    match data.split_first_chunk::<4>() {
        Some((nanoseconds, seconds)) => match <[u8; 8]>::try_from(seconds) {
            Ok(seconds) => View::Time {
                seconds: i64::from_be_bytes(seconds),
                nanoseconds: u32::from_be_bytes(*nanoseconds),
            },
            Err(_) => ext,
        },
        None => ext,
    }
}

fn integer_order(one: Integer, two: Integer) -> Ordering {
    wide(one).cmp(&wide(two))
}

/// Every integer of msgpack is one of these.
fn wide(number: Integer) -> i128 {
    let signed = number.as_i64().map(i128::from);
    signed
        .or_else(|| number.as_u64().map(i128::from))
        .unwrap_or_default()
}

/// Returns the integer that equals a float, if msgpack has it.
fn whole(number: f64) -> Option<i128> {
    let is_whole = number.fract() == 0.0 && number.abs() <= u64::MAX as f64;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and small")]
    is_whole.then_some(number as i128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_key_keeps_its_place_and_its_last_value() {
        let entries = [
            (Value::from("a"), Value::from(1)),
            (Value::from("b"), Value::from(2)),
            (Value::from("a"), Value::from(3)),
        ];
        let kept = unique(&entries);
        assert_eq!(kept.len(), 2);
        assert_eq!(kept.first(), Some(&(&Value::from("a"), &Value::from(3))));
    }

    #[test]
    fn keys_are_the_same_that_are_equal_in_python() {
        let big = Value::from(u64::MAX);
        let ext = || Value::Ext(5, vec![1]);
        for (keys, count) in [
            (vec![Value::from(1), Value::from(1)], 1),
            (vec![Value::from(1), Value::from(1.0), Value::from(true)], 1),
            (
                vec![Value::from(0), Value::from(-0.0), Value::from(false)],
                1,
            ),
            (vec![Value::from(-1), Value::from(-1_i64)], 1),
            (vec![Value::from(1.5), Value::F32(1.5)], 1),
            (vec![Value::Nil, Value::Nil], 1),
            (vec![Value::Binary(vec![1]), Value::Binary(vec![1])], 1),
            (vec![ext(), ext()], 1),
            (vec![Value::from("a"), Value::Binary(b"a".to_vec())], 2),
            (vec![Value::from(1), Value::from("1"), Value::from(1.5)], 3),
            (
                vec![big.clone(), Value::from(u64::MAX - 1), Value::from(1e300)],
                3,
            ),
            (vec![Value::from(f64::NAN), Value::from(f64::NAN)], 2),
            (vec![Value::Array(vec![]), Value::Array(vec![])], 2),
        ] {
            let entries: Vec<_> = keys.iter().map(|key| (key.clone(), big.clone())).collect();
            assert_eq!(unique(&entries).len(), count, "{keys:?}");
        }
    }

    #[test]
    fn keys_of_different_types_are_grouped_by_type() {
        let keys = [
            Value::from("b"),
            Value::from(10),
            Value::Nil,
            Value::Binary(vec![b'z']),
            Value::from(2.5),
            Value::from("a"),
            Value::from(u64::MAX),
            Value::from(-1),
        ];
        let entries: Vec<_> = keys.iter().map(|key| (key.clone(), Value::Nil)).collect();
        let order: Vec<_> = sorted(&entries)
            .iter()
            .map(|(key, _)| key.to_string())
            .collect();
        assert_eq!(
            order.join(" "),
            "nil -1 2.5 10 18446744073709551615 [122] \"a\" \"b\""
        );
    }

    #[test]
    fn a_timestamp_of_a_wrong_length_stays_an_extension() {
        let value = Value::Ext(-1, vec![0; 5]);
        assert!(matches!(View::of(&value), View::Ext { code: -1, .. }));
    }
}
