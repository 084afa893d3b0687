//! Room, second chances, trouble, and who may use a folder.
#![expect(clippy::unwrap_used, reason = "tests")]

mod world;

use nearfront_cachestore_disk::{Point, State};
use std::{fs, path::Path, time::Duration};
use world::{BUDGET, Text, files, find, key, killed, open, reopen, watched};

const SOON: Duration = Duration::from_millis(20);

fn fill(store: &nearfront_cachestore_disk::Store<Text>, numbers: std::ops::Range<u64>) {
    for number in numbers {
        store.put(key(number), Text(number.to_le_bytes().repeat(100)));
        store.flush();
    }
}

/// Bytes of all files.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

#[test]
fn the_oldest_goes_and_files_stay_within_the_budget() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for turn in 0..40 {
        fill(&store, turn * 100..turn * 100 + 100);
        assert!(size(folder.path()) <= BUDGET, "{}", size(folder.path()));
    }
    assert!(find(&store, 0).is_none());
    assert!(find(&store, 3_999).is_some());
    assert!(store.fill().bytes > BUDGET / 2, "{:?}", store.fill());
    assert!(store.counters().evicted.get() > 0 && store.counters().rewritten.get() == 0);
    let entries = store.fill().entries;
    drop(store);
    assert_eq!(reopen(folder.path()).fill().entries, entries);
}

#[test]
fn what_is_asked_for_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    fill(&store, 0..10);
    for turn in 1..60 {
        fill(&store, turn * 100..turn * 100 + 50);
        (0..10).for_each(|number| assert!(find(&store, number).is_some(), "{number} in {turn}"));
    }
    assert!(store.counters().rewritten.get() >= 20);
    assert!(find(&store, 100).is_none());
    drop(store);
    let left = killed(folder.path());
    let store = reopen(left.path());
    (0..10).for_each(|number| assert!(find(&store, number).is_some(), "{number}"));
}

#[test]
fn what_was_removed_while_it_was_given_a_second_chance_stays_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    fill(&store, 0..10);
    for turn in 1..60 {
        // Read, so that it will be written anew some time, and removed while that may go on.
        let number = turn % 10;
        find(&store, number);
        (0..50).for_each(|more| store.put(key(turn * 100 + more), Text(vec![1; 1_000])));
        store.remove(&key(number));
        let left = killed(folder.path());
        assert_eq!(find(&reopen(left.path()), number), None, "{turn}");
        fill(&store, number..number + 1);
    }
}

#[test]
fn a_folder_that_goes_turns_the_store_off_and_on_again() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("cache");
    let (store, told) = watched(&folder, SOON);
    assert_eq!(told.recv().unwrap(), State::On);
    fill(&store, 0..10);
    fs::remove_dir_all(&folder).unwrap();
    // In its place stands a file, so that the folder cannot be made anew either.
    fs::write(&folder, "").unwrap();
    for number in 0..200 {
        store.put(key(number), Text(vec![0; 1_000]));
    }
    let State::Off(why) = told.recv().unwrap() else { panic!("the disk is not there") };
    assert!(why.contains("cannot be written"), "{why}");
    store.put(key(1), Text(b"while it is off".to_vec()));
    store.remove(&key(1));
    assert_eq!((find(&store, 1), store.is_on()), (None, false));
    fs::remove_file(&folder).unwrap();
    while told.recv().unwrap() != State::On {}
    assert_eq!(find(&store, 0), None, "it begins empty");
    fill(&store, 0..1);
    assert!(find(&store, 0).is_some());
    assert_eq!(store.counters().failures.get(), 1);
}

#[test]
fn one_process_uses_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (one, _) = watched(folder.path(), SOON);
    fill(&one, 0..1);
    let (other, told) = watched(folder.path(), SOON);
    let State::Off(why) = told.recv().unwrap() else { panic!("there is one already") };
    assert!(why.contains("another process"), "{why}");
    assert_eq!(find(&other, 0), None);
    assert!(find(&one, 0).is_some());
    drop(one);
    while told.recv().unwrap() != State::On {}
    // What was removed meanwhile could not be written down, so nothing is taken over.
    assert_eq!(find(&other, 0), None);
}

#[test]
fn files_of_somebody_else_stay_and_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    fs::write(folder.path().join("0000000001.records"), "no segment").unwrap();
    let store = open(folder.path());
    fill(&store, 0..3);
    drop(store);
    assert!((0..3).all(|number| find(&reopen(folder.path()), number).is_some()));
    assert_eq!(fs::read(folder.path().join("notes.txt")).unwrap(), b"mine");
}

#[test]
fn a_segment_without_its_removals_is_not_believed_nor_any_older_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    fill(&store, 0..300);
    drop(store);
    let removals = files(folder.path(), "removals");
    assert!(removals.len() > 3);
    fs::remove_file(&removals[1]).unwrap();
    let store = reopen(folder.path());
    assert_eq!(find(&store, 0), None);
    assert!(find(&store, 299).is_some());
    assert_eq!(store.counters().damaged.get(), 2);
}

#[test]
fn a_point_is_recalled_and_what_was_cleared_is_gone_for_good() {
    let point = Point { generation: 3, revision: 4, fingerprint: 5 };
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert_eq!(store.recalled(), None);
    store.note(point);
    fill(&store, 0..3);
    let left = killed(folder.path());
    let after_kill = reopen(left.path());
    assert_eq!(after_kill.recalled(), Some(point));
    assert!(find(&after_kill, 0).is_some());
    store.clear();
    fill(&store, 5..6);
    gone_for_good(killed(folder.path()).path(), point);
    drop(store);
    gone_for_good(folder.path(), point);
}

fn gone_for_good(folder: &Path, point: Point) {
    let store = reopen(folder);
    assert_eq!(store.recalled(), Some(point));
    assert_eq!(find(&store, 0), None);
    assert!(find(&store, 5).is_some());
}

#[test]
fn a_store_closes_while_others_go_on_clearing_it() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        std::thread::scope(|scope| {
            scope.spawn(|| (0..50).for_each(|_| store.clear()));
            scope.spawn(|| store.close());
        });
        assert!(!store.is_on());
    }
}
