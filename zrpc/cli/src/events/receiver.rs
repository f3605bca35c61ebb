//! A subscriber or a puller.

use std::io::{self, Write};

use zrpc::security::Security;
use zrpc::{Event, Puller, ReceiveError, Subscriber};

use super::emitter::announce;
use super::error::EventError;
use crate::args::Link;
use crate::render::on_one_line;

/// What receives events.
#[derive(Debug)]
pub(super) enum Receiver {
    /// From publishers.
    Subscriber(Subscriber),
    /// From pushers.
    Puller(Puller),
}

/// Makes a subscriber.
///
/// # Errors
///
/// [`EventError`], if an address cannot be used.
pub(super) async fn subscriber(
    links: &[Link],
    security: Security,
    topics: &[String],
) -> Result<Receiver, EventError> {
    let builder = Subscriber::builder().security(security).on_error(warn);
    let builder = topics
        .iter()
        .fold(builder, |builder, topic| builder.topic(topic));
    let builder = links.iter().fold(builder, |builder, link| match link {
        Link::Bind(address) => builder.bind(address),
        Link::Connect(address) => builder.connect(address),
    });
    let subscriber = builder.build().await?;
    announce(links, subscriber.endpoints());
    Ok(Receiver::Subscriber(subscriber))
}

/// Makes a puller.
///
/// # Errors
///
/// [`EventError`], if an address cannot be used.
pub(super) async fn puller(links: &[Link], security: Security) -> Result<Receiver, EventError> {
    let builder = Puller::builder().security(security).on_error(warn);
    let builder = links.iter().fold(builder, |builder, link| match link {
        Link::Bind(address) => builder.bind(address),
        Link::Connect(address) => builder.connect(address),
    });
    let puller = builder.build().await?;
    announce(links, puller.endpoints());
    Ok(Receiver::Puller(puller))
}

impl Receiver {
    /// Waits for the next event.
    ///
    /// # Cancel safety
    ///
    /// No event is lost if the future is dropped.
    pub(super) async fn recv(&mut self) -> Option<Event> {
        match self {
            Self::Subscriber(subscriber) => subscriber.recv().await,
            Self::Puller(puller) => puller.recv().await,
        }
    }
}

/// Tells of a message that is no event.
fn warn(error: &ReceiveError) {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    // Results are on stdout, so nothing is lost if stderr is closed.
    let _ = writeln!(io::stderr(), "zrpc: skipped: {}", on_one_line(&text));
}
