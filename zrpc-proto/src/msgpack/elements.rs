//! Small readers over values that are known to be well formed.

use super::{DecodeLimits, Head, Reader, skip};

/// Returns the content of an encoded string or binary, whatever comes behind it.
pub(crate) fn read_text(encoded: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(encoded);
    match reader.head().ok()? {
        Head::Str(len) | Head::Bin(len) => reader.take(len).ok(),
        _ => None,
    }
}

/// Returns the content of a value that is a string or binary and nothing else.
pub(crate) fn text_of(value: &[u8]) -> Option<&[u8]> {
    let head = match *value.first()? {
        0xa0..=0xbf => 1,
        0xc4 | 0xd9 => 2,
        0xc5 | 0xda => 3,
        0xc6 | 0xdb => 5,
        _ => return None,
    };
    value.get(head..)
}

/// The encoded elements of an array that ends where its octets end. Ends early if it is malformed.
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
        if self.count == 0 {
            // The last element reaches to the end of the array.
            self.reader = Reader::new(&[]);
            return Some(before).filter(|last| !last.is_empty());
        }
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
