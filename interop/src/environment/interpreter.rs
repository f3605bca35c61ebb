//! Finding the interpreter that the environment is made with.

use std::{io, process::Command, sync::Arc};

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

/// A Python 3 that can make virtual environments.
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
    fn a_program_that_is_no_python_is_refused() {
        let error = Interpreter::probe(String::from("false")).unwrap_err();

        assert!(matches!(error, EnvironmentError::PythonMissing { .. }));
    }
}
