//! What the other side takes for what it is: checks values before they are sent.

use std::fmt;
use std::ops::BitOr;

use super::path::{PathStep, ValuePath};
use super::{CompatError, CompatFault, timestamp};
use crate::msgpack::{Head, Kind, Reader, read_text};

/// Whom a value is for, and thus which values may be sent.
///
/// Other implementations drop or change some values without a word: Python a whole event for one
/// map with a number as key, so that the caller only sees a timeout; Node an integer that its
/// numbers cannot hold. Such a value is an error here, on the side that would send it.
///
/// Profiles are put together with `|`; a value has to suit all of them. The default is
/// [`Self::PYTHON`].
///
/// | what | [`PYTHON`](Self::PYTHON) | [`NODE`](Self::NODE) | [`NODE_ROUND_TRIP`](Self::NODE_ROUND_TRIP) |
/// |---|---|---|---|
/// | map keys | strings, binary | strings | strings |
/// | length of an event | 100 MiB | | |
/// | nesting | 511 | | |
/// | integers | | up to ±(2⁵³ − 1) | 32 bits, signed |
/// | strings | UTF-8 | UTF-8 | UTF-8 |
/// | extensions | tags 0 to 127, valid timestamps | none of its own types but dates | as `NODE` |
///
/// # Example
///
/// ```
/// # use zrpc_proto::{Body, Compat, EncodeError};
/// # fn main() -> Result<(), EncodeError> {
/// let body = Body::args(&("id", 1_u64 << 53))?;
/// assert!(body.check(Compat::PYTHON).is_ok());
/// let error = body.check(Compat::PYTHON | Compat::NODE).unwrap_err();
/// assert!(error.to_string().starts_with("value[1]: integer 9007199254740992"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Compat(u8);

impl Compat {
    /// Every value, for peers that are known to take it, such as those of this crate.
    pub const ANY: Self = Self(0);
    /// What every version of Python zerorpc takes.
    pub const PYTHON: Self = Self(1);
    /// What Node zerorpc takes without changing it.
    pub const NODE: Self = Self(1 << 1);
    /// What Node zerorpc takes and also sends as it was: integers beyond 32 bits come back from it
    /// as floats.
    pub const NODE_ROUND_TRIP: Self = Self(Self::NODE.0 | 1 << 2);

    const NAMES: [(Self, &str); 3] = [
        (Self::PYTHON, "PYTHON"),
        (Self::NODE_ROUND_TRIP, "NODE_ROUND_TRIP"),
        (Self::NODE, "NODE"),
    ];

    /// Returns whether what suits `self` suits `other` as well.
    #[must_use]
    pub const fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Checks one entry of a header.
    pub(crate) fn check_entry(self, key: &[u8], value: &[u8]) -> Result<(), CompatError> {
        let name = read_text(key);
        let header = || ValuePath::new().in_header(name.unwrap_or(key));
        if self != Self::ANY && name.is_none() {
            let found = Reader::new(key).head().map_or(Kind::Nil, Head::kind);
            return Err(CompatFault::PythonMapKey { found }.at(header()));
        }
        // What a peer sent, and is passed on, need not be UTF-8.
        self.check(value, Text::Unknown)
            .map_err(|error| CompatError {
                path: error.path.in_header(name.unwrap_or(key)),
                fault: error.fault,
            })
    }

    /// Checks the length of a value, or of one and what goes with it.
    pub(super) fn check_len(self, len: usize) -> Result<(), CompatError> {
        if self.includes(Self::PYTHON) && len > PYTHON_LEN {
            let limit = PYTHON_LEN;
            return Err(CompatFault::TooLong { len, limit }.at(ValuePath::new()));
        }
        Ok(())
    }

    /// Checks one encoded value, without recursion.
    pub(super) fn check(self, encoded: &[u8], text: Text) -> Result<(), CompatError> {
        if self == Self::ANY {
            return Ok(());
        }
        self.check_len(encoded.len())?;
        let mut walk = Walk {
            compat: self,
            text,
            reader: Reader::new(encoded),
            level: None,
            outer: Vec::new(),
        };
        walk.run().map_err(|fault| fault.at(walk.path()))
    }
}

impl Default for Compat {
    fn default() -> Self {
        Self::PYTHON
    }
}

impl BitOr for Compat {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Compat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = *self;
        let mut separator = "";
        for (profile, name) in Self::NAMES {
            if left != Self::ANY && left.includes(profile) {
                write!(f, "{separator}{name}")?;
                separator = " | ";
                left = Self(left.0 & !profile.0);
            }
        }
        if separator.is_empty() {
            f.write_str("ANY")?;
        }
        Ok(())
    }
}

/// Whether the strings of a value are known to be UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// They were strings of this program.
    Known,
    /// Somebody else encoded them.
    Unknown,
}

/// The longest event that Python's msgpack takes by default, less the protocol's own header entries
/// and the name, which go in front of a value.
const PYTHON_LEN: usize = 100 * 1024 * 1024 - 4096;

/// The deepest nesting that Python's msgpack is sure to pack again.
const PYTHON_DEPTH: usize = 511;

/// The largest integer that JavaScript's numbers tell from its neighbours: 2⁵³ − 1.
const NODE_INTEGER: i128 = (1 << 53) - 1;

/// The tags that Node's msgpack makes objects of: errors, expressions, dates, boxed values, arrays.
const NODE_TAGS: std::ops::RangeInclusive<i8> = 0x01..=0x1d;

/// A walk over one value, with the levels of nesting that it is in.
struct Walk<'a> {
    compat: Compat,
    text: Text,
    reader: Reader<'a>,
    /// The innermost level. Arguments without collections in them have no other, and need no room
    /// for more.
    level: Option<Level<'a>>,
    outer: Vec<Level<'a>>,
}

/// A compound value, and how much of it was begun.
#[derive(Clone, Copy)]
enum Level<'a> {
    Array {
        count: usize,
        begun: usize,
    },
    Map {
        count: usize,
        begun: usize,
        key: &'a [u8],
    },
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Value,
    Key,
    End,
}

impl<'a> Walk<'a> {
    fn run(&mut self) -> Result<(), CompatFault> {
        let mut position = Position::Value;
        loop {
            match position {
                Position::End => {
                    self.level = self.outer.pop();
                }
                Position::Value => self.value()?,
                Position::Key => self.key()?,
            }
            position = match &mut self.level {
                Some(level) => level.begin(),
                None => return Ok(()),
            };
        }
    }

    fn value(&mut self) -> Result<(), CompatFault> {
        match self.head()? {
            Head::Unsigned(value) => self.integer(value.into()),
            Head::Negative(value) => self.integer(value.into()),
            Head::Str(len) => self.string(len).map(drop),
            Head::Bin(len) => self.take(len).map(drop),
            Head::Ext(tag, len) => {
                let content = self.take(len)?;
                self.extension(tag, content)
            }
            Head::Array(count) => self.enter(Level::Array { count, begun: 0 }),
            Head::Map(count) => self.enter(Level::Map {
                count,
                begun: 0,
                key: &[],
            }),
            Head::Nil | Head::Boolean(_) | Head::F32(_) | Head::F64(_) => Ok(()),
        }
    }

    fn key(&mut self) -> Result<(), CompatFault> {
        let head = self.head()?;
        let found = head.kind();
        let content = match head {
            Head::Str(len) => self.string(len)?,
            Head::Bin(len) if !self.compat.includes(Compat::NODE) => self.take(len)?,
            _ if self.compat.includes(Compat::PYTHON) && found != Kind::Binary => {
                return Err(CompatFault::PythonMapKey { found });
            }
            _ => return Err(CompatFault::NodeMapKey { found }),
        };
        if let Some(Level::Map { key, .. }) = &mut self.level {
            *key = content;
        }
        Ok(())
    }

    fn integer(&self, value: i128) -> Result<(), CompatFault> {
        if self.compat.includes(Compat::NODE_ROUND_TRIP) && i32::try_from(value).is_err() {
            return Err(CompatFault::NodeFloat { value });
        }
        if self.compat.includes(Compat::NODE) && !(-NODE_INTEGER..=NODE_INTEGER).contains(&value) {
            return Err(CompatFault::NodeInteger { value });
        }
        Ok(())
    }

    fn string(&mut self, len: usize) -> Result<&'a [u8], CompatFault> {
        let content = self.take(len)?;
        if self.text == Text::Unknown && std::str::from_utf8(content).is_err() {
            return Err(CompatFault::NotUtf8);
        }
        Ok(content)
    }

    fn extension(&self, tag: i8, content: &[u8]) -> Result<(), CompatFault> {
        if self.compat.includes(Compat::PYTHON) {
            match tag {
                timestamp::TAG if timestamp::is_valid(content) => {}
                timestamp::TAG => return Err(CompatFault::Timestamp),
                ..0 => return Err(CompatFault::PythonExtension { tag }),
                0.. => {}
            }
        }
        let is_object = NODE_TAGS.contains(&tag) && tag != timestamp::JS_DATE_TAG;
        if self.compat.includes(Compat::NODE) && is_object {
            return Err(CompatFault::NodeExtension { tag });
        }
        Ok(())
    }

    fn enter(&mut self, level: Level<'a>) -> Result<(), CompatFault> {
        let depth = self
            .outer
            .len()
            .saturating_add(usize::from(self.level.is_some()));
        if self.compat.includes(Compat::PYTHON) && depth >= PYTHON_DEPTH {
            let limit = PYTHON_DEPTH;
            return Err(CompatFault::TooDeep { limit });
        }
        self.outer.extend(self.level.replace(level));
        Ok(())
    }

    fn head(&mut self) -> Result<Head, CompatFault> {
        self.reader.head().map_err(CompatFault::Malformed)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], CompatFault> {
        self.reader.take(len).map_err(CompatFault::Malformed)
    }

    /// Returns the way to the value that is being looked at; a key stands for itself.
    fn path(&self) -> ValuePath {
        let levels = self.outer.iter().chain(&self.level);
        let steps = levels.map(|level| match *level {
            Level::Array { begun, .. } => PathStep::Index(begun.saturating_sub(1)),
            Level::Map { begun, .. } if begun % 2 == 1 => PathStep::Entry(begun / 2),
            Level::Map { key, .. } => PathStep::key(key),
        });
        steps.collect()
    }
}

impl Level<'_> {
    /// Moves on to the next value.
    fn begin(&mut self) -> Position {
        let (count, begun, position) = match self {
            Self::Array { count, begun } => (*count, begun, Position::Value),
            Self::Map { count, begun, .. } => {
                let position = match *begun % 2 {
                    0 => Position::Key,
                    _ => Position::Value,
                };
                (count.saturating_mul(2), begun, position)
            }
        };
        if *begun == count {
            return Position::End;
        }
        *begun = begun.saturating_add(1);
        position
    }
}
