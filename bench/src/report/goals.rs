//! The goals and how they stand, as a table.

use super::table::aligned;
use crate::goals::{Verdict, judge};
use crate::run::Results;

/// The goals that the run has figures for; a line instead if it has none.
pub(crate) fn goals(results: &Results) -> String {
    let verdicts = judge(results);
    if verdicts.is_empty() {
        return "No goal can be judged by what was measured.\n".to_owned();
    }
    let header = [
        "workload",
        "contender",
        "figure",
        "goal",
        "bound",
        "measured",
        "",
    ];
    let mut lines = vec![header.map(str::to_owned).to_vec()];
    lines.extend(verdicts.iter().map(line));
    let mut text = String::new();
    aligned(&mut text, &lines);
    let met = verdicts.iter().filter(|verdict| verdict.met).count();
    text.push_str(&format!("\n{met} of {} are met.\n", verdicts.len()));
    text
}

fn line(verdict: &Verdict) -> Vec<String> {
    let percent = (verdict.missed_by * 100.0).abs();
    let outcome = if verdict.met {
        format!("met, by {percent:.0} %")
    } else {
        format!("**missed by {percent:.0} %**")
    };
    vec![
        verdict.workload.clone(),
        verdict.ours.clone(),
        verdict.figure.to_string(),
        verdict.goal.clone(),
        verdict.figure.format(verdict.bound),
        verdict.figure.format(verdict.measured),
        outcome,
    ]
}
