//! What must be there before the first request: the root key, the authority, the zone's certificate.
//!
//! Several processes may start at once: each thing is written on the condition that it is not there
//! yet, and whoever comes second takes what the first one wrote.

use crate::{
    acm::authority,
    control::Control,
    ids,
    sigv4::{AccessKeyRecord, Holder, PREFIX},
    store::{self, Change, Kept, Otherwise, Stopped},
    wire::fault::{Common, Fault},
};
use model::feed::{AUTHORITY, CERTIFICATES, Certificate, Secret, ZONE};
use ports::metastore::Check;

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// `AKIA` and 16 characters.
    pub id: String,
    /// 40 characters.
    pub secret: Secret,
}

/// The root key, made if there is none.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn root_key(control: &Control) -> Result<AccessKey, Fault> {
    store::settle(|| async {
        if let Some(key) = known_root(control).await? {
            return Ok(key);
        }
        let key = AccessKey { id: ids::access_key(), secret: Secret(ids::secret_key()) };
        let place = format!("{PREFIX}{}", key.id);
        let (seals, now) = (&control.world.seals, control.now());
        let record = AccessKeyRecord::new(seals, &place, &Holder::Root, &key.secret, now)
            .map_err(Fault::internal)?;
        let mut change = Change::default();
        change.when(Check::NoneUnder(PREFIX.to_owned()), Otherwise::Again).put(place, &record)?;
        change.commit(control.store()).await?;
        Ok(key)
    })
    .await
}

/// The first that opens: one that somebody else has put beside it keeps nobody from starting.
async fn known_root(control: &Control) -> Result<Option<AccessKey>, Fault> {
    let good = |kept: &Kept<AccessKeyRecord>| kept.value.root && !kept.value.inactive;
    let mut shut = None;
    for kept in all_keys(control).await?.into_iter().filter(good) {
        match kept.value.open(&control.world.seals, &kept.key) {
            Ok(secret) => {
                let id = kept.key.strip_prefix(PREFIX).unwrap_or_default().to_owned();
                return Ok(Some(AccessKey { id, secret }));
            }
            Err(why) => shut = Some(why),
        }
    }
    shut.map_or(Ok(None), |why| Err(Fault::common(Common::InternalError, why.to_string())))
}

/// All access keys, page by page.
pub(crate) async fn all_keys(control: &Control) -> Result<Vec<Kept<AccessKeyRecord>>, Fault> {
    const PAGE: usize = 1000;
    let mut all: Vec<Kept<AccessKeyRecord>> = Vec::new();
    loop {
        let after = all.last().map(|kept| kept.key.clone());
        let page = store::list(control.store(), PREFIX, after.as_deref(), PAGE).await?;
        let last = page.len() < PAGE;
        all.extend(page);
        if last {
            return Ok(all);
        }
    }
}

/// The authority and the zone's certificate, made or renewed when they no longer serve.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn certificates(control: &Control) -> Result<(), Fault> {
    store::settle(|| async {
        let mut change = Change::default();
        let (authority, new) = authority(control, &mut change).await?;
        if zone(control, &mut change, &authority, new).await? || new {
            change.commit(control.store()).await?;
        }
        Ok(())
    })
    .await
}

async fn authority(control: &Control, change: &mut Change) -> Result<(Certificate, bool), Stopped> {
    let place = format!("{CERTIFICATES}{AUTHORITY}");
    let kept: Option<Kept<Certificate>> = store::get(control.store(), &place).await?;
    let now = control.now();
    let names = [control.zone.clone()];
    if let Some(kept) = kept.as_ref().filter(|kept| authority::serves(&kept.value, &names, now)) {
        return Ok((kept.value.clone(), false));
    }
    let made = authority::authority(&control.zone, now)?.sealed(control, &place)?;
    replace(change, place, kept.as_ref(), &made)?;
    Ok((made, true))
}

/// Says whether there is something to write.
async fn zone(
    control: &Control,
    change: &mut Change,
    authority: &Certificate,
    new: bool,
) -> Result<bool, Stopped> {
    let place = format!("{CERTIFICATES}{ZONE}");
    let kept: Option<Kept<Certificate>> = store::get(control.store(), &place).await?;
    let names = authority::zone_names(&control.zone);
    let now = control.now();
    let serves = |kept: &Kept<Certificate>| authority::serves(&kept.value, &names, now);
    if !new && kept.as_ref().is_some_and(serves) {
        return Ok(false);
    }
    let key = control.open(&format!("{CERTIFICATES}{AUTHORITY}"), &authority.key)?;
    let made = authority::zone(&control.zone, authority, &key, now)?.sealed(control, &place)?;
    replace(change, place, kept.as_ref(), &made)?;
    Ok(true)
}

fn replace(
    change: &mut Change,
    place: String,
    old: Option<&Kept<Certificate>>,
    new: &Certificate,
) -> Result<(), Fault> {
    let check = old.map_or_else(|| Check::Absent(place.clone()), Kept::unchanged);
    change.when(check, Otherwise::Again).put(place, new)?;
    Ok(())
}
