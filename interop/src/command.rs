//! Running the two command lines: `zerorpc` of Python and `zrpc` of this
//! workspace.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
    time::Duration,
};

use thiserror::Error;
use tokio::{process::Command, time::timeout};

use crate::environment::profile_directory;

/// How long a command may take.
const COMMAND_DEADLINE: Duration = Duration::from_secs(180);

/// How a command ended and what it wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// The exit code, if it was not killed.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

/// A command could not be run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The program could not be started.
    #[error("cannot run {program:?}")]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },

    /// The program did not end in time.
    #[error("{program:?} did not end in {waited:?}")]
    Endless {
        /// The program.
        program: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },

    /// The `zrpc` command could not be built.
    #[error("cannot build the zrpc command: {output}")]
    Build {
        /// What the build said.
        output: String,
    },
}

/// Runs a command until it ends, with nothing on its standard input.
///
/// # Errors
///
/// It cannot be started or does not end in time.
pub async fn run_to_end(mut command: Command) -> Result<Output, CommandError> {
    let program = PathBuf::from(command.as_std().get_program());
    let running = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = match timeout(COMMAND_DEADLINE, running).await {
        Ok(Ok(output)) => output,
        Ok(Err(source)) => return Err(CommandError::Start { program, source }),
        Err(_) => {
            return Err(CommandError::Endless {
                program,
                waited: COMMAND_DEADLINE,
            });
        }
    };
    Ok(Output {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The `zrpc` command of this workspace, built with the profile of this test.
///
/// It is built when it is asked for the first time in a process: cargo knows
/// whether there is anything to do.
///
/// # Errors
///
/// It cannot be built.
pub fn zrpc_command() -> Result<Command, CommandError> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();

    match PROGRAM.get_or_init(build) {
        Ok(program) => {
            let mut command = Command::new(program);
            command.kill_on_drop(true);
            Ok(command)
        }
        Err(output) => Err(CommandError::Build {
            output: output.clone(),
        }),
    }
}

fn build() -> Result<PathBuf, String> {
    let directory =
        profile_directory().ok_or("this test does not lie in a target directory of cargo")?;
    let profile = match directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let mut command = std::process::Command::new(env!("CARGO"));
    command
        .args(["build", "--quiet", "--package", "zrpc-cli", "--bin", "zrpc"])
        .args(["--profile", profile])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    if let Some(target) = directory.parent() {
        command.arg("--target-dir").arg(target);
    }
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(directory.join("zrpc"))
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
