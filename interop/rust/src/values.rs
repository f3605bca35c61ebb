//! Values that JSON cannot say, as `interop/peers/values.py` writes them.

use rmpv::Value as Msgpack;
use serde_json::{Value, json};

/// The longest binary or text that is shown whole.
const LONGEST: usize = 4096;

/// The value that JSON stands for; `{"$bytes": …}` and `{"$pattern": …}` are binary.
pub(crate) fn from_json(value: &Value) -> Msgpack {
    match value {
        Value::Null => Msgpack::Nil,
        Value::Bool(value) => Msgpack::from(*value),
        Value::Number(number) => number
            .as_i64()
            .map(Msgpack::from)
            .or_else(|| number.as_u64().map(Msgpack::from))
            .or_else(|| number.as_f64().map(Msgpack::from))
            .unwrap_or(Msgpack::Nil),
        Value::String(text) => Msgpack::from(text.as_str()),
        Value::Array(items) => Msgpack::Array(items.iter().map(from_json).collect()),
        Value::Object(object) => {
            if let Some(octets) = binary(value) {
                return Msgpack::Binary(octets);
            }
            let entries = object.iter();
            Msgpack::Map(
                entries
                    .map(|(key, item)| (Msgpack::from(key.as_str()), from_json(item)))
                    .collect(),
            )
        }
    }
}

/// The JSON that stands for a value.
pub(crate) fn to_json(value: &Msgpack) -> Value {
    match value {
        Msgpack::Boolean(value) => json!(value),
        Msgpack::Integer(number) => number
            .as_i64()
            .map_or_else(|| json!(number.as_u64()), |number| json!(number)),
        Msgpack::F32(number) => json!(number),
        Msgpack::F64(number) => json!(number),
        Msgpack::String(text) => text.as_str().map_or_else(
            || hexadecimal(text.as_bytes()),
            |text| {
                if text.len() > LONGEST {
                    json!({"$long_str": summary(text.as_bytes())})
                } else {
                    json!(text)
                }
            },
        ),
        Msgpack::Binary(octets) => hexadecimal(octets),
        Msgpack::Array(items) => items.iter().map(to_json).collect(),
        Msgpack::Map(entries) => entries
            .iter()
            .map(|(key, item)| (key.as_str().unwrap_or("?").to_owned(), to_json(item)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Msgpack::Nil | Msgpack::Ext(..) => Value::Null,
    }
}

/// The octets of a part: a text, or binary.
pub(crate) fn octets(value: &Value) -> Vec<u8> {
    value.as_str().map_or_else(
        || binary(value).unwrap_or_default(),
        |text| text.as_bytes().to_vec(),
    )
}

/// Octets as JSON.
pub(crate) fn hexadecimal(octets: &[u8]) -> Value {
    if octets.len() > LONGEST {
        return json!({"$long_bytes": summary(octets)});
    }
    let digits: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    json!({"$bytes": digits})
}

/// What is shown of octets that are too many.
fn summary(octets: &[u8]) -> Value {
    json!({"size": octets.len(), "crc32": crc32(octets)})
}

/// The checksum of zlib.
fn crc32(octets: &[u8]) -> u32 {
    !octets.iter().fold(u32::MAX, |sum, octet| {
        (0..8).fold(sum ^ u32::from(*octet), |sum, _| {
            (sum >> 1) ^ if sum & 1 == 1 { 0xEDB8_8320 } else { 0 }
        })
    })
}

/// Binary that both sides can make without sending it.
pub(crate) fn pattern(size: usize, seed: usize) -> Vec<u8> {
    let cycle: Vec<u8> = (0..256)
        .map(|index| ((31 * index + seed) % 256).to_le_bytes()[0])
        .collect();
    let mut octets = cycle.repeat(size / 256 + 1);
    octets.truncate(size);
    octets
}

fn binary(value: &Value) -> Option<Vec<u8>> {
    if let Some(digits) = value["$bytes"].as_str() {
        let pairs = digits.as_bytes().chunks(2);
        return Some(pairs.filter_map(octet).collect());
    }
    let number = |field: &str| value["$pattern"][field].as_u64();
    let (size, seed) = (number("size")?, number("seed")?);
    Some(pattern(
        usize::try_from(size).ok()?,
        usize::try_from(seed).ok()?,
    ))
}

fn octet(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn the_checksum_is_that_of_zlib() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }
}
