//! Python's zerorpc: an environment of our own, made once from pinned packages.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{home, run};
use crate::error::BenchError;

/// The packages with their hashes, shared with the interop tests.
const REQUIREMENTS: &str = include_str!("../../../interop/requirements.txt");

/// An environment with zerorpc in it.
#[derive(Debug)]
pub(crate) struct Python {
    interpreter: PathBuf,
}

impl Python {
    /// Takes the environment from `bench/target/python`, or makes it there.
    ///
    /// # Errors
    ///
    /// If there is no `python3` with `venv`, or the packages cannot be installed.
    pub(crate) fn install() -> Result<Self, BenchError> {
        let directory = home().join("target/python");
        let interpreter = directory.join("bin/python");
        let requirements = directory.join("requirements.txt");
        // Written last, so it says that the environment is complete.
        if fs::read_to_string(&requirements).is_ok_and(|text| text == REQUIREMENTS) {
            return Ok(Self { interpreter });
        }
        eprintln!("installing zerorpc for Python into {}", directory.display());
        let partial = directory.with_extension("requirements.txt");
        fs::create_dir_all(home().join("target"))?;
        fs::write(&partial, REQUIREMENTS)?;
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&directory))?;
        run(Command::new(&interpreter)
            .args(["-m", "pip", "install", "--quiet", "--no-input"])
            .args(["--disable-pip-version-check", "--require-hashes"])
            .args(["--only-binary", ":all:", "-r"])
            .arg(&partial))?;
        fs::rename(&partial, &requirements)?;
        Ok(Self { interpreter })
    }

    /// The `zerorpc` command of the environment.
    pub(crate) fn zerorpc(&self) -> PathBuf {
        self.interpreter.with_file_name("zerorpc")
    }

    /// The command that starts a peer.
    pub(crate) fn peer(&self) -> Command {
        let mut command = Command::new(&self.interpreter);
        command
            .arg(home().join("python/peer.py"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME");
        command
    }
}
