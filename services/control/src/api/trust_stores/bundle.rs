//! What a bundle of authorities must be: PEM certificates of authorities, and not too many.
//!
//! Source: CloudFront developer guide, "Mutual TLS authentication with CloudFront", trust store
//! requirements; RFC 5280 §4.2.1.9.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use x509_parser::{
    certificate::X509Certificate,
    prelude::{FromDer as _, X509Version},
};

/// Longest bundle in bytes.
pub const MOST_BYTES: usize = 64 * 1024;
/// Most certificates in it.
const MOST_CERTIFICATES: usize = 25;

/// The certificates alone, as PEM, and how many they are. Errors are texts for the user.
pub fn check(file: &[u8]) -> Result<(String, usize), String> {
    if file.len() > MOST_BYTES {
        return Err(format!("it has more than {MOST_BYTES} bytes"));
    }
    let found: Result<Vec<CertificateDer<'_>>, _> = CertificateDer::pem_slice_iter(file).collect();
    let found = found.map_err(|error| format!("it is no PEM: {error}"))?;
    if found.is_empty() {
        return Err("it holds no PEM certificate".into());
    }
    if found.len() > MOST_CERTIFICATES {
        let is = found.len();
        return Err(format!("it holds {is} certificates, at most {MOST_CERTIFICATES} are allowed"));
    }
    for (number, one) in (1..).zip(&found) {
        authority(one).map_err(|why| format!("certificate {number}: {why}"))?;
    }
    let text = found.iter().map(|one| to_pem(one)).collect();
    Ok((text, found.len()))
}

fn authority(der: &CertificateDer<'_>) -> Result<(), String> {
    let (rest, found) =
        X509Certificate::from_der(der).map_err(|error| format!("cannot be read: {error}"))?;
    let name = found.subject().to_string();
    if !rest.is_empty() {
        return Err(format!("{name}: bytes stand behind it"));
    }
    if found.version() != X509Version::V3 {
        return Err(format!("{name}: is not of version 3"));
    }
    let constraints = found.basic_constraints().map_err(|error| format!("{name}: {error}"))?;
    if !constraints.is_some_and(|constraints| constraints.value.ca) {
        return Err(format!("{name}: is no authority's (basicConstraints does not say CA)"));
    }
    Ok(())
}

/// RFC 7468 §5.1.
fn to_pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

    fn certificate(ca: bool) -> String {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        if ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
    }

    #[test]
    fn authorities_are_counted_and_what_stands_between_them_is_dropped() {
        let bundle = format!("# root\n{}\n# other\n{}", certificate(true), certificate(true));
        let (kept, count) = check(bundle.as_bytes()).unwrap();
        assert_eq!(count, 2);
        assert!(!kept.contains('#'));
        assert_eq!(check(kept.as_bytes()).unwrap(), (kept, 2));
    }

    #[test]
    fn what_is_no_bundle_is_refused_with_the_reason() {
        let told = |file: &str| check(file.as_bytes()).unwrap_err();
        assert!(told("").contains("no PEM certificate"));
        assert!(told("-----BEGIN CERTIFICATE-----\nAAAA\n").contains("PEM"));
        let leaf = format!("{}{}", certificate(true), certificate(false));
        assert!(told(&leaf).starts_with("certificate 2:"), "{}", told(&leaf));
        assert!(told(&certificate(true).repeat(26)).contains("26 certificates"));
        assert!(told(&"#".repeat(MOST_BYTES + 1)).contains("more than"));
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_makes_it_panic(der: Vec<u8>, text in "[-A-Z \n=a-z0-9]{0,200}") {
            let _ = check(to_pem(&der).as_bytes());
            let _ = check(text.as_bytes());
        }
    }
}
