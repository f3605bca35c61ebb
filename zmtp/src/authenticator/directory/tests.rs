//! Which certificates count, and when.

use std::net::SocketAddr;

use super::*;
use crate::curve::{KeyPair, PublicKey};
use crate::endpoint::PeerAddress;
use crate::mechanism::Credentials;

/// A directory of its own, removed at the end of the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let name = format!("zmtp-certificates-{:016x}", rand::random::<u64>());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// Puts a file into the directory as a whole.
    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.0.join("new"), text).unwrap();
        fs::rename(self.0.join("new"), self.0.join(name)).unwrap();
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn certificate() -> Certificate {
    Certificate::new(KeyPair::generate().public_key())
}

async fn is_let_in(directory: &CertificateDirectory, public_key: PublicKey) -> bool {
    let address = PeerAddress::from(SocketAddr::from(([127, 0, 0, 1], 1)));
    let candidate = Candidate::new(address, Credentials::Curve { public_key });
    matches!(
        directory.authenticate(&candidate).await,
        Decision::Allow { .. }
    )
}

// ZAP-045
#[tokio::test]
async fn owners_of_certificates_come_in() {
    let files = Directory::new();
    let (known, unknown) = (certificate(), certificate());
    files.write("known.key", known.to_string());
    files.write("unknown.key_secret", unknown.to_string());
    files.write("large.key", "#".repeat(Certificate::MAX_LEN + 1));
    files.write("binary.key", [0xff]);
    files.write("empty.key", "");
    let directory = CertificateDirectory::open(&files.0).await.unwrap();
    assert!(is_let_in(&directory, known.public_key()).await);
    assert!(!is_let_in(&directory, unknown.public_key()).await);

    let found = directory.reload().await.unwrap();
    assert_eq!(found.count, 1);
    let mut skipped: Vec<_> = found
        .skipped
        .iter()
        .map(|(path, error)| {
            (
                path.file_name().unwrap().to_str().unwrap(),
                error.to_string(),
            )
        })
        .collect();
    skipped.sort();
    let expected = [
        ("binary.key", "the file is not text"),
        ("empty.key", "the file is not a certificate"),
        ("large.key", "the file is not a certificate"),
    ];
    assert_eq!(
        skipped,
        expected.map(|(name, error)| (name, error.to_owned()))
    );
}

#[tokio::test]
async fn a_changed_directory_is_read_again() {
    let files = Directory::new();
    let (first, second) = (certificate(), certificate());
    files.write("first.key", first.to_string());
    let directory = CertificateDirectory::open(&files.0).await.unwrap();
    assert!(!is_let_in(&directory, second.public_key()).await);

    files.write("second.key", second.to_string());
    fs::remove_file(files.0.join("first.key")).unwrap();
    // File systems count time in steps, and this test may be faster than one.
    let later = SystemTime::now() + Duration::from_secs(5);
    File::open(&files.0).unwrap().set_modified(later).unwrap();
    directory.shared.lock().checked -= CHECK_INTERVAL;
    assert!(is_let_in(&directory, second.public_key()).await);
    assert!(!is_let_in(&directory, first.public_key()).await);
}

#[tokio::test]
async fn nobody_comes_in_while_the_directory_cannot_be_read() {
    let files = Directory::new();
    let known = certificate();
    files.write("known.key", known.to_string());
    let directory = CertificateDirectory::open(&files.0).await.unwrap();
    let elsewhere = files.0.with_extension("moved");
    fs::rename(&files.0, &elsewhere).unwrap();
    assert!(directory.reload().await.is_err());
    assert!(!is_let_in(&directory, known.public_key()).await);
    fs::rename(&elsewhere, &files.0).unwrap();
    // Not at each attempt.
    assert!(!is_let_in(&directory, known.public_key()).await);
    directory.shared.lock().checked -= CHECK_INTERVAL;
    assert!(is_let_in(&directory, known.public_key()).await);
    assert!(CertificateDirectory::open(elsewhere).await.is_err());
}

#[tokio::test]
async fn a_change_that_the_time_does_not_show_is_noticed() {
    let files = Directory::new();
    let known = certificate();
    files.write("known.key", known.to_string());
    let modified = fs::metadata(&files.0).unwrap().modified().unwrap();
    let directory = CertificateDirectory::open(&files.0).await.unwrap();
    assert!(is_let_in(&directory, known.public_key()).await);
    fs::remove_file(files.0.join("known.key")).unwrap();
    File::open(&files.0)
        .unwrap()
        .set_modified(modified)
        .unwrap();
    directory.shared.lock().checked -= CHECK_INTERVAL;
    assert!(!is_let_in(&directory, known.public_key()).await);
}

#[tokio::test]
async fn an_old_directory_is_not_read_again() {
    let files = Directory::new();
    let modified = SystemTime::now() - Duration::from_secs(60);
    File::open(&files.0)
        .unwrap()
        .set_modified(modified)
        .unwrap();
    let directory = CertificateDirectory::open(&files.0).await.unwrap();
    assert_eq!(directory.shared.lock().version, Version::Settled(modified));
}

#[cfg(unix)]
#[tokio::test]
async fn a_want_of_descriptors_takes_no_keys_away() {
    let files = Directory::new();
    let known = certificate();
    files.write("known.key", known.to_string());
    let directory = CertificateDirectory::open(&files.0).await.unwrap();
    // EMFILE
    let error = io::Error::from_raw_os_error(24);
    assert!(directory.shared.store(Err(error)).is_err());
    assert!(is_let_in(&directory, known.public_key()).await);
    assert_eq!(directory.shared.lock().version, Version::Unsettled);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_waits_for_a_pipe() {
    let files = Directory::new();
    let pipe = files.0.join("pipe.key");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let opening = CertificateDirectory::open(&files.0);
    let opened = tokio::time::timeout(Duration::from_secs(10), opening).await;
    // Whoever waits shall not do so for ever.
    let _end = File::options().read(true).write(true).open(&pipe).unwrap();
    let found = opened.unwrap().unwrap().reload().await.unwrap();
    let [(_, error)] = &found.skipped[..] else {
        panic!("{found:?}");
    };
    assert!(matches!(error, CertificateFileError::NotAFile));
}
