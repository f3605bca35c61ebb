//! What can be made into a part or a message, and compared with one.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use bytes::Bytes;

use crate::message::{Message, Part};

impl<const N: usize> From<[u8; N]> for Part {
    #[inline]
    fn from(octets: [u8; N]) -> Self {
        Self::copy_from_slice(&octets)
    }
}

impl From<&String> for Part {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&Vec<u8>> for Part {
    fn from(octets: &Vec<u8>) -> Self {
        Self::copy_from_slice(octets)
    }
}

impl From<&Bytes> for Part {
    fn from(bytes: &Bytes) -> Self {
        Self::from(bytes.clone())
    }
}

impl From<&Self> for Part {
    fn from(part: &Self) -> Self {
        part.clone()
    }
}

impl From<Box<str>> for Part {
    fn from(text: Box<str>) -> Self {
        Self::from(text.into_string())
    }
}

impl From<Cow<'_, str>> for Part {
    fn from(text: Cow<'_, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::from(text),
            Cow::Owned(text) => Self::from(text),
        }
    }
}

impl From<Cow<'_, [u8]>> for Part {
    fn from(octets: Cow<'_, [u8]>) -> Self {
        match octets {
            Cow::Borrowed(octets) => Self::from(octets),
            Cow::Owned(octets) => Self::from(octets),
        }
    }
}

impl Borrow<[u8]> for Part {
    fn borrow(&self) -> &[u8] {
        self.as_slice()
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Part {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_slice().cmp(other.as_slice())
    }
}

impl PartialEq<String> for Part {
    fn eq(&self, other: &String) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<Vec<u8>> for Part {
    fn eq(&self, other: &Vec<u8>) -> bool {
        self == other.as_slice()
    }
}

impl PartialEq<Bytes> for Part {
    fn eq(&self, other: &Bytes) -> bool {
        self == &other[..]
    }
}

impl Hash for Message {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl PartialOrd for Message {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Message {
    /// Compares part by part; of two messages of which one begins with the other, that one is less.
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(other.parts())
    }
}

impl<A: Into<Part>, B: Into<Part>> From<(A, B)> for Message {
    #[inline]
    fn from((a, b): (A, B)) -> Self {
        Self::from([a.into(), b.into()])
    }
}

impl<A: Into<Part>, B: Into<Part>, C: Into<Part>> From<(A, B, C)> for Message {
    fn from((a, b, c): (A, B, C)) -> Self {
        Self::from([a.into(), b.into(), c.into()])
    }
}

impl<A: Into<Part>, B: Into<Part>, C: Into<Part>, D: Into<Part>> From<(A, B, C, D)> for Message {
    fn from((a, b, c, d): (A, B, C, D)) -> Self {
        Self::from([a.into(), b.into(), c.into(), d.into()])
    }
}

impl From<Message> for Vec<Part> {
    fn from(message: Message) -> Self {
        message.into_parts()
    }
}

impl<T, const N: usize> PartialEq<[T; N]> for Message
where
    Part: PartialEq<T>,
{
    fn eq(&self, other: &[T; N]) -> bool {
        self.parts() == other
    }
}

impl<T> PartialEq<[T]> for Message
where
    Part: PartialEq<T>,
{
    fn eq(&self, other: &[T]) -> bool {
        self.parts() == other
    }
}

impl<'a> IntoIterator for &'a mut Message {
    type Item = &'a mut Part;
    type IntoIter = std::slice::IterMut<'a, Part>;

    fn into_iter(self) -> Self::IntoIter {
        self.parts_mut().iter_mut()
    }
}

impl AsRef<[Part]> for Message {
    fn as_ref(&self) -> &[Part] {
        self.parts()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap, HashSet};

    use super::*;

    #[test]
    fn whatever_holds_octets_makes_a_part() {
        for part in [
            Part::from([b'a', b'b']),
            Part::from(&String::from("ab")),
            Part::from(&b"ab".to_vec()),
            Part::from(&Bytes::from_static(b"ab")),
            Part::from(&Part::from("ab")),
            Part::from(Box::<str>::from("ab")),
            Part::from(Cow::Borrowed("ab")),
            Part::from(Cow::<str>::Owned(String::from("ab"))),
            Part::from(Cow::Borrowed(&b"ab"[..])),
            Part::from(Cow::<[u8]>::Owned(b"ab".to_vec())),
        ] {
            assert_eq!(part, "ab");
            assert_eq!(part, String::from("ab"));
            assert_eq!(part, b"ab".to_vec());
            assert_eq!(part, Bytes::from_static(b"ab"));
        }
    }

    #[test]
    fn tuples_mix_kinds_of_parts() {
        let id = Part::from([0, 1]);
        assert_eq!(Message::from((&id, "")).part_count(), 2);
        assert_eq!(Message::from((&id, "", String::from("x"))).part_count(), 3);
        let message = Message::from((id, "", "x", vec![7; 3]));
        assert_eq!(message, [&[0, 1][..], b"", b"x", &[7; 3]]);
        assert_ne!(message, ["", "x"]);
    }

    #[test]
    fn messages_are_equal_ordered_and_found_by_their_parts_whatever_form_they_have() {
        let mut taken_from = Message::from(["x", "a", "b"]);
        taken_from.pop_front();
        let two = Message::from(["a", "b"]);
        assert_eq!(HashSet::from([taken_from.clone(), two.clone()]).len(), 1);
        assert_eq!(taken_from.cmp(&two), Ordering::Equal);
        let sorted = [&[][..], &["", "b"], &["a"], &["a", "b"], &["ab"], &["b"]]
            .map(|parts| parts.iter().copied().collect::<Message>());
        assert!(sorted.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn parts_are_keys_that_octets_look_up() {
        let counts: HashMap<Part, u8> = HashMap::from([(Part::from("key"), 1)]);
        assert_eq!(counts.get(&b"key"[..]), Some(&1));
        let sorted: BTreeSet<Part> = ["b", "ab", "a", ""].map(Part::from).into();
        assert!(sorted.iter().eq(&["", "a", "ab", "b"].map(Part::from)));
    }
}
