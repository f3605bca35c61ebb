//! Which limits make sense.

use proto::Limits;

use crate::OptionError;

/// Says which limit is zero, or contradicts another one.
pub(crate) fn check_limits(limits: &Limits) -> Result<(), OptionError> {
    for (option, value) in [
        ("event_len", limits.decode.event_len),
        ("depth", limits.decode.depth),
        ("values", limits.decode.values),
        ("header_entries", limits.decode.header_entries),
        ("header_len", limits.decode.header_len),
        ("channels_per_peer", limits.channels_per_peer),
        ("channels_total", limits.channels_total),
        ("received_bytes_per_peer", limits.received_bytes_per_peer),
        ("received_bytes_total", limits.received_bytes_total),
        ("queued_bytes_per_peer", limits.queued_bytes_per_peer),
        ("queued_bytes_total", limits.queued_bytes_total),
        ("unread_bytes_per_peer", limits.unread_bytes_per_peer),
    ] {
        OptionError::check_count(option, value)?;
    }
    for (option, value, bound, other) in [
        (
            "channels_per_peer",
            limits.channels_per_peer,
            "channels_total",
            limits.channels_total,
        ),
        (
            "received_bytes_per_peer",
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
