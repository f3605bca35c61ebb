//! Puts the results of a complete run into the `README.md` of the benchmarks and of the project.

use std::fs;
use std::path::Path;

use super::goals;
use super::summary::summary;
use super::table::{conditions, section};
use crate::error::BenchError;
use crate::run::Results;

const BEGIN: &str = "<!-- results -->\n";
const END: &str = "<!-- end of results -->";

/// Replaces what lies between the two marks of each page.
pub(crate) fn update_readmes(results: &Results) -> Result<(), BenchError> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    update(&home.join("README.md"), &tables_and_charts(results))?;
    update(&home.join("../README.md"), &summary(results))
}

fn update(path: &Path, results: &str) -> Result<(), BenchError> {
    let old = fs::read_to_string(path)?;
    if let Some(new) = replaced(&old, results) {
        fs::write(path, new)?;
    }
    Ok(())
}

fn tables_and_charts(results: &Results) -> String {
    let mut text = conditions(results);
    text.push_str("\n### Goals\n\n");
    text.push_str(&goals(results));
    for workload in results.workloads() {
        section(&mut text, results, workload);
        text.push_str(&format!(
            "\n![{}](results/{workload}.svg)\n",
            workload.title()
        ));
    }
    text
}

/// `None` if the marks are not there.
fn replaced(old: &str, results: &str) -> Option<String> {
    let (before, rest) = old.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{results}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_between_the_marks_is_replaced() {
        let old = format!("before\n{BEGIN}old\n{END}\nafter\n");
        let new = replaced(&old, "new").unwrap();
        assert_eq!(new, format!("before\n{BEGIN}\nnew\n{END}\nafter\n"));
        assert_eq!(replaced("no marks", "new"), None);
    }
}
