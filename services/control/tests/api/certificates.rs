//! Certificates through ACM's operations, and what distributions make of them.

use crate::harness::{Answer, NOON, Sent, Server, Signing, distribution};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use time::OffsetDateTime;

const DAY: i64 = 86_400;

async fn acm(server: &Server, operation: &str, body: &Value) -> Answer {
    let mut sent = Sent::new("POST", "", body.to_string())
        .with("x-amz-target", &format!("CertificateManager.{operation}"))
        .with("content-type", "application/x-amz-json-1.1");
    sent.target = "/".into();
    let how = Signing { service: "acm", ..server.signing() };
    server.send_raw(&server.signed(sent, &how)).await
}

/// The answer's body, after its status was seen to be this.
fn told(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

fn params(names: &[&str], from: i64, until: i64) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    let noon = OffsetDateTime::from_unix_timestamp(i64::try_from(NOON / 1000).unwrap()).unwrap();
    params.not_before = noon + time::Duration::seconds(from);
    params.not_after = noon + time::Duration::seconds(until);
    params
}

/// A self-signed certificate and its key, as PEM.
fn certificate(names: &[&str], until: i64) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let made = params(names, -DAY, until).self_signed(&key).unwrap();
    (made.pem(), key.serialize_pem())
}

/// A self-signed certificate with a subject of its own.
fn stranger() -> String {
    let mut params = params(&["b.example"], -DAY, DAY);
    params.distinguished_name.push(DnType::CommonName, "a stranger");
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

fn import(certificate: &str, key: &str) -> Value {
    json!({"Certificate": STANDARD.encode(certificate), "PrivateKey": STANDARD.encode(key)})
}

async fn imported(server: &Server, names: &[&str]) -> String {
    let (certificate, key) = certificate(names, 100 * DAY);
    let answer = acm(server, "ImportCertificate", &import(&certificate, &key)).await;
    told(&answer, 200).get("CertificateArn").and_then(Value::as_str).unwrap().to_owned()
}

fn with_alias(reference: &str, alias: &str, arn: &str) -> String {
    let aliases = format!("<Aliases><Quantity>1</Quantity><Items><CNAME>{alias}</CNAME></Items>");
    let viewer = format!(
        "<Comment>test</Comment><ViewerCertificate><ACMCertificateArn>{arn}</ACMCertificateArn>\
         <SSLSupportMethod>sni-only</SSLSupportMethod>\
         <MinimumProtocolVersion>TLSv1.2_2021</MinimumProtocolVersion></ViewerCertificate>"
    );
    let changes =
        [("<Aliases><Quantity>0</Quantity>", &*aliases), ("<Comment>test</Comment>", &*viewer)];
    distribution(reference, &changes)
}

#[tokio::test]
async fn a_certificate_is_imported_listed_described_and_deleted() {
    let server = Server::start().await;
    let (leaf, key) = certificate(&["WWW.Example.org", "*.example.org"], 100 * DAY);
    let answer = acm(&server, "ImportCertificate", &import(&leaf, &key)).await;
    assert!(!answer.body.contains("PRIVATE"));
    let arn = told(&answer, 200).get("CertificateArn").and_then(Value::as_str).unwrap().to_owned();
    assert!(arn.starts_with("arn:aws:acm:us-east-1:000000000000:certificate/"), "{arn}");
    let by_arn = json!({"CertificateArn": arn});

    let list = told(&acm(&server, "ListCertificates", &json!({})).await, 200);
    let summaries = list["CertificateSummaryList"].as_array().unwrap();
    assert_eq!(summaries.len(), 1);
    assert_eq!(summaries[0]["DomainName"], "www.example.org");
    assert_eq!(summaries[0]["KeyAlgorithm"], "EC_prime256v1");
    let described = told(&acm(&server, "DescribeCertificate", &by_arn).await, 200);
    assert_eq!(described["Certificate"]["Status"], "ISSUED");
    let got = acm(&server, "GetCertificate", &by_arn).await;
    assert!(!got.body.contains("PRIVATE"));
    let same = |pem: &str| pem.split_whitespace().collect::<String>();
    assert_eq!(same(told(&got, 200)["Certificate"].as_str().unwrap()), same(&leaf));

    told(&acm(&server, "DeleteCertificate", &by_arn).await, 200);
    let gone = told(&acm(&server, "DescribeCertificate", &by_arn).await, 400);
    assert_eq!(gone["__type"], "ResourceNotFoundException");
}

#[tokio::test]
async fn what_is_no_good_certificate_is_refused() {
    let server = Server::start().await;
    let (good, key) = certificate(&["a.example"], DAY);
    let (_, other_key) = certificate(&["a.example"], DAY);
    let (expired, expired_key) = certificate(&["a.example"], -1);
    let (nameless, nameless_key) = certificate(&[], DAY);
    let chain = |chain: &str| {
        let mut wanted = import(&good, &key);
        wanted["CertificateChain"] = STANDARD.encode(chain).into();
        wanted
    };
    for (what, wanted) in [
        ("another's key", import(&good, &other_key)),
        ("no key", import(&good, &good)),
        ("no certificate", import(&key, &key)),
        ("expired", import(&expired, &expired_key)),
        ("no names", import(&nameless, &nameless_key)),
        ("two leaves", import(&format!("{good}{good}"), &key)),
        ("a chain of others", chain(&stranger())),
        ("no chain", chain("x")),
        ("no base64", json!({"Certificate": "%", "PrivateKey": "%"})),
    ] {
        let answer = told(&acm(&server, "ImportCertificate", &wanted).await, 400);
        assert_eq!(answer["__type"], "ValidationException", "{what}");
        assert!(!answer["message"].as_str().unwrap().is_empty(), "{what}");
    }
    let odd = told(&acm(&server, "ImportCertificate", &json!({"Colour": "red"})).await, 400);
    assert_eq!(odd["__type"], "ValidationException");
    let unknown = told(&acm(&server, "SearchCertificates", &json!({})).await, 400);
    assert_eq!(unknown["__type"], "UnknownOperationException");
    let list = told(&acm(&server, "ListCertificates", &json!({})).await, 200);
    assert_eq!(list["CertificateSummaryList"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_chain_is_kept_leaf_first() {
    let server = Server::start().await;
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = params(&[], -DAY, 100 * DAY);
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(DnType::CommonName, "an authority");
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let leaf = params(&["a.example"], -DAY, DAY).signed_by(&key, &issuer).unwrap().pem();
    let mut wanted = import(&leaf, &key.serialize_pem());
    wanted["CertificateChain"] = STANDARD.encode(&ca_pem).into();
    let arn = told(&acm(&server, "ImportCertificate", &wanted).await, 200);
    let got = told(&acm(&server, "GetCertificate", &arn).await, 200);
    let same = |pem: &str| pem.split_whitespace().collect::<String>();
    assert_eq!(same(got["Certificate"].as_str().unwrap()), same(&leaf));
    assert_eq!(same(got["CertificateChain"].as_str().unwrap()), same(&ca_pem));
}

#[tokio::test]
async fn a_certificate_in_use_stays_and_must_go_on_covering_its_aliases() {
    let server = Server::start().await;
    let arn = imported(&server, &["*.example.org"]).await;
    let uncovered = with_alias("u", "www.example.net", &arn);
    let refused = server.call("POST", "/distribution", uncovered).await;
    assert_eq!(refused.error(), (400, "InvalidViewerCertificate"));
    let made = server.call("POST", "/distribution", with_alias("r", "www.example.org", &arn)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let taken =
        server.call("POST", "/distribution", with_alias("s", "WWW.example.org", &arn)).await;
    assert_eq!(taken.error(), (409, "CNAMEAlreadyExists"));

    let used = told(&acm(&server, "DeleteCertificate", &json!({"CertificateArn": arn})).await, 400);
    assert_eq!(used["__type"], "ResourceInUseException");
    let again = async |names: &[&str]| {
        let (certificate, key) = certificate(names, 200 * DAY);
        let mut wanted = import(&certificate, &key);
        wanted["CertificateArn"] = arn.clone().into();
        acm(&server, "ImportCertificate", &wanted).await.status
    };
    assert_eq!(again(&["other.example.org"]).await, 400);
    assert_eq!(again(&["www.example.org"]).await, 200);
}

#[tokio::test]
async fn an_expired_certificate_does_not_keep_a_distribution_from_being_disabled() {
    let server = Server::start().await;
    let arn = imported(&server, &["*.example.org"]).await;
    let made = server.call("POST", "/distribution", with_alias("r", "www.example.org", &arn)).await;
    let place = format!("/distribution/{}/config", made.text("Id"));
    server.clock.set(NOON + 101 * 86_400_000);
    let config = server.call("GET", &place, "").await;
    let off = config.body.replace("<Enabled>true</Enabled><V", "<Enabled>false</Enabled><V");
    let updated = server.call_if("PUT", &place, &config.etag(), &off).await;
    assert_eq!(updated.status, 200, "{}", updated.body);
    let fresh = with_alias("s", "web.example.org", &arn);
    let refused = server.call("POST", "/distribution", fresh).await;
    assert_eq!(refused.error(), (400, "InvalidViewerCertificate"));
}

#[tokio::test]
async fn each_service_has_its_own_signature() {
    let server = Server::start().await;
    let mut sent =
        Sent::new("POST", "", "{}").with("x-amz-target", "CertificateManager.ListCertificates");
    sent.target = "/".into();
    let wrong = server.send_raw(&server.signed(sent.clone(), &server.signing())).await;
    assert_eq!(told(&wrong, 404)["__type"], "UnknownOperationException");
    sent.headers.push(("host".into(), "x".into()));
    let unsigned = told(&server.send_raw(&sent).await, 403);
    assert_eq!(unsigned["__type"], "MissingAuthenticationToken");
}
