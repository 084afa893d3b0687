//! Questions to the file; each sees one moment of it.

use crate::{
    fault::Fault,
    tables::{CHANGES, ENTRIES, NUMBERS, Place, REVISION, WRITES, Written, number},
};
use bytes::Bytes;
use model::units::Revision;
use ports::metastore::{Change, Changes, Entry, Snapshot, Write};
use redb::{Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable};
use std::{collections::BTreeMap, ops::Bound};

/// Changes are handed out until they are this many bytes.
const ANSWER: u64 = 8 << 20;

/// Number of the newest commit.
pub fn newest(database: &Database) -> Result<Revision, Fault> {
    revision(&database.begin_read()?)
}

/// The entry of this key.
pub fn get(database: &Database, key: &str) -> Result<Option<Entry>, Fault> {
    let entries = database.begin_read()?.open_table(ENTRIES)?;
    Ok(entries.get(key)?.map(|found| entry(key, found.value())))
}

/// Up to `limit` entries under `prefix` that come after `after`.
pub fn list(
    database: &Database,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Entry>, Fault> {
    let entries = database.begin_read()?.open_table(ENTRIES)?;
    let from = match after {
        Some(after) if after >= prefix => Bound::Excluded(after),
        _ => Bound::Included(prefix),
    };
    under(&entries, prefix, from, limit)
}

/// All entries under these prefixes, and the commit that they are of.
pub fn snapshot(database: &Database, prefixes: &[String]) -> Result<Snapshot, Fault> {
    let transaction = database.begin_read()?;
    let entries = transaction.open_table(ENTRIES)?;
    let mut found = BTreeMap::new();
    for prefix in prefixes {
        let some = under(&entries, prefix, Bound::Included(prefix), usize::MAX)?;
        found.extend(some.into_iter().map(|entry| (entry.key.clone(), entry)));
    }
    Ok(Snapshot { revision: revision(&transaction)?, entries: found.into_values().collect() })
}

/// The next changes, as many as `limit` and [`ANSWER`] let pass.
pub fn changes(database: &Database, after: Revision, limit: usize) -> Result<Changes, Fault> {
    let transaction = database.begin_read()?;
    let changes = transaction.open_table(CHANGES)?;
    let newest = revision(&transaction)?;
    if newest <= after {
        return Ok(if newest == after { Changes::Next(Vec::new()) } else { Changes::Lost });
    }
    let oldest = changes.first()?.map(|(oldest, _)| oldest.value());
    if oldest.is_none_or(|oldest| oldest > after.0 + 1) {
        return Ok(Changes::Lost);
    }
    next(&changes, &transaction.open_table(WRITES)?, after, limit).map(Changes::Next)
}

fn next(
    changes: &ReadOnlyTable<u64, u64>,
    writes: &ReadOnlyTable<Place, Written>,
    after: Revision,
    limit: usize,
) -> Result<Vec<Change>, Fault> {
    let (mut next, mut bytes) = (Vec::new(), 0);
    for row in changes.range(after.0 + 1..)?.take(limit) {
        let (revision, weight) = row?;
        bytes += weight.value();
        if bytes > ANSWER && !next.is_empty() {
            break;
        }
        next.push(change(writes, revision.value())?);
    }
    Ok(next)
}

fn change(writes: &ReadOnlyTable<Place, Written>, revision: u64) -> Result<Change, Fault> {
    let rows = writes.range((revision, 0)..=(revision, u32::MAX))?;
    let writes = rows.map(|row| Ok(write(row?.1.value())));
    Ok(Change { revision: Revision(revision), writes: writes.collect::<Result<_, Fault>>()? })
}

fn write((key, value): (&str, Option<&[u8]>)) -> Write {
    match value {
        Some(value) => Write::Put(key.to_owned(), Bytes::copy_from_slice(value)),
        None => Write::Delete(key.to_owned()),
    }
}

fn under(
    entries: &impl ReadableTable<&'static str, (u64, &'static [u8])>,
    prefix: &str,
    from: Bound<&str>,
    limit: usize,
) -> Result<Vec<Entry>, Fault> {
    let mut found = Vec::new();
    for row in entries.range::<&str>((from, Bound::Unbounded))?.take(limit) {
        let (key, value) = row?;
        if !key.value().starts_with(prefix) {
            break;
        }
        found.push(entry(key.value(), value.value()));
    }
    Ok(found)
}

fn entry(key: &str, (revision, value): (u64, &[u8])) -> Entry {
    Entry {
        key: key.to_owned(),
        value: Bytes::copy_from_slice(value),
        revision: Revision(revision),
    }
}

fn revision(transaction: &ReadTransaction) -> Result<Revision, Fault> {
    Ok(Revision(number(&transaction.open_table(NUMBERS)?, REVISION)?))
}
