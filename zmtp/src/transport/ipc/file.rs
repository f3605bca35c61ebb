//! The files of listening Unix sockets: whose they are, and who may remove them.

use std::fs::{self, DirBuilder, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rand::RngExt;
use socket2::{Domain, SockAddr, Socket, Type};

/// How long a file that nobody listens behind is given, in case its program has bound it and is
/// about to listen.
const GRACE: Duration = Duration::from_millis(20);

/// Which file of a system a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

/// The file of a socket of ours; removed on drop, unless another file has taken its place.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    id: FileId,
}

impl SocketFile {
    /// Takes over the file that was created for a socket that was just bound to `path`.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        Ok(Self {
            // The directory of the process may change before the file is removed.
            path: std::path::absolute(path)?,
            id: FileId::of(&fs::symlink_metadata(path)?),
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours =
            fs::symlink_metadata(&self.path).is_ok_and(|metadata| FileId::of(&metadata) == self.id);
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "socket file was not removed");
        }
    }
}

/// A directory that nobody else can look into; removed on drop.
#[derive(Debug)]
pub(super) struct PrivateDirectory {
    pub(super) path: PathBuf,
}

impl PrivateDirectory {
    /// Makes a directory where the system keeps temporary files.
    pub(super) fn create() -> io::Result<Self> {
        let number: u64 = rand::rng().random();
        let path = std::env::temp_dir().join(format!("zmtp-{number:016x}"));
        // Fails if it exists: somebody else may own it.
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { path })
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        // Fails if somebody has put something into it, which is not ours to remove.
        if let Err(error) = fs::remove_dir(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "directory was not removed");
        }
    }
}

/// Removes the socket at `path` if nobody listens behind it.
///
/// # Errors
///
/// `AddrInUse` if somebody does, if it cannot be told, or if the file is no socket.
pub(super) async fn remove_stale(path: &Path) -> io::Result<()> {
    let Some(id) = socket_file(path)? else {
        return Ok(());
    };
    if is_live(path)? {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    tokio::time::sleep(GRACE).await;
    if is_live(path)? {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    remove_file_with_id(path, id)
}

/// The id of the socket at `path`; `None` if there is no file.
fn socket_file(path: &Path) -> io::Result<Option<FileId>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => Ok(Some(FileId::of(&metadata))),
        Ok(_) => Err(io::ErrorKind::AddrInUse.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether somebody listens at `path`, or it cannot be told.
fn is_live(path: &Path) -> io::Result<bool> {
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // Connecting would wait while the queue of the listener is full.
    probe.set_nonblocking(true)?;
    let probed = probe.connect(&SockAddr::unix(path)?);
    Ok(!probed.is_err_and(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound
        )
    }))
}

/// Removes the file at `path` if it is the one with `id`.
///
/// Another process may find the same file stale, remove it and bind its own in this very moment.
/// So the file is moved aside first, which only one of the two can do, and then looked at.
fn remove_file_with_id(path: &Path, id: FileId) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{:016x}.stale", rand::rng().random::<u64>()));
    let aside = PathBuf::from(aside);
    match fs::rename(path, &aside) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    if FileId::of(&fs::symlink_metadata(&aside)?) == id {
        return fs::remove_file(&aside);
    }
    // A link and not a move: by now there may be a third file.
    let restored = fs::hard_link(&aside, path);
    fs::remove_file(&aside)?;
    restored?;
    Err(io::ErrorKind::AddrInUse.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_private_directory_is_for_its_owner_and_goes_on_drop() {
        let directory = PrivateDirectory::create().unwrap();
        let path = directory.path.clone();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        drop(directory);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn only_a_socket_that_nobody_listens_behind_is_removed() {
        let directory = PrivateDirectory::create().unwrap();
        let path = directory.path.join("a");
        remove_stale(&path).await.unwrap();
        let listener = UnixListener::bind(&path).unwrap();
        let refused = remove_stale(&path).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
        drop(listener);
        remove_stale(&path).await.unwrap();
        assert!(!path.exists());
        fs::write(&path, "precious").unwrap();
        let refused = remove_stale(&path).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_that_took_the_place_of_another_stays() {
        let directory = PrivateDirectory::create().unwrap();
        let path = directory.path.join("a");
        let first = UnixListener::bind(&path).unwrap();
        let ours = SocketFile::new(&path).unwrap();
        let id = ours.id;
        // Kept elsewhere, so that its number is not used again.
        fs::rename(&path, directory.path.join("b")).unwrap();
        let second = UnixListener::bind(&path).unwrap();
        drop(ours);
        assert!(path.exists());
        let kept = remove_file_with_id(&path, id).unwrap_err();
        assert_eq!(kept.kind(), io::ErrorKind::AddrInUse);
        assert!(is_live(&path).unwrap());
        assert_eq!(fs::read_dir(&directory.path).unwrap().count(), 2);
        drop((first, second));
        fs::remove_file(&path).unwrap();
        fs::remove_file(directory.path.join("b")).unwrap();
    }
}
