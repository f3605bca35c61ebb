//! What is different on a terminal: colours, progress, width.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::support::{Run, command, serve};

/// Which streams of a run are the terminal; the others are pipes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Stdout,
    Stderr,
}

/// Runs the binary on a new pseudo-terminal, and returns what appeared there beside the run.
fn on_terminal(shown: Shown, columns: u16, args: &[&str], env: &[(&str, &str)]) -> (Run, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    let terminal = File::from(open(&name, flags, Mode::empty()).unwrap());
    let size = Winsize {
        ws_row: 25,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&terminal, size).unwrap();

    let mut command = command(args);
    command
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        .envs(env.iter().copied());
    match shown {
        Shown::Stdout => command.stdout(Stdio::from(terminal)),
        Shown::Stderr => command.stderr(Stdio::from(terminal)),
    };
    let child = command.spawn().unwrap();
    // With the child's, the last handle of the terminal is gone when it ends.
    drop(command);
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        let mut master = File::from(master);
        // The end of the other side is an error here.
        while let Ok(len @ 1..) = master.read(&mut chunk) {
            bytes.extend_from_slice(chunk.get(..len).unwrap());
        }
        String::from_utf8(bytes).unwrap()
    });
    let run = Run::of(child);
    // A terminal shows a line end as two characters.
    (run, reader.join().unwrap().replace("\r\n", "\n"))
}

#[test]
fn results_have_colours() {
    let address = serve();
    let line = ["-j", &address, "echo", "1", "\"a\"", "null"];
    let (run, shown) = on_terminal(Shown::Stdout, 80, &line, &[]);
    assert_eq!(run.code, Some(0));
    let expected = "[\x1b[36m1\x1b[0m, \x1b[32m'a'\x1b[0m, \x1b[35mNone\x1b[0m]\n";
    assert_eq!(shown, expected);
    let (_, shown) = on_terminal(Shown::Stdout, 80, &[&address], &[]);
    assert!(shown.starts_with("\x1b[1m[Sample]\x1b[0m\n"), "{shown:?}");
    assert!(shown.contains("\x1b[36madd\x1b[0m "), "{shown:?}");
}

#[test]
fn colours_can_be_refused() {
    let address = serve();
    let line = ["-j", &address, "echo", "1"];
    for (options, env) in [
        (&["--color", "never"][..], &[][..]),
        (&[], &[("NO_COLOR", "1")]),
        (&[], &[("TERM", "dumb")]),
    ] {
        let line = [options, &line].concat();
        let (_, shown) = on_terminal(Shown::Stdout, 80, &line, env);
        assert_eq!(shown, "[1]\n", "{options:?} {env:?}");
    }
    // An empty NO_COLOR counts as none.
    let (_, shown) = on_terminal(Shown::Stdout, 80, &line, &[("NO_COLOR", "")]);
    assert!(shown.contains('\x1b'));
}

#[test]
fn errors_have_colours_and_results_in_a_pipe_have_none() {
    let address = serve();
    let (run, shown) = on_terminal(Shown::Stderr, 80, &[&address, "fail"], &[]);
    assert_eq!(run.code, Some(1));
    assert!(
        shown.contains("\x1b[1;31mzrpc:\x1b[0m ValueError: bad"),
        "{shown:?}"
    );
    let (run, _) = on_terminal(Shown::Stderr, 80, &[&address, "echo", "x"], &[]);
    assert_eq!(run.stdout, "['x']\n");
}

#[test]
fn a_measurement_shows_its_progress_on_stderr_alone() {
    let address = serve();
    let line = [
        "bench",
        "--duration",
        "0.8",
        "--output",
        "json",
        &address,
        "nothing",
    ];
    let (run, shown) = on_terminal(Shown::Stderr, 80, &line, &[]);
    assert_eq!(run.code, Some(0));
    assert!(
        serde_json::from_str::<serde_json::Value>(&run.stdout).is_ok(),
        "{run:?}"
    );
    assert!(
        shown.contains("calls [") && shown.contains("/s, 0 failed"),
        "{shown:?}"
    );
    // The bar is gone at the end.
    assert!(
        shown
            .trim_end_matches(['\r', '\n', ' '])
            .ends_with("\x1b[2K"),
        "{shown:?}"
    );
}

#[test]
fn help_is_as_wide_as_the_terminal() {
    let longest = |columns| {
        let (_, shown) = on_terminal(Shown::Stdout, columns, &["keygen", "--help"], &[]);
        shown
            .lines()
            .map(|line| visible(line).chars().count())
            .max()
    };
    assert!(longest(50) <= Some(50), "{:?}", longest(50));
    assert!(longest(100) > Some(60));
}

#[test]
fn results_are_as_wide_as_in_python() {
    let address = serve();
    let long = "word ".repeat(30);
    let line = ["--color", "never", &address, "echo", &long];
    let (_, narrow) = on_terminal(Shown::Stdout, 40, &line, &[]);
    let (_, wide) = on_terminal(Shown::Stdout, 200, &line, &[]);
    assert_eq!(narrow, wide);
    let longest = narrow.lines().map(str::len).max();
    assert!((41..=80).contains(&longest.unwrap()), "{longest:?}");
}

#[test]
fn raw_strings_cannot_steer_the_terminal() {
    let address = serve();
    let line = ["--output", "raw", &address, "first_of", "\x1b[2J"];
    let (_, shown) = on_terminal(Shown::Stdout, 80, &line, &[]);
    assert_eq!(shown, "\\x1b[2J\n");
}

/// The line without the sequences for colours.
fn visible(line: &str) -> String {
    let mut parts = line.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.filter_map(|part| part.split_once('m').map(|(_, rest)| rest));
    rest.fold(first, |text, rest| text + rest)
}
