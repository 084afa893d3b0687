//! Typed reading and atomic writing of control's own records.
//!
//! For: every key that control keeps has its name here; a change is one [`Change`], done whole or
//! not at all, and tried again when somebody else was faster.
//! Not for: the values that other services read (`model::feed`); those are put as they are.

use crate::wire::fault::{Common, Fault};
use bytes::Bytes;
use model::units::Revision;
use ports::metastore::{Check, Commit, CommitError, Entry, MetaStore, Write};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

/// How often a change is tried again when others change the same things.
const ATTEMPTS: u32 = 10;

/// A record as it stood, and the commit that put it.
#[derive(Clone, Debug)]
pub struct Kept<T> {
    /// Its key.
    pub key: String,
    /// The record.
    pub value: T,
    /// The commit that put it.
    pub revision: Revision,
}

impl<T: DeserializeOwned> Kept<T> {
    /// From an entry of the store.
    ///
    /// # Errors
    /// An internal fault when the value is not what we once wrote.
    pub fn read(entry: Entry) -> Result<Self, Fault> {
        let value = serde_json::from_slice(&entry.value)
            .map_err(|error| Fault::internal(format!("the record {}: {error}", entry.key)))?;
        Ok(Self { key: entry.key, value, revision: entry.revision })
    }
}

impl<T> Kept<T> {
    /// What must hold for this to be still what stands in the store.
    pub fn unchanged(&self) -> Check {
        Check::At(self.key.clone(), self.revision)
    }
}

/// The record of this key.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn get<T: DeserializeOwned>(
    store: &dyn MetaStore,
    key: &str,
) -> Result<Option<Kept<T>>, Fault> {
    store.get(key).await?.map(Kept::read).transpose()
}

/// Up to `most` records after the key `after`, by key.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn list<T: DeserializeOwned>(
    store: &dyn MetaStore,
    prefix: &str,
    after: Option<&str>,
    most: usize,
) -> Result<Vec<Kept<T>>, Fault> {
    store.list(prefix, after, most).await?.into_iter().map(Kept::read).collect()
}

/// What it means when a condition of a change does not hold.
#[derive(Clone, Debug)]
pub enum Otherwise {
    /// Somebody was faster: look again and try again.
    Again,
    /// This is wrong with the request.
    Refuse(Fault),
}

/// Why a change did not happen.
#[derive(Debug)]
pub enum Stopped {
    /// Somebody was faster.
    Again,
    /// It cannot be done.
    Refused(Fault),
}

impl<E: Into<Fault>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// One atomic change, with what each unmet condition means.
#[derive(Debug, Default)]
pub struct Change {
    conditions: Vec<(Check, Otherwise)>,
    writes: Vec<Write>,
}

impl Change {
    /// This must hold.
    pub fn when(&mut self, check: Check, otherwise: Otherwise) -> &mut Self {
        self.conditions.push((check, otherwise));
        self
    }

    /// Or else this is wrong with the request.
    pub fn when_or(&mut self, check: Check, fault: Fault) -> &mut Self {
        self.when(check, Otherwise::Refuse(fault))
    }

    /// Puts a record.
    ///
    /// # Errors
    /// An internal fault when it has no JSON form.
    pub fn put<T: Serialize>(&mut self, key: String, value: &T) -> Result<&mut Self, Fault> {
        let bytes = serde_json::to_vec(value).map_err(Fault::internal)?;
        self.writes.push(Write::Put(key, Bytes::from(bytes)));
        Ok(self)
    }

    /// Puts a key that says all by being there.
    pub fn mark(&mut self, key: String) -> &mut Self {
        self.writes.push(Write::Put(key, Bytes::from_static(b"{}")));
        self
    }

    /// Takes a record away.
    pub fn delete(&mut self, key: String) -> &mut Self {
        self.writes.push(Write::Delete(key));
        self
    }

    /// Does it. Dropping the call half-way leaves it open whether it happened.
    ///
    /// # Errors
    /// [`Stopped::Again`] when it is worth trying again from the start.
    pub async fn commit(self, store: &dyn MetaStore) -> Result<Revision, Stopped> {
        let checks = self.conditions.iter().map(|(check, _)| check.clone()).collect();
        match store.commit(Commit { checks, writes: self.writes }).await {
            Ok(revision) => Ok(revision),
            Err(CommitError::Store(error)) => Err(error.into()),
            Err(CommitError::Conflict(check)) => {
                let met = self.conditions.into_iter().find(|(one, _)| *one == check);
                Err(match met.map(|(_, otherwise)| otherwise) {
                    Some(Otherwise::Refuse(fault)) => Stopped::Refused(fault),
                    Some(Otherwise::Again) | None => Stopped::Again,
                })
            }
        }
    }
}

/// Tries a change until nobody is faster, a bounded number of times.
///
/// # Errors
/// Those of `attempt`; `ServiceUnavailable` when others were faster every time.
pub async fn settle<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Stopped>>,
{
    for tried in 0..ATTEMPTS {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(Stopped::Refused(fault)) => return Err(fault),
            Err(Stopped::Again) => tokio::time::sleep(pause(tried)).await,
        }
    }
    let message = "others keep changing the same resources; nothing was changed: try again";
    Err(Fault::common(Common::ServiceUnavailable, message))
}

/// Longer and longer, by chance, so that those who collided once do not collide again.
fn pause(tried: u32) -> Duration {
    Duration::from_millis(rand::random_range(0..=2_u64 << tried.min(6)))
}

/// Names of keys.
pub mod key {
    use crate::sigv4::sha256_hex;

    /// Prefix of distributions' records.
    pub const DISTRIBUTIONS: &str = "distribution/";

    /// Prefix of the marks of which resource of a kind was made with which caller reference.
    pub fn references(kind: &str) -> String {
        format!("reference/{kind}/")
    }

    /// A distribution's record.
    pub fn distribution(id: &str) -> String {
        format!("{DISTRIBUTIONS}{id}")
    }

    /// A distribution's plan.
    pub fn plan(id: &str) -> String {
        format!("{}{id}", model::feed::PLANS)
    }

    /// A distribution's tags.
    pub fn tags(id: &str) -> String {
        resource_tags("distribution", id)
    }

    /// A distribution's monitoring subscription.
    pub fn monitoring(distribution: &str) -> String {
        format!("monitoring-subscription/{distribution}")
    }

    /// A resource's tags.
    pub fn resource_tags(kind: &str, id: &str) -> String {
        format!("tags/{kind}/{id}")
    }

    /// Prefix of the assigned names of staging distributions.
    pub const STAGING: &str = "staging/";

    /// Says which staging distribution has this first label of an assigned name.
    pub fn staging(label: &str) -> String {
        format!("{STAGING}{label}")
    }

    /// A resource's policy.
    pub fn resource_policy(kind: &str, id: &str) -> String {
        format!("resource-policy/{kind}-{id}")
    }

    /// Says which list has this Anycast address.
    pub fn anycast_address(address: std::net::IpAddr) -> String {
        format!("{ANYCAST_ADDRESSES}{address}")
    }

    /// Prefix of the Anycast addresses that lists have.
    pub const ANYCAST_ADDRESSES: &str = "anycast-address/";

    /// Says which distribution has this alternate name.
    pub fn alias(name: &str) -> String {
        format!("alias/{}", name.to_ascii_lowercase())
    }

    /// Says which distribution was given this name.
    pub fn assigned(name: &str) -> String {
        format!("assigned/{name}")
    }

    /// Says which resource was made with this caller reference. Free text, so its digest is used.
    pub fn reference(kind: &str, text: &str) -> String {
        format!("{}{}", references(kind), sha256_hex(text.as_bytes()))
    }

    /// Says which resource of a kind has this name. Free text, so its digest is used.
    pub fn name(kind: &str, text: &str) -> String {
        format!("name/{kind}/{}", sha256_hex(text.as_bytes()))
    }

    /// Prefix of the marks of who uses a resource.
    pub fn users(kind: &str, id: &str) -> String {
        format!("use/{kind}/{id}/")
    }

    /// Marks that a distribution uses a resource.
    pub fn used_by(kind: &str, id: &str, distribution: &str) -> String {
        format!("{}{distribution}", users(kind, id))
    }

    /// Put anew whenever somebody starts to use a resource: whoever changes the resource for all of
    /// its users learns from it that there is one more.
    pub fn newest_user(kind: &str, id: &str) -> String {
        format!("newest-user/{kind}/{id}")
    }

    /// Put anew whenever there is one more below a prefix: whoever takes the last room learns from it
    /// that somebody else took some.
    pub fn census(prefix: &str) -> String {
        format!("census/{prefix}")
    }

    /// Prefix of a distribution's invalidations.
    pub fn invalidations(distribution: &str) -> String {
        format!("{}{distribution}/", model::feed::INVALIDATIONS)
    }
}
