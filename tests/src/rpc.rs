//! zerorpc events put together by hand, and a raw peer that exchanges them.

use std::io;

use rmpv::Value;

use crate::bytes::{COMMAND, MORE, message};
use crate::raw_peer::RawPeer;

/// An event as it came: header, name and arguments.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RawEvent {
    /// The header as a map.
    pub header: Value,
    /// The name.
    pub name: Value,
    /// The arguments.
    pub args: Value,
}

impl RawEvent {
    /// Returns an entry of the header.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Value> {
        let entries = self.header.as_map()?;
        let found = entries.iter().find(|(name, _)| name.as_str() == Some(key));
        found.map(|(_, value)| value)
    }

    /// Returns whether the event has this name, as text.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.as_str() == Some(name)
    }
}

/// Returns an id as Python makes them: 32 hexadecimal digits, as binary.
#[must_use]
pub fn id(number: u32) -> Value {
    let digits = format!("{number:08x}{}", "ab".repeat(12));
    Value::Binary(digits.into_bytes())
}

/// Returns a header of version 3 with an id and, for events that belong to a channel, the channel.
#[must_use]
pub fn header(message_id: Value, response_to: Option<&Value>) -> Value {
    let mut entries = vec![
        (Value::from("message_id"), message_id),
        (Value::from("v"), Value::from(3)),
    ];
    if let Some(channel) = response_to {
        entries.push((Value::from("response_to"), channel.clone()));
    }
    Value::Map(entries)
}

/// Encodes an event.
#[must_use]
pub fn event(header: Value, name: impl Into<Value>, args: Value) -> Vec<u8> {
    encode(&Value::Array(vec![header, name.into(), args]))
}

/// Encodes an event of a channel.
#[must_use]
pub fn on_channel(channel: &Value, name: &str, args: Value) -> Vec<u8> {
    event(header(id(0xffff), Some(channel)), name, args)
}

/// Encodes a request that opens the channel `id`.
#[must_use]
pub fn request(id: Value, method: &str, args: Vec<Value>) -> Vec<u8> {
    event(header(id, None), method, Value::Array(args))
}

/// Encodes a value.
#[must_use]
pub fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to a vector cannot fail, and what cannot be encoded is not sent by these tests.
    drop(rmpv::encode::write_value(&mut out, value));
    out
}

/// Sends a payload behind an empty delimiter.
///
/// # Errors
///
/// Fails as a write does.
pub async fn send(peer: &mut RawPeer, payload: &[u8]) -> io::Result<()> {
    peer.send(&message(&[b"", payload])).await
}

/// Returns the next event, and checks the delimiter before it.
///
/// # Errors
///
/// Fails if what comes is not an event behind a delimiter, or does not come in time.
pub async fn recv(peer: &mut RawPeer) -> io::Result<RawEvent> {
    let (envelope, event) = recv_enveloped(peer).await?;
    if envelope == [b""] {
        return Ok(event);
    }
    Err(io::Error::other(format!("envelope {envelope:?}")))
}

/// Returns the frames before the next event, and the event.
///
/// # Errors
///
/// Fails if what comes is not an event, or does not come in time.
pub async fn recv_enveloped(peer: &mut RawPeer) -> io::Result<(Vec<Vec<u8>>, RawEvent)> {
    let mut parts = Vec::new();
    loop {
        let frame = peer.recv_frame().await?;
        if frame.flags & COMMAND != 0 {
            continue;
        }
        parts.push(frame.body);
        if frame.flags & MORE == 0 {
            break;
        }
    }
    let payload = parts.pop().unwrap_or_default();
    let value = rmpv::decode::read_value(&mut &payload[..]).map_err(io::Error::other)?;
    match value {
        Value::Array(elements) => match <[Value; 3]>::try_from(elements) {
            Ok([header, name, args]) => Ok((parts, RawEvent { header, name, args })),
            Err(elements) => Err(io::Error::other(format!("event of {}", elements.len()))),
        },
        other => Err(io::Error::other(format!("no event but {other}"))),
    }
}
