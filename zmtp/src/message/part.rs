//! One frame body, kept inside the value while it is small.

use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;
use std::ops::{Bound, Deref, RangeBounds};

use bytes::{Buf, Bytes, BytesMut};

/// The body of one frame: an immutable string of octets.
///
/// Up to [`INLINE_CAPACITY`](Self::INLINE_CAPACITY) octets live inside the value, so that a small
/// body costs no allocation and no reference count, and never keeps the buffer alive that it was
/// read into. A longer body is a [`Bytes`], which is cheap to clone.
///
/// # Example
///
/// ```
/// use zmtp::Part;
///
/// let part = Part::from("hello");
/// assert_eq!(&part[..], b"hello");
/// assert_eq!(part.len(), 5);
/// ```
///
/// The slice of the octets is a [`Buf`] of the `bytes` crate:
///
/// ```
/// use bytes::Buf;
/// use zmtp::Part;
///
/// let part = Part::from([0, 0, 1, 0, b'x']);
/// let mut rest = &part[..];
/// assert_eq!(rest.get_u32(), 256);
/// assert_eq!(rest, b"x");
/// ```
#[derive(Clone)]
pub struct Part(Repr);

#[derive(Clone)]
enum Repr {
    Inline(Inline),
    Shared(Bytes),
}

/// A small body in whole words, with the octets first and no tag in front of them.
///
/// A part is moved several times between the buffer and the application, as words. Where octets
/// are stored at another alignment than that with which the next move loads them, each move waits
/// for the one before: a tag and a length in front of 38 octets made decoding two to three times
/// as slow as this.
#[derive(Clone, Copy)]
struct Inline {
    /// Those behind the length are unspecified and never shown.
    octets: [u8; Part::INLINE_CAPACITY],
    len: InlineLen,
}

/// The number of octets plus one: zero says that the part is not inline.
#[derive(Clone, Copy)]
struct InlineLen(NonZeroUsize);

impl Part {
    /// The longest body that is kept inside the value.
    ///
    /// It fills what a [`Bytes`] occupies anyway, and makes a part 40 bytes in memory.
    pub const INLINE_CAPACITY: usize = 32;

    /// The body of length zero.
    pub const EMPTY: Self = Self(Repr::Inline(Inline {
        octets: [0; Self::INLINE_CAPACITY],
        len: InlineLen::ZERO,
    }));

    /// Returns the body of length zero.
    #[inline]
    pub const fn new() -> Self {
        Self::EMPTY
    }

    /// Returns a body that holds a copy of `octets`.
    #[inline]
    pub fn copy_from_slice(octets: &[u8]) -> Self {
        match Inline::copy_from_slice(octets) {
            Some(inline) => Self(Repr::Inline(inline)),
            None => Self(Repr::Shared(Bytes::copy_from_slice(octets))),
        }
    }

    /// Returns a body of octets that are there as long as the program runs, none of which is
    /// copied that does not fit into the value.
    #[inline]
    pub fn from_static(octets: &'static [u8]) -> Self {
        Self::from(Bytes::from_static(octets))
    }

    /// Returns a body of the first `len` octets of `block`.
    ///
    /// The whole block is copied: an amount known to the compiler costs less than a call that
    /// copies exactly what is needed. `None` if `len` is beyond the block.
    #[inline]
    pub(crate) fn from_block(block: &[u8; Self::INLINE_CAPACITY], len: u8) -> Option<Self> {
        (usize::from(len) <= Self::INLINE_CAPACITY).then_some(Self(Repr::Inline(Inline {
            octets: *block,
            len: InlineLen::new(usize::from(len)),
        })))
    }

    /// Returns the octets.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline(inline) => inline.as_slice(),
            Repr::Shared(bytes) => bytes,
        }
    }

    /// Returns the number of octets.
    #[inline]
    pub const fn len(&self) -> usize {
        match &self.0 {
            Repr::Inline(inline) => inline.len.get(),
            Repr::Shared(bytes) => bytes.len(),
        }
    }

    /// Returns true for the body of length zero.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns true if the octets live inside the value.
    #[inline]
    pub const fn is_inline(&self) -> bool {
        matches!(self.0, Repr::Inline(_))
    }

    /// Returns the octets as [`Bytes`]; only a body inside the value is copied.
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Repr::Inline(inline) => Bytes::copy_from_slice(inline.as_slice()),
            Repr::Shared(bytes) => bytes,
        }
    }

    /// Returns the octets as [`Bytes`]; only a body inside the value is copied.
    pub fn to_bytes(&self) -> Bytes {
        match &self.0 {
            Repr::Inline(inline) => Bytes::copy_from_slice(inline.as_slice()),
            Repr::Shared(bytes) => bytes.clone(),
        }
    }

    /// Returns the octets in `range` as a body of their own; `None` if there are no such octets.
    ///
    /// It shares the storage if it is too long for the value itself.
    ///
    /// ```
    /// use zmtp::Part;
    ///
    /// let part = Part::from("key=value");
    /// assert_eq!(part.slice(4..), Some(Part::from("value")));
    /// assert_eq!(part.slice(4..10), None);
    /// ```
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Option<Self> {
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(before) => before.checked_add(1)?,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(last) => last.checked_add(1)?,
            Bound::Excluded(end) => *end,
            Bound::Unbounded => self.len(),
        };
        let octets = self.as_slice().get(start..end)?;
        Some(match &self.0 {
            Repr::Shared(bytes) if octets.len() > Self::INLINE_CAPACITY => {
                Self(Repr::Shared(bytes.slice(start..end)))
            }
            _ => Self::copy_from_slice(octets),
        })
    }

    /// Returns what follows the first `count` octets; empty if there are no more than that.
    ///
    /// What remains shares the storage if it is too long for the value itself.
    #[must_use]
    pub fn skip(self, count: usize) -> Self {
        match self.0 {
            Repr::Inline(inline) => {
                Self::copy_from_slice(inline.as_slice().get(count..).unwrap_or_default())
            }
            Repr::Shared(mut bytes) => {
                bytes.advance(count.min(bytes.len()));
                Self::from(bytes)
            }
        }
    }
}

impl Inline {
    #[inline]
    fn copy_from_slice(source: &[u8]) -> Option<Self> {
        let mut octets = [0; Part::INLINE_CAPACITY];
        octets.get_mut(..source.len())?.copy_from_slice(source);
        let len = InlineLen::new(source.len());
        Some(Self { octets, len })
    }

    #[inline]
    fn as_slice(&self) -> &[u8] {
        // The length is within the block by construction; saying so again costs less than the
        // code of a panic.
        self.octets.get(..self.len.get()).unwrap_or(&self.octets)
    }
}

impl InlineLen {
    const ZERO: Self = Self(NonZeroUsize::MIN);

    #[inline]
    const fn new(len: usize) -> Self {
        Self(NonZeroUsize::MIN.saturating_add(len))
    }

    #[inline]
    const fn get(self) -> usize {
        self.0.get() - 1
    }
}

impl Default for Part {
    #[inline]
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Deref for Part {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl AsRef<[u8]> for Part {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl PartialEq for Part {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Part {}

impl PartialEq<[u8]> for Part {
    fn eq(&self, other: &[u8]) -> bool {
        self.as_slice() == other
    }
}

impl PartialEq<&[u8]> for Part {
    fn eq(&self, other: &&[u8]) -> bool {
        self.as_slice() == *other
    }
}

impl<const N: usize> PartialEq<[u8; N]> for Part {
    fn eq(&self, other: &[u8; N]) -> bool {
        self.as_slice() == other
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Part {
    fn eq(&self, other: &&[u8; N]) -> bool {
        self.as_slice() == *other
    }
}

impl PartialEq<str> for Part {
    fn eq(&self, other: &str) -> bool {
        self.as_slice() == other.as_bytes()
    }
}

impl PartialEq<&str> for Part {
    fn eq(&self, other: &&str) -> bool {
        self.as_slice() == other.as_bytes()
    }
}

impl Hash for Part {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

impl From<Bytes> for Part {
    #[inline]
    fn from(bytes: Bytes) -> Self {
        match Inline::copy_from_slice(&bytes) {
            Some(inline) => Self(Repr::Inline(inline)),
            None => Self(Repr::Shared(bytes)),
        }
    }
}

impl From<BytesMut> for Part {
    #[inline]
    fn from(bytes: BytesMut) -> Self {
        match Inline::copy_from_slice(&bytes) {
            Some(inline) => Self(Repr::Inline(inline)),
            None => Self(Repr::Shared(bytes.freeze())),
        }
    }
}

impl From<Vec<u8>> for Part {
    #[inline]
    fn from(octets: Vec<u8>) -> Self {
        match Inline::copy_from_slice(&octets) {
            Some(inline) => Self(Repr::Inline(inline)),
            None => Self(Repr::Shared(Bytes::from(octets))),
        }
    }
}

impl From<Box<[u8]>> for Part {
    fn from(octets: Box<[u8]>) -> Self {
        Self::from(octets.into_vec())
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl From<&[u8]> for Part {
    #[inline]
    fn from(octets: &[u8]) -> Self {
        Self::copy_from_slice(octets)
    }
}

impl<const N: usize> From<&[u8; N]> for Part {
    #[inline]
    fn from(octets: &[u8; N]) -> Self {
        Self::copy_from_slice(octets)
    }
}

impl From<&str> for Part {
    #[inline]
    fn from(text: &str) -> Self {
        Self::copy_from_slice(text.as_bytes())
    }
}

impl From<Part> for Bytes {
    fn from(part: Part) -> Self {
        part.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[cfg(target_pointer_width = "64")]
    #[test]
    fn part_is_five_words() {
        assert_eq!(size_of::<Part>(), 40);
    }

    #[test]
    fn bodies_up_to_the_capacity_live_inside_the_value() {
        let octets = [7; Part::INLINE_CAPACITY + 1];
        for len in 0..=octets.len() {
            let expected = octets.get(..len).unwrap();
            for part in [
                Part::from(expected),
                Part::from(Bytes::copy_from_slice(expected)),
                Part::from(BytesMut::from(expected)),
                Part::from(expected.to_vec()),
                Part::from(expected.to_vec().into_boxed_slice()),
            ] {
                assert_eq!(part.is_inline(), len <= Part::INLINE_CAPACITY);
                assert_eq!(part.as_slice(), expected);
                assert_eq!(part.len(), len);
                assert_eq!(part.is_empty(), len == 0);
                assert_eq!(part.to_bytes(), expected);
                assert_eq!(part.into_bytes(), expected);
            }
        }
    }

    #[test]
    fn octets_behind_the_length_of_a_block_do_not_count() {
        let mut block = [b'x'; Part::INLINE_CAPACITY];
        let first = Part::from_block(&block, 2).unwrap();
        block[2] = b'y';
        let second = Part::from_block(&block, 2).unwrap();
        assert_eq!(first, second);
        assert_eq!(first, "xx");
        assert_eq!(HashSet::from([first, second]).len(), 1);
        assert_eq!(Part::from_block(&block, 33), None);
    }

    #[test]
    fn large_body_is_shared_and_not_copied() {
        let bytes = Bytes::from(vec![1; 100]);
        let part = Part::from(bytes.clone());
        assert_eq!(part.as_ptr(), bytes.as_ptr());
        assert_eq!(part.clone().into_bytes().as_ptr(), bytes.as_ptr());
        assert_eq!(part.clone().skip(10).as_ptr(), bytes.slice(10..).as_ptr());
        assert!(part.skip(70).is_inline());
    }

    #[test]
    fn slices_are_those_of_the_octets_and_share_what_is_large() {
        let octets: Vec<u8> = (0..if cfg!(miri) { 36 } else { 70 }).collect();
        for part in [Part::from(&octets), Part::from(&octets[..20])] {
            for start in 0..=part.len() + 1 {
                for end in 0..=part.len() + 1 {
                    let expected = octets[..part.len()].get(start..end).map(Part::from);
                    assert_eq!(part.slice(start..end), expected);
                }
            }
            assert_eq!(part.slice(..).as_ref(), Some(&part));
            assert_eq!(part.slice(1..=2).unwrap(), [1, 2]);
            let behind_the_first = (Bound::Excluded(0), Bound::Unbounded);
            assert_eq!(part.slice(behind_the_first), Some(part.clone().skip(1)));
            assert_eq!(part.slice(..=usize::MAX), None);
        }
        let part = Part::from(&octets);
        let large = part.slice(1..34).unwrap();
        assert_eq!(large.as_ptr(), part[1..].as_ptr());
        assert!(part.slice(1..33).unwrap().is_inline());
    }

    #[test]
    fn static_octets_are_not_copied_unless_they_are_few() {
        static OCTETS: [u8; 33] = [7; 33];
        assert_eq!(Part::from_static(&OCTETS).as_ptr(), OCTETS.as_ptr());
        assert!(Part::from_static(b"few").is_inline());
    }

    #[test]
    fn skip_beyond_the_end_leaves_nothing() {
        assert_eq!(Part::from("abc").skip(1), "bc");
        assert_eq!(Part::from("abc").skip(3), Part::EMPTY);
        assert_eq!(Part::from("abc").skip(4), Part::EMPTY);
        assert_eq!(Part::from(vec![0; 50]).skip(usize::MAX), Part::EMPTY);
    }
}
