//! Certificates for tests.

use model::{
    feed::{Certificate, Sealed},
    units::Timestamp,
};

/// A self-signed certificate for these names, as the feed has it.
pub fn certificate(arn: &str, names: &[&str]) -> Vec<u8> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names.clone()).unwrap();
    serde_json::to_vec(&Certificate {
        arn: arn.into(),
        names,
        chain: made.cert.pem(),
        key: Sealed(made.signing_key.serialize_pem()),
        not_before: Timestamp(0),
        not_after: Timestamp(u64::MAX),
        created: Timestamp(0),
        put: None,
    })
    .unwrap()
}
