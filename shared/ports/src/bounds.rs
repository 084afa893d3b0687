//! The bounds of the metadata store, checked alike by every driver before it touches anything.
//!
//! For: refusing what [`crate::metastore`] never does, with a text that says by how much.
//! Not for: what a key or value means (control), nor for bounds of one technology (its driver).

use crate::metastore::{Check, Commit, MOST_VALUE, MOST_WRITES, StoreError, Write};
use std::collections::HashSet;

/// Longest key or prefix in bytes.
pub const MOST_KEY: usize = 512;
/// Most bytes of keys and values in one commit.
pub const MOST_COMMIT: usize = 64 << 20;

/// How far back a feed reaches. The newest change is always kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogBounds {
    /// Most changes kept.
    pub changes: u64,
    /// Most bytes of keys and values kept.
    pub bytes: u64,
}

impl Default for LogBounds {
    fn default() -> Self {
        Self { changes: 10_000, bytes: MOST_COMMIT as u64 }
    }
}

/// A key has 1 to [`MOST_KEY`] bytes.
///
/// # Errors
/// [`StoreError::Refused`].
pub fn key(key: &str) -> Result<(), StoreError> {
    if key.is_empty() {
        return refused("a key must not be empty".to_owned());
    }
    prefix(key)
}

/// A prefix has up to [`MOST_KEY`] bytes; the empty one is that of every key.
///
/// # Errors
/// [`StoreError::Refused`].
pub fn prefix(prefix: &str) -> Result<(), StoreError> {
    within("a key's length in bytes", prefix.len(), MOST_KEY)
}

/// A commit has up to [`MOST_WRITES`] writes and checks, [`MOST_COMMIT`] bytes, no key written twice,
/// and good keys and values.
///
/// # Errors
/// [`StoreError::Refused`].
pub fn commit(commit: &Commit) -> Result<(), StoreError> {
    within("the number of writes", commit.writes.len(), MOST_WRITES)?;
    within("the number of checks", commit.checks.len(), MOST_WRITES)?;
    within("the bytes of a commit", commit.writes.iter().map(weight).sum(), MOST_COMMIT)?;
    commit.checks.iter().try_for_each(check)?;
    commit.writes.iter().try_for_each(write)?;
    no_key_twice(&commit.writes)
}

/// Bytes of key and value.
pub fn weight(write: &Write) -> usize {
    match write {
        Write::Put(key, value) => key.len() + value.len(),
        Write::Delete(key) => key.len(),
    }
}

fn check(check: &Check) -> Result<(), StoreError> {
    match check {
        Check::Absent(asked) | Check::Present(asked) | Check::At(asked, _) => key(asked),
        Check::NoneUnder(asked) => prefix(asked),
    }
}

fn write(write: &Write) -> Result<(), StoreError> {
    key(write.key())?;
    match write {
        Write::Put(_, value) => within("a value's length in bytes", value.len(), MOST_VALUE),
        Write::Delete(_) => Ok(()),
    }
}

fn no_key_twice(writes: &[Write]) -> Result<(), StoreError> {
    let mut seen = HashSet::with_capacity(writes.len());
    match writes.iter().find(|write| !seen.insert(write.key())) {
        Some(twice) => refused(format!("the key {:?} is written twice", twice.key())),
        None => Ok(()),
    }
}

fn within(what: &str, is: usize, most: usize) -> Result<(), StoreError> {
    if is > most {
        return refused(format!("{what} is {is}, at most {most} are allowed"));
    }
    Ok(())
}

fn refused(why: String) -> Result<(), StoreError> {
    Err(StoreError::Refused(why))
}
