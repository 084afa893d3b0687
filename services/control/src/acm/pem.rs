//! What an imported certificate must be: readable, in order, in time, and its key's own.

use model::{feed::Secret, units::Timestamp};
use rustls::{crypto::aws_lc_rs::sign::any_supported_type, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, prelude::FromDer as _, time::ASN1Time,
};

/// Most certificates in a chain, the leaf among them.
const MOST_CHAIN: usize = 10;
/// Most names that a certificate may have.
const MOST_NAMES: usize = 250;

/// A certificate that has passed, and what is worth knowing of it.
#[derive(Debug)]
pub(super) struct Checked {
    /// Leaf first, PEM.
    pub chain: String,
    /// The key, PEM.
    pub key: Secret,
    /// What it says of itself.
    pub facts: Facts,
}

/// What a leaf certificate says of itself.
#[derive(Debug)]
pub(super) struct Facts {
    /// DNS names, lower case.
    pub names: Vec<String>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub serial: String,
    pub subject: String,
    pub issuer: String,
    /// In ACM's words: `RSA_2048`, `EC_prime256v1`.
    pub key_algorithm: String,
    /// In ACM's words: `SHA256WITHRSA`.
    pub signature_algorithm: String,
    /// `KeyUsageName`, ACM API reference.
    pub key_usages: Vec<&'static str>,
    /// `ExtendedKeyUsageName`, ACM API reference, with its OID.
    pub extended_key_usages: Vec<(&'static str, &'static str)>,
}

/// Checks what the user wants to import. Errors are texts for the user.
pub(super) fn check(
    leaf: &str,
    chain: Option<&str>,
    key: &str,
    now: Timestamp,
) -> Result<Checked, String> {
    let leaf = certificates(leaf, "Certificate")?;
    if leaf.len() != 1 {
        return Err(
            "Certificate must hold one certificate; put others into CertificateChain".into()
        );
    }
    let mut all = leaf;
    all.extend(
        chain
            .map(|chain| certificates(chain, "CertificateChain"))
            .transpose()?
            .into_iter()
            .flatten(),
    );
    if all.len() > MOST_CHAIN {
        return Err(format!("a chain has at most {MOST_CHAIN} certificates"));
    }
    in_order(&all)?;
    let first = all.first().ok_or("Certificate holds none")?;
    let facts = facts(first)?;
    if facts.not_after <= now {
        return Err("the certificate has expired".into());
    }
    matches(&all, key)?;
    let chain = all.iter().map(|one| to_pem("CERTIFICATE", one)).collect();
    Ok(Checked { chain, key: Secret(key.to_owned()), facts })
}

/// The leaf of a chain that was checked before.
pub(super) fn leaf_facts(chain: &str) -> Result<Facts, String> {
    let all = certificates(chain, "the chain")?;
    facts(all.first().ok_or("the chain is empty")?)
}

/// A chain's leaf, and the rest of it, as PEM.
pub(super) fn split(chain: &str) -> Result<(String, String), String> {
    let all = certificates(chain, "the chain")?;
    let mut all = all.iter().map(|one| to_pem("CERTIFICATE", one));
    Ok((all.next().unwrap_or_default(), all.collect()))
}

fn certificates(pem: &str, what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.map_err(|error| format!("{what} is no PEM: {error}"))?;
    if found.is_empty() {
        return Err(format!("{what} holds no PEM certificate"));
    }
    Ok(found)
}

fn parsed<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, String> {
    let found = X509Certificate::from_der(der);
    found.map(|(_, one)| one).map_err(|error| format!("a certificate cannot be read: {error}"))
}

/// Each certificate must be issued by the one after it.
fn in_order(all: &[CertificateDer<'_>]) -> Result<(), String> {
    let all: Result<Vec<_>, _> = all.iter().map(parsed).collect();
    for pair in all?.windows(2) {
        let [one, next] = pair else { continue };
        if one.issuer().as_raw() != next.subject().as_raw() {
            let (issuer, next) = (one.issuer(), next.subject());
            return Err(format!("the chain is out of order: {issuer} expected, {next} found"));
        }
    }
    Ok(())
}

/// The key must be the leaf's, and one that edges can use.
fn matches(all: &[CertificateDer<'static>], key: &str) -> Result<(), String> {
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|_| "PrivateKey holds no unencrypted PEM private key")?;
    let key = any_supported_type(&key).map_err(
        |_| "PrivateKey must be RSA of 2048 bits or more, ECDSA P-256, P-384 or P-521, or Ed25519",
    )?;
    CertifiedKey::new(all.to_vec(), key)
        .keys_match()
        .map_err(|_| "the private key does not belong to the certificate".into())
}

fn facts(der: &CertificateDer<'_>) -> Result<Facts, String> {
    let leaf = parsed(der)?;
    let names = names(&leaf)?;
    Ok(Facts {
        names,
        not_before: moment(leaf.validity().not_before),
        not_after: moment(leaf.validity().not_after),
        serial: leaf.raw_serial_as_string(),
        subject: leaf.subject().to_string(),
        issuer: leaf.issuer().to_string(),
        key_algorithm: algorithm(&leaf),
        signature_algorithm: signature(&leaf),
        key_usages: usages(&leaf),
        extended_key_usages: extended(&leaf),
    })
}

fn names(leaf: &X509Certificate<'_>) -> Result<Vec<String>, String> {
    let extension = leaf.subject_alternative_name().ok().flatten();
    let all = extension.iter().flat_map(|extension| &extension.value.general_names);
    let names: Vec<String> = all
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        })
        .collect();
    if names.is_empty() || names.len() > MOST_NAMES {
        return Err(format!(
            "the certificate must name 1 to {MOST_NAMES} DNS names (subjectAltName)"
        ));
    }
    Ok(names)
}

fn moment(time: ASN1Time) -> Timestamp {
    Timestamp(u64::try_from(time.timestamp()).unwrap_or(0).saturating_mul(1000))
}

fn algorithm(leaf: &X509Certificate<'_>) -> String {
    use x509_parser::public_key::PublicKey;
    match leaf.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA_{}", key.key_size()),
        Ok(PublicKey::EC(point)) => match point.key_size() {
            256 => "EC_prime256v1".into(),
            384 => "EC_secp384r1".into(),
            _ => "EC_secp521r1".into(),
        },
        _ => "ED25519".into(),
    }
}

fn signature(leaf: &X509Certificate<'_>) -> String {
    let known = [
        ("1.2.840.113549.1.1.11", "SHA256WITHRSA"),
        ("1.2.840.113549.1.1.12", "SHA384WITHRSA"),
        ("1.2.840.113549.1.1.13", "SHA512WITHRSA"),
        ("1.2.840.113549.1.1.10", "RSASSAPSS"),
        ("1.2.840.10045.4.3.2", "SHA256WITHECDSA"),
        ("1.2.840.10045.4.3.3", "SHA384WITHECDSA"),
        ("1.2.840.10045.4.3.4", "SHA512WITHECDSA"),
        ("1.3.101.112", "ED25519"),
    ];
    let oid = leaf.signature_algorithm.algorithm.to_id_string();
    known.iter().find(|(one, _)| *one == oid).map_or(oid, |(_, name)| (*name).to_owned())
}

fn usages(leaf: &X509Certificate<'_>) -> Vec<&'static str> {
    let Some(usage) = leaf.key_usage().ok().flatten() else { return vec!["ANY"] };
    let usage = usage.value;
    let all = [
        (usage.digital_signature(), "DIGITAL_SIGNATURE"),
        (usage.non_repudiation(), "NON_REPUDIATION"),
        (usage.key_encipherment(), "KEY_ENCIPHERMENT"),
        (usage.data_encipherment(), "DATA_ENCIPHERMENT"),
        (usage.key_agreement(), "KEY_AGREEMENT"),
        (usage.key_cert_sign(), "CERTIFICATE_SIGNING"),
        (usage.crl_sign(), "CRL_SIGNING"),
        (usage.encipher_only(), "ENCIPHER_ONLY"),
        (usage.decipher_only(), "DECIPHER_ONLY"),
    ];
    all.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect()
}

fn extended(leaf: &X509Certificate<'_>) -> Vec<(&'static str, &'static str)> {
    let Some(usage) = leaf.extended_key_usage().ok().flatten() else {
        return vec![("NONE", "")];
    };
    let usage = usage.value;
    let all = [
        (usage.any, ("ANY", "2.5.29.37.0")),
        (usage.server_auth, ("TLS_WEB_SERVER_AUTHENTICATION", "1.3.6.1.5.5.7.3.1")),
        (usage.client_auth, ("TLS_WEB_CLIENT_AUTHENTICATION", "1.3.6.1.5.5.7.3.2")),
        (usage.code_signing, ("CODE_SIGNING", "1.3.6.1.5.5.7.3.3")),
        (usage.email_protection, ("EMAIL_PROTECTION", "1.3.6.1.5.5.7.3.4")),
        (usage.time_stamping, ("TIME_STAMPING", "1.3.6.1.5.5.7.3.8")),
        (usage.ocsp_signing, ("OCSP_SIGNING", "1.3.6.1.5.5.7.3.9")),
    ];
    all.iter().filter(|(is, _)| *is).map(|(_, usage)| *usage).collect()
}

fn to_pem(label: &str, der: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
