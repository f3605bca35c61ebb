//! What is not in this program: peers in other languages, and the command of this project.

mod node;
mod program;
mod python;

use std::path::Path;
use std::process::Command;

use crate::contender::Implementation;
use crate::error::BenchError;
use crate::run::Selection;

use node::Node;
use python::Python;

/// What a run needs of it.
#[derive(Debug)]
pub(crate) struct Helpers {
    python: Option<Python>,
    node: Option<Node>,
    /// This project's command.
    command: Option<std::path::PathBuf>,
}

impl Helpers {
    /// Installs and builds what is missing.
    ///
    /// # Errors
    ///
    /// If a tool is missing, or a package cannot be installed.
    pub(crate) fn install(selection: &Selection) -> Result<Self, BenchError> {
        let uses = |implementation| selection.uses(implementation);
        let python = uses(Implementation::Python) || uses(Implementation::PythonCommand);
        let node = uses(Implementation::Node);
        let command = uses(Implementation::ZrpcCommand);
        Ok(Self {
            python: python.then(Python::install).transpose()?,
            node: node.then(Node::install).transpose()?,
            command: command.then(program::build).transpose()?,
        })
    }

    /// The command that starts a peer that is not in this program.
    pub(crate) fn peer(&self, implementation: Implementation) -> Option<Command> {
        match implementation {
            Implementation::Python => self.python.as_ref().map(Python::peer),
            Implementation::Node => self.node.as_ref().map(Node::peer),
            _ => None,
        }
    }

    /// A command whose start is measured, with its argument.
    pub(crate) fn command(&self, implementation: Implementation) -> Option<String> {
        match implementation {
            Implementation::PythonCommand => {
                let python = self.python.as_ref()?;
                Some(format!("{} --help", python.zerorpc().display()))
            }
            Implementation::ZrpcCommand => {
                Some(format!("{} --version", self.command.as_ref()?.display()))
            }
            _ => None,
        }
    }
}

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(command: &mut Command) -> Result<(), BenchError> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(BenchError::Program {
        program: format!("{command:?}"),
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
