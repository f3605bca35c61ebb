//! Which limits make sense.

use proto::{DecodeLimits, Limits};

use crate::OptionError;

/// The options of a builder that have set single limits, which are what errors name. Other limits have
/// the names that they have in [`Limits`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LimitOptions {
    pub(crate) event_len: Option<&'static str>,
    pub(crate) channels_per_peer: Option<&'static str>,
    pub(crate) received_bytes_per_peer: Option<&'static str>,
}

impl LimitOptions {
    fn event_len(&self) -> &'static str {
        self.event_len.unwrap_or("event_len")
    }

    /// The option that asked for the length of events, if one did. Whoever sets all limits and leaves
    /// this one at its default has not.
    pub(crate) fn asked_event_len(&self, limits: &Limits) -> Option<&'static str> {
        let is_default = limits.decode.event_len == DecodeLimits::default().event_len;
        (self.event_len.is_some() || !is_default).then(|| self.event_len())
    }
}

/// Says which limit is zero, has no meaning, or contradicts another one.
pub(crate) fn check_limits(limits: &Limits, options: &LimitOptions) -> Result<(), OptionError> {
    let channels_per_peer = options.channels_per_peer.unwrap_or("channels_per_peer");
    let received_bytes = options.received_bytes_per_peer;
    let received_bytes_per_peer = received_bytes.unwrap_or("received_bytes_per_peer");
    for (option, value) in [
        (options.event_len(), limits.decode.event_len),
        ("depth", limits.decode.depth),
        ("values", limits.decode.values),
        ("header_entries", limits.decode.header_entries),
        ("header_len", limits.decode.header_len),
        (channels_per_peer, limits.channels_per_peer),
        ("channels_total", limits.channels_total),
        (received_bytes_per_peer, limits.received_bytes_per_peer),
        ("received_bytes_total", limits.received_bytes_total),
        ("queued_bytes_per_peer", limits.queued_bytes_per_peer),
        ("queued_bytes_total", limits.queued_bytes_total),
        ("unread_bytes_per_peer", limits.unread_bytes_per_peer),
    ] {
        OptionError::check_count(option, value)?;
    }
    if limits.decode.depth > DecodeLimits::MAX_DEPTH {
        return Err(OptionError::TooLarge {
            option: "depth",
            max: DecodeLimits::MAX_DEPTH.try_into().unwrap_or(u64::MAX),
        });
    }
    for (option, value, bound, other) in [
        (
            channels_per_peer,
            limits.channels_per_peer,
            "channels_total",
            limits.channels_total,
        ),
        (
            received_bytes_per_peer,
            limits.received_bytes_per_peer,
            "received_bytes_total",
            limits.received_bytes_total,
        ),
        (
            "queued_bytes_per_peer",
            limits.queued_bytes_per_peer,
            "unread_bytes_per_peer",
            limits.unread_bytes_per_peer,
        ),
    ] {
        if value > other {
            return Err(OptionError::Exceeds { option, bound });
        }
    }
    Ok(())
}
