//! Encodes events: puts a header and a name in front of arguments that are encoded already.

use std::time::Duration;

use bytes::{BufMut, Bytes};

use super::{Extra, MessageId, names};
use crate::msgpack::{put_array, put_map, put_str, put_uint};
use crate::value::Body;

/// What goes in front of the arguments of an event.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    /// The encoded id of the event.
    pub(crate) message_id: &'a [u8],
    pub(crate) response_to: Option<&'a MessageId>,
    pub(crate) name: &'a [u8],
    pub(crate) notice: Notice,
}

/// What the header tells a peer that knows this implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Nothing,
    /// This side understands [`names::CANCEL`].
    UnderstandsCancel,
    /// For how many milliseconds this side waits, see [`names::TIMEOUT`].
    Timeout(u32),
}

impl Notice {
    /// Tells of a timeout, if there is one that a clock of milliseconds can show.
    pub(crate) fn timeout(timeout: Option<Duration>) -> Self {
        const NANOS_PER_MILLI: u128 = 1_000_000;
        let millis = timeout.map(|timeout| timeout.as_nanos().div_ceil(NANOS_PER_MILLI));
        match millis.map(u32::try_from) {
            Some(Ok(millis)) => Self::Timeout(millis),
            _ => Self::Nothing,
        }
    }
}

/// The version that is sent, whatever the peer's is.
const VERSION: u8 = 3;

/// The header entries that every event has: id and version.
const OWN_ENTRIES: usize = 2;

impl Outgoing<'_> {
    /// Encodes the event around `body`, in the body's own buffer if there is room in front of it.
    pub(crate) fn encode(&self, mut body: Body, scratch: &mut Vec<u8>) -> Bytes {
        let extra = body.take_extra();
        scratch.clear();
        self.encode_head(&extra, scratch);
        body.prepend(scratch);
        body.into_encoded()
    }

    /// Encodes an event whose arguments are numbers.
    pub(crate) fn encode_numbers(&self, numbers: &[u32], scratch: &mut Vec<u8>) -> Bytes {
        scratch.clear();
        self.encode_head(&Extra::new(), scratch);
        put_array(scratch, u32::try_from(numbers.len()).unwrap_or(u32::MAX));
        for number in numbers {
            put_uint(scratch, u64::from(*number));
        }
        // A buffer of exactly this length needs no second allocation to be shared.
        Bytes::copy_from_slice(scratch)
    }

    fn encode_head(&self, extra: &Extra, out: &mut Vec<u8>) {
        let optional = usize::from(self.response_to.is_some())
            .saturating_add(usize::from(self.notice != Notice::Nothing));
        let entries = extra
            .count()
            .saturating_add(optional)
            .saturating_add(OWN_ENTRIES);
        out.put_u8(0x93);
        put_map(out, u32::try_from(entries).unwrap_or(u32::MAX));
        put_str(out, names::MESSAGE_ID.as_bytes());
        out.put_slice(self.message_id);
        put_str(out, names::VERSION.as_bytes());
        out.put_u8(VERSION);
        extra.encode(out);
        match self.notice {
            Notice::Nothing => {}
            Notice::UnderstandsCancel => {
                put_str(out, names::CANCEL.as_bytes());
                out.put_u8(0xc3);
            }
            Notice::Timeout(millis) => {
                put_str(out, names::TIMEOUT.as_bytes());
                put_uint(out, u64::from(millis));
            }
        }
        if let Some(id) = self.response_to {
            put_str(out, names::RESPONSE_TO.as_bytes());
            out.put_slice(id.as_encoded());
        }
        put_str(out, self.name);
    }
}
