//! A chart for each workload: one bar per contender, a line from the slowest to the fastest round.

use std::fmt::Write as _;

use super::short;
use crate::contender::Entry;
use crate::measure::Measurement;
use crate::run::{Results, Row, Spread};
use crate::workload::Workload;

const WIDTH: f64 = 760.0;
const LABELS: f64 = 210.0;
const BARS: f64 = 430.0;
const LINE: f64 = 30.0;
const TOP: f64 = 52.0;

/// The chart as SVG. Longer is better, except where time or memory is measured.
pub(super) fn chart(results: &Results, workload: Workload) -> String {
    let mut rows: Vec<(&Row, Spread)> =
        results.of(workload).map(|row| (row, figure(row))).collect();
    rows.sort_by(|(_, one), (_, other)| {
        if shorter_is_better(workload) {
            one.median.total_cmp(&other.median)
        } else {
            other.median.total_cmp(&one.median)
        }
    });
    let longest = rows
        .iter()
        .map(|(_, spread)| spread.max)
        .fold(0.0, f64::max);
    let height = TOP + LINE * rows.len() as f64 + 10.0;
    let mut svg = String::new();
    // Writing to a string does not fail.
    let _ = write!(
        svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="system-ui, sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="12" y="22" font-size="15" font-weight="600" fill="#1f2328">{}</text>
<text x="12" y="40" font-size="11" fill="#59636e">{}</text>
"##,
        workload.title(),
        subtitle(workload),
    );
    for (number, (row, spread)) in rows.iter().enumerate() {
        let y = TOP + LINE * number as f64;
        bar(&mut svg, y, BARS / longest, (row.entry, *spread));
    }
    svg.push_str("</svg>\n");
    svg
}

/// What the bars show.
fn figure(row: &Row) -> Spread {
    let special = if row.workload.is_about_latency() {
        row.latency(|latency| latency.p50)
    } else {
        row.footprint(|footprint| footprint.used_bytes / 1024.0)
    };
    special.unwrap_or_else(|| row.spread(Measurement::rate))
}

fn shorter_is_better(workload: Workload) -> bool {
    workload.is_about_latency() || matches!(workload, Workload::Connections { .. })
}

fn subtitle(workload: Workload) -> String {
    if workload.is_about_latency() {
        "median time in µs, shorter is better".to_owned()
    } else if shorter_is_better(workload) {
        "memory after some messages in KiB each, shorter is better".to_owned()
    } else {
        format!("{}, longer is better", workload.unit())
    }
}

fn bar(svg: &mut String, y: f64, scale: f64, (entry, spread): (Entry, Spread)) {
    let colour = match entry.contender {
        ours if ours.is_ours() => "#c2410c",
        limit if limit.is_limit() => "#d0d7de",
        _ => "#6e8fb5",
    };
    let middle = y + LINE / 2.0;
    let _ = write!(
        svg,
        r##"<text x="{}" y="{}" text-anchor="end" fill="#1f2328">{entry}</text>
<rect x="{LABELS}" y="{}" width="{:.1}" height="{}" rx="2" fill="{colour}"/>
<line x1="{:.1}" x2="{:.1}" y1="{middle}" y2="{middle}" stroke="#1f2328" stroke-width="1.5"/>
<text x="{:.1}" y="{}" fill="#1f2328">{}</text>
"##,
        LABELS - 10.0,
        middle + 4.5,
        y + 4.0,
        spread.median * scale,
        LINE - 8.0,
        LABELS + spread.min * scale,
        LABELS + spread.max * scale,
        LABELS + spread.max * scale + 8.0,
        middle + 4.5,
        short(spread.median),
    );
}
