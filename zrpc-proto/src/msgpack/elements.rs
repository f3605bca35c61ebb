//! Small readers over values that are known to be well formed.

use super::{DecodeLimits, Head, Reader, skip};

/// Returns the content of an encoded string or binary.
pub(crate) fn read_text(encoded: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(encoded);
    match reader.head().ok()? {
        Head::Str(len) | Head::Bin(len) => reader.take(len).ok(),
        _ => None,
    }
}

/// The encoded elements of an array. Ends early if the array is malformed.
#[derive(Clone, Debug)]
pub(crate) struct Elements<'a> {
    reader: Reader<'a>,
    count: usize,
}

impl<'a> Elements<'a> {
    /// Returns the elements, if `encoded` is an array.
    pub(crate) fn of(encoded: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(encoded);
        match reader.head().ok()? {
            Head::Array(count) => Some(Self { reader, count }),
            _ => None,
        }
    }

    /// Returns the elements of an empty array.
    pub(crate) const fn none() -> Self {
        Self {
            reader: Reader::new(&[]),
            count: 0,
        }
    }

    /// Returns how many elements are left, as claimed.
    pub(crate) const fn count_left(&self) -> usize {
        self.count
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.count = self.count.checked_sub(1)?;
        let before = self.reader.rest();
        // The whole array was walked within the limits of its event before.
        let unlimited = DecodeLimits {
            depth: usize::MAX,
            ..DecodeLimits::default()
        };
        let mut values = usize::MAX;
        if skip(&mut self.reader, &unlimited, &mut values).is_err() {
            self.count = 0;
            return None;
        }
        let len = before.len().checked_sub(self.reader.rest().len())?;
        before.get(..len)
    }
}
