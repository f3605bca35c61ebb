//! How results are printed: options that the call and every tool have.

use clap::{Args, ValueEnum};

/// The options of printing.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Display {
    /// How to print results.
    #[arg(
        long,
        value_name = "format",
        default_value = "pretty",
        env = "ZRPC_OUTPUT",
        hide_env_values = true,
        global = true,
        overrides_with = "output",
        help_heading = HEADING
    )]
    pub(crate) output: Output,

    /// When to use colours; `auto` is on a terminal, unless NO_COLOR is set.
    #[arg(
        long,
        value_name = "when",
        default_value = "auto",
        global = true,
        overrides_with = "color",
        help_heading = HEADING
    )]
    pub(crate) color: ColorChoice,
}

/// The values of `--output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// As Python's pprint lays them out.
    Pretty,
    /// As Python's repr, each on one line.
    Python,
    /// One JSON document on a line for each.
    Json,
    /// One YAML document for each, with `---` in front.
    Yaml,
    /// Strings and bytes as they are, everything else as JSON.
    Raw,
}

/// The values of `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal.
    Auto,
    /// Also where it is no terminal.
    Always,
    /// Nowhere.
    Never,
}

/// What help calls the group of these options.
pub(super) const HEADING: &str = "Output";
