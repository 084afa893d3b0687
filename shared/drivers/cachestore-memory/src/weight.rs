//! What an entry costs in memory.

use ports::cachestore::Stored;

/// The entry itself: key, `Stored`, its counter, and its place in the cache's tables.
pub(crate) const ENTRY: u64 = 512;

/// A header beside its text: its place in the map, and allocations.
pub(crate) const HEADER: u64 = 128;

/// A piece of a body beside its bytes: the handle and the allocation behind it.
pub(crate) const PIECE: u64 = 64;

/// Bytes of body and headers, and what keeping them costs. Pieces count as long as they are; that
/// they do not hold larger buffers alive is up to whoever puts them.
pub(crate) fn of(stored: &Stored) -> u64 {
    let pieces: u64 = stored.body.iter().map(|piece| PIECE + piece.len() as u64).sum();
    let lines = stored.headers.iter();
    let head: u64 =
        lines.map(|(name, value)| HEADER + (name.as_str().len() + value.len()) as u64).sum();
    ENTRY + head + pieces
}
