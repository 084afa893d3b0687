//! What an entry costs in memory.

use packing::Entry;

/// Key, handle, counter, and the place in the cache's tables.
pub(crate) const PLACE: u64 = 112;

/// Bytes of the entry, and what keeping it costs.
pub(crate) fn of(entry: &Entry) -> u64 {
    PLACE + entry.weight() as u64
}
