//! The key in a `PublicKeyConfig`: read to the last bit before it is kept.
//!
//! Source: CloudFront developer guide, "Specify signers that can create signed URLs and signed
//! cookies": RSA of 2048 bits or ECDSA on P-256, PEM; RFC 7468 §13, RFC 5280 §4.1.2.7.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use rustls_pki_types::pem::{PemObject as _, SectionKind};
use x509_parser::{prelude::FromDer as _, public_key::PublicKey, x509::SubjectPublicKeyInfo};

/// Longest text, in bytes: a key of 2048 bits has about 460.
const LONGEST: usize = 4096;
/// The only size of RSA keys, in bits.
const RSA_BITS: usize = 2048;
/// prime256v1 (RFC 5480 §2.1.1.1).
const P256: &str = "1.2.840.10045.3.1.7";

/// Which algorithms a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA of 2048 bits: for signed URLs and for field-level encryption.
    Rsa2048,
    /// ECDSA on P-256: for signed URLs only.
    EcdsaP256,
}

/// A key that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// What it is for.
    pub algorithm: Algorithm,
    /// Its `SubjectPublicKeyInfo`, DER.
    pub der: Vec<u8>,
}

impl Encoded {
    /// Reads a PEM text.
    ///
    /// # Errors
    /// What is wrong with it, in words for the user; nothing of the text itself is repeated.
    pub fn parse(text: &str) -> Result<Self, String> {
        let der = section(text)?;
        let algorithm = algorithm(&der)?;
        Ok(Self { algorithm, der })
    }
}

/// The bytes of the one section that the text holds.
fn section(text: &str) -> Result<Vec<u8>, String> {
    if text.len() > LONGEST {
        return Err(format!("longer than {LONGEST} bytes, which no public key needs"));
    }
    if text.contains("PRIVATE KEY-----") {
        return Err(
            "holds a private key, which must never leave its owner: take another key pair, \
                    and send what openssl pkey -pubout prints"
                .into(),
        );
    }
    let wanted = "must be a PEM text from -----BEGIN PUBLIC KEY----- to -----END PUBLIC KEY-----";
    let all: Result<Vec<_>, _> =
        <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes()).collect();
    let all = all.map_err(|_| format!("{wanted}; its base64 or its last line is broken"))?;
    match all.as_slice() {
        [(SectionKind::PublicKey, der)] => Ok(der.clone()),
        [(SectionKind::Certificate, _), ..] => {
            Err("holds a certificate: send what openssl x509 -pubkey -noout prints".into())
        }
        [_, _, ..] => Err("holds more than one key: make a public key of each".into()),
        _ => Err(format!("{wanted}, as openssl pkey -pubout prints it")),
    }
}

/// What the key is for, once it has been read to the end.
fn algorithm(der: &[u8]) -> Result<Algorithm, String> {
    let broken = "holds no SubjectPublicKeyInfo (RFC 5280), or more than that";
    let Ok(([], info)) = SubjectPublicKeyInfo::from_der(der) else {
        return Err(broken.into());
    };
    let kinds = "must be RSA of 2048 bits or ECDSA on P-256 (prime256v1)";
    let parameters = info.algorithm.parameters.as_ref();
    let curve = parameters.and_then(|any| any.as_oid().ok()).map(|oid| oid.to_id_string());
    let found = match info.parsed() {
        Ok(PublicKey::RSA(key)) => {
            let bits = bits(key.modulus);
            if bits != RSA_BITS {
                return Err(format!("{kinds}: this is RSA of {bits} bits"));
            }
            Algorithm::Rsa2048
        }
        Ok(PublicKey::EC(_)) if curve.as_deref() == Some(P256) => Algorithm::EcdsaP256,
        _ => return Err(kinds.into()),
    };
    let sound = match found {
        Algorithm::Rsa2048 => ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der),
        Algorithm::EcdsaP256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, der),
    };
    sound.map_err(|_| format!("{kinds}: its numbers are no such key"))?;
    Ok(found)
}

/// How many bits a big-endian number has.
fn bits(number: &[u8]) -> usize {
    let significant = number.iter().skip_while(|byte| **byte == 0);
    let zeros = number.iter().find(|byte| **byte != 0).map_or(0, |byte| byte.leading_zeros());
    (significant.count() * 8).saturating_sub(zeros as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::{
        encoding::{AsDer as _, PublicKeyX509Der},
        rsa::{KeyPair, KeySize},
        signature::{
            ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
            EcdsaSigningAlgorithm, KeyPair as _,
        },
    };
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use proptest::prelude::*;

    fn pem(label: &str, der: &[u8]) -> String {
        let text = STANDARD.encode(der);
        let lines: Vec<_> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    }

    fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm) -> Vec<u8> {
        let pair = EcdsaKeyPair::generate(algorithm).unwrap();
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        der.as_ref().to_vec()
    }

    fn rsa(size: KeySize) -> Vec<u8> {
        let pair = KeyPair::generate(size).unwrap();
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        der.as_ref().to_vec()
    }

    fn why(text: &str) -> String {
        Encoded::parse(text).unwrap_err()
    }

    #[test]
    fn the_two_kinds_of_keys_are_told_apart() {
        let (rsa, ec) = (rsa(KeySize::Rsa2048), ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING));
        let read = Encoded::parse(&pem("PUBLIC KEY", &rsa)).unwrap();
        assert_eq!(read, Encoded { algorithm: Algorithm::Rsa2048, der: rsa });
        let read = Encoded::parse(&pem("PUBLIC KEY", &ec)).unwrap();
        assert_eq!(read, Encoded { algorithm: Algorithm::EcdsaP256, der: ec.clone() });
        let windows = pem("PUBLIC KEY", &ec).replace('\n', "\r\n");
        assert_eq!(Encoded::parse(&windows).unwrap().der, ec);
    }

    #[test]
    fn other_keys_are_refused_by_name() {
        assert!(why(&pem("PUBLIC KEY", &rsa(KeySize::Rsa3072))).contains("RSA of 3072 bits"));
        let p384 = ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING);
        assert!(why(&pem("PUBLIC KEY", &p384)).contains("P-256"));
        let fine = ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING);
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"] {
            assert!(why(&pem(label, &fine)).contains("private key"), "{label}");
        }
        assert!(why(&pem("CERTIFICATE", &fine)).contains("certificate"));
        assert!(why(&pem("RSA PUBLIC KEY", &fine)).contains("BEGIN PUBLIC KEY"));
        assert!(why(&pem("PUBLIC KEY", &fine).repeat(2)).contains("more than one"));
        assert!(why("").contains("BEGIN PUBLIC KEY"));
        assert!(why(&"x".repeat(5000)).contains("longer"));
    }

    #[test]
    fn a_point_beside_the_curve_is_no_key() {
        let mut off = ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING);
        *off.last_mut().unwrap() ^= 1;
        assert!(why(&pem("PUBLIC KEY", &off)).contains("no such key"));
        let mut longer = ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING);
        longer.push(0);
        assert!(why(&pem("PUBLIC KEY", &longer)).contains("more than that"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(der: Vec<u8>, text in ".{0,200}") {
            let _ = Encoded::parse(&pem("PUBLIC KEY", &der));
            let _ = Encoded::parse(&text);
        }
    }
}
