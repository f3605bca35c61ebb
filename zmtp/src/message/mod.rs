//! Layer 0: messages and their parts, as values.
//!
//! A [`Message`] is what an application sends and receives: an ordered list of [`Part`]s. On the
//! wire each part travels as one [`Frame`], which adds whether more parts follow.
//!
//! All of these are made for small messages: a body of up to [`Part::INLINE_CAPACITY`] octets and
//! a message of up to two parts need no allocation of their own.

mod convert;
mod frame;
mod multipart;
mod part;
mod show;
mod text;

pub use frame::{Frame, More};
pub use multipart::{IntoParts, Message};
pub use part::Part;
pub use text::TextError;
