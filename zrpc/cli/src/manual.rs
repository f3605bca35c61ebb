//! The manual pages.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;

use crate::args::definition;
use crate::error::CliError;

/// Write the manual page of zrpc, or of one of its tools.
///
/// To read it at once: zrpc man | man -l -
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ManualOptions {
    /// The tool; without it, the page of zrpc itself.
    #[arg(value_name = "tool")]
    tool: Option<String>,

    /// Write all pages as files into this directory instead, which is made if it is not there.
    #[arg(long, value_name = "directory", conflicts_with = "tool")]
    directory: Option<PathBuf>,
}

impl ManualOptions {
    /// Writes the page to stdout, or all of them into files.
    ///
    /// # Errors
    ///
    /// Whatever stdout or the file system reports, or that there is no such tool.
    pub(crate) fn run(self) -> Result<(), CliError> {
        let mut command = definition();
        command.build();
        if let Some(directory) = self.directory {
            let written = fs::create_dir_all(&directory).and_then(|()| {
                let tools = command.get_subcommands().cloned();
                for command in tools.chain([command.clone()]) {
                    page(command).generate_to(&directory)?;
                }
                Ok(())
            });
            return written.map_err(|source| CliError::Pages { directory, source });
        }
        let command = match self.tool {
            None => command,
            Some(name) => tool(&command, &name).ok_or(CliError::UnknownTool { name })?,
        };
        let mut text = Vec::new();
        page(command).render(&mut text)?;
        let mut out = io::stdout();
        out.write_all(&text)?;
        Ok(out.flush()?)
    }
}

/// The page of a command, which is headed as what all of them are part of.
fn page(command: Command) -> Man {
    Man::new(command).source(concat!("zrpc ", env!("CARGO_PKG_VERSION")))
}

fn tool(command: &Command, name: &str) -> Option<Command> {
    let tool = command.find_subcommand(name)?.clone();
    // The page is called after both words, as those of git are.
    Some(tool.display_name(format!("zrpc-{name}")))
}

/// What only the long help says.
const EXAMPLES: &str = "\
Examples:
  zrpc man | man -l -
  zrpc man bench | man -l -
  zrpc man --directory /usr/local/share/man/man1";
