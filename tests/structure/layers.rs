//! The layers of `zmtp` and the seams between the crates.

use crate::source::{SourceFile, assert_none, rust_files, shipped_files};
use crate::strip::has_word;

/// The top-level modules of `zmtp` and the layer that each belongs to.
const ZMTP_LAYERS: [(&str, u8); 15] = [
    ("message", 0),
    ("endpoint", 0),
    ("wire", 0),
    ("curve", 0),
    ("codec", 1),
    ("mechanism", 1),
    ("zap", 1),
    ("session", 2),
    ("pattern", 2),
    ("transport", 3),
    ("driver", 3),
    ("authenticator", 3),
    ("socket", 4),
    ("blocking", 4),
    // In fuzz builds alone.
    ("fuzz_targets", 4),
];

#[test]
fn zmtp_modules_use_their_own_layer_or_a_lower_one() {
    let mut findings = Vec::new();
    for file in shipped_files("zmtp/src") {
        let path = file.module_path("zmtp/src");
        let Some(own) = path.first().copied() else {
            continue;
        };
        let Some(own_layer) = layer(own) else {
            findings.push(format!("{}: module `{own}` has no layer yet", file.path));
            continue;
        };
        for (line, target) in crate_references(&file, &path) {
            match layer(&target) {
                Some(used) if used <= own_layer => {}
                Some(_) => findings.push(format!("{}:{line}: `{own}` uses `{target}`", file.path)),
                None => findings.push(format!(
                    "{}:{line}: `{target}` at the crate root hides which layer is used",
                    file.path
                )),
            }
        }
    }
    assert_none("arrows of imports only point down", &findings);
}

#[test]
fn every_layer_of_zmtp_is_there() {
    let files = rust_files("zmtp/src");
    let missing: Vec<String> = ZMTP_LAYERS
        .iter()
        .filter(|(module, _)| {
            !files
                .iter()
                .any(|file| file.module_path("zmtp/src").first() == Some(module))
        })
        .map(|(module, _)| (*module).to_owned())
        .collect();
    assert_none("the layer table names a module that is gone", &missing);
}

#[test]
fn zrpc_names_the_protocol_core_by_its_alias() {
    let mut findings = Vec::new();
    for folder in [
        "zrpc/src",
        "zrpc/cli/src",
        "zrpc/examples",
        "tests",
        "interop",
    ] {
        for file in rust_files(folder) {
            for (line, code) in file.code_lines() {
                if has_word(&code, "zrpc_proto") {
                    findings.push(format!("{}:{line}", file.path));
                }
            }
        }
    }
    assert_none("the protocol core is called `proto`", &findings);
}

fn layer(module: &str) -> Option<u8> {
    ZMTP_LAYERS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, layer)| *layer)
}

/// Returns the top-level names that `file` reaches through `crate::` or a chain of `super::`.
fn crate_references(file: &SourceFile, module_path: &[&str]) -> Vec<(usize, String)> {
    let lines = file.shipped_lines();
    let mut references = Vec::new();
    let mut code = String::new();
    for (_, line) in &lines {
        code.push_str(line);
        code.push('\n');
    }
    for (at, _) in code.match_indices("crate::") {
        // A longer word, or `pub(in crate::…)`, which names no import.
        let word = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if !word && !code[..at].ends_with("in ") {
            add_names(&code, at, at + "crate::".len(), &mut references);
        }
    }
    for (at, _) in code.match_indices("super::") {
        if code[..at].ends_with("::") {
            continue;
        }
        let path = code[at..].trim_start_matches("super::");
        let count = (code.len() - at - path.len()) / "super::".len();
        if count == module_path.len() + inline_depth(&code[..at]) {
            add_names(&code, at, code.len() - path.len(), &mut references);
        }
    }
    references
}

fn add_names(code: &str, at: usize, path: usize, into: &mut Vec<(usize, String)>) {
    let line = code[..at].matches('\n').count() + 1;
    into.extend(
        first_names(&code[path..])
            .into_iter()
            .map(|name| (line, name)),
    );
}

/// How many `mod name { … }` are open at the end of `code`.
fn inline_depth(code: &str) -> usize {
    let mut open = Vec::new();
    let mut statement = 0;
    for (at, c) in code.char_indices() {
        match c {
            '{' => open.push(has_word(&code[statement..at], "mod")),
            '}' => drop(open.pop()),
            ';' => {}
            _ => continue,
        }
        statement = at + 1;
    }
    open.into_iter().filter(|is_module| *is_module).count()
}

/// Returns the first segments of a path or of each branch of a group: `a` and `b` of `{a::x, b}`.
fn first_names(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        return vec![ident(path)];
    };
    let mut names = Vec::new();
    let mut depth = 0_u32;
    let mut expecting = true;
    for (at, c) in group.char_indices() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => expecting = true,
            _ if expecting && !c.is_whitespace() => {
                names.push(ident(&group[at..]));
                expecting = false;
            }
            _ => {}
        }
    }
    names
}

fn ident(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{crate_references, first_names};
    use crate::source::SourceFile;

    #[test]
    fn groups_give_the_head_of_each_branch() {
        let heads = first_names("{message::{Message, Part}, wire::frame, driver}");
        assert_eq!(heads, ["message", "wire", "driver"]);
    }

    #[test]
    fn references_through_super_count() {
        let file = SourceFile {
            path: "zmtp/src/wire/frame.rs".to_owned(),
            text: "use super::super::socket::X;\nuse super::flags;\nuse crate::driver::Y;\n"
                .to_owned(),
        };
        let mut found = crate_references(&file, &["wire", "frame"]);
        found.sort();
        assert_eq!(found, [(1, "socket".to_owned()), (3, "driver".to_owned())]);
    }

    #[test]
    fn inline_modules_count_as_levels() {
        let file = SourceFile {
            path: "zmtp/src/wire/mod.rs".to_owned(),
            text: "mod a { use super::b; use super::super::socket::X; }".to_owned(),
        };
        let found = crate_references(&file, &["wire"]);
        assert_eq!(found, [(1, "socket".to_owned())]);
    }
}
