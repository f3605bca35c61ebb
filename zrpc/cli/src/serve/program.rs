//! A program, and the method that it becomes.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rmpv::Value;
use zrpc::{Fault, Method};

use super::options::{ParamForm, ResultForm};
use super::run::{items, value};
use crate::render::write_json;

/// A program that is offered.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// What it is called by.
    pub(super) method: String,
    /// What is run.
    pub(super) path: PathBuf,
    /// What it gets in front of the params.
    pub(super) args: Vec<OsString>,
}

/// How programs are run.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// How they get the params.
    pub(super) params: ParamForm,
    /// What they print.
    pub(super) result: ResultForm,
    /// How long they may run.
    pub(super) timeout: Option<Duration>,
    /// How much they may print, in bytes.
    pub(super) max_output: u64,
    /// Their environment; they get no other variables.
    pub(super) environment: Vec<(OsString, OsString)>,
}

/// What one run gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Input {
    /// Its arguments.
    pub(super) args: Vec<OsString>,
    /// What it reads on stdin.
    pub(super) stdin: Option<Vec<u8>>,
}

impl Program {
    pub(super) fn new(method: String, path: PathBuf, args: Vec<OsString>) -> Self {
        Self { method, path, args }
    }

    /// Makes the method that runs the program.
    pub(super) fn into_method(self, rules: Arc<Rules>) -> Method {
        let name = self.method.clone();
        let doc = self.doc(&rules);
        let program = Arc::new(self);
        let method = match rules.result {
            ResultForm::Text | ResultForm::Bytes | ResultForm::Json => {
                Method::new(name, move |params: Vec<Value>| {
                    value(Arc::clone(&program), Arc::clone(&rules), params)
                })
            }
            ResultForm::Lines | ResultForm::JsonLines => {
                Method::stream(name, move |params: Vec<Value>| {
                    items(Arc::clone(&program), Arc::clone(&rules), params)
                })
            }
        };
        method.doc(doc)
    }

    /// Returns what a run gets for the params of a call.
    ///
    /// # Errors
    ///
    /// A param cannot be an argument.
    pub(super) fn input(&self, rules: &Rules, params: Vec<Value>) -> Result<Input, Fault> {
        let mut args = self.args.clone();
        match rules.params {
            ParamForm::Json => {
                let mut document = json(&Value::Array(params));
                document.push(b'\n');
                Ok(Input {
                    args,
                    stdin: Some(document),
                })
            }
            ParamForm::Argv => {
                for param in params {
                    args.push(argument(param)?);
                }
                Ok(Input { args, stdin: None })
            }
        }
    }

    fn doc(&self, rules: &Rules) -> String {
        let file = self.path.file_name().unwrap_or(self.path.as_os_str());
        let file = file.to_string_lossy();
        let params = match rules.params {
            ParamForm::Argv => "The params are its arguments.",
            ParamForm::Json => "It reads the params as a JSON array.",
        };
        let result = match rules.result {
            ResultForm::Text => "The result is the text that it prints.",
            ResultForm::Bytes => "The result is the bytes that it prints.",
            ResultForm::Json => "The result is the JSON that it prints.",
            ResultForm::Lines => "The result is a stream of the lines that it prints.",
            ResultForm::JsonLines => "The result is a stream of the JSON on its lines.",
        };
        format!("Runs {file}.\n\n{params} {result}")
    }
}

fn argument(param: Value) -> Result<OsString, Fault> {
    let bytes = match param {
        Value::String(text) => text.into_bytes(),
        Value::Binary(bytes) => bytes,
        other => json(&other),
    };
    if bytes.contains(&0) {
        return Err(Fault::new("ValueError", "embedded null byte"));
    }
    os_string(bytes)
}

fn json(value: &Value) -> Vec<u8> {
    let mut document = Vec::new();
    // A `Vec` takes whatever is written to it.
    let _ = write_json(value, &mut document);
    document
}

#[cfg(unix)]
#[expect(
    clippy::unnecessary_wraps,
    reason = "other systems refuse what is no text"
)]
fn os_string(bytes: Vec<u8>) -> Result<OsString, Fault> {
    use std::os::unix::ffi::OsStringExt;

    Ok(OsString::from_vec(bytes))
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> Result<OsString, Fault> {
    let text = String::from_utf8(bytes);
    text.map(OsString::from)
        .map_err(|_| Fault::new("ValueError", "an argument must be text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(params: ParamForm) -> Rules {
        Rules {
            params,
            result: ResultForm::Text,
            timeout: None,
            max_output: 1,
            environment: Vec::new(),
        }
    }

    fn program() -> Program {
        Program::new("m".to_owned(), "/bin/m".into(), vec!["first".into()])
    }

    #[test]
    fn params_are_arguments_of_their_own() {
        let params = vec![
            Value::from("a b; rm -rf /"),
            Value::from(-1),
            Value::Array(vec![Value::Nil]),
            Value::Binary(b"\xff".to_vec()),
        ];
        let input = program().input(&rules(ParamForm::Argv), params).unwrap();
        assert_eq!(input.args.len(), 5);
        assert_eq!(input.args.get(1), Some(&"a b; rm -rf /".into()));
        assert_eq!(input.args.get(2), Some(&"-1".into()));
        assert_eq!(input.args.get(3), Some(&"[null]".into()));
        assert_eq!(input.stdin, None);
        let nul = vec![Value::from("a\0b")];
        let fault = program().input(&rules(ParamForm::Argv), nul).unwrap_err();
        assert_eq!(fault.name(), "ValueError");
    }

    #[test]
    fn params_are_a_document_where_that_is_asked_for() {
        let params = vec![Value::from("--x"), Value::from(1)];
        let input = program().input(&rules(ParamForm::Json), params).unwrap();
        assert_eq!(input.args, ["first"]);
        assert_eq!(input.stdin.as_deref(), Some(&b"[\"--x\", 1]\n"[..]));
    }
}
