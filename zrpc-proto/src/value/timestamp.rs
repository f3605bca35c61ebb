//! Moments as values: timestamps of msgpack, and dates of JavaScript.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::{decode, ext};

/// The tag of a timestamp.
pub(super) const TAG: i8 = -1;

/// The tag of a date in what Node encodes.
pub(super) const JS_DATE_TAG: i8 = 0x0d;

const NANOSECONDS_PER_SECOND: u32 = 1_000_000_000;

/// A moment, as the timestamp extension of msgpack has it: seconds since 1970 in UTC, without leap
/// seconds, and nanoseconds.
///
/// Python has it as `msgpack.Timestamp`. Node does not know it; see [`JsDate`].
///
/// # Example
///
/// ```
/// # use std::time::{Duration, SystemTime};
/// # use zrpc_proto::{Body, Timestamp, decode};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let moment = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_500);
/// let body = Body::value(&Timestamp::try_from(moment)?)?;
/// let timestamp: Timestamp = decode(body.encoded())?;
/// assert_eq!((timestamp.seconds(), timestamp.nanoseconds()), (1_700_000_000, 500_000_000));
/// assert_eq!(SystemTime::try_from(timestamp)?, moment);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp {
    seconds: i64,
    nanoseconds: u32,
}

/// A moment that cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampError {
    /// Misuse: nanoseconds are less than a second.
    #[error("{nanoseconds} nanoseconds are a second or more")]
    Nanoseconds {
        /// The nanoseconds.
        nanoseconds: u32,
    },
    /// The moment is too far away for the type that it is converted to.
    #[error("moment is out of range")]
    OutOfRange,
}

impl Timestamp {
    /// Returns a moment so many nanoseconds behind a second.
    ///
    /// # Errors
    ///
    /// [`TimestampError::Nanoseconds`] if they are a second or more.
    pub const fn new(seconds: i64, nanoseconds: u32) -> Result<Self, TimestampError> {
        if nanoseconds >= NANOSECONDS_PER_SECOND {
            return Err(TimestampError::Nanoseconds { nanoseconds });
        }
        Ok(Self {
            seconds,
            nanoseconds,
        })
    }

    /// Returns the seconds since 1970, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Returns the nanoseconds behind the second.
    #[must_use]
    pub const fn nanoseconds(self) -> u32 {
        self.nanoseconds
    }

    /// Reads the content of an extension, in any of its three forms.
    fn from_content(content: &[u8]) -> Result<Self, String> {
        if let Ok(seconds) = content.try_into().map(u32::from_be_bytes) {
            return Ok(Self {
                seconds: seconds.into(),
                nanoseconds: 0,
            });
        }
        if let Ok(both) = content.try_into().map(u64::from_be_bytes) {
            let nanoseconds = u32::try_from(both >> 34).unwrap_or(u32::MAX);
            let seconds = i64::try_from(both & SECONDS_MASK).unwrap_or(i64::MAX);
            return Self::new(seconds, nanoseconds).map_err(|error| error.to_string());
        }
        if let Some((nanoseconds, seconds)) = content.split_first_chunk()
            && let Ok(seconds) = seconds.try_into().map(i64::from_be_bytes)
        {
            let nanoseconds = u32::from_be_bytes(*nanoseconds);
            return Self::new(seconds, nanoseconds).map_err(|error| error.to_string());
        }
        let len = content.len();
        Err(format!("timestamp of {len} bytes, expected 4, 8 or 12"))
    }
}

/// The lower 34 bits of a timestamp of 64 are its seconds.
const SECONDS_MASK: u64 = (1 << 34) - 1;

/// Returns whether the content of an extension is a timestamp.
pub(super) fn is_valid(content: &[u8]) -> bool {
    Timestamp::from_content(content).is_ok()
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seconds = u64::try_from(self.seconds).ok();
        match seconds.filter(|seconds| *seconds <= SECONDS_MASK) {
            Some(seconds) => match (u32::try_from(seconds), self.nanoseconds) {
                (Ok(seconds), 0) => ext::serialize(TAG, &seconds.to_be_bytes(), serializer),
                _ => {
                    let both = u64::from(self.nanoseconds) << 34 | seconds;
                    ext::serialize(TAG, &both.to_be_bytes(), serializer)
                }
            },
            None => {
                let (nanoseconds, seconds) = (self.nanoseconds, self.seconds);
                let content = u128::from(nanoseconds) << 64 | u128::from(seconds.cast_unsigned());
                let content = content.to_be_bytes();
                ext::serialize(TAG, content.get(4..).unwrap_or_default(), serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ext::deserialize(deserializer, "a timestamp", |tag, content| match tag {
            TAG => Self::from_content(content),
            tag => Err(format!("extension {tag}, expected a timestamp")),
        })
    }
}

impl TryFrom<SystemTime> for Timestamp {
    type Error = TimestampError;

    fn try_from(moment: SystemTime) -> Result<Self, TimestampError> {
        let out_of_range = |_| TimestampError::OutOfRange;
        match moment.duration_since(UNIX_EPOCH) {
            Ok(since) => Ok(Self {
                seconds: i64::try_from(since.as_secs()).map_err(out_of_range)?,
                nanoseconds: since.subsec_nanos(),
            }),
            Err(before) => {
                let before = before.duration();
                let seconds = i64::try_from(before.as_secs()).map_err(out_of_range)?;
                let borrow = i64::from(before.subsec_nanos() > 0);
                let nanoseconds = NANOSECONDS_PER_SECOND.saturating_sub(before.subsec_nanos());
                Ok(Self {
                    seconds: seconds.saturating_neg().saturating_sub(borrow),
                    nanoseconds: nanoseconds % NANOSECONDS_PER_SECOND,
                })
            }
        }
    }
}

impl TryFrom<Timestamp> for SystemTime {
    type Error = TimestampError;

    fn try_from(timestamp: Timestamp) -> Result<Self, TimestampError> {
        let seconds = Duration::from_secs(timestamp.seconds.unsigned_abs());
        let second = match timestamp.seconds {
            ..0 => UNIX_EPOCH.checked_sub(seconds),
            0.. => UNIX_EPOCH.checked_add(seconds),
        };
        second
            .and_then(|second| {
                second.checked_add(Duration::from_nanos(timestamp.nanoseconds.into()))
            })
            .ok_or(TimestampError::OutOfRange)
    }
}

/// A `Date` of JavaScript: milliseconds since 1970, as Node zerorpc sends and reads it.
///
/// Node wraps it into an extension of its own, which Python shows as `msgpack.ExtType(13, …)`.
/// Decoding also takes a [`Timestamp`], with what is finer than a millisecond cut off, so that one
/// method can serve both.
///
/// # Example
///
/// ```
/// # use zrpc_proto::{Body, JsDate, decode};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let body = Body::value(&JsDate::from_milliseconds(1_700_000_000_500.0))?;
/// let date: JsDate = decode(body.encoded())?;
/// assert_eq!(date.milliseconds(), 1_700_000_000_500.0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub struct JsDate {
    milliseconds: f64,
}

/// What JavaScript calls an invalid date lies beyond 100 million days on either side.
const MAX_MILLISECONDS: f64 = 8.64e15;

impl JsDate {
    /// Returns the date so many milliseconds after 1970 in UTC; NaN is an invalid date.
    #[must_use]
    pub const fn from_milliseconds(milliseconds: f64) -> Self {
        Self { milliseconds }
    }

    /// Returns the milliseconds since 1970 in UTC; NaN is an invalid date.
    #[must_use]
    pub const fn milliseconds(self) -> f64 {
        self.milliseconds
    }

    /// Reads the content of an extension: the encoded milliseconds.
    fn from_content(content: &[u8]) -> Result<Self, String> {
        decode(content)
            .map(Self::from_milliseconds)
            .map_err(|error| format!("date without milliseconds: {error}"))
    }
}

impl fmt::Debug for JsDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsDate({})", self.milliseconds)
    }
}

impl Serialize for JsDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let [a, b, c, d, e, f, g, h] = self.milliseconds.to_be_bytes();
        ext::serialize(JS_DATE_TAG, &[0xcb, a, b, c, d, e, f, g, h], serializer)
    }
}

impl<'de> Deserialize<'de> for JsDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ext::deserialize(deserializer, "a date", |tag, content| match tag {
            JS_DATE_TAG => Self::from_content(content),
            TAG => Timestamp::from_content(content).map(Self::from),
            tag => Err(format!("extension {tag}, expected a date")),
        })
    }
}

impl From<Timestamp> for JsDate {
    fn from(timestamp: Timestamp) -> Self {
        let whole = i128::from(timestamp.seconds).saturating_mul(1000);
        let milliseconds = whole.saturating_add(i128::from(timestamp.nanoseconds / 1_000_000));
        #[expect(
            clippy::cast_precision_loss,
            reason = "exact within the range of dates"
        )]
        Self::from_milliseconds(milliseconds as f64)
    }
}

impl TryFrom<JsDate> for Timestamp {
    type Error = TimestampError;

    fn try_from(date: JsDate) -> Result<Self, TimestampError> {
        if !(-MAX_MILLISECONDS..=MAX_MILLISECONDS).contains(&date.milliseconds) {
            return Err(TimestampError::OutOfRange);
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "within the range of i64, and JavaScript cuts fractions off"
        )]
        let milliseconds = date.milliseconds as i64;
        let nanoseconds = milliseconds.rem_euclid(1000).saturating_mul(1_000_000);
        Ok(Self {
            seconds: milliseconds.div_euclid(1000),
            nanoseconds: u32::try_from(nanoseconds).map_err(|_| TimestampError::OutOfRange)?,
        })
    }
}
