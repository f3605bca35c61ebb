//! The documentation of methods, as Python would show it.

use std::fmt::Write;

/// Removes what a text has only because of where it was written: the space in front of the first
/// line, the indentation that all other lines share, and blank lines at both ends.
pub(super) fn clean(text: &str) -> String {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default().trim();
    let rest: Vec<&str> = lines.collect();
    let margin = rest
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or_default();
    let mut cleaned = first.to_owned();
    for line in rest {
        // A blank line may be shorter than the margin, and may end within a wide space.
        let line = line.get(margin..).unwrap_or_default();
        // Writing to a string does not fail.
        let _ = write!(cleaned, "\n{}", line.trim_end());
    }
    cleaned.trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indentation_is_removed_as_far_as_it_is_shared() {
        let text = "  Adds numbers.\n\n    Any of them:\n      one\n    two\n    ";
        assert_eq!(clean(text), "Adds numbers.\n\nAny of them:\n  one\ntwo");
    }

    #[test]
    fn the_first_line_may_be_blank() {
        assert_eq!(clean("\n    Adds.\n    Twice.\n"), "Adds.\nTwice.");
    }

    #[test]
    fn a_blank_line_may_be_short_or_wide() {
        assert_eq!(clean("a\n  b\n \u{2003}\n\n  c"), "a\nb\n\n\nc");
    }

    #[test]
    fn nothing_stays_nothing() {
        assert_eq!(clean(" \n \n"), "");
    }
}
