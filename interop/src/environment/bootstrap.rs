//! Making the environment, once.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::{Arc, OnceLock},
};

use super::{EnvironmentError, interpreter::Interpreter};

/// Set to `off` to skip the interop tests.
const SWITCH_VARIABLE: &str = "ZRPC_INTEROP";

/// The packages, with the hashes that they must have.
const REQUIREMENTS: &str = include_str!("../../requirements.txt");

/// How many of its last lines a failed step shows.
const SHOWN_LINES: usize = 15;

/// Whether foreign peers are available.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a switch has two positions")]
pub enum Interop {
    /// They are.
    On(&'static Python),
    /// They were switched off with `ZRPC_INTEROP=off`.
    Off,
}

/// An interpreter with the peers installed.
#[derive(Debug, PartialEq, Eq)]
pub struct Python {
    interpreter: PathBuf,
    /// Where the packages are, if the interpreter does not know.
    packages: Option<PathBuf>,
}

/// The environment of this process, made when it is asked for the first time.
///
/// If the interop tests are switched off, one line on standard error says so.
///
/// # Errors
///
/// No usable Python, no way to install the packages, or an unusable target
/// directory. The same answer is given to every caller of a process.
pub fn environment() -> Result<Interop, EnvironmentError> {
    static ENVIRONMENT: OnceLock<Result<Option<Python>, EnvironmentError>> = OnceLock::new();

    match ENVIRONMENT.get_or_init(make) {
        Ok(Some(python)) => Ok(Interop::On(python)),
        Ok(None) => Ok(Interop::Off),
        Err(error) => Err(error.clone()),
    }
}

impl Python {
    /// The interpreter of a virtual environment.
    pub(super) fn of_environment(directory: &Path) -> Self {
        Self {
            interpreter: python_in(directory),
            packages: None,
        }
    }

    /// An interpreter that finds its packages in a directory.
    pub(super) fn with_packages(interpreter: PathBuf, packages: PathBuf) -> Self {
        Self {
            interpreter,
            packages: Some(packages),
        }
    }

    /// The interpreter.
    #[must_use]
    pub fn interpreter(&self) -> &Path {
        &self.interpreter
    }

    /// A file of `peers/`.
    #[must_use]
    pub fn peer_file(&self, name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("peers")
            .join(name)
    }

    /// A command that runs a file of `peers/`.
    #[must_use]
    pub fn command(&self, file: &str) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(self.interpreter());
        command
            .arg(self.peer_file(file))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONNOUSERSITE", "1")
            .env("PYTHONIOENCODING", "utf-8")
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME")
            .kill_on_drop(true);
        if let Some(packages) = &self.packages {
            command.env("PYTHONPATH", packages);
        }
        command
    }
}

fn make() -> Result<Option<Python>, EnvironmentError> {
    if is_switched_off()? {
        say("interop tests skipped: ZRPC_INTEROP=off");
        return Ok(None);
    }
    let interpreter = Interpreter::find()?;
    environment_of(&interpreter).map(Some)
}

/// Whether the tests are to be skipped.
pub(super) fn is_switched_off() -> Result<bool, EnvironmentError> {
    match env::var(SWITCH_VARIABLE) {
        Ok(value) if value == "off" => Ok(true),
        Ok(value) if !value.is_empty() => Err(EnvironmentError::UnknownSwitch { value }),
        _ => Ok(false),
    }
}

/// The virtual environment of an interpreter, made if there is none yet.
pub(super) fn environment_of(interpreter: &Interpreter) -> Result<Python, EnvironmentError> {
    let directory = installed(
        &format!("python-{:016x}", key(interpreter, REQUIREMENTS)),
        "pyzmq and zerorpc for Python",
        |partial| fill(interpreter, partial),
    )?;
    Ok(Python::of_environment(&directory))
}

/// The directory `name` among those of the peers. If it is not there, `fill` makes it beside its
/// final place, and it is moved there.
pub(super) fn installed(
    name: &str,
    what: &str,
    fill: impl FnOnce(&Path) -> Result<(), EnvironmentError>,
) -> Result<PathBuf, EnvironmentError> {
    let home = target_directory().join("interop");
    let directory = home.join(name);
    if directory.exists() {
        return Ok(directory);
    }
    fs::create_dir_all(&home).map_err(|error| EnvironmentError::file(&home, error))?;
    say(&format!("interop tests: installing {what} (once)"));
    let partial = directory.with_extension(format!("partial-{}", process::id()));
    let moved = fill(&partial).and_then(|()| {
        match fs::rename(&partial, &directory) {
            // Another process was faster; its environment is as good as this one.
            Err(_) if directory.exists() => Ok(()),
            moved => moved.map_err(|error| EnvironmentError::file(&directory, error)),
        }
    });
    match fs::remove_dir_all(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            moved.and_then(|()| Err(EnvironmentError::file(&partial, error)))?;
        }
        _ => moved?,
    }
    Ok(directory)
}

fn python_in(directory: &Path) -> PathBuf {
    directory.join("bin").join("python")
}

fn fill(interpreter: &Interpreter, directory: &Path) -> Result<(), EnvironmentError> {
    run(
        "making the virtual environment",
        Command::new(&interpreter.program)
            .args(["-m", "venv", "--clear"])
            .arg(directory),
    )?;
    let requirements = directory.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS)
        .map_err(|error| EnvironmentError::file(&requirements, error))?;
    run(
        "installing the peers with pip",
        Command::new(python_in(directory))
            .args(["-m", "pip", "install", "--quiet", "--no-input"])
            .args(["--disable-pip-version-check", "--no-warn-script-location"])
            .args(["--require-hashes", "--only-binary", ":all:", "-r"])
            .arg(&requirements),
    )
}

pub(super) fn run(step: &'static str, command: &mut Command) -> Result<(), EnvironmentError> {
    let output = command
        .stdin(Stdio::null())
        .env_remove("PYTHONPATH")
        .env_remove("PYTHONHOME")
        .output()
        .map_err(|error| EnvironmentError::Run {
            program: command.get_program().into(),
            source: Arc::new(error),
        })?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(EnvironmentError::Step {
        step,
        status: output.status,
        output: last_lines(&String::from_utf8_lossy(&text)),
    })
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}

/// The target directory that this test was built in.
///
/// The executable is `<target>/[<triple>/]<profile>/deps/<name>`, wherever
/// cargo was told to put the target directory.
pub(crate) fn profile_directory() -> Option<PathBuf> {
    let executable = env::current_exe().ok()?;
    executable
        .ancestors()
        .find(|directory| {
            directory
                .file_name()
                .is_some_and(|name| name == "deps" || name == "examples")
        })
        .and_then(Path::parent)
        .map(Path::to_path_buf)
}

fn target_directory() -> PathBuf {
    profile_directory()
        .as_deref()
        .and_then(Path::parent)
        .map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
            Path::to_path_buf,
        )
}

/// Changes when the packages or the interpreter do (64-bit FNV-1a).
pub(super) fn key(interpreter: &Interpreter, packages: &str) -> u64 {
    packages
        .bytes()
        .chain(interpreter.program.bytes())
        .chain(interpreter.identity.iter().copied())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

/// Writes a line that the test harness does not capture.
pub(super) fn say(line: &str) {
    // A closed standard error must not fail a test.
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interpreter(identity: &str) -> Interpreter {
        Interpreter {
            program: String::from("python3"),
            identity: identity.as_bytes().to_vec(),
        }
    }

    #[test]
    fn another_interpreter_gets_another_environment() {
        assert_eq!(
            key(&interpreter("3.11"), "p"),
            key(&interpreter("3.11"), "p")
        );
        assert_ne!(
            key(&interpreter("3.11"), "p"),
            key(&interpreter("3.12"), "p")
        );
    }

    #[test]
    fn every_requirement_is_pinned_with_a_hash() {
        let pins: Vec<&str> = REQUIREMENTS
            .lines()
            .filter(|line| !line.starts_with(char::is_whitespace) && !line.is_empty())
            .collect();

        assert!(pins.iter().any(|pin| pin.starts_with("zerorpc==0.6.3 ")));
        assert!(pins.iter().all(|pin| pin.contains("==")), "{pins:?}");
        assert!(REQUIREMENTS.matches("--hash=sha256:").count() >= pins.len());
    }

    #[test]
    fn a_failed_step_shows_its_last_lines() {
        let error = run(
            "a step",
            Command::new("sh").args(["-c", "seq 30 >&2; exit 3"]),
        )
        .unwrap_err();

        let text = error.to_string();
        assert!(text.contains("a step failed with exit status: 3"), "{text}");
        assert!(text.ends_with("\n29\n30"), "{text}");
        assert!(!text.contains("\n15\n"), "{text}");
    }

    #[test]
    fn the_environment_lies_in_the_target_directory() {
        let executable = env::current_exe().expect("tests know their executable");

        assert!(executable.starts_with(target_directory()));
    }
}
