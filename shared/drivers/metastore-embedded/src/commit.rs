//! One commit: checks, writes, the feed, all in one durable transaction.

use crate::{
    fault::Fault,
    tables::{CHANGES, ENTRIES, LOG_BYTES, NUMBERS, REVISION, WRITES, number},
};
use model::units::Revision;
use ports::{
    bounds::{LogBounds, weight},
    metastore::{Check, Commit, Write},
};
use redb::{Database, Durability, ReadableTable, ReadableTableMetadata, Table, WriteTransaction};

type Entries<'a> = Table<'a, &'static str, (u64, &'static [u8])>;

/// Does it, or says which check failed; on any error nothing has happened.
pub fn apply(
    database: &Database,
    commit: &Commit,
    log: LogBounds,
) -> Result<Result<Revision, Check>, Fault> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    if let Some(failed) = first_failed(&transaction.open_table(ENTRIES)?, &commit.checks)? {
        return Ok(Err(failed));
    }
    let revision = write(&transaction, &commit.writes)?;
    trim(&transaction, log)?;
    transaction.commit()?;
    Ok(Ok(Revision(revision)))
}

fn first_failed(entries: &Entries<'_>, checks: &[Check]) -> Result<Option<Check>, Fault> {
    for check in checks {
        if !holds(entries, check)? {
            return Ok(Some(check.clone()));
        }
    }
    Ok(None)
}

fn holds(entries: &Entries<'_>, check: &Check) -> Result<bool, Fault> {
    let put_by = |key: &str| -> Result<Option<u64>, Fault> {
        Ok(entries.get(key)?.map(|found| found.value().0))
    };
    Ok(match check {
        Check::Absent(key) => put_by(key)?.is_none(),
        Check::Present(key) => put_by(key)?.is_some(),
        Check::At(key, revision) => put_by(key)? == Some(revision.0),
        Check::NoneUnder(prefix) => match entries.range::<&str>(prefix.as_str()..)?.next() {
            Some(row) => !row?.0.value().starts_with(prefix.as_str()),
            None => true,
        },
    })
}

fn write(transaction: &WriteTransaction, writes: &[Write]) -> Result<u64, Fault> {
    let mut numbers = transaction.open_table(NUMBERS)?;
    let revision = number(&numbers, REVISION)? + 1;
    let bytes = writes.iter().map(weight).sum::<usize>() as u64;
    let log_bytes = number(&numbers, LOG_BYTES)? + bytes;
    numbers.insert(REVISION, revision)?;
    numbers.insert(LOG_BYTES, log_bytes)?;
    transaction.open_table(CHANGES)?.insert(revision, bytes)?;
    put_all(transaction, revision, writes)?;
    Ok(revision)
}

fn put_all(transaction: &WriteTransaction, revision: u64, writes: &[Write]) -> Result<(), Fault> {
    let mut entries = transaction.open_table(ENTRIES)?;
    let mut log = transaction.open_table(WRITES)?;
    for (write, place) in writes.iter().zip(0..) {
        let value = match write {
            Write::Put(key, value) => {
                entries.insert(key.as_str(), (revision, &**value))?;
                Some(&**value)
            }
            Write::Delete(key) => {
                entries.remove(key.as_str())?;
                None
            }
        };
        log.insert((revision, place), (write.key(), value))?;
    }
    Ok(())
}

/// Takes the oldest changes out of the feed until it is within bounds; the newest stays.
fn trim(transaction: &WriteTransaction, log: LogBounds) -> Result<(), Fault> {
    let mut changes = transaction.open_table(CHANGES)?;
    let mut numbers = transaction.open_table(NUMBERS)?;
    let mut writes = transaction.open_table(WRITES)?;
    let mut bytes = number(&numbers, LOG_BYTES)?;
    let mut length = changes.len()?;
    while length > 1 && (length > log.changes || bytes > log.bytes) {
        let Some((revision, weight)) = changes.pop_first()?.map(|(r, w)| (r.value(), w.value()))
        else {
            break;
        };
        writes.retain_in((revision, 0)..=(revision, u32::MAX), |_, _| false)?;
        bytes = bytes.saturating_sub(weight);
        length -= 1;
    }
    numbers.insert(LOG_BYTES, bytes)?;
    Ok(())
}
