//! What a side shows to a server: from the options, or the files that they name.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use zmtp::curve::{Certificate, CertificateError, KeyError, KeyPair, PublicKey, SecretCertificate};
use zrpc::security::Security;

use super::error::SecurityError;
use crate::args::request::{Link, UsageError};

/// The options of a side that proves who it is to a server.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ClientSecurity {
    /// Encrypt with CURVE: the public key of the server, as Z85 or as a certificate file.
    #[arg(
        long,
        value_name = "key",
        env = "ZRPC_SERVER_KEY",
        hide_env_values = true,
        overrides_with = "server_key",
        help_heading = HEADING
    )]
    pub(super) server_key: Option<String>,

    /// The certificate file with our own secret key for CURVE; without it, a new key is made.
    #[arg(
        long,
        value_name = "file",
        env = "ZRPC_SECRET_KEY_FILE",
        hide_env_values = true,
        overrides_with = "secret_key_file",
        help_heading = HEADING
    )]
    pub(super) secret_key_file: Option<PathBuf>,

    /// Show servers a user name, and the password in the file (PLAIN, which encrypts nothing).
    #[arg(
        long,
        value_name = "user:password-file",
        env = "ZRPC_PLAIN",
        hide_env_values = true,
        overrides_with = "plain",
        help_heading = HEADING
    )]
    pub(super) plain: Option<String>,
}

impl ClientSecurity {
    /// Whether there is anything to show.
    pub(super) fn is_asked_for(&self) -> bool {
        self.server_key.is_some() || self.secret_key_file.is_some() || self.plain.is_some()
    }

    /// Refuses to tell strangers a password: who shows one asks for none, so that whoever connects
    /// to an address that is listened on would be told it, and be let in.
    ///
    /// # Errors
    ///
    /// [`UsageError::PasswordForStrangers`] with the name of the option.
    pub(in crate::args) fn check(&self, links: &[Link], option: &str) -> Result<(), UsageError> {
        let listens = links.iter().any(|link| matches!(link, Link::Bind(_)));
        if self.plain.is_some() && listens {
            let option = option.to_owned();
            return Err(UsageError::PasswordForStrangers { option });
        }
        Ok(())
    }

    /// Reads the files that the options name.
    ///
    /// # Errors
    ///
    /// [`SecurityError`] says which option, or which file.
    pub(crate) fn read(&self) -> Result<Security, SecurityError> {
        match (&self.server_key, &self.secret_key_file, &self.plain) {
            (None, None, None) => Ok(Security::null()),
            (Some(_), _, Some(_)) => Err(SecurityError::TwoMechanisms),
            (None, Some(_), _) => Err(SecurityError::NoServerKey),
            (None, None, Some(plain)) => read_plain(plain),
            (Some(server_key), own, None) => {
                let server_key = read_public_key(server_key)?;
                Ok(match own {
                    Some(path) => Security::curve_client(server_key, read_key_pair(path)?),
                    None => Security::curve_anonymous(server_key),
                })
            }
        }
    }
}

/// Reads the file with a key pair.
///
/// # Errors
///
/// [`SecurityError`] says what is wrong with the file.
pub(super) fn read_key_pair(path: &Path) -> Result<KeyPair, SecurityError> {
    let text = read(path)?;
    let certificate: Result<SecretCertificate, _> = text.parse();
    match certificate {
        Ok(certificate) => Ok(certificate.key_pair()),
        Err(CertificateError::Missing { name: "secret-key" }) => {
            let path = path.to_owned();
            Err(SecurityError::Public { path })
        }
        Err(source) => {
            let path = path.to_owned();
            Err(SecurityError::Certificate { path, source })
        }
    }
}

/// Takes a key as it is, or from the certificate in a file.
///
/// # Errors
///
/// [`SecurityError`], if it is neither.
fn read_public_key(text: &str) -> Result<PublicKey, SecurityError> {
    let key: Result<PublicKey, KeyError> = text.parse();
    if let Ok(key) = key {
        return Ok(key);
    }
    let path = Path::new(text);
    let content = fs::read_to_string(path).map_err(|source| SecurityError::ServerKey {
        text: text.to_owned(),
        source,
    })?;
    let certificate: Certificate =
        content
            .parse()
            .map_err(|source| SecurityError::Certificate {
                path: path.to_owned(),
                source,
            })?;
    Ok(certificate.public_key())
}

fn read_plain(text: &str) -> Result<Security, SecurityError> {
    let (user, file) = text.split_once(':').ok_or(SecurityError::PlainSyntax)?;
    let password = read(Path::new(file))?;
    // An editor ends the last line.
    let password = password.trim_end_matches(['\r', '\n']);
    Ok(Security::plain_client(user, password)?)
}

pub(super) fn read(path: &Path) -> Result<String, SecurityError> {
    fs::read_to_string(path).map_err(|source| SecurityError::File {
        path: path.to_owned(),
        source,
    })
}

/// The option with a password, where it has no side in front.
pub(in crate::args) const PLAIN: &str = "--plain";

/// What help calls the group of these options.
pub(super) const HEADING: &str = "Security";
