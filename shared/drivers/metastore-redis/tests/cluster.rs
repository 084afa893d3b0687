//! The store on a Redis cluster.
#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

use contracts::{metastore, metastore::Stage, registry};
use nearfront_metastore_redis::RedisStore;
use ports::{
    bounds::LogBounds,
    metastore::{Commit, MetaStore, Write},
};
use testkit::redis::{Cluster, Redis};

const LOG: LogBounds = LogBounds { changes: 64, bytes: 64 << 20 };

async fn stage(cluster: &mut Cluster) -> Stage {
    let url = cluster.url();
    for node in cluster.nodes() {
        node.cli(&["flushall"]).await;
    }
    let one = RedisStore::connect_keeping(&url, LOG).await.expect("a store");
    let other = RedisStore::connect_keeping(&url, LOG).await.expect("another handle");
    Stage::of((one, other), LOG.changes, ())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_keeps_every_promise() {
    let cluster = tokio::sync::Mutex::new(Cluster::start().await);
    let stage = async || stage(&mut *cluster.lock().await).await;
    metastore::all(&stage).await;
    registry::all(&stage).await;
}

fn put(key: &str) -> Commit {
    let writes = vec![Write::Put(key.to_owned(), "v".into())];
    Commit { checks: Vec::new(), writes }
}

async fn owner(nodes: &[Redis], slot: &str) -> usize {
    for (place, node) in nodes.iter().enumerate() {
        if !node.cli(&["cluster", "getkeysinslot", slot, "1"]).await.trim().is_empty() {
            return place;
        }
    }
    panic!("nobody has the slot {slot}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_moves_is_followed() {
    let mut cluster = Cluster::start().await;
    let url = cluster.url();
    let nodes = cluster.nodes();
    let slot = nodes[0].cli(&["cluster", "keyslot", "{nearfront}"]).await.trim().to_owned();
    let store = RedisStore::connect(&url).await.unwrap();
    store.commit(put("k")).await.unwrap();
    let from = owner(nodes, &slot).await;
    let to = (from + 1) % nodes.len();
    // An empty slot moves by being given away; its keys are gone then, which is not our matter here.
    nodes[from].cli(&["flushall"]).await;
    let id = nodes[to].cli(&["cluster", "myid"]).await.trim().to_owned();
    for node in [to, from, (to + 1) % nodes.len()] {
        nodes[node].cli(&["cluster", "setslot", &slot, "node", &id]).await;
    }
    store.commit(put("k")).await.unwrap();
    assert_eq!(owner(nodes, &slot).await, to);
    assert!(store.get("k").await.unwrap().is_some());
}
