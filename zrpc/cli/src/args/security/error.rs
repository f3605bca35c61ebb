//! What is wrong with keys and passwords.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use zmtp::curve::CertificateError;
use zrpc::security::CredentialsError;

use crate::render::chain;

/// Why keys or passwords cannot be used. It never tells what is in a file.
#[derive(Debug, Error)]
pub(crate) enum SecurityError {
    /// A key of ours has no server to be shown to.
    #[error("--secret-key-file needs --server-key: CURVE has to know the key of the server")]
    NoServerKey,
    /// Only one of the two can be shown.
    #[error("--plain and --server-key are two mechanisms: use one of them")]
    TwoMechanisms,
    /// There is no colon.
    #[error("--plain needs a user name and a file with the password, as in user:password.txt")]
    PlainSyntax,
    /// It is neither a key nor the name of a file.
    #[error("{text} is neither a key of 40 characters nor a file: {source}")]
    ServerKey {
        /// What was given.
        text: String,
        /// Why there is no file.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file has no key in it.
    #[error("{} holds no key: {}", path.display(), chain(source))]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: CertificateError,
    },
    /// A file should hold the secret key and does not.
    #[error("{} holds no secret key: give the file that ends in _secret", path.display())]
    Public {
        /// The file.
        path: PathBuf,
    },
    /// There is nobody who decides whom to let in, or there are two.
    #[error(
        "--curve-secret needs --authorized-keys, or --any-key to let in everybody; and each of \
         those needs --curve-secret"
    )]
    Authorization,
    /// A side that lets others in is not let in itself.
    #[error(
        "options of both sides: --server-key, --secret-key-file and --plain are shown to others, \
         --curve-secret, --authorized-keys, --any-key and --passwords let others in"
    )]
    BothSides,
    /// Only one of the two can be asked for.
    #[error("--passwords and --curve-secret are two mechanisms: use one of them")]
    TwoServerMechanisms,
    /// A line of a password file is none.
    #[error("line {line} of {} is not user:password", path.display())]
    Passwords {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The directory of keys cannot be read.
    #[error("the keys in {} cannot be read: {source}", path.display())]
    Keys {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A user name or password is too long, or has characters that it must not have.
    #[error("a user name or password cannot be used: {0}")]
    Plain(#[from] CredentialsError),
}
