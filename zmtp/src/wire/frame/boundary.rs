//! Where whole messages begin in octets that were encoded for sending.

use crate::message::More;
use crate::wire::frame::{FrameHeader, FrameKind};

/// Returns the offset of the first start of a message at or after `written`.
///
/// `encoded` is a sequence of whole frames that begins at the start of a message, as the
/// functions of this module append them; `written` of its octets went out before the connection
/// was cut. What follows the returned offset can be sent on another connection: no part of it was
/// sent before, and it does not begin inside a message. A command between two messages counts as
/// a message, one inside a message belongs to it.
///
/// Returns `encoded.len()` if no message starts there, or if the octets are not whole frames.
pub fn message_boundary(encoded: &[u8], written: usize) -> usize {
    let mut offset = 0_usize;
    let mut within = More::Last;
    while offset < written || within == More::More {
        let Some((kind, frame_len)) = encoded.get(offset..).and_then(first_frame) else {
            return encoded.len();
        };
        if let FrameKind::Message(more) = kind {
            within = more;
        }
        offset = offset.saturating_add(frame_len);
    }
    offset.min(encoded.len())
}

fn first_frame(encoded: &[u8]) -> Option<(FrameKind, usize)> {
    let (header, header_len) = FrameHeader::decode(encoded).ok()??;
    let body_len = usize::try_from(header.body_len).ok()?;
    Some((header.kind, header_len.saturating_add(body_len)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use crate::wire::frame::{encode_header, encode_message};

    #[test]
    fn boundary_is_the_next_start_of_a_message() {
        let mut encoded = Vec::new();
        let mut starts = vec![0];
        for message in [
            Message::from("a"),
            Message::from(["b", "", "c"]),
            Message::from(vec![b'd'; 300]),
            Message::from(["", "e"]),
        ] {
            encode_message(&mut encoded, &message);
            starts.push(encoded.len());
        }
        for written in 0..=encoded.len() {
            let expected = starts.iter().copied().find(|&start| start >= written);
            assert_eq!(Some(message_boundary(&encoded, written)), expected);
        }
        assert_eq!(message_boundary(&encoded, usize::MAX), encoded.len());
    }

    #[test]
    fn command_inside_a_message_belongs_to_it() {
        // [ZMTP31-044] Commands may come between the frames of a message.
        let mut encoded = b"\x01\x01a".to_vec();
        encode_header(&mut encoded, FrameKind::Command, 5);
        encoded.extend_from_slice(b"\x04PING\x00\x01b\x00\x01c");
        assert_eq!(message_boundary(&encoded, 1), 13);
        assert_eq!(message_boundary(&encoded, 4), 13);
        assert_eq!(message_boundary(&encoded, 13), 13);
        assert_eq!(message_boundary(&encoded, 14), 16);
    }

    #[test]
    fn octets_that_are_no_frames_have_no_boundary_behind_them() {
        assert_eq!(message_boundary(&[0xff; 20], 3), 20);
        assert_eq!(message_boundary(&[0, 9, 1], 1), 3);
        assert_eq!(message_boundary(&[], 1), 0);
    }
}
