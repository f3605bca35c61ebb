//! What a dropped future leaves behind is said of each public method, and tested.

use crate::source::{SourceFile, assert_none, rust_files, shipped_files};
use crate::strip::has_word;

/// The crates that offer futures, and where the tests are that drop them.
const CRATES: [(&str, &str); 2] = [
    ("zmtp/src", "zmtp/tests/sockets/cancellation"),
    ("zrpc/src", "zrpc/tests/end_to_end/cancel_storm"),
];

/// Public for the code that `#[zrpc::service]` writes, which alone can name what is in there.
const GENERATED: &str = "zrpc/src/service/lending.rs";

/// A public method that returns a future, and what is written about it.
struct Method {
    place: String,
    name: String,
    documentation: String,
}

#[test]
fn every_future_says_what_it_means_to_drop_it() {
    let methods: Vec<Method> = CRATES
        .iter()
        .flat_map(|(folder, _)| methods(folder))
        .collect();
    assert!(methods.len() > 100, "they are found");
    let findings: Vec<String> = methods
        .iter()
        .filter(|method| !method.documentation.contains("# Cancel safety"))
        .map(|method| format!("{}: {}", method.place, method.name))
        .collect();
    assert_none("public futures have a section on cancel safety", &findings);
}

// INT-044
#[test]
fn the_futures_of_every_name_are_dropped_in_a_test() {
    let mut findings = Vec::new();
    for (folder, tests) in CRATES {
        let files = rust_files(tests).into_iter();
        let tests: String = files.map(|file| file.text).collect();
        let dropped = |method: &Method| {
            // With the types of what it returns, perhaps.
            ["(", "::<"]
                .map(|end| format!("{}{end}", method.name))
                .iter()
                .any(|call| has_word(&tests, call))
        };
        let left = methods(folder)
            .into_iter()
            .filter(|method| !method.place.starts_with(GENERATED) && !dropped(method));
        findings.extend(left.map(|method| format!("{}: {}", method.place, method.name)));
    }
    assert_none("public futures are dropped half-way by a test", &findings);
}

fn methods(folder: &str) -> Vec<Method> {
    shipped_files(folder).iter().flat_map(methods_of).collect()
}

fn methods_of(file: &SourceFile) -> Vec<Method> {
    let lines: Vec<&str> = file.text.lines().map(str::trim_start).collect();
    let mut methods = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = name_of_future(&lines, index, line) else {
            continue;
        };
        let mut above: Vec<&str> = lines[..index]
            .iter()
            .rev()
            .take_while(|line| line.starts_with("///") || line.starts_with("#["))
            .copied()
            .collect();
        above.reverse();
        // A private function of a file with a public trait is no method of the trait.
        if line.starts_with("fn ") && !above.iter().any(|line| line.starts_with("///")) {
            continue;
        }
        methods.push(Method {
            place: format!("{}:{}", file.path, index + 1),
            name: name.to_owned(),
            documentation: above.join("\n"),
        });
    }
    methods
}

/// The name of the method that begins in a line, if it is public and what it returns is a future.
fn name_of_future<'a>(lines: &[&str], index: usize, line: &'a str) -> Option<&'a str> {
    let name = |rest: &'a str| rest.split(['(', '<']).next();
    if let Some(rest) = line.strip_prefix("pub async fn ") {
        return name(rest);
    }
    let in_trait = || {
        let before = &lines[..index];
        let starts = |word: &'static str| before.iter().rposition(|line| line.starts_with(word));
        starts("pub trait ") > starts("impl").max(starts("trait "))
    };
    let rest = match line.strip_prefix("pub fn ") {
        Some(rest) => rest,
        None => line.strip_prefix("fn ").filter(|_| in_trait())?,
    };
    let signature: String = lines[index..]
        .iter()
        .take_while(|line| !line.is_empty() && !line.starts_with("///"))
        .flat_map(|line| [line, " "])
        .collect();
    let signature = signature.split(['{', ';']).next().unwrap_or_default();
    name(rest).filter(|_| signature.contains("-> impl Future"))
}
