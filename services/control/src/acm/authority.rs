//! The local certificate authority and the zone's own certificate, made on first start.
//!
//! Whoever trusts the authority trusts it for names of the zone only: it is constrained to them
//! (RFC 5280 §4.2.1.10).

use crate::{control::Control, wire::fault::Fault};
use model::{
    feed::{Certificate, Sealed, Secret},
    units::{Seconds, Timestamp},
};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use time::OffsetDateTime;

const DAY: u64 = 86_400;
/// Ten years.
const AUTHORITY_GOOD_FOR: Seconds = Seconds(3650 * DAY);
/// Browsers take no more than 398 days.
const ZONE_GOOD_FOR: Seconds = Seconds(397 * DAY);
/// Clocks of others may be behind ours.
const EARLIER: Seconds = Seconds(3600);
/// What expires within this is made anew.
pub const RENEW_BEFORE: Seconds = Seconds(30 * DAY);

/// Whether a certificate still serves: for these names, and for a while.
pub fn serves(certificate: &Certificate, names: &[String], now: Timestamp) -> bool {
    certificate.names == names && certificate.not_after > now + RENEW_BEFORE
}

/// The names that the zone's certificate covers.
pub fn zone_names(zone: &str) -> Vec<String> {
    vec![zone.to_owned(), format!("*.{zone}")]
}

/// A certificate that was made here, with its key not sealed yet.
pub struct Made {
    key: Secret,
    record: Certificate,
}

impl Made {
    /// As it is kept: the key sealed for the record at `place`.
    ///
    /// # Errors
    /// An internal fault when it cannot be sealed.
    pub fn sealed(self, control: &Control, place: &str) -> Result<Certificate, Fault> {
        Ok(Certificate { key: control.seal(place, &self.key)?, ..self.record })
    }
}

/// A new authority for this zone.
///
/// # Errors
/// An internal fault when the zone is no DNS name.
pub fn authority(zone: &str, now: Timestamp) -> Result<Made, Fault> {
    let mut params = CertificateParams::default();
    let name = format!("Nearfront local authority for {zone}");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName(zone.to_owned())],
        excluded_subtrees: Vec::new(),
    });
    let until = within(&mut params, now, AUTHORITY_GOOD_FOR)?;
    let key = KeyPair::generate().map_err(Fault::internal)?;
    let made = params.self_signed(&key).map_err(Fault::internal)?;
    Ok(record(vec![zone.to_owned()], made.pem(), &key, now, until))
}

/// A new certificate for the zone, signed by the authority, whose opened key this is.
///
/// # Errors
/// An internal fault when the zone is no DNS name or the authority cannot be read.
pub fn zone(
    zone: &str,
    authority: &Certificate,
    key: &Secret,
    now: Timestamp,
) -> Result<Made, Fault> {
    let ca_key = KeyPair::from_pem(&key.0).map_err(Fault::internal)?;
    let issuer = Issuer::from_ca_cert_pem(&authority.chain, ca_key).map_err(Fault::internal)?;
    let names = zone_names(zone);
    let mut params = CertificateParams::new(names.clone()).map_err(Fault::internal)?;
    params.distinguished_name.push(DnType::CommonName, zone);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let until = within(&mut params, now, ZONE_GOOD_FOR)?;
    let key = KeyPair::generate().map_err(Fault::internal)?;
    let made = params.signed_by(&key, &issuer).map_err(Fault::internal)?;
    Ok(record(names, made.pem(), &key, now, until))
}

fn within(
    params: &mut CertificateParams,
    now: Timestamp,
    good_for: Seconds,
) -> Result<Timestamp, Fault> {
    let moment = |at: Timestamp| {
        let seconds = i64::try_from(at.seconds()).map_err(Fault::internal)?;
        OffsetDateTime::from_unix_timestamp(seconds).map_err(Fault::internal)
    };
    let until = now + good_for;
    params.not_before = moment(Timestamp(now.0.saturating_sub(EARLIER.0 * 1000)))?;
    params.not_after = moment(until)?;
    Ok(until)
}

fn record(
    names: Vec<String>,
    chain: String,
    key: &KeyPair,
    now: Timestamp,
    until: Timestamp,
) -> Made {
    let record = Certificate {
        arn: String::new(),
        names,
        chain,
        key: Sealed(String::new()),
        not_before: Timestamp(now.0.saturating_sub(EARLIER.0 * 1000)),
        not_after: until,
        created: now,
        put: None,
    };
    Made { key: Secret(key.serialize_pem()), record }
}
