//! What all messages have in common.

use crate::message::Part;

/// Splits a message as a DEALER or ROUTER has it into its envelope, with the empty part at its end,
/// and the rest.
///
/// A handler sends the envelope back in front of its reply as it came `[ZAP-032]`. `None` if there
/// is no empty part.
pub fn split_envelope(parts: &[Part]) -> Option<(&[Part], &[Part])> {
    let delimiter = parts.iter().position(|part| part.is_empty())?;
    parts.split_at_checked(delimiter.checked_add(1)?)
}

/// The first part of each message `[ZAP-009]`.
pub(super) const VERSION: &[u8] = b"1.0";

/// The longest value of any part but the metadata `[ZAP-017]`.
pub(super) const MAX_LEN: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    // ZAP-032, ZAP-034, ZAP-036
    #[test]
    fn the_envelope_ends_with_the_first_empty_part() {
        for count in [0, 1, 3] {
            let mut parts = vec![Part::from("id"); count];
            parts.extend(["", "1.0", "", "x"].map(Part::from));
            let (envelope, rest) = split_envelope(&parts).unwrap();
            assert_eq!(envelope, &parts[..=count]);
            assert_eq!(rest, ["1.0", "", "x"].map(Part::from));
        }
        assert_eq!(split_envelope(&[]), None);
        assert_eq!(split_envelope(&[Part::from("1.0")]), None);
    }
}
