//! One event before it is sent.

use std::fmt;

use bytes::Bytes;
use proto::{Body, Compat, EncodeError};
use serde::Serialize;

use super::encoder::Emission;
use super::{EmitError, Emitter, Pattern, Publisher};

/// An event with options of its own. Made by [`Emitter::event`].
///
/// # Example
///
/// ```no_run
/// # async fn example(publisher: zrpc::Publisher) -> Result<(), zrpc::EmitError> {
/// publisher
///     .event("rain", ("London", 3.5))
///     .topic("weather.london")
///     .header("station", &17)
///     .send()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "an event does nothing until `send` or `try_send`"]
pub struct OutgoingEvent<'a, E> {
    emitter: &'a E,
    method: String,
    args: Result<Body, EncodeError>,
    topic: Option<Bytes>,
    compat: Compat,
}

impl<'a, E> OutgoingEvent<'a, E> {
    pub(super) fn new(
        emitter: &'a E,
        compat: Compat,
        method: String,
        args: &impl Serialize,
    ) -> Self {
        Self {
            emitter,
            method,
            args: Body::args(args),
            topic: None,
            compat,
        }
    }

    /// Adds an entry to the header, or replaces the one of that name; receivers see it as
    /// [`CallContext::header`](crate::CallContext::header). A value that cannot be encoded, and a
    /// name that the protocol itself uses, fail the event.
    pub fn header<T: Serialize + ?Sized>(mut self, key: &str, value: &T) -> Self {
        self.args = self.args.and_then(|mut args| {
            args.extra_mut().insert(key, value)?;
            Ok(args)
        });
        self
    }

    /// Sets for whom the arguments are; one that would be dropped or changed on the way is an error.
    pub fn compat(mut self, compat: Compat) -> Self {
        self.compat = compat;
        self
    }

    fn into_emission(self) -> Result<(&'a E, Emission), EmitError> {
        let Self {
            emitter,
            method,
            args,
            topic,
            compat,
        } = self;
        match args {
            Ok(args) => Ok((
                emitter,
                Emission {
                    method,
                    args,
                    topic,
                    compat,
                },
            )),
            Err(detail) => Err(EmitError::Encode { method, detail }),
        }
    }
}

impl OutgoingEvent<'_, Publisher> {
    /// Sends the event to those alone who subscribed to the beginning of `topic`, in a frame of its
    /// own in front of the event. Python's subscribers, who subscribe to everything, get it as well.
    pub fn topic(mut self, topic: impl Into<Bytes>) -> Self {
        self.topic = Some(topic.into());
        self
    }
}

impl<P: Pattern> OutgoingEvent<'_, Emitter<P>> {
    /// Sends the event, see [`Publisher::publish`] and [`Pusher::push`](super::Pusher::push).
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn send(self) -> Result<(), EmitError> {
        let (emitter, emission) = self.into_emission()?;
        emitter.send(emission).await
    }

    /// Sends the event at once or not at all, see [`Publisher::try_publish`] and
    /// [`Pusher::try_push`](super::Pusher::try_push).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_send(self) -> Result<(), EmitError> {
        let (emitter, emission) = self.into_emission()?;
        emitter.try_send(emission)
    }
}

impl<E> fmt::Debug for OutgoingEvent<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingEvent")
            .field("method", &self.method)
            .field("topic", &self.topic.as_ref().map(Bytes::len))
            .field("compat", &self.compat)
            .finish_non_exhaustive()
    }
}
