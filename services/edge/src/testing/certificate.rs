//! Certificates for tests.

use kit::seal::{KEY_BYTES, Seals};
use model::{
    feed::{CERTIFICATES, Certificate, Secret},
    units::Timestamp,
};

/// What opens the keys of these certificates.
pub fn seals() -> Seals {
    Seals::of(&[[7; KEY_BYTES]])
}

/// A self-signed certificate for these DNS names, as the feed has it under `certificate/NAME`.
pub fn certificate(name: &str, arn: &str, names: &[&str]) -> Vec<u8> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names.clone()).unwrap();
    let key = Secret(made.signing_key.serialize_pem());
    serde_json::to_vec(&Certificate {
        arn: arn.into(),
        names,
        chain: made.cert.pem(),
        key: seals().seal(&format!("{CERTIFICATES}{name}"), &key).unwrap(),
        not_before: Timestamp(0),
        not_after: Timestamp(u64::MAX),
        created: Timestamp(0),
        put: None,
    })
    .unwrap()
}
