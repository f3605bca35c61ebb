//! The header of an event.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{MessageId, Notice, names};
use crate::msgpack::text_of;
use crate::value::{Compat, CompatError, EncodeError, ValueError, decode, encode_into};

/// The protocol version that a peer speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Version {
    /// No `v`, or 1: silent until spoken to, errors are one string, heartbeats carry credit.
    V1,
    /// Errors are detailed, heartbeats carry credit.
    V2,
    /// Credit has its own event. The version that is sent.
    V3,
}

/// The header of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// The id of this event, if it has one.
    pub message_id: Option<MessageId>,
    /// The version of its sender.
    pub version: Version,
    /// The channel that it belongs to; none opens a new channel.
    pub response_to: Option<MessageId>,
    /// For how long the sender of a request waits for its first reply, if it says so.
    pub timeout: Option<Duration>,
    /// All other entries: the task context of middleware.
    pub extra: Extra,
    /// What else its sender understands.
    pub(crate) notice: Notice,
}

/// Header entries beyond the protocol's own, in their order, keys and values still encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    entries: Vec<(Bytes, Bytes)>,
}

impl Extra {
    /// Returns no entries. Does not allocate.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    /// Sets the entry `key`, replacing one of that name.
    ///
    /// # Errors
    ///
    /// [`EncodeError::ReservedKey`] if `key` is one of the protocol's own, or another
    /// [`EncodeError`] if `value` cannot be encoded; nothing is changed then.
    pub fn insert<T>(&mut self, key: &str, value: &T) -> Result<(), EncodeError>
    where
        T: Serialize + ?Sized,
    {
        if RESERVED.contains(&key) {
            return Err(EncodeError::ReservedKey {
                key: key.to_owned(),
            });
        }
        let mut buffer = BytesMut::new();
        encode_into(&mut buffer, key)?;
        let encoded_key = buffer.split().freeze();
        encode_into(&mut buffer, value)?;
        self.entries
            .retain(|(existing, _)| text_of(existing) != Some(key.as_bytes()));
        self.entries.push((encoded_key, buffer.freeze()));
        Ok(())
    }

    /// Takes the entry `key` out and returns its encoded value.
    pub fn remove(&mut self, key: &str) -> Option<Bytes> {
        let mut removed = None;
        self.entries.retain(|(existing, value)| {
            let stays = text_of(existing) != Some(key.as_bytes());
            if !stays && removed.is_none() {
                removed = Some(value.clone());
            }
            stays
        });
        removed
    }

    /// Takes over the entries of `other`, replacing those of the same name.
    pub fn merge(&mut self, other: &Self) {
        for (key, value) in &other.entries {
            let name = text_of(key);
            self.entries
                .retain(|(existing, _)| name.is_none() || text_of(existing) != name);
            self.entries.push((key.clone(), value.clone()));
        }
    }

    /// Takes over the entry `key` of `other`, if it has one, replacing one of that name.
    pub fn copy(&mut self, other: &Self, key: &str) {
        let mut entries = other.entries.iter();
        let found = entries.find(|(existing, _)| text_of(existing) == Some(key.as_bytes()));
        if let Some((name, value)) = found {
            let entry = Self {
                entries: vec![(name.clone(), value.clone())],
            };
            self.merge(&entry);
        }
    }

    /// Returns the names of the entries, as far as they are strings or binaries.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.entries.iter().filter_map(|(key, _)| text_of(key))
    }

    /// Returns the encoded value of `key`.
    #[must_use]
    pub fn encoded(&self, key: &str) -> Option<&Bytes> {
        let found = self
            .entries
            .iter()
            .find(|(existing, _)| text_of(existing) == Some(key.as_bytes()));
        found.map(|(_, value)| value)
    }

    /// Decodes the value of `key`.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if the value is not a `T`.
    pub fn decode<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, ValueError> {
        self.encoded(key).map(|value| decode(value)).transpose()
    }

    /// Checks that the other side takes the entries for what they are.
    ///
    /// # Errors
    ///
    /// [`CompatError`] says what would be dropped or changed, by whom, and where it is.
    pub fn check(&self, compat: Compat) -> Result<(), CompatError> {
        self.entries
            .iter()
            .try_for_each(|(key, value)| compat.check_entry(key, value))
    }

    /// Returns the entries as encoded keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// Returns the number of entries.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the encoded length of all entries, keys included.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        let lens = self.entries.iter().flat_map(|(key, value)| [key, value]);
        lens.fold(0, |sum, part| sum.saturating_add(part.len()))
    }

    /// Appends the encoded entries.
    pub(crate) fn encode(&self, out: &mut impl BufMut) {
        for (key, value) in &self.entries {
            out.put_slice(key);
            out.put_slice(value);
        }
    }

    /// Copies the entries out of the payload that they came in.
    pub(super) fn detach(&mut self) {
        for (key, value) in &mut self.entries {
            *key = Bytes::copy_from_slice(key);
            *value = Bytes::copy_from_slice(value);
        }
    }

    pub(super) fn push(&mut self, key: Bytes, value: Bytes) {
        self.entries.push((key, value));
    }
}

/// The header keys of the protocol itself.
const RESERVED: [&str; 5] = [
    names::MESSAGE_ID,
    names::VERSION,
    names::RESPONSE_TO,
    names::CANCEL,
    names::TIMEOUT,
];
