//! Bounds: up to them all is well, beyond them nothing happens and the error says so.

use super::{Stage, delete, done, newest, put, writes};
use model::units::Revision;
use ports::{
    bounds::{MOST_COMMIT, MOST_KEY},
    metastore::{Check, Commit, CommitError, MOST_VALUE, MOST_WRITES, MetaStore, StoreError},
};

/// Keys in commits, checks, questions and prefixes.
pub async fn a_key_has_1_to_512_bytes(stage: &Stage) {
    let store = &*stage.one;
    let (longest, longer) = ("é".repeat(MOST_KEY / 2), "k".repeat(MOST_KEY + 1));
    done(store, [put(&longest, "v")]).await;
    assert_eq!(store.get(&longest).await.unwrap().unwrap().key, longest);
    assert_eq!(store.list(&longest, None, 2).await.unwrap().len(), 1);
    for key in ["", &longer] {
        refused(store, writes([put(key, "v")])).await;
        refused(store, writes([delete(key)])).await;
        for check in [Check::Absent(key.to_owned()), Check::Present(key.to_owned())] {
            refused(store, Commit { checks: vec![check], writes: vec![] }).await;
        }
        assert!(matches!(store.get(key).await, Err(StoreError::Refused(_))));
    }
    assert!(matches!(store.list(&longer, None, 1).await, Err(StoreError::Refused(_))));
    assert!(matches!(store.list("", Some(&longer), 1).await, Err(StoreError::Refused(_))));
    assert!(matches!(store.snapshot(&["", &longer]).await, Err(StoreError::Refused(_))));
    assert_eq!(newest(store).await, Revision(1));
}

/// Values.
pub async fn a_value_has_up_to_4_mebibytes(stage: &Stage) {
    let store = &*stage.one;
    refused(store, writes([put("small", "1"), put("k", vec![7; MOST_VALUE + 1])])).await;
    assert_eq!(store.get("small").await.unwrap(), None);
    done(store, [put("k", vec![7; MOST_VALUE])]).await;
    assert_eq!(stage.other.get("k").await.unwrap().unwrap().value.len(), MOST_VALUE);
}

/// Writes and checks.
pub async fn a_commit_has_up_to_10_000_writes(stage: &Stage) {
    let store = &*stage.one;
    let some = |count| (0..count).map(|number| put(&format!("{number}"), "")).collect::<Vec<_>>();
    let checks = |count| vec![Check::NoneUnder(String::new()); count];
    refused(store, writes(some(MOST_WRITES + 1))).await;
    refused(store, Commit { checks: checks(MOST_WRITES + 1), writes: vec![] }).await;
    let commit = Commit { checks: checks(MOST_WRITES), writes: some(MOST_WRITES) };
    assert_eq!(store.commit(commit).await.unwrap(), Revision(1));
    assert_eq!(stage.other.list("", None, usize::MAX).await.unwrap().len(), MOST_WRITES);
}

/// All of a commit.
pub async fn a_commit_has_up_to_64_mebibytes(stage: &Stage) {
    let store = &*stage.one;
    let whole = MOST_COMMIT / MOST_VALUE;
    let mut some: Vec<_> =
        (10..10 + whole).map(|number| put(&number.to_string(), vec![1; MOST_VALUE - 2])).collect();
    done(store, some.clone()).await;
    some.push(put("one more", ""));
    refused(store, writes(some)).await;
    assert_eq!(store.list("", None, 100).await.unwrap().len(), whole);
}

/// Whichever way.
pub async fn no_key_is_written_twice(stage: &Stage) {
    let store = &*stage.one;
    refused(store, writes([put("k", "1"), put("l", "1"), put("k", "1")])).await;
    refused(store, writes([put("k", "1"), delete("k")])).await;
    assert_eq!(newest(store).await, Revision(0));
}

async fn refused(store: &dyn MetaStore, commit: Commit) {
    match store.commit(commit).await {
        Err(CommitError::Store(StoreError::Refused(why))) => assert!(!why.is_empty()),
        other => panic!("expected a refusal, got {other:?}"),
    }
}
