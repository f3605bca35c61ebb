//! Whom a tool calls, and with what.

use clap::Args;

use super::duration::{Interval, Timeout, parse_interval, parse_timeout};
use super::request::{
    HeartbeatStart, Link, ParamSource, Params, Settings, UsageError, WordLink, into_links,
};
use super::security::{ClientSecurity, PLAIN};

/// The options of a tool that makes calls.
#[derive(Args, Clone, Debug)]
pub(crate) struct Target {
    /// Address to connect to; may be repeated, and mixed with --bind.
    #[arg(long, value_name = "address")]
    connect: Vec<String>,

    /// Address to listen on; may be repeated, and mixed with --connect.
    #[arg(long, value_name = "address")]
    bind: Vec<String>,

    /// Give up a call if no answer came within so many seconds; `none` waits for ever.
    #[arg(
        long, value_name = "seconds", default_value = "30", value_parser = parse_timeout,
        env = "ZRPC_TIMEOUT", hide_env_values = true, allow_negative_numbers = true
    )]
    timeout: Timeout,

    /// Seconds between heartbeats, best the same as the server's; `off` sends none.
    #[arg(
        long, value_name = "seconds", default_value = "5", value_parser = parse_interval,
        env = "ZRPC_HEARTBEAT", hide_env_values = true, allow_negative_numbers = true
    )]
    heartbeat: Interval,

    #[command(flatten)]
    pub(crate) security: ClientSecurity,

    #[command(flatten)]
    words: Words,
}

/// The params of a tool, which are those of a call.
#[derive(Args, Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch that the user typed; `TargetCall` gives them their meaning"
)]
pub(super) struct Words {
    /// The params are JSON, each one a document; without it they are strings.
    #[arg(short, long)]
    json: bool,

    /// A param `@name` stands for what is in that file, `-` for what comes on stdin, `@@x` for `@x`.
    #[arg(long)]
    read_params: bool,

    /// Address (left out after --connect or --bind), method and params.
    #[arg(value_name = "address, method, params", allow_negative_numbers = true)]
    words: Vec<String>,
}

/// A method of a server, and what to call it with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TargetCall {
    /// The links to make.
    pub(crate) links: Vec<Link>,
    /// How to talk to the peer.
    pub(crate) settings: Settings,
    /// The name of the method.
    pub(crate) method: String,
    /// Its arguments.
    pub(crate) params: Params,
    /// Whether they may stand for files.
    pub(crate) source: ParamSource,
}

impl Target {
    /// Makes sense of the options.
    ///
    /// # Errors
    ///
    /// [`UsageError`], if there is no address or no method, or strangers would be told a password.
    pub(crate) fn into_call(self) -> Result<TargetCall, UsageError> {
        let settings = Settings {
            timeout: self.timeout,
            heartbeat: self.heartbeat,
            start: HeartbeatStart::Active,
        };
        let (connect, bind) = (self.connect, self.bind);
        let call = self
            .words
            .into_call(connect, bind, WordLink::Connect, settings)?;
        self.security.check(&call.links, PLAIN)?;
        Ok(call)
    }
}

impl Words {
    /// Makes sense of the words, of which the first is the address unless there are links.
    ///
    /// # Errors
    ///
    /// [`UsageError`], if there is no address or no method.
    pub(super) fn into_call(
        self,
        connect: Vec<String>,
        bind: Vec<String>,
        first: WordLink,
        settings: Settings,
    ) -> Result<TargetCall, UsageError> {
        let Self {
            json,
            read_params,
            words,
        } = self;
        let (links, words) = into_links(connect, bind, words, first);
        let mut words = words.into_iter();
        let method = words.next().filter(|method| !method.is_empty());
        let params = words.collect();
        Ok(TargetCall {
            links: links.ok_or(UsageError::NoToolAddress)?,
            settings,
            method: method.ok_or(UsageError::NoMethod)?,
            params: if json {
                Params::Json(params)
            } else {
                Params::Text(params)
            },
            source: if read_params {
                ParamSource::Files
            } else {
                ParamSource::Words
            },
        })
    }
}
