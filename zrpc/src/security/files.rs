//! Keys from certificate files, in the format that CZMQ and pyzmq write.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;
use zmtp::authenticator::{Authenticator, CertificateFileError};
use zmtp::curve::{Certificate, SecretCertificate};

use super::Security;

/// A file from which a key should come has none.
///
/// It names the file and says what is wrong with it, never what is in it.
#[derive(Debug, thiserror::Error)]
#[error("certificate file {}", .path.display())]
#[non_exhaustive]
pub struct KeyFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub reason: CertificateFileError,
}

impl Security {
    /// As [`curve_server`](Self::curve_server), with the key pair of a `.key_secret` file.
    ///
    /// Reads the file before it returns.
    ///
    /// # Errors
    ///
    /// [`KeyFileError`] if it cannot be read, or has no secret key.
    pub fn curve_server_from_file(
        own_secret: impl AsRef<Path>,
        authenticator: impl Authenticator,
    ) -> Result<Self, KeyFileError> {
        let own = read_secret_certificate(own_secret.as_ref())?;
        Ok(Self::curve_server(own.key_pair(), authenticator))
    }

    /// As [`curve_client`](Self::curve_client), with the public key of the server's `.key` file and
    /// the key pair of a `.key_secret` file.
    ///
    /// Reads the files before it returns.
    ///
    /// # Errors
    ///
    /// [`KeyFileError`] if one of them cannot be read, or lacks a key.
    pub fn curve_client_from_files(
        server: impl AsRef<Path>,
        own_secret: impl AsRef<Path>,
    ) -> Result<Self, KeyFileError> {
        let server = read_certificate(server.as_ref())?;
        let own = read_secret_certificate(own_secret.as_ref())?;
        Ok(Self::curve_client(server.public_key(), own.key_pair()))
    }
}

fn read_certificate(path: &Path) -> Result<Certificate, KeyFileError> {
    let parsed = read_text(path).and_then(|text| Ok(text.parse()?));
    parsed.map_err(|reason| failed(path, reason))
}

fn read_secret_certificate(path: &Path) -> Result<SecretCertificate, KeyFileError> {
    let parsed = read_text(path).and_then(|text| Ok(text.parse()?));
    parsed.map_err(|reason| failed(path, reason))
}

fn failed(path: &Path, reason: CertificateFileError) -> KeyFileError {
    KeyFileError {
        path: path.to_owned(),
        reason,
    }
}

/// Reads no more than a certificate may have, into memory that is wiped.
fn read_text(path: &Path) -> Result<Zeroizing<String>, CertificateFileError> {
    // One more than that is enough for the parser to refuse it.
    let mut octets = Zeroizing::new(Vec::with_capacity(Certificate::MAX_LEN + 1));
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(CertificateFileError::NotAFile);
    }
    file.take(Certificate::MAX_LEN as u64 + 1)
        .read_to_end(&mut octets)?;
    // What is not text is wiped with the octets.
    let text = std::str::from_utf8(&octets).map_err(|_| CertificateFileError::NotText)?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn a_file_without_a_key_is_named_with_what_is_wrong() {
        let missing = read_secret_certificate(Path::new("/nowhere/server.key_secret"));
        let error = missing.unwrap_err();
        assert_eq!(
            error.to_string(),
            "certificate file /nowhere/server.key_secret"
        );
        assert_eq!(
            error.source().unwrap().to_string(),
            "the file cannot be read"
        );
        let directory = read_certificate(Path::new("/"));
        assert!(matches!(
            directory.unwrap_err().reason,
            CertificateFileError::NotAFile
        ));
    }
}
