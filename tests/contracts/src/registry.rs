//! What every edge registry promises.
//!
//! For: drivers' own tests, as `contracts::registry_battery!(stage)` or [`all`].
//! Not for: how long an edge may be silent in wall-clock time: a slow machine must pass as well.
#![expect(clippy::unwrap_used, reason = "a broken promise ends the test")]
#![expect(clippy::missing_panics_doc, reason = "every function here panics on a broken promise")]

use crate::metastore::Stage;
use model::{ids::EdgeId, units::Revision};
use ports::registry::{BEAT_EVERY, Beat};
use std::net::IpAddr;

macro_rules! battery {
    (($d:tt) $($promise:ident)*) => {
        /// Every promise in turn, each on a stage of its own.
        pub async fn all(stage: impl AsyncFn() -> Stage) {
            $($promise(&stage().await).await;)*
        }

        /// A test of each promise; `stage` is an async function without arguments that returns a
        /// [`Stage`](crate::metastore::Stage).
        #[macro_export]
        macro_rules! registry_battery {
            ($d stage:path) => {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    $d crate::registry::$promise(&$d stage().await).await;
                })*
            };
        }
    };
}
battery! { ($)
    a_beat_is_seen_whole_through_every_handle
    a_later_beat_takes_the_place_of_an_earlier
    edges_come_in_the_order_of_their_ids
    an_edge_that_leaves_is_gone_until_it_beats
    an_edge_that_falls_silent_is_gone_and_one_that_beats_stays
}

/// Every field, as it was said.
pub async fn a_beat_is_seen_whole_through_every_handle(stage: &Stage) {
    assert_eq!(stage.here.edges().await.unwrap(), []);
    let beat = Beat {
        role: ports::registry::Role::Edge,
        incarnation: u64::MAX,
        pop: "FRA1-P1".to_owned(),
        position: Some((50.1, -8.682_123)),
        addresses: vec!["192.0.2.1".parse::<IpAddr>().unwrap(), "2001:db8::1".parse().unwrap()],
        http_port: Some(80),
        https_port: None,
        acknowledged: Revision(u64::MAX),
        ..of("fra-1", 0)
    };
    stage.here.beat(&beat).await.unwrap();
    for registry in [&stage.there, &stage.here] {
        assert_eq!(registry.edges().await.unwrap(), std::slice::from_ref(&beat));
    }
}

/// The newest says how far the edge has come.
pub async fn a_later_beat_takes_the_place_of_an_earlier(stage: &Stage) {
    stage.here.beat(&of("a", 1)).await.unwrap();
    stage.there.beat(&of("a", 2)).await.unwrap();
    assert_eq!(stage.here.edges().await.unwrap(), [of("a", 2)]);
}

/// Whatever their ids look like.
pub async fn edges_come_in_the_order_of_their_ids(stage: &Stage) {
    let mut ids = ["b", "a", "edge 7", "{x}", "ü", "*", "a/b:c", "B"];
    for id in ids {
        stage.here.beat(&of(id, 1)).await.unwrap();
    }
    ids.sort_unstable();
    assert_eq!(stage.there.edges().await.unwrap(), ids.map(|id| of(id, 1)));
}

/// Leaving is at once, harmless when done twice, and not for ever.
pub async fn an_edge_that_leaves_is_gone_until_it_beats(stage: &Stage) {
    stage.here.beat(&of("a", 1)).await.unwrap();
    stage.here.beat(&of("b", 1)).await.unwrap();
    for _ in 0..2 {
        stage.there.leave(&EdgeId::from("a")).await.unwrap();
        assert_eq!(stage.here.edges().await.unwrap(), [of("b", 1)]);
    }
    stage.here.beat(&of("a", 2)).await.unwrap();
    assert_eq!(stage.there.edges().await.unwrap(), [of("a", 2), of("b", 1)]);
}

/// One beats on, one does not: after a while only the first is there.
pub async fn an_edge_that_falls_silent_is_gone_and_one_that_beats_stays(stage: &Stage) {
    stage.here.beat(&of("silent", 1)).await.unwrap();
    for turn in 1.. {
        stage.there.beat(&of("steady", turn)).await.unwrap();
        let alive = stage.here.edges().await.unwrap();
        assert!(alive.contains(&of("steady", turn)), "the steady edge is gone: {alive:?}");
        if alive.len() == 1 {
            break;
        }
        tokio::time::sleep(BEAT_EVERY / 4).await;
    }
    stage.here.beat(&of("silent", 2)).await.unwrap();
    assert_eq!(stage.there.edges().await.unwrap().len(), 2);
}

fn of(id: &str, acknowledged: u64) -> Beat {
    Beat {
        role: ports::registry::Role::Edge,
        id: EdgeId::from(id),
        incarnation: 1,
        pop: "LOC1-P1".to_owned(),
        position: None,
        addresses: Vec::new(),
        http_port: None,
        https_port: None,
        acknowledged: Revision(acknowledged),
    }
}
