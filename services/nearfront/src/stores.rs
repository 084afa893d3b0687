//! Which metadata store, and the edge registry that comes with it.

use anyhow::{Context, Result, bail};
use kit::{
    health::{Health, Severity},
    settings::Settings,
};
use metastore_embedded::EmbeddedStore;
use metastore_redis::RedisStore;
use ports::{
    metastore::{MetaStore, StoreError},
    registry::EdgeRegistry,
};
use std::{sync::Arc, time::Duration};

/// The store and the registry.
pub type Stores = (Arc<dyn MetaStore>, Arc<dyn EdgeRegistry>);

/// Name of the embedded store's file in the data folder.
const FILE: &str = "metadata.redb";
/// What is wrong in `/readyz` while the store is waited for.
const PART: &str = "metadata";
/// How long a server that is not there is left alone.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Opens what `metadata.url` names. `alone`: all services are in this process, so that the
/// embedded store will do. Dropping the call half-way opens nothing.
///
/// # Errors
/// When it cannot be opened, or is not one that `service` can share with others.
pub async fn open(
    settings: &Settings,
    service: &str,
    alone: bool,
    health: &Health,
) -> Result<Stores> {
    match settings.metadata.url.as_str() {
        "embedded" if alone => embedded(settings),
        "embedded" => bail!(
            "`nearfront {service}` needs a shared metadata store: set metadata.url = \"redis://HOST:6379\" \
             (or NEARFRONT__METADATA__URL); `nearfront up` runs everything in one process without one"
        ),
        url => redis(url, health).await,
    }
}

fn embedded(settings: &Settings) -> Result<Stores> {
    let path = settings.data_dir.join(FILE);
    let store = EmbeddedStore::open(&path).with_context(|| path.display().to_string())?;
    let store = Arc::new(store);
    Ok((Arc::clone(&store) as Arc<dyn MetaStore>, store))
}

/// A fleet's parts start in any order, so a server that is not there yet is waited for.
async fn redis(url: &str, health: &Health) -> Result<Stores> {
    loop {
        match RedisStore::connect(url).await {
            Ok(store) => {
                health.heal(PART);
                let store = Arc::new(store);
                return Ok((Arc::clone(&store) as Arc<dyn MetaStore>, store));
            }
            Err(StoreError::Unreachable(why)) => wait(health, &why).await,
            Err(why) => return Err(why).context("metadata.url"),
        }
    }
}

async fn wait(health: &Health, why: &str) {
    tracing::warn!(
        why,
        "the metadata store cannot be reached: see metadata.url in the settings; trying again"
    );
    health.ail(
        PART,
        Severity::Unready,
        format!("cannot be reached: {why}; see metadata.url in the settings"),
    );
    tokio::time::sleep(AGAIN_AFTER).await;
}
