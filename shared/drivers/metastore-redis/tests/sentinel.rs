//! The store behind a Redis sentinel.
#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

use contracts::{metastore, metastore::Stage, registry};
use model::units::Revision;
use nearfront_metastore_redis::RedisStore;
use ports::{
    bounds::LogBounds,
    metastore::{Changes, Commit, CommitError, MetaStore, StoreError, Write},
};
use std::time::Duration;
use testkit::redis::Sentinel;

const LOG: LogBounds = LogBounds { changes: 64, bytes: 64 << 20 };

async fn stage(sentinel: &mut Sentinel) -> Stage {
    sentinel.master().cli(&["flushall"]).await;
    let url = sentinel.url();
    let one = RedisStore::connect_keeping(&url, LOG).await.expect("a store");
    let other = RedisStore::connect_keeping(&url, LOG).await.expect("another handle");
    Stage::of((one, other), LOG.changes, ())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sentinels_master_keeps_every_promise() {
    // The largest commits keep a master busy for longer than a hasty sentinel would wait.
    let sentinel = Sentinel::start(Duration::from_secs(30)).await;
    let sentinel = tokio::sync::Mutex::new(sentinel);
    let stage = async || stage(&mut *sentinel.lock().await).await;
    metastore::all(&stage).await;
    registry::all(&stage).await;
}

fn put(value: &str) -> Commit {
    let writes = vec![Write::Put("k".to_owned(), value.to_owned().into())];
    Commit { checks: Vec::new(), writes }
}

/// Commits until it is done; only being away is excused.
async fn insist(store: &RedisStore, value: &str) -> Revision {
    loop {
        match store.commit(put(value)).await {
            Ok(revision) => return revision,
            Err(CommitError::Store(StoreError::Unreachable(_))) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_replica_that_takes_over_is_found() {
    let mut sentinel = Sentinel::start(Duration::from_millis(500)).await;
    let store = RedisStore::connect(&sentinel.url()).await.unwrap();
    let first = store.commit(put("before")).await.unwrap();
    assert_eq!(sentinel.master().cli(&["wait", "1", "5000"]).await.trim(), "1");
    sentinel.master().kill().await;
    let second = insist(&store, "after").await;
    assert!(second > first);
    assert_eq!(store.get("k").await.unwrap().unwrap().value, "after");
    let Changes::Next(next) = store.changes(first, 10).await.unwrap() else {
        panic!("nothing was lost")
    };
    assert_eq!(next.last().unwrap().revision, second);
    assert!(sentinel.replica().cli(&["role"]).await.starts_with("master"));
    store.changed(first).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_no_sentinel_knows_is_refused() {
    let sentinel = Sentinel::start(Duration::from_millis(500)).await;
    let url = sentinel.url().replace(Sentinel::MASTER, "nobody");
    let why = RedisStore::connect(&url).await.err().unwrap();
    assert!(matches!(&why, StoreError::Refused(why) if why.contains("nobody")), "{why}");
}
