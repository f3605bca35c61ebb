//! Numbered messages, and the books on what became of each of them.

use std::fmt;
use std::ops::Range;

use zmtp::{Message, Part};

use crate::random::Random;

/// The first octet of a numbered message, which is no topic that an XSUB socket subscribes to.
const MARK: &str = "m";

/// Makes message `number` of `source`, in two parts. Its size and content follow from both numbers,
/// so that [`read`] knows a message that was torn, or put together from two.
#[must_use]
pub fn message(source: u64, number: u64) -> Message {
    let head = format!("{MARK} {source} {number}");
    Message::from([head.into_bytes(), body(source, number)])
}

/// Returns the octets of message `number` of `source`, without what frames them.
#[must_use]
pub fn len(source: u64, number: u64) -> usize {
    message(source, number).byte_len()
}

/// Returns source and number of a message, or nothing if it is not one that [`message`] made.
#[must_use]
pub fn read(parts: &[Part]) -> Option<(u64, u64)> {
    let [head, content] = parts else {
        return None;
    };
    let mut words = std::str::from_utf8(head).ok()?.split(' ');
    if words.next()? != MARK {
        return None;
    }
    let (source, number) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    (body(source, number) == content.as_slice()).then_some((source, number))
}

/// Mostly small, some empty, some so large that they are sent by reference, a few of several reads.
fn body(source: u64, number: u64) -> Vec<u8> {
    let mut random = Random::new(source.rotate_left(32) ^ number);
    let len = match random.below(32) {
        0 => 0,
        1..=28 => random.count_below(300),
        29 | 30 => 8 * 1024 - 8 + random.count_below(1024),
        _ => random.count_below(40 * 1024),
    };
    let pattern = random.number().to_be_bytes();
    pattern.into_iter().cycle().take(len).collect()
}

/// What has become of the messages of one source at one receiver.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// Messages that were delivered.
    pub delivered: u64,
    /// Messages that came a second time.
    pub doubled: u64,
    /// Messages that came after a later one.
    pub overtaken: u64,
    /// Numbers that did not come before a later one.
    pub gaps: Vec<Range<u64>>,
    next: u64,
}

impl Book {
    /// Opens a book on a source of which earlier messages than `first` are not expected.
    #[must_use]
    pub fn starting_at(first: u64) -> Self {
        Self {
            next: first,
            ..Self::default()
        }
    }

    /// Enters a message that was delivered.
    pub fn enter(&mut self, number: u64) {
        if number < self.next {
            if self.gaps.iter().any(|gap| gap.contains(&number)) {
                self.overtaken += 1;
            } else {
                self.doubled += 1;
            }
            return;
        }
        if number > self.next {
            self.gaps.push(self.next..number);
        }
        self.delivered += 1;
        self.next = number + 1;
    }

    /// Closes the book: of the source, messages before `end` were sent.
    pub fn close(&mut self, end: u64) {
        if end > self.next {
            self.gaps.push(self.next..end);
            self.next = end;
        }
    }

    /// Returns the number that is expected next.
    #[must_use]
    pub fn expected(&self) -> u64 {
        self.next
    }

    /// Returns how many messages did not come.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.gaps.iter().map(|gap| gap.end - gap.start).sum()
    }
}

/// One line of the accounts: what became of everything that was sent in one test.
#[derive(Debug, Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "tests fill it in")]
pub struct Account {
    /// What sent and received.
    pub pattern: String,
    /// Messages or calls that were accepted for sending.
    pub sent: u64,
    /// Those that came, or were answered.
    pub delivered: u64,
    /// Those that the sender was told of as lost, by an error or by its counters.
    pub reported: u64,
    /// Those that the operating system had taken, and that were lost in the network.
    pub in_flight: u64,
    /// Those that came twice.
    pub doubled: u64,
    /// Those that came after a later one.
    pub overtaken: u64,
    /// Those that were not as they were sent.
    pub wrong: u64,
    /// Connections that ended.
    pub cuts: u64,
}

impl Account {
    /// Adds what another receiver has to say.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.delivered, other.delivered),
            (&mut self.doubled, other.doubled),
            (&mut self.overtaken, other.overtaken),
            (&mut self.wrong, other.wrong),
        ] {
            *sum += more;
        }
    }

    /// Fails unless everything that was sent is accounted for, and nothing came that must not.
    ///
    /// # Panics
    ///
    /// If something is missing, or came twice, late or wrong.
    pub fn assert_settled(&self) {
        assert_eq!(
            self.sent,
            self.delivered + self.reported + self.in_flight,
            "{self}"
        );
        assert_eq!(
            (self.doubled, self.overtaken, self.wrong),
            (0, 0, 0),
            "{self}"
        );
    }

    /// Shows the line to whoever runs the test with `--nocapture`.
    #[expect(clippy::print_stdout, reason = "the accounts are what the test is for")]
    pub fn show(&self) {
        println!("{self}");
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "| {} | sent {} | delivered {} | reported lost {} | lost in flight {} | doubled {} \
             | overtaken {} | wrong {} | cuts {} |",
            self.pattern,
            self.sent,
            self.delivered,
            self.reported,
            self.in_flight,
            self.doubled,
            self.overtaken,
            self.wrong,
            self.cuts
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(message: &Message) -> Vec<Part> {
        message.iter().cloned().collect()
    }

    #[test]
    fn a_message_is_known_by_its_numbers() {
        for number in 0..200 {
            assert_eq!(read(&parts(&message(3, number))), Some((3, number)));
        }
    }

    #[test]
    fn a_message_of_two_halves_is_no_message() {
        let (one, other) = (parts(&message(3, 4)), parts(&message(3, 5)));
        assert_eq!(read(&[one[0].clone(), other[1].clone()]), None);
        assert_eq!(read(&one[..1]), None);
    }

    #[test]
    fn a_book_tells_what_is_missing_doubled_and_overtaken() {
        let mut book = Book::default();
        for number in [0, 1, 4, 4, 2, 5] {
            book.enter(number);
        }
        book.close(7);
        assert_eq!(book.delivered, 4);
        assert_eq!((book.doubled, book.overtaken), (1, 1));
        assert_eq!(book.gaps, [2..4, 6..7]);
        assert_eq!(book.missing(), 3);
    }
}
