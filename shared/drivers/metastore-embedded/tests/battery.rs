//! The embedded store keeps every promise of its ports.
#![expect(clippy::expect_used, reason = "tests")]

use contracts::metastore::Stage;
use nearfront_metastore_embedded::EmbeddedStore;
use ports::bounds::LogBounds;

contracts::metastore_battery!(stage);
contracts::registry_battery!(stage);

async fn stage() -> Stage {
    let folder = tempfile::tempdir().expect("a folder");
    let log = LogBounds { changes: 64, ..LogBounds::default() };
    let store = EmbeddedStore::open_keeping(folder.path().join("store"), log).expect("a store");
    Stage::of((store.clone(), store), log.changes, folder)
}
