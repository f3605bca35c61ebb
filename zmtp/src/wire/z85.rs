//! Z85: octets as printable text, four octets in five characters.
//!
//! This is how keys are written in programs, configurations and certificates `[Z85-001]`.

use thiserror::Error;

/// Why octets cannot be written as Z85, or text is not Z85.
///
/// It tells where the fault is and never what is there: the text may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Z85Error {
    /// Misuse: the octets do not come in groups of four, and the format has no padding.
    #[error("{len} octets are not a multiple of {OCTETS}")]
    OctetsLength {
        /// The number of octets.
        len: usize,
    },
    /// Malformed: the characters do not come in groups of five.
    #[error("{len} characters are not a multiple of {CHARACTERS}")]
    TextLength {
        /// The length of the text in octets.
        len: usize,
    },
    /// Malformed: the text has a character that is not in the alphabet.
    #[error("no character of Z85 at offset {offset}")]
    Character {
        /// The place of the first such character.
        offset: usize,
    },
    /// Malformed: five characters stand for a number that four octets cannot hold.
    #[error("the group at offset {offset} exceeds 32 bits")]
    Overflow {
        /// The place of the group.
        offset: usize,
    },
}

/// Writes octets as text.
///
/// ```
/// use zmtp::wire::z85;
///
/// assert_eq!(z85::encode(&[0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b])?, "HelloWorld");
/// # Ok::<(), z85::Z85Error>(())
/// ```
///
/// # Errors
///
/// Returns [`Z85Error::OctetsLength`] unless the number of octets is a multiple of four
/// `[Z85-002]`.
pub fn encode(octets: &[u8]) -> Result<String, Z85Error> {
    let (groups, rest) = octets.as_chunks::<OCTETS>();
    if !rest.is_empty() {
        return Err(Z85Error::OctetsLength { len: octets.len() });
    }
    // No overflow: there are fewer octets than half of the address space.
    let mut text = String::with_capacity(groups.len().saturating_mul(CHARACTERS));
    for group in groups {
        // [Z85-003] The most significant digit comes first.
        let mut number = u32::from_be_bytes(*group);
        let mut characters = [char::default(); CHARACTERS];
        for character in characters.iter_mut().rev() {
            *character = digit(number % BASE);
            number /= BASE;
        }
        text.extend(characters);
    }
    Ok(text)
}

/// Reads octets from text.
///
/// # Errors
///
/// Returns a [`Z85Error`] if the length is no multiple of five `[Z85-008]`, if a character is not
/// in the alphabet `[Z85-009]`, or if a group stands for more than four octets can hold
/// `[Z85-010]`.
pub fn decode(text: impl AsRef<[u8]>) -> Result<Vec<u8>, Z85Error> {
    let text = text.as_ref();
    let mut octets = vec![0; (text.len() / CHARACTERS).saturating_mul(OCTETS)];
    decode_into(text, &mut octets)?;
    Ok(octets)
}

/// Reads octets from text into `octets`, which has room for exactly those.
///
/// What was written before an error is of no use.
pub(crate) fn decode_into(text: &[u8], octets: &mut [u8]) -> Result<(), Z85Error> {
    let (groups, rest) = text.as_chunks::<CHARACTERS>();
    if !rest.is_empty() {
        return Err(Z85Error::TextLength { len: text.len() });
    }
    let (places, _) = octets.as_chunks_mut::<OCTETS>();
    for ((group, offset), place) in groups.iter().zip((0..).step_by(CHARACTERS)).zip(places) {
        let mut number = 0_u64;
        for (&character, at) in group.iter().zip(offset..) {
            let value = value(character).ok_or(Z85Error::Character { offset: at })?;
            // At most 85^5 - 1.
            number = number
                .wrapping_mul(u64::from(BASE))
                .wrapping_add(u64::from(value));
        }
        let number = u32::try_from(number).map_err(|_| Z85Error::Overflow { offset })?;
        *place = number.to_be_bytes();
    }
    Ok(())
}

fn digit(value: u32) -> char {
    let character = usize::try_from(value).ok().and_then(|at| ALPHABET.get(at));
    char::from(character.copied().unwrap_or_default())
}

/// Returns the value of a character `[Z85-011]`.
fn value(character: u8) -> Option<u8> {
    VALUES
        .get(usize::from(character))
        .copied()
        .filter(|value| *value != NO_VALUE)
}

/// The characters in the order of their values.
const ALPHABET: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// The value of each character, or [`NO_VALUE`].
const VALUES: [u8; 256] = values();

const NO_VALUE: u8 = u8::MAX;

const BASE: u32 = 85;

/// The octets of a group.
const OCTETS: usize = 4;

/// The characters of a group.
const CHARACTERS: usize = 5;

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "computed by the compiler, which checks it"
)]
const fn values() -> [u8; 256] {
    let mut values = [NO_VALUE; 256];
    let mut at = 0;
    while at < ALPHABET.len() {
        values[ALPHABET[at] as usize] = at as u8;
        at += 1;
    }
    values
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn octets(hex: &str) -> Vec<u8> {
        hex.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    // Z85-003, Z85-004, Z85-005, Z85-006, Z85-007
    #[test]
    fn known_texts_stand_for_known_octets() {
        for (hex, text) in [
            ("", ""),
            ("864FD26FB559F75B", "HelloWorld"),
            (
                "8E0BDD697628B91D8F245587EE95C5B04D48963F79259877B49CD9063AEAD3B7",
                "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6",
            ),
            ("00000000", "00000"),
            ("FFFFFFFF", "%nSc0"),
        ] {
            assert_eq!(encode(&octets(hex)).unwrap(), text);
            assert_eq!(decode(text).unwrap(), octets(hex));
        }
    }

    // Z85-001, Z85-009, Z85-011
    #[test]
    fn the_alphabet_is_85_characters_and_no_others() {
        for octet in 0..=u8::MAX {
            let text = [b'0', b'0', b'0', b'0', octet];
            let expected = match ALPHABET.iter().position(|&known| known == octet) {
                Some(value) => Ok(vec![0, 0, 0, u8::try_from(value).unwrap()]),
                None => Err(Z85Error::Character { offset: 4 }),
            };
            assert_eq!(decode(text), expected, "{octet}");
        }
        for outside in b" \"\\',;_`~|\x7f\x80" {
            assert!(!ALPHABET.contains(outside));
        }
    }

    // Z85-002
    #[test]
    fn octets_come_in_groups_of_four() {
        for len in [1, 2, 3, 5, 31] {
            let error = encode(&vec![0; len]).unwrap_err();
            assert_eq!(error, Z85Error::OctetsLength { len });
        }
    }

    // Z85-008
    #[test]
    fn characters_come_in_groups_of_five() {
        for len in [1, 4, 6, 39, 41] {
            let error = decode(vec![b'0'; len]).unwrap_err();
            assert_eq!(error, Z85Error::TextLength { len });
        }
    }

    // Z85-010
    #[test]
    fn a_group_beyond_32_bits_does_not_wrap() {
        for text in ["%nSc1", "%nSd0", "%o000", "#####"] {
            let error = decode(text).unwrap_err();
            assert_eq!(error, Z85Error::Overflow { offset: 0 });
        }
        let error = decode("00000#####").unwrap_err();
        assert_eq!(error, Z85Error::Overflow { offset: 5 });
    }

    // Z85-014, Z85-015
    #[test]
    fn an_error_tells_the_place_and_not_the_text() {
        let error = decode("secre t123").unwrap_err();
        assert_eq!(error.to_string(), "no character of Z85 at offset 5");
    }

    proptest! {
        // Z85-012, Z85-013
        #[test]
        fn octets_survive_the_round_trip(groups in prop::collection::vec(any::<[u8; 4]>(), 0..64)) {
            let octets = groups.concat();
            let text = encode(&octets).unwrap();
            prop_assert_eq!(text.len(), octets.len() / 4 * 5);
            prop_assert_eq!(decode(&text).unwrap(), octets);
        }

        // Z85-012, Z85-013
        #[test]
        fn whatever_decodes_is_the_text_of_its_octets(text in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(octets) = decode(&text) {
                prop_assert_eq!(octets.len(), text.len() / 5 * 4);
                prop_assert_eq!(encode(&octets).unwrap().into_bytes(), text);
            }
        }

        #[test]
        fn valid_characters_decode_unless_they_overflow(indices in prop::collection::vec(0..85_usize, 5)) {
            let text: Vec<u8> = indices.iter().map(|&index| ALPHABET[index]).collect();
            let number = indices.iter().fold(0_u64, |n, &index| n * 85 + index as u64);
            prop_assert_eq!(decode(&text).is_ok(), u32::try_from(number).is_ok());
        }
    }
}
