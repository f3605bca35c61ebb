//! A whole message: its parts in order.

use std::iter::FusedIterator;
use std::mem;
use std::ops::{Index, IndexMut};

use crate::message::Part;

/// A message: an ordered list of parts, delivered whole or not at all.
///
/// One or two parts are held inside the value, which covers plain messages and those with an
/// empty delimiter in front. A message from a socket has at least one part; one under
/// construction may have none.
///
/// # Example
///
/// ```
/// use zmtp::Message;
///
/// let mut message = Message::from(["", "body"]);
/// message.push_front("address");
/// assert_eq!(message.part_count(), 3);
/// assert_eq!(message.pop_front().as_deref(), Some(&b"address"[..]));
/// assert_eq!(message.byte_len(), 4);
/// ```
///
/// Whatever makes a [`Part`] makes a message of one part; arrays, vectors, tuples and iterators make
/// messages of several:
///
/// ```
/// use zmtp::{Message, Part};
///
/// let id = Part::from([0, 1, 2, 3, 4]);
/// let request = Message::from((id, "", "question"));
/// let numbers: Message = (1..=3_u8).map(|number| [number]).collect();
/// assert_eq!(numbers, [[1], [2], [3]]);
/// assert_eq!(request.to_string(), r#"[0x0001020304, "", "question"]"#);
/// assert_eq!(request.text(2), Ok("question"));
/// ```
#[derive(Clone)]
pub struct Message(Repr);

#[derive(Clone)]
enum Repr {
    One(Part),
    Two([Part; 2]),
    Many(Many),
}

/// Any number of parts. Those before `start` were taken from the front and are empty: taking all
/// parts one by one must not move the rest each time, as a peer chooses how many there are.
#[derive(Clone, Default)]
struct Many {
    parts: Vec<Part>,
    start: usize,
}

impl Message {
    /// Returns a message without parts.
    pub const fn new() -> Self {
        Self(Repr::Many(Many {
            parts: Vec::new(),
            start: 0,
        }))
    }

    /// Returns a message of two parts, without counting them as [`FromIterator`] does.
    #[cfg(feature = "socket")]
    #[inline]
    pub(crate) const fn of_two(first: Part, second: Part) -> Self {
        Self(Repr::Two([first, second]))
    }

    /// Returns a message of these parts.
    pub fn from_parts(parts: Vec<Part>) -> Self {
        match <[Part; 2]>::try_from(parts) {
            Ok(two) => Self(Repr::Two(two)),
            Err(mut parts) if parts.len() == 1 => match parts.pop() {
                Some(part) => Self(Repr::One(part)),
                None => Self::new(),
            },
            Err(parts) => Self(Repr::Many(Many { parts, start: 0 })),
        }
    }

    /// Adds a part at the end.
    #[inline]
    pub fn push_back(&mut self, part: impl Into<Part>) {
        let part = part.into();
        self.0 = match mem::take(&mut self.0) {
            Repr::One(first) => Repr::Two([first, part]),
            Repr::Two([first, second]) => Repr::many(vec![first, second, part]),
            Repr::Many(many) if many.is_empty() => Repr::One(part),
            Repr::Many(mut many) => {
                many.push_back(part);
                Repr::Many(many)
            }
        };
    }

    /// Adds a part in front of the first one.
    #[inline]
    pub fn push_front(&mut self, part: impl Into<Part>) {
        let part = part.into();
        self.0 = match mem::take(&mut self.0) {
            Repr::One(last) => Repr::Two([part, last]),
            Repr::Two([second, third]) => Repr::many(vec![part, second, third]),
            Repr::Many(many) if many.is_empty() => Repr::One(part),
            Repr::Many(mut many) => {
                many.push_front(part);
                Repr::Many(many)
            }
        };
    }

    /// Takes the first part.
    #[inline]
    pub fn pop_front(&mut self) -> Option<Part> {
        let (popped, rest) = match mem::take(&mut self.0) {
            Repr::One(part) => (Some(part), Repr::default()),
            Repr::Two([first, second]) => (Some(first), Repr::One(second)),
            Repr::Many(mut many) => (many.pop_front(), Repr::Many(many)),
        };
        self.0 = rest;
        popped
    }

    /// Takes the last part.
    #[inline]
    pub fn pop_back(&mut self) -> Option<Part> {
        let (popped, rest) = match mem::take(&mut self.0) {
            Repr::One(part) => (Some(part), Repr::default()),
            Repr::Two([first, second]) => (Some(second), Repr::One(first)),
            Repr::Many(mut many) => (many.pop_back(), Repr::Many(many)),
        };
        self.0 = rest;
        popped
    }

    /// Takes the envelope: the parts up to the first empty one, and that one with them.
    ///
    /// A request that went through ROUTERs has their routing ids there, and its reply goes back with
    /// the same envelope. `None`, and nothing is taken, if no part is empty or nothing follows it.
    ///
    /// ```
    /// use zmtp::Message;
    ///
    /// let mut request = Message::from(["client", "", "question"]);
    /// let envelope = request.pop_envelope().expect("a delimiter");
    /// assert_eq!(request, ["question"]);
    /// let mut reply = Message::from("answer");
    /// reply.push_envelope(envelope);
    /// assert_eq!(reply, ["client", "", "answer"]);
    /// ```
    pub fn pop_envelope(&mut self) -> Option<Self> {
        let delimiter = self.iter().position(|part| part.is_empty())?;
        if delimiter + 1 == self.part_count() {
            return None;
        }
        if delimiter == 0 {
            // From a REQ there is nothing else: then nothing is allocated.
            return self.pop_front().map(Self::from);
        }
        let mut parts = mem::take(self).into_parts();
        *self = Self::from_parts(parts.split_off(delimiter + 1));
        Some(Self::from_parts(parts))
    }

    /// Puts all parts of `envelope` in front of those of this message.
    pub fn push_envelope(&mut self, envelope: Self) {
        let mut parts = envelope.into_parts();
        parts.extend(mem::take(self));
        *self = Self::from_parts(parts);
    }

    /// Returns the parts as a vector.
    pub fn into_parts(self) -> Vec<Part> {
        match self.0 {
            Repr::One(part) => vec![part],
            Repr::Two(parts) => parts.into(),
            Repr::Many(mut many) => {
                many.parts.drain(..many.start);
                many.parts
            }
        }
    }

    /// Returns the parts.
    #[inline]
    pub fn parts(&self) -> &[Part] {
        match &self.0 {
            Repr::One(part) => std::slice::from_ref(part),
            Repr::Two(parts) => parts,
            Repr::Many(many) => many.as_slice(),
        }
    }

    /// Returns the parts, to be changed.
    pub fn parts_mut(&mut self) -> &mut [Part] {
        match &mut self.0 {
            Repr::One(part) => std::slice::from_mut(part),
            Repr::Two(parts) => parts,
            Repr::Many(many) => many.parts.get_mut(many.start..).unwrap_or_default(),
        }
    }

    /// Returns the number of parts.
    #[inline]
    pub fn part_count(&self) -> usize {
        self.parts().len()
    }

    /// Returns true for a message without parts, which cannot be sent.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.parts().is_empty()
    }

    /// Returns the number of octets in all parts together.
    #[inline]
    pub fn byte_len(&self) -> usize {
        self.parts()
            .iter()
            .fold(0, |sum, part| sum.saturating_add(part.len()))
    }

    /// Returns the part at `index`, counted from 0.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&Part> {
        self.parts().get(index)
    }

    /// Returns the first part.
    #[inline]
    pub fn first(&self) -> Option<&Part> {
        self.parts().first()
    }

    /// Returns the last part.
    #[inline]
    pub fn last(&self) -> Option<&Part> {
        self.parts().last()
    }

    /// Returns an iterator over the parts.
    #[inline]
    pub fn iter(&self) -> std::slice::Iter<'_, Part> {
        self.parts().iter()
    }
}

impl Repr {
    fn many(parts: Vec<Part>) -> Self {
        Self::Many(Many { parts, start: 0 })
    }
}

impl Default for Repr {
    #[inline]
    fn default() -> Self {
        Self::Many(Many::default())
    }
}

impl Many {
    fn as_slice(&self) -> &[Part] {
        self.parts.get(self.start..).unwrap_or_default()
    }

    fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    fn push_back(&mut self, part: Part) {
        // A message that is used as a queue needs no more room than its parts, and moves each part
        // once for every one that was taken.
        if self.parts.len() == self.parts.capacity() && self.start > self.parts.len() / 2 {
            self.parts.drain(..self.start);
            self.start = 0;
        }
        self.parts.push(part);
    }

    fn push_front(&mut self, part: Part) {
        match self.start.checked_sub(1) {
            Some(start) => {
                if let Some(slot) = self.parts.get_mut(start) {
                    *slot = part;
                    self.start = start;
                }
            }
            None => self.parts.insert(0, part),
        }
    }

    fn pop_front(&mut self) -> Option<Part> {
        let part = mem::take(self.parts.get_mut(self.start)?);
        self.start += 1;
        Some(part)
    }

    fn pop_back(&mut self) -> Option<Part> {
        if self.is_empty() {
            return None;
        }
        self.parts.pop()
    }
}

impl Default for Message {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Message {}

impl Index<usize> for Message {
    type Output = Part;

    /// Returns the part at `index`, counted from 0.
    ///
    /// # Panics
    ///
    /// Panics if there is no such part; [`Message::get`] does not.
    fn index(&self, index: usize) -> &Part {
        &self.parts()[index]
    }
}

impl IndexMut<usize> for Message {
    /// Returns the part at `index`, counted from 0, to be changed.
    ///
    /// # Panics
    ///
    /// Panics if there is no such part; [`Message::parts_mut`] lets one look first.
    fn index_mut(&mut self, index: usize) -> &mut Part {
        &mut self.parts_mut()[index]
    }
}

impl<T: Into<Part>> From<T> for Message {
    #[inline]
    fn from(part: T) -> Self {
        Self(Repr::One(part.into()))
    }
}

impl<T: Into<Part>, const N: usize> From<[T; N]> for Message {
    #[inline]
    fn from(parts: [T; N]) -> Self {
        parts.into_iter().collect()
    }
}

impl<T: Into<Part>> From<Vec<T>> for Message {
    fn from(parts: Vec<T>) -> Self {
        // Of parts, this takes the vector as it is.
        Self::from_parts(parts.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Part>> FromIterator<T> for Message {
    #[inline]
    fn from_iter<I: IntoIterator<Item = T>>(parts: I) -> Self {
        // Not one by one: each part would move those before it from one form to the next.
        let mut parts = parts.into_iter().map(Into::into);
        let Some(first) = parts.next() else {
            return Self::new();
        };
        let Some(second) = parts.next() else {
            return Self(Repr::One(first));
        };
        let Some(third) = parts.next() else {
            return Self(Repr::Two([first, second]));
        };
        let mut many = vec![first, second, third];
        many.extend(parts);
        Self(Repr::many(many))
    }
}

impl<T: Into<Part>> Extend<T> for Message {
    #[inline]
    fn extend<I: IntoIterator<Item = T>>(&mut self, parts: I) {
        for part in parts {
            self.push_back(part);
        }
    }
}

impl<'a> IntoIterator for &'a Message {
    type Item = &'a Part;
    type IntoIter = std::slice::Iter<'a, Part>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Message {
    type Item = Part;
    type IntoIter = IntoParts;

    fn into_iter(self) -> IntoParts {
        IntoParts(self)
    }
}

/// Iterator over the parts of a message, which it consumes.
#[derive(Debug, Clone)]
pub struct IntoParts(Message);

impl Iterator for IntoParts {
    type Item = Part;

    #[inline]
    fn next(&mut self) -> Option<Part> {
        self.0.pop_front()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = self.0.part_count();
        (count, Some(count))
    }
}

impl DoubleEndedIterator for IntoParts {
    fn next_back(&mut self) -> Option<Part> {
        self.0.pop_back()
    }
}

impl ExactSizeIterator for IntoParts {}

impl FusedIterator for IntoParts {}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_parts_need_one_word_more_than_themselves() {
        let word = size_of::<usize>();
        assert_eq!(size_of::<Message>(), 2 * size_of::<Part>() + word);
    }

    #[test]
    fn everything_that_makes_a_part_makes_a_message() {
        for message in [
            Message::from("abc"),
            Message::from(String::from("abc")),
            Message::from(b"abc"),
            Message::from(&b"abc"[..]),
            Message::from(b"abc".to_vec()),
            Message::from(Bytes::from_static(b"abc")),
            Message::from(Part::from("abc")),
            Message::from(["abc"]),
            Message::from_parts(vec![Part::from("abc")]),
        ] {
            assert_eq!(message.parts(), ["abc"]);
            assert!(matches!(message.0, Repr::One(_)));
        }
    }

    #[test]
    fn message_without_parts_differs_from_one_empty_part() {
        assert!(Message::new().is_empty());
        assert!(!Message::from("").is_empty());
        assert_ne!(Message::new(), Message::from(""));
        assert_eq!(Message::from_parts(Vec::new()), Message::new());
    }

    #[test]
    fn an_envelope_ends_with_the_first_empty_part_and_needs_something_behind_it() {
        let mut message = Message::from(["a", "b", "", "c", "", "d"]);
        assert_eq!(message.pop_envelope().unwrap(), ["a", "b", ""]);
        assert_eq!(message, ["c", "", "d"]);
        for parts in [&["a", "b"][..], &["a", ""], &[""], &[]] {
            let mut message: Message = parts.iter().copied().collect();
            assert_eq!(message.pop_envelope(), None);
            assert_eq!(message, *parts);
        }
    }

    #[test]
    fn parts_are_changed_in_place() {
        let mut message = Message::from(["a", "b", "c"]);
        message.pop_front();
        message[1] = Part::from("x");
        message.parts_mut()[0] = Part::EMPTY;
        assert_eq!(message, ["", "x"]);
        for part in &mut message {
            *part = Part::from("y");
        }
        assert_eq!(message, ["y", "y"]);
    }

    #[test]
    fn a_queue_of_few_parts_needs_little_room() {
        let mut queue = Message::from(["a", "b", "c"]);
        for part in 0..if cfg!(miri) { 20 } else { 1000_u16 } {
            queue.push_back(part.to_be_bytes());
            queue.pop_front();
        }
        let Repr::Many(many) = &queue.0 else {
            panic!("{queue:?}");
        };
        assert!(many.parts.capacity() <= 16, "{}", many.parts.capacity());
        assert_eq!(queue.part_count(), 3);
    }

    #[derive(Debug, Clone)]
    enum Operation {
        PushBack(u8),
        PushFront(u8),
        PopBack,
        PopFront,
        Rebuild,
    }

    fn operation() -> impl Strategy<Value = Operation> {
        prop_oneof![
            3 => any::<u8>().prop_map(Operation::PushBack),
            2 => any::<u8>().prop_map(Operation::PushFront),
            1 => Just(Operation::PopBack),
            2 => Just(Operation::PopFront),
            1 => Just(Operation::Rebuild),
        ]
    }

    const OPERATIONS: usize = if cfg!(miri) { 12 } else { 40 };

    proptest! {
        #[test]
        fn behaves_like_a_double_ended_queue(
            operations in prop::collection::vec(operation(), 0..OPERATIONS)
        ) {
            let mut message = Message::new();
            let mut model = VecDeque::new();
            for operation in operations {
                match operation {
                    Operation::PushBack(octet) => {
                        message.push_back([octet]);
                        model.push_back(Part::from(&[octet]));
                    }
                    Operation::PushFront(octet) => {
                        message.push_front([octet]);
                        model.push_front(Part::from(&[octet]));
                    }
                    Operation::PopBack => prop_assert_eq!(message.pop_back(), model.pop_back()),
                    Operation::PopFront => prop_assert_eq!(message.pop_front(), model.pop_front()),
                    Operation::Rebuild => message = Message::from_parts(message.into_parts()),
                }
                prop_assert_eq!(message.parts(), &*model.make_contiguous());
                prop_assert_eq!(message.part_count(), model.len());
                prop_assert_eq!(message.byte_len(), model.len());
                prop_assert_eq!(message.first(), model.front());
                prop_assert_eq!(message.last(), model.back());
                prop_assert_eq!(message.is_empty(), model.is_empty());
            }
            prop_assert!(message.into_iter().eq(model));
        }
    }
}
