//! Commits: conditions, atomicity, order.

use super::{Stage, conflict, delete, done, follow, newest, only_if, put, value, writes};
use futures::future::join_all;
use model::units::Revision;
use ports::metastore::{Check, Commit, CommitError, MetaStore};
use std::sync::Arc;

/// Put, put again, delete.
pub async fn an_entry_is_what_was_put_last(stage: &Stage) {
    let store = &*stage.one;
    assert_eq!(store.get("a/1").await.unwrap(), None);
    let first = done(store, [put("a/1", "v1"), put("a/2", "w")]).await;
    let second = done(store, [put("a/1", "v2")]).await;
    assert_eq!((first, second), (Revision(1), Revision(2)));
    let (one, two) = (store.get("a/1").await.unwrap().unwrap(), store.get("a/2").await.unwrap());
    assert_eq!((one.key.as_str(), &one.value[..], one.revision), ("a/1", &b"v2"[..], second));
    assert_eq!(two.unwrap().revision, first);
    done(store, [delete("a/1"), delete("never/was")]).await;
    assert_eq!(store.get("a/1").await.unwrap(), None);
    assert_eq!(value(store, "a/2").await.unwrap(), "w");
}

/// `Check::Absent`.
pub async fn absent_holds_only_where_nothing_is(stage: &Stage) {
    let (store, check) = (&*stage.one, Check::Absent("k".to_owned()));
    store.commit(only_if(check.clone(), put("k", "1"))).await.unwrap();
    assert_eq!(conflict(store, only_if(check.clone(), put("k", "2"))).await, check);
    assert_eq!(value(store, "k").await.unwrap(), "1");
    done(store, [delete("k")]).await;
    store.commit(only_if(check, put("k", "3"))).await.unwrap();
}

/// `Check::Present`.
pub async fn present_holds_only_where_something_is(stage: &Stage) {
    let (store, check) = (&*stage.one, Check::Present("k".to_owned()));
    assert_eq!(conflict(store, only_if(check.clone(), put("k", "1"))).await, check);
    done(store, [put("k", "")]).await;
    store.commit(only_if(check, put("k", "2"))).await.unwrap();
    assert_eq!(value(store, "k").await.unwrap(), "2");
}

/// `Check::At`.
pub async fn at_holds_only_for_the_commit_that_put_it(stage: &Stage) {
    let store = &*stage.one;
    let at = |revision| Check::At("k".to_owned(), revision);
    assert_eq!(conflict(store, only_if(at(Revision(0)), put("k", "x"))).await, at(Revision(0)));
    let first = done(store, [put("k", "1")]).await;
    let second = done(store, [put("k", "2"), put("l", "2")]).await;
    assert_eq!(conflict(store, only_if(at(first), put("k", "x"))).await, at(first));
    let later = Revision(second.0 + 1);
    assert_eq!(conflict(store, only_if(at(later), put("k", "x"))).await, at(later));
    store.commit(only_if(at(second), delete("k"))).await.unwrap();
    assert_eq!(conflict(store, only_if(at(second), put("k", "x"))).await, at(second));
}

/// `Check::NoneUnder`, also where the prefix is itself a key or a neighbour's beginning.
pub async fn none_under_holds_only_for_an_empty_prefix(stage: &Stage) {
    let store = &*stage.one;
    let under = |prefix: &str| Check::NoneUnder(prefix.to_owned());
    store.commit(only_if(under(""), put("a0", "1"))).await.unwrap();
    store.commit(only_if(under("a/"), put("a/b/c", "2"))).await.unwrap();
    for prefix in ["", "a", "a/", "a/b", "a/b/c", "a0"] {
        assert_eq!(conflict(store, only_if(under(prefix), put("x", ""))).await, under(prefix));
    }
    for prefix in ["a/b/c/", "a/b/d", "b", "a00", "A", "\u{10FFFF}"] {
        store.commit(only_if(under(prefix), put("a0", "3"))).await.unwrap();
    }
}

/// The second of three checks fails: no write, no change, no place taken, and its name told.
pub async fn a_failed_check_writes_nothing(stage: &Stage) {
    let store = &*stage.one;
    let before = done(store, [put("k", "1")]).await;
    let wrong = Check::Present("nowhere".to_owned());
    let checks = vec![Check::Present("k".to_owned()), wrong.clone(), Check::Absent("k".to_owned())];
    let commit = Commit { checks, writes: vec![put("k", "2"), put("m", "2"), delete("l")] };
    assert_eq!(conflict(store, commit).await, wrong);
    assert_eq!(value(store, "k").await.unwrap(), "1");
    assert_eq!(value(store, "m").await, None);
    assert_eq!(follow(store, before, 10).await, []);
    assert_eq!(done(store, [put("k", "3")]).await, Revision(before.0 + 1));
}

/// Checks are of what stood before.
pub async fn checks_do_not_see_the_commits_own_writes(stage: &Stage) {
    let absent = Check::Absent("k".to_owned());
    stage.one.commit(only_if(absent, put("k", "1"))).await.unwrap();
    let present = Check::Present("k".to_owned());
    stage.one.commit(only_if(present, delete("k"))).await.unwrap();
    assert_eq!(value(&*stage.one, "k").await, None);
}

/// A commit without writes is a change like any other.
pub async fn an_empty_commit_takes_a_place(stage: &Stage) {
    let store = &*stage.one;
    let revisions = [done(store, []).await, done(store, [put("k", "1")]).await];
    assert_eq!(revisions, [Revision(1), Revision(2)]);
    let changes = follow(store, Revision(0), 10).await;
    assert_eq!(changes.iter().map(|change| change.writes.len()).collect::<Vec<_>>(), [0, 1]);
}

/// Sixteen want the same name.
pub async fn one_of_sixteen_wins_a_race(stage: &Stage) {
    let racers = stage.handles().take(16).enumerate().map(async |(number, store)| {
        let absent = Check::Absent("name".to_owned());
        let won = store.commit(only_if(absent.clone(), put("name", number.to_string()))).await;
        match won {
            Ok(_) => Some(number.to_string()),
            Err(CommitError::Conflict(check)) if check == absent => None,
            Err(other) => panic!("{other:?}"),
        }
    });
    let winners: Vec<_> = join_all(racers).await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(value(&*stage.other, "name").await.unwrap(), winners[0]);
}

/// Sixteen writers at once: every revision is given once, none is left out, each writer's own rise,
/// and the feed tells each commit under the revision that its writer got.
pub async fn sixteen_writers_take_every_place_once(stage: &Stage) {
    const EACH: u64 = 3;
    assert!(stage.keeps >= 16 * EACH, "the stage keeps too little for this promise");
    let writers = stage.handles().take(16).zip(0..).map(|(store, writer)| {
        tokio::spawn(async move {
            let mut told = Vec::new();
            for turn in 0..EACH {
                let write = put(&format!("w/{writer}"), turn.to_string());
                told.push((done(&*store, [write.clone()]).await, vec![write]));
            }
            assert!(told.is_sorted_by_key(|(revision, _)| *revision));
            told
        })
    });
    let told = join_all(writers).await.into_iter().flat_map(Result::unwrap);
    let mut told: Vec<_> = told.collect();
    told.sort_by_key(|(revision, _)| *revision);
    let feed = follow(&*stage.other, Revision(0), 7).await;
    assert!(feed.iter().zip(1..).all(|(change, place)| change.revision == Revision(place)));
    assert_eq!(feed.into_iter().map(|c| (c.revision, c.writes)).collect::<Vec<_>>(), told);
}

/// Four count to ten each by read and compare-and-set: the sum is forty.
pub async fn counting_by_compare_and_set_loses_nothing(stage: &Stage) {
    done(&*stage.one, [put("count", "0")]).await;
    let counters = stage.handles().take(4).map(|store| tokio::spawn(count_to_ten(store)));
    for counter in join_all(counters).await {
        counter.unwrap();
    }
    assert_eq!(value(&*stage.one, "count").await.unwrap(), "40");
    assert_eq!(newest(&*stage.other).await, Revision(41));
}

async fn count_to_ten(store: Arc<dyn MetaStore>) {
    let mut counted = 0;
    while counted < 10 {
        let entry = store.get("count").await.unwrap().unwrap();
        let number: u64 = std::str::from_utf8(&entry.value).unwrap().parse().unwrap();
        let at = Check::At(entry.key, entry.revision);
        let commit =
            Commit { checks: vec![at], ..writes([put("count", (number + 1).to_string())]) };
        match store.commit(commit).await {
            Ok(_) => counted += 1,
            Err(CommitError::Conflict(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}
