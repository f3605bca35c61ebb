//! A table has a row for each value; it is counted against the methods of the builder, so that no option
//! is forgotten.

use std::time::Duration;

use zmtp::session::Limits as MessageLimits;
use zrpc::{
    BuildError, ClientBuilder, ConnectError, Heartbeat, Limits, Method, OptionError, ServerBuilder,
    SocketOptions,
};

use crate::support::in_time;

pub(super) const ANYWHERE: &str = "tcp://127.0.0.1:*";
/// Where nobody listens.
pub(super) const NOWHERE: &str = "tcp://127.0.0.1:1";
pub(super) const FOREVER: Duration = Duration::MAX;
pub(super) const NO_TIME: Duration = Duration::ZERO;
/// Shorter than a heartbeat may be.
pub(super) const MOMENT: Duration = Duration::from_millis(1);

/// What becomes of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Outcome {
    /// The builder makes what it makes.
    Builds,
    /// An option makes no sense.
    Refused(OptionError),
    /// An endpoint is none, or given twice.
    Endpoint,
    /// A method cannot be offered.
    Method,
}

pub(super) use Outcome::{Builds, Endpoint, Refused};

/// The name of an option, what is done with it, and what becomes of that.
pub(super) type Row<B> = (&'static str, fn(B) -> B, Outcome);

pub(super) const fn zero(option: &'static str) -> Outcome {
    Refused(OptionError::Zero { option })
}

pub(super) const fn exceeds(option: &'static str, bound: &'static str) -> Outcome {
    Refused(OptionError::Exceeds { option, bound })
}

pub(super) const fn too_small(option: &'static str, min: u64) -> Outcome {
    Refused(OptionError::TooSmall { option, min })
}

pub(super) const fn too_large(option: &'static str, max: u64) -> Outcome {
    Refused(OptionError::TooLarge { option, max })
}

pub(super) const fn too_short(interval: Duration) -> Outcome {
    let min = Heartbeat::MIN_INTERVAL;
    Refused(OptionError::HeartbeatTooShort { interval, min })
}

pub(super) fn of_connect(result: Result<(), ConnectError>) -> Outcome {
    match result {
        Ok(()) => Builds,
        Err(ConnectError::Option(error)) => Refused(error),
        Err(ConnectError::Endpoint { .. } | ConnectError::DuplicateEndpoint { .. }) => Endpoint,
        Err(error) => panic!("another error was expected: {error}"),
    }
}

pub(super) fn of_build(result: Result<(), BuildError>) -> Outcome {
    match result {
        Ok(()) => Builds,
        Err(BuildError::Option(error)) => Refused(error),
        Err(BuildError::Connect(error)) => of_connect(Err(error)),
        Err(BuildError::DuplicateMethod { .. } | BuildError::ReservedName { .. }) => {
            Outcome::Method
        }
        Err(error) => panic!("another error was expected: {error}"),
    }
}

/// The methods of a builder that set something: `pub fn name(self, …) -> Self`.
pub(super) fn options(source: &str) -> Vec<&str> {
    let functions = source.split("\n    pub fn ").skip(1);
    functions
        .filter_map(|function| {
            let (signature, _) = function.split_once("{\n")?;
            let takes_self = signature.contains("(mut self") || signature.contains("(self");
            let takes_self = takes_self || signature.contains("\n        self");
            let sets = takes_self && signature.contains("-> Self");
            sets.then(|| signature.split(['(', '<']).next().unwrap())
        })
        .collect()
}

/// Fails if an option has no row, or a row no option.
pub(super) fn assert_complete<B>(rows: &[Row<B>], source: &str) {
    let options = options(source);
    assert!(options.len() > 5, "{options:?}");
    for option in &options {
        let has_row = rows.iter().any(|(name, ..)| name == option);
        assert!(has_row, "there is no row for {option}");
    }
    for (name, ..) in rows {
        assert!(options.contains(name), "there is no option {name}");
    }
}

pub(super) fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

pub(super) fn messages(change: impl FnOnce(&mut MessageLimits)) -> MessageLimits {
    let mut limits = MessageLimits::default();
    change(&mut limits);
    limits
}

/// No limit at all beside that of the depth, which has a largest one. It needs messages of any length.
pub(super) fn unlimited() -> (Limits, SocketOptions) {
    let all = limits(|it| {
        it.decode.event_len = usize::MAX;
        it.decode.depth = 512;
        it.decode.values = usize::MAX;
        it.decode.header_entries = usize::MAX;
        it.decode.header_len = usize::MAX;
        it.channels_per_peer = usize::MAX;
        it.channels_total = usize::MAX;
        it.received_bytes_per_peer = usize::MAX;
        it.received_bytes_total = usize::MAX;
        it.queued_bytes_per_peer = usize::MAX;
        it.queued_bytes_total = usize::MAX;
        it.unread_bytes_per_peer = usize::MAX;
    });
    let socket = SocketOptions::new().limits(messages(|it| {
        it.max_frame_size = u64::MAX;
        it.max_message_size = u64::MAX;
    }));
    (all, socket)
}

pub(super) fn one() -> Method {
    Method::new("one", |(): ()| async { 1 })
}

pub(super) async fn build_client(builder: ClientBuilder) -> Outcome {
    of_connect(in_time(builder.bind(ANYWHERE).build()).await.map(drop))
}

pub(super) async fn build_server(builder: ServerBuilder) -> Outcome {
    of_build(in_time(builder.bind(ANYWHERE).build()).await.map(drop))
}
