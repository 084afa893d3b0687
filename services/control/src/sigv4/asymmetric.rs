//! Signature Version 4A: signed with a key pair that is derived from the access key, good in a set of
//! regions. SDKs sign so for what key value stores hold.
//!
//! For: the public key that belongs to an access key, and checking with it.
//! Not for: reading requests (`form`) nor their canonical form, which both versions share.
//!
//! Source: AWS Signature Version 4, "How AWS `SigV4a` works"; NIST SP 800-108r1 §4.1 (counter mode,
//! HMAC-SHA-256 as the pseudorandom function); FIPS 186-5 §A.2.1 (from random bits to a key).

use aws_lc_rs::{
    agreement::{ECDH_P256, PrivateKey},
    hmac,
    signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey},
};

/// As it stands in requests.
pub(super) const ALGORITHM: &str = "AWS4-ECDSA-P256-SHA256";
/// The header, and in capitals the query parameter, that names the regions.
pub(super) const REGION_SET: &str = "x-amz-region-set";

/// Longest signature in hexadecimal digits: DER of two numbers of 33 bytes.
const MOST_SIGNATURE: usize = 144;
/// Shortest: DER of two numbers of one byte.
const LEAST_SIGNATURE: usize = 16;
/// Two less than the order of P-256 (FIPS 186-5, SP 800-186 §3.2.1.3).
const ORDER_LESS_TWO: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x4f,
];

/// Whether this can be a signature at all: hexadecimal in small letters.
pub(super) fn is_signature(text: &str) -> bool {
    let fine = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    (LEAST_SIGNATURE..=MOST_SIGNATURE).contains(&text.len()) && text.bytes().all(fine)
}

/// Whether the owner of the access key signed the text. Shape: `signature` is DER.
pub(super) fn verifies(key_id: &str, secret: &str, text: &str, signature: &[u8]) -> bool {
    let Some(key) = private_key(key_id, secret) else { return false };
    let Ok(public) = key.compute_public_key() else { return false };
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public.as_ref());
    public.verify(text.as_bytes(), signature).is_ok()
}

/// The first candidate that is a number from 1 to the order less one, which nearly always is the
/// first of all.
fn private_key(key_id: &str, secret: &str) -> Option<PrivateKey> {
    let found = (1..=254).map(|counter| candidate(key_id, secret, counter)).find(is_in_order)?;
    PrivateKey::from_private_key(&ECDH_P256, &plus_one(found)).ok()
}

fn is_in_order(candidate: &[u8; 32]) -> bool {
    *candidate <= ORDER_LESS_TWO
}

/// 256 bits in one step of the derivation: its counter, label, a zero, context, length.
fn candidate(key_id: &str, secret: &str, counter: u8) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4A{secret}").as_bytes());
    let mut input = 1_u32.to_be_bytes().to_vec();
    input.extend_from_slice(ALGORITHM.as_bytes());
    input.push(0);
    input.extend_from_slice(key_id.as_bytes());
    input.push(counter);
    input.extend_from_slice(&256_u32.to_be_bytes());
    let mut bits = [0; 32];
    bits.iter_mut().zip(hmac::sign(&key, &input).as_ref()).for_each(|(to, from)| *to = *from);
    bits
}

fn plus_one(mut number: [u8; 32]) -> [u8; 32] {
    for byte in number.iter_mut().rev() {
        let (sum, carried) = byte.overflowing_add(1);
        *byte = sum;
        if !carried {
            break;
        }
    }
    number
}

/// As clients sign, for tests.
#[cfg(test)]
pub(super) fn sign(key_id: &str, secret: &str, text: &str) -> Vec<u8> {
    use aws_lc_rs::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair},
    };
    let found = (1..=254).map(|counter| candidate(key_id, secret, counter)).find(is_in_order);
    let public = private_key(key_id, secret).unwrap().compute_public_key().unwrap();
    let pair = EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &plus_one(found.unwrap()),
        public.as_ref(),
    );
    pair.unwrap().sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair},
    };
    use proptest::prelude::*;

    /// A made-up key and the public key that AWS's own open-source signer derives from it.
    const KEY_ID: &str = "AKISORANDOMAASORANDOM";
    const SECRET: &str = "q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom";
    const X: &str = "15d242ceebf8d8169fd6a8b5a746c41140414c3b07579038da06af89190fffcb";
    const Y: &str = "0515242cedd82e94799482e4c0514b505afccf2c0c98d6a553bf539f424c5ec0";

    fn signed(text: &str) -> Vec<u8> {
        let private = plus_one(candidate(KEY_ID, SECRET, 1));
        let public = private_key(KEY_ID, SECRET).unwrap().compute_public_key().unwrap();
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_ASN1_SIGNING,
            &private,
            public.as_ref(),
        );
        pair.unwrap().sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec()
    }

    #[test]
    fn the_key_pair_is_the_one_that_clients_derive() {
        let public = private_key(KEY_ID, SECRET).unwrap().compute_public_key().unwrap();
        assert_eq!(hex::encode(public.as_ref()), format!("04{X}{Y}"));
    }

    #[test]
    fn numbers_carry() {
        let mut number = [0; 32];
        number[31] = 0xff;
        number[30] = 0xff;
        let next = plus_one(number);
        assert_eq!(next[29..], [1, 0, 0]);
        assert!(is_in_order(&[0; 32]) && is_in_order(&ORDER_LESS_TWO));
        assert!(!is_in_order(&plus_one(ORDER_LESS_TWO)));
    }

    #[test]
    fn a_signature_is_good_for_its_text_and_its_key_alone() {
        let good = signed("text");
        assert!(verifies(KEY_ID, SECRET, "text", &good));
        assert!(!verifies(KEY_ID, SECRET, "texT", &good));
        assert!(!verifies("AKISORANDOMAASORANDON", SECRET, "text", &good));
        assert!(!verifies(KEY_ID, "another", "text", &good));
        assert!(is_signature(&hex::encode(&good)));
        assert!(!is_signature(&hex::encode(&good).to_uppercase()));
    }

    proptest! {
        #[test]
        fn no_bit_of_a_signature_can_be_flipped(bit in 0..512_usize) {
            let mut bent = signed("text");
            let place = (bit / 8) % bent.len();
            bent[place] ^= 1 << (bit % 8);
            prop_assert!(!verifies(KEY_ID, SECRET, "text", &bent));
        }

        #[test]
        fn nothing_that_is_sent_makes_it_panic(text: String, signature: Vec<u8>) {
            prop_assert!(!verifies(KEY_ID, SECRET, &text, &signature));
        }
    }
}
