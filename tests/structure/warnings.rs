//! What the documentation has to warn of, and what was decided once.

use crate::document::read;
use crate::source::assert_none;

// ZMTP30-021, PLAIN-023
#[test]
fn the_documentation_warns_of_mechanisms_that_do_not_protect() {
    let warnings = [
        (
            "zmtp/src/mechanism/config.rs",
            "No security at all: for networks that are trusted or secured by other means.",
        ),
        (
            "zmtp/src/socket/builder/security.rs",
            "PLAIN encrypts nothing: it is for networks that are secured by other means.",
        ),
    ];
    let missing: Vec<String> = warnings
        .iter()
        .filter(|(path, warning)| !read(path).contains(warning))
        .map(|(path, warning)| format!("{path}: {warning}"))
        .collect();
    assert_none("the documentation warns", &missing);
}
