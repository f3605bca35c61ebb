//! Durations on the command line: seconds, or a word for "never".

use std::time::Duration;

use thiserror::Error;

/// How long to wait for the first answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timeout {
    /// At most this long.
    After(Duration),
    /// For as long as it takes.
    Never,
}

/// How often to send a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interval {
    /// Once in every such interval.
    Every(Duration),
    /// Not at all; the peer must agree.
    Off,
}

/// A duration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum DurationError {
    /// The text is neither a number of seconds nor the word that is accepted instead.
    #[error("expected a number of seconds or `{word}`")]
    NotSeconds {
        /// The word that is accepted instead of a number.
        word: &'static str,
    },
    /// The text is no number of seconds that can be waited.
    #[error("expected a number of seconds that is more than zero")]
    Unusable,
    /// Zero, or less, would give up before anything could happen.
    #[error("must be more than zero seconds (`{word}` for no limit)")]
    NotPositive {
        /// The word that is accepted instead of a number.
        word: &'static str,
    },
}

/// Parses the value of `--timeout`.
///
/// # Errors
///
/// [`DurationError`], if the text is no positive number of seconds and not `none`.
pub(super) fn parse_timeout(text: &str) -> Result<Timeout, DurationError> {
    match text {
        "none" => Ok(Timeout::Never),
        _ => parse_seconds(text, "none").map(Timeout::After),
    }
}

/// Parses the value of `--heartbeat`.
///
/// # Errors
///
/// [`DurationError`], if the text is no positive number of seconds and not `off`.
pub(crate) fn parse_interval(text: &str) -> Result<Interval, DurationError> {
    match text {
        "off" => Ok(Interval::Off),
        _ => parse_seconds(text, "off").map(Interval::Every),
    }
}

/// Parses a duration that there always is.
///
/// # Errors
///
/// [`DurationError`], if the text is no positive number of seconds.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    parse_seconds(text, "").map_err(|_| DurationError::Unusable)
}

fn parse_seconds(text: &str, word: &'static str) -> Result<Duration, DurationError> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| DurationError::NotSeconds { word })?;
    if seconds <= 0.0 {
        return Err(DurationError::NotPositive { word });
    }
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if duration <= LONGEST => Ok(duration),
        _ => Err(DurationError::NotSeconds { word }),
    }
}

/// A hundred years: beyond it deadlines would not be representable, and nobody waits.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_may_be_fractional() {
        let half = Timeout::After(Duration::from_millis(500));
        assert_eq!(parse_timeout("0.5"), Ok(half));
        assert_eq!(
            parse_interval("5"),
            Ok(Interval::Every(Duration::from_secs(5)))
        );
    }

    #[test]
    fn a_word_means_never() {
        assert_eq!(parse_timeout("none"), Ok(Timeout::Never));
        assert_eq!(parse_interval("off"), Ok(Interval::Off));
        assert!(parse_timeout("off").is_err());
    }

    #[test]
    fn unusable_durations_are_refused() {
        for text in ["", "x", "nan", "inf", "1e30", "1s"] {
            let error = DurationError::NotSeconds { word: "none" };
            assert_eq!(parse_timeout(text), Err(error), "{text:?}");
        }
        for text in ["0", "-1", "-0.0"] {
            let error = DurationError::NotPositive { word: "off" };
            assert_eq!(parse_interval(text), Err(error), "{text:?}");
        }
    }
}
