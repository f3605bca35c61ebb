//! Where events go to and where they come from.

use clap::Args;
use zrpc::security::Security;

use super::duration::{Timeout, parse_timeout};
use super::request::{Link, Settings, UsageError, WordLink, into_links};
use super::security::{ClientSecurity, PLAIN, SecurityError, ServerSecurity, choose};
use super::target::{TargetCall, Words};
use super::{HeartbeatStart, Interval};

/// The options of a tool that sends events.
#[derive(Args, Clone, Debug)]
pub(crate) struct EventTarget {
    #[command(flatten)]
    links: Links,

    /// Give up if nobody took an event within so many seconds; `none` waits for ever.
    #[arg(
        long, value_name = "seconds", default_value = "30", value_parser = parse_timeout,
        env = "ZRPC_TIMEOUT", hide_env_values = true, allow_negative_numbers = true
    )]
    timeout: Timeout,

    #[command(flatten)]
    words: Words,
}

/// The options of a tool that receives events.
#[derive(Args, Clone, Debug)]
pub(crate) struct EventSource {
    #[command(flatten)]
    links: Links,

    /// Address to connect to; left out after --connect or --bind.
    #[arg(value_name = "address")]
    address: Option<String>,
}

/// The links of a socket that is either side of a mechanism.
#[derive(Args, Clone, Debug)]
struct Links {
    /// Address to connect to; may be repeated, and mixed with --bind.
    #[arg(long, value_name = "address")]
    connect: Vec<String>,

    /// Address to listen on; may be repeated, and mixed with --connect.
    #[arg(long, value_name = "address")]
    bind: Vec<String>,

    #[command(flatten)]
    client: ClientSecurity,

    #[command(flatten)]
    server: ServerSecurity,
}

impl EventTarget {
    /// Reads keys and passwords.
    ///
    /// # Errors
    ///
    /// [`SecurityError`] says which.
    pub(crate) async fn security(&self) -> Result<Security, SecurityError> {
        choose(&self.links.client, &self.links.server).await
    }

    /// Makes sense of the rest. The address in front of the method is listened on.
    ///
    /// # Errors
    ///
    /// [`UsageError`], if there is no address or no method, or strangers would be told a password.
    pub(crate) fn into_call(self) -> Result<TargetCall, UsageError> {
        let settings = Settings {
            timeout: self.timeout,
            heartbeat: Interval::Off,
            start: HeartbeatStart::Passive,
        };
        let (connect, bind) = (self.links.connect, self.links.bind);
        let call = self
            .words
            .into_call(connect, bind, WordLink::Bind, settings)?;
        self.links.client.check(&call.links, PLAIN)?;
        Ok(call)
    }
}

impl EventSource {
    /// Reads keys and passwords.
    ///
    /// # Errors
    ///
    /// [`SecurityError`] says which.
    pub(crate) async fn security(&self) -> Result<Security, SecurityError> {
        choose(&self.links.client, &self.links.server).await
    }

    /// Returns where the events come from.
    ///
    /// # Errors
    ///
    /// [`UsageError`], if there is no address, or strangers would be told a password.
    pub(crate) fn links(&self) -> Result<Vec<Link>, UsageError> {
        let (connect, bind) = (self.links.connect.clone(), self.links.bind.clone());
        let words = self.address.clone().into_iter().collect();
        match into_links(connect, bind, words, WordLink::Connect) {
            (Some(links), rest) if rest.is_empty() => {
                self.links.client.check(&links, PLAIN)?;
                Ok(links)
            }
            _ => Err(UsageError::NoToolAddress),
        }
    }
}
