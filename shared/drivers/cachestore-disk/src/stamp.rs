//! Whose log lies in a folder, and whether it may be believed.
//!
//! A log has a secret number, new each time it begins anew: files of another number do not count. So
//! forgetting everything is replacing one small file.
//!
//! A log that was not closed is believed only while the machine has not been started anew: what was
//! written before the end of a process is there, what was written before a loss of power may not be.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Name of the file.
pub const NAME: &str = "stamp";
/// Name of the file that is locked while a process uses the folder.
pub const LOCK: &str = "lock";

const DRAFT: &str = "stamp.new";
const MAGIC: [u8; 8] = *b"NFstamp1";
const WORDS: usize = 6;
const LENGTH: usize = 8 + WORDS * 8 + 8;

/// A point in the history that a log belongs to: what its user needs to know after a restart to say
/// whether what is held may still be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// How often the history began anew.
    pub generation: u64,
    /// The last change that was seen.
    pub revision: u64,
    /// What that change looked like; 0 when it could not be seen.
    pub fingerprint: u64,
}

/// What the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The log's secret number.
    pub epoch: u64,
    /// Which start of the machine it was written under; 0 when that cannot be known.
    pub boot: u64,
    /// Whether the log was closed in order.
    pub closed: bool,
    /// How far its user had come.
    pub point: Point,
}

impl Stamp {
    /// A log that begins now.
    pub fn new(point: Point) -> Self {
        Self { epoch: rand::random(), boot: boot(), closed: false, point }
    }

    /// Whether all that was written under it can still be relied on.
    pub fn is_good(&self) -> bool {
        self.closed || (self.boot != 0 && self.boot == boot())
    }

    fn bytes(&self) -> Vec<u8> {
        let Point { generation, revision, fingerprint } = self.point;
        let words =
            [self.epoch, self.boot, u64::from(self.closed), generation, revision, fingerprint];
        let mut bytes = MAGIC.to_vec();
        for word in words {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        let sum = xxh3_64_with_seed(&bytes, 0);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes
    }

    fn parsed(bytes: &[u8]) -> Option<Self> {
        let mut words = [0; WORDS];
        let numbers = bytes.strip_prefix(&MAGIC)?.chunks_exact(8);
        for (word, bytes) in words.iter_mut().zip(numbers) {
            *word = u64::from_le_bytes(*bytes.first_chunk()?);
        }
        let [epoch, boot, closed, generation, revision, fingerprint] = words;
        let point = Point { generation, revision, fingerprint };
        let stamp = Self { epoch, boot, closed: closed == 1, point };
        (bytes.len() == LENGTH && stamp.bytes() == bytes).then_some(stamp)
    }

    /// Replaces the file: after the end of the process it says the old or the new, never a part.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let draft = folder.join(DRAFT);
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&self.bytes())?;
        if self.closed {
            file.sync_all()?;
        }
        fs::rename(&draft, folder.join(NAME))
    }

    /// What the file says; none when there is none, or none that can be believed.
    pub fn read(folder: &Path) -> Option<Self> {
        Self::parsed(&fs::read(folder.join(NAME)).ok()?)
    }

    /// Takes it away: without it nothing in the folder counts.
    pub fn forget(folder: &Path) {
        let _ = fs::remove_file(folder.join(NAME));
    }
}

/// This start of the machine.
fn boot() -> u64 {
    let id = fs::read("/proc/sys/kernel/random/boot_id");
    id.map_or(0, |id| xxh3_64(&id).max(1))
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Another process uses it.
    #[error("another process uses {}: give each edge a data_dir of its own", .0.display())]
    Taken(PathBuf),
    /// The system refuses.
    #[error("{}: {why}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// The system's reason.
        why: io::Error,
    },
}

/// Makes the folder if need be, and locks it for as long as the file is open.
///
/// # Errors
/// [`ClaimError::Taken`] while another process has it.
pub fn claim(folder: &Path) -> Result<File, ClaimError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |why| ClaimError::Io { path, why }
    };
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(failed(folder))?;
    let path = folder.join(LOCK);
    let mut options = fs::OpenOptions::new();
    let opened = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = opened.map_err(failed(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ClaimError::Taken(folder.to_owned())),
        Err(TryLockError::Error(why)) => Err(failed(&path)(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_comes_back_and_no_flipped_bit_goes_unseen() {
        let folder = tempfile::tempdir().unwrap();
        let point = Point { generation: 1, revision: 2, fingerprint: 3 };
        let stamp = Stamp::new(point);
        stamp.write(folder.path()).unwrap();
        assert_eq!(Stamp::read(folder.path()), Some(stamp));
        let bytes = stamp.bytes();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Stamp::parsed(&flipped), None, "bit {bit}");
        }
        Stamp::forget(folder.path());
        assert_eq!(Stamp::read(folder.path()), None);
    }

    #[test]
    fn after_the_machine_was_started_anew_only_a_closed_log_is_good() {
        let now = Stamp::new(Point::default());
        let before = Stamp { boot: now.boot ^ 2, ..now };
        assert!(now.is_good() && !before.is_good());
        assert!(Stamp { closed: true, ..before }.is_good());
        assert!(!Stamp { boot: 0, ..now }.is_good());
    }

    #[test]
    fn a_folder_has_one_user() {
        let folder = tempfile::tempdir().unwrap();
        let held = claim(folder.path()).unwrap();
        assert!(matches!(claim(folder.path()), Err(ClaimError::Taken(_))));
        drop(held);
        claim(folder.path()).unwrap();
    }
}
