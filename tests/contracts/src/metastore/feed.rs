//! The feed of changes and its bell.

use super::{Stage, delete, done, follow, newest, next, put, writes};
use futures::future::{join, join_all};
use model::units::Revision;
use ports::metastore::{Change, Changes, Entry, MetaStore, Write};
use std::collections::BTreeMap;

/// From every place on, in steps of every size, the same.
pub async fn the_feed_resumes_anywhere_without_a_gap(stage: &Stage) {
    let store = &*stage.one;
    let commits =
        [vec![put("a", "1"), put("b", [0, 255])], vec![delete("a")], vec![], vec![put("a", "2")]];
    let mut all = Vec::new();
    for writes in commits {
        all.push(Change { revision: done(store, writes.clone()).await, writes });
    }
    for after in 0..=all.len() {
        for limit in 1..=all.len() + 1 {
            let told = follow(&*stage.other, Revision(after as u64), limit).await;
            assert_eq!(told, all[after..], "after {after} by {limit}");
        }
    }
    assert_eq!(next(store, Revision(0), 3).await.len(), 3);
    assert_eq!(next(store, Revision(1), 0).await, []);
}

/// Values of the greatest length, more than fit one answer.
pub async fn large_changes_come_in_turn(stage: &Stage) {
    for turn in 0..5_u8 {
        done(&*stage.one, [put("large", vec![turn; ports::metastore::MOST_VALUE])]).await;
    }
    let told = follow(&*stage.other, Revision(0), usize::MAX).await;
    let firsts = told.iter().map(|change| match &change.writes[0] {
        Write::Put(_, value) => value[0],
        Write::Delete(key) => panic!("{key} was only put"),
    });
    assert_eq!(firsts.collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

/// Someone who has seen more than there is must begin anew; the bell tells them so.
pub async fn a_reader_ahead_of_the_store_has_lost(stage: &Stage) {
    let store = &*stage.one;
    assert_eq!(store.changes(Revision(1), 10).await.unwrap(), Changes::Lost);
    done(store, [put("k", "1")]).await;
    assert_eq!(store.changes(Revision(1), 10).await.unwrap(), Changes::Next(vec![]));
    assert_eq!(store.changes(Revision(2), 10).await.unwrap(), Changes::Lost);
    assert_eq!(store.changes(Revision(u64::MAX), 10).await.unwrap(), Changes::Lost);
    store.changed(Revision(2)).await.unwrap();
}

/// The feed forgets its beginning, says so, and keeps its end.
pub async fn a_reader_behind_the_feed_has_lost(stage: &Stage) {
    let store = &*stage.one;
    let count = stage.keeps + 10;
    for turn in 0..count {
        done(store, [put("k", turn.to_string())]).await;
    }
    assert_eq!(store.changes(Revision(0), 10).await.unwrap(), Changes::Lost);
    assert_eq!(store.changes(Revision(1), 10).await.unwrap(), Changes::Lost);
    let told = follow(&*stage.other, Revision(count - 5), 2).await;
    assert!(told.iter().map(|change| change.revision.0).eq(count - 4..=count));
    assert_eq!(newest(store).await, Revision(count));
}

/// For a snapshot taken while others write: it, and the changes after it, give what stands at last.
pub async fn a_snapshot_and_what_follows_make_the_present(stage: &Stage) {
    let writing = async {
        for turn in 0..40_u32 {
            let (key, gone) = (format!("k/{}", turn % 7), format!("k/{}", turn % 5 + 3));
            let gone = (key != gone).then(|| delete(&gone));
            let put = put(&key, turn.to_string());
            done(&*stage.one, [put].into_iter().chain(gone).collect::<Vec<_>>()).await;
        }
    };
    let taking = async {
        stage.other.changed(Revision(0)).await.unwrap();
        stage.other.snapshot(&["k/"]).await.unwrap()
    };
    let ((), taken) = join(writing, taking).await;
    let mut replayed = by_key(taken.entries);
    for change in follow(&*stage.other, taken.revision, 3).await {
        apply(&mut replayed, change);
    }
    assert_eq!(replayed, by_key(stage.one.snapshot(&["k/"]).await.unwrap().entries));
}

fn by_key(entries: Vec<Entry>) -> BTreeMap<String, Entry> {
    entries.into_iter().map(|entry| (entry.key.clone(), entry)).collect()
}

fn apply(entries: &mut BTreeMap<String, Entry>, change: Change) {
    for write in change.writes {
        match write {
            Write::Put(key, value) => {
                let entry = Entry { key: key.clone(), value, revision: change.revision };
                entries.insert(key, entry);
            }
            Write::Delete(key) => drop(entries.remove(&key)),
        }
    }
}

/// No waiting where there is something to read.
pub async fn the_bell_rings_at_once_for_one_who_is_behind(stage: &Stage) {
    let newest = done(&*stage.one, [put("k", "1")]).await;
    stage.other.changed(Revision(0)).await.unwrap();
    stage.one.changed(Revision(newest.0 - 1)).await.unwrap();
}

/// A hundred wait, through both handles; one commit through one of them wakes them all.
pub async fn the_bell_wakes_all_who_wait(stage: &Stage) {
    let seen = done(&*stage.one, [put("k", "1")]).await;
    let listeners = stage.handles().take(100).map(async |store| wait(&*store, seen).await);
    let writing = async {
        tokio::task::yield_now().await;
        stage.one.commit(writes([put("k", "2")])).await.unwrap()
    };
    let (told, written) = join(join_all(listeners), writing).await;
    assert!(told.iter().all(|change| change.revision == written));
}

/// A follower through the other handle hears of every change while a writer waits for it each time.
pub async fn the_bell_wakes_a_follower_for_every_change(stage: &Stage) {
    for turn in 0..20_u64 {
        let writing = async { done(&*stage.one, [put("k", turn.to_string())]).await };
        let (change, written) = join(wait(&*stage.other, Revision(turn)), writing).await;
        assert_eq!(change.revision, written);
    }
}

/// The next change, whenever it comes; a bell may ring for nothing.
async fn wait(store: &dyn MetaStore, after: Revision) -> Change {
    loop {
        store.changed(after).await.unwrap();
        if let Some(change) = next(store, after, 1).await.pop() {
            return change;
        }
    }
}
