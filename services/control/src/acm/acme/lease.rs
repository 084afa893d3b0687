//! The right to get certificates: held by one control of a fleet at a time, for seconds.
//!
//! Two that both believed to hold it would do no harm to what is stored, since every card is written
//! only as it was read; but they would order the same certificate twice.

use crate::{
    control::Control,
    store::{self, Change, Kept, Otherwise, Stopped},
    wire::fault::Fault,
};
use model::units::{Seconds, Timestamp};
use ports::metastore::Check;
use serde::{Deserialize, Serialize};

/// The key of the lease.
const PLACE: &str = "acm-lease";
/// For how long it is taken: so long does work rest after its holder was killed.
const GOOD_FOR: Seconds = Seconds(10);

/// Who holds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    holder: String,
    until: Timestamp,
}

/// One control's claim.
pub(super) struct Lease {
    me: String,
}

impl Lease {
    /// Nothing is held yet.
    pub fn new() -> Self {
        Self { me: crate::ids::uuid() }
    }

    /// Takes it, or takes it for longer; whether it is held now.
    ///
    /// # Errors
    /// `ServiceUnavailable` when the store does not answer.
    pub async fn hold(&self, control: &Control) -> Result<bool, Fault> {
        let (now, kept) = (control.now(), self.kept(control).await?);
        let mine = kept.as_ref().filter(|kept| kept.value.holder == self.me);
        if mine.is_some_and(|kept| kept.value.until > now + Seconds(GOOD_FOR.0 / 2)) {
            return Ok(true);
        }
        if mine.is_none() && kept.as_ref().is_some_and(|kept| kept.value.until > now) {
            return Ok(false);
        }
        let check = kept.map_or_else(|| Check::Absent(PLACE.into()), |kept| kept.unchanged());
        let record = Record { holder: self.me.clone(), until: now + GOOD_FOR };
        let mut change = Change::default();
        change.when(check, Otherwise::Again).put(PLACE.into(), &record)?;
        match change.commit(control.store()).await {
            Ok(_) => Ok(true),
            Err(Stopped::Again) => Ok(false),
            Err(Stopped::Refused(fault)) => Err(fault),
        }
    }

    /// Leaves it to others at once.
    pub async fn give_up(&self, control: &Control) {
        let Ok(Some(kept)) = self.kept(control).await else { return };
        if kept.value.holder == self.me {
            let mut change = Change::default();
            change.when(kept.unchanged(), Otherwise::Again).delete(PLACE.into());
            let _ = change.commit(control.store()).await;
        }
    }

    async fn kept(&self, control: &Control) -> Result<Option<Kept<Record>>, Fault> {
        store::get(control.store(), PLACE).await
    }
}
