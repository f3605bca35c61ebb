//! Why a test failed, in words.

use std::{error::Error, fmt};

/// What a test returns.
pub type TestResult = Result<(), Failure>;

/// Any error that ends a test.
///
/// The test harness shows what a test returns with `Debug`; this one writes
/// the message and its causes, so that a missing Python is one readable line.
pub struct Failure(Box<dyn Error>);

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::PeerError;

    #[test]
    fn the_causes_follow_the_message() {
        let failure = Failure::from(PeerError::Start(io::Error::other("no file")));

        assert_eq!(format!("{failure:?}"), "cannot start the peer: no file");
    }
}
