//! New keys for CURVE.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use rmpv::Value;
use thiserror::Error;
use zmtp::curve::{CertificateError, KeyPair, SecretCertificate};

use crate::args::Form;
use crate::error::CliError;
use crate::output::{Look, Printer};

/// Make a pair of keys for CURVE.
///
/// Without a file, both keys are printed as Z85, the secret one among them. With a file, it gets the
/// certificate with the public key, and the file of the same name with `_secret` behind it the one
/// with both, which only its owner may read. The format is that of CZMQ and pyzmq.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct KeygenOptions {
    /// The file of the public key, such as client.key.
    #[arg(value_name = "file")]
    path: Option<PathBuf>,

    /// Something to say about the owner in the certificates; may be repeated.
    #[arg(long, value_name = "name=value", requires = "path")]
    metadata: Vec<String>,

    /// Replace files that exist.
    #[arg(long, requires = "path")]
    force: bool,
}

/// Why there are no new keys.
#[derive(Debug, Error)]
pub(crate) enum KeygenError {
    /// A file is in the way.
    #[error("{} exists already; --force replaces it, and its key is lost", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The metadata is not a name and a value.
    #[error(
        "metadata {text} cannot be used: it has to be name=value, the name of letters, digits \
             and -_. and the value on one line"
    )]
    Metadata {
        /// What was given.
        text: String,
        /// What is wrong with it.
        source: Option<CertificateError>,
    },
}

/// What happens to a file that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Existing {
    Kept,
    Replaced,
}

impl KeygenOptions {
    /// Makes the keys.
    ///
    /// # Errors
    ///
    /// [`KeygenError`], or that stdout cannot be written.
    pub(crate) fn run(self, look: Look) -> Result<(), CliError> {
        let pair = KeyPair::generate();
        match &self.path {
            None => print(&pair, look),
            Some(path) => Ok(self.write(&pair, path)?),
        }
    }

    fn write(&self, pair: &KeyPair, path: &Path) -> Result<(), KeygenError> {
        let mut certificate = SecretCertificate::new(pair);
        for text in &self.metadata {
            let refused = |source| KeygenError::Metadata {
                text: text.clone(),
                source,
            };
            let (name, value) = text.split_once('=').ok_or_else(|| refused(None))?;
            certificate
                .insert(name, value)
                .map_err(|error| refused(Some(error)))?;
        }
        let existing = match self.force {
            true => Existing::Replaced,
            false => Existing::Kept,
        };
        let secret = secret_path(path);
        if existing == Existing::Kept {
            // Neither file is written if either is there.
            for path in [path, &secret] {
                if fs::symlink_metadata(path).is_ok() {
                    let path = path.to_owned();
                    return Err(KeygenError::Exists { path });
                }
            }
        }
        let text = certificate.expose_text();
        write_file(&secret, &text, Mode::Private, existing)?;
        let text = certificate.certificate().to_string();
        write_file(path, &text, Mode::Public, existing)
    }
}

/// Returns the file beside the public key, by CZMQ's rule.
fn secret_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("_secret");
    PathBuf::from(name)
}

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Private,
    Public,
}

/// Writes a new file, beside the old one if there is one, so that no reader ever sees half of it.
fn write_file(path: &Path, text: &str, mode: Mode, existing: Existing) -> Result<(), KeygenError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => KeygenError::Exists {
            path: path.to_owned(),
        },
        _ => KeygenError::Write {
            path: path.to_owned(),
            source,
        },
    };
    match existing {
        Existing::Kept => create(path, text, mode).map_err(failed),
        Existing::Replaced => {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{}", std::process::id()));
            let temporary = PathBuf::from(name);
            let written = create(&temporary, text, mode);
            written
                .and_then(|()| fs::rename(&temporary, path))
                .map_err(|error| {
                    // What was written is a secret; if it cannot be removed, it was not created.
                    let _ = fs::remove_file(&temporary);
                    failed(error)
                })
        }
    }
}

fn create(path: &Path, text: &str, mode: Mode) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let mut file = open(&mut options, path, mode)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn open(options: &mut OpenOptions, path: &Path, mode: Mode) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    let bits = match mode {
        Mode::Private => 0o600,
        Mode::Public => 0o644,
    };
    options.mode(bits).open(path)
}

#[cfg(not(unix))]
fn open(options: &mut OpenOptions, path: &Path, _mode: Mode) -> io::Result<File> {
    options.open(path)
}

fn print(pair: &KeyPair, look: Look) -> Result<(), CliError> {
    let public = pair.public_key().to_string();
    let secret = pair.secret_key().expose_text();
    if look.form == Form::Pretty {
        let mut out = io::stdout();
        writeln!(out, "public-key = \"{public}\"\nsecret-key = \"{secret}\"")?;
        return Ok(out.flush()?);
    }
    let entries = vec![
        (Value::from("public-key"), Value::from(public)),
        (Value::from("secret-key"), Value::from(secret)),
    ];
    Ok(Printer::new(io::stdout(), look).print(&Value::Map(entries))?)
}

/// What only the long help says.
const EXAMPLES: &str = "\
Examples:
  zrpc keygen                                      print both keys
  zrpc keygen server.key                           write server.key and server.key_secret
  zrpc keygen client.key --metadata name=printer";
