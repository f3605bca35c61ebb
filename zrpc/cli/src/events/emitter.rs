//! A publisher or a pusher.

use std::time::Duration;

use rmpv::Value;
use zrpc::security::Security;
use zrpc::{ConnectError, EmitError, Publisher, Pusher};

use super::error::EventError;
use crate::args::{Link, Timeout};
use crate::sockets::tell;

/// What sends events.
#[derive(Debug)]
pub(super) enum Emitter {
    /// To everybody.
    Publisher {
        /// The socket.
        publisher: Publisher,
        /// What the events are about.
        topic: Option<String>,
    },
    /// To one of those who are there.
    Pusher(Pusher),
}

/// Makes a publisher, and waits until somebody listens: what is published before is lost.
///
/// # Errors
///
/// [`EventError`], if an address cannot be used or nobody listens.
pub(super) async fn publisher(
    links: &[Link],
    security: Security,
    topic: Option<String>,
    timeout: Timeout,
) -> Result<Emitter, EventError> {
    let builder = Publisher::builder()
        .security(security)
        .wait_for_slow_subscribers();
    let builder = links.iter().fold(builder, |builder, link| match link {
        Link::Bind(address) => builder.bind(address),
        Link::Connect(address) => builder.connect(address),
    });
    let publisher = builder.build().await?;
    announce(links, publisher.endpoints());
    let somebody = async {
        while publisher.topic_count() == 0 {
            tokio::time::sleep(PERIOD).await;
        }
        Ok(())
    };
    in_time(timeout, "a subscriber", somebody).await?;
    Ok(Emitter::Publisher { publisher, topic })
}

/// Makes a pusher.
///
/// # Errors
///
/// [`ConnectError`], if an address cannot be used.
pub(super) async fn pusher(links: &[Link], security: Security) -> Result<Emitter, ConnectError> {
    // What waits for nobody would be lost at the end, without a word.
    let builder = Pusher::builder().security(security).immediate();
    let builder = links.iter().fold(builder, |builder, link| match link {
        Link::Bind(address) => builder.bind(address),
        Link::Connect(address) => builder.connect(address),
    });
    let pusher = builder.build().await?;
    announce(links, pusher.endpoints());
    Ok(Emitter::Pusher(pusher))
}

impl Emitter {
    /// Sends an event as soon as there is somebody with room for it.
    ///
    /// # Errors
    ///
    /// [`EventError`], if it cannot be sent, or not in time.
    pub(super) async fn emit(
        &self,
        method: &str,
        args: &[Value],
        timeout: Timeout,
    ) -> Result<(), EventError> {
        let (sending, who) = match self {
            Self::Publisher { publisher, topic } => {
                let event = publisher.event(method, args);
                let event = match topic {
                    Some(topic) => event.topic(topic.clone()),
                    None => event,
                };
                (futures_util::future::Either::Left(event.send()), SUBSCRIBER)
            }
            Self::Pusher(pusher) => {
                let sending = pusher.push(method, args);
                (futures_util::future::Either::Right(sending), PULLER)
            }
        };
        in_time(timeout, who, sending).await
    }

    /// Waits until everything is on its way.
    pub(super) async fn close(self) {
        match self {
            Self::Publisher { publisher, .. } => publisher.close().await,
            Self::Pusher(pusher) => pusher.close().await,
        }
    }
}

/// Says what is linked, with the ports that were found.
pub(super) fn announce(links: &[Link], endpoints: &[String]) {
    for endpoint in endpoints {
        let what = match links
            .iter()
            .any(|link| *link == Link::Connect(endpoint.clone()))
        {
            true => "connecting to",
            false => "binding to",
        };
        tell(what, endpoint);
    }
}

async fn in_time(
    timeout: Timeout,
    who: &'static str,
    work: impl Future<Output = Result<(), EmitError>>,
) -> Result<(), EventError> {
    let after = match timeout {
        Timeout::Never => return Ok(work.await?),
        Timeout::After(after) => after,
    };
    match tokio::time::timeout(after, work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(EventError::Nobody { who, after }),
    }
}

/// Who is missing if an event is not taken.
const SUBSCRIBER: &str = "a subscriber";
const PULLER: &str = "a puller";

/// How often to look for a subscriber, which nothing announces.
const PERIOD: Duration = Duration::from_millis(10);
