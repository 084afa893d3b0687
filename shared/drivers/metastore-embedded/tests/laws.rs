//! For all sequences of commits the store is the map that they describe.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use model::units::Revision;
use nearfront_metastore_embedded::EmbeddedStore;
use ports::metastore::{Change, Changes, Check, Commit, CommitError, MetaStore, Write};
use proptest::prelude::*;
use std::{collections::BTreeMap, ops::Bound};

type Model = BTreeMap<String, (Revision, Vec<u8>)>;

fn key() -> impl Strategy<Value = String> {
    "[ab/é]{1,3}"
}

fn check() -> impl Strategy<Value = Check> {
    prop_oneof![
        key().prop_map(Check::Absent),
        key().prop_map(Check::Present),
        (key(), 0..8_u64).prop_map(|(key, at)| Check::At(key, Revision(at))),
        "[ab/é]{0,3}".prop_map(Check::NoneUnder),
    ]
}

fn commit() -> impl Strategy<Value = Commit> {
    let value = proptest::option::weighted(0.7, proptest::collection::vec(any::<u8>(), 0..20));
    let writes = proptest::collection::btree_map(key(), value, 0..5).prop_map(|writes| {
        let write = |(key, value)| match value {
            Some(value) => Write::Put(key, Vec::into(value)),
            None => Write::Delete(key),
        };
        writes.into_iter().map(write).collect()
    });
    (proptest::collection::vec(check(), 0..3), writes)
        .prop_map(|(checks, writes)| Commit { checks, writes })
}

fn holds(model: &Model, check: &Check) -> bool {
    match check {
        Check::Absent(key) => !model.contains_key(key),
        Check::Present(key) => model.contains_key(key),
        Check::At(key, at) => model.get(key).is_some_and(|(revision, _)| revision == at),
        Check::NoneUnder(prefix) => !model.keys().any(|key| key.starts_with(prefix)),
    }
}

fn apply(model: &mut Model, revision: Revision, writes: &[Write]) {
    for write in writes {
        match write {
            Write::Put(key, value) => {
                model.insert(key.clone(), (revision, value.to_vec()));
            }
            Write::Delete(key) => {
                model.remove(key);
            }
        }
    }
}

async fn agrees(store: &EmbeddedStore, model: &Model, prefix: &str, after: &str, limit: usize) {
    let from = (Bound::Excluded(after.to_owned()), Bound::Unbounded);
    let expected = model.range::<String, _>(from).filter(|(key, _)| key.starts_with(prefix));
    let list = store.list(prefix, Some(after), limit).await.unwrap();
    let list: Vec<_> = list.iter().map(|e| (&e.key, e.revision, &e.value[..])).collect();
    let expected: Vec<_> =
        expected.take(limit).map(|(key, (at, value))| (key, *at, &value[..])).collect();
    assert_eq!(list, expected);
}

async fn play(commits: Vec<Commit>, questions: Vec<(String, String, usize)>) {
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(folder.path().join("store")).unwrap();
    let (mut model, mut log) = (Model::new(), Vec::new());
    for commit in commits {
        let failing = commit.checks.iter().find(|check| !holds(&model, check)).cloned();
        match (store.commit(commit.clone()).await, failing) {
            (Err(CommitError::Conflict(told)), Some(failing)) => assert_eq!(told, failing),
            (Ok(revision), None) => {
                assert_eq!(revision.0, log.len() as u64 + 1);
                apply(&mut model, revision, &commit.writes);
                log.push(Change { revision, writes: commit.writes });
            }
            (told, expected) => panic!("{told:?} instead of {expected:?}"),
        }
    }
    for (prefix, after, limit) in questions {
        agrees(&store, &model, &prefix, &after, limit).await;
    }
    assert_eq!(store.changes(Revision(0), 1000).await.unwrap(), Changes::Next(log));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_the_map_that_its_commits_describe(
        commits in proptest::collection::vec(commit(), 0..12),
        questions in proptest::collection::vec(("[ab/é]{0,2}", "[ab/é]{0,3}", 0..9_usize), 12),
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(play(commits, questions));
    }
}
