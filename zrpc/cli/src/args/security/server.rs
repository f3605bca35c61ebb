//! Whom a side lets in: from the options, or the files that they name.

use std::path::{Path, PathBuf};

use clap::Args;
use zrpc::security::{AnyKey, CertificateDirectory, Passwords, Security};

use super::client::{HEADING, read, read_key_pair};
use super::error::SecurityError;

/// The options of a side that others prove to who they are.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ServerSecurity {
    /// Encrypt with CURVE: the certificate file with our own secret key.
    #[arg(
        long,
        value_name = "file",
        overrides_with = "curve_secret",
        help_heading = HEADING
    )]
    pub(super) curve_secret: Option<PathBuf>,

    /// Let in the keys whose certificates are files in this directory.
    #[arg(
        long,
        value_name = "directory",
        overrides_with = "authorized_keys",
        conflicts_with = "any_key",
        help_heading = HEADING
    )]
    pub(super) authorized_keys: Option<PathBuf>,

    /// Let in every key: nobody listens in, and everybody may call.
    #[arg(long, overrides_with = "any_key", help_heading = HEADING)]
    pub(super) any_key: bool,

    /// Ask for a user name and a password (PLAIN, which encrypts nothing): a file with a line
    /// user:password for each.
    #[arg(
        long,
        value_name = "file",
        overrides_with = "passwords",
        help_heading = HEADING
    )]
    pub(super) passwords: Option<PathBuf>,
}

impl ServerSecurity {
    /// Whether anything is asked of others.
    pub(super) fn is_asked_for(&self) -> bool {
        let keys = self.curve_secret.is_some() || self.authorized_keys.is_some() || self.any_key;
        keys || self.passwords.is_some()
    }

    /// Reads the files that the options name.
    ///
    /// # Errors
    ///
    /// [`SecurityError`] says which option, or which file.
    pub(crate) async fn read(&self) -> Result<Security, SecurityError> {
        match (&self.curve_secret, &self.authorized_keys, &self.passwords) {
            (Some(_), _, Some(_)) => Err(SecurityError::TwoServerMechanisms),
            (Some(secret), Some(directory), None) => {
                let keys = CertificateDirectory::open(directory).await;
                let keys = keys.map_err(|source| SecurityError::Keys {
                    path: directory.clone(),
                    source,
                })?;
                Ok(Security::curve_server(read_key_pair(secret)?, keys))
            }
            (Some(secret), None, None) if self.any_key => {
                Ok(Security::curve_server(read_key_pair(secret)?, AnyKey))
            }
            (Some(_), None, None) | (None, Some(_), _) => Err(SecurityError::Authorization),
            (None, None, _) if self.any_key => Err(SecurityError::Authorization),
            (None, None, Some(file)) => Ok(Security::plain_server(read_passwords(file)?)),
            (None, None, None) => Ok(Security::null()),
        }
    }
}

fn read_passwords(path: &Path) -> Result<Passwords, SecurityError> {
    let mut passwords = Passwords::new();
    for (text, line) in read(path)?.lines().zip(1..) {
        if text.is_empty() {
            continue;
        }
        let (user, password) = text
            .split_once(':')
            .ok_or_else(|| SecurityError::Passwords {
                path: path.to_owned(),
                line,
            })?;
        passwords.insert(user, password)?;
    }
    Ok(passwords)
}
