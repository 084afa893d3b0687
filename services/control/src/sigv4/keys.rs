//! Access keys, kept in the metadata store and remembered for a moment.

use crate::wire::fault::Fault;
use kit::seal::Seals;
use model::{
    feed::{Sealed, Secret},
    units::{Seconds, Timestamp},
};
use parking_lot::Mutex;
use ports::metastore::MetaStore;
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, sync::Arc};

/// Prefix of the keys of access keys in the store.
pub(crate) const PREFIX: &str = "access-key/";
/// How long a key is remembered: so long does a deleted key go on working.
const FRESH_FOR: Seconds = Seconds(5);
/// Most keys that are remembered.
const MOST_REMEMBERED: usize = 1000;

/// An access key as it is kept: `access-key/ID`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessKeyRecord {
    /// Forty characters, sealed for the record.
    pub secret: Sealed,
    /// Whether it was made on first start.
    pub root: bool,
    /// When it was made.
    pub created: Timestamp,
}

/// Looks access keys up; safe to share.
pub struct Keys {
    store: Arc<dyn MetaStore>,
    seals: Seals,
    remembered: Mutex<HashMap<String, (Secret, Timestamp)>>,
}

impl Keys {
    /// Keys of this store, whose secrets these open.
    pub fn of(store: Arc<dyn MetaStore>, seals: Seals) -> Self {
        Self { store, seals, remembered: Mutex::default() }
    }

    /// The secret of this key; none when there is no such key.
    ///
    /// # Errors
    /// `ServiceUnavailable` when the store does not answer.
    pub async fn secret(&self, id: &str, now: Timestamp) -> Result<Option<Secret>, Fault> {
        if !is_id(id) {
            return Ok(None);
        }
        if let Some(secret) = self.remembered(id, now) {
            return Ok(Some(secret));
        }
        let place = format!("{PREFIX}{id}");
        let Some(entry) = self.store.get(&place).await? else {
            self.remembered.lock().remove(id);
            return Ok(None);
        };
        let record: AccessKeyRecord =
            serde_json::from_slice(&entry.value).map_err(Fault::internal)?;
        let secret = self.seals.open(&place, &record.secret).map_err(Fault::internal)?;
        self.remember(id, &secret, now);
        Ok(Some(secret))
    }

    fn remembered(&self, id: &str, now: Timestamp) -> Option<Secret> {
        let remembered = self.remembered.lock();
        let (secret, at) = remembered.get(id)?;
        let fresh = *at <= now && now.since(*at) < FRESH_FOR;
        fresh.then(|| secret.clone())
    }

    fn remember(&self, id: &str, secret: &Secret, now: Timestamp) {
        let mut remembered = self.remembered.lock();
        if remembered.len() >= MOST_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(id.to_owned(), (secret.clone(), now));
    }
}

/// Whether this can be a key's id at all (IAM API reference, `AccessKey`).
fn is_id(id: &str) -> bool {
    (16..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
