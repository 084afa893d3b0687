//! `DescribeCertificate` and `GetCertificate`: what there is to know of a certificate, but its key.

use super::{
    KIND,
    api::{ByArn, found},
    card::{Card, Method, Whole, bare, target},
    pem,
    refusal::Refusal,
};
use crate::{control::Control, publish, wire::fault::Fault};
use model::{
    feed::{CHALLENGE_LABEL, CHALLENGE_PATH, Certificate},
    units::Timestamp,
};
use serde_json::{Map, Value, json};

/// `GetCertificate`.
pub(super) async fn get(control: &Control, wanted: ByArn) -> Result<Value, Refusal> {
    let whole = found(control, &wanted.certificate_arn).await?;
    let record = whole.record.ok_or_else(Refusal::in_progress)?;
    let (leaf, rest) = pem::split(&record.value.chain).map_err(Fault::internal)?;
    let mut answer = Map::from_iter([("Certificate".to_owned(), Value::from(leaf))]);
    if !rest.is_empty() {
        answer.insert("CertificateChain".into(), rest.into());
    }
    Ok(answer.into())
}

/// `DescribeCertificate`.
pub(super) async fn describe(control: &Control, wanted: ByArn) -> Result<Value, Refusal> {
    let whole = found(control, &wanted.certificate_arn).await?;
    let users = publish::all_users_of(control, KIND, &whole.id, publish::MOST_USERS).await?;
    let users: Vec<_> = users.iter().map(|user| user_arn(control, user)).collect();
    let mut told = Map::from_iter([
        ("CertificateArn".to_owned(), json!(whole.arn())),
        ("CreatedAt".to_owned(), seconds(whole.created())),
        ("Status".to_owned(), json!(status(&whole, control.now()))),
        ("Type".to_owned(), json!(kind(&whole))),
        ("InUseBy".to_owned(), json!(users)),
        ("RenewalEligibility".to_owned(), json!(eligibility(&whole))),
        (
            "Options".to_owned(),
            json!({"Export": "DISABLED",
            "CertificateTransparencyLoggingPreference": "ENABLED"}),
        ),
    ]);
    if let Some(kept) = &whole.card {
        requested(control, &whole, &kept.value, &mut told);
    }
    if let Some(kept) = &whole.record {
        served(&whole, &kept.value, &mut told)?;
    }
    Ok(json!({"Certificate": told}))
}

/// Distributions are marked by their ids, others as `KIND:ID`.
fn user_arn(control: &Control, user: &str) -> String {
    match user.split_once(':') {
        Some((kind, id)) => control.arn(kind, id),
        None => control.distribution_arn(user),
    }
}

/// What stands in the certificate itself.
fn served(whole: &Whole, record: &Certificate, told: &mut Map<String, Value>) -> Result<(), Fault> {
    let facts = pem::leaf_facts(&record.chain).map_err(Fault::internal)?;
    if whole.card.is_none() {
        told.insert("DomainName".into(), json!(facts.names.first()));
        told.insert("SubjectAlternativeNames".into(), json!(facts.names));
        told.insert("ImportedAt".into(), seconds(record.put.unwrap_or(record.created)));
    }
    told.extend([
        ("Serial".to_owned(), json!(facts.serial)),
        ("Subject".to_owned(), json!(facts.subject)),
        ("Issuer".to_owned(), json!(facts.issuer)),
        ("NotBefore".to_owned(), seconds(record.not_before)),
        ("NotAfter".to_owned(), seconds(record.not_after)),
        ("KeyAlgorithm".to_owned(), json!(facts.key_algorithm)),
        ("SignatureAlgorithm".to_owned(), json!(facts.signature_algorithm)),
        ("KeyUsages".to_owned(), named(&facts.key_usages)),
        ("ExtendedKeyUsages".to_owned(), extended(&facts.extended_key_usages)),
    ]);
    Ok(())
}

fn named(names: &[&'static str]) -> Value {
    names.iter().map(|name| json!({"Name": name})).collect()
}

fn extended(usages: &[(&'static str, &'static str)]) -> Value {
    usages.iter().map(|(name, oid)| json!({"Name": name, "OID": oid})).collect()
}

/// How the request fares.
fn requested(control: &Control, whole: &Whole, card: &Card, told: &mut Map<String, Value>) {
    let proved = proved(whole, card);
    told.extend([
        ("DomainName".to_owned(), json!(card.names.first())),
        ("SubjectAlternativeNames".to_owned(), json!(card.names)),
        ("KeyAlgorithm".to_owned(), json!(card.key_algorithm)),
        ("DomainValidationOptions".to_owned(), options(control, card, proved)),
        ("CertificateKeyPairOrigin".to_owned(), json!("AWS_MANAGED")),
    ]);
    if let Some(at) = card.issued {
        told.insert("IssuedAt".into(), seconds(card.renewed.unwrap_or(at)));
    }
    if let Some(failure) = &card.failure {
        // Not in ACM's model, which has no room for an authority's own words; clients pass it by.
        told.insert("FailureMessage".into(), json!(failure.text));
    }
    if card.has_failed() {
        let reason = card.failure.as_ref().map(|failure| failure.reason.as_str());
        if let Some(reason) = reason.filter(|reason| *reason != TIMED_OUT) {
            told.insert("FailureReason".into(), json!(reason));
        }
    }
    if let Some(summary) = renewal(control, card) {
        told.insert("RenewalSummary".into(), summary);
    }
}

fn proved(whole: &Whole, card: &Card) -> &'static str {
    match (&whole.record, card.has_failed()) {
        (Some(_), _) => "SUCCESS",
        (None, true) => "FAILED",
        (None, false) => "PENDING_VALIDATION",
    }
}

/// What the user may set up so that names can be proved, for each of them.
fn options(control: &Control, card: &Card, status: &str) -> Value {
    let one = |name: &String| {
        let plain = bare(name);
        let mut told =
            json!({"DomainName": name, "ValidationDomain": plain, "ValidationStatus": status});
        let (key, value) = match card.method {
            Method::Dns => (
                "ResourceRecord",
                json!({
                    "Name": format!("{CHALLENGE_LABEL}.{plain}."), "Type": "CNAME",
                    "Value": format!("{}.", target(control, name)),
                }),
            ),
            Method::Http => (
                "HttpRedirect",
                json!({
                    "RedirectFrom": format!("http://{plain}{CHALLENGE_PATH}"),
                    "RedirectTo": format!("http://{}{CHALLENGE_PATH}", control.zone),
                }),
            ),
        };
        if let Some(told) = told.as_object_mut() {
            told.insert(key.into(), value);
            told.insert("ValidationMethod".into(), json!(card.method));
        }
        told
    };
    card.names.iter().map(one).collect()
}

fn renewal(control: &Control, card: &Card) -> Option<Value> {
    card.issued?;
    let failure = card.failure.as_ref();
    let (status, proved, at) = match (&card.work, failure, card.renewed) {
        (Some(work), None, _) => ("PENDING_AUTO_RENEWAL", "PENDING_VALIDATION", work.since),
        (Some(_), Some(failure), _) => ("PENDING_VALIDATION", "PENDING_VALIDATION", failure.at),
        (None, Some(failure), _) => ("FAILED", "FAILED", failure.at),
        (None, None, Some(renewed)) => ("SUCCESS", "SUCCESS", renewed),
        (None, None, None) => return None,
    };
    let mut summary = json!({
        "RenewalStatus": status,
        "DomainValidationOptions": options(control, card, proved),
        "UpdatedAt": seconds(at),
    });
    if let (Some(failure), Some(summary)) = (failure, summary.as_object_mut()) {
        summary.insert("RenewalStatusReason".into(), json!(failure.reason));
    }
    Some(summary)
}

/// `Status`.
pub(super) fn status(whole: &Whole, now: Timestamp) -> &'static str {
    match (&whole.record, &whole.card) {
        (Some(record), _) if record.value.not_after <= now => "EXPIRED",
        (Some(_), _) => "ISSUED",
        (None, Some(card)) if card.value.has_failed() => {
            let timed_out = card.value.failure.as_ref().is_some_and(|f| f.reason == TIMED_OUT);
            if timed_out { "VALIDATION_TIMED_OUT" } else { "FAILED" }
        }
        _ => "PENDING_VALIDATION",
    }
}

/// In place of a reason of ACM's, which has a status of its own for this.
pub(super) const TIMED_OUT: &str = "VALIDATION_TIMED_OUT";

/// `Type`.
pub(super) fn kind(whole: &Whole) -> &'static str {
    if whole.card.is_some() { "AMAZON_ISSUED" } else { "IMPORTED" }
}

/// `RenewalEligibility`.
pub(super) fn eligibility(whole: &Whole) -> &'static str {
    let issued = whole.card.is_some() && whole.record.is_some();
    if issued { "ELIGIBLE" } else { "INELIGIBLE" }
}

/// ACM's times are seconds with fractions.
pub(super) fn seconds(at: Timestamp) -> Value {
    json!(at.seconds())
}
