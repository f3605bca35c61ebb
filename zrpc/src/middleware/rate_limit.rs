//! A limit on how often calls may come.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use proto::RemoteError;

use super::{HeaderEntries, HookFuture, Middleware, ServerReply, ServerRequest};
use crate::{Fault, OptionError, PeerInfo};

/// Refuses calls that come more often than they may: so many within a time, with bursts.
///
/// A token bucket for each peer, user or method, or whatever [`Self::keyed`] makes of a request. A
/// call beyond it is answered with an exception of the name [`RateLimit::NAME`], whose message says
/// when to try again ([`RateLimit::retry_after`]), as does the header entry `retry_after` of the
/// answer, in seconds. Its arguments are not decoded. Calls of methods that there are not, and calls
/// that [the authorizer](crate::Authorize) does not allow, are counted like others.
///
/// What is counted is bounded: when there are as many keys as [`Self::max_keys`] and none of them
/// has recovered, all further ones share one bucket. So nobody gets rid of what was counted by
/// posing as many.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use zrpc::Server;
/// use zrpc::middleware::{RateLimit, RateLimitKey};
///
/// # fn main() -> Result<(), zrpc::OptionError> {
/// // Each address may call a hundred times a second, and twenty times at once.
/// let limit = RateLimit::new(100, Duration::from_secs(1), RateLimitKey::Address)?.burst(20)?;
/// let server = Server::builder().middleware(limit);
/// # drop(server);
/// # Ok(())
/// # }
/// ```
pub struct RateLimit {
    /// The time that one call takes from a bucket.
    interval: Duration,
    /// How far ahead of the time a bucket may be used.
    tolerance: Duration,
    key: Key,
    max_keys: usize,
    table: Mutex<Table>,
}

/// Who shares a bucket of a [`RateLimit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RateLimitKey {
    /// All callers and methods together.
    Everything,
    /// The calls from one address, without its port: one IPv4 address, or one IPv6 network of 64
    /// bits, for that is what a single host can have as its own. Those over ipc or inproc share one
    /// bucket for each name, and those behind a broker that of the broker.
    Address,
    /// The calls of one user, as an authenticator has named it. Those without one share a bucket.
    User,
    /// The calls of one method. Those of methods that there are not share a bucket.
    Method,
}

type KeyFunction = dyn Fn(&ServerRequest) -> Option<String> + Send + Sync;

enum Key {
    Known(RateLimitKey),
    Custom(Box<KeyFunction>),
}

/// When each bucket will have recovered: what is known of it then is as good as nothing.
#[derive(Debug, Default)]
struct Table {
    buckets: HashMap<String, Instant>,
    /// The bucket of those for whom there is no room.
    overflow: Option<Instant>,
    /// When it is worth looking for buckets that have recovered.
    sweep_at: Option<Instant>,
}

/// How often the table is looked through at most, while it is full.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// How many keys are counted unless told otherwise: some MiB.
const MAX_KEYS: usize = 65_536;

/// What a refused request keeps for its answer, in whole milliseconds.
struct RetryAfter(Duration);

impl RateLimit {
    /// The name of the exception.
    pub const NAME: &'static str = "RateLimited";

    /// Allows `calls` within `period` for each key, all of them at once if they come so.
    ///
    /// # Errors
    ///
    /// [`OptionError::Zero`] if a number or the period is zero, or so short that a call takes no time.
    pub fn new(calls: u32, period: Duration, key: RateLimitKey) -> Result<Self, OptionError> {
        Self::with_key(calls, period, Key::Known(key))
    }

    /// As [`Self::new`], for a key that the program makes of each request, also of those that
    /// are for no method or not allowed. `None` is not limited.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn keyed(
        calls: u32,
        period: Duration,
        key: impl Fn(&ServerRequest) -> Option<String> + Send + Sync + 'static,
    ) -> Result<Self, OptionError> {
        Self::with_key(calls, period, Key::Custom(Box::new(key)))
    }

    /// Sets how many calls may come at once. Default: as many as within the period.
    ///
    /// # Errors
    ///
    /// [`OptionError::Zero`] if it is zero.
    pub fn burst(mut self, calls: u32) -> Result<Self, OptionError> {
        OptionError::check_count("burst", calls as usize)?;
        self.tolerance = self.interval.saturating_mul(calls - 1);
        Ok(self)
    }

    /// Sets how many keys are counted, each with a bucket of its own. Default: 65 536.
    ///
    /// # Errors
    ///
    /// [`OptionError::Zero`] if it is zero.
    pub fn max_keys(mut self, keys: usize) -> Result<Self, OptionError> {
        OptionError::check_count("max_keys", keys)?;
        self.max_keys = keys;
        Ok(self)
    }

    /// Returns when a call that was refused may be tried again, as the exception says; `None` for
    /// other exceptions.
    pub fn retry_after(error: &RemoteError) -> Option<Duration> {
        if error.name != Self::NAME {
            return None;
        }
        let seconds = error.message.strip_prefix(MESSAGE)?.strip_suffix('s')?;
        Duration::try_from_secs_f64(seconds.parse().ok()?).ok()
    }

    fn with_key(calls: u32, period: Duration, key: Key) -> Result<Self, OptionError> {
        OptionError::check_count("calls", calls as usize)?;
        let interval = period / calls;
        OptionError::check_duration("period", Some(interval))?;
        Ok(Self {
            interval,
            tolerance: interval.saturating_mul(calls - 1),
            key,
            max_keys: MAX_KEYS,
            table: Mutex::default(),
        })
    }

    fn key_of(&self, request: &ServerRequest) -> Option<String> {
        let known = match &self.key {
            Key::Custom(key) => return key(request),
            Key::Known(known) => known,
        };
        Some(match known {
            RateLimitKey::Everything => String::new(),
            // Callers can make up as many names as they like.
            RateLimitKey::Method if request.is_missing() => String::new(),
            RateLimitKey::Method => request.method().to_owned(),
            RateLimitKey::Address => request.context().peer().map(address).unwrap_or_default(),
            RateLimitKey::User => {
                let user = request.context().user_id().unwrap_or_default();
                user.escape_ascii().to_string()
            }
        })
    }

    /// Takes one call from the bucket of `key`.
    fn take(&self, key: String, now: Instant) -> Result<(), RetryAfter> {
        // No code that can panic runs under the lock.
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = table.bucket(key, now, self.max_keys);
        let recovers = (*bucket).max(now);
        let ahead = recovers.saturating_duration_since(now);
        match ahead.checked_sub(self.tolerance) {
            Some(wait) if !wait.is_zero() => Err(RetryAfter(whole_milliseconds(wait))),
            _ => {
                // A time that cannot be told is far away.
                *bucket = recovers.checked_add(self.interval).unwrap_or(recovers);
                Ok(())
            }
        }
    }

    /// Takes a call of `request` from its bucket, or makes what it is refused with.
    fn admit(&self, request: &mut ServerRequest) -> Result<(), Fault> {
        let Some(key) = self.key_of(request) else {
            return Ok(());
        };
        self.take(key, Instant::now()).map_err(|retry| {
            let seconds = retry.0.as_secs_f64();
            request.extensions_mut().insert(retry);
            Fault::new(Self::NAME, format!("{MESSAGE}{seconds:.3}s"))
        })
    }
}

/// What the message of the exception says before the seconds.
const MESSAGE: &str = "too many calls, retry after ";

/// Rounds up, because whoever comes a moment too early is refused again.
fn whole_milliseconds(time: Duration) -> Duration {
    let milliseconds = time.as_nanos().div_ceil(1_000_000);
    u64::try_from(milliseconds).map_or(Duration::MAX, Duration::from_millis)
}

fn address(peer: &PeerInfo) -> String {
    match &peer.address {
        Some(zmtp::PeerAddress::Tcp(address)) => host(address.ip()),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

/// Names what one host has for its own: an IPv4 address, or the 64 bits of an IPv6 network, in which
/// it can take as many addresses as it likes.
fn host(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX));
            format!("{network}/64")
        }
    }
}

impl Table {
    /// Returns when the bucket of `key` will have recovered, to change it.
    fn bucket(&mut self, key: String, now: Instant, max_keys: usize) -> &mut Instant {
        let is_full = self.buckets.len() >= max_keys && !self.buckets.contains_key(&key);
        if is_full && self.sweep_at.is_none_or(|at| at <= now) {
            self.buckets.retain(|_, recovers| *recovers > now);
            self.sweep_at = now.checked_add(SWEEP_INTERVAL);
        }
        if self.buckets.len() >= max_keys && !self.buckets.contains_key(&key) {
            return self.overflow.get_or_insert(now);
        }
        self.buckets.entry(key).or_insert(now)
    }
}

impl Middleware for RateLimit {
    fn server_before_exec<'a>(
        &'a self,
        request: &'a mut ServerRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        HookFuture::ready(self.admit(request))
    }

    fn server_inspect_exception<'a>(
        &'a self,
        request: &'a mut ServerRequest,
        mut reply: Option<&'a mut ServerReply>,
        _task_context: &'a HeaderEntries,
        _fault: &'a Fault,
    ) -> HookFuture<'a, ()> {
        // Calls of unknown methods, and those that are not allowed, did not come by before: neither
        // methods nor what the authorizer asks for can be guessed any faster.
        if (request.is_missing() || request.is_denied())
            && let Err(refusal) = self.admit(request)
            && let Some(reply) = reply.as_deref_mut()
        {
            reply.set_fault(refusal);
        }
        let retry = request.extensions_mut().remove::<RetryAfter>();
        if let (Some(RetryAfter(time)), Some(reply)) = (retry, reply) {
            let added = reply
                .header_mut()
                .insert("retry_after", &time.as_secs_f64());
            if let Err(error) = added {
                tracing::debug!(%error, "left out when to try again");
            }
        }
        HookFuture::ready(())
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit")
            .field("interval", &self.interval)
            .field("tolerance", &self.tolerance)
            .field("max_keys", &self.max_keys)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limit(calls: u32) -> RateLimit {
        RateLimit::new(calls, SECOND, RateLimitKey::Everything).unwrap()
    }

    fn take(limit: &RateLimit, key: &str, now: Instant) -> Result<(), Duration> {
        limit.take(key.to_owned(), now).map_err(|retry| retry.0)
    }

    #[test]
    fn a_burst_is_taken_at_once_and_recovers_with_time() {
        let (limit, start) = (limit(10), Instant::now());
        for _ in 0..10 {
            assert_eq!(take(&limit, "a", start), Ok(()));
        }
        assert_eq!(take(&limit, "a", start), Err(SECOND / 10));
        // Being refused costs nothing.
        assert_eq!(take(&limit, "a", start), Err(SECOND / 10));
        assert_eq!(take(&limit, "a", start + SECOND / 10), Ok(()));
        assert_eq!(take(&limit, "a", start + SECOND / 10), Err(SECOND / 10));
        // Time that passed long ago is not saved up.
        let later = start + 100 * SECOND;
        let taken = (0..100).filter(|_| take(&limit, "a", later).is_ok());
        assert_eq!(taken.count(), 10);
    }

    #[test]
    fn each_key_has_its_own_bucket() {
        let (limit, now) = (limit(1), Instant::now());
        assert_eq!(take(&limit, "a", now), Ok(()));
        assert_eq!(take(&limit, "b", now), Ok(()));
        assert!(take(&limit, "a", now).is_err());
    }

    #[test]
    fn a_flood_of_keys_neither_grows_the_table_nor_frees_anybody() {
        let limit = limit(1).max_keys(4).unwrap();
        let now = Instant::now();
        assert_eq!(take(&limit, "known", now), Ok(()));
        let passed = (0..10_000).filter(|key| take(&limit, &key.to_string(), now).is_ok());
        // Three have buckets, all others share one.
        assert_eq!(passed.count(), 4);
        assert!(take(&limit, "known", now).is_err());
        assert_eq!(limit.table.lock().unwrap().buckets.len(), 4);
        // Those that have recovered make room.
        let later = now + 2 * SECOND;
        assert_eq!(take(&limit, "new", later), Ok(()));
        assert_eq!(limit.table.lock().unwrap().buckets.len(), 1);
    }

    #[test]
    fn addresses_of_one_host_share_a_bucket() {
        let host = |address: &str| host(address.parse().unwrap());
        assert_eq!(host("192.0.2.7"), "192.0.2.7");
        assert_eq!(host("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(host("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(host("2001:db8:1:2::"), host("2001:db8:1:2:ffff::1"));
        assert_ne!(host("2001:db8:1:2::"), host("2001:db8:1:3::"));
    }

    #[test]
    fn the_time_to_wait_is_never_too_short() {
        let (limit, start) = (limit(3), Instant::now());
        for _ in 0..3 {
            assert_eq!(take(&limit, "a", start), Ok(()));
        }
        // A third of a second has no end in decimals.
        let wait = take(&limit, "a", start).unwrap_err();
        assert_eq!(wait, Duration::from_millis(334));
        assert_eq!(take(&limit, "a", start + wait), Ok(()));
    }

    #[test]
    fn options_that_make_no_sense_are_errors() {
        let key = RateLimitKey::User;
        assert!(RateLimit::new(0, SECOND, key).is_err());
        assert!(RateLimit::new(1, Duration::ZERO, key).is_err());
        assert!(limit(1).burst(0).is_err());
        assert!(limit(1).max_keys(0).is_err());
    }

    #[test]
    fn the_message_tells_when_to_try_again() {
        let error = RemoteError::new(RateLimit::NAME, format!("{MESSAGE}0.250s"));
        let time = RateLimit::retry_after(&error);
        assert_eq!(time, Some(Duration::from_millis(250)));
        for message in [
            "",
            "0.25s",
            "too many calls, retry after -1s",
            "too many calls, retry after NaNs",
        ] {
            let error = RemoteError::new(RateLimit::NAME, message);
            assert_eq!(RateLimit::retry_after(&error), None, "{message}");
        }
    }
}
