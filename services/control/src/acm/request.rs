//! `RequestCertificate` and `RenewCertificate`: what is asked of the certificate authority. Getting
//! it is the work of `acme`.

use super::{
    api::{ByArn, found, new_id},
    card::{self, Card, Mark, Method, Work},
    refusal::{Refusal, Settled},
    tags,
};
use crate::{
    control::Control,
    sigv4::sha256_hex,
    store::{self, Change, Kept, Otherwise, Stopped},
};
use model::units::{Seconds, Timestamp};
use ports::metastore::Check;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Most names of one certificate, the first among them.
const MOST_NAMES: usize = 100;
/// For so long the same token means the same request (ACM API reference, `IdempotencyToken`).
const SAME_FOR: Seconds = Seconds(3600);
/// Kinds of keys that can be made, the first if nothing is said.
pub(super) const KEYS: [&str; 6] =
    ["RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"];

/// The call's body.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Request {
    domain_name: String,
    validation_method: Option<String>,
    subject_alternative_names: Option<Vec<String>>,
    #[serde(skip_serializing)]
    idempotency_token: Option<String>,
    domain_validation_options: Option<Vec<ValidationOption>>,
    options: Option<Options>,
    certificate_authority_arn: Option<String>,
    tags: Option<Vec<tags::Tag>>,
    key_algorithm: Option<String>,
    managed_by: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ValidationOption {
    domain_name: String,
    validation_domain: String,
}

/// `CertificateOptions`, ACM API reference.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Options {
    certificate_transparency_logging_preference: Option<String>,
    export: Option<String>,
    validation_method: Option<String>,
}

/// The body of `UpdateCertificateOptions`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Update {
    certificate_arn: String,
    options: Options,
}

/// Which certificate a token has led to: `acm-token/DIGEST`.
#[derive(Serialize, Deserialize)]
struct Token {
    arn: String,
    request: String,
    at: Timestamp,
}

pub(super) async fn request(
    control: &Control,
    region: &str,
    wanted: Request,
) -> Result<Value, Refusal> {
    if control.settings.acme.directory.is_none() {
        return Err(Refusal::parameter(
            "no certificate authority is set up here to ask: set acme.directory in the settings of \
             control to the URL of an ACME directory, or use ImportCertificate",
        ));
    }
    refuse_what_cannot_be(&wanted)?;
    let names = names(&wanted)?;
    let now = control.now();
    let id = new_id();
    let card = Card {
        arn: control.certificate_arn(region, &id),
        method: method(control, &wanted, &names)?,
        key_algorithm: key_algorithm(wanted.key_algorithm.as_deref())?,
        names,
        created: now,
        issued: None,
        renewed: None,
        renew_at: None,
        consulted: None,
        work: Some(Work::new(now)),
        failure: None,
    };
    let settled = store::settle(|| begun(control, &id, &card, &wanted)).await?;
    control.issuing.notify_one();
    Ok(json!({"CertificateArn": settled.end()?}))
}

/// Writes the request down; the ARN, which is that of an earlier one with the same token.
async fn begun(
    control: &Control,
    id: &str,
    new: &Card,
    wanted: &Request,
) -> Result<Settled<String>, Stopped> {
    let mut change = Change::default();
    if let Some(token) = &wanted.idempotency_token {
        let place = format!("acm-token/{}", sha256_hex(token.as_bytes()));
        let text = serde_json::to_string(wanted).map_err(crate::wire::fault::Fault::internal)?;
        let known: Option<Kept<Token>> = store::get(control.store(), &place).await?;
        let fresh = |kept: &&Kept<Token>| control.now().since(kept.value.at) < SAME_FOR;
        if let Some(kept) = known.as_ref().filter(fresh) {
            if kept.value.request == text {
                return Ok(Settled::Done(kept.value.arn.clone()));
            }
            let message = "IdempotencyToken was used for another request within the last hour";
            return Settled::refused(Refusal::parameter(message));
        }
        let check = known.map_or_else(|| Check::Absent(place.clone()), |kept| kept.unchanged());
        let token = Token { arn: new.arn.clone(), request: text, at: control.now() };
        change.when(check, Otherwise::Again).put(place, &token)?;
    }
    if let Some(Err(refusal)) =
        wanted.tags.as_deref().map(|tags| tags::attach(control, &mut change, id, tags))
    {
        return Settled::refused(refusal);
    }
    if !card::take_room(control, &mut change, id).await? {
        return Settled::refused(Refusal::full(control));
    }
    change.when(Check::Absent(card::card(id)), Otherwise::Again).put(card::card(id), new)?;
    if let Some(mark) = Mark::of(new) {
        change.put(card::work(id), &mark)?;
    }
    change.commit(control.store()).await?;
    Ok(Settled::Done(new.arn.clone()))
}

/// What ACM can do and this server cannot, each by its name.
fn refuse_what_cannot_be(wanted: &Request) -> Result<(), Refusal> {
    if wanted.certificate_authority_arn.is_some() {
        let message = "CertificateAuthorityArn: there is no private authority here; leave it out";
        return Err(Refusal::parameter(message));
    }
    if wanted.managed_by.is_some() {
        return Err(Refusal::parameter("ManagedBy: certificates are managed by who requests them"));
    }
    let odd = |one: &ValidationOption| one.domain_name != one.validation_domain;
    if wanted.domain_validation_options.iter().flatten().any(odd) {
        let message = "DomainValidationOptions: names are not proved by mail here, so that a name is \
                       its own ValidationDomain";
        return Err(Refusal::new("InvalidDomainValidationOptionsException", message));
    }
    let token = wanted.idempotency_token.as_deref();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if token.is_some_and(|text| !(1..=32).contains(&text.len()) || !text.bytes().all(plain)) {
        let message = "IdempotencyToken has 1 to 32 letters, digits and _";
        return Err(Refusal::parameter(message));
    }
    wanted.options.as_ref().map_or(Ok(()), refuse_options)
}

fn refuse_options(options: &Options) -> Result<(), Refusal> {
    let logging = options.certificate_transparency_logging_preference.as_deref();
    if logging.is_some_and(|preference| preference != "ENABLED") {
        let message = "CertificateTransparencyLoggingPreference: the certificate authority decides \
                       on logging; it can only be ENABLED here";
        return Err(Refusal::parameter(message));
    }
    if options.export.as_deref().is_some_and(|export| export != "DISABLED") {
        let message = "Export: private keys never leave this server; it can only be DISABLED";
        return Err(Refusal::parameter(message));
    }
    if options.validation_method.is_some() {
        let message = "Options.ValidationMethod: give ValidationMethod with the request";
        return Err(Refusal::parameter(message));
    }
    Ok(())
}

/// `UpdateCertificateOptions`: there is one state of them, which may be asked for.
pub(super) async fn options(control: &Control, wanted: Update) -> Result<Value, Refusal> {
    found(control, &wanted.certificate_arn).await?;
    refuse_options(&wanted.options)
        .map_err(|refusal| Refusal::new("InvalidStateException", refusal.message))?;
    Ok(json!({}))
}

fn names(wanted: &Request) -> Result<Vec<String>, Refusal> {
    let mut names: Vec<String> = Vec::new();
    let more = wanted.subject_alternative_names.iter().flatten();
    for name in std::iter::once(&wanted.domain_name).chain(more) {
        let name = name.to_ascii_lowercase();
        if !is_name(&name) {
            let message = format!("{name:?} is no domain name: www.example.com or *.example.com");
            return Err(Refusal::parameter(message));
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() > MOST_NAMES {
        let message = format!("a certificate has at most {MOST_NAMES} names");
        return Err(Refusal::new("LimitExceededException", message));
    }
    Ok(names)
}

/// Two labels or more of letters, digits and hyphens, of which the first may be `*`.
pub(super) fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(fine)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let rest = card::bare(name);
    name.len() <= 253 && rest.contains('.') && rest.split('.').all(label)
}

fn method(control: &Control, wanted: &Request, names: &[String]) -> Result<Method, Refusal> {
    let wildcard = names.iter().find(|name| name.starts_with("*."));
    match (wanted.validation_method.as_deref(), wildcard) {
        (Some("DNS"), _) | (None, Some(_)) => Ok(Method::Dns),
        (Some("HTTP"), None) => Ok(Method::Http),
        (Some("HTTP"), Some(name)) => Err(Refusal::parameter(format!(
            "ValidationMethod HTTP cannot prove {name}: certificate authorities prove wildcards by \
             DNS only"
        ))),
        (None, None) => {
            let first = control.settings.acme.challenges.first();
            Ok(if first.is_some_and(|one| one == "dns-01") { Method::Dns } else { Method::Http })
        }
        (Some(_), _) => Err(Refusal::parameter(
            "ValidationMethod is DNS or HTTP: names are not proved by mail here",
        )),
    }
}

fn key_algorithm(wanted: Option<&str>) -> Result<String, Refusal> {
    let wanted = wanted.unwrap_or("RSA_2048");
    if KEYS.contains(&wanted) {
        return Ok(wanted.to_owned());
    }
    Err(Refusal::parameter(format!("KeyAlgorithm is one of {}", KEYS.join(", "))))
}

/// `RenewCertificate`: at once, instead of when its time has come.
pub(super) async fn renew(control: &Control, wanted: ByArn) -> Result<Value, Refusal> {
    let settled = store::settle(|| async {
        let whole = match found(control, &wanted.certificate_arn).await {
            Ok(whole) => whole,
            Err(refusal) => return Settled::refused(refusal),
        };
        let Some(kept) = whole.card else {
            let message = "the certificate was imported: import the next one to the same ARN";
            return Settled::refused(Refusal::validation(message));
        };
        if kept.value.work.is_some() || whole.record.is_none() {
            return Settled::refused(Refusal::in_progress());
        }
        let mut new = kept.value.clone();
        new.work = Some(Work::new(control.now()));
        new.failure = None;
        let mut change = Change::default();
        card::put(&mut change, &kept, &new)?;
        change.commit(control.store()).await?;
        Ok(Settled::Done(()))
    })
    .await?;
    settled.end()?;
    control.issuing.notify_one();
    Ok(json!({}))
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_are_told_from_what_is_none() {
        for good in ["www.example.com", "*.example.com", "a-b.c0", "xn--bcher-kva.example"] {
            assert!(is_name(good), "{good}");
        }
        let long = format!("{}.example", "a".repeat(64));
        for bad in
            ["", "com", "*", "*.com.*", "a.*.com", "-a.com", "a-.com", "a..b", "a_b.c", &long]
        {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
