//! The few figures that the `README.md` of the project shows.

use super::table::{aligned, machine_and_rounds, short};
use crate::cli::Runtime;
use crate::contender::Contender;
use crate::measure::Measurement;
use crate::run::{Results, Row};
use crate::workload::Workload;

/// One table for the sockets and one for the RPC, with the conditions that both were measured under.
pub(super) fn summary(results: &Results) -> String {
    let mut text = format!("{}; medians\n", machine_and_rounds(results));
    for table in [&SOCKETS, &RPC] {
        text.push('\n');
        let header = ["", table.columns[0].title, table.columns[1].title];
        let header = header.into_iter().chain(table.baseline);
        let mut lines = vec![header.map(str::to_owned).collect::<Vec<_>>()];
        let workloads = table.workloads.iter().copied();
        lines.extend(workloads.filter_map(|workload| table.line(results, workload)));
        lines.extend(table.also.iter().filter_map(|also| also.line(results)));
        aligned(&mut text, &lines);
    }
    text
}

struct Table {
    workloads: &'static [Workload],
    columns: [Column; 2],
    /// What stands above the baseline, and above the ratio of the first column to it.
    baseline: [&'static str; 2],
    also: &'static [BusyWait],
}

/// One of ours, on one of the runtimes.
struct Column {
    title: &'static str,
    contender: Contender,
    runtime: Runtime,
}

/// A line of its own: what becomes of a figure if a core is spent on it.
struct BusyWait {
    workload: Workload,
    contender: Contender,
}

const SOCKETS: Table = Table {
    workloads: &[
        Workload::PushPull { size: 16 },
        Workload::PushPull { size: 256 },
        Workload::PushPull { size: 1024 },
        Workload::PushPull { size: 65536 },
        Workload::Curve { size: 1024 },
        Workload::Curve { size: 65536 },
        Workload::DealerRouter { size: 16 },
        Workload::Echo {
            size: 64,
            in_flight: 64,
        },
        Workload::PubSub {
            subscribers: 1,
            size: 64,
        },
        Workload::PubSub {
            subscribers: 8,
            size: 64,
        },
        ROUND_TRIP,
    ],
    columns: [
        Column {
            title: "zmtp, current-thread",
            contender: Contender::Zmtp,
            runtime: Runtime::CurrentThread,
        },
        Column {
            title: "zmtp, multi-thread",
            contender: Contender::Zmtp,
            runtime: Runtime::MultiThread,
        },
    ],
    baseline: ["libzmq", "ratio"],
    also: &[BusyWait {
        workload: ROUND_TRIP,
        contender: Contender::ZmtpBusyWait,
    }],
};

const RPC: Table = Table {
    workloads: &[
        Workload::RpcSequential,
        Workload::RpcInFlight { calls: 100 },
        Workload::RpcInFlight { calls: 1000 },
        Workload::RpcStream,
    ],
    columns: [
        Column {
            title: "zrpc",
            contender: Contender::Zrpc,
            runtime: Runtime::CurrentThread,
        },
        Column {
            title: "zrpc, `IoRuntime::Current`",
            contender: Contender::ZrpcSharedIo,
            runtime: Runtime::CurrentThread,
        },
    ],
    baseline: ["Python zerorpc", "ratio"],
    also: &[BusyWait {
        workload: Workload::RpcSequential,
        contender: Contender::ZrpcBusyWait,
    }],
};

const ROUND_TRIP: Workload = Workload::RoundTrip { size: 64 };

impl Table {
    fn line(&self, results: &Results, workload: Workload) -> Option<Vec<String>> {
        let baseline = results.baseline(workload)?;
        let rows = self
            .columns
            .each_ref()
            .map(|column| column.row(results, workload));
        let [first, second] = rows;
        let first = first?;
        Some(vec![
            title(workload),
            shown(first),
            second.map(shown).unwrap_or_default(),
            shown(baseline),
            ratio(first, baseline),
        ])
    }
}

impl Column {
    fn row<'a>(&self, results: &'a Results, workload: Workload) -> Option<&'a Row> {
        results.of(workload).find(|row| {
            row.entry.contender == self.contender && row.entry.runtime == Some(self.runtime)
        })
    }
}

impl BusyWait {
    fn line(&self, results: &Results) -> Option<Vec<String>> {
        let baseline = results.baseline(self.workload)?;
        let mut rows = results.of(self.workload);
        let row = rows.find(|row| row.entry.contender == self.contender)?;
        Some(vec![
            format!("{}, with `busy_wait`", title(self.workload)),
            shown(row),
            String::new(),
            shown(baseline),
            ratio(row, baseline),
        ])
    }
}

/// What its table is called, and which figure is shown of it.
fn title(workload: Workload) -> String {
    if workload.is_about_latency() {
        format!("{}, median", workload.title())
    } else {
        workload.title()
    }
}

fn shown(row: &Row) -> String {
    match time(row) {
        Some(microseconds) => format!("{microseconds:.0} µs"),
        None => format!("{}/s", short(rate(row))),
    }
}

/// By how much a row is better than the baseline.
fn ratio(row: &Row, baseline: &Row) -> String {
    let ratio = match (time(row), time(baseline)) {
        (Some(ours), Some(theirs)) => theirs / ours,
        _ => rate(row) / rate(baseline),
    };
    format!("{ratio:.1}")
}

fn rate(row: &Row) -> f64 {
    row.spread(Measurement::rate).median
}

/// The median time of one operation in microseconds, where that is what counts.
fn time(row: &Row) -> Option<f64> {
    let latency = row
        .workload
        .is_about_latency()
        .then(|| row.latency(|one| one.p50))?;
    latency.map(|spread| spread.median)
}
