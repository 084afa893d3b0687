//! The operations, in the JSON form that ACM's clients speak.
//!
//! Source: AWS Certificate Manager API reference.

use super::{KIND, find, pem, place};
use crate::{
    control::Control,
    ids, publish,
    sigv4::Authorised,
    store::{self, Change, Kept, Otherwise, Stopped, key},
    wire::{fault::Fault, page::MOST_ITEMS},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use model::{
    feed::{CERTIFICATES, Certificate},
    units::Timestamp,
};
use ports::metastore::Check;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// What stands before an operation's name in `X-Amz-Target`.
const TARGET: &str = "CertificateManager.";

/// An error in ACM's form.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// As ACM names it.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// For the caller.
    pub message: String,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, status: 400, message: message.into() }
    }

    fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    fn missing() -> Self {
        Self::new("ResourceNotFoundException", "no certificate has this ARN")
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self { code: fault.code.as_str(), status: fault.status(), message: fault.message }
    }
}

/// Does what the call asks: the value of `X-Amz-Target`, and the body.
///
/// # Errors
/// ACM's own; `UnknownOperationException` for operations that are not offered.
pub async fn serve(control: &Control, call: Authorised<(String, Bytes)>) -> Result<Value, Refusal> {
    let (target, body) = &*call;
    match target.strip_prefix(TARGET).unwrap_or_default() {
        "ImportCertificate" => import(control, read(body)?).await,
        "ListCertificates" => list(control, read(body)?).await,
        "DescribeCertificate" => describe(control, read(body)?).await,
        "GetCertificate" => get(control, read(body)?).await,
        "DeleteCertificate" => delete(control, read(body)?).await,
        _ => {
            let message = format!("this server does not offer {target}");
            Err(Refusal::new("UnknownOperationException", message))
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Import {
    certificate: String,
    private_key: String,
    certificate_chain: Option<String>,
    certificate_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ByArn {
    certificate_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct List {
    certificate_statuses: Option<Vec<String>>,
    #[serde(rename = "Includes")]
    _includes: Option<Value>,
    next_token: Option<String>,
    max_items: Option<usize>,
    #[serde(rename = "SortBy")]
    _sort_by: Option<Value>,
    #[serde(rename = "SortOrder")]
    _sort_order: Option<Value>,
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body)
        .map_err(|error| Refusal::new("SerializationException", error.to_string()))
}

async fn import(control: &Control, wanted: Import) -> Result<Value, Refusal> {
    let chain = wanted.certificate_chain.as_deref().map(decoded).transpose()?;
    let (leaf, key) = (decoded(&wanted.certificate)?, decoded(&wanted.private_key)?);
    let now = control.now();
    let checked = pem::check(&leaf, chain.as_deref(), &key, now).map_err(Refusal::validation)?;
    let id = match &wanted.certificate_arn {
        None => ids::uuid(),
        Some(arn) => {
            find(control, arn).await?.ok_or_else(Refusal::missing)?;
            super::id_of(arn).unwrap_or_default().to_owned()
        }
    };
    let new = Certificate {
        arn: control.certificate_arn(&id),
        names: checked.facts.names,
        chain: checked.chain,
        key: control.seal(&place(&id), &checked.key)?,
        not_before: checked.facts.not_before,
        not_after: checked.facts.not_after,
        created: now,
    };
    store::settle(|| keep(control, &id, &new, wanted.certificate_arn.is_some())).await?;
    Ok(json!({"CertificateArn": new.arn}))
}

/// Writes a certificate; when it replaces one, every distribution that uses it must stay right.
async fn keep(
    control: &Control,
    id: &str,
    new: &Certificate,
    replaces: bool,
) -> Result<(), Stopped> {
    let mut change = Change::default();
    let check = match find(control, &new.arn).await? {
        Some(old) => old.unchanged(),
        None if replaces => return Err(Stopped::Again),
        None => Check::Absent(place(id)),
    };
    change.when(check, Otherwise::Again).put(place(id), new)?;
    if replaces {
        publish::users_of_certificate(control, &mut change, id, super::facts(new)).await?;
    }
    change.commit(control.store()).await?;
    Ok(())
}

fn decoded(blob: &str) -> Result<String, Refusal> {
    let bytes = STANDARD.decode(blob).map_err(|_| Refusal::validation("a blob is no base64"))?;
    String::from_utf8(bytes).map_err(|_| Refusal::validation("a PEM file is text"))
}

async fn list(control: &Control, wanted: List) -> Result<Value, Refusal> {
    let issued = wanted.certificate_statuses.is_none_or(|all| all.iter().any(|s| s == "ISSUED"));
    let most = wanted.max_items.unwrap_or(MOST_ITEMS).clamp(1, MOST_ITEMS);
    let token = wanted.next_token.filter(|token| ids::is_plain(token));
    let after = token.map(|token| place(&token));
    // The authority's and the zone's own certificates stand among them and are not shown.
    let found: Vec<Kept<Certificate>> =
        store::list(control.store(), CERTIFICATES, after.as_deref(), most + 3).await?;
    let mut shown: Vec<_> =
        found.into_iter().filter(|kept| issued && !kept.value.arn.is_empty()).collect();
    let more = shown.len() > most;
    shown.truncate(most);
    let next = shown.last().filter(|_| more).and_then(|kept| super::id_of(&kept.value.arn));
    let next = next.map(str::to_owned);
    let mut summaries = Vec::new();
    for kept in shown {
        summaries.push(summary(control, &kept.value).await?);
    }
    let mut answer = json!({"CertificateSummaryList": summaries});
    if let (Some(next), Some(answer)) = (next, answer.as_object_mut()) {
        answer.insert("NextToken".into(), next.into());
    }
    Ok(answer)
}

async fn summary(control: &Control, certificate: &Certificate) -> Result<Value, Refusal> {
    let facts = pem::leaf_facts(&certificate.chain).map_err(Fault::internal)?;
    let id = super::id_of(&certificate.arn).unwrap_or_default();
    let used = !publish::users_of(control, KIND, id).await?.is_empty();
    Ok(json!({
        "CertificateArn": certificate.arn,
        "DomainName": facts.names.first(),
        "SubjectAlternativeNameSummaries": facts.names,
        "HasAdditionalSubjectAlternativeNames": false,
        "Status": status(certificate, control.now()),
        "Type": "IMPORTED",
        "KeyAlgorithm": facts.key_algorithm,
        "InUse": used,
        "NotBefore": seconds(certificate.not_before),
        "NotAfter": seconds(certificate.not_after),
        "CreatedAt": seconds(certificate.created),
        "ImportedAt": seconds(certificate.created),
    }))
}

async fn describe(control: &Control, wanted: ByArn) -> Result<Value, Refusal> {
    let kept = find(control, &wanted.certificate_arn).await?.ok_or_else(Refusal::missing)?;
    let certificate = kept.value;
    let facts = pem::leaf_facts(&certificate.chain).map_err(Fault::internal)?;
    let id = super::id_of(&certificate.arn).unwrap_or_default();
    let users = publish::users_of(control, KIND, id).await?;
    let users: Vec<_> = users.iter().map(|id| control.distribution_arn(id)).collect();
    Ok(json!({"Certificate": {
        "CertificateArn": certificate.arn,
        "DomainName": facts.names.first(),
        "SubjectAlternativeNames": facts.names,
        "Serial": facts.serial,
        "Subject": facts.subject,
        "Issuer": facts.issuer,
        "CreatedAt": seconds(certificate.created),
        "ImportedAt": seconds(certificate.created),
        "Status": status(&certificate, control.now()),
        "NotBefore": seconds(certificate.not_before),
        "NotAfter": seconds(certificate.not_after),
        "KeyAlgorithm": facts.key_algorithm,
        "InUseBy": users,
        "Type": "IMPORTED",
        "RenewalEligibility": "INELIGIBLE",
    }}))
}

async fn get(control: &Control, wanted: ByArn) -> Result<Value, Refusal> {
    let kept = find(control, &wanted.certificate_arn).await?.ok_or_else(Refusal::missing)?;
    let (leaf, rest) = pem::split(&kept.value.chain).map_err(Fault::internal)?;
    let mut answer = json!({"Certificate": leaf});
    if let (false, Some(answer)) = (rest.is_empty(), answer.as_object_mut()) {
        answer.insert("CertificateChain".into(), rest.into());
    }
    Ok(answer)
}

async fn delete(control: &Control, wanted: ByArn) -> Result<Value, Refusal> {
    let arn = wanted.certificate_arn;
    let old = find(control, &arn).await?.ok_or_else(Refusal::missing)?;
    let id = super::id_of(&arn).unwrap_or_default();
    if !publish::all_users_of(control, KIND, id, 1).await?.is_empty() {
        let message = "a distribution or tenant uses the certificate: change that first";
        return Err(Refusal::new("ResourceInUseException", message));
    }
    store::settle(|| async {
        let mut change = Change::default();
        let raced = Fault::new(
            model::api::ErrorCode::ResourceInUse,
            "a distribution has just begun to use the certificate",
        );
        change
            .when(Check::Present(old.key.clone()), Otherwise::Again)
            .when_or(Check::NoneUnder(key::users(KIND, id)), raced)
            .delete(old.key.clone())
            .delete(key::newest_user(KIND, id));
        change.commit(control.store()).await
    })
    .await?;
    Ok(json!({}))
}

fn status(certificate: &Certificate, now: Timestamp) -> &'static str {
    if certificate.not_after <= now { "EXPIRED" } else { "ISSUED" }
}

/// ACM's times are seconds with fractions.
fn seconds(at: Timestamp) -> Value {
    json!(at.seconds())
}
