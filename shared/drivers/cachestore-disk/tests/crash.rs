//! What is found after a process was killed, or its files were damaged: the last, or nothing.
#![expect(clippy::unwrap_used, reason = "tests")]

mod world;

use proptest::prelude::*;
use std::{collections::HashMap, fs};
use world::{Text, files, find, key, killed, open, reopen};

/// A log with five keys: two replaced, one removed.
fn small() -> (tempfile::TempDir, Vec<Option<Vec<u8>>>) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for (number, version) in [(0, 0), (1, 0), (2, 0), (1, 1), (3, 0), (4, 0), (0, 1)] {
        store.put(key(number), Text(text(number, version)));
        store.flush();
    }
    store.remove(&key(3));
    let last = [Some(text(0, 1)), Some(text(1, 1)), Some(text(2, 0)), None, Some(text(4, 0))];
    (killed(folder.path()), last.into())
}

fn text(number: u64, version: u64) -> Vec<u8> {
    format!("{number}/{version} ").repeat(3 + usize::try_from(number).unwrap()).into_bytes()
}

/// How many are found; each of them is the last.
fn found(folder: &tempfile::TempDir, last: &[Option<Vec<u8>>]) -> usize {
    let store = reopen(folder.path());
    let found = (0..).zip(last).filter(|(number, last)| {
        let found = find(&store, *number);
        assert!(found.is_none() || found == **last, "{number}: {found:?}");
        found.is_some()
    });
    found.count()
}

#[test]
fn everything_written_is_there_after_a_kill_and_what_was_removed_is_not() {
    let (folder, last) = small();
    assert_eq!(found(&folder, &last), 4);
    // Closed in order this time, and with a list.
    assert_eq!(found(&folder, &last), 4);
}

#[test]
fn a_segment_cut_off_at_any_byte_gives_what_stands_before_it() {
    let (folder, last) = small();
    let whole = fs::read(&files(folder.path(), "records")[0]).unwrap();
    let mut most = 0;
    for cut in 0..=whole.len() {
        let left = killed(folder.path());
        fs::write(&files(left.path(), "records")[0], &whole[..cut]).unwrap();
        let now = found(&left, &last);
        assert!(now >= most, "{cut}: fewer than with fewer bytes");
        most = now;
    }
    assert_eq!(most, 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn flipped_bits_anywhere_are_never_served(
        suffix in prop_oneof![Just("records"), Just("list"), Just("removals"), Just("stamp")],
        bits in prop::collection::vec(any::<prop::sample::Index>(), 1..4), listed: bool,
    ) {
        let (folder, last) = small();
        if listed {
            drop(reopen(folder.path()));
        }
        let path = match suffix {
            "stamp" => folder.path().join("stamp"),
            suffix => match files(folder.path(), suffix).first() {
                Some(path) => path.clone(),
                None => return Ok(()),
            }
        };
        let mut bytes = fs::read(&path).unwrap();
        for bit in bits {
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        fs::write(&path, bytes).unwrap();
        found(&folder, &last);
    }
}

#[derive(Clone, Debug)]
enum Act {
    Put(u64, usize),
    Remove(u64),
    Read(u64),
    Flush,
    Clear,
    Kill,
    Close,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let number = 0..12_u64;
    let act = prop_oneof![
        12 => (number.clone(), 0..20_000_usize).prop_map(|(number, length)| Act::Put(number, length)),
        4 => number.clone().prop_map(Act::Remove),
        4 => number.prop_map(Act::Read),
        2 => Just(Act::Flush),
        1 => Just(Act::Clear),
        3 => Just(Act::Kill),
        1 => Just(Act::Close),
    ];
    prop::collection::vec(act, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn whatever_happens_the_last_is_found_or_nothing(acts in acts()) {
        let mut folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path());
        let mut last: HashMap<u64, Vec<u8>> = HashMap::new();
        for (turn, act) in acts.into_iter().enumerate() {
            match act {
                Act::Put(number, length) => {
                    let text = format!("{turn} ").repeat(length / 4 + 1).into_bytes();
                    store.put(key(number), Text(text.clone()));
                    last.insert(number, text);
                }
                Act::Remove(number) => {
                    store.remove(&key(number));
                    last.remove(&number);
                }
                Act::Read(number) => {
                    let found = find(&store, number);
                    prop_assert!(found.is_none() || found.as_ref() == last.get(&number));
                }
                Act::Flush => store.flush(),
                Act::Clear => {
                    store.clear();
                    last.clear();
                }
                Act::Kill => {
                    let left = killed(folder.path());
                    drop(store);
                    folder = left;
                    // Not all is loaded: what is asked for meanwhile is the last, too.
                    store = open(folder.path());
                }
                Act::Close => {
                    drop(store);
                    store = open(folder.path());
                }
            }
        }
        while store.is_loading() {
            std::thread::yield_now();
        }
        for number in 0..12 {
            let found = find(&store, number);
            prop_assert!(found.is_none() || found.as_ref() == last.get(&number), "{}", number);
        }
    }
}
