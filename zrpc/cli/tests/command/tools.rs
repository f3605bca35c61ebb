//! Keys, completions and manual pages, and what tells a tool from an address.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::support::{Directory, Run, serve, zrpc};

#[test]
fn keys_are_printed_and_fit_together() {
    let run = zrpc(&["keygen", "--output", "json"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let keys: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let secret: zmtp::curve::SecretKey = keys["secret-key"].as_str().unwrap().parse().unwrap();
    assert_eq!(keys["public-key"], secret.public_key().to_string());
    assert!(zrpc(&["keygen"]).stdout.starts_with("public-key = \""));
}

#[test]
fn key_files_hold_certificates_and_the_secret_is_the_owners() {
    let directory = Directory::new();
    let public = directory.path("client.key");
    let run = keygen(&public, &["--metadata", "name=printer"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""));

    let text = fs::read_to_string(&public).unwrap();
    let certificate: zmtp::curve::Certificate = text.parse().unwrap();
    assert_eq!(certificate.get("name"), Some("printer"));
    let secret = directory.path("client.key_secret");
    let pair: zmtp::curve::SecretCertificate =
        fs::read_to_string(&secret).unwrap().parse().unwrap();
    assert_eq!(pair.key_pair().public_key(), certificate.public_key());
    assert_eq!(mode(&secret), 0o600);
}

#[test]
fn a_key_is_not_replaced_unless_asked_for() {
    let directory = Directory::new();
    let public = directory.path("server.key");
    let secret = directory.path("server.key_secret");
    fs::write(&secret, "mine").unwrap();

    let run = keygen(&public, &[]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("server.key_secret exists already"),
        "{}",
        run.stderr
    );
    assert!(!Path::new(&public).exists());
    assert_eq!(fs::read_to_string(&secret).unwrap(), "mine");

    assert_eq!(keygen(&public, &["--force"]).code, Some(0));
    assert!(fs::read_to_string(&secret).unwrap().contains("secret-key"));
    assert_eq!(mode(&secret), 0o600);
    assert_eq!(fs::read_dir(directory.root()).unwrap().count(), 2);
}

#[test]
fn metadata_that_a_certificate_cannot_hold_is_refused() {
    let directory = Directory::new();
    let public = directory.path("x.key");
    for metadata in ["name", "na me=x"] {
        let run = keygen(&public, &["--metadata", metadata]);
        assert_eq!(run.code, Some(1), "{metadata}");
        assert!(run.stderr.contains("name=value"), "{}", run.stderr);
    }
    assert_eq!(fs::read_dir(directory.root()).unwrap().count(), 0);
}

#[test]
fn every_shell_has_completions() {
    for (shell, expected) in [
        ("bash", "_zrpc()"),
        ("zsh", "#compdef zrpc"),
        ("fish", "complete -c zrpc"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion:arg-completer[zrpc]"),
    ] {
        let run = zrpc(&["completions", shell]);
        assert_eq!(run.code, Some(0));
        assert!(run.stdout.contains(expected), "{shell}");
        assert!(run.stdout.contains("keygen"), "{shell}");
    }
    assert_eq!(zrpc(&["completions", "tcsh"]).code, Some(2));
}

#[test]
fn manual_pages_describe_the_command_and_its_tools() {
    let page = zrpc(&["man"]);
    assert_eq!(page.code, Some(0));
    assert!(page.stdout.contains(".TH zrpc 1"), "{}", page.stdout);
    assert!(page.stdout.contains("keygen"));
    let page = zrpc(&["man", "keygen"]).stdout;
    assert!(page.contains("force"), "{page}");
    let unknown = zrpc(&["man", "nothing"]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("there is no tool nothing"));

    let directory = Directory::new();
    let run = zrpc(&["man", "--directory", directory.root()]);
    assert_eq!(run.code, Some(0));
    assert!(Path::new(&directory.path("zrpc-keygen.1")).exists());

    // One that is not there is made, and one that cannot be is named.
    let new = directory.path("share/man1");
    assert_eq!(zrpc(&["man", "--directory", &new]).code, Some(0));
    assert!(Path::new(&new).join("zrpc.1").exists());
    let file = directory.path("zrpc-keygen.1");
    let run = zrpc(&["man", "--directory", &file]);
    assert_eq!(run.code, Some(1));
    let expected = format!("cannot write to {file}: ");
    assert!(run.stderr.contains(&expected), "{}", run.stderr);
}

#[test]
fn a_method_that_is_called_like_a_tool_is_still_a_method() {
    let address = serve();
    let run = zrpc(&[&address, "keygen"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("NameError: keygen"), "{}", run.stderr);
    let run = zrpc(&["--connect", &address, "keygen"]);
    assert!(run.stderr.contains("NameError: keygen"), "{}", run.stderr);
    let run = zrpc(&["--", "keygen"]);
    assert!(run.stderr.contains("endpoint 'keygen'"), "{}", run.stderr);
}

#[test]
fn help_lists_the_tools_and_their_options() {
    let run = zrpc(&["--help"]);
    assert_eq!(run.code, Some(0));
    for expected in [
        "Tools:",
        "keygen",
        "completions",
        "--print-json",
        "Exit codes:",
    ] {
        assert!(run.stdout.contains(expected), "{expected}: {}", run.stdout);
    }
    let run = zrpc(&["keygen", "--help"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert!(run.stdout.contains("--force"), "{}", run.stdout);
    assert_eq!(zrpc(&["keygen", "--nope"]).code, Some(2));
}

#[test]
fn the_help_of_every_tool_has_examples() {
    let help = zrpc(&["--help"]).stdout;
    let tools = help.lines().skip_while(|line| *line != "Tools:").skip(1);
    let tools: Vec<&str> = tools
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(tools.len(), 10, "{tools:?}");
    for tool in tools {
        let run = zrpc(&[tool, "--help"]);
        assert_eq!(run.code, Some(0), "{tool}");
        let example = format!("zrpc {tool} ");
        let (_, examples) = run.stdout.split_once("\nExamples:\n").unwrap();
        assert!(examples.contains(&example), "{tool}: {examples}");
    }
}

#[test]
fn help_and_documentation_know_the_same_exit_codes() {
    let page = include_str!("../../../../docs/cli.md").replace('`', "");
    let (_, table) = page.split_once("\n## Exit codes\n").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let documented = table.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let code: u8 = cells.next()?.parse().ok()?;
        Some((code, cells.next()?.trim_end_matches(" |").to_owned()))
    });
    let help = zrpc(&["--help"]).stdout;
    let (_, list) = help.split_once("\nExit codes:\n").unwrap();
    let listed = list.lines().filter_map(|line| {
        let (code, meaning) = line.strip_prefix("  ")?.split_once(' ')?;
        Some((code.parse().ok()?, meaning.trim().to_owned()))
    });
    let documented: BTreeMap<u8, String> = documented.collect();
    assert_eq!(documented, listed.collect());
}

fn keygen(path: &str, options: &[&str]) -> Run {
    zrpc(&[&["keygen", path], options].concat())
}

#[cfg(unix)]
fn mode(path: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt;

    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
