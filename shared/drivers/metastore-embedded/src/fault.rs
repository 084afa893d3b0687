//! What may go wrong with the file, and what an operator is told.

use ports::metastore::StoreError;
use std::{any::Any, io, path::Path};

/// Why a piece of work with the file failed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// redb, or the disk below it.
    #[error(transparent)]
    Storage(#[from] redb::Error),
    /// The disk, outside redb.
    #[error(transparent)]
    Disk(#[from] io::Error),
    /// Of a later version than this program.
    #[error("it has format {0}, this program knows format {1} only")]
    Later(u64, u64),
    /// redb gave up on content that it did not expect.
    #[error("reading it failed inside redb: {0}")]
    Broke(String),
}

/// redb has an error type for each kind of call; all of them fold into one.
macro_rules! folds {
    ($($kind:ident),*) => {
        $(impl From<redb::$kind> for Fault {
            fn from(error: redb::$kind) -> Self {
                Self::Storage(error.into())
            }
        })*
    };
}
folds!(CommitError, DatabaseError, SetDurabilityError, StorageError, TableError, TransactionError);

impl Fault {
    /// The text that a panic carried.
    pub fn broke(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Self::Broke(text.unwrap_or("for no stated reason").to_owned())
    }

    /// The same for the users of the port.
    pub fn told(&self, path: &Path) -> StoreError {
        let file = path.display();
        match self {
            Self::Storage(redb::Error::DatabaseAlreadyOpen) => StoreError::Unreachable(format!(
                "{file} is held by another process: stop it, or give this one another data folder"
            )),
            Self::Storage(redb::Error::UpgradeRequired(_)) | Self::Later(..) => {
                StoreError::Refused(format!("{file} is of another version of this program: {self}"))
            }
            _ if self.is_disk() => StoreError::Unreachable(format!(
                "{file}: {self}; see to the disk's space, health and permissions"
            )),
            _ => StoreError::Damaged(format!(
                "{file}: {self}; restore the file from a copy, or move it away to begin anew"
            )),
        }
    }

    fn is_disk(&self) -> bool {
        match self {
            Self::Disk(_)
            | Self::Storage(redb::Error::PreviousIo | redb::Error::DatabaseClosed) => true,
            // Content that ends early or has no magic number is damage, not a failing disk.
            Self::Storage(redb::Error::Io(error)) => {
                !matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
            }
            _ => false,
        }
    }
}
