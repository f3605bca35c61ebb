//! What was measured, as a table and as a document.

use std::io::{self, Write};

use hdrhistogram::Histogram;
use rmpv::Value;

use super::tally::Tally;
use crate::args::Form;
use crate::output::{Look, Printer};
use crate::render::on_one_line;

/// What was called, and how.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Setup {
    /// The method.
    pub(super) method: String,
    /// Calls in flight.
    pub(super) concurrency: usize,
    /// Connections.
    pub(super) connections: usize,
    /// Calls a second, if that was asked for.
    pub(super) rate: Option<f64>,
}

/// The result of a series of calls.
#[derive(Clone, Debug)]
pub(super) struct Report {
    setup: Setup,
    tally: Tally,
}

impl Report {
    pub(super) fn new(setup: Setup, tally: Tally) -> Self {
        Self { setup, tally }
    }

    pub(super) fn answered(&self) -> u64 {
        self.tally.latency.len()
    }

    pub(super) fn failed(&self) -> u64 {
        self.tally.failed()
    }

    /// Prints it, as a table unless another form was asked for.
    ///
    /// # Errors
    ///
    /// Whatever the writer reports.
    pub(super) fn print<W: Write>(&self, mut printer: Printer<W>, look: Look) -> io::Result<()> {
        if look.form != Form::Pretty {
            return printer.print(&self.to_value());
        }
        let mut out = io::stdout();
        out.write_all(self.to_table().as_bytes())?;
        out.flush()
    }

    fn to_value(&self) -> Value {
        let (setup, tally) = (&self.setup, &self.tally);
        let failures = tally.failures.iter();
        let failures = failures.map(|(kind, count)| (kind.as_str().into(), (*count).into()));
        let mut entries = vec![
            ("method", setup.method.as_str().into()),
            ("concurrency", (setup.concurrency as u64).into()),
            ("connections", (setup.connections as u64).into()),
            ("rate", setup.rate.map_or(Value::Nil, Value::F64)),
            ("seconds", tally.elapsed.as_secs_f64().into()),
            ("calls", tally.latency.len().into()),
            (
                "calls_per_second",
                self.per_second(tally.latency.len()).into(),
            ),
            ("items", tally.items.into()),
            ("items_per_second", self.per_second(tally.items).into()),
            ("failed", tally.failed().into()),
            ("failures", Value::Map(failures.collect())),
            ("unfinished", tally.unfinished.into()),
            ("latency_seconds", distribution(&tally.latency)),
        ];
        if !tally.first_item.is_empty() {
            entries.push(("first_item_seconds", distribution(&tally.first_item)));
        }
        let buckets = buckets(&tally.latency).into_iter();
        let buckets = buckets.map(|(bound, count)| {
            map(vec![
                ("up_to_seconds", seconds(bound).into()),
                ("count", count.into()),
            ])
        });
        entries.push(("histogram", Value::Array(buckets.collect())));
        map(entries)
    }

    fn to_table(&self) -> String {
        let (setup, tally) = (&self.setup, &self.tally);
        let mut text = format!(
            "{}: {} in flight over {} for {:.2} s\n\n",
            on_one_line(&setup.method),
            counted(setup.concurrency as u64, "call"),
            counted(setup.connections as u64, "connection"),
            tally.elapsed.as_secs_f64(),
        );
        let answered = tally.latency.len();
        let rate = self.per_second(answered);
        text.push_str(&format!("answered    {answered:>12} {rate:>14.1}/s\n"));
        if tally.items > 0 {
            let (items, rate) = (tally.items, self.per_second(tally.items));
            text.push_str(&format!("items       {items:>12} {rate:>14.1}/s\n"));
        }
        text.push_str(&format!("failed      {:>12}\n", tally.failed()));
        for (kind, count) in &tally.failures {
            text.push_str(&format!("  {count:>22} {}\n", on_one_line(kind)));
        }
        if tally.unfinished > 0 {
            text.push_str(&format!("unfinished  {:>12}\n", tally.unfinished));
        }
        push_latency(&mut text, "latency", &tally.latency);
        push_latency(&mut text, "first item", &tally.first_item);
        let buckets = buckets(&tally.latency);
        let most = buckets.iter().map(|(_, count)| *count).max().unwrap_or(0);
        if most > 0 {
            text.push_str("\nhistogram\n");
        }
        for (bound, count) in buckets {
            let bar = "#".repeat(bar_len(count, most));
            let share = ratio(count, answered) * 100.0;
            let bound = format!("<= {}", shown(bound));
            let line = format!("  {bound:<12} {share:>6.2} %  {bar}");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    fn per_second(&self, count: u64) -> f64 {
        let seconds = self.tally.elapsed.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate is no exact number")]
        let rate = count as f64 / seconds;
        if rate.is_finite() { rate } else { 0.0 }
    }
}

fn push_latency(text: &mut String, name: &str, histogram: &Histogram<u64>) {
    if histogram.is_empty() {
        return;
    }
    text.push_str(&format!("\n{name}\n"));
    for (label, nanoseconds) in summary(histogram) {
        text.push_str(&format!("  {label:<9} {:>12}\n", shown(nanoseconds)));
    }
}

/// The times that are told of a distribution, in nanoseconds.
fn summary(histogram: &Histogram<u64>) -> Vec<(&'static str, u64)> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a mean lies between the smallest and the largest value"
    )]
    let mean = histogram.mean() as u64;
    let quantiles = QUANTILES.iter();
    let quantiles =
        quantiles.map(|&(name, quantile)| (name, histogram.value_at_quantile(quantile)));
    let mut times = vec![("min", histogram.min()), ("mean", mean)];
    times.extend(quantiles);
    times.push(("max", histogram.max()));
    times
}

fn distribution(histogram: &Histogram<u64>) -> Value {
    let times = summary(histogram).into_iter();
    let times = times.map(|(name, nanoseconds)| (name, Value::F64(seconds(nanoseconds))));
    match histogram.is_empty() {
        true => Value::Nil,
        false => map(times.collect()),
    }
}

/// Counts values between bounds that grow as 1, 2, 5, 10; from the first that has one to the last.
fn buckets(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
    if histogram.is_empty() {
        return Vec::new();
    }
    let mut bounds = (0..).flat_map(|power| {
        let unit = 10_u64.saturating_pow(power);
        [1, 2, 5].map(|step| unit.saturating_mul(step))
    });
    let mut counted: Vec<(u64, u64)> = Vec::new();
    let mut bound = 0;
    for recorded in histogram.iter_recorded() {
        // Values that cannot be told apart count as the smallest of them.
        let value = histogram.lowest_equivalent(recorded.value_iterated_to());
        while bound < value || bound == 0 {
            bound = bounds.next().unwrap_or(u64::MAX);
            if bound >= value || !counted.is_empty() {
                counted.push((bound, 0));
            }
        }
        if let Some((_, count)) = counted.last_mut() {
            *count += recorded.count_at_value();
        }
    }
    counted
}

fn map(entries: Vec<(&str, Value)>) -> Value {
    let entries = entries.into_iter();
    Value::Map(entries.map(|(name, value)| (name.into(), value)).collect())
}

#[expect(clippy::cast_precision_loss, reason = "three digits are measured")]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

/// A time with three digits.
fn shown(nanoseconds: u64) -> String {
    let seconds = seconds(nanoseconds);
    let (value, unit) = match seconds {
        // What would be rounded to a thousand is one of the next unit.
        _ if seconds < 0.9995e-6 => (seconds * 1e9, "ns"),
        _ if seconds < 0.9995e-3 => (seconds * 1e6, "us"),
        _ if seconds < 0.9995 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    let digits = match value {
        _ if value < 10.0 => 2,
        _ if value < 100.0 => 1,
        _ => 0,
    };
    // A bound is a round number.
    let text = format!("{value:.digits$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    format!("{text} {unit}")
}

fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share is no exact number")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of the width"
)]
fn bar_len(count: u64, most: u64) -> usize {
    (ratio(count, most) * WIDTH as f64).ceil() as usize
}

/// The quantiles that are shown.
const QUANTILES: [(&str, f64); 6] = [
    ("p50", 0.5),
    ("p75", 0.75),
    ("p90", 0.9),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("p99.99", 0.9999),
];

/// The columns of the longest bar.
const WIDTH: usize = 40;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tally::Call;
    use super::*;

    fn report() -> Report {
        let mut tally = Tally::default();
        for milliseconds in [1, 1, 1, 30] {
            tally.record(Call::answered(Duration::from_millis(milliseconds)));
        }
        tally.record(Call::failed("Value\x1bError".to_owned()));
        tally.elapsed = Duration::from_secs(2);
        tally.unfinished = 1;
        let setup = Setup {
            method: "hello".to_owned(),
            concurrency: 2,
            connections: 1,
            rate: None,
        };
        Report::new(setup, tally)
    }

    #[test]
    fn the_table_tells_everything() {
        let table = report().to_table();
        let lines: Vec<_> = table.lines().collect();
        let expected = "hello: 2 calls in flight over 1 connection for 2.00 s";
        assert_eq!(lines.first(), Some(&expected));
        for line in [
            "answered               4            2.0/s",
            "failed                 1",
            "                       1 Value\\x1bError",
            "unfinished             1",
            "  p50               1 ms",
        ] {
            assert!(lines.contains(&line), "{line:?} in\n{table}");
        }
        assert!(table.contains("<= 1 ms      "), "{table}");
        assert!(table.contains("<= 50 ms      25.00 %  #"), "{table}");
    }

    #[test]
    fn the_document_has_the_same_numbers() {
        let value = report().to_value();
        assert_eq!(value["calls"], Value::from(4));
        assert_eq!(value["failed"], Value::from(1));
        assert_eq!(value["calls_per_second"], Value::F64(2.0));
        assert_eq!(value["failures"]["Value\x1bError"], Value::from(1));
        let histogram = value["histogram"].as_array().unwrap();
        let counts = histogram
            .iter()
            .filter_map(|bucket| bucket["count"].as_u64());
        assert_eq!(counts.sum::<u64>(), 4);
        let median = value["latency_seconds"]["p50"].as_f64().unwrap();
        assert!((0.000_99..0.001_01).contains(&median), "{median}");
    }

    #[test]
    fn nothing_measured_is_no_division_by_zero() {
        let report = Report::new(report().setup, Tally::default());
        assert!(
            report
                .to_table()
                .contains("answered               0            0.0/s")
        );
        assert_eq!(report.to_value()["latency_seconds"], Value::Nil);
    }

    #[test]
    fn times_have_their_unit() {
        for (nanoseconds, expected) in [
            (1, "1 ns"),
            (1_500, "1.5 us"),
            (999_936, "1 ms"),
            (50_000_000, "50 ms"),
            (123_456_789, "123 ms"),
            (2_000_000_000, "2 s"),
        ] {
            assert_eq!(shown(nanoseconds), expected);
        }
    }
}
