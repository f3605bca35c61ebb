//! Which of the services behind one address a peer asks for.

use std::fmt;

use thiserror::Error;

/// The value of the property `Resource`: names with slashes between them, such as
/// `system/name-service/test` `[ZMTP31-088]`.
///
/// ```
/// use zmtp::wire::metadata::Resource;
///
/// let resource = Resource::new("system/name-service")?;
/// assert_eq!(resource.as_str(), "system/name-service");
/// assert!(Resource::new("/system").is_err());
/// # Ok::<(), zmtp::wire::metadata::ResourceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Resource(String);

/// Why octets are no resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ResourceError {
    /// A name is empty: nothing at all, a slash at an end, or two together.
    #[error("resource has an empty name")]
    EmptyName,
    /// A name has a character that is not allowed.
    #[error("resource has the octet '{}'", octet.escape_ascii())]
    InvalidName {
        /// The first such octet.
        octet: u8,
    },
}

impl Resource {
    /// Takes a resource that a user or a peer asks for.
    ///
    /// # Errors
    ///
    /// [`ResourceError`] unless every name has at least one octet and has letters, digits and
    /// `$-_@.&+` alone `[ZMTP31-089]`.
    pub fn new(resource: impl AsRef<[u8]>) -> Result<Self, ResourceError> {
        let mut text = String::new();
        for name in resource.as_ref().split(|octet| *octet == b'/') {
            if name.is_empty() {
                return Err(ResourceError::EmptyName);
            }
            if !text.is_empty() {
                text.push('/');
            }
            for &octet in name {
                if !octet.is_ascii_alphanumeric() && !PUNCTUATION.contains(&octet) {
                    return Err(ResourceError::InvalidName { octet });
                }
                text.push(char::from(octet));
            }
        }
        Ok(Self(text))
    }

    /// The resource as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const PUNCTUATION: &[u8] = b"$-_@.&+";

#[cfg(test)]
mod tests {
    use super::*;

    // ZMTP31-088
    #[test]
    fn names_of_all_legal_characters_are_accepted() {
        for legal in ["a", "system/name-service/test", "A/z/0", "$-_@.&+"] {
            let resource = Resource::new(legal).unwrap();
            assert_eq!(
                (resource.as_str(), resource.to_string().as_str()),
                (legal, legal)
            );
        }
    }

    // ZMTP31-089
    #[test]
    fn empty_names_and_other_characters_are_refused() {
        for empty in ["", "/", "/a", "a/", "a//b"] {
            assert_eq!(
                Resource::new(empty),
                Err(ResourceError::EmptyName),
                "{empty}"
            );
        }
        for (illegal, octet) in [
            (&b"a b"[..], b' '),
            (b"a/\0", 0),
            (b"\xc3\xa9", 0xc3),
            (b"a:b", b':'),
        ] {
            assert_eq!(
                Resource::new(illegal),
                Err(ResourceError::InvalidName { octet })
            );
        }
    }
}
