//! Node with its zerorpc.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use super::{
    EnvironmentError,
    bootstrap::{installed, is_switched_off, key, run, say},
    interpreter::Interpreter,
};

/// What npm installs: zerorpc 0.9.8 over a current zeromq, as the benchmarks use it.
const FILES: [(&str, &str); 4] = [
    (
        "package.json",
        include_str!("../../../bench/node/package.json"),
    ),
    (
        "package-lock.json",
        include_str!("../../../bench/node/package-lock.json"),
    ),
    (
        "zeromq/package.json",
        include_str!("../../../bench/node/zeromq/package.json"),
    ),
    (
        "zeromq/index.js",
        include_str!("../../../bench/node/zeromq/index.js"),
    ),
];

/// Node, and a directory with zerorpc in it.
#[derive(Debug, PartialEq, Eq)]
pub struct Node {
    directory: PathBuf,
}

/// Node's zerorpc, installed when it is asked for the first time, or `None` if the machine has no
/// Node or no npm, which one line on standard error says.
///
/// # Errors
///
/// The packages cannot be installed. The same answer is given to every caller of a process.
pub fn node() -> Result<Option<&'static Node>, EnvironmentError> {
    static NODE: OnceLock<Result<Option<Node>, EnvironmentError>> = OnceLock::new();

    match NODE.get_or_init(make) {
        Ok(node) => Ok(node.as_ref()),
        Err(error) => Err(error.clone()),
    }
}

impl Node {
    /// A command that runs a file of `peers/`.
    pub(crate) fn command(&self, file: &str) -> tokio::process::Command {
        let mut command = tokio::process::Command::new("node");
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        command
            .arg(peers.join(file))
            .env("NODE_PATH", self.directory.join("node_modules"))
            .env_remove("NODE_OPTIONS")
            .kill_on_drop(true);
        command
    }
}

fn make() -> Result<Option<Node>, EnvironmentError> {
    if is_switched_off()? {
        return Ok(None);
    }
    let (Some(identity), Some(_)) = (version("node"), version("npm")) else {
        say("interop tests with Node skipped: node or npm is not installed");
        return Ok(None);
    };
    let interpreter = Interpreter {
        program: String::from("node"),
        identity,
    };
    let files: String = FILES.iter().map(|(_, text)| *text).collect();
    let directory = installed(
        &format!("node-{:016x}", key(&interpreter, &files)),
        "zerorpc for Node",
        fill,
    )?;
    Ok(Some(Node { directory }))
}

fn fill(directory: &Path) -> Result<(), EnvironmentError> {
    for (name, text) in FILES {
        let path = directory.join(name);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| EnvironmentError::file(&path, error))?;
    }
    run(
        "installing zerorpc with npm",
        Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(directory),
    )
}

/// What a program says of its version, if it can be run.
fn version(program: &str) -> Option<Vec<u8>> {
    let mut command = Command::new(program);
    let output = command
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then_some(output.stdout)
}
