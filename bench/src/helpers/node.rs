//! Node's zerorpc: packages that npm installs once, as its lock file says.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{home, run};
use crate::error::BenchError;

/// What is copied to where it is installed.
const FILES: [(&str, &str); 5] = [
    ("package.json", include_str!("../../node/package.json")),
    (
        "package-lock.json",
        include_str!("../../node/package-lock.json"),
    ),
    (
        "zeromq/package.json",
        include_str!("../../node/zeromq/package.json"),
    ),
    (
        "zeromq/index.js",
        include_str!("../../node/zeromq/index.js"),
    ),
    ("peer.js", include_str!("../../node/peer.js")),
];

/// A directory with zerorpc in it.
#[derive(Debug)]
pub(crate) struct Node {
    directory: PathBuf,
}

impl Node {
    /// Takes it from `bench/target/node`, or makes it there.
    ///
    /// # Errors
    ///
    /// If there is no `npm`, or the packages cannot be installed.
    pub(super) fn install() -> Result<Self, BenchError> {
        let directory = home().join("target/node");
        // Written last, so it says that the directory is complete.
        let complete = directory.join("complete");
        let wanted: String = FILES.iter().map(|(_, text)| *text).collect();
        if fs::read_to_string(&complete).is_ok_and(|text| text == wanted) {
            return Ok(Self { directory });
        }
        eprintln!("installing zerorpc for Node into {}", directory.display());
        fs::create_dir_all(directory.join("zeromq"))?;
        for (name, text) in FILES {
            fs::write(directory.join(name), text)?;
        }
        run(Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(&directory))?;
        fs::write(&complete, wanted)?;
        Ok(Self { directory })
    }

    /// The command that starts a peer.
    pub(super) fn peer(&self) -> Command {
        let mut command = Command::new("node");
        command
            .arg(self.directory.join("peer.js"))
            .env_remove("NODE_OPTIONS")
            .env_remove("NODE_PATH");
        command
    }
}
