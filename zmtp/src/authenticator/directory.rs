//! Letting clients of CURVE in by the certificates in a directory.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use thiserror::Error;
use tokio::time::Instant;

use crate::authenticator::{Authenticator, Candidate, Deciding, PublicKeys};
use crate::curve::{Certificate, CertificateError};
use crate::mechanism::{Decision, Denial};

/// Lets in the owners of the certificates in a directory, as [`PublicKeys`] does: of its files whose
/// names end in `.key`.
///
/// When files come, go, or are replaced by others under the same name, the directory is read again,
/// at the next decision that is at least a second after the last. Files that are written to in
/// place are read again by [`reload`](Self::reload) only. While the directory cannot be read,
/// nobody comes in.
///
/// Clones share what they have read.
#[derive(Debug, Clone)]
pub struct CertificateDirectory {
    shared: Arc<Shared>,
}

/// What was found in a directory.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reload {
    /// The number of certificates.
    pub count: usize,
    /// The files that are none, and why.
    pub skipped: Vec<(PathBuf, CertificateFileError)>,
}

/// Why a file is not a certificate.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateFileError {
    /// The file cannot be read.
    #[error("the file cannot be read")]
    Io(#[from] io::Error),
    /// It is not text in UTF-8.
    #[error("the file is not text")]
    NotText,
    /// It is text and no certificate.
    #[error("the file is not a certificate")]
    Certificate(#[from] CertificateError),
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    keys: PublicKeys,
    /// When the directory was changed, as far as that is known.
    modified: Option<SystemTime>,
    checked: Instant,
}

impl CertificateDirectory {
    /// The most certificates that are read.
    pub const MAX_CERTIFICATES: usize = 65_536;

    /// Reads the certificates in the directory at `path`.
    ///
    /// Files that are no certificates are skipped, with a warning in the log for each.
    ///
    /// # Errors
    ///
    /// Returns an error if the directory cannot be read, or has more than
    /// [`MAX_CERTIFICATES`](Self::MAX_CERTIFICATES).
    ///
    /// # Cancel safety
    ///
    /// Reading goes on in the background if the future is dropped, for nobody.
    pub async fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let directory = Self {
            shared: Arc::new(Shared {
                path,
                state: Mutex::new(State {
                    keys: PublicKeys::new(),
                    modified: None,
                    checked: Instant::now(),
                }),
            }),
        };
        directory.reload().await?;
        Ok(directory)
    }

    /// Reads the directory again.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); nobody comes in then until it can be read.
    ///
    /// # Cancel safety
    ///
    /// Reading goes on in the background if the future is dropped.
    pub async fn reload(&self) -> io::Result<Reload> {
        let shared = Arc::clone(&self.shared);
        run_blocking(move || shared.reload()).await
    }

    async fn decide(&self, candidate: &Candidate) -> Decision {
        if self.shared.is_due() {
            let shared = Arc::clone(&self.shared);
            if let Err(error) = run_blocking(move || shared.refresh()).await {
                tracing::error!(%error, "the directory of certificates cannot be read");
            }
        }
        let state = self.shared.lock();
        if state.modified.is_none() {
            return Decision::Deny(Denial::InternalError);
        }
        state.keys.decide(&candidate.credentials)
    }
}

impl Authenticator for CertificateDirectory {
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Deciding<'a> {
        Box::pin(self.decide(candidate))
    }
}

impl Shared {
    /// Whether it is time to look after the directory; others are told that somebody does.
    fn is_due(&self) -> bool {
        let mut state = self.lock();
        let is_due = state.modified.is_none() || state.checked.elapsed() >= CHECK_INTERVAL;
        if is_due {
            state.checked = Instant::now();
        }
        is_due
    }

    fn refresh(&self) -> io::Result<()> {
        let modified = fs::metadata(&self.path).and_then(|metadata| metadata.modified());
        let is_unchanged = match &modified {
            Ok(modified) => self.lock().modified == Some(*modified),
            Err(_) => false,
        };
        if !is_unchanged {
            self.reload()?;
        }
        Ok(())
    }

    fn reload(&self) -> io::Result<Reload> {
        let read = self.read();
        let mut state = self.lock();
        match read {
            Ok((keys, modified, reload)) => {
                state.keys = keys;
                state.modified = Some(modified);
                Ok(reload)
            }
            Err(error) => {
                state.keys = PublicKeys::new();
                state.modified = None;
                Err(error)
            }
        }
    }

    fn read(&self) -> io::Result<(PublicKeys, SystemTime, Reload)> {
        // First the time: what changes meanwhile is read again.
        let modified = fs::metadata(&self.path)?.modified()?;
        let mut keys = PublicKeys::new();
        let mut skipped = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "key") {
                continue;
            }
            match read_certificate(&path) {
                Ok(certificate) => keys.insert_certificate(&certificate),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "certificate skipped");
                    skipped.push((path, error));
                }
            }
            if keys.count().max(skipped.len()) > CertificateDirectory::MAX_CERTIFICATES {
                return Err(io::Error::other("too many certificates"));
            }
        }
        let count = keys.count();
        Ok((keys, modified, Reload { count, skipped }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole at every moment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_certificate(path: &Path) -> Result<Certificate, CertificateFileError> {
    // One octet more than the most shows that there is more.
    let limit = Certificate::MAX_LEN as u64 + 1;
    let mut octets = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut octets)?;
    let text = std::str::from_utf8(&octets).map_err(|_| CertificateFileError::NotText)?;
    Ok(text.parse()?)
}

async fn run_blocking<T: Send + 'static>(
    task: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(task)
        .await
        .map_err(io::Error::other)?
}

/// How often the directory is looked after at most.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
