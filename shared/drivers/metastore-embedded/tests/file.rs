//! The file: its mode, its lock, its damage, and what a killed process leaves behind.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use model::units::Revision;
use nearfront_metastore_embedded::EmbeddedStore;
use ports::{
    bounds::LogBounds,
    metastore::{Changes, Commit, MetaStore, StoreError, Write},
};
use proptest::prelude::*;
use std::{
    env, fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// Names the file to a child process of a test; that test's own body then is the child's work.
const CHILD: &str = "NEARFRONT_TEST_STORE";

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/metadata.redb");
    (folder, path)
}

fn put(key: &str, value: &[u8]) -> Write {
    Write::Put(key.to_owned(), value.to_vec().into())
}

async fn commit(store: &EmbeddedStore, write: Write) -> Revision {
    store.commit(Commit { checks: vec![], writes: vec![write] }).await.unwrap()
}

fn refused_to_open(path: &Path) -> StoreError {
    EmbeddedStore::open(path).err().expect("it must not open")
}

#[tokio::test]
async fn a_file_is_made_with_its_folder_for_its_owner_alone() {
    let (_folder, path) = folder();
    drop(EmbeddedStore::open(&path).unwrap());
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    drop(EmbeddedStore::open(&path).unwrap());
    assert_eq!(mode(), 0o600);
}

#[tokio::test]
async fn what_was_committed_is_there_after_opening_again() {
    let (_folder, path) = folder();
    let log = LogBounds { changes: 3, ..LogBounds::default() };
    for turn in 1..=5 {
        let store = EmbeddedStore::open_keeping(&path, log).unwrap();
        store.changed(Revision(turn)).await.unwrap();
        assert_eq!(commit(&store, put("k", &[0, 255])).await, Revision(turn));
    }
    let store = EmbeddedStore::open_keeping(&path, log).unwrap();
    assert_eq!(&store.get("k").await.unwrap().unwrap().value[..], &[0, 255]);
    assert_eq!(store.changes(Revision(1), 9).await.unwrap(), Changes::Lost);
    let Changes::Next(next) = store.changes(Revision(2), 9).await.unwrap() else { panic!("lost") };
    assert_eq!(next.iter().map(|change| change.revision.0).collect::<Vec<_>>(), [3, 4, 5]);
}

#[tokio::test]
async fn the_feed_is_bounded_in_bytes_and_keeps_its_newest() {
    let (_folder, path) = folder();
    let store = EmbeddedStore::open_keeping(&path, LogBounds { changes: 99, bytes: 250 }).unwrap();
    for _ in 0..4 {
        commit(&store, put("k", &[7; 99])).await;
    }
    assert_eq!(store.changes(Revision(1), 9).await.unwrap(), Changes::Lost);
    assert!(matches!(store.changes(Revision(2), 9).await.unwrap(), Changes::Next(_)));
    commit(&store, put("k", &[7; 999])).await;
    assert_eq!(store.changes(Revision(3), 9).await.unwrap(), Changes::Lost);
    assert!(matches!(store.changes(Revision(4), 9).await.unwrap(), Changes::Next(_)));
}

#[tokio::test]
async fn a_file_that_is_held_is_not_opened_twice() {
    let (_folder, path) = folder();
    let store = EmbeddedStore::open(&path).unwrap();
    let why = refused_to_open(&path);
    assert!(
        matches!(&why, StoreError::Unreachable(why) if why.contains("another process")),
        "{why}"
    );
    drop(store);
    EmbeddedStore::open(&path).unwrap();
}

#[tokio::test]
async fn what_is_no_store_is_told_apart_and_left_alone() {
    let (folder, path) = folder();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    for content in [&b"{}"[..], &[0; 5000], &[0xff; 9000]] {
        fs::write(&path, content).unwrap();
        let why = refused_to_open(&path);
        assert!(matches!(why, StoreError::Damaged(_)), "{why:?}");
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    let why = refused_to_open(folder.path());
    assert!(matches!(why, StoreError::Unreachable(_)), "{why:?}");
}

#[tokio::test]
async fn a_later_format_is_refused() {
    let (_folder, path) = folder();
    drop(EmbeddedStore::open(&path).unwrap());
    let numbers = redb::TableDefinition::<&str, u64>::new("numbers");
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(numbers).unwrap().insert("format", 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(refused_to_open(&path), StoreError::Refused(_)));
}

/// The child commits as fast as it can and prints each revision that was acknowledged; it is killed
/// at some moment. Afterwards the file opens, holds at least all that was printed, and at most one
/// more.
#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    if let Some(path) = env::var_os(CHILD) {
        return commit_for_ever(Path::new(&path));
    }
    let (_folder, path) = folder();
    let mut acknowledged = 0;
    for enough in [1, 10, 40, 41] {
        acknowledged = kill_after(&path, enough);
        let store = EmbeddedStore::open(&path).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let snapshot = runtime.block_on(store.snapshot(&[""])).unwrap();
        let newest = snapshot.revision.0;
        assert!(
            (acknowledged..=acknowledged + 1).contains(&newest),
            "{newest}, {acknowledged} told"
        );
        assert_eq!(snapshot.entries.len(), 2);
        let number = newest.to_string();
        assert!(snapshot.entries.iter().all(|entry| entry.value == number), "a commit was cut");
        let feed = runtime.block_on(store.changes(Revision(0), usize::MAX)).unwrap();
        assert!(matches!(feed, Changes::Next(next) if next.len() as u64 == newest));
    }
    assert!(acknowledged >= 92);
}

fn commit_for_ever(path: &Path) {
    let store = EmbeddedStore::open(path).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut newest = runtime.block_on(store.snapshot(&[])).unwrap().revision.0;
    loop {
        newest += 1;
        let number = newest.to_string();
        let writes = vec![put("a", number.as_bytes()), put("b", number.as_bytes())];
        let told = runtime.block_on(store.commit(Commit { checks: vec![], writes })).unwrap();
        println!("acknowledged {told}");
    }
}

/// Kills the child once it has told of so many commits; the last that it told of.
fn kill_after(path: &Path, enough: usize) -> u64 {
    let mut child = child(path);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told = lines.filter_map(|line| {
        let line = line.unwrap();
        line.split_once("acknowledged ").map(|(_, number)| number.parse::<u64>().unwrap())
    });
    let mut last = told.by_ref().take(enough).last().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    // What it wrote before it was killed is still in the pipe.
    last = told.last().unwrap_or(last);
    last
}

fn child(path: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["nothing_acknowledged_is_lost_by_kill_9", "--exact", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn a_good_file() -> Vec<u8> {
    let (_folder, path) = folder();
    let store = EmbeddedStore::open(&path).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for number in 0..20_u8 {
        runtime.block_on(commit(&store, put(&format!("k/{number}"), &[number; 300])));
    }
    drop(store);
    fs::read(path).unwrap()
}

/// Whatever the file still has is as it was put; then it takes a commit, or says why not.
async fn is_sound(store: &EmbeddedStore) {
    if let Ok(snapshot) = store.snapshot(&[""]).await {
        for entry in snapshot.entries {
            let number: u8 = entry.key.trim_start_matches("k/").parse().unwrap();
            assert_eq!(entry.value, vec![number; 300]);
        }
    }
    let _ = store.changes(Revision(0), 100).await;
    let writes = vec![put("k/1", b"new"), Write::Delete("k/2".to_owned())];
    let _ = store.commit(Commit { checks: vec![], writes }).await;
    let _ = store.list("k/", None, 100).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// A file that was cut or altered anywhere either opens with what was in it, or says why not;
    /// nothing panics, and nothing is asked of it that does not answer.
    #[test]
    fn a_damaged_file_never_ends_the_process(
        cut in proptest::option::of(0.0..1.0_f64),
        altered in proptest::collection::vec((0.0..1.0_f64, any::<u8>()), 0..20),
    ) {
        static GOOD: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(a_good_file);
        let mut content = GOOD.clone();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "any place will do")]
        let place = |share: f64, length: usize| (share * length as f64) as usize;
        for (share, byte) in altered {
            let at = place(share, content.len());
            content[at] = byte;
        }
        if let Some(share) = cut {
            content.truncate(place(share, content.len()));
        }
        let (_folder, path) = folder();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        match EmbeddedStore::open(&path) {
            Ok(store) => tokio::runtime::Runtime::new().unwrap().block_on(is_sound(&store)),
            // A cut to nothing is a new file, an altered version is another program's.
            Err(why) => prop_assert!(
                matches!(why, StoreError::Damaged(_) | StoreError::Refused(_)), "{why:?}"
            ),
        }
    }
}
