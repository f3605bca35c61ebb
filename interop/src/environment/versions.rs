//! The other versions of Python that the machine has.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    process::Command,
    sync::{Mutex, OnceLock, PoisonError},
};

use super::{
    EnvironmentError, Python,
    bootstrap::{environment_of, installed, is_switched_off, key, run, say},
    interpreter::Interpreter,
};

/// The versions that zerorpc 0.6.3 runs on, from the first to the last one it is tested with.
pub const PYTHON_VERSIONS: [&str; 8] = ["2.7", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13"];

/// The packages for Python 2.7, which needs older ones.
const REQUIREMENTS_2_7: &str = include_str!("../../requirements-2.7.txt");

/// A version of Python with the peers installed, or `None` if the machine does not have it.
///
/// The interpreter is `python<version>` of the search path, or one of pyenv. Where there is none,
/// one line on standard error says so. Python 2.7 is used on Linux on x86-64 alone, for which its
/// packages are pinned.
///
/// # Errors
///
/// The packages cannot be installed. The same answer is given to every caller of a process.
pub fn python_of_version(
    version: &'static str,
) -> Result<Option<&'static Python>, EnvironmentError> {
    type Made = &'static OnceLock<Result<Option<Python>, EnvironmentError>>;
    static VERSIONS: OnceLock<Mutex<HashMap<&'static str, Made>>> = OnceLock::new();

    let versions = VERSIONS.get_or_init(Mutex::default);
    // Only the place is looked up under the lock, so that several can be made at the same time.
    let made: Made = versions
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(version)
        .or_insert_with(|| Box::leak(Box::default()));
    match made.get_or_init(|| make(version)) {
        Ok(python) => Ok(python.as_ref()),
        Err(error) => Err(error.clone()),
    }
}

fn make(version: &str) -> Result<Option<Python>, EnvironmentError> {
    if is_switched_off()? {
        return Ok(None);
    }
    let is_pinned = version != "2.7" || cfg!(all(target_os = "linux", target_arch = "x86_64"));
    let Some(interpreter) = Interpreter::of_version(version).filter(|_| is_pinned) else {
        say(&format!(
            "interop tests with Python {version} skipped: it is not installed"
        ));
        return Ok(None);
    };
    match version {
        "2.7" => without_environment(&interpreter).map(Some),
        _ => environment_of(&interpreter).map(Some),
    }
}

/// Installs into a directory, because Python 2 makes no virtual environments by itself.
fn without_environment(interpreter: &Interpreter) -> Result<Python, EnvironmentError> {
    let packages = installed(
        &format!("packages-{:016x}", key(interpreter, REQUIREMENTS_2_7)),
        "pyzmq and zerorpc for Python 2.7",
        |partial| fill(interpreter, partial),
    )?;
    Ok(Python::with_packages(
        interpreter.program.clone().into(),
        packages,
    ))
}

fn fill(interpreter: &Interpreter, directory: &Path) -> Result<(), EnvironmentError> {
    fs::create_dir_all(directory).map_err(|error| EnvironmentError::file(directory, error))?;
    let requirements = directory.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS_2_7)
        .map_err(|error| EnvironmentError::file(&requirements, error))?;
    run(
        "installing the peers with pip",
        Command::new(&interpreter.program)
            .args(["-m", "pip", "install", "--quiet", "--no-input"])
            .args(["--disable-pip-version-check", "--require-hashes"])
            .arg("--target")
            .arg(directory)
            .arg("-r")
            .arg(&requirements),
    )
}
