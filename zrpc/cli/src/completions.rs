//! Completions for shells.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use clap_complete::Shell;

use crate::args::definition;

/// Write what a shell needs to complete the options of zrpc.
///
/// For bash: zrpc completions bash > ~/.local/share/bash-completion/completions/zrpc
#[derive(Args, Clone, Copy, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CompletionsOptions {
    /// The shell.
    #[arg(value_name = "shell")]
    shell: ShellName,
}

/// The shells that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ShellName {
    Bash,
    Elvish,
    Fish,
    #[value(name = "powershell")]
    PowerShell,
    Zsh,
}

impl CompletionsOptions {
    /// Writes the script to stdout.
    ///
    /// # Errors
    ///
    /// Whatever stdout reports.
    pub(crate) fn run(self) -> io::Result<()> {
        let shell = match self.shell {
            ShellName::Bash => Shell::Bash,
            ShellName::Elvish => Shell::Elvish,
            ShellName::Fish => Shell::Fish,
            ShellName::PowerShell => Shell::PowerShell,
            ShellName::Zsh => Shell::Zsh,
        };
        // The generator panics when the writer fails, so it writes to memory.
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut definition(), "zrpc", &mut script);
        let mut out = io::stdout();
        out.write_all(&script)?;
        out.flush()
    }
}

/// What only the long help says.
const EXAMPLES: &str = "\
Examples:
  zrpc completions bash > ~/.local/share/bash-completion/completions/zrpc
  zrpc completions zsh > ~/.zfunc/_zrpc
  zrpc completions fish > ~/.config/fish/completions/zrpc.fish";
