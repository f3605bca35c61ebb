//! The zerorpc protocol as state machines that do no I/O.
//!
//! Nothing in this crate reads a clock, draws a random number, opens a socket or logs a line. Time is
//! an argument, randomness is an argument, and what happens is returned. A driver feeds a
//! [`Multiplexer`] with the payloads that its socket received, calls its commands, and then drains
//! its outputs: the payloads to send, the events for the application, and the next deadline.
//!
//! From the bottom up:
//!
//! - [`Envelope`] splits a multipart message into its routing frames and the payload.
//! - [`Event`] is one payload: a [`Header`], a [`Name`], and arguments that stay encoded.
//! - [`Body`] encodes arguments and results; [`Args`] and [`decode`] decode them.
//! - [`Multiplexer`] runs all channels of one socket: life cycle, heartbeats, credit, timeouts, limits.
//!
//! `PROTOCOL.md` in this crate describes what is spoken.
//!
//! # Example
//!
//! ```
//! use std::time::Instant;
//! use proto::{Body, ChannelEvent, ChannelOptions, Config, IdSource, Multiplexer, Request};
//! # use zrpc_proto as proto;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[expect(clippy::disallowed_methods, reason = "an example of a driver")]
//! let now = Instant::now();
//! let mut client = Multiplexer::new(Config::client(), IdSource::new([1; 12]));
//! let mut server = Multiplexer::new(Config::server(), IdSource::new([2; 12]));
//!
//! let request = Request::new("hello", Body::args(&("RPC",))?);
//! let call = client.open(now, &"server", request, &ChannelOptions::default())?;
//! while let Some(transmit) = client.poll_transmit(now) {
//!     server.handle_event(now, &"client", transmit.payload)?;
//! }
//! while let Some(event) = server.poll_event() {
//!     if let ChannelEvent::Request { channel, args, .. } = event {
//!         let (name,): (String,) = args.decode()?;
//!         server.reply(channel, Body::value(&format!("Hello, {name}"))?)?;
//!     }
//! }
//! while let Some(transmit) = server.poll_transmit(now) {
//!     client.handle_event(now, &"server", transmit.payload)?;
//! }
//! let Some(ChannelEvent::Reply { channel, value, .. }) = client.poll_event() else { panic!() };
//! assert_eq!(channel, call);
//! assert_eq!(proto::decode::<String>(&value)?, "Hello, RPC");
//! # Ok(())
//! # }
//! ```

// What peers send never reaches a panic. Tests may.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

mod channel;
mod envelope;
mod event;
mod msgpack;
mod multiplexer;
mod value;

pub use channel::{ChannelOptions, Credit, Heartbeat};
pub use envelope::{Envelope, EnvelopeError};
pub use event::{Event, Extra, Header, IdSource, MessageId, Name, RemoteError, Version, names};
pub use msgpack::{DecodeError, DecodeLimits, Kind};
pub use multiplexer::{
    ChannelEvent, ChannelId, CloseReason, CommandError, Config, Limits, Multiplexer, OpenError,
    OverrunUnit, Request, Role, SendError, Stats, Transmit,
};
pub use value::{
    Args, ArgumentsError, Body, Compat, CompatError, CompatFault, EncodeError, Ext, JsDate,
    PathStep, Timestamp, TimestampError, ValueError, ValuePath, decode,
};
