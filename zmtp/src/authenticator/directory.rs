//! Letting clients of CURVE in by the certificates in a directory.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
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
/// place are read again by [`reload`](Self::reload) only. While the directory is not there or must
/// not be read, nobody comes in. When reading fails for another reason, as for want of file
/// descriptors, what was read before counts until it succeeds.
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
    /// It is a directory, a pipe, or something else that is no file.
    #[error("it is not a regular file")]
    NotAFile,
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
    /// Held while the directory is read, so that what was read first is not stored last.
    reading: Mutex<()>,
}

#[derive(Debug)]
struct State {
    keys: PublicKeys,
    version: Version,
    checked: Instant,
}

/// What is known about the directory that the keys are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// It cannot be read, and there are no keys.
    Unreadable,
    /// It may have changed since without a later time to show for it.
    Unsettled,
    /// It was changed then, and not since if it still says so.
    Settled(SystemTime),
}

/// The outcome of reading: the keys, how far they can be relied on, and a report.
type Found = (PublicKeys, Version, Reload);

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
                    version: Version::Unreadable,
                    checked: Instant::now(),
                }),
                reading: Mutex::new(()),
            }),
        };
        directory.reload().await?;
        Ok(directory)
    }

    /// Reads the directory again.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open). Nobody comes in then until it can be read, unless the reason has to
    /// do with neither the directory nor its files.
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
        if state.version == Version::Unreadable {
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
        let is_due = state.checked.elapsed() >= CHECK_INTERVAL;
        if is_due {
            state.checked = Instant::now();
        }
        is_due
    }

    fn refresh(&self) -> io::Result<()> {
        let _reading = match self.reading.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Somebody reads it at this moment.
            Err(TryLockError::WouldBlock) => return Ok(()),
        };
        let modified = fs::metadata(&self.path).and_then(|metadata| metadata.modified());
        let is_unchanged =
            modified.is_ok_and(|modified| self.lock().version == Version::Settled(modified));
        if !is_unchanged {
            self.store(self.read())?;
        }
        Ok(())
    }

    fn reload(&self) -> io::Result<Reload> {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        self.store(self.read())
    }

    fn store(&self, found: io::Result<Found>) -> io::Result<Reload> {
        let mut state = self.lock();
        match found {
            Ok((keys, version, reload)) => {
                state.keys = keys;
                state.version = version;
                Ok(reload)
            }
            Err(error) => {
                if is_lasting(&error) {
                    state.keys = PublicKeys::new();
                    state.version = Version::Unreadable;
                } else if state.version != Version::Unreadable {
                    state.version = Version::Unsettled;
                }
                Err(error)
            }
        }
    }

    fn read(&self) -> io::Result<Found> {
        // First the time: what changes meanwhile is read again.
        let now = SystemTime::now();
        let modified = fs::metadata(&self.path)?.modified()?;
        let is_settled = now
            .duration_since(modified)
            .is_ok_and(|age| age >= SETTLING_TIME);
        let version = if is_settled {
            Version::Settled(modified)
        } else {
            Version::Unsettled
        };
        let mut keys = PublicKeys::new();
        let mut skipped = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "key") {
                continue;
            }
            match read_certificate(&path) {
                Ok(certificate) => keys.insert_certificate(&certificate),
                Err(CertificateFileError::Io(error)) if !is_lasting(&error) => return Err(error),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "certificate skipped");
                    skipped.push((path, error));
                }
            }
            if keys.count().max(skipped.len()) > CertificateDirectory::MAX_CERTIFICATES {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "too many certificates",
                ));
            }
        }
        let count = keys.count();
        Ok((keys, version, Reload { count, skipped }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole at every moment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_certificate(path: &Path) -> Result<Certificate, CertificateFileError> {
    // Opening a pipe would wait for somebody to write to it.
    if !fs::metadata(path)?.is_file() {
        return Err(CertificateFileError::NotAFile);
    }
    // One octet more than the most shows that there is more.
    let limit = Certificate::MAX_LEN as u64 + 1;
    let mut octets = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut octets)?;
    let text = std::str::from_utf8(&octets).map_err(|_| CertificateFileError::NotText)?;
    Ok(text.parse()?)
}

/// Whether an error tells of the file or directory, and not of the state that the system is in.
fn is_lasting(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::InvalidData
    )
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

/// For how long a change may have the same time as the one before: the coarsest clocks of common
/// file systems go in steps of two seconds.
const SETTLING_TIME: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests;
