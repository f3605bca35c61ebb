//! What a peer may make us hold.

use crate::wire::frame::FrameLimits;
use crate::wire::metadata::MetadataLimits;

/// The limits of one session, each of which closes the connection when it is exceeded.
///
/// Sizes are checked when they are announced, before any of the octets are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest frame of a message; 256 MiB.
    ///
    /// Publishers receive nothing but subscriptions, so that for them `max_command_size` applies.
    pub max_frame_size: u64,
    /// The largest message, with [`PART_OVERHEAD`](Self::PART_OVERHEAD) for each part; 256 MiB.
    pub max_message_size: u64,
    /// The most parts of a message; 8192.
    pub max_parts_per_message: usize,
    /// The largest command after the handshake, and the largest subscription in the form of a
    /// message, so that it bounds the length of topics; 256 KiB.
    pub max_command_size: u64,
    /// The largest command of the handshake, when nobody knows yet who it is; 8 KiB.
    pub max_handshake_command_size: u64,
    /// The most properties that the peer may announce; 64.
    pub max_metadata_properties: usize,
    /// The most answers to PING that wait to be sent; 16 384.
    ///
    /// More than the PINGs of one full read, so that a driver that sends after each read never
    /// gets there unless the peer does not read.
    pub max_pending_pongs: usize,
}

impl Limits {
    /// What a part is charged beside its octets, because an empty part costs memory too.
    pub const PART_OVERHEAD: u64 = 64;

    /// Returns the limits of the handshake.
    pub(super) const fn handshake_frames(&self) -> FrameLimits {
        FrameLimits {
            // A message is refused for being one, which takes its flags to see; until then it may
            // be as large as what is expected.
            max_message_frame: self.max_handshake_command_size,
            max_command: self.max_handshake_command_size,
        }
    }

    /// Returns the limits of traffic; a single part that passes them is a message that may pass.
    pub(super) fn traffic_frames(&self) -> FrameLimits {
        let largest_part = self.max_message_size.saturating_sub(Self::PART_OVERHEAD);
        FrameLimits {
            max_message_frame: self.max_frame_size.min(largest_part),
            max_command: self.max_command_size,
        }
    }

    pub(super) fn metadata(&self) -> MetadataLimits {
        MetadataLimits {
            max_properties: self.max_metadata_properties,
            // The size of the command bounds that of the metadata in it.
            max_encoded_len: usize::MAX,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame_size: 256 << 20,
            max_message_size: 256 << 20,
            max_parts_per_message: 8192,
            max_command_size: 256 << 10,
            max_handshake_command_size: 8 << 10,
            max_metadata_properties: 64,
            max_pending_pongs: 16 << 10,
        }
    }
}
