//! Where in a value something is.

use std::fmt;

/// The way to a part of a value: elements of arrays and entries of maps, from the outside in.
///
/// It prints as `value[1]["name"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValuePath {
    /// `None` for the value itself. In a box, because errors that have it should be small.
    way: Option<Box<Way>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Way {
    root: Root,
    steps: Vec<PathStep>,
    /// Steps that were left out behind those.
    omitted: usize,
}

/// What a [`ValuePath`] begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Root {
    #[default]
    Value,
    /// An entry of the header, by its name.
    Header(String),
}

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathStep {
    /// An element of an array.
    Index(usize),
    /// The value of a map's entry with this key. Bytes that are not UTF-8 are replaced, and long
    /// keys are cut.
    Key(String),
    /// The key of a map's entry, by its position.
    Entry(usize),
}

/// How many steps are kept: nobody finds a place by more.
const MAX_STEPS: usize = 32;

/// How many characters of a key are kept.
const MAX_KEY: usize = 64;

impl ValuePath {
    /// Returns the way to the value itself.
    #[must_use]
    pub const fn new() -> Self {
        Self { way: None }
    }

    /// Returns the steps, of which at most 32 are kept.
    #[must_use]
    pub fn steps(&self) -> &[PathStep] {
        match &self.way {
            Some(way) => &way.steps,
            None => &[],
        }
    }

    /// Returns the name of the header entry, if the value is one.
    #[must_use]
    pub fn header(&self) -> Option<&str> {
        match self.way.as_ref().map(|way| &way.root) {
            Some(Root::Header(name)) => Some(name),
            Some(Root::Value) | None => None,
        }
    }

    /// Returns the same way into an entry of the header.
    pub(super) fn in_header(mut self, name: &[u8]) -> Self {
        self.way.get_or_insert_default().root = Root::Header(shorten(name));
        self
    }
}

impl PathStep {
    pub(super) fn key(content: &[u8]) -> Self {
        Self::Key(shorten(content))
    }
}

impl FromIterator<PathStep> for ValuePath {
    fn from_iter<I: IntoIterator<Item = PathStep>>(steps: I) -> Self {
        let mut steps = steps.into_iter();
        let way = Way {
            root: Root::Value,
            steps: steps.by_ref().take(MAX_STEPS).collect(),
            omitted: steps.count(),
        };
        Self {
            way: (!way.steps.is_empty()).then(|| Box::new(way)),
        }
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(way) = &self.way else {
            return f.write_str("value");
        };
        match &way.root {
            Root::Value => f.write_str("value")?,
            Root::Header(name) => write!(f, "header[{name:?}]")?,
        }
        for step in &way.steps {
            match step {
                PathStep::Index(index) => write!(f, "[{index}]")?,
                PathStep::Key(key) => write!(f, "[{key:?}]")?,
                PathStep::Entry(position) => write!(f, "[key {position}]")?,
            }
        }
        match way.omitted {
            0 => Ok(()),
            omitted => write!(f, "… ({omitted} more)"),
        }
    }
}

fn shorten(content: &[u8]) -> String {
    // A character takes at most four bytes, so no more than these are looked at.
    let head = content.get(..MAX_KEY.saturating_mul(4)).unwrap_or(content);
    let text = String::from_utf8_lossy(head);
    let mut kept: String = text.chars().take(MAX_KEY).collect();
    if kept.len() < content.len() && text.chars().nth(MAX_KEY).is_some() {
        kept.push('…');
    }
    kept
}
