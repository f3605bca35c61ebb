//! Header entries: what middleware adds to events and reads from them.

use proto::{EncodeError, Extra};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::HeaderError;

/// Entries of the header of an event beyond the protocol's own, by name.
///
/// What is received is kept encoded and decoded when asked for. What is added is bounded: every
/// event carries it, so it is meant for ids and tokens, not for data.
///
/// # Example
///
/// ```
/// use zrpc::middleware::HeaderEntries;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut entries = HeaderEntries::new();
/// entries.insert("trace_id", "4bf92f35")?;
/// assert_eq!(entries.get::<String>("trace_id")?.as_deref(), Some("4bf92f35"));
/// assert!(entries.insert("message_id", "mine").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderEntries {
    extra: Extra,
}

/// Why an entry was not added. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The name is one of the protocol's own.
    #[error("header entry {key} is the protocol's own")]
    Reserved {
        /// The name.
        key: String,
    },
    /// The value cannot be encoded.
    #[error("value of header entry {key} cannot be encoded")]
    Encode {
        /// The name.
        key: String,
        /// What is wrong with the value.
        #[source]
        source: EncodeError,
    },
    /// There are as many entries as there may be.
    #[error("header has {limit} entries already")]
    TooMany {
        /// [`HeaderEntries::MAX_COUNT`].
        limit: usize,
    },
    /// The entries would be too long.
    #[error("header entries would take {len} bytes, more than {limit}")]
    TooLong {
        /// How many bytes they would take.
        len: usize,
        /// [`HeaderEntries::MAX_LEN`].
        limit: usize,
    },
}

impl HeaderEntries {
    /// The most entries that may be added: half of what servers of this crate accept.
    pub const MAX_COUNT: usize = 64;

    /// The most bytes that all entries may take, names included. They come with every event.
    pub const MAX_LEN: usize = 16 * 1024;

    /// Returns no entries. Does not allocate.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            extra: Extra::new(),
        }
    }

    /// Decodes an entry. Returns `None` if there is none of this name.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] if the entry is no `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, HeaderError> {
        self.extra.decode(key).map_err(|error| HeaderError {
            key: key.to_owned(),
            detail: error.to_string(),
        })
    }

    /// Sets an entry, replacing one of this name.
    ///
    /// # Errors
    ///
    /// [`EntryError`]; nothing is changed then.
    pub fn insert<T>(&mut self, key: &str, value: &T) -> Result<(), EntryError>
    where
        T: Serialize + ?Sized,
    {
        let mut added = Extra::new();
        added.insert(key, value).map_err(|error| match error {
            EncodeError::ReservedKey { key } => EntryError::Reserved { key },
            source => EntryError::Encode {
                key: key.to_owned(),
                source,
            },
        })?;
        self.add(&added)
    }

    /// Takes over all entries of `other`, replacing those of the same name.
    ///
    /// # Errors
    ///
    /// [`EntryError::TooMany`] and [`EntryError::TooLong`]; nothing is changed then.
    pub fn merge(&mut self, other: &Self) -> Result<(), EntryError> {
        if other.is_empty() {
            return Ok(());
        }
        self.add(&other.extra)
    }

    /// Takes an entry out. Returns whether there was one of this name.
    pub fn remove(&mut self, key: &str) -> bool {
        self.extra.remove(key).is_some()
    }

    /// Returns whether there is an entry of this name.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.extra.encoded(key).is_some()
    }

    /// Returns the names, with what is not UTF-8 replaced. Names that are no strings are left out.
    pub fn keys(&self) -> impl Iterator<Item = std::borrow::Cow<'_, str>> {
        self.extra.keys().map(String::from_utf8_lossy)
    }

    /// Returns how many entries there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.extra.count()
    }

    /// Returns whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.extra.is_empty()
    }

    /// Copies the entries of these names from `other`, as far as it has them.
    pub(super) fn copy<'a>(
        &mut self,
        other: &Self,
        keys: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), EntryError> {
        let mut found = Extra::new();
        for key in keys {
            found.copy(&other.extra, key);
        }
        self.add(&found)
    }

    pub(crate) fn from_extra(extra: Extra) -> Self {
        Self { extra }
    }

    pub(crate) fn into_extra(self) -> Extra {
        self.extra
    }

    pub(crate) fn extra(&self) -> &Extra {
        &self.extra
    }

    fn add(&mut self, added: &Extra) -> Result<(), EntryError> {
        let mut merged = self.extra.clone();
        merged.merge(added);
        let (count, len) = (merged.count(), merged.encoded_len());
        // What came from a peer has limits of its own, and may be taken from.
        if count > Self::MAX_COUNT && count > self.extra.count() {
            return Err(EntryError::TooMany {
                limit: Self::MAX_COUNT,
            });
        }
        if len > Self::MAX_LEN && len > self.extra.encoded_len() {
            return Err(EntryError::TooLong {
                len,
                limit: Self::MAX_LEN,
            });
        }
        self.extra = merged;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_the_same_name_is_replaced() {
        let mut entries = HeaderEntries::new();
        entries.insert("user", "ada").unwrap();
        entries.insert("user", "bob").unwrap();
        assert_eq!(entries.count(), 1);
        assert_eq!(entries.get::<String>("user").unwrap().unwrap(), "bob");
        assert!(entries.remove("user"));
        assert!(!entries.remove("user"));
    }

    #[test]
    fn entries_of_the_protocol_are_refused() {
        let mut entries = HeaderEntries::new();
        for key in ["message_id", "v", "response_to"] {
            let error = entries.insert(key, "mine").unwrap_err();
            assert_eq!(
                error,
                EntryError::Reserved {
                    key: key.to_owned()
                }
            );
        }
        assert!(entries.is_empty());
    }

    #[test]
    fn what_is_added_is_bounded() {
        let mut entries = HeaderEntries::new();
        for number in 0..HeaderEntries::MAX_COUNT {
            entries.insert(&format!("key{number}"), &number).unwrap();
        }
        let error = entries.insert("one more", &1).unwrap_err();
        assert_eq!(
            error,
            EntryError::TooMany {
                limit: HeaderEntries::MAX_COUNT
            }
        );
        entries.insert("key1", "another value").unwrap();
        let long = "x".repeat(HeaderEntries::MAX_LEN);
        let error = entries.insert("key2", &long).unwrap_err();
        assert!(matches!(error, EntryError::TooLong { .. }), "{error}");
        assert_eq!(entries.get::<u8>("key2").unwrap(), Some(2));
    }

    #[test]
    fn what_came_longer_than_that_may_become_shorter() {
        let mut extra = Extra::new();
        let long = "x".repeat(HeaderEntries::MAX_LEN);
        extra.insert("long", &long).unwrap();
        extra.insert("user", "somebody").unwrap();
        let mut entries = HeaderEntries::from_extra(extra);
        entries.insert("user", "ada").unwrap();
        let error = entries.insert("user", "somebody").unwrap_err();
        assert!(matches!(error, EntryError::TooLong { .. }), "{error}");
    }

    #[test]
    fn an_entry_of_another_type_is_named() {
        let mut entries = HeaderEntries::new();
        entries.insert("user", "ada").unwrap();
        assert_eq!(entries.get::<u8>("user").unwrap_err().key, "user");
    }
}
