//! The two forms of a signature: the `Authorization` header and the presigned query.

use super::{Request, asymmetric, scheme::Scheme};
use crate::wire::fault::{Common, Fault};
use model::units::{Seconds, Timestamp};
use time::{PrimitiveDateTime, macros::format_description};

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
pub(super) const TERMINATOR: &str = "aws4_request";
/// Longest life of a presigned query.
const MOST_EXPIRES: u64 = 7 * 86_400;
/// Most headers that a signature may cover.
const MOST_SIGNED: usize = 64;

/// The services that this API answers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The management API.
    CloudFront,
    /// Certificates.
    Acm,
    /// Users and access keys.
    Iam,
    /// Who am I.
    Sts,
    /// The contents of key value stores.
    KeyValueStore,
    /// What was asked of this server.
    CloudTrail,
}

impl Service {
    const ALL: [Self; 6] =
        [Self::CloudFront, Self::Acm, Self::Iam, Self::Sts, Self::KeyValueStore, Self::CloudTrail];

    /// As it stands in a credential scope.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CloudFront => "cloudfront",
            Self::Acm => "acm",
            Self::Iam => "iam",
            Self::Sts => "sts",
            Self::KeyValueStore => "cloudfront-keyvaluestore",
            Self::CloudTrail => "cloudtrail",
        }
    }
}

/// What a caller claims by signing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub scheme: Scheme,
    pub key_id: String,
    /// `20260131`.
    pub date: String,
    /// Any: this server is in all regions.
    pub region: String,
    pub service: Service,
    /// Names of the signed headers, lower case, sorted, as given.
    pub signed: Vec<String>,
    /// Hexadecimal.
    pub signature: String,
    /// `20260131T235959Z`.
    pub stamp: String,
    pub at: Timestamp,
    /// Presigned form only.
    pub expires: Option<Seconds>,
}

/// Reads whichever form there is.
///
/// # Errors
/// `MissingAuthenticationToken` when there is none, `IncompleteSignature` when parts are missing.
pub(super) fn claim(request: &Request<'_>) -> Result<Claim, Fault> {
    let claim = match request.header("authorization") {
        Some(header) => in_header(request, header)?,
        None if request.query.get("X-Amz-Algorithm").is_some() => in_query(request)?,
        None => return Err(unsigned()),
    };
    no_session(request)?;
    covers(request, &claim)?;
    Ok(claim)
}

fn unsigned() -> Fault {
    let message = "the request is not signed: give the client an access key (see `nearfront env`)";
    Fault::common(Common::MissingAuthenticationToken, message)
}

pub(super) fn incomplete(message: impl Into<String>) -> Fault {
    Fault::common(Common::IncompleteSignature, message)
}

fn in_header(request: &Request<'_>, header: &str) -> Result<Claim, Fault> {
    let (algorithm, rest) = header.split_once(' ').unwrap_or((header, ""));
    let scheme = Scheme::named(algorithm)?;
    let part = |name: &str| {
        let parts = rest.split(',').filter_map(|part| part.trim().split_once('='));
        let mut found = parts.filter(|(key, _)| *key == name).map(|(_, value)| value);
        match (found.next(), found.next()) {
            (Some(value), None) => Ok(value),
            _ => Err(incomplete(format!("Authorization must have one {name}"))),
        }
    };
    let stamp = request
        .header("x-amz-date")
        .ok_or_else(|| incomplete("the header X-Amz-Date is missing"))?;
    let regions = request.header(asymmetric::REGION_SET);
    let scope = scheme.scope(part("Credential")?, regions)?;
    parts(scheme, scope, part("SignedHeaders")?, part("Signature")?, stamp, None)
}

fn in_query(request: &Request<'_>) -> Result<Claim, Fault> {
    let part = |name: &str| {
        let mut found = request.query.0.iter().filter(|(key, _)| key == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Ok(value.as_str()),
            _ => Err(incomplete(format!("the query must have one {name}"))),
        }
    };
    let scheme = Scheme::named(part("X-Amz-Algorithm")?)?;
    let expires = part("X-Amz-Expires")?
        .parse()
        .ok()
        .filter(|seconds| (1..=MOST_EXPIRES).contains(seconds))
        .ok_or_else(|| incomplete(format!("X-Amz-Expires must be 1 to {MOST_EXPIRES}")))?;
    let scope = scheme.scope(part("X-Amz-Credential")?, part("X-Amz-Region-Set").ok())?;
    let signed = part("X-Amz-SignedHeaders")?;
    let signature = part("X-Amz-Signature")?;
    parts(scheme, scope, signed, signature, part("X-Amz-Date")?, Some(Seconds(expires)))
}

fn parts(
    scheme: Scheme,
    [key_id, date, region, service]: [&str; 4],
    signed: &str,
    signature: &str,
    stamp: &str,
    expires: Option<Seconds>,
) -> Result<Claim, Fault> {
    let at = moment(stamp)?;
    if !stamp.starts_with(date) {
        let message = "the date in the credential's scope is not that of X-Amz-Date";
        return Err(Fault::common(Common::SignatureDoesNotMatch, message));
    }
    let service = known(service)?;
    scheme.check(service, signature)?;
    Ok(Claim {
        scheme,
        key_id: key_id.to_owned(),
        date: date.to_owned(),
        region: region.to_owned(),
        service,
        signed: signed.split(';').map(str::to_owned).collect(),
        signature: signature.to_owned(),
        stamp: stamp.to_owned(),
        at,
        expires,
    })
}

/// `KEY/20260131/REGION/SERVICE/aws4_request`.
pub(super) fn scope(credential: &str) -> Result<[&str; 4], Fault> {
    let parts: Vec<&str> = credential.split('/').collect();
    match parts.as_slice() {
        &[key_id, date, region, service, TERMINATOR]
            if !key_id.is_empty() && !region.is_empty() && date.len() == 8 =>
        {
            Ok([key_id, date, region, service])
        }
        _ => Err(incomplete(format!("Credential must be KEY/DATE/REGION/SERVICE/{TERMINATOR}"))),
    }
}

fn known(service: &str) -> Result<Service, Fault> {
    Service::ALL.into_iter().find(|one| one.as_str() == service).ok_or_else(|| {
        let message = "the credential must be scoped to the service cloudfront, acm, iam, sts, \
                       cloudtrail or cloudfront-keyvaluestore";
        Fault::common(Common::SignatureDoesNotMatch, message)
    })
}

fn moment(stamp: &str) -> Result<Timestamp, Fault> {
    let form = format_description!("[year][month][day]T[hour][minute][second]Z");
    let wrong = || incomplete("X-Amz-Date must look like 20260131T235959Z");
    let time = PrimitiveDateTime::parse(stamp, form).map_err(|_| wrong())?;
    let seconds = u64::try_from(time.assume_utc().unix_timestamp()).map_err(|_| wrong())?;
    Ok(Timestamp(seconds.saturating_mul(1000)))
}

/// Session tokens belong to temporary keys, which this server does not give out.
fn no_session(request: &Request<'_>) -> Result<(), Fault> {
    let header = request.header("x-amz-security-token");
    if header.or(request.query.get("X-Amz-Security-Token")).is_none_or(str::is_empty) {
        return Ok(());
    }
    let message = "session tokens are not given out here: use a key from `nearfront env`";
    Err(Fault::common(Common::InvalidClientTokenId, message))
}

/// Headers that begin so mean something here.
const MEANT: [&str; 2] = ["x-amz-", "x-nearfront-"];

/// The host and every header that means something must be signed: nobody between shall make a dry
/// run of a write.
fn covers(request: &Request<'_>, claim: &Claim) -> Result<(), Fault> {
    let signed = |name: &str| claim.signed.iter().any(|one| one == name);
    let sorted = claim.signed.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
    if claim.signed.len() > MOST_SIGNED || !sorted {
        return Err(incomplete("SignedHeaders must be sorted, each name once, at most 64"));
    }
    if !signed("host") {
        return Err(incomplete("SignedHeaders must name host"));
    }
    let is_meant = |name: &str| MEANT.iter().any(|start| name.starts_with(start));
    let mut meant = request.headers.iter().filter(|(name, _)| is_meant(name));
    match meant.find(|(name, _)| !signed(name)) {
        None => Ok(()),
        Some((name, _)) => {
            let message = format!("the header {name} is there, but not signed");
            Err(Fault::common(Common::SignatureDoesNotMatch, message))
        }
    }
}
