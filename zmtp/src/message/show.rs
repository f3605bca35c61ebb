//! How parts and messages look in logs and assertions: readable, on one line, and short.

use std::fmt;

use crate::message::{Message, Part};

/// Octets of a part that are shown: bodies can be hundreds of megabytes.
const SHOWN_OCTETS: usize = 64;

/// Parts of a message that are shown: a peer chooses how many there are.
const SHOWN_PARTS: usize = 16;

impl fmt::Debug for Part {
    /// Writes the octets as a byte string literal, cut after the first few dozen.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = self.get(..SHOWN_OCTETS).unwrap_or(self);
        write!(f, "b\"{}\"", head.escape_ascii())?;
        if self.len() > SHOWN_OCTETS {
            write!(f, "... ({} octets)", self.len())?;
        }
        Ok(())
    }
}

impl fmt::Display for Part {
    /// Writes text as it is, with line breaks and tabs escaped, and other octets as hexadecimal
    /// digits; cut after the first few dozen.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match shown_text(self) {
            Some(text) => write!(f, "{}", text.escape_debug())?,
            None => {
                f.write_str("0x")?;
                for octet in self.iter().take(SHOWN_OCTETS) {
                    write!(f, "{octet:02x}")?;
                }
            }
        }
        if self.len() > SHOWN_OCTETS {
            write!(f, "... ({} octets)", self.len())?;
        }
        Ok(())
    }
}

impl fmt::Display for Message {
    /// Writes the parts as [`Part`] does, text in quotes; cut after the first few.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (index, part) in self.iter().take(SHOWN_PARTS).enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            match shown_text(part) {
                Some(_) => write!(f, "\"{part}\"")?,
                None => write!(f, "{part}")?,
            }
        }
        if self.part_count() > SHOWN_PARTS {
            write!(f, ", ... ({} parts)", self.part_count())?;
        }
        f.write_str("]")
    }
}

impl fmt::Debug for Message {
    /// Writes the parts as byte string literals, cut after the first few.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        list.entries(self.iter().take(SHOWN_PARTS));
        if self.part_count() > SHOWN_PARTS {
            list.entry(&format_args!("... ({} parts)", self.part_count()));
        }
        list.finish()
    }
}

/// The beginning of a part that is text, cut between two characters.
fn shown_text(part: &Part) -> Option<&str> {
    let head = part.get(..SHOWN_OCTETS).unwrap_or(part);
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The cut may go through a character, and through nothing else.
        Err(error) if error.error_len().is_none() && part.len() > SHOWN_OCTETS => {
            let (valid, _) = head.split_at(error.valid_up_to());
            std::str::from_utf8(valid).ok()?
        }
        Err(_) => return None,
    };
    // Numbers and generated routing ids are often valid UTF-8, and nothing that one could read.
    let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    (!text.contains(is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shown_as_text_and_the_rest_in_hexadecimal() {
        let message = Message::from([&b"\x00\xff"[..], b"", "größe\n".as_bytes()]);
        assert_eq!(message.to_string(), r#"[0x00ff, "", "größe\n"]"#);
        assert_eq!(Part::from("größe").to_string(), "größe");
        assert_eq!(Message::new().to_string(), "[]");
    }

    #[test]
    fn what_is_shown_is_short() {
        const PARTS: usize = if cfg!(miri) { 20 } else { 1000 };
        let end = format!("... ({PARTS} parts)]");
        let cut_through_a_character = format!("{}é and so on", "a".repeat(SHOWN_OCTETS - 1));
        for octets in [vec![0xff; 100_000], cut_through_a_character.into_bytes()] {
            let message: Message = std::iter::repeat_n(Part::from(octets), PARTS).collect();
            for shown in [message.to_string(), format!("{message:?}")] {
                assert!(shown.ends_with(&end), "{shown}");
                assert!(
                    shown.len() < SHOWN_PARTS * (4 * SHOWN_OCTETS + 30),
                    "{shown}"
                );
            }
        }
    }

    #[test]
    fn debug_escapes_and_cuts() {
        assert_eq!(format!("{:?}", Part::from(b"a\x00\"")), r#"b"a\x00\"""#);
        let long = format!("{:?}", Part::from(vec![b'z'; 1000]));
        assert!(long.ends_with("... (1000 octets)"), "{long}");
        assert!(long.len() < 100);
    }

    #[test]
    fn a_cut_character_does_not_turn_text_into_octets() {
        let text = format!("{}é and so on", "a".repeat(SHOWN_OCTETS - 1));
        let shown = Part::from(text).to_string();
        assert!(shown.starts_with("aaa"), "{shown}");
        assert!(shown.ends_with("a... (75 octets)"), "{shown}");
    }
}
