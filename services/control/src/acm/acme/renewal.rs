//! When certificates are renewed: when the authority says so (RFC 9773), or when a third of their
//! life is left.

use super::{Trouble, order};
use crate::{
    acm::{
        card::{CARDS, Card, Work},
        list::every,
        place,
    },
    control::Control,
    store::{self, Kept},
};
use instant_acme::{Account, CertificateIdentifier};
use model::{
    feed::Certificate,
    units::{Seconds, Timestamp},
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use std::collections::BTreeSet;

/// How often the authority is asked for each certificate.
const CONSULT_EVERY: Seconds = Seconds(6 * 3600);

/// What a look at cards brought.
#[derive(Default)]
pub(super) struct Due {
    /// Those that the authority is to be asked about.
    pub to_consult: Vec<Kept<Card>>,
    /// When the next one is to be renewed; none: nothing is known of any.
    pub next: Option<Timestamp>,
}

/// Begins the renewal of every certificate whose time has come.
pub(super) async fn sweep(control: &Control) -> Result<Due, Trouble> {
    let mut due = Due::default();
    for kept in every::<Card>(control, CARDS).await? {
        due.add(control, kept).await?;
    }
    Ok(due)
}

/// The same, of these cards alone.
pub(super) async fn look(control: &Control, cards: &BTreeSet<String>) -> Result<Due, Trouble> {
    let mut due = Due::default();
    for key in cards {
        if let Some(kept) = store::get(control.store(), key).await? {
            due.add(control, kept).await?;
        }
    }
    Ok(due)
}

impl Due {
    async fn add(&mut self, control: &Control, kept: Kept<Card>) -> Result<(), Trouble> {
        let now = control.now();
        let renew_at = kept.value.renew_at.filter(|_| kept.value.work.is_none());
        let Some(at) = renew_at else { return Ok(()) };
        if at <= now {
            let mut new = kept.value.clone();
            new.work = Some(Work::new(now));
            order::put(control, &kept, new).await?;
            return Ok(());
        }
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
        if kept.value.consulted.is_none_or(|last| now.since(last) >= CONSULT_EVERY) {
            self.to_consult.push(kept);
        }
        Ok(())
    }
}

/// Asks the authority when a certificate should be renewed. One that does not know leaves it at that
/// which was decided when the certificate came.
pub(super) async fn consult(
    control: &Control,
    account: &Account,
    kept: Kept<Card>,
) -> Result<(), Trouble> {
    let id = kept.key.strip_prefix(CARDS).unwrap_or_default();
    let record: Option<Kept<Certificate>> = store::get(control.store(), &place(id)).await?;
    let mut new = kept.value.clone();
    new.consulted = Some(control.now());
    let came = new.renewed.or(new.issued).unwrap_or_default();
    if let Some(record) = record
        && let Some(at) = suggested(account, &record.value, came).await
    {
        new.renew_at = Some(at);
    }
    order::put(control, &kept, new).await?;
    Ok(())
}

/// Some moment of the window that the authority suggests (RFC 9773 §4.2), within the life of the
/// certificate.
async fn suggested(
    account: &Account,
    certificate: &Certificate,
    came: Timestamp,
) -> Option<Timestamp> {
    let leaf = CertificateDer::from_pem_slice(certificate.chain.as_bytes()).ok()?;
    let id = CertificateIdentifier::try_from(&leaf).ok()?;
    let (info, _) = account.renewal_info(&id).await.ok()?;
    let moment = |at: time::OffsetDateTime| {
        u64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok().map(Timestamp)
    };
    let window = info.suggested_window;
    let (start, end) = (moment(window.start)?, moment(window.end)?);
    let chosen = start.0 + rand::random_range(0..=end.0.saturating_sub(start.0));
    let Certificate { not_before, not_after, .. } = *certificate;
    let last = order::renew_at(not_before, not_after, came);
    let within = Timestamp(chosen.min(last.0.max(start.0)));
    Some(within.max(order::rested(not_before, not_after, came)))
}
