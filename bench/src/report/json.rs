//! `latest.json`: every measurement and its summary.

use serde::Serialize;

use crate::error::BenchError;
use crate::goals::{self, Verdict};
use crate::measure::Measurement;
use crate::run::{Results, Row, Spread};

#[derive(Serialize)]
struct Document<'a> {
    machine: &'a crate::run::Machine,
    seconds: f64,
    rounds: usize,
    results: Vec<Entry<'a>>,
    goals: Vec<Verdict>,
}

#[derive(Serialize)]
struct Entry<'a> {
    workload: String,
    contender: &'static str,
    runtime: Option<&'static str>,
    unit: &'static str,
    per_second: Spread,
    /// Processor time of both processes, nanoseconds per operation.
    cpu_per_operation: Spread,
    p50_microseconds: Option<Spread>,
    p99_microseconds: Option<Spread>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_bytes: Option<Spread>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_bytes: Option<Spread>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<f64>,
    measurements: &'a [Measurement],
}

pub(super) fn json(results: &Results) -> Result<String, BenchError> {
    let document = Document {
        machine: &results.machine,
        seconds: results.seconds,
        rounds: results.rounds,
        results: results
            .workloads()
            .flat_map(|workload| results.of(workload))
            .map(entry)
            .collect(),
        goals: goals::judge(results),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn entry(row: &Row) -> Entry<'_> {
    Entry {
        workload: row.workload.to_string(),
        contender: row.entry.contender.name(),
        runtime: row.entry.runtime.map(crate::cli::Runtime::name),
        unit: row.workload.unit(),
        per_second: row.spread(Measurement::rate),
        cpu_per_operation: row.spread(Measurement::cpu_per_operation),
        p50_microseconds: row.latency(|latency| latency.p50),
        p99_microseconds: row.latency(|latency| latency.p99),
        idle_bytes: row.footprint(|footprint| footprint.idle_bytes),
        used_bytes: row.footprint(|footprint| footprint.used_bytes),
        size: row.size(),
        measurements: &row.measurements,
    }
}
