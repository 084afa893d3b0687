//! The store on Redis keeps every promise of its ports, on one server.
#![expect(clippy::expect_used, reason = "tests")]

use contracts::metastore::Stage;
use nearfront_metastore_redis::RedisStore;
use ports::bounds::LogBounds;
use testkit::redis::Redis;

contracts::metastore_battery!(stage);
contracts::registry_battery!(stage);

async fn stage() -> Stage {
    let redis = Redis::start().await;
    let log = LogBounds { changes: 64, ..LogBounds::default() };
    let one = RedisStore::connect_keeping(&redis.url(), log).await.expect("a store");
    let other = RedisStore::connect_keeping(&redis.url(), log).await.expect("another handle");
    Stage::of((one, other), log.changes, redis)
}
