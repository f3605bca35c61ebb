//! Records `tracing` events, so that a test can count them.

use std::fmt::{self, Write as _};
use std::io;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::{Dispatch, Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

use crate::raw_peer::within;

/// How often the recorder looks whether something has come.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// While there is one dispatcher alone, `tracing` asks the thread that comes to an event first, once and
/// for all, whether anybody wants it. The thread of another test has no recorder and says no. With a
/// second dispatcher it asks all of them.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Registry::default()));

/// Keeps the events of the current thread until it is dropped.
#[derive(Debug)]
pub struct Recorder {
    events: Arc<Mutex<Vec<Recorded>>>,
    _guard: tracing::subscriber::DefaultGuard,
}

/// One event.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Recorded {
    /// How serious it is.
    pub level: Level,
    /// The module that it comes from.
    pub target: &'static str,
    /// Message and fields, as `name=value`.
    pub text: String,
}

impl Recorder {
    /// Starts to record what the current thread reports.
    #[must_use]
    pub fn start() -> Self {
        LazyLock::force(&SECOND);
        let events: Arc<Mutex<Vec<Recorded>>> = Arc::default();
        let kept = Arc::clone(&events);
        let watch = LogWatch::new(move |recorded: &Recorded| {
            let mut events = kept.lock().unwrap_or_else(PoisonError::into_inner);
            events.push(recorded.clone());
        });
        let subscriber = Registry::default().with(watch);
        Self {
            events,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// Waits until something was recorded at `WARN` or above.
    ///
    /// # Errors
    ///
    /// Fails with `TimedOut` if nothing is.
    pub async fn wait_for_warning(&self) -> io::Result<()> {
        Self::wait_until(|| self.has_warning()).await
    }

    /// Waits until an event has said this, at any level.
    ///
    /// # Errors
    ///
    /// Fails with `TimedOut` if none does.
    pub async fn wait_for(&self, text: &str) -> io::Result<()> {
        Self::wait_until(|| self.count(text) > 0).await
    }

    async fn wait_until(holds: impl Fn() -> bool) -> io::Result<()> {
        let recorded = async {
            while !holds() {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
            Ok(())
        };
        within(recorded).await
    }

    /// Returns how many events have said this, at any level.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events
            .iter()
            .filter(|event| event.text.contains(text))
            .count()
    }

    /// Returns the first event at any level whose text is like this.
    #[must_use]
    pub fn find(&self, is_wanted: impl Fn(&str) -> bool) -> Option<String> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let found = events.iter().find(|event| is_wanted(&event.text));
        found.map(|event| event.text.clone())
    }

    fn has_warning(&self) -> bool {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().any(|event| event.level <= Level::WARN)
    }

    /// Returns and forgets what was recorded at `WARN` and above.
    #[must_use]
    pub fn take_warnings(&self) -> Vec<Recorded> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = std::mem::take(&mut *events);
        taken.retain(|event| event.level <= Level::WARN);
        taken
    }
}

/// Hands every event to a function.
pub(crate) struct LogWatch<F> {
    handle: F,
}

impl<F: Fn(&Recorded) + 'static> LogWatch<F> {
    pub(crate) const fn new(handle: F) -> Self {
        Self { handle }
    }
}

impl<S: Subscriber, F: Fn(&Recorded) + 'static> Layer<S> for LogWatch<F> {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        (self.handle)(&Recorded {
            level: *event.metadata().level(),
            target: event.metadata().target(),
            text: text.0,
        });
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a `String` cannot fail.
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}
