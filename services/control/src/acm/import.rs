//! `ImportCertificate`, and certificates that come by other ways with their keys.

use super::{
    api::{decoded, found, new_id},
    card, pem, place,
    refusal::{Refusal, Settled},
    tags,
};
use crate::{
    control::Control,
    publish,
    store::{self, Change, Kept, Otherwise, Stopped},
    wire::fault::Fault,
};
use model::feed::Certificate;
use ports::metastore::Check;
use serde::Deserialize;
use serde_json::{Value, json};

/// Bounds of the API, in bytes.
const MOST_LEAF: usize = 32_768;
const MOST_KEY: usize = 8192;
const MOST_CHAIN: usize = 2 << 20;

/// The call's body.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Import {
    certificate: String,
    private_key: String,
    certificate_chain: Option<String>,
    certificate_arn: Option<String>,
    tags: Option<Vec<tags::Tag>>,
}

pub(super) async fn import(
    control: &Control,
    region: &str,
    wanted: Import,
) -> Result<Value, Refusal> {
    let chain = wanted.certificate_chain.as_deref();
    let chain = chain.map(|chain| decoded(chain, "CertificateChain", MOST_CHAIN)).transpose()?;
    let leaf = decoded(&wanted.certificate, "Certificate", MOST_LEAF)?;
    let key = decoded(&wanted.private_key, "PrivateKey", MOST_KEY)?;
    let checked = pem::check(&leaf, chain.as_deref(), &key, control.now());
    let checked = checked.map_err(Refusal::validation)?;
    let arn = match &wanted.certificate_arn {
        None => control.certificate_arn(region, &new_id()),
        Some(_) if wanted.tags.is_some() => {
            let message = "tags belong to the first import: use AddTagsToCertificate";
            return Err(Refusal::validation(message));
        }
        Some(arn) => arn.clone(),
    };
    let again = wanted.certificate_arn.is_some();
    let tags = wanted.tags.as_deref();
    let settled = store::settle(|| kept(control, &arn, &checked, again, tags)).await?;
    settled.end()?;
    Ok(json!({"CertificateArn": arn}))
}

async fn kept(
    control: &Control,
    arn: &str,
    checked: &pem::Checked,
    again: bool,
    tags: Option<&[tags::Tag]>,
) -> Result<Settled<()>, Stopped> {
    let id = super::id_of(arn).unwrap_or_default();
    let mut change = Change::default();
    let mut old = None;
    if again {
        old = match found(control, arn).await {
            Err(refusal) => return Settled::refused(refusal),
            Ok(whole) if whole.card.is_some() => return Settled::refused(requested()),
            Ok(whole) => whole.record,
        };
    } else if !card::take_room(control, &mut change, id).await? {
        return Settled::refused(Refusal::full(control));
    }
    if let Some(Err(refusal)) = tags.map(|tags| tags::attach(control, &mut change, id, tags)) {
        return Settled::refused(refusal);
    }
    put(control, &mut change, (id, arn), checked, old.as_ref()).await?;
    change.commit(control.store()).await?;
    Ok(Settled::Done(()))
}

fn requested() -> Refusal {
    let message =
        "the certificate was requested, and is renewed by itself: import to an ARN of its own";
    Refusal::validation(message)
}

/// Adds a certificate that has been checked to a change, in the place of an older one if there is
/// one: then the plans of all distributions that use it are made anew, and must stay right.
///
/// # Errors
/// Whatever the new certificate makes wrong with one of them.
pub(super) async fn put(
    control: &Control,
    change: &mut Change,
    (id, arn): (&str, &str),
    checked: &pem::Checked,
    old: Option<&Kept<Certificate>>,
) -> Result<Certificate, Stopped> {
    let new = record(control, id, arn, checked, old.map(|kept| &kept.value))?;
    let check = old.map_or_else(|| Check::Absent(place(id)), Kept::unchanged);
    change.when(check, Otherwise::Again).put(place(id), &new)?;
    if old.is_some() {
        publish::users_of_certificate(control, change, id, arn, super::facts(&new)).await?;
    }
    Ok(new)
}

fn record(
    control: &Control,
    id: &str,
    arn: &str,
    checked: &pem::Checked,
    old: Option<&Certificate>,
) -> Result<Certificate, Fault> {
    let now = control.now();
    Ok(Certificate {
        arn: arn.to_owned(),
        names: checked.facts.names.clone(),
        chain: checked.chain.clone(),
        key: control.seal(&place(id), &checked.key)?,
        not_before: checked.facts.not_before,
        not_after: checked.facts.not_after,
        created: old.map_or(now, |old| old.created),
        put: Some(now),
    })
}

/// Adds a certificate that was uploaded by way of another API to a change: checked, its key sealed,
/// served by edges once a plan names `arn`. `id` must be one that no other certificate has.
///
/// # Errors
/// A text for the user when it cannot be served.
pub fn upload(
    control: &Control,
    change: &mut Change,
    (id, arn): (&str, &str),
    (leaf, chain, key): (&str, Option<&str>, &str),
) -> Result<Certificate, Refusal> {
    let checked = pem::check(leaf, chain, key, control.now()).map_err(Refusal::validation)?;
    let new = record(control, id, arn, &checked, None)?;
    change.when(Check::Absent(place(id)), Otherwise::Again).put(place(id), &new)?;
    Ok(new)
}
