//! What can go wrong, what to tell the user, and the exit code.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use thiserror::Error;
use zmtp::ProxyError;
use zrpc::{CallError, ConnectError, RemoteError};

use crate::advice;
use crate::args::{ExitCodes, SecurityError, SideSecurityError, UsageError};
use crate::events::EventError;
use crate::keygen::KeygenError;
use crate::params::ParamError;
use crate::render::{on_lines, on_one_line};
use crate::serve::ServeError;
use crate::sockets::LinkError;
use crate::style::{Paint, Style};

/// Why the command ends without success.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    /// The options fit no run.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// An argument of the call cannot be sent.
    #[error(transparent)]
    Param(#[from] ParamError),
    /// A link could not be made.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The call failed.
    #[error(transparent)]
    Call(Box<CallError>),
    /// The call failed, and something is known of the reason.
    #[error("{error}")]
    Explained {
        /// How it failed.
        error: Box<CallError>,
        /// What to tell the user.
        advice: String,
    },
    /// The library has a kind of reply that the command knows nothing about.
    #[error("the reply is neither a result nor a stream")]
    UnknownReply,
    /// The service answers neither `_zerorpc_inspect` nor `_zerorpc_list`.
    #[error("the service does not list its methods; call one by its name")]
    NoListing,
    /// Results could not be printed.
    #[error("cannot write to stdout: {0}")]
    Output(#[from] io::Error),
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// There are no new keys.
    #[error(transparent)]
    Keygen(#[from] KeygenError),
    /// Calls of a measurement failed; the report says how.
    #[error("{failed} of the calls failed")]
    BenchFailed {
        /// How many.
        failed: u64,
    },
    /// The time of a measurement was over before there was an answer.
    #[error("no call was answered")]
    BenchUnanswered,
    /// Something else went wrong, and more is known of the reason.
    #[error("{error}")]
    Advised {
        /// What it was.
        error: Box<Self>,
        /// What to tell the user.
        advice: String,
    },
    /// A socket cannot be linked.
    #[error(transparent)]
    Link(Box<LinkError>),
    /// A proxy ended by itself.
    #[error("the proxy ended: {0}")]
    Proxy(#[from] ProxyError),
    /// A key or a password cannot be used.
    #[error(transparent)]
    Security(Box<SecurityError>),
    /// A key or a password of one side of a proxy cannot be used.
    #[error(transparent)]
    SideSecurity(Box<SideSecurityError>),
    /// Programs cannot be served.
    #[error(transparent)]
    Serve(Box<ServeError>),
    /// Events do not go out or come in.
    #[error(transparent)]
    Event(Box<EventError>),
    /// There is no such tool.
    #[error("there is no tool {name}; `zrpc --help` lists them")]
    UnknownTool {
        /// What was asked for.
        name: String,
    },
    /// The pages of the manual cannot be written.
    #[error("cannot write to {}: {source}", directory.display())]
    Pages {
        /// Where they should be.
        directory: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The runtime could not be started.
    #[error("cannot start: {0}")]
    Start(#[source] io::Error),
}

impl From<CallError> for CliError {
    fn from(error: CallError) -> Self {
        Self::Call(Box::new(error))
    }
}

impl From<SecurityError> for CliError {
    fn from(error: SecurityError) -> Self {
        Self::Security(Box::new(error))
    }
}

impl From<SideSecurityError> for CliError {
    fn from(error: SideSecurityError) -> Self {
        Self::SideSecurity(Box::new(error))
    }
}

impl From<ServeError> for CliError {
    fn from(error: ServeError) -> Self {
        Self::Serve(Box::new(error))
    }
}

impl From<EventError> for CliError {
    fn from(error: EventError) -> Self {
        Self::Event(Box::new(error))
    }
}

impl From<LinkError> for CliError {
    fn from(error: LinkError) -> Self {
        Self::Link(Box::new(error))
    }
}

impl CliError {
    /// The same with what is known of the reason, if anything is.
    pub(crate) fn advised(self, advice: Option<String>) -> Self {
        match advice {
            Some(advice) => Self::Advised {
                error: Box::new(self),
                advice,
            },
            None => self,
        }
    }

    /// Returns the exit code, after telling the user about the error on `stderr`.
    ///
    /// A reader of the results that went away needs no words, nor does who pressed Ctrl-C.
    pub(crate) fn report(
        &self,
        stderr: &mut dyn Write,
        style: Style,
        exit_codes: ExitCodes,
    ) -> ExitCode {
        match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return ExitCode::SUCCESS;
            }
            Self::Interrupted => {}
            // There is nobody left to tell if stderr is closed.
            _ => drop(self.write(stderr, style)),
        }
        self.exit_code(exit_codes)
    }

    fn exit_code(&self, exit_codes: ExitCodes) -> ExitCode {
        match (self, exit_codes) {
            (Self::Advised { error, .. }, _) => error.exit_code(exit_codes),
            (Self::Usage(_), _) => ExitCode::from(USAGE),
            (Self::Interrupted, _) => ExitCode::from(INTERRUPTED),
            (Self::Event(error), _) if error.is_timeout() => ExitCode::from(TIMEOUT),
            (Self::Call(error) | Self::Explained { error, .. }, ExitCodes::Detailed) => {
                ExitCode::from(detailed(error))
            }
            _ => ExitCode::FAILURE,
        }
    }

    /// Writes the error on one line, and below it the traceback if the service sent one.
    fn write(&self, stderr: &mut dyn Write, style: Style) -> io::Result<()> {
        let program = style.paint(Paint::Error, "zrpc:");
        let (error, advice) = match self {
            Self::Call(error) => (error, advice::for_call(error).map(str::to_owned)),
            Self::Explained { error, advice } => (error, Some(on_one_line(advice).into_owned())),
            _ => {
                let advice = match self {
                    Self::Connect(error) => advice::for_address(error),
                    Self::Serve(error) => error.connect_error().and_then(advice::for_address),
                    Self::Event(error) => error.connect_error().and_then(advice::for_address),
                    Self::Advised { advice, .. } => Some(on_one_line(advice).into_owned()),
                    _ => None,
                };
                let advice = advice.map(|advice| format!(" ({advice})"));
                let text = self.to_string();
                let (text, advice) = (on_one_line(&text), advice.unwrap_or_default());
                return writeln!(stderr, "{program} {text}{advice}");
            }
        };
        let (text, traceback) = match &**error {
            CallError::Remote(remote) => (summary(remote), remote.traceback.as_deref()),
            _ => (error.to_string(), None),
        };
        write!(stderr, "{program} {}", on_one_line(&text))?;
        if let Some(advice) = advice {
            write!(stderr, " ({advice})")?;
        }
        writeln!(stderr)?;
        match traceback.map(str::trim_end) {
            Some(traceback) if !traceback.is_empty() => writeln!(stderr, "{}", on_lines(traceback)),
            _ => Ok(()),
        }
    }
}

/// The error without its traceback, which `Display` would give in its place.
fn summary(remote: &RemoteError) -> String {
    format!("{}: {}", remote.name, remote.message)
}

/// The exit code of a call that failed, where scripts want to know how.
fn detailed(error: &CallError) -> u8 {
    match error {
        CallError::Remote(_) => 3,
        CallError::Timeout { .. } => TIMEOUT,
        CallError::LostRemote { .. } | CallError::Disconnected | CallError::Unreachable(_) => 5,
        CallError::UnexpectedEvent { .. }
        | CallError::Malformed { .. }
        | CallError::Overrun { .. }
        | CallError::Decode { .. } => 6,
        _ => 1,
    }
}

/// The exit code for a wrong command line.
pub(crate) const USAGE: u8 = 2;

/// The exit code of what did not come in time.
const TIMEOUT: u8 = 4;

/// The exit code after Ctrl-C: 128 and the number of the signal, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn reported(error: impl Into<CliError>) -> (String, ExitCode) {
        let mut stderr = Vec::new();
        let code = error
            .into()
            .report(&mut stderr, Style::Plain, ExitCodes::Python);
        (String::from_utf8(stderr).unwrap(), code)
    }

    #[test]
    fn a_remote_error_is_one_line_above_its_traceback() {
        let remote = RemoteError::new("ValueError", "bad\nthing").with_traceback("Trace\n  x\n");
        let (text, code) = reported(CallError::from(remote));
        assert_eq!(text, "zrpc: ValueError: bad\\nthing\nTrace\n  x\n");
        assert_eq!(code, ExitCode::FAILURE);
        let bare = RemoteError::new("ValueError", "bad");
        let (text, _) = reported(CallError::from(bare));
        assert_eq!(text, "zrpc: ValueError: bad\n");
    }

    #[test]
    fn q26_timeouts_keep_their_text_and_say_what_to_do() {
        let timeout = CallError::Timeout {
            after: Duration::from_secs(1),
            method: "sleep".to_owned(),
            cause: None,
        };
        let (text, _) = reported(timeout);
        assert!(text.starts_with("zrpc: timeout after 1s, when calling remote method sleep ("));
        assert!(text.contains("--timeout"));
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        let (text, code) = reported(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((text.as_str(), code), ("", ExitCode::SUCCESS));
        let (text, code) = reported(io::Error::from(io::ErrorKind::StorageFull));
        assert!(text.starts_with("zrpc: cannot write to stdout"));
        assert_eq!(code, ExitCode::FAILURE);
    }

    #[test]
    fn peers_cannot_steer_the_terminal() {
        let remote = RemoteError::new("E", "\x1b[2J").with_traceback("\x1b[2J\n");
        let (text, _) = reported(CallError::from(remote));
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn scripts_can_tell_failures_apart_if_they_ask() {
        let code = |error: CallError| {
            CliError::from(error).report(&mut io::sink(), Style::Plain, ExitCodes::Detailed)
        };
        assert_eq!(code(RemoteError::new("E", "x").into()), ExitCode::from(3));
        let (after, cause) = (Duration::from_secs(1), None);
        let timeout = CallError::Timeout {
            after,
            method: "m".to_owned(),
            cause: None,
        };
        assert_eq!(code(timeout), ExitCode::from(4));
        let lost = CallError::LostRemote { after, cause };
        assert_eq!(code(lost), ExitCode::from(5));
        assert_eq!(code(CallError::Disconnected), ExitCode::from(5));
        assert_eq!(code(CallError::Closed), ExitCode::FAILURE);
    }

    #[test]
    fn an_interruption_needs_no_words() {
        assert_eq!(
            reported(CliError::Interrupted),
            (String::new(), ExitCode::from(130))
        );
    }

    #[test]
    fn a_wrong_command_line_has_its_own_code() {
        assert_eq!(reported(UsageError::Server).1, ExitCode::from(2));
    }
}
