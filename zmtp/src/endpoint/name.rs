//! Paths and names.

use std::fmt;

use crate::endpoint::EndpointError;

/// A path of the file system or a name: any text but the empty one, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EndpointName(Box<str>);

impl EndpointName {
    /// Returns a name.
    ///
    /// # Errors
    ///
    /// Returns an [`EndpointError`] if the text is empty or holds a control character.
    pub fn new(name: &str) -> Result<Self, EndpointError> {
        if name.is_empty() {
            return Err(EndpointError::EmptyName);
        }
        if name.contains(char::is_control) {
            return Err(EndpointError::InvalidName {
                name: name.to_owned(),
            });
        }
        Ok(Self(name.into()))
    }

    /// Returns the name of the ZAP handler of a process `[ZAP-001]`.
    #[cfg(feature = "socket")]
    pub(crate) fn of_zap_handler() -> Self {
        Self("zeromq.zap.01".into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for EndpointName {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
