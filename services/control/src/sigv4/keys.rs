//! Access keys, kept in the metadata store and remembered for a moment.

use super::remembered::Remembered;
use crate::wire::fault::Fault;
use kit::seal::{SealError, Seals};
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
    /// Forty characters, sealed for the record and for what it says of its holder and its state:
    /// whoever changes these without the sealing key has a key that does not open.
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
    /// A key of this holder that works, for the record at `place`.
    ///
    /// # Errors
    /// When it cannot be sealed.
    pub fn new(
        seals: &Seals,
        place: &str,
        holder: &Holder,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Self, SealError> {
        let user = match holder {
            Holder::Root => None,
            Holder::User(name) => Some(name.clone()),
        };
        let root = user.is_none();
        let sealed = Sealed(String::new());
        let mut new = Self { secret: sealed, root, created: now, user, inactive: false };
        new.secret = seals.seal_with(place, &new.facts(), secret)?;
        Ok(new)
    }

    /// Its secret.
    ///
    /// # Errors
    /// When it does not open: also when the record says otherwise than when it was sealed.
    pub fn open(&self, seals: &Seals, place: &str) -> Result<Secret, SealError> {
        seals.open_with(place, &self.facts(), &self.secret)
    }

    /// The same key, switched on or off.
    ///
    /// # Errors
    /// When it does not open.
    pub fn switched(&self, seals: &Seals, place: &str, inactive: bool) -> Result<Self, SealError> {
        let secret = self.open(seals, place)?;
        let mut new = Self { inactive, ..self.clone() };
        new.secret = seals.seal_with(place, &new.facts(), &secret)?;
        Ok(new)
    }

    /// What the seal is bound to beside the record's place. The name comes last, so that no name
    /// can pass for something else.
    pub(crate) fn facts(&self) -> String {
        let user = self.user.as_deref().unwrap_or_default();
        format!("root={} inactive={} user={user}", self.root, self.inactive)
    }

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

    /// The key of this id, if it may sign; none when there is none, it is switched off, or its record
    /// was not written by us.
    ///
    /// # Errors
    /// `ServiceUnavailable` when the store does not answer.
    pub async fn find(&self, id: &str, now: Timestamp) -> Result<Option<Arc<KnownKey>>, Fault> {
        if !is_key_id(id) {
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
        let secret = match record.open(&self.seals, &place) {
            Err(why @ (SealError::Clear(_) | SealError::Spoilt(_))) => {
                tracing::error!(%why, "an access key is refused");
                return Ok(None);
            }
            opened => opened.map_err(Fault::internal)?,
        };
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
pub fn is_key_id(id: &str) -> bool {
    (16..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &str = "access-key/AKIAIOSFODNN7EXAMPLE";

    fn record(seals: &Seals) -> AccessKeyRecord {
        let (holder, secret) = (Holder::User("ann".into()), Secret("hush".into()));
        AccessKeyRecord::new(seals, PLACE, &holder, &secret, Timestamp(0)).unwrap()
    }

    #[test]
    fn whoever_writes_the_store_without_a_key_does_not_become_root_by_his_own_access_key() {
        let seals = Seals::fresh().unwrap();
        let own = record(&seals);
        assert_eq!(own.open(&seals, PLACE).unwrap().0, "hush");
        let bent = [
            AccessKeyRecord { root: true, ..own.clone() },
            AccessKeyRecord { root: true, user: None, ..own.clone() },
            AccessKeyRecord { user: Some("bob".into()), ..own.clone() },
            AccessKeyRecord { user: None, ..own.clone() },
            AccessKeyRecord { inactive: true, ..own.clone() },
        ];
        for one in bent {
            assert_eq!(one.open(&seals, PLACE), Err(SealError::Spoilt(PLACE.into())), "{one:?}");
        }
        assert!(own.open(&seals, "access-key/AKIAANOTHER").is_err());
    }

    #[test]
    fn a_key_that_was_switched_off_is_switched_on_by_us_only() {
        let seals = Seals::fresh().unwrap();
        let off = record(&seals).switched(&seals, PLACE, true).unwrap();
        assert!(off.inactive && off.open(&seals, PLACE).is_ok());
        let bent = AccessKeyRecord { inactive: false, ..off.clone() };
        assert!(bent.open(&seals, PLACE).is_err());
        let on = off.switched(&seals, PLACE, false).unwrap();
        assert_eq!(on.open(&seals, PLACE).unwrap().0, "hush");
    }
}
