//! What a service says about itself.

use super::support::{serve, zrpc};

#[test]
fn methods_are_listed_with_their_first_line() {
    let run = zrpc(&[&serve()]);
    assert_eq!(run.code, Some(0));
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(lines.first(), Some(&"[Sample]"));
    assert!(
        lines.contains(&"echo            Answers with its arguments."),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"nothing         <undocumented>"),
        "{lines:?}"
    );
}

#[test]
fn inspection_lists_signatures() {
    let run = zrpc(&["-?", &serve()]);
    assert_eq!(run.code, Some(0));
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(lines.first(), Some(&"[Sample]"));
    assert!(lines.contains(&"add(left, right=1)"), "{lines:?}");
    assert!(lines.contains(&"echo(??)"), "{lines:?}");
}

#[test]
fn inspection_of_a_method_shows_its_documentation() {
    let address = serve();
    let run = zrpc(&["--inspect", "--connect", &address, "add"]);
    let expected = "[Sample]\nadd(left, right=1)\n\nAdds.\n\nTwo numbers.\n\n";
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), expected));
    let run = zrpc(&["-?", &address, "nope"]);
    let expected = "[Sample]\nNo documentation for \"nope\".\n";
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), expected));
}
