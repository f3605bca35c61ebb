//! What `--debug` shows.

use std::io;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::util::SubscriberInitExt;

/// Logs everything down to debug level on stderr.
pub(crate) fn init_debug() {
    let subscriber = fmt()
        .with_writer(io::stderr)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .with_max_level(LevelFilter::DEBUG)
        .finish();
    // It fails only if logging was set up before, and then there is a log already.
    let _ = subscriber.try_init();
}
