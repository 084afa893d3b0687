//! What was removed, beside each segment: kept on disk before a removal is done.
//!
//! For: that what was removed or replaced does not come back after the end of the process, in
//! whatever way it ends. One entry says: of this key, nothing that was written before this place
//! counts. A journal is needed as long as its segment or an older one is there.

use crate::{
    files::{self, Kind},
    place::{Place, Print},
};
use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Bytes of an entry: print, place, checksum.
const ENTRY: usize = 24;

/// The journal that is written.
#[derive(Debug)]
pub struct Journal {
    file: File,
    secret: u64,
    /// Its size.
    pub bytes: u64,
}

impl Journal {
    /// A new one.
    ///
    /// # Errors
    /// The system's.
    pub fn create(folder: &Path, number: u32, epoch: u64) -> io::Result<Self> {
        let mut file = files::create(folder, number, Kind::Removals)?;
        file.write_all(&files::header(Kind::Removals, number, epoch))?;
        Ok(Self { file, secret: epoch, bytes: files::HEADER as u64 })
    }

    /// Nothing of this key that was written before this place counts any more.
    ///
    /// # Errors
    /// The system's; whether the entry is there is not known then.
    pub fn bury(&mut self, print: Print, before: Place) -> io::Result<()> {
        self.bytes += ENTRY as u64;
        self.file.write_all(&entry(print, before, self.secret))
    }

    /// Returns once the medium has it.
    ///
    /// # Errors
    /// The system's.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn entry(print: Print, before: Place, secret: u64) -> [u8; ENTRY] {
    let mut bytes = [0; ENTRY];
    let (summed, sum) = bytes.split_at_mut(ENTRY - 8);
    let (first, second) = summed.split_at_mut(8);
    first.copy_from_slice(&u64::from(print).to_le_bytes());
    second.copy_from_slice(&before.0.to_le_bytes());
    sum.copy_from_slice(&xxh3_64_with_seed(summed, secret).to_le_bytes());
    bytes
}

/// What a journal says; none when it is not ours or an entry in it is damaged. An entry that was cut
/// off at the end was never done.
pub fn read(folder: &Path, number: u32, epoch: u64) -> Option<Vec<(Print, Place)>> {
    let bytes = std::fs::read(files::path(folder, number, Kind::Removals)).ok()?;
    let entries = files::body(&bytes, Kind::Removals, number, epoch)?;
    entries.chunks_exact(ENTRY).map(|bytes| parsed(bytes, epoch)).collect()
}

fn parsed(bytes: &[u8], secret: u64) -> Option<(Print, Place)> {
    let (print, rest) = bytes.split_first_chunk()?;
    let (before, _) = rest.split_first_chunk()?;
    let read = (Print::from(u64::from_le_bytes(*print)), Place(u64::from_le_bytes(*before)));
    (entry(read.0, read.1, secret) == bytes).then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_buried_is_read_and_damage_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(folder.path(), 3, 11).unwrap();
        let told: Vec<_> = (0..2).map(|n| (Print::from(n), Place(n * 100))).collect();
        for (print, place) in &told {
            journal.bury(*print, *place).unwrap();
        }
        let path = files::path(folder.path(), 3, Kind::Removals);
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes.len() as u64, journal.bytes);
        assert_eq!(read(folder.path(), 3, 11).as_ref(), Some(&told));
        assert_eq!(read(folder.path(), 3, 12), None);
        assert_eq!(read(folder.path(), 4, 11), None);
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(read(folder.path(), 3, 11).as_deref(), Some(&told[..1]));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, flipped).unwrap();
            assert_eq!(read(folder.path(), 3, 11), None, "bit {bit}");
        }
    }
}
