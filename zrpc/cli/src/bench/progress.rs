//! The bar on stderr while calls are made.

use std::future::pending;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::load::{Goal, Load};

/// A bar that is drawn if stderr is a terminal, and removed with the value.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    goal: Goal,
}

impl Progress {
    pub(super) fn new(goal: Goal, what: &'static str) -> Self {
        let length = match (goal.count, goal.duration) {
            (Some(count), _) => count,
            (None, Some(duration)) => milliseconds(duration),
            (None, None) => 0,
        };
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
        let template = "{prefix} [{bar:30}] {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(what);
        Self { bar, goal }
    }

    /// Shows how far the calls are, until it is dropped.
    pub(super) async fn follow(&self, load: &Load<'_>) {
        if self.bar.is_hidden() {
            return pending().await;
        }
        loop {
            tokio::time::sleep(PERIOD).await;
            let elapsed = load.elapsed();
            let (calls, failed) = load.counts();
            let position = match self.goal.count {
                Some(_) => calls,
                None => milliseconds(elapsed),
            };
            #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
            let rate = calls as f64 / elapsed.as_secs_f64();
            self.bar.set_position(position);
            self.bar
                .set_message(format!("{calls} calls, {rate:.0}/s, {failed} failed"));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// How often the bar moves.
const PERIOD: Duration = Duration::from_millis(100);
