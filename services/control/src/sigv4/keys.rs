//! Access keys, kept in the metadata store and remembered for a moment.

use super::remembered::Remembered;
use crate::wire::fault::Fault;
use kit::seal::Seals;
use model::{
    feed::{Sealed, Secret},
    units::Timestamp,
};
use ports::metastore::MetaStore;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Prefix of the keys of access keys in the store.
pub(crate) const PREFIX: &str = "access-key/";

/// An access key as it is kept: `access-key/ID`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessKeyRecord {
    /// Forty characters, sealed for the record.
    pub secret: Sealed,
    /// Whether it is the account's own.
    pub root: bool,
    /// When it was made.
    pub created: Timestamp,
    /// Whose it is, when it is not the account's own: the name in small letters.
    #[serde(default)]
    pub user: Option<String>,
    /// Whether it is switched off.
    #[serde(default)]
    pub inactive: bool,
}

/// Whose a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The account itself, which may do everything.
    Root,
    /// A user, by name in small letters.
    User(String),
}

impl AccessKeyRecord {
    /// Whose it is. A key that is nobody's, which nobody writes, belongs to a user without a name.
    pub fn holder(&self) -> Holder {
        if self.root {
            return Holder::Root;
        }
        Holder::User(self.user.clone().unwrap_or_default())
    }
}

/// Looks access keys up; safe to share.
pub struct Keys {
    store: Arc<dyn MetaStore>,
    seals: Seals,
    remembered: Remembered<Arc<KnownKey>>,
}

/// A key that may sign.
#[derive(Debug)]
pub struct KnownKey {
    /// Forty characters.
    pub secret: Secret,
    /// Whose it is.
    pub holder: Holder,
}

impl Keys {
    /// Keys of this store, whose secrets these open.
    pub fn of(store: Arc<dyn MetaStore>, seals: Seals) -> Self {
        Self { store, seals, remembered: Remembered::default() }
    }

    /// The key of this id, if it may sign; none when there is none, or it is switched off.
    ///
    /// # Errors
    /// `ServiceUnavailable` when the store does not answer.
    pub async fn find(&self, id: &str, now: Timestamp) -> Result<Option<Arc<KnownKey>>, Fault> {
        if !is_id(id) {
            return Ok(None);
        }
        let turn = match self.remembered.get(id, now) {
            Ok(key) => return Ok(Some(key)),
            Err(turn) => turn,
        };
        let place = format!("{PREFIX}{id}");
        let Some(entry) = self.store.get(&place).await? else {
            return Ok(None);
        };
        let record: AccessKeyRecord =
            serde_json::from_slice(&entry.value).map_err(Fault::internal)?;
        if record.inactive {
            return Ok(None);
        }
        let secret = self.seals.open(&place, &record.secret).map_err(Fault::internal)?;
        let key = Arc::new(KnownKey { secret, holder: record.holder() });
        self.remembered.keep(turn, id, Arc::clone(&key), now);
        Ok(Some(key))
    }

    /// A key has just been changed or taken away: it is looked up anew from now on.
    pub fn forget(&self, id: &str) {
        self.remembered.forget(id);
    }
}

/// Whether this can be a key's id at all (IAM API reference, `AccessKey`).
fn is_id(id: &str) -> bool {
    (16..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
