//! Spellings of the Python command that clap has no notion of.

use std::ffi::{OsStr, OsString};

/// Rewrites the option of two letters, `-pj`, and its accepted abbreviation `-p`.
///
/// Whatever follows `--` is left alone.
pub(crate) fn normalize(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut is_option = true;
    let rewrite = |arg: OsString| {
        is_option = is_option && arg != OsStr::new("--");
        if is_option && (arg == OsStr::new("-pj") || arg == OsStr::new("-p")) {
            return OsString::from("--print-json");
        }
        arg
    };
    args.into_iter().map(rewrite).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(args: &[&str]) -> Vec<OsString> {
        normalize(args.iter().map(OsString::from))
    }

    #[test]
    fn the_option_of_two_letters_is_recognised() {
        assert_eq!(
            normalized(&["zrpc", "-pj", "a"]),
            ["zrpc", "--print-json", "a"]
        );
        assert_eq!(normalized(&["zrpc", "-p"]), ["zrpc", "--print-json"]);
    }

    #[test]
    fn parameters_behind_two_dashes_are_kept() {
        assert_eq!(normalized(&["zrpc", "--", "-pj"]), ["zrpc", "--", "-pj"]);
    }
}
