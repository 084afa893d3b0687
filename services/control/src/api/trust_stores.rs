//! Trust stores: the authorities whose certificates viewers may show.
//!
//! A store's bundle is read from S3 when the store is made or changed, checked as a whole, and kept;
//! what happens to the file afterwards changes nothing.
//! Not for: checking viewers' certificates, which edges do.
//!
//! Source: CloudFront developer guide, "Mutual TLS authentication with CloudFront", "Quotas".

mod bundle;

use super::{
    resource::{self, Kind, Known, Record, Which},
    tags,
};
use crate::{
    control::Control,
    ids,
    objects::{Place, Unread},
    sigv4::Authorised,
    wire::{
        call::Call,
        etag,
        fault::{Common, Fault},
        page::Wanted,
        reply::{Answer, Reply},
    },
};
use model::api::{
    CaCertificatesBundleS3Location, CaCertificatesBundleSource, CreateTrustStoreRequest, ErrorCode,
    ListTrustStoresRequest, ListTrustStoresResult, OperationName as Name, TrustStore,
    TrustStoreStatus, TrustStoreSummary,
};
use planning::{Faults, Quota, functions};
use serde::{Deserialize, Serialize};

/// A trust store as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trusted {
    /// Cannot be changed.
    pub name: String,
    /// Where the bundle was read.
    pub source: CaCertificatesBundleS3Location,
    /// The authorities' certificates: PEM, nothing else in between.
    pub bundle: String,
    /// How many there are.
    pub certificates: usize,
    /// Whether edges shall ask the authority that a viewer's certificate names.
    pub ask_authorities: bool,
}

/// Trust stores as a kind.
pub struct TrustStores;

impl Kind for TrustStores {
    type Config = Trusted;
    const NAME: &'static str = "trust-store";
    const MISSING: ErrorCode = ErrorCode::EntityNotFound;
    const EXISTS: ErrorCode = ErrorCode::EntityAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::CannotDeleteEntityWhileInUse;
    const TOO_MANY: ErrorCode = ErrorCode::EntityLimitExceeded;
    const QUOTA: Quota = Quota::TrustStores;
    const TOO_MANY_USERS: ErrorCode = ErrorCode::EntityLimitExceeded;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Name(&config.name)
    }

    fn check(config: &Self::Config) -> Result<(), Faults> {
        let mut faults = Faults::default();
        functions::check_name(&mut faults, &config.name);
        faults.into_result()
    }

    fn new_id() -> String {
        ids::prefixed("ts")
    }
}

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::CreateTrustStore => create(control, call).await,
        Name::GetTrustStore => get(control, call).await,
        Name::ListTrustStores => list(control, call).await,
        Name::UpdateTrustStore => update(control, call).await,
        Name::DeleteTrustStore => delete(control, call).await,
        _ => return None,
    })
}

async fn create(control: &Control, call: &Call) -> Answer {
    let asked: CreateTrustStoreRequest = call.body()?;
    let mut faults = Faults::default();
    functions::check_name(&mut faults, &asked.name);
    faults.into_result()?;
    let source = location(asked.ca_certificates_bundle_source)?;
    let (bundle, certificates) = read(control, &source).await?;
    let ask_authorities = asked.use_client_certificate_ocsp_endpoint.unwrap_or(false);
    let trusted = Trusted { name: asked.name, source, bundle, certificates, ask_authorities };
    let made = resource::create_with::<TrustStores>(control, trusted, |change, record| {
        tags::attach(control, change, TrustStores::NAME, &record.id, asked.tags.as_ref())
    });
    let record = made.await?;
    let path = format!("/trust-store/{}", record.id);
    Ok(answer(control, call, record)?.located(call, &path))
}

async fn get(control: &Control, call: &Call) -> Answer {
    let identifier = call.param("Identifier")?;
    answer(control, call, resource::identified::<TrustStores>(control, identifier).await?)
}

async fn update(control: &Control, call: &Call) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    let ask_authorities = flag(call.header("useclientcertificateocspendpoint"))?;
    let source = if call.body.is_empty() { None } else { Some(location(call.body()?)?) };
    if source.is_none() && ask_authorities.is_none() {
        let message = "nothing to change: send CaCertificatesBundleSource, or \
                       UseClientCertificateOCSPEndpoint, or both";
        return Err(invalid(message));
    }
    // Looked at before the file is read, and again when the change is written.
    etag::check(tag, &resource::find::<TrustStores>(control, id).await?.etag)?;
    let read = match source {
        Some(source) => {
            let (bundle, certificates) = read(control, &source).await?;
            Some((source, bundle, certificates))
        }
        None => None,
    };
    let changed = resource::change::<TrustStores>(control, id, |mut record| {
        etag::check(tag, &record.etag)?;
        (record.etag, record.modified) = (ids::entity(), control.now());
        let trusted = &mut record.config;
        trusted.ask_authorities = ask_authorities.unwrap_or(trusted.ask_authorities);
        if let Some(read) = read.clone() {
            (trusted.source, trusted.bundle, trusted.certificates) = read;
        }
        Ok(record)
    });
    answer(control, call, changed.await?)
}

async fn delete(control: &Control, call: &Call) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    resource::delete::<TrustStores>(control, id, tag).await?;
    Ok(Reply::empty(call))
}

async fn list(control: &Control, call: &Call) -> Answer {
    let asked: ListTrustStoresRequest = call.body_or_default()?;
    let most = asked.max_items.map(|most| most.to_string());
    let wanted = Wanted::of(asked.marker.as_deref(), most.as_deref())?;
    let page = resource::page::<TrustStores>(control, &wanted, Which::Custom).await?;
    let found = page.items.into_iter().flatten();
    let found = found.map(|(_, record)| summary(control, record)).collect();
    let shown = ListTrustStoresResult { next_marker: page.next, trust_store_list: Some(found) };
    Reply::shape(call, &shown)
}

/// Where the bundle is, in S3's own terms.
fn location(source: CaCertificatesBundleSource) -> Result<CaCertificatesBundleS3Location, Fault> {
    let Some(place) = source.ca_certificates_bundle_s3_location else {
        let message = "CaCertificatesBundleSource: CaCertificatesBundleS3Location is missing";
        return Err(Fault::common(Common::MalformedXml, message));
    };
    let mut faults = Faults::default();
    let mut add = |member: &str, fine: bool, rule: &str| {
        if !fine {
            let path = format!("CaCertificatesBundleS3Location.{member}");
            faults.add(path, ErrorCode::InvalidArgument, rule);
        }
    };
    add("Bucket", (3..=63).contains(&place.bucket.len()), "a bucket's name has 3 to 63 characters");
    add("Key", (1..=1024).contains(&place.key.len()), "a key has 1 to 1024 bytes");
    add("Region", is_region(&place.region), "must be a region: us-east-1");
    let version = place.version.as_deref().is_none_or(|one| (1..=1024).contains(&one.len()));
    add("Version", version, "a version has 1 to 1024 characters; leave it out for the newest");
    faults.into_result()?;
    Ok(place)
}

/// Two letters, a word, a digit (CloudFront API reference, `CaCertificatesBundleS3Location`).
fn is_region(text: &str) -> bool {
    let lower = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase());
    match text.split('-').collect::<Vec<_>>().as_slice() {
        [place, word, number] => {
            let digit = number.len() == 1 && number.bytes().all(|b| b.is_ascii_digit());
            text.len() <= 32 && place.len() == 2 && lower(place) && lower(word) && digit
        }
        _ => false,
    }
}

/// The bundle, and how many certificates are in it.
async fn read(
    control: &Control,
    source: &CaCertificatesBundleS3Location,
) -> Result<(String, usize), Fault> {
    let place = Place {
        bucket: source.bucket.clone(),
        key: source.key.clone(),
        region: Some(source.region.clone()),
        version: source.version.clone(),
    };
    let file =
        control.objects.read(&place, bundle::MOST_BYTES).await.map_err(|why| not_read(&why))?;
    bundle::check(&file).map_err(|why| invalid(format!("the bundle: {why}")))
}

fn not_read(why: &Unread) -> Fault {
    let message = why.to_string();
    match why {
        Unread::Missing(_) => Fault::new(ErrorCode::EntityNotFound, message),
        Unread::NotConfigured(_) | Unread::Refused(_) => invalid(message),
        Unread::Unreachable(_) => Fault::common(Common::ServiceUnavailable, message),
    }
}

fn flag(text: Option<&str>) -> Result<Option<bool>, Fault> {
    match text {
        None | Some("") => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(invalid("UseClientCertificateOCSPEndpoint must be true or false")),
    }
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(ErrorCode::InvalidArgument, message)
}

fn count(trusted: &Trusted) -> i32 {
    i32::try_from(trusted.certificates).unwrap_or(i32::MAX)
}

fn summary(control: &Control, record: Record<Trusted>) -> TrustStoreSummary {
    TrustStoreSummary {
        arn: control.arn(TrustStores::NAME, &record.id),
        last_modified_time: record.modified_iso(),
        number_of_ca_certificates: count(&record.config),
        name: record.config.name,
        id: record.id,
        status: TrustStoreStatus::Active,
        reason: None,
        e_tag: record.etag,
    }
}

fn answer(control: &Control, call: &Call, record: Record<Trusted>) -> Answer {
    let shown = TrustStore {
        arn: Some(control.arn(TrustStores::NAME, &record.id)),
        last_modified_time: Some(record.modified_iso()),
        number_of_ca_certificates: Some(count(&record.config)),
        use_client_certificate_ocsp_endpoint: Some(record.config.ask_authorities),
        name: Some(record.config.name),
        id: Some(record.id),
        status: Some(TrustStoreStatus::Active),
        reason: None,
    };
    Ok(Reply::shape(call, &shown)?.tagged(&record.etag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_what_the_models_pattern_says() {
        for good in ["us-east-1", "eu-west-2", "ap-southeast-1"] {
            assert!(is_region(good), "{good}");
        }
        for wrong in ["", "us-east", "us-east-", "us-east-12", "US-EAST-1", "usa-east-1", "us--1"] {
            assert!(!is_region(wrong), "{wrong}");
        }
    }
}
