//! What every metadata store promises.
//!
//! For: drivers' own tests. `contracts::metastore_battery!(stage)` makes a test of each promise;
//! [`all`] runs them one after the other where a stage is dear.
//! Not for: how a driver is reached, or what it does when its server is away: its own tests.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken promise ends the test"
)]
#![expect(clippy::missing_panics_doc, reason = "every function here panics on a broken promise")]

pub mod commits;
pub mod feed;
pub mod limits;
pub mod reading;

use bytes::Bytes;
use model::units::Revision;
use ports::{
    metastore::{Change, Changes, Check, Commit, CommitError, MetaStore, Write},
    registry::EdgeRegistry,
};
use std::{any::Any, fmt, sync::Arc};

/// A fresh, empty store with two handles, as two processes would have where the driver allows it.
pub struct Stage {
    /// The one handle.
    pub one: Arc<dyn MetaStore>,
    /// The other handle.
    pub other: Arc<dyn MetaStore>,
    /// The registry through the one handle.
    pub here: Arc<dyn EdgeRegistry>,
    /// The registry through the other handle.
    pub there: Arc<dyn EdgeRegistry>,
    /// The feed keeps at most so many changes; small, so that a test can write more.
    pub keeps: u64,
    /// What must live as long as the stage: a server, a folder.
    pub kept: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Stage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Stage(keeps {})", self.keeps)
    }
}

impl Stage {
    /// A stage of two handles.
    pub fn of<S: MetaStore + EdgeRegistry + 'static>(
        (one, other): (S, S),
        keeps: u64,
        kept: impl Any + Send + Sync,
    ) -> Self {
        let (one, other) = (Arc::new(one), Arc::new(other));
        Self { here: one.clone(), there: other.clone(), one, other, keeps, kept: Box::new(kept) }
    }

    /// Both handles, over and over.
    fn handles(&self) -> impl Iterator<Item = Arc<dyn MetaStore>> {
        [self.one.clone(), self.other.clone()].into_iter().cycle()
    }
}

macro_rules! battery {
    (($d:tt) $($part:ident::$promise:ident)*) => {
        /// Every promise in turn, each on a stage of its own.
        pub async fn all(stage: impl AsyncFn() -> Stage) {
            $($part::$promise(&stage().await).await;)*
        }

        /// A test of each promise; `stage` is an async function without arguments that returns a
        /// [`Stage`](crate::metastore::Stage).
        #[macro_export]
        macro_rules! metastore_battery {
            ($d stage:path) => {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    $d crate::metastore::$part::$promise(&$d stage().await).await;
                })*
            };
        }
    };
}
battery! { ($)
    commits::an_entry_is_what_was_put_last
    commits::absent_holds_only_where_nothing_is
    commits::present_holds_only_where_something_is
    commits::at_holds_only_for_the_commit_that_put_it
    commits::none_under_holds_only_for_an_empty_prefix
    commits::a_failed_check_writes_nothing
    commits::checks_do_not_see_the_commits_own_writes
    commits::an_empty_commit_takes_a_place
    commits::one_of_sixteen_wins_a_race
    commits::sixteen_writers_take_every_place_once
    commits::counting_by_compare_and_set_loses_nothing
    reading::a_commit_is_seen_through_every_handle
    reading::a_list_pages_in_the_order_of_bytes
    reading::a_list_begins_where_both_prefix_and_after_say
    reading::a_long_list_comes_whole
    reading::any_text_is_a_key_and_any_bytes_are_a_value
    reading::a_snapshot_is_ordered_and_without_repeats
    reading::a_snapshot_is_of_one_moment
    feed::the_feed_resumes_anywhere_without_a_gap
    feed::large_changes_come_in_turn
    feed::a_reader_ahead_of_the_store_has_lost
    feed::a_reader_behind_the_feed_has_lost
    feed::a_snapshot_and_what_follows_make_the_present
    feed::the_bell_rings_at_once_for_one_who_is_behind
    feed::the_bell_wakes_all_who_wait
    feed::the_bell_wakes_a_follower_for_every_change
    limits::a_key_has_1_to_512_bytes
    limits::a_value_has_up_to_4_mebibytes
    limits::a_commit_has_up_to_10_000_writes
    limits::a_commit_has_up_to_64_mebibytes
    limits::no_key_is_written_twice
}

fn put(key: &str, value: impl Into<Vec<u8>>) -> Write {
    Write::Put(key.to_owned(), Bytes::from(value.into()))
}

fn delete(key: &str) -> Write {
    Write::Delete(key.to_owned())
}

fn writes(writes: impl Into<Vec<Write>>) -> Commit {
    Commit { checks: Vec::new(), writes: writes.into() }
}

fn only_if(check: Check, write: Write) -> Commit {
    Commit { checks: vec![check], writes: vec![write] }
}

/// Writes without a condition.
async fn done(store: &dyn MetaStore, writes: impl Into<Vec<Write>>) -> Revision {
    store.commit(self::writes(writes)).await.unwrap()
}

/// The check that did not hold.
async fn conflict(store: &dyn MetaStore, commit: Commit) -> Check {
    match store.commit(commit).await {
        Err(CommitError::Conflict(check)) => check,
        other => panic!("expected a conflict, got {other:?}"),
    }
}

async fn value(store: &dyn MetaStore, key: &str) -> Option<Bytes> {
    store.get(key).await.unwrap().map(|entry| entry.value)
}

/// All changes after this one, in as many calls as it takes.
async fn follow(store: &dyn MetaStore, mut after: Revision, limit: usize) -> Vec<Change> {
    let mut all = Vec::new();
    loop {
        let next = next(store, after, limit).await;
        let Some(last) = next.last() else { return all };
        after = last.revision;
        all.extend(next);
    }
}

async fn next(store: &dyn MetaStore, after: Revision, limit: usize) -> Vec<Change> {
    match store.changes(after, limit).await.unwrap() {
        Changes::Next(next) => next,
        Changes::Lost => panic!("the feed no longer reaches back to {after}"),
    }
}

async fn newest(store: &dyn MetaStore) -> Revision {
    store.snapshot(&[]).await.unwrap().revision
}
