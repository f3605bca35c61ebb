//! The client that carries calls out, from the settings of the command line.

use std::io::{self, Write};

use rmpv::Value;
use zrpc::security::Security;
use zrpc::{CallError, Client, ClientBuilder, ConnectError, Heartbeat};

use crate::args::{HeartbeatStart, Interval, Link, Settings, Timeout};
use crate::inspect::Remote;
use crate::logging::log_calls;
use crate::render::on_one_line;

/// Makes the links, and says so on stderr as Python's command does.
///
/// # Errors
///
/// [`ConnectError`], if an address cannot be used.
pub(crate) async fn connect(
    links: &[Link],
    settings: Settings,
    security: Security,
) -> Result<Client, ConnectError> {
    announce(links);
    builder(links, settings).security(security).build().await
}

/// Says on stderr what is linked, as Python's command does.
pub(crate) fn announce(links: &[Link]) {
    for link in links {
        // Results are on stdout, so nothing is lost if stderr is closed.
        let _ = match link {
            Link::Bind(address) => {
                writeln!(io::stderr(), "binding to \"{}\"", on_one_line(address))
            }
            Link::Connect(address) => {
                writeln!(io::stderr(), "connecting to \"{}\"", on_one_line(address))
            }
        };
    }
}

/// Returns a client with these links and settings, about to be made.
pub(crate) fn builder(links: &[Link], settings: Settings) -> ClientBuilder {
    let heartbeat = match (settings.heartbeat, settings.start) {
        (Interval::Off, _) => Heartbeat::off(),
        (Interval::Every(interval), HeartbeatStart::Active) => Heartbeat::every(interval),
        (Interval::Every(interval), HeartbeatStart::Passive) => Heartbeat::passive(interval),
    };
    let builder = Client::builder().heartbeat(heartbeat);
    let builder = match settings.timeout {
        Timeout::After(timeout) => builder.timeout(timeout),
        Timeout::Never => builder.timeout(None),
    };
    let builder = log_calls(builder);
    links.iter().fold(builder, |builder, link| match link {
        Link::Bind(address) => builder.bind(address),
        Link::Connect(address) => builder.connect(address),
    })
}

/// The service behind a client, as introspection asks it.
#[derive(Debug)]
pub(crate) struct RemoteService<'a> {
    client: &'a Client,
}

impl<'a> RemoteService<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }
}

impl Remote for RemoteService<'_> {
    type Error = CallError;

    async fn ask(&self, method: &str, args: Vec<Value>) -> Result<Option<Value>, CallError> {
        match self.client.call(method, args).await {
            Ok(value) => Ok(Some(value)),
            Err(CallError::Remote(_) | CallError::UnexpectedStream { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
