//! Secrets in the store, sealed with the key that seals now: done once at every start.
//!
//! For: a sealing key that was replaced by another; and, once in the life of a data folder, records
//! from before secrets were sealed. After that the file [`MARK`] stands there, and text in clear is
//! somebody's who can write the store and has no sealing key: it is told, and never sealed.
//! Not for: sealing what is written anew; whoever writes it does that ([`Control::seal`]).

use crate::{
    acm::{ACCOUNTS, CARDS},
    control::Control,
    sigv4::{AccessKeyRecord, PREFIX as ACCESS_KEYS},
    store::{self, Change, Kept, Otherwise, Stopped},
    wire::fault::Fault,
};
use kit::{
    health::Severity,
    seal::{SealError, Seals},
};
use model::feed::{CERTIFICATES, CHALLENGES, Sealed, Secret};
use serde_json::Value;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// In the data folder: everything is sealed. Holds the id of the sealing key.
const MARK: &str = "metadata.sealed";
/// The part of the process that ails while a secret in the store is not what we sealed.
const PART: &str = "secrets";
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
/// Most records that `/readyz` names.
const MOST_NAMED: usize = 5;

/// Why secrets could not be sealed anew.
#[derive(Debug, thiserror::Error)]
pub enum Unsealed {
    /// The keys that were given are not those of this store.
    #[error(transparent)]
    Keys(#[from] SealError),
    /// The store.
    #[error(transparent)]
    Store(#[from] Fault),
    /// The mark that everything is sealed.
    #[error("{}: {why}", path.display())]
    Mark {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        why: io::Error,
    },
}

/// Seals every secret that is sealed with a key that is not the first any more; the first time in
/// this data folder also what is in clear.
///
/// What was spoilt, and what is in clear later, is left as it is. The log and `/readyz` say so: it
/// must not keep all others from use, and nothing opens it.
///
/// # Errors
/// When a key is missing that a record was sealed with, the store does not answer, or the mark
/// cannot be read or written.
pub async fn all(control: &Control) -> Result<(), Unsealed> {
    let path = control.settings.data_dir.join(MARK);
    let before = mark(&path).map_err(|why| Unsealed::Mark { path: path.clone(), why })?;
    let age = if before.is_none() { Age::First } else { Age::Later };
    let found = each(control, Some(age)).await?;
    let wanted = control.world.seals.sealing_id().map(|id| format!("{id}\n"));
    if let Some(text) = wanted.filter(|text| before.as_ref() != Some(text)) {
        let written = kit::whole::write(&path, text.as_bytes());
        written.map_err(|why| Unsealed::Mark { path: path.clone(), why })?;
    }
    tell(control, &found);
    Ok(())
}

/// Looks whether a secret in the store is not what we sealed, and changes nothing.
pub async fn look(control: &Control) {
    match each(control, None).await {
        Ok(found) => tell(control, &found),
        Err(why) => tracing::warn!(%why, "secrets in the store could not be looked at"),
    }
}

/// Whether what was written before secrets were sealed may be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    First,
    Later,
}

fn mark(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(why),
    }
}

/// Goes through all secrets; seals anew if it is told the age. What does not open is returned.
async fn each(control: &Control, reseal: Option<Age>) -> Result<Vec<SealError>, Unsealed> {
    let mut found = Vec::new();
    for (prefix, member) in SECRETS {
        let mut after = None;
        loop {
            let page: Vec<Kept<Value>> =
                store::list(control.store(), prefix, after.as_deref(), BATCH).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            for kept in page {
                found.extend(one(control, kept, member, reseal).await?);
            }
        }
    }
    Ok(found)
}

async fn one(
    control: &Control,
    mut kept: Kept<Value>,
    member: &str,
    reseal: Option<Age>,
) -> Result<Option<SealError>, Unsealed> {
    let seals = &control.world.seals;
    let Some(sealed) = kept.value.pointer(member).and_then(Value::as_str) else { return Ok(None) };
    let sealed = Sealed(sealed.to_owned());
    let facts = facts(&kept);
    let (open, stale) = match seals.open_with(&kept.key, &facts, &sealed) {
        Ok(open) => (open, !seals.is_current(&sealed)),
        Err(why @ (SealError::Clear(_) | SealError::Spoilt(_))) => {
            match early(seals, &kept.key, &sealed).filter(|_| reseal == Some(Age::First)) {
                Some(open) => (open, true),
                None => return Ok(Some(why)),
            }
        }
        Err(why) => return Err(why.into()),
    };
    let place = kept.value.pointer_mut(member).filter(|_| stale && reseal.is_some());
    if let Some(place) = place {
        *place = seals.seal_with(&kept.key, &facts, &open)?.0.into();
        put(control, &kept).await?;
    }
    Ok(None)
}

/// What the seal of this record is bound to beside its place.
fn facts(kept: &Kept<Value>) -> String {
    if !kept.key.starts_with(ACCESS_KEYS) {
        return String::new();
    }
    let record: Option<AccessKeyRecord> = serde_json::from_value(kept.value.clone()).ok();
    record.map(|record| record.facts()).unwrap_or_default()
}

/// What was written before secrets were sealed, or before access keys were bound to their holders.
fn early(seals: &Seals, place: &str, sealed: &Sealed) -> Option<Secret> {
    match seals.open(place, sealed) {
        Err(SealError::Clear(_)) => Some(Secret(sealed.0.clone())),
        opened => opened.ok(),
    }
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

/// Every one in the log, the first of them in `/readyz`.
fn tell(control: &Control, found: &[SealError]) {
    let health = &control.world.health;
    if found.is_empty() {
        return health.heal(PART);
    }
    for why in found {
        tracing::error!(%why, "a secret in the metadata store is not what was sealed here");
    }
    let named: Vec<String> = found.iter().take(MOST_NAMED).filter_map(name).collect();
    let mark = control.settings.data_dir.join(MARK);
    health.ail(
        PART,
        Severity::Degraded,
        format!(
            "{} secrets in the metadata store are not what was sealed here and are not used ({}): \
             somebody may have written to the store. Take these records away; or, if the store \
             was brought back from before secrets were sealed, remove {} and start again",
            found.len(),
            named.join(", "),
            mark.display(),
        ),
    );
}

fn name(why: &SealError) -> Option<String> {
    match why {
        SealError::Clear(place) => Some(format!("{} in clear", place.escape_debug())),
        SealError::Spoilt(place) => Some(format!("{} spoilt", place.escape_debug())),
        _ => None,
    }
}
