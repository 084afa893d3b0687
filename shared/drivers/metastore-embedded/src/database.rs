//! The open file: made, locked, verified, and opened anew after a failure.

use crate::{fault::Fault, tables};
use parking_lot::Mutex;
use ports::metastore::StoreError;
use redb::backends::FileBackend;
use std::{
    fs::{self, File, OpenOptions, Permissions},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Memory for pages of the file, in bytes.
const CACHE: usize = 64 << 20;
/// Read and written by its owner only.
const PRIVATE: u32 = 0o600;

/// A file that is open most of the time.
pub struct Database {
    path: PathBuf,
    /// None after a failure of the disk: redb wants to begin anew then, and so do we.
    open: Mutex<Option<Arc<redb::Database>>>,
}

impl Database {
    /// Opens or makes it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let open = guarded(|| open(path)).map_err(|fault| fault.told(path))?;
        Ok(Self { path: path.to_owned(), open: Mutex::new(Some(Arc::new(open))) })
    }

    /// Works with the file. Waits for the disk; a panic of redb becomes an error.
    pub fn call<T>(
        &self,
        work: impl FnOnce(&redb::Database) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let outcome = self.current().and_then(|database| guarded(|| work(&database)));
        outcome.map_err(|fault| {
            *self.open.lock() = None;
            fault.told(&self.path)
        })
    }

    fn current(&self) -> Result<Arc<redb::Database>, Fault> {
        let mut held = self.open.lock();
        if let Some(database) = held.as_ref() {
            return Ok(Arc::clone(database));
        }
        let database = Arc::new(guarded(|| open(&self.path))?);
        *held = Some(Arc::clone(&database));
        Ok(database)
    }
}

/// redb asserts what it believes of its file; a damaged file must not end the process.
fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Fault::broke(&*panic)))
}

fn open(path: &Path) -> Result<redb::Database, Fault> {
    let file = private_file(path)?;
    let backend = FileBackend::new(file)?;
    let database = redb::Builder::new()
        .set_cache_size(CACHE)
        .set_check_integrity_on_open(true)
        .create_with_backend(backend)?;
    tables::prepare(&database)?;
    Ok(database)
}

fn private_file(path: &Path) -> Result<File, Fault> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(PRIVATE);
    let file = options.open(path)?;
    file.set_permissions(Permissions::from_mode(PRIVATE))?;
    // A new file is only durable once its folder names it.
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;
    use std::io;

    #[test]
    fn after_a_failure_the_next_call_opens_the_file_anew() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("store")).unwrap();
        let panicking = database.call(|_| -> Result<(), Fault> { panic!("as redb might") });
        assert!(
            matches!(&panicking, Err(StoreError::Damaged(why)) if why.contains("as redb might"))
        );
        assert_eq!(database.call(read::newest).unwrap().0, 0);
        let full = || Fault::Disk(io::Error::from(io::ErrorKind::StorageFull));
        let failing = database.call(|_| -> Result<(), Fault> { Err(full()) });
        assert!(matches!(failing, Err(StoreError::Unreachable(_))));
        assert_eq!(database.call(read::newest).unwrap().0, 0);
    }
}
