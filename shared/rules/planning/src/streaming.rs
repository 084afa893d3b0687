//! RTMP streaming distributions, as far as they can be kept.
//!
//! For: what one may say. Not for: serving one, which nothing does yet; so none may be enabled.
//!
//! Source: CloudFront API reference, `StreamingDistributionConfig`; CloudFront developer guide of
//! 2020, "Working with RTMP Distributions".

use crate::{
    Faults,
    distribution::{check_names, is_host_name},
    faults::items,
};
use model::api::{
    Aliases, ErrorCode, PriceClass, S3Origin, StreamingDistributionConfig, StreamingLoggingConfig,
    TrustedSigners,
};

/// Most accounts that may sign for one distribution.
const MOST_SIGNERS: usize = 5;
/// Most alternate names.
const MOST_ALIASES: usize = 100;
/// How a reference to an origin access identity begins.
const IDENTITY: &str = "origin-access-identity/cloudfront/";

/// Fills in what has a default, so that every answer is whole; names of hosts in lower case.
pub fn fill(config: &mut StreamingDistributionConfig) {
    let aliases = config.aliases.get_or_insert(Aliases { quantity: 0, items: None });
    for name in aliases.items.iter_mut().flat_map(|list| list.0.iter_mut()) {
        name.make_ascii_lowercase();
    }
    config.s3_origin.domain_name.make_ascii_lowercase();
    config.price_class.get_or_insert(PriceClass::PriceClassAll);
    let logging = config.logging.get_or_insert_with(StreamingLoggingConfig::default);
    if !logging.enabled {
        logging.bucket.clear();
        logging.prefix.clear();
    }
}

/// The id of the origin access identity that reads the bucket, if there is one.
pub fn identity(config: &StreamingDistributionConfig) -> Option<&str> {
    config.s3_origin.origin_access_identity.strip_prefix(IDENTITY)
}

/// The alternate names.
pub fn aliases(config: &StreamingDistributionConfig) -> &[String] {
    config.aliases.as_ref().map(|list| items!(list)).unwrap_or_default()
}

/// What an installation has of its own.
#[derive(Clone, Copy, Debug)]
pub struct Place<'p> {
    /// Suffix of assigned names, lower case.
    pub zone: &'p str,
    /// The only account there is.
    pub account: &'p str,
    /// Names of hosts that stand for object stores of the settings.
    pub stores: &'p [&'p str],
}

/// Whether this may be kept.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(config: &StreamingDistributionConfig, place: Place<'_>) -> Result<(), Faults> {
    let mut faults = Faults::default();
    let code = ErrorCode::InvalidArgument;
    let reference = (1..=2048).contains(&config.caller_reference.len());
    let message = "a caller reference has 1 to 2048 characters";
    faults.require(reference, "CallerReference", code, message);
    let short = config.comment.chars().count() <= 128;
    faults.require(short, "Comment", code, "longer than 128 characters");
    check_origin(&mut faults, &config.s3_origin, place);
    if let Some(list) = &config.aliases {
        let names = items!(list);
        faults.counted("Aliases", list.quantity, names.len());
        let too_many = ErrorCode::TooManyStreamingDistributionCNAMEs;
        faults.require(names.len() <= MOST_ALIASES, "Aliases", too_many, "at most 100 aliases");
        check_names(&mut faults, names, place.zone);
    }
    check_signers(&mut faults, &config.trusted_signers, place.account);
    if let Some(logging) = &config.logging {
        let fine = !logging.enabled || is_host_name(&logging.bucket);
        faults.require(fine, "Logging.Bucket", code, "logs need the host name of a bucket");
    }
    faults.require(
        !config.enabled,
        "Enabled",
        code,
        "there is no RTMP service yet, so an enabled streaming distribution is refused rather than \
         ignored: send false",
    );
    faults.into_result()
}

fn check_origin(faults: &mut Faults, origin: &S3Origin, place: Place<'_>) {
    let name = origin.domain_name.as_str();
    faults.require(
        is_host_name(name) && (place.stores.contains(&name) || is_bucket(name, place.zone)),
        "S3Origin.DomainName",
        ErrorCode::InvalidOrigin,
        format!(
            "{name:?} is no bucket: write BUCKET.s3.amazonaws.com, BUCKET.s3.{} or a name of \
             object_stores in the settings",
            place.zone
        ),
    );
    let identity = origin.origin_access_identity.as_str();
    faults.require(
        identity.is_empty() || identity.starts_with(IDENTITY),
        "S3Origin.OriginAccessIdentity",
        ErrorCode::InvalidOriginAccessIdentity,
        "must be empty or origin-access-identity/cloudfront/ID",
    );
}

/// `BUCKET.s3.amazonaws.com`, `BUCKET.s3.REGION.amazonaws.com`, `BUCKET.s3-REGION.amazonaws.com` or
/// `BUCKET.s3.ZONE`.
fn is_bucket(name: &str, zone: &str) -> bool {
    let own = name.strip_suffix(zone).and_then(|rest| rest.strip_suffix(".s3."));
    let host = name.strip_suffix(".amazonaws.com").map(|rest| format!("{rest}."));
    let bucket = host.as_deref().and_then(|rest| {
        let at = rest.rfind(".s3.").or_else(|| rest.rfind(".s3-"))?;
        rest.get(..at)
    });
    own.or(bucket).is_some_and(|bucket| !bucket.is_empty())
}

fn check_signers(faults: &mut Faults, signers: &TrustedSigners, account: &str) {
    let named = items!(signers);
    faults.counted("TrustedSigners", signers.quantity, named.len());
    faults.require(
        named.len() <= MOST_SIGNERS,
        "TrustedSigners",
        ErrorCode::TooManyTrustedSigners,
        "at most 5 accounts",
    );
    let strange = named.iter().find(|name| *name != "self" && *name != account);
    faults.require(
        strange.is_none(),
        "TrustedSigners.Items",
        ErrorCode::TrustedSignerDoesNotExist,
        format!("there is no account but {account}: write self"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_known_by_its_name() {
        let fine = [
            "media.s3.amazonaws.com",
            "my.media.s3.amazonaws.com",
            "media.s3.eu-west-1.amazonaws.com",
            "media.s3-eu-west-1.amazonaws.com",
            "media.s3.cdn.example",
        ];
        let wrong =
            ["s3.amazonaws.com", "media.example", "media.s3.example", "media.amazonaws.com"];
        assert_eq!(fine.iter().find(|name| !is_bucket(name, "cdn.example")), None);
        assert_eq!(wrong.iter().find(|name| is_bucket(name, "cdn.example")), None);
    }

    #[test]
    fn an_identity_is_named_by_its_path() {
        let mut config = StreamingDistributionConfig::default();
        assert_eq!(identity(&config), None);
        config.s3_origin.origin_access_identity = format!("{IDENTITY}E74FTE3AJFJ256");
        assert_eq!(identity(&config), Some("E74FTE3AJFJ256"));
    }
}
