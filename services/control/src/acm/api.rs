//! The operations, in the JSON form that ACM's clients speak.
//!
//! Source: AWS Certificate Manager API reference.

use super::{
    KIND,
    card::{self, Whole},
    describe, import, list, place,
    refusal::{Refusal, Settled},
    request, tags,
};
use crate::{
    control::Control,
    ids, publish,
    sigv4::Authorised,
    store::{self, Change, Otherwise, key},
    wire::fault::Fault,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use model::feed::CHALLENGES;
use ports::metastore::Check;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// What stands before an operation's name in `X-Amz-Target`.
const TARGET: &str = "CertificateManager.";

/// A call of one of the operations.
#[derive(Debug)]
pub struct Call {
    /// The value of `X-Amz-Target`.
    pub target: String,
    /// The region that the credential is scoped to: that of ARNs that are made.
    pub region: String,
    /// The body.
    pub body: Bytes,
}

/// Does what the call asks.
///
/// # Errors
/// ACM's own; `UnknownOperationException` for operations that are not offered.
pub async fn serve(control: &Control, call: Authorised<Call>) -> Result<Value, Refusal> {
    let body = &call.body;
    match call.target.strip_prefix(TARGET).unwrap_or_default() {
        "ImportCertificate" => import::import(control, &call.region, read(body)?).await,
        "RequestCertificate" => request::request(control, &call.region, read(body)?).await,
        "RenewCertificate" => request::renew(control, read(body)?).await,
        "UpdateCertificateOptions" => request::options(control, read(body)?).await,
        "ListCertificates" => list::list(control, read(body)?).await,
        "DescribeCertificate" => describe::describe(control, read(body)?).await,
        "GetCertificate" => describe::get(control, read(body)?).await,
        "DeleteCertificate" => delete(control, read(body)?).await,
        "AddTagsToCertificate" => tags::add(control, read(body)?).await,
        "RemoveTagsFromCertificate" => tags::remove(control, read(body)?).await,
        "ListTagsForCertificate" => tags::list(control, read(body)?).await,
        "ExportCertificate" => refuse_export(control, read(body)?).await,
        "ResendValidationEmail" => refuse_email(control, read(body)?).await,
        _ => {
            let message = format!("this server does not offer {}", call.target);
            Err(Refusal::new("UnknownOperationException", message))
        }
    }
}

/// The ARN of a certificate alone.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ByArn {
    pub certificate_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Export {
    certificate_arn: String,
    #[serde(rename = "Passphrase")]
    _passphrase: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Email {
    certificate_arn: String,
    #[serde(rename = "Domain")]
    _domain: String,
    #[serde(rename = "ValidationDomain")]
    _validation_domain: String,
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            return Refusal::validation(error.to_string());
        }
        Refusal::new("SerializationException", error.to_string())
    })
}

/// A blob as text of at most so many bytes.
pub(super) fn decoded(blob: &str, what: &str, most: usize) -> Result<String, Refusal> {
    let wrong = |why: &str| Refusal::validation(format!("{what}: {why}"));
    let bytes = STANDARD.decode(blob).map_err(|_| wrong("a blob is base64"))?;
    if bytes.is_empty() || bytes.len() > most {
        return Err(wrong(&format!("1 to {most} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| wrong("a PEM file is text"))
}

/// The certificate of this ARN.
///
/// # Errors
/// `InvalidArnException` when it is no ARN of a certificate, `ResourceNotFoundException`.
pub(super) async fn found(control: &Control, arn: &str) -> Result<Whole, Refusal> {
    let mut parts = arn.splitn(6, ':');
    let beginning = (parts.next(), parts.next(), parts.next());
    if !matches!(beginning, (Some("arn"), Some(_), Some("acm"))) || super::id_of(arn).is_none() {
        let message = "CertificateArn must be an ARN of a certificate: \
                       arn:aws:acm:REGION:ACCOUNT:certificate/ID";
        return Err(Refusal::new("InvalidArnException", message));
    }
    let id = super::id_of(arn).unwrap_or_default();
    let whole = card::whole(control, id).await?;
    whole.filter(|whole| whole.arn() == arn).ok_or_else(Refusal::missing)
}

async fn refuse_export(control: &Control, wanted: Export) -> Result<Value, Refusal> {
    found(control, &wanted.certificate_arn).await?;
    Err(Refusal::validation("private keys never leave this server: keep the one that you imported"))
}

async fn refuse_email(control: &Control, wanted: Email) -> Result<Value, Refusal> {
    found(control, &wanted.certificate_arn).await?;
    let message =
        "names are proved by DNS or HTTP here, never by mail: there is none to send again";
    Err(Refusal::new("InvalidStateException", message))
}

async fn delete(control: &Control, wanted: ByArn) -> Result<Value, Refusal> {
    let settled = store::settle(|| async {
        let whole = match found(control, &wanted.certificate_arn).await {
            Ok(whole) => whole,
            Err(refusal) => return Settled::refused(refusal),
        };
        if is_used(control, &whole.id).await? {
            return Settled::refused(in_use());
        }
        let change = gone(control, &whole).await?;
        change.commit(control.store()).await?;
        Ok(Settled::Done(()))
    })
    .await?;
    settled.end()?;
    Ok(json!({}))
}

/// Whether a distribution uses it, or anything else.
pub(super) async fn is_used(control: &Control, id: &str) -> Result<bool, Fault> {
    Ok(!publish::all_users_of(control, KIND, id, 1).await?.is_empty())
}

fn in_use() -> Refusal {
    let message = "the certificate is in use: change what uses it first; DescribeCertificate names \
                   that under InUseBy";
    Refusal::new("ResourceInUseException", message)
}

/// All that belongs to a certificate, taken away. Whoever begins to use it meanwhile is not left
/// without: then it is looked at again.
async fn gone(control: &Control, whole: &Whole) -> Result<Change, Fault> {
    let id = &whole.id;
    let mut change = Change::default();
    change.when(Check::NoneUnder(key::users(KIND, id)), Otherwise::Again);
    if let Some(record) = &whole.record {
        change.when(record.unchanged(), Otherwise::Again).delete(place(id));
    }
    if let Some(kept) = &whole.card {
        change.when(kept.unchanged(), Otherwise::Again);
        change.delete(card::card(id)).delete(card::work(id));
    }
    let asked = control.store().list(&format!("{CHALLENGES}{id}/"), None, 1000).await?;
    for entry in asked {
        change.delete(entry.key);
    }
    change.delete(card::counted(id));
    change.delete(key::newest_user(KIND, id)).delete(key::resource_tags(KIND, id));
    Ok(change)
}

/// A new id.
pub(super) fn new_id() -> String {
    ids::uuid()
}
