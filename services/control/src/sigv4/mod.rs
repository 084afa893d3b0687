//! Who calls: AWS Signature Version 4 and 4A, in headers or in a presigned query.
//!
//! For: making [`Authorised`], which every handler wants and nothing else can make.
//! Not for: what a caller may do (`access`).
//!
//! Source: AWS Signature Version 4, "Create a signed AWS API request".

mod asymmetric;
mod authorised;
mod canonical;
mod form;
mod keys;
#[cfg(test)]
mod laws;
mod remembered;
mod scheme;

pub use authorised::{Authorised, Proof};
pub use canonical::{normal_path, sha256_hex};
pub use form::Service;
pub(crate) use keys::PREFIX;
pub use keys::{AccessKeyRecord, Holder, Keys, is_key_id};
pub(crate) use remembered::Remembered;

use crate::wire::{
    call::Query,
    fault::{Common, Fault},
};
use aws_lc_rs::hmac;
use form::Claim;
use model::units::{Seconds, Timestamp};
use scheme::Scheme;

/// How far the caller's clock may be off.
const MOST_SKEW: Seconds = Seconds(300);

/// A request as it came over the wire.
#[derive(Debug)]
pub struct Request<'a> {
    /// HTTP method, upper case.
    pub method: &'a str,
    /// Path as it stands in the request line, encoded.
    pub path: &'a str,
    /// Query parameters, decoded.
    pub query: &'a Query,
    /// Headers in order, names lower case.
    pub headers: &'a [(String, String)],
    /// The whole body.
    pub body: &'a [u8],
}

impl Request<'_> {
    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Checks what can be checked before the body is there: that a known key is claimed, and the time.
///
/// # Errors
/// Those of [`check`].
pub async fn known(request: &Request<'_>, keys: &Keys, now: Timestamp) -> Result<(), Fault> {
    let claim = form::claim(request)?;
    in_time(&claim, now)?;
    keys.find(&claim.key_id, now).await?.ok_or_else(unknown_key)?;
    Ok(())
}

/// Checks a request's signature.
///
/// Dropping the call half-way is safe.
///
/// # Errors
/// The common AWS errors for signatures; `ServiceUnavailable` when keys cannot be looked up.
pub async fn check(request: &Request<'_>, keys: &Keys, now: Timestamp) -> Result<Proof, Fault> {
    let claim = form::claim(request)?;
    in_time(&claim, now)?;
    whole(request)?;
    let known = keys.find(&claim.key_id, now).await?.ok_or_else(unknown_key)?;
    let text = canonical::string_to_sign(request, &claim);
    if !is_signed(&claim, &known.secret.0, &text) {
        return Err(no_match());
    }
    Ok(Proof {
        key_id: claim.key_id,
        service: claim.service,
        region: claim.region,
        holder: known.holder.clone(),
    })
}

/// The region that a request's credential is scoped to; `us-east-1` where it is none.
pub fn region(request: &Request<'_>) -> String {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let claim = form::claim(request).ok().map(|claim| claim.region);
    claim
        .filter(|region| region.len() <= 32 && region.bytes().all(plain))
        .unwrap_or_else(|| "us-east-1".to_owned())
}

fn is_signed(claim: &Claim, secret: &str, text: &str) -> bool {
    let given = hex::decode(&claim.signature).unwrap_or_default();
    match claim.scheme {
        Scheme::Shared => {
            hmac::verify(&signing_key(secret, claim), text.as_bytes(), &given).is_ok()
        }
        Scheme::Asymmetric => asymmetric::verifies(&claim.key_id, secret, text, &given),
    }
}

/// The chain of keys: date, region, service, terminator.
fn signing_key(secret: &str, claim: &Claim) -> hmac::Key {
    let start = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    [claim.date.as_str(), &claim.region, claim.service.as_str(), form::TERMINATOR]
        .iter()
        .fold(start, |key, part| {
            hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref())
        })
}

fn in_time(claim: &Claim, now: Timestamp) -> Result<(), Fault> {
    let expired = |message: String| Err(Fault::common(Common::RequestExpired, message));
    if claim.at.since(now) > MOST_SKEW {
        return expired("the signature is not yet good: set the caller's clock".into());
    }
    let good_for = claim.expires.unwrap_or(MOST_SKEW);
    if now.since(claim.at) > good_for {
        let age = now.since(claim.at);
        let message = format!("the signature is {age} old and was good for {good_for}: sign again");
        return expired(message);
    }
    Ok(())
}

/// A body's digest, when one is given, must be the body's.
fn whole(request: &Request<'_>) -> Result<(), Fault> {
    let Some(given) = request.header("x-amz-content-sha256") else { return Ok(()) };
    if given.eq_ignore_ascii_case(&sha256_hex(request.body)) {
        return Ok(());
    }
    let message = "x-amz-content-sha256 is not the SHA-256 of the body; unsigned payloads are not \
                   accepted";
    Err(Fault::common(Common::SignatureDoesNotMatch, message))
}

pub(crate) fn unknown_key() -> Fault {
    let message = "the access key id is not known here, or switched off: see `nearfront env`";
    Fault::common(Common::InvalidClientTokenId, message)
}

fn no_match() -> Fault {
    let message = "the request signature we calculated does not match the one given: check the \
                   secret access key, and that nothing between here and the caller changes requests";
    Fault::common(Common::SignatureDoesNotMatch, message)
}
