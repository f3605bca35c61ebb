//! The programs in a directory.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::options::ServeError;
use super::program::Program;

/// Finds the executable files of a directory, in the order of their names. Those that begin with a
/// dot or an underscore are private.
///
/// # Errors
///
/// [`ServeError`], if there are none, or two of the same name.
pub(super) fn find_programs(directory: &Path) -> Result<Vec<Program>, ServeError> {
    let unreadable = |source: io::Error| ServeError::Directory {
        path: directory.to_owned(),
        source,
    };
    // What the directory is called must not change with the directory that the command runs in.
    let directory = fs::canonicalize(directory).map_err(unreadable)?;
    let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
    for entry in fs::read_dir(&directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        // A link that leads nowhere is no program.
        let Ok(metadata) = fs::metadata(&path) else {
            continue;
        };
        if !metadata.is_file() || !is_executable(&metadata) {
            continue;
        }
        let Some(method) = path.file_stem().and_then(|stem| stem.to_str()) else {
            return Err(ServeError::Name { path });
        };
        if method.starts_with(['.', '_']) {
            continue;
        }
        let method = method.to_owned();
        if let Some(first) = found.insert(method.clone(), path.clone()) {
            return Err(ServeError::SameName {
                first,
                second: path,
                method,
            });
        }
    }
    if found.is_empty() {
        return Err(ServeError::NoPrograms { path: directory });
    }
    let programs = found.into_iter();
    let programs = programs.map(|(method, path)| Program::new(method, path, Vec::new()));
    Ok(programs.collect())
}

#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;

    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_metadata: &Metadata) -> bool {
    true
}
