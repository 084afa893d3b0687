//! Following the feed: what is published is in force, what was missed is never served.

use crate::{
    disk::Disk,
    testing::{
        World,
        metastore::FakeStore,
        ok, plan, secs,
        world::{asked, collect},
    },
};
use http::Method;
use kit::{
    drain,
    health::{Health, Severity},
    metrics::Metrics,
    service::SystemClock,
    settings::Settings,
};
use model::{
    feed::Invalidation,
    plan::Plan,
    units::{Revision, Timestamp},
};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::watch;

struct Followed {
    world: World,
    store: Arc<FakeStore>,
    health: Health,
    acknowledged: watch::Receiver<Option<Revision>>,
    disk: Option<Arc<Disk>>,
    _stopper: drain::Stopper,
}

fn follow(store: Arc<FakeStore>) -> Followed {
    follow_with(store, &Settings::default())
}

/// With a disk tier in this folder.
fn follow_on(store: Arc<FakeStore>, folder: &TempDir) -> Followed {
    let mut settings = Settings::default();
    settings.edge.disk = "64MiB".into();
    settings.edge.disk_folder = Some(folder.path().to_owned());
    follow_with(store, &settings)
}

fn follow_with(store: Arc<FakeStore>, settings: &Settings) -> Followed {
    let world = World::empty();
    let (stopper, heard) = drain::channel();
    let health = Health::default();
    let (sender, acknowledged) = watch::channel(None);
    let outside = kit::service::World {
        seals: crate::testing::seals(),
        store: store.clone(),
        registry: store.clone(),
        clock: Arc::new(SystemClock),
        drain: heard,
        health: health.clone(),
        metrics: Metrics::default(),
    };
    let disk = Disk::open(settings, &outside).unwrap();
    let feed = crate::feed::Feed {
        world: outside,
        current: world.engine.current.clone(),
        bans: world.engine.bans.clone(),
        store: world.engine.store.clone(),
        disk: disk.clone(),
        meters: world.engine.meters.clone(),
        tls: crate::serve::certificates::Shared::new(crate::testing::seals()).unwrap(),
        acknowledged: sender,
    };
    tokio::spawn(feed.follow());
    Followed { world, store, health, acknowledged, disk, _stopper: stopper }
}

impl Followed {
    async fn reaches(&mut self, revision: Revision) {
        let reached = |known: &Option<Revision>| known.is_some_and(|known| known >= revision);
        self.acknowledged.wait_for(reached).await.unwrap();
    }

    fn ails(&self, part: &str) -> Option<Severity> {
        let conditions = self.health.conditions();
        let found = conditions.iter().find(|(name, ..)| *name == part);
        found.map(|(_, severity, _)| *severity)
    }
}

fn entry(plan: &Plan) -> (String, Vec<u8>) {
    (format!("plan/{}", plan.id), serde_json::to_vec(plan).unwrap())
}

fn publish(store: &FakeStore, plan: &Plan) -> Revision {
    let (key, value) = entry(plan);
    store.put(&[(&key, value)])
}

fn invalidate(store: &FakeStore, path: &str) -> Revision {
    let batch = Invalidation {
        id: "I1".into(),
        distribution: plan().id,
        paths: vec![path.into()],
        caller_reference: "r".into(),
        created: Timestamp(0),
    };
    let value = serde_json::to_vec(&batch).unwrap();
    store.put(&[("invalidation/E1/I1", value)])
}

#[tokio::test(start_paused = true)]
async fn changes_are_in_force_once_they_are_acknowledged() {
    let store = Arc::new(FakeStore::default());
    let first = publish(&store, &plan());
    let mut edge = follow(store);
    edge.reaches(first).await;
    edge.world.origin.answers([ok("v1"), ok("v2")]);
    edge.world.get("/a").await.is(200, "v1", "Miss");
    let mut moved = plan();
    moved.origins[0].path = "/moved".into();
    moved.aliases = vec!["new.example.com".into()];
    let second = publish(&edge.store, &moved);
    edge.reaches(second).await;
    let alias = [("host", "new.example.com")];
    edge.world.get_with("/a", &alias).await.is(200, "v1", "Hit");
    let old = [("host", "www.example.com")];
    assert_eq!(edge.world.get_with("/a", &old).await.status, 403);
    let third = invalidate(&edge.store, "/a");
    edge.reaches(third).await;
    edge.world.get("/a").await.is(200, "v2", "Miss");
    assert_eq!(edge.world.origin.last().target, "/moved/a");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_at_first_is_waited_for_and_later_is_done_without() {
    let store = Arc::new(FakeStore::default());
    let first = publish(&store, &plan());
    store.is_away(true);
    let mut edge = follow(store);
    edge.world.passes(secs(5)).await;
    assert_eq!(edge.ails("feed"), Some(Severity::Unready));
    edge.store.is_away(false);
    edge.reaches(first).await;
    edge.world.passes(secs(1)).await;
    assert_eq!(edge.ails("feed"), None);
    edge.world.origin.answers([ok("v1"), ok("v2")]);
    edge.world.get("/a").await.is(200, "v1", "Miss");
    edge.store.is_away(true);
    edge.world.passes(secs(5)).await;
    assert_eq!(edge.ails("feed"), Some(Severity::Degraded));
    edge.world.get("/a").await.is(200, "v1", "Hit");
    let missed = invalidate(&edge.store, "/a");
    edge.store.is_away(false);
    edge.reaches(missed).await;
    edge.world.get("/a").await.is(200, "v2", "Miss");
}

#[tokio::test(start_paused = true)]
async fn when_changes_were_missed_nothing_older_is_served() {
    let store = Arc::new(FakeStore::default());
    let first = publish(&store, &plan());
    let mut edge = follow(store);
    edge.reaches(first).await;
    edge.world.origin.answers([ok("v1"), ok("slow").after(secs(9)), ok("v2"), ok("after")]);
    edge.world.get("/a").await.is(200, "v1", "Miss");
    let in_flight = {
        let engine = edge.world.engine.clone();
        tokio::spawn(
            async move { collect(engine.handle(asked(Method::GET, "/slow", &[])).await).await },
        )
    };
    edge.world.passes(secs(1)).await;
    edge.store.loses_its_log();
    edge.world.passes(secs(1)).await;
    edge.world.get("/a").await.is(200, "v2", "Miss");
    in_flight.await.unwrap().is(200, "slow", "Miss");
    edge.world.get("/slow").await.is(200, "after", "Miss");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_cannot_be_read_leaves_the_old_one_in_force_and_says_so() {
    let store = Arc::new(FakeStore::default());
    let first = publish(&store, &plan());
    let mut edge = follow(store);
    edge.reaches(first).await;
    let broken =
        edge.store.put(&[("plan/E1", b"{\"id\":".to_vec()), ("certificate/x", b"?".to_vec())]);
    edge.reaches(broken).await;
    assert_eq!(edge.ails("plans"), Some(Severity::Degraded));
    edge.world.origin.answers([ok("v1")]);
    edge.world.get("/a").await.is(200, "v1", "Miss");
    let (key, value) = entry(&plan());
    let certificate = crate::testing::certificate("x", "", &["x.test"]);
    let mended = edge.store.put(&[(&key, value), ("certificate/x", certificate)]);
    edge.reaches(mended).await;
    assert_eq!(edge.ails("plans"), None);
}

/// Entries of old invalidations are deleted: what was invalidated while an edge was down came back
/// from its disk.
#[tokio::test(start_paused = true)]
async fn what_was_invalidated_while_an_edge_was_down_is_not_served_though_the_entry_is_gone() {
    let (store, folder) = (Arc::new(FakeStore::default()), TempDir::new().unwrap());
    let first = publish(&store, &plan());
    let mut before = follow_on(store.clone(), &folder);
    before.reaches(first).await;
    let asked = before.world.engine.bans.latest();
    before.disk.take().unwrap().close().await;
    drop(before);
    invalidate(&store, "/a");
    for _ in 0..300 {
        publish(&store, &plan());
    }
    // It has the key of the other one, whose entry is gone with this.
    let last = invalidate(&store, "/b");
    let mut after = follow_on(store, &folder);
    after.reaches(last).await;
    let bans = &after.world.engine.bans;
    assert!(bans.banned_since("E1", "/a", asked));
    assert!(bans.banned_since("E1", "/b", asked));
    assert!(!bans.banned_since("E1", "/c", asked), "all else on disk is believed");
}
