//! Message ids: opaque when received, a counter and a random part when made.

use std::fmt;
use std::hash::{Hash, Hasher};

use bytes::Bytes;

/// The id of an event, kept as the encoded msgpack value that it is.
///
/// Python finds a channel by the equality of ids, type included, so an id is never interpreted: it
/// goes back byte for byte. Short ids, which is all that are seen, live inside the value and do not
/// hold the received buffer.
#[derive(Clone)]
pub struct MessageId(Repr);

#[derive(Clone)]
enum Repr {
    Inline { len: u8, bytes: [u8; INLINE_LEN] },
    Shared(Bytes),
}

/// Python's ids take 34 bytes, the UUIDs of Node 38.
const INLINE_LEN: usize = 38;

impl MessageId {
    /// The longest encoded id that is accepted. Ids are 34 to 38 bytes; a long one would be paid
    /// for in every event that goes back.
    pub const MAX_LEN: usize = 256;

    /// Takes an encoded msgpack value, which the caller has checked to be one value.
    pub(crate) fn from_encoded(encoded: &[u8]) -> Self {
        let mut bytes = [0; INLINE_LEN];
        match (bytes.get_mut(..encoded.len()), u8::try_from(encoded.len())) {
            (Some(target), Ok(len)) => {
                target.copy_from_slice(encoded);
                Self(Repr::Inline { len, bytes })
            }
            _ => Self(Repr::Shared(Bytes::copy_from_slice(encoded))),
        }
    }

    /// Returns the encoded msgpack value.
    #[must_use]
    pub fn as_encoded(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Repr::Shared(bytes) => bytes,
        }
    }
}

impl MessageId {
    /// Returns the bytes of the string or binary that the id is; `None` if it is something else.
    #[must_use]
    pub fn content(&self) -> Option<&[u8]> {
        crate::msgpack::text_of(self.as_encoded())
    }

    /// Returns the same content as bin8, if this is a string or a binary.
    pub(crate) fn to_binary(&self) -> Option<Self> {
        let content = crate::msgpack::read_text(self.as_encoded())?;
        let len = u8::try_from(content.len()).ok()?;
        let encoded = [&[0xc4, len], content].concat();
        Some(Self::from_encoded(&encoded))
    }
}

impl PartialEq for MessageId {
    fn eq(&self, other: &Self) -> bool {
        self.as_encoded() == other.as_encoded()
    }
}

impl Eq for MessageId {}

impl Hash for MessageId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // A value says itself where it ends, so that its length need not be hashed.
        state.write(self.as_encoded());
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({})", self)
    }
}

/// Shows the content of strings and binaries, and the encoding of anything else.
impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match crate::msgpack::read_text(self.as_encoded()) {
            Some(content) => write!(f, "{}", content.escape_ascii()),
            None => write!(f, "{}", self.as_encoded().escape_ascii()),
        }
    }
}

/// Makes message ids: a counter of eight hex digits before 24 hex digits that tell sources apart.
///
/// Two sources with the same bytes make the same ids, which confuses servers that key channels by
/// id alone. Give each source fresh random bytes, also after a fork.
#[derive(Clone, Debug)]
pub struct IdSource {
    counter: u32,
    /// The encoded id: bin8 header, counter, suffix.
    encoded: [u8; ID_LEN],
}

/// Two bytes of bin8 header, 32 hex digits.
const ID_LEN: usize = 34;

impl IdSource {
    /// Returns a source that ends its ids with `random`.
    #[must_use]
    pub fn new(random: [u8; 12]) -> Self {
        let mut encoded = [0; ID_LEN];
        let mut writer = encoded.iter_mut();
        let header = [0xc4, 32].into_iter();
        let digits = [0; 4].into_iter().chain(random).flat_map(hex);
        for (target, byte) in writer.by_ref().zip(header.chain(digits)) {
            *target = byte;
        }
        Self {
            counter: 0,
            encoded,
        }
    }

    /// Returns the next id. They repeat after 2³² ids.
    pub fn next_id(&mut self) -> MessageId {
        MessageId::from_encoded(self.next_encoded())
    }

    /// Returns the next id, encoded.
    pub(crate) fn next_encoded(&mut self) -> &[u8; ID_LEN] {
        self.counter = self.counter.wrapping_add(1);
        if let Some(digits) = self.encoded.get_mut(2..).and_then(<[u8]>::first_chunk_mut) {
            *digits = hex_digits(self.counter);
        }
        &self.encoded
    }
}

/// Returns the hexadecimal digits of a number, all eight at once: there is one in each event.
fn hex_digits(number: u32) -> [u8; 8] {
    const fn in_each_byte(value: u8) -> u64 {
        u64::from_ne_bytes([value; 8])
    }
    let halves = u64::from(number);
    let halves = (halves | halves << 16) & 0x0000_ffff_0000_ffff;
    let bytes = (halves | halves << 8) & 0x00ff_00ff_00ff_00ff;
    let nibbles = (bytes | bytes << 4) & in_each_byte(0x0f);
    // Six more carry into the fourth bit where the digit is a letter.
    let letters = (nibbles.wrapping_add(in_each_byte(6)) >> 4) & in_each_byte(1);
    let digits = nibbles.wrapping_add(in_each_byte(b'0'));
    let beyond_nine = letters.wrapping_mul(u64::from(b'a' - b'9' - 1));
    digits.wrapping_add(beyond_nine).to_be_bytes()
}

fn hex(byte: u8) -> [u8; 2] {
    const fn digit(nibble: u8) -> u8 {
        match nibble {
            0..=9 => b'0'.wrapping_add(nibble),
            _ => b'a'.wrapping_add(nibble.wrapping_sub(10)),
        }
    }
    [digit(byte >> 4), digit(byte & 0x0f)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_bin8_of_counter_and_random_part() {
        let mut ids = IdSource::new([0xab; 12]);
        let first = ids.next_id();
        assert_eq!(
            first.as_encoded(),
            b"\xc4\x2000000001abababababababababababab"
        );
        assert_eq!(
            ids.next_id().to_string(),
            "00000002abababababababababababab"
        );
    }

    #[test]
    fn the_digits_of_a_number_are_those_of_its_hexadecimal_form() {
        let numbers = (0..32).map(|bit| 0x9876_5432_u32.rotate_left(bit));
        let edges = [0, 9, 10, 15, 16, 0x9a9a_9a9a, 0xf0f0_f0f0, u32::MAX];
        for number in numbers.chain(edges) {
            assert_eq!(hex_digits(number), *format!("{number:08x}").as_bytes());
        }
    }

    #[test]
    fn long_ids_are_kept_whole() {
        let long = [b"\xd9\xc8".as_slice(), &[b'x'; 200]].concat();
        let id = MessageId::from_encoded(&long);
        assert_eq!(id.as_encoded(), long);
        assert_eq!(id, id.clone());
    }

    #[test]
    fn q1_ids_of_different_type_differ() {
        assert_ne!(
            MessageId::from_encoded(b"\xa1x"),
            MessageId::from_encoded(b"\xc4\x01x")
        );
    }
}
