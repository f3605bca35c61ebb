//! The table of the results.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use super::cell::{Cell, PAIRS, Security, Transport};

/// How many cells of one pair, transport and mechanism there are, and how many passed.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    passed: usize,
    all: usize,
}

/// The results so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    tallies: BTreeMap<(&'static str, &'static str, &'static str, &'static str), Tally>,
    failures: Vec<String>,
}

/// Where the table is kept.
pub(super) fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/interop.md")
}

impl Report {
    pub(super) fn add(&mut self, cell: &Cell, failure: Option<String>) {
        let key = (
            cell.pair.ours,
            cell.pair.theirs,
            cell.transport.name(),
            cell.security.mechanism(),
        );
        let tally = self.tallies.entry(key).or_default();
        tally.all += 1;
        match failure {
            None => tally.passed += 1,
            Some(failure) => self.failures.push(format!("{cell}: {failure}")),
        }
    }

    pub(super) fn failures(&self) -> &[String] {
        &self.failures
    }

    /// Returns the page.
    pub(super) fn render(&self) -> String {
        let mut mechanisms: Vec<&str> = Security::ALL.iter().map(|s| s.mechanism()).collect();
        mechanisms.dedup();
        let columns: Vec<(&str, &str)> = Transport::ALL
            .iter()
            .flat_map(|transport| mechanisms.iter().map(|m| (transport.name(), *m)))
            .collect();

        let mut text = HEAD.to_owned();
        text.push_str("| Ours | libzmq's |");
        for (transport, mechanism) in &columns {
            let _ = write!(text, " {transport}, {mechanism} |");
        }
        text.push_str("\n|---|---|");
        text.push_str(&":-:|".repeat(columns.len()));
        text.push('\n');
        let mut total = Tally::default();
        for pair in PAIRS {
            let _ = write!(text, "| {} | {} |", pair.ours, pair.theirs);
            for (transport, mechanism) in &columns {
                let key = (pair.ours, pair.theirs, *transport, *mechanism);
                let tally = self.tallies.get(&key).copied().unwrap_or_default();
                let _ = write!(text, " {}/{} |", tally.passed, tally.all);
                total.passed += tally.passed;
                total.all += tally.all;
            }
            text.push('\n');
        }
        let _ = writeln!(text, "\n{} of {} cells pass.", total.passed, total.all);
        text
    }
}

const HEAD: &str = "# Interoperation with libzmq

Written by the tests that it describes, and compared by them:

```sh
CONFORMANCE=write cargo test -p interop --test zmtp matrix
```

Against the libzmq of the pyzmq that `interop/requirements.txt` pins. Each number counts cells:
either side binds, and with PLAIN and CURVE either side is the server of the mechanism, whichever
binds. A cell exchanges messages of one to forty parts of 0 octets to 64 KiB, empty parts among
them, in each direction that the pair has. Over TCP without a mechanism both sockets are also closed
and replaced in turn, on the same port, and the exchange goes on. Beside the matrix, tests send 64 MiB
through every pair, and kill processes of either side. Left out is libzmq's REQ as the server of a
mechanism, which gets no replies from libzmq's sockets either.

";
