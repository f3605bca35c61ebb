//! Why a test failed, in words.

use std::error::Error;
use std::fmt::{self, Display};
use std::panic::Location;
use std::time::Duration;

use tokio::time::timeout;

/// What a test returns.
pub type TestResult = Result<(), Failure>;

/// Any error that ends a test, with the place where it came up.
///
/// The test harness shows what a test returns with `Debug`; this one writes
/// the place, what was going on, the message and its causes, so that a missing
/// Python is one readable line.
pub struct Failure {
    place: &'static Location<'static>,
    error: Box<dyn Error>,
    /// What was going on, from the outside inwards.
    during: Vec<String>,
}

impl<E: Error + 'static> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::at(Location::caller(), error)
    }
}

impl Failure {
    /// A failure of the code at `place`.
    pub fn at(place: &'static Location<'static>, error: impl Error + 'static) -> Self {
        Self {
            place,
            error: Box::new(error),
            during: Vec::new(),
        }
    }
}

/// A future that must not take longer than `deadline`.
///
/// # Errors
///
/// A failure of the caller's place, when the time is over.
#[track_caller]
pub fn within<T>(
    deadline: Duration,
    future: impl Future<Output = T>,
) -> impl Future<Output = Result<T, Failure>> {
    let place = Location::caller();
    async move {
        let result = timeout(deadline, future).await;
        result.map_err(|elapsed| Failure::at(place, elapsed))
    }
}

/// Says what was going on when something failed.
pub trait During<T> {
    /// Adds what was going on to a failure: which side it was, or which round.
    ///
    /// # Errors
    ///
    /// As before.
    fn during(self, what: impl Display) -> Result<T, Failure>;
}

impl<T> During<T> for Result<T, Failure> {
    fn during(self, what: impl Display) -> Self {
        self.map_err(|mut failure| {
            failure.during.insert(0, what.to_string());
            failure
        })
    }
}

impl<T, E: Error + 'static> During<T> for Result<T, E> {
    #[track_caller]
    fn during(self, what: impl Display) -> Result<T, Failure> {
        match self {
            Ok(value) => Ok(value),
            Err(error) => Err(Failure::from(error)).during(what),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.place)?;
        for what in &self.during {
            write!(formatter, "{what}: ")?;
        }
        write!(formatter, "{}", self.error)?;
        let mut cause = self.error.source();
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

    fn fail() -> TestResult {
        Err(PeerError::Start(io::Error::other("no file")))?;
        Ok(())
    }

    fn shown(result: TestResult) -> String {
        result.map_or_else(|failure| format!("{failure:?}"), |()| String::new())
    }

    #[test]
    fn the_causes_follow_the_place_and_the_message() {
        let shown = shown(fail());

        assert!(shown.starts_with(file!()), "{shown}");
        assert!(
            shown.ends_with(": cannot start the peer: no file"),
            "{shown}"
        );
    }

    #[test]
    fn the_place_is_where_it_came_up() {
        let failed: Result<(), _> = Err(io::Error::other("no file"));
        let shown = shown(failed.during("ours"));

        assert!(shown.starts_with(file!()), "{shown}");
        assert!(shown.ends_with(": ours: no file"), "{shown}");
    }

    #[test]
    fn what_was_going_on_is_told_from_the_outside_inwards() {
        let shown = shown(fail().during("round 2").during("ours"));

        assert!(shown.contains(": ours: round 2: cannot start"), "{shown}");
    }
}
