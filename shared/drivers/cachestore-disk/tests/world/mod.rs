//! Stores of short texts, and what a killed process leaves.
#![expect(clippy::unwrap_used, reason = "tests")]

use futures::executor::block_on;
use nearfront_cachestore_disk::{AGAIN_AFTER, Found, Kept, Options, State, Store};
use ports::cachestore::CacheKey;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

/// What is kept: some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(pub Vec<u8>);

impl Kept for Text {
    fn length(&self) -> usize {
        self.0.len()
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.0);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.to_vec()))
    }
}

/// Segments of 64 KiB.
pub const BUDGET: u64 = 1 << 20;

pub fn key(number: u64) -> CacheKey {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    CacheKey(bytes)
}

pub fn open(folder: &Path) -> Store<Text> {
    watched(folder, AGAIN_AFTER).0
}

/// Also what it says of itself.
pub fn watched(folder: &Path, again_after: Duration) -> (Store<Text>, Receiver<State>) {
    let (tell, told) = channel();
    let store = Store::open(Options {
        folder: folder.to_owned(),
        budget: BUDGET,
        again_after,
        tell: Box::new(move |state| drop(tell.send(state.clone()))),
    });
    let store = store.unwrap();
    store.release();
    (store, told)
}

/// Opened, and all loaded.
pub fn reopen(folder: &Path) -> Store<Text> {
    let store = open(folder);
    while store.is_loading() {
        std::thread::yield_now();
    }
    store
}

pub fn find(store: &Store<Text>, number: u64) -> Option<Vec<u8>> {
    let found = match store.find(&key(number)) {
        Found::Now(text) => Some(text),
        Found::Later(later) => block_on(later),
        Found::Absent => None,
    };
    found.map(|text| text.0)
}

/// The folder as a process would leave it that is killed now.
pub fn killed(folder: &Path) -> tempfile::TempDir {
    let left = tempfile::tempdir().unwrap();
    // Files may go while this looks.
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let _ = fs::copy(entry.path(), left.path().join(entry.file_name()));
    }
    left
}

/// Files with this suffix, oldest first.
pub fn files(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let mut found: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|found| found == suffix)).collect();
    found.sort();
    found
}
