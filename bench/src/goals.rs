//! What this project wants to reach, as data, and whether a run did.
//!
//! A goal is a ratio to another contender of the same run, or a plain figure. The multi-thread
//! runtime may be a third worse than what a goal asks of the current-thread one, but where the
//! goal is about rivals, never worse than they are.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::cli::Runtime;
use crate::contender::Contender;
use crate::measure::Measurement;
use crate::run::{Results, Row};
use crate::workload::Workload;

/// What is compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Figure {
    /// Operations per second.
    Rate,
    P50,
    P99,
    /// Bytes for each connection after some traffic.
    UsedMemory,
    /// How often a process that has nothing to do wakes up per second.
    WakeUps,
    /// Bytes of the program.
    Size,
    /// Our part of the processor time of both sides.
    CpuShare,
}

impl Figure {
    fn of(self, row: &Row) -> Option<f64> {
        match self {
            Self::Rate => Some(row.spread(Measurement::rate).median),
            Self::P50 => Some(row.latency(|latency| latency.p50)?.median),
            Self::P99 => Some(row.latency(|latency| latency.p99)?.median),
            Self::UsedMemory => Some(row.footprint(|footprint| footprint.used_bytes)?.median),
            Self::WakeUps => Some(row.footprint(|footprint| footprint.wake_ups)?.median),
            Self::Size => row.size(),
            Self::CpuShare => {
                let share = |one: &Measurement| {
                    let ours = match row.entry.contender {
                        Contender::ZrpcToPython => one.client_cpu,
                        _ => one.server_cpu,
                    };
                    ours / (one.server_cpu + one.client_cpu)
                };
                Some(row.spread(share).median)
            }
        }
    }

    /// Whether more of it is better.
    fn is_a_gain(self) -> bool {
        matches!(self, Self::Rate)
    }

    /// The name for tables.
    fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::P50 => "p50",
            Self::P99 => "p99",
            Self::UsedMemory => "memory after traffic",
            Self::WakeUps => "wake-ups while idle",
            Self::Size => "size",
            Self::CpuShare => "share of the CPU time",
        }
    }

    /// A value of it in a unit for people.
    pub(crate) fn format(self, value: f64) -> String {
        const KIB: f64 = 1024.0;
        match self {
            Self::Rate => format!("{}/s", crate::report::short(value)),
            Self::P50 | Self::P99 => format!("{value:.1} µs"),
            Self::UsedMemory => format!("{:.1} KiB", value / KIB),
            Self::WakeUps => format!("{value:.1}/s"),
            Self::Size => format!("{:.2} MiB", value / (KIB * KIB)),
            Self::CpuShare => format!("{:.1} %", value * 100.0),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What it is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Against {
    /// So many times the figure of a contender, on the better of its runtimes.
    Contender(f64, Contender),
    /// So many times the best of all that are neither ours nor a limit of the machine.
    BestRival(f64),
    /// So many times our own figure in another workload.
    Workload(f64, Workload, Contender),
    /// A plain figure.
    Value(f64),
}

/// One thing to reach.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    pub(crate) workload: Workload,
    pub(crate) ours: Contender,
    pub(crate) figure: Figure,
    pub(crate) against: Against,
}

/// How one goal stands in a run, on one runtime.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) workload: String,
    /// Contender and runtime.
    pub(crate) ours: String,
    pub(crate) figure: Figure,
    /// In words.
    pub(crate) goal: String,
    /// Our figure.
    pub(crate) measured: f64,
    /// What it must reach, or stay below.
    pub(crate) bound: f64,
    pub(crate) met: bool,
    /// What is missing, as a part of the bound; negative if the goal is met with room.
    pub(crate) missed_by: f64,
}

/// The goals of a workload.
fn goals(workload: Workload) -> Vec<Goal> {
    use Against::{BestRival, Value};
    use Contender as C;
    use Figure::{CpuShare, P50, P99, Rate, Size, UsedMemory, WakeUps};
    use Workload as W;

    let times = Against::Contender;
    let of = |ours, list: &[(Figure, Against)]| -> Vec<Goal> {
        let goal = |&(figure, against)| Goal {
            workload,
            ours,
            figure,
            against,
        };
        list.iter().map(goal).collect()
    };
    let rate = |list: &[Against]| {
        let list: Vec<_> = list.iter().map(|against| (Rate, *against)).collect();
        of(C::Zmtp, &list)
    };
    match workload {
        W::PushPull { size: 16 } => rate(&[
            times(4.0, C::Libzmq),
            times(0.7, C::RawFramed),
            BestRival(1.0),
        ]),
        W::PushPull { size: 256 | 1024 } => {
            rate(&[times(5.0, C::Libzmq), times(1.0, C::RawFramed)])
        }
        W::PushPull { .. } => rate(&[times(2.0, C::Libzmq), times(1.0, C::RawFramed)]),
        W::Curve { .. } => rate(&[times(1.0, C::Libzmq)]),
        W::Inproc { .. } => rate(&[times(2.0, C::Libzmq)]),
        W::DealerRouter { .. } => rate(&[times(3.0, C::Libzmq), BestRival(1.0)]),
        W::Echo { .. } => rate(&[times(2.0, C::Libzmq), BestRival(1.0)]),
        W::RoundTrip { .. } => {
            let list = [
                (P50, times(1.05, C::Raw)),
                (P99, times(1.05, C::Raw)),
                (P50, times(0.5, C::Libzmq)),
                (P99, times(0.5, C::Libzmq)),
            ];
            [of(C::Zmtp, &list), of(C::ZmtpBusyWait, &list)].concat()
        }
        W::PubSub { .. } => rate(&[times(2.5, C::Libzmq), times(1.5, C::Omq)]),
        // Independent of the number, but for what two runs differ anyway.
        W::Subscriptions { idle } if idle > 0 => rate(&[Against::Workload(
            0.9,
            W::Subscriptions { idle: 0 },
            C::Zmtp,
        )]),
        W::Subscriptions { .. } => Vec::new(),
        W::Connections { .. } => of(
            C::Zmtp,
            &[
                (UsedMemory, Value(4.0 * 1024.0)),
                (WakeUps, Value(1.0)),
                (Rate, Value(10_000.0)),
            ],
        ),
        W::RpcSequential => {
            let round_trip = W::RoundTrip { size: 64 };
            let list = [
                (Rate, times(20.0, C::PythonZerorpc)),
                (P50, Against::Workload(1.25, round_trip, C::Zmtp)),
            ];
            let mut goals = [of(C::Zrpc, &list), of(C::ZrpcBusyWait, &list)].concat();
            goals.extend(of(C::PythonToZrpc, &[(CpuShare, Value(0.05))]));
            goals.extend(of(C::ZrpcToPython, &[(CpuShare, Value(0.05))]));
            goals
        }
        W::RpcInFlight { .. } => {
            let against = [
                times(1.7, C::Tarpc),
                times(6.0, C::Tonic),
                times(4.0, C::Jsonrpsee),
                times(1.0, C::MsgpackRpc),
                times(100.0, C::PythonZerorpc),
            ];
            let list = against.map(|against| (Rate, against));
            let mut goals = of(C::Zrpc, &list);
            goals.extend(of(C::PythonToZrpc, &[(CpuShare, Value(0.05))]));
            goals.extend(of(C::ZrpcToPython, &[(CpuShare, Value(0.05))]));
            goals
        }
        W::RpcStream => of(
            C::Zrpc,
            &[
                (Rate, times(100.0, C::PythonZerorpc)),
                (Rate, times(2.0, C::Tonic)),
            ],
        ),
        W::Start => of(
            C::ZrpcCommand,
            &[(P50, Value(3000.0)), (Size, Value(6.0 * 1024.0 * 1024.0))],
        ),
    }
}

/// How the goals stand that the run has figures for.
pub(crate) fn judge(results: &Results) -> Vec<Verdict> {
    let goals = Workload::ALL.into_iter().flat_map(goals);
    goals
        .flat_map(|goal| {
            let ours = results
                .of(goal.workload)
                .filter(move |row| row.entry.contender == goal.ours);
            ours.filter_map(move |row| verdict(results, &goal, row))
        })
        .collect()
}

fn verdict(results: &Results, goal: &Goal, row: &Row) -> Option<Verdict> {
    let measured = goal.figure.of(row)?;
    let multi_thread =
        row.entry.runtime == Some(Runtime::MultiThread) && is_about_speed(goal.figure);
    let (bound, text) = bound(results, goal, row, multi_thread)?;
    let missed_by = if goal.figure.is_a_gain() {
        (bound - measured) / bound
    } else {
        (measured - bound) / bound
    };
    Some(Verdict {
        workload: goal.workload.to_string(),
        ours: row.entry.to_string(),
        figure: goal.figure,
        goal: text,
        measured,
        bound,
        met: missed_by <= 0.0,
        missed_by,
    })
}

fn is_about_speed(figure: Figure) -> bool {
    matches!(figure, Figure::Rate | Figure::P50 | Figure::P99)
}

/// The figure to reach, and how it came about.
fn bound(results: &Results, goal: &Goal, row: &Row, multi_thread: bool) -> Option<(f64, String)> {
    let figure = goal.figure;
    let sign = if figure.is_a_gain() { "≥" } else { "≤" };
    let (factor, reference, name) = match goal.against {
        Against::Value(value) => return Some((value, format!("{sign} {}", figure.format(value)))),
        Against::Contender(factor, contender) => {
            let rows = results.of(goal.workload);
            let rows = rows.filter(|row| row.entry.contender == contender);
            (factor, best(figure, rows)?, contender.name().to_owned())
        }
        Against::BestRival(factor) => {
            let rows = results.of(goal.workload);
            let rows = rows.filter(|row| {
                let contender = row.entry.contender;
                !contender.is_ours() && !contender.is_limit()
            });
            (factor, best(figure, rows)?, "the best rival".to_owned())
        }
        Against::Workload(factor, workload, contender) => {
            let mut rows = results.of(workload);
            let same = rows.find(|other| {
                other.entry.contender == contender && other.entry.runtime == row.entry.runtime
            })?;
            let value = figure.of(same)?;
            return Some((
                value * factor,
                format!("{sign} {factor} × ours in {workload}"),
            ));
        }
    };
    let factor = match goal.against {
        _ if !multi_thread => factor,
        Against::BestRival(_) => factor,
        // The allowance ends where the rival is.
        Against::Contender(_, contender) if !contender.is_limit() => {
            let eased = eased(figure, factor);
            if figure.is_a_gain() {
                eased.max(factor.min(1.0))
            } else {
                eased.min(factor.max(1.0))
            }
        }
        _ => eased(figure, factor),
    };
    Some((
        reference * factor,
        format!("{sign} {} × {name}", rounded(factor)),
    ))
}

/// A factor with the allowance of the multi-thread runtime.
fn eased(figure: Figure, factor: f64) -> f64 {
    if figure.is_a_gain() {
        factor * 2.0 / 3.0
    } else {
        factor * 1.5
    }
}

fn best<'a>(figure: Figure, rows: impl Iterator<Item = &'a Row>) -> Option<f64> {
    let figures = rows.filter_map(|row| figure.of(row));
    figures.reduce(|one, other| {
        if figure.is_a_gain() {
            one.max(other)
        } else {
            one.min(other)
        }
    })
}

fn rounded(factor: f64) -> String {
    let text = format!("{factor:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
