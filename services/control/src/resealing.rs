//! Secrets in the store, sealed with the key that seals now: done once at every start.
//!
//! For: records from before secrets were sealed, and a sealing key that was replaced by another.
//! Not for: sealing what is written anew; whoever writes it does that ([`Control::seal`]).

use crate::{
    acm::{ACCOUNTS, CARDS},
    control::Control,
    sigv4::PREFIX as ACCESS_KEYS,
    store::{self, Change, Kept, Otherwise, Stopped},
    wire::fault::Fault,
};
use kit::seal::SealError;
use model::feed::{CERTIFICATES, CHALLENGES, Sealed};
use serde_json::Value;

/// Which records hold a secret, and where in them (RFC 6901).
const SECRETS: [(&str, &str); 5] = [
    (CERTIFICATES, "/key"),
    (CHALLENGES, "/proof/key"),
    (CARDS, "/work/key"),
    (ACCOUNTS, "/credentials"),
    (ACCESS_KEYS, "/secret"),
];
/// Records read at a time.
const BATCH: usize = 200;

/// Why secrets could not be sealed anew.
#[derive(Debug, thiserror::Error)]
pub enum Unsealed {
    /// The keys that were given are not those of this store.
    #[error(transparent)]
    Keys(#[from] SealError),
    /// The store.
    #[error(transparent)]
    Store(#[from] Fault),
}

/// Seals every secret that is in clear, or sealed with a key that is not the first any more.
///
/// What was spoilt is left as it is, and the log says so: it must not keep all others from use.
///
/// # Errors
/// When a key is missing that a record was sealed with, or the store does not answer.
pub async fn all(control: &Control) -> Result<(), Unsealed> {
    for (prefix, member) in SECRETS {
        let mut after = None;
        loop {
            let page: Vec<Kept<Value>> =
                store::list(control.store(), prefix, after.as_deref(), BATCH).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            for kept in page {
                one(control, kept, member).await?;
            }
        }
    }
    Ok(())
}

async fn one(control: &Control, mut kept: Kept<Value>, member: &str) -> Result<(), Unsealed> {
    let seals = &control.world.seals;
    let Some(place) = kept.value.pointer_mut(member) else { return Ok(()) };
    let Some(text) = place.as_str() else { return Ok(()) };
    let sealed = Sealed(text.to_owned());
    let open = match seals.open(&kept.key, &sealed) {
        Err(why @ SealError::Spoilt(_)) => {
            tracing::error!(%why, "a secret in the metadata store is lost");
            return Ok(());
        }
        opened => opened?,
    };
    if seals.is_current(&sealed) {
        return Ok(());
    }
    *place = seals.seal(&kept.key, &open)?.0.into();
    Ok(put(control, &kept).await?)
}

/// Whoever changed the record meanwhile has sealed it.
async fn put(control: &Control, kept: &Kept<Value>) -> Result<(), Fault> {
    let mut change = Change::default();
    change.when(kept.unchanged(), Otherwise::Again).put(kept.key.clone(), &kept.value)?;
    match change.commit(control.store()).await {
        Err(Stopped::Refused(fault)) => Err(fault),
        Ok(_) | Err(Stopped::Again) => Ok(()),
    }
}
