//! Laws: what AWS's own crate signs verifies, and no bit of it can be flipped.
//!
//! A flip that leaves the request as it is read the same (`%2F` and `%2f` in a query are one value,
//! names of headers have no case) changes nothing; every other one must be refused.

use super::{
    AccessKeyRecord, Holder, Keys, PREFIX, asymmetric, canonical, check, form, normal_path,
};
use crate::wire::{asked::Asked, route};
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4,
};
use bytes::Bytes;
use kit::seal::Seals;
use metastore_embedded::EmbeddedStore;
use model::{feed::Secret, units::Timestamp};
use ports::metastore::{Commit, MetaStore as _, Write};
use proptest::{prelude::*, sample::Index};
use std::{
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// 1 March 2026, noon.
const NOON: u64 = 1_772_366_400_000;

/// A store that knows one key.
struct World {
    runtime: tokio::runtime::Runtime,
    keys: Keys,
    _folder: tempfile::TempDir,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(EmbeddedStore::open(folder.path().join("keys.redb")).unwrap());
        let seals = Seals::fresh().unwrap();
        let place = format!("{PREFIX}{KEY}");
        let secret = Secret(SECRET.into());
        let record =
            AccessKeyRecord::new(&seals, &place, &Holder::Root, &secret, Timestamp(0)).unwrap();
        let put = Write::Put(place, Bytes::from(serde_json::to_vec(&record).unwrap()));
        let commit = Commit { checks: Vec::new(), writes: vec![put] };
        runtime.block_on(store.commit(commit)).unwrap();
        World { runtime, keys: Keys::of(store, seals), _folder: folder }
    })
}

fn verifies(asked: &Asked) -> bool {
    let world = world();
    // The store works on threads of its own; this one only waits.
    let signed = asked.signed();
    world.runtime.block_on(check(&signed, &world.keys, Timestamp(NOON))).is_ok()
}

/// A request as it stands on the wire, in the parts that a signature covers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wire {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Wire {
    /// As the server reads it; none when no server would take it for a request at all.
    fn read(&self) -> Option<Asked> {
        let token = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
        };
        let target = |text: &str, more: &[u8]| {
            text.bytes().all(|b| {
                b.is_ascii_graphic() && (!b"#?<>\"\\^`{|}".contains(&b) || more.contains(&b))
            })
        };
        let fine = token(&self.method)
            && self.path.starts_with('/')
            && target(&self.path, b"")
            && target(&self.query, b"?{}|^`\\<>\"")
            && self.headers.iter().all(|(name, _)| token(name))
            && self.headers.iter().all(|(_, value)| value.chars().all(|c| !c.is_control()));
        let header = |(name, value): &(String, String)| {
            (name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned())
        };
        fine.then(|| Asked {
            method: self.method.clone(),
            path: self.path.clone(),
            query: route::query(&self.query),
            headers: self.headers.iter().map(header).collect(),
            from: None,
            body: Bytes::from(self.body.clone()),
        })
    }

    fn parts(&self) -> Vec<Vec<u8>> {
        let mut parts = vec![
            self.method.clone().into_bytes(),
            self.path.clone().into_bytes(),
            self.query.clone().into_bytes(),
            self.body.clone(),
        ];
        for (name, value) in &self.headers {
            parts.push(name.clone().into_bytes());
            parts.push(value.clone().into_bytes());
        }
        parts
    }

    /// With one bit flipped; none when there is none to flip or the text would be none any more.
    fn flipped(&self, part: Index, bit: Index) -> Option<Self> {
        let mut parts = self.parts();
        let part = part.get_mut(&mut parts);
        if part.is_empty() {
            return None;
        }
        let bit = bit.index(part.len() * 8);
        part[bit / 8] ^= 1 << (bit % 8);
        let mut parts = parts.into_iter();
        let mut text = || String::from_utf8(parts.next().unwrap()).ok();
        let (method, path, query) = (text()?, text()?, text()?);
        let body = parts.next().unwrap();
        let mut text = || parts.next().map(String::from_utf8);
        let mut headers = Vec::new();
        while let Some(name) = text() {
            headers.push((name.ok()?, text().unwrap().ok()?));
        }
        Some(Self { method, path, query, headers, body })
    }
}

/// Whether two requests are the same to whoever acts on them.
fn same(one: &Asked, other: &Asked) -> bool {
    (&one.method, normal_path(&one.path), &one.query, &one.headers, &one.body)
        == (&other.method, normal_path(&other.path), &other.query, &other.headers, &other.body)
}

fn signed(mut wire: Wire, presigned: bool) -> Wire {
    wire.headers.push(("host".into(), "127.0.0.1:9300".into()));
    let mut settings = SigningSettings::default();
    if presigned {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_mins(1));
    }
    let identity = Credentials::new(KEY, SECRET, None, None, "tests").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("cloudfront")
        .time(SystemTime::UNIX_EPOCH + Duration::from_millis(NOON))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let mark = if wire.query.is_empty() { "" } else { "?" };
    let url = format!("http://127.0.0.1:9300{}{mark}{}", wire.path, wire.query);
    let headers = wire.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let request =
        SignableRequest::new(&wire.method, &url, headers, SignableBody::Bytes(&wire.body)).unwrap();
    let (instructions, _) = sign(request, &params).unwrap().into_parts();
    let (headers, query) = instructions.into_parts();
    for header in headers {
        wire.headers.push((header.name().into(), header.value().into()));
    }
    for (name, value) in query {
        let value =
            percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
        let mark = if wire.query.is_empty() { "" } else { "&" };
        wire.query = format!("{}{mark}{name}={value}", wire.query);
    }
    wire
}

/// With the second version of the signature, by the key pair that clients derive.
fn signed_4a(mut wire: Wire) -> Wire {
    let credential = format!("{KEY}/20260301/cloudfront-keyvaluestore/aws4_request");
    let header = |signature: &str| {
        let names = "SignedHeaders=host;x-amz-date;x-amz-region-set";
        let algorithm = asymmetric::ALGORITHM;
        format!("{algorithm} Credential={credential}, {names}, Signature={signature}")
    };
    wire.headers = vec![
        ("host".into(), "127.0.0.1:9300".into()),
        ("x-amz-date".into(), "20260301T120000Z".into()),
        ("x-amz-region-set".into(), "*".into()),
        ("authorization".into(), header(&"0".repeat(140))),
    ];
    let asked = wire.read().unwrap();
    let request = asked.signed();
    let text = canonical::string_to_sign(&request, &form::claim(&request).unwrap());
    let signature = hex::encode(asymmetric::sign(KEY, SECRET, &text));
    wire.headers[3].1 = header(&signature);
    wire
}

prop_compose! {
    fn wire()(
        method in "GET|PUT|POST|DELETE",
        path in "(/([a-zA-Z0-9._~-]|%2F|%C3%A9|%20|[!'()*]){0,6}){1,4}",
        query in prop::collection::vec(
            ("[a-zA-Z0-9._~-]{1,4}", prop::option::of("([a-zA-Z0-9._~-]|%2F|%2B|%C3%BC|%20|%25){0,5}")), 0..4),
        headers in prop::collection::vec(
            ("x-amz-meta-[a-c]|if-match|x-[d-f]", "[!-~]([ -~]{0,8}[!-~])?"), 0..4),
        body in prop::collection::vec(any::<u8>(), 0..40),
    ) -> Wire {
        let pair = |(name, value): (String, Option<String>)| match value {
            Some(value) => format!("{name}={value}"),
            None => name,
        };
        let query: Vec<_> = query.into_iter().map(pair).collect();
        Wire { method, path: format!("/2020-05-31{path}"), query: query.join("&"), headers, body }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_the_sdk_signs_verifies(wire in wire(), presigned: bool) {
        let wire = signed(wire, presigned);
        prop_assert!(verifies(&wire.read().unwrap()), "{wire:?}");
    }

    #[test]
    fn no_bit_of_a_signed_request_can_be_flipped(
        wire in wire(), presigned: bool,
        flips in prop::collection::vec((any::<Index>(), any::<Index>()), 30),
    ) {
        let wire = signed(wire, presigned);
        let whole = wire.read().unwrap();
        for (part, bit) in flips {
            let Some(bent) = wire.flipped(part, bit) else { continue };
            let Some(asked) = bent.read() else { continue };
            if !same(&whole, &asked) {
                prop_assert!(!verifies(&asked), "{bent:?} instead of {wire:?}");
            }
        }
    }

    #[test]
    fn nor_of_one_that_is_signed_with_a_key_pair(
        wire in wire(), flips in prop::collection::vec((any::<Index>(), any::<Index>()), 5),
    ) {
        let wire = signed_4a(wire);
        let whole = wire.read().unwrap();
        prop_assert!(verifies(&whole), "{wire:?}");
        for (part, bit) in flips {
            let Some(bent) = wire.flipped(part, bit) else { continue };
            let Some(asked) = bent.read() else { continue };
            if !same(&whole, &asked) {
                prop_assert!(!verifies(&asked), "{bent:?} instead of {wire:?}");
            }
        }
    }

    #[test]
    fn nothing_that_is_sent_makes_it_panic(
        authorization in "(AWS4-(HMAC|ECDSA-P256)-SHA256 )?[ -~]{0,120}", stamp in "[0-9TZ]{0,17}", query in "[ -~]{0,60}",
    ) {
        let headers = vec![
            ("host".to_owned(), "h".to_owned()),
            ("authorization".to_owned(), authorization),
            ("x-amz-date".to_owned(), stamp),
        ];
        let asked = Asked {
            method: "GET".into(),
            path: "/".into(),
            query: route::query(&query),
            headers,
            from: None,
            body: Bytes::new(),
        };
        prop_assert!(!verifies(&asked));
    }
}
