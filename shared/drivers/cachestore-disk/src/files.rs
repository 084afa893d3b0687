//! The files of a log: their names, what each begins with, and the list of a sealed segment.
//!
//! | name | holds |
//! | --- | --- |
//! | `stamp` | whose log this is: see `stamp` |
//! | `0000000007.records` | records, one behind the other |
//! | `0000000007.list` | where they are; written when the segment is full |
//! | `0000000007.removals` | what was removed meanwhile: see `journal` |
//!
//! Each begins with its kind, its number and the number of its log, so that what lies in a wrong
//! place is not believed. Other names are not ours and stay untouched.

use crate::{
    place::{Print, Spot},
    record,
};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Bytes that every file begins with.
pub const HEADER: usize = 32;
/// Bytes of one line in a list: print, offset, length.
pub const LINE: usize = 16;
/// Read at a time when a segment is read from end to end.
const PIECE: usize = 1 << 20;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Records.
    Records,
    /// Where they are.
    List,
    /// What was removed.
    Removals,
}

/// All kinds.
pub const KINDS: [Kind; 3] = [Kind::Records, Kind::List, Kind::Removals];

impl Kind {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::List => "list",
            Self::Removals => "removals",
        }
    }

    const fn magic(self) -> [u8; 8] {
        match self {
            Self::Records => *b"NFrecor1",
            Self::List => *b"NFlists1",
            Self::Removals => *b"NFremov1",
        }
    }
}

/// Where the file of this number and kind is.
pub fn path(folder: &Path, number: u32, kind: Kind) -> PathBuf {
    folder.join(format!("{number:010}.{}", kind.suffix()))
}

/// Makes a file that must not be there yet, readable for its owner only.
///
/// # Errors
/// The system's.
pub fn create(folder: &Path, number: u32, kind: Kind) -> io::Result<File> {
    let path = path(folder, number, kind);
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

/// What a file begins with.
pub fn header(kind: Kind, number: u32, epoch: u64) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    let (summed, sum) = bytes.split_at_mut(HEADER - 8);
    let (magic, rest) = summed.split_at_mut(8);
    let (log, rest) = rest.split_at_mut(8);
    magic.copy_from_slice(&kind.magic());
    log.copy_from_slice(&xxh3_64_with_seed(b"log", epoch).to_le_bytes());
    rest.copy_from_slice(&u64::from(number).to_le_bytes());
    sum.copy_from_slice(&xxh3_64_with_seed(summed, epoch).to_le_bytes());
    bytes
}

/// What comes after the beginning; none when this is not the file it should be.
pub fn body(bytes: &[u8], kind: Kind, number: u32, epoch: u64) -> Option<&[u8]> {
    bytes.strip_prefix(&header(kind, number, epoch))
}

/// What lies in a folder.
#[derive(Debug, Default)]
pub struct Found {
    /// Sizes of our files by number and kind.
    pub ours: BTreeMap<(u32, Kind), u64>,
    /// How many names are not ours.
    pub foreign: usize,
}

/// Looks into a folder.
///
/// # Errors
/// The system's.
pub fn look(folder: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        match name.to_str().and_then(parsed) {
            Some(ours) => {
                found.ours.insert(ours, entry.metadata()?.len());
            }
            None if name == crate::stamp::NAME || name == crate::stamp::LOCK => {}
            None => found.foreign += 1,
        }
    }
    Ok(found)
}

fn parsed(name: &str) -> Option<(u32, Kind)> {
    let (number, suffix) = name.split_once('.')?;
    let kind = KINDS.into_iter().find(|kind| kind.suffix() == suffix)?;
    let digits = number.len() == 10 && number.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| number.parse().ok())?.map(|number| (number, kind))
}

/// Takes all files of a number away, as far as they can be.
pub fn delete(folder: &Path, number: u32) {
    // The removals last: while records stand, what was removed from them must be known.
    for kind in KINDS {
        let _ = fs::remove_file(path(folder, number, kind));
    }
}

/// One record of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of its key.
    pub print: Print,
    /// Where it is.
    pub spot: Spot,
}

/// A list as bytes.
pub fn list(number: u32, epoch: u64, lines: &[Line]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + lines.len() * LINE + 8);
    bytes.extend_from_slice(&header(Kind::List, number, epoch));
    for line in lines {
        bytes.extend_from_slice(&u64::from(line.print).to_le_bytes());
        bytes.extend_from_slice(&line.spot.offset.to_le_bytes());
        bytes.extend_from_slice(&line.spot.length().to_le_bytes());
    }
    let sum = xxh3_64_with_seed(&bytes, epoch);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// The lines of a segment's list, in the order in which records were written; none when there is no
/// list that can be believed. `size` is that of the segment.
pub fn read_list(folder: &Path, number: u32, epoch: u64, size: u64) -> Option<Vec<Line>> {
    let bytes = fs::read(path(folder, number, Kind::List)).ok()?;
    let (summed, sum) = bytes.split_last_chunk()?;
    if u64::from_le_bytes(*sum) != xxh3_64_with_seed(summed, epoch) {
        return None;
    }
    let lines = body(summed, Kind::List, number, epoch)?.chunks_exact(LINE);
    lines.map(|bytes| line(bytes, number).filter(|line| fits(line.spot, size))).collect()
}

fn line(bytes: &[u8], number: u32) -> Option<Line> {
    let (print, rest) = bytes.split_first_chunk()?;
    let (offset, rest) = rest.split_first_chunk()?;
    let (length, _) = rest.split_first_chunk()?;
    let (offset, length) = (u32::from_le_bytes(*offset), u32::from_le_bytes(*length));
    let spot = Spot::new(number, offset, length);
    Some(Line { print: Print::from(u64::from_le_bytes(*print)), spot })
}

fn fits(spot: Spot, size: u64) -> bool {
    u64::from(spot.offset) + u64::from(spot.length()) <= size
}

/// What was found by reading a segment from end to end.
#[derive(Debug, Default)]
pub struct Scanned {
    /// Whole records.
    pub lines: Vec<Line>,
    /// Records that were damaged; behind a damaged head nothing can be found.
    pub damaged: u64,
    /// Where the last one that could be found ends.
    pub end: u64,
}

/// Reads a segment from end to end, checking every byte.
///
/// # Errors
/// The system's.
pub fn scan(file: &File, number: u32, epoch: u64) -> io::Result<Scanned> {
    let size = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(PIECE, file);
    io::Seek::rewind(&mut reader)?;
    let mut beginning = [0; HEADER];
    let mut scanned = Scanned::default();
    if !filled(&mut reader, &mut beginning)? || beginning != header(Kind::Records, number, epoch) {
        scanned.damaged = u64::from(size > 0);
        return Ok(scanned);
    }
    scanned.end = HEADER as u64;
    let (mut head, mut payload) = ([0; record::HEAD], Vec::new());
    while scanned.end < size {
        let spot = u32::try_from(scanned.end).ok();
        let place = crate::place::Place::at(number, spot.unwrap_or(u32::MAX));
        let read = filled(&mut reader, &mut head)?.then(|| record::head(&head, epoch, place));
        let next = read.flatten().filter(|head| scanned.end + head.total() <= size);
        let (Some(head), Some(offset)) = (next, spot) else {
            scanned.damaged += 1;
            break;
        };
        let total = usize::try_from(head.total()).unwrap_or(usize::MAX);
        payload.resize(total.saturating_sub(record::HEAD), 0);
        reader.read_exact(&mut payload)?;
        let body = payload.get(..head.length as usize).unwrap_or_default();
        if record::holds(&head, body, epoch, place) {
            let spot = Spot::new(number, offset, u32::try_from(total).unwrap_or(u32::MAX));
            scanned.lines.push(Line { print: Print::of(&head.key), spot });
        } else {
            scanned.damaged += 1;
        }
        scanned.end += head.total();
    }
    Ok(scanned)
}

/// Fills the buffer; false when the file ends before.
fn filled(reader: &mut impl io::Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(why) if why.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(why) => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_names_are_ours() {
        assert_eq!(parsed("0000000012.list"), Some((12, Kind::List)));
        for foreign in ["12.list", "0000000012.list.bak", "000000001x.list", "0000000012", "x"] {
            assert_eq!(parsed(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_list_comes_back_as_it_was_and_no_flipped_bit_goes_unseen() {
        let folder = tempfile::tempdir().unwrap();
        let at = |offset, length| Spot::new(5, offset, length);
        let lines = [
            Line { print: Print::from(1), spot: at(32, 64) },
            Line { print: Print::from(2), spot: at(96, 72) },
        ];
        let bytes = list(5, 9, &lines);
        let path = path(folder.path(), 5, Kind::List);
        fs::write(&path, &bytes).unwrap();
        assert_eq!(read_list(folder.path(), 5, 9, 168).as_deref(), Some(&lines[..]));
        assert_eq!(read_list(folder.path(), 5, 9, 167), None, "a segment that was cut off");
        assert_eq!(read_list(folder.path(), 5, 8, 168), None);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, flipped).unwrap();
            assert_eq!(read_list(folder.path(), 5, 9, 168), None, "bit {bit}");
        }
    }
}
