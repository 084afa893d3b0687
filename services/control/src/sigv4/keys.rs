//! Access keys, kept in the metadata store and remembered for a moment.

use super::remembered::Remembered;
use crate::wire::fault::Fault;
use model::{feed::Secret, units::Timestamp};
use ports::metastore::MetaStore;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Prefix of the keys of access keys in the store.
pub(crate) const PREFIX: &str = "access-key/";

/// An access key as it is kept: `access-key/ID`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessKeyRecord {
    /// Forty characters.
    pub secret: Secret,
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
    remembered: Remembered<Arc<AccessKeyRecord>>,
}

impl Keys {
    /// Keys of this store.
    pub fn of(store: Arc<dyn MetaStore>) -> Self {
        Self { store, remembered: Remembered::default() }
    }

    /// The key of this id, if it may sign; none when there is none, or it is switched off.
    ///
    /// # Errors
    /// `ServiceUnavailable` when the store does not answer.
    pub async fn find(
        &self,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<AccessKeyRecord>>, Fault> {
        if !is_id(id) {
            return Ok(None);
        }
        let turn = match self.remembered.get(id, now) {
            Ok(key) => return Ok(Some(key)),
            Err(turn) => turn,
        };
        let Some(entry) = self.store.get(&format!("{PREFIX}{id}")).await? else {
            return Ok(None);
        };
        let record: AccessKeyRecord =
            serde_json::from_slice(&entry.value).map_err(Fault::internal)?;
        if record.inactive {
            return Ok(None);
        }
        let record = Arc::new(record);
        self.remembered.keep(turn, id, Arc::clone(&record), now);
        Ok(Some(record))
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
