//! Finding the interpreter that the environment is made with.

use std::{fs, io, path::PathBuf, process::Command, sync::Arc};

use super::EnvironmentError;

/// Selects the interpreter; `python3` without it.
const INTERPRETER_VARIABLE: &str = "ZRPC_INTEROP_PYTHON";

/// Prints what identifies the interpreter; exits 3 if it is too old and 4 if
/// it cannot make environments.
const PROBE: &str = "\
import sys
if sys.version_info < (3, 8): sys.exit(3)
try: import venv, ensurepip
except ImportError: sys.exit(4)
print(sys.version, sys.base_prefix)";

/// The same for the version that is its argument; Python 2 has no `venv`.
const VERSION_PROBE: &str = "\
import sys
if '%d.%d' % sys.version_info[:2] != sys.argv[1]: sys.exit(3)
import pip
if sys.version_info >= (3,): import venv, ensurepip
print(sys.version + ' ' + sys.prefix)";

/// A Python that can make virtual environments.
#[derive(Debug)]
pub(super) struct Interpreter {
    pub(super) program: String,
    /// Changes when the interpreter does.
    pub(super) identity: Vec<u8>,
}

impl Interpreter {
    pub(super) fn find() -> Result<Self, EnvironmentError> {
        let program =
            std::env::var(INTERPRETER_VARIABLE).unwrap_or_else(|_| String::from("python3"));
        Self::probe(program)
    }

    /// The interpreter of one version, such as `3.7`, that can install packages: that of the search
    /// path, or one of pyenv.
    pub(super) fn of_version(version: &str) -> Option<Self> {
        let by_name = format!("python{version}");
        let by_pyenv = pyenv_versions().filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.strip_prefix(version)
                .is_some_and(|rest| rest.starts_with('.'))
        });
        let by_pyenv = by_pyenv.map(|path| path.join("bin/python").to_string_lossy().into_owned());
        std::iter::once(by_name)
            .chain(by_pyenv)
            .find_map(|program| {
                let probe = ["-c", VERSION_PROBE, version];
                let output = Command::new(&program).args(probe).output().ok()?;
                output.status.success().then_some(Self {
                    program,
                    identity: output.stdout,
                })
            })
    }

    fn probe(program: String) -> Result<Self, EnvironmentError> {
        let output = match Command::new(&program).args(["-c", PROBE]).output() {
            Ok(output) => output,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(EnvironmentError::PythonMissing {
                    interpreter: program,
                });
            }
            Err(error) => {
                return Err(EnvironmentError::Run {
                    program: program.into(),
                    source: Arc::new(error),
                });
            }
        };
        match output.status.code() {
            Some(0) => Ok(Self {
                program,
                identity: output.stdout,
            }),
            Some(4) => Err(EnvironmentError::VenvMissing {
                interpreter: program,
            }),
            _ => Err(EnvironmentError::PythonMissing {
                interpreter: program,
            }),
        }
    }
}

/// The directories in which pyenv keeps interpreters.
fn pyenv_versions() -> impl Iterator<Item = PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".pyenv"));
    let versions = root.or_else(home).map(|root| root.join("versions"));
    let mut found: Vec<PathBuf> = versions
        .and_then(|versions| fs::read_dir(versions).ok())
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found.into_iter().rev()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_interpreter_is_named_with_what_to_install() {
        let error = Interpreter::probe(String::from("no-such-python")).unwrap_err();

        let line = error.to_string();
        assert!(line.contains("no-such-python"), "{line}");
        assert!(line.contains("apt install python3"), "{line}");
        assert!(line.contains("ZRPC_INTEROP=off"), "{line}");
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn a_version_that_is_not_there_is_not_found() {
        assert!(Interpreter::of_version("1.4").is_none());
    }

    #[test]
    fn a_program_that_is_no_python_is_refused() {
        let error = Interpreter::probe(String::from("false")).unwrap_err();

        assert!(matches!(error, EnvironmentError::PythonMissing { .. }));
    }
}
