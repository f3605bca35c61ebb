//! Lists of properties.

use std::iter::FusedIterator;
use std::slice;

use bytes::BufMut;
use thiserror::Error;

use crate::message::Part;
use crate::wire::metadata::PropertyName;

/// Properties with distinct names, in the order in which they are sent.
///
/// # Example
///
/// ```
/// use zmtp::wire::metadata::Metadata;
///
/// let mut metadata = Metadata::new();
/// metadata.insert(Metadata::SOCKET_TYPE, "DEALER")?;
/// assert_eq!(metadata.get("socket-type"), Some(&"DEALER".into()));
/// # Ok::<(), zmtp::wire::metadata::MetadataError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata(Vec<(PropertyName, Part)>);

/// Iterator over the names and values of properties.
#[derive(Debug, Clone)]
pub struct Properties<'a>(slice::Iter<'a, (PropertyName, Part)>);

/// How much metadata is accepted from a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "count and size are all there is to bound"
)]
pub struct MetadataLimits {
    /// The largest number of properties. Names are compared pairwise, so keep it small.
    pub max_properties: usize,
    /// The largest size of all properties together, as encoded.
    pub max_encoded_len: usize,
}

/// Why octets are not metadata that may be received, or a property cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// Malformed: the octets end inside a property.
    #[error("metadata ends inside a property")]
    Truncated,
    /// Malformed: a property has a name of length zero.
    #[error("property name is empty")]
    EmptyName,
    /// Misuse: a name does not fit into its length octet.
    #[error("property name of {len} octets exceeds the limit of {limit}")]
    NameTooLong {
        /// The length of the name.
        len: usize,
        /// The longest name.
        limit: usize,
    },
    /// Malformed: a name has a character that is not allowed.
    #[error("property name has the octet '{}'", octet.escape_ascii())]
    InvalidName {
        /// The first such octet.
        octet: u8,
    },
    /// Malformed: a value is longer than 2^31 - 1 octets.
    #[error("property value of {len} octets exceeds the limit of {limit}")]
    ValueTooLong {
        /// The length of the value.
        len: u64,
        /// The longest value.
        limit: u64,
    },
    /// Malformed: two properties have the same name.
    #[error("property {name} occurs twice")]
    Duplicate {
        /// The name in its second spelling.
        name: PropertyName,
    },
    /// Violation: there are more properties than are accepted.
    #[error("more than {limit} properties")]
    TooManyProperties {
        /// The largest number that is accepted.
        limit: usize,
    },
    /// Violation: there is more metadata than is accepted.
    #[error("metadata of {len} octets exceeds the limit of {limit}")]
    TooLarge {
        /// The length of the metadata.
        len: usize,
        /// The largest length that is accepted.
        limit: usize,
    },
}

impl MetadataLimits {
    /// 64 properties in 8 KiB: this is what a peer may send before anything is known about it.
    pub const DEFAULT: Self = Self {
        max_properties: 64,
        max_encoded_len: 8 * 1024,
    };
}

impl Default for MetadataLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Metadata {
    /// The name of the property that holds the type of the sender's socket.
    pub const SOCKET_TYPE: &str = "Socket-Type";
    /// The name of the property that holds the routing id of the sender.
    pub const IDENTITY: &str = "Identity";
    /// The name of the property that holds the resource which the sender wants to reach.
    pub const RESOURCE: &str = "Resource";

    /// Returns no properties.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Reads properties, of which `octets` must hold whole properties only.
    ///
    /// # Errors
    ///
    /// Returns a [`MetadataError`] if the octets break the format, if a name occurs twice, or if
    /// there is more than `limits` allow.
    pub fn decode(octets: &[u8], limits: &MetadataLimits) -> Result<Self, MetadataError> {
        // [ZMTP31-075] Size and count are capped, as nobody is authenticated yet.
        if octets.len() > limits.max_encoded_len {
            return Err(MetadataError::TooLarge {
                len: octets.len(),
                limit: limits.max_encoded_len,
            });
        }
        let mut metadata = Self::new();
        let mut rest = octets;
        while !rest.is_empty() {
            if metadata.len() >= limits.max_properties {
                return Err(MetadataError::TooManyProperties {
                    limit: limits.max_properties,
                });
            }
            let (name, value) = split_property(&mut rest)?;
            metadata.add(PropertyName::from_octets(name)?, value.into())?;
        }
        Ok(metadata)
    }

    /// Appends all properties to `dst`.
    pub fn encode(&self, dst: &mut impl BufMut) {
        for (name, value) in &self.0 {
            let name = name.as_str().as_bytes();
            // Both conversions hold by construction; saturating keeps the code free of panics.
            dst.put_u8(u8::try_from(name.len()).unwrap_or(u8::MAX));
            dst.put_slice(name);
            dst.put_u32(u32::try_from(value.len()).unwrap_or(MAX_VALUE_LEN));
            dst.put_slice(value);
        }
    }

    /// Returns the number of octets that [`encode`](Self::encode) appends.
    pub fn encoded_len(&self) -> usize {
        self.0.iter().fold(0, |sum, (name, value)| {
            sum.saturating_add(LENGTHS_LEN)
                .saturating_add(name.as_str().len())
                .saturating_add(value.len())
        })
    }

    /// Adds a property at the end.
    ///
    /// # Errors
    ///
    /// Returns a [`MetadataError`] if the name is not legal or there already, or if the value is
    /// too long.
    pub fn insert(&mut self, name: &str, value: impl Into<Part>) -> Result<(), MetadataError> {
        self.add(PropertyName::new(name)?, value.into())
    }

    /// Takes out the property of this name.
    pub fn remove(&mut self, name: &str) -> Option<Part> {
        let index = self.0.iter().position(|(other, _)| other == name)?;
        Some(self.0.remove(index).1)
    }

    /// Returns the value of the property of this name, without regard to case.
    pub fn get(&self, name: &str) -> Option<&Part> {
        self.0
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value)
    }

    /// Returns all properties in order.
    pub fn iter(&self) -> Properties<'_> {
        Properties(self.0.iter())
    }

    /// Returns the number of properties.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true if there are no properties.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, name: PropertyName, value: Part) -> Result<(), MetadataError> {
        check_value_len(value.len() as u64)?;
        // [ZMTP31-074] Which of two values counts must not depend on who reads them.
        if self.0.iter().any(|(other, _)| *other == name) {
            return Err(MetadataError::Duplicate { name });
        }
        self.0.push((name, value));
        Ok(())
    }
}

impl<'a> IntoIterator for &'a Metadata {
    type Item = (&'a PropertyName, &'a Part);
    type IntoIter = Properties<'a>;

    fn into_iter(self) -> Properties<'a> {
        self.iter()
    }
}

impl<'a> Iterator for Properties<'a> {
    type Item = (&'a PropertyName, &'a Part);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, value)| (name, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Properties<'_> {}

impl FusedIterator for Properties<'_> {}

/// Takes a name and a value off the front of `rest`.
fn split_property<'a>(rest: &mut &'a [u8]) -> Result<(&'a [u8], &'a [u8]), MetadataError> {
    // [ZMTP31-071] Every octet belongs to a whole property.
    let truncated = MetadataError::Truncated;
    let Some((&name_len, tail)) = rest.split_first() else {
        return Err(truncated);
    };
    if name_len == 0 {
        return Err(MetadataError::EmptyName);
    }
    let Some((name, tail)) = tail.split_at_checked(usize::from(name_len)) else {
        return Err(truncated);
    };
    let Some((&value_len, tail)) = tail.split_first_chunk() else {
        return Err(truncated);
    };
    let value_len = u32::from_be_bytes(value_len);
    check_value_len(u64::from(value_len))?;
    let value_len = usize::try_from(value_len).map_err(|_| MetadataError::Truncated)?;
    let Some((value, tail)) = tail.split_at_checked(value_len) else {
        return Err(truncated);
    };
    *rest = tail;
    Ok((name, value))
}

/// [ZMTP31-069] A value has at most 2^31 - 1 octets.
fn check_value_len(len: u64) -> Result<(), MetadataError> {
    let limit = u64::from(MAX_VALUE_LEN);
    if len > limit {
        return Err(MetadataError::ValueTooLong { len, limit });
    }
    Ok(())
}

const MAX_VALUE_LEN: u32 = (1 << 31) - 1;

/// The length octet of a name and the four of a value.
const LENGTHS_LEN: usize = 5;
