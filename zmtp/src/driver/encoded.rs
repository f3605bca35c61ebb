//! Encoded messages on their way to one connection (L3).
//!
//! Small frames are copied one behind the other into a single buffer, so that a thousand of them
//! leave in one system call. Bodies of [`SHARE_THRESHOLD`] octets and more are kept by reference
//! and written with vectored writes. ZMTP frames delimit themselves, so message boundaries need no
//! book-keeping: after a cut they are found again by walking the headers.

use std::fmt;
use std::io::IoSlice;

use bytes::Bytes;

use crate::message::{Message, More, Part};
use crate::wire::frame::{self, FrameHeader, FrameKind};

/// Bodies of at least this many octets are not copied: from here on a reference count and an
/// `iovec` entry cost less than moving the bytes (measured, see `bench/README.md`).
pub(crate) const SHARE_THRESHOLD: usize = 8 * 1024;

/// A buffer with more capacity than this is given back when the connection falls idle.
pub(crate) const IDLE_CAPACITY: usize = 4 * 1024;

/// The most slices that one vectored write passes to the kernel.
pub(crate) const MAX_SLICES: usize = 64;

/// A sequence of whole, encoded messages and how much of it has been written.
#[derive(Default)]
pub(crate) struct EncodedBatch {
    /// Headers and copied bodies.
    bytes: Vec<u8>,
    /// Bodies by reference, in order; each belongs at `offset` of `bytes`.
    shared: Vec<SharedBody>,
    /// Messages in the batch.
    messages: usize,
    /// Octets in the batch, shared bodies included.
    len: usize,
    /// How far the write has come.
    cursor: Cursor,
}

struct SharedBody {
    offset: usize,
    body: Bytes,
}

/// What a connection that was lost had done with a batch.
#[must_use]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Messages that were written whole.
    pub(crate) written: usize,
    /// Messages of which only a part was: one or none.
    pub(crate) torn: usize,
}

/// A place in a batch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cursor {
    /// Octets of `bytes` that are written.
    bytes: usize,
    /// Entries of `shared` that are written completely.
    shared: usize,
    /// Octets written of the entry after those.
    within: usize,
}

impl EncodedBatch {
    /// Appends `message`, behind the parts of `envelope`.
    #[inline]
    pub(crate) fn push(&mut self, envelope: &[Part], message: &Message) {
        self.push_parts(envelope, message.parts());
    }

    /// Appends a message of these parts, behind those of `envelope`.
    #[inline]
    pub(crate) fn push_parts(&mut self, envelope: &[Part], parts: &[Part]) {
        match parts {
            [only] if envelope.is_empty() => self.push_part(More::Last, only),
            parts => self.push_several(envelope, parts),
        }
        self.messages += 1;
    }

    #[inline(never)]
    fn push_several(&mut self, envelope: &[Part], parts: &[Part]) {
        for part in envelope {
            self.push_part(More::More, part);
        }
        if let Some((last, rest)) = parts.split_last() {
            for part in rest {
                self.push_part(More::More, part);
            }
            self.push_part(More::Last, last);
        }
    }

    /// Appends the messages of `other`, which must not have been written from.
    pub(crate) fn append(&mut self, other: &Self) {
        let base = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.shared
            .extend(other.shared.iter().map(|shared| SharedBody {
                offset: base + shared.offset,
                body: shared.body.clone(),
            }));
        self.messages += other.messages;
        self.len += other.len;
    }

    /// Notes that `written` octets of the slices last given out are on their way.
    pub(crate) fn advance(&mut self, mut written: usize) {
        while written > 0 {
            let limit = self
                .shared
                .get(self.cursor.shared)
                .map_or(self.bytes.len(), |shared| shared.offset);
            let plain = (limit - self.cursor.bytes).min(written);
            self.cursor.bytes += plain;
            written -= plain;
            if written == 0 {
                break;
            }
            let Some(shared) = self.shared.get(self.cursor.shared) else {
                break;
            };
            let body = (shared.body.len() - self.cursor.within).min(written);
            self.cursor.within += body;
            written -= body;
            if self.cursor.within == shared.body.len() {
                self.cursor.shared += 1;
                self.cursor.within = 0;
            }
        }
    }

    /// Drops what was written, and the rest of a message of which only a part was.
    ///
    /// What remains are whole messages that no peer has seen a single octet of, so that they can
    /// go to the next connection ([ZMTP31-050], [ZMTP31-102]).
    pub(crate) fn retain_unwritten(&mut self) -> Cut {
        if self.cursor.bytes == 0 && self.cursor.shared == 0 && self.cursor.within == 0 {
            return Cut::default();
        }
        let boundary = self.next_message_boundary();
        let is_torn = self.cursor.bytes < boundary.bytes || self.cursor.shared < boundary.shared;
        let torn = usize::from(is_torn);
        let cut = Cut {
            written: boundary.messages - torn,
            torn,
        };
        self.bytes.drain(..boundary.bytes);
        self.shared.drain(..boundary.shared);
        for shared in &mut self.shared {
            shared.offset -= boundary.bytes;
        }
        self.messages -= boundary.messages;
        self.len = self.bytes.len() + self.shared.iter().map(|s| s.body.len()).sum::<usize>();
        self.cursor = Cursor::default();
        cut
    }

    /// Drops the first `messages`, of which nothing must have been written.
    pub(crate) fn drop_first(&mut self, messages: usize) {
        for _ in 0..messages {
            while matches!(self.take_frame(), Some((More::More, _))) {}
        }
        let _ = self.retain_unwritten();
    }

    /// Forgets everything, and keeps the buffers for reuse.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.shared.clear();
        self.messages = 0;
        self.len = 0;
        self.cursor = Cursor::default();
    }

    /// Gives large buffers back to the allocator; only for an empty batch.
    pub(crate) fn release(&mut self) {
        if self.bytes.capacity() > IDLE_CAPACITY {
            self.bytes = Vec::new();
        }
        if self.shared.capacity() > MAX_SLICES {
            self.shared = Vec::new();
        }
    }

    /// Fills `slices` with what is to be written next and returns how many it used.
    pub(crate) fn fill_slices<'a>(&'a self, slices: &mut [IoSlice<'a>; MAX_SLICES]) -> usize {
        let mut used = 0;
        let mut position = self.cursor.bytes;
        let mut within = self.cursor.within;
        let mut put = |slice: &'a [u8]| {
            if !slice.is_empty() && used < MAX_SLICES {
                slices[used] = IoSlice::new(slice);
                used += 1;
            }
            used < MAX_SLICES
        };
        for shared in &self.shared[self.cursor.shared..] {
            if !put(&self.bytes[position..shared.offset]) || !put(&shared.body[within..]) {
                return used;
            }
            position = shared.offset;
            within = 0;
        }
        put(&self.bytes[position..]);
        used
    }

    /// The unwritten octets, if they all lie in one slice.
    #[inline]
    pub(crate) fn as_single_slice(&self) -> Option<&[u8]> {
        (self.cursor.shared == self.shared.len()).then(|| &self.bytes[self.cursor.bytes..])
    }

    /// Takes the next frame as if it were written.
    ///
    /// Nothing must have been written of the frame but all or none.
    pub(crate) fn take_frame(&mut self) -> Option<(More, &[u8])> {
        let bytes = self.bytes.get(self.cursor.bytes..)?;
        let (header, header_len) = FrameHeader::decode(bytes).ok()??;
        let FrameKind::Message(more) = header.kind else {
            return None;
        };
        let start = self.cursor.bytes + header_len;
        let shared = self.shared.get(self.cursor.shared);
        if let Some(shared) = shared.filter(|shared| shared.offset == start) {
            self.cursor.bytes = start;
            self.cursor.shared += 1;
            return Some((more, &shared.body));
        }
        let end = start + body_len(&header);
        self.cursor.bytes = end;
        Some((more, self.bytes.get(start..end)?))
    }

    /// How far the batch is written.
    pub(crate) fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Takes back that the batch is written further than this.
    pub(crate) fn rewind(&mut self, cursor: Cursor) {
        self.cursor = cursor;
    }

    /// Messages in the batch, written ones included.
    #[inline]
    pub(crate) fn message_count(&self) -> usize {
        self.messages
    }

    /// Octets in the batch, written ones included.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether the batch holds nothing that is still to be written.
    #[inline]
    pub(crate) fn is_written(&self) -> bool {
        self.cursor.bytes == self.bytes.len() && self.cursor.shared == self.shared.len()
    }

    #[inline]
    fn push_part(&mut self, more: More, part: &Part) {
        let before = self.bytes.len();
        if part.len() < SHARE_THRESHOLD {
            frame::encode_part(&mut self.bytes, more, part);
            self.len += self.bytes.len() - before;
        } else {
            self.push_shared_part(more, part);
        }
    }

    #[cold]
    fn push_shared_part(&mut self, more: More, part: &Part) {
        let before = self.bytes.len();
        frame::encode_header(&mut self.bytes, FrameKind::Message(more), part.len());
        self.len += self.bytes.len() - before + part.len();
        self.shared.push(SharedBody {
            offset: self.bytes.len(),
            body: part.to_bytes(),
        });
    }

    /// Walks the frames to the first message that starts at or behind the write cursor.
    fn next_message_boundary(&self) -> Boundary {
        let mut boundary = Boundary::default();
        let mut at = boundary;
        while let Ok(Some((header, header_len))) = FrameHeader::decode(&self.bytes[at.bytes..]) {
            let reached = at.bytes >= self.cursor.bytes
                && (at.shared > self.cursor.shared
                    || (at.shared == self.cursor.shared && self.cursor.within == 0));
            if reached && at.bytes == boundary.bytes {
                break;
            }
            at.bytes += header_len;
            let is_shared = self
                .shared
                .get(at.shared)
                .is_some_and(|shared| shared.offset == at.bytes);
            if is_shared {
                at.shared += 1;
            } else {
                at.bytes += body_len(&header);
            }
            if header.kind == FrameKind::Message(More::Last) {
                at.messages += 1;
                boundary = at;
            }
        }
        boundary
    }
}

impl fmt::Debug for EncodedBatch {
    /// Leaves out the messages, which are nobody's business and may be large.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedBatch")
            .field("messages", &self.messages)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// The length of the frame at the start of `bytes`, if its head is there.
pub(crate) fn frame_len(bytes: &[u8]) -> Option<usize> {
    let (header, header_len) = FrameHeader::decode(bytes).ok()??;
    body_len(&header).checked_add(header_len)
}

/// The length of a body that is in memory, and so fits.
fn body_len(header: &FrameHeader) -> usize {
    usize::try_from(header.body_len).unwrap_or(usize::MAX)
}

/// The start of a message inside a batch.
#[derive(Clone, Copy, Debug, Default)]
struct Boundary {
    bytes: usize,
    shared: usize,
    messages: usize,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flatten(batch: &EncodedBatch) -> Vec<u8> {
        let mut out = Vec::new();
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let used = batch.fill_slices(&mut slices);
        for slice in &slices[..used] {
            out.extend_from_slice(slice);
        }
        out
    }

    fn message(sizes: &[usize]) -> Message {
        sizes.iter().map(|size| vec![b'x'; *size]).collect()
    }

    #[test]
    fn small_and_large_bodies_leave_in_the_order_they_were_pushed() {
        let mut batch = EncodedBatch::default();
        batch.push(&[], &message(&[1]));
        batch.push(&[Part::default()], &message(&[SHARE_THRESHOLD]));
        batch.push(&[], &message(&[2]));
        let mut expected = vec![0, 1, b'x', 1, 0, 2];
        expected.extend_from_slice(&(SHARE_THRESHOLD as u64).to_be_bytes());
        expected.extend(std::iter::repeat_n(b'x', SHARE_THRESHOLD));
        expected.extend_from_slice(&[0, 2, b'x', b'x']);
        assert_eq!(flatten(&batch), expected);
        assert_eq!(batch.len(), expected.len());
        assert_eq!(batch.message_count(), 3);
    }

    #[test]
    fn nothing_written_keeps_everything() {
        let mut batch = EncodedBatch::default();
        batch.push(&[], &message(&[3]));
        assert_eq!(batch.retain_unwritten(), Cut::default());
        assert_eq!(batch.message_count(), 1);
        assert_eq!(flatten(&batch), [0, 3, b'x', b'x', b'x']);
    }

    fn sizes() -> impl Strategy<Value = Vec<Vec<usize>>> {
        let size = prop_oneof![0..300usize, SHARE_THRESHOLD..SHARE_THRESHOLD + 3];
        prop::collection::vec(prop::collection::vec(size, 1..4), 1..12)
    }

    proptest! {
        #[test]
        fn a_cut_anywhere_leaves_exactly_the_messages_that_were_not_begun(
            messages in sizes(),
            cut in 0.0..1.0f64,
        ) {
            let mut batch = EncodedBatch::default();
            let mut ends = Vec::new();
            for sizes in &messages {
                batch.push(&[], &message(sizes));
                ends.push(batch.len());
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a test value within range")]
            let cut = (batch.len() as f64 * cut) as usize;
            batch.advance(cut);
            let lost = batch.retain_unwritten();

            let whole = ends.iter().filter(|end| **end <= cut).count();
            prop_assert_eq!(lost.written, whole);
            prop_assert_eq!(lost.torn, usize::from(cut > 0 && !ends.contains(&cut)));
            let begun = if cut == 0 { 0 } else { ends.iter().filter(|end| **end < cut).count() + 1 };
            let mut expected = EncodedBatch::default();
            for sizes in &messages[begun.min(messages.len())..] {
                expected.push(&[], &message(sizes));
            }
            prop_assert_eq!(flatten(&batch), flatten(&expected));
            prop_assert_eq!(batch.message_count(), expected.message_count());
            prop_assert_eq!(batch.len(), expected.len());
        }

        #[test]
        fn writing_in_pieces_gives_the_same_octets(messages in sizes(), step in 500..5000usize) {
            let mut batch = EncodedBatch::default();
            for sizes in &messages {
                batch.push(&[], &message(sizes));
            }
            let whole = flatten(&batch);
            let mut pieces = Vec::new();
            while !batch.is_written() {
                let mut slices = [IoSlice::new(&[]); MAX_SLICES];
                let used = batch.fill_slices(&mut slices);
                let next: Vec<u8> = slices[..used].iter().flat_map(|s| s.iter().copied()).collect();
                let n = step.min(next.len());
                pieces.extend_from_slice(&next[..n]);
                batch.advance(n);
            }
            prop_assert_eq!(pieces, whole);
        }
    }
}
