//! Certificates that are good, and those that are not.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod peer;

use http::Method;
use model::plan::{Origin as OriginPlan, OriginKind, OriginProtocol};
use nearfront_origin_http::{HttpOrigin, HttpOriginConfig};
use peer::{Peer, head, request, text};
use ports::origin::{Origin, OriginError};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    called("One")
}

fn called(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

/// A server that shows this certificate and says which name it was asked for.
async fn server(certificate: CertificateDer<'static>, key: &KeyPair) -> Peer {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    Peer::scripted(move |_, stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut tls = acceptor.accept(stream).await?;
            let sni = tls.get_ref().1.server_name().unwrap_or("none").to_owned();
            loop {
                head(&mut tls).await?;
                let answer =
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{sni}", sni.len());
                tls.write_all(answer.as_bytes()).await?;
            }
        }
    })
    .await
}

async fn signed(authority: &Authority, params: CertificateParams) -> Peer {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    server(certificate.der().clone(), &key).await
}

fn trusting(authority: &Authority) -> HttpOrigin {
    HttpOrigin::new(&HttpOriginConfig {
        extra_roots_pem: vec![authority.pem().into_bytes()],
        native_roots: false,
        ..HttpOriginConfig::default()
    })
    .unwrap()
}

fn secure(peer: &Peer) -> OriginPlan {
    let mut plan = peer::plan("localhost", peer.address.port());
    if let OriginKind::Custom { protocol, .. } = &mut plan.kind {
        *protocol = OriginProtocol::Https;
    }
    plan
}

async fn ask(driver: &HttpOrigin, peer: &Peer, host: &'static str) -> Result<String, OriginError> {
    let request = request(Method::GET, "/", &[("host", host)], None);
    Ok(text(driver.fetch(&secure(peer), request).await?).await)
}

#[tokio::test]
async fn a_certificate_for_the_origins_name_is_good() {
    let authority = authority();
    let peer = signed(&authority, params("localhost")).await;
    let driver = trusting(&authority);
    assert_eq!(ask(&driver, &peer, "localhost").await.unwrap(), "localhost");
    assert_eq!(ask(&driver, &peer, "localhost").await.unwrap(), "localhost");
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn a_forwarded_host_is_asked_for_and_may_be_what_the_certificate_says() {
    let authority = authority();
    let driver = trusting(&authority);
    let of_the_host = signed(&authority, params("www.example")).await;
    let said = ask(&driver, &of_the_host, "www.example:8443").await;
    assert_eq!(said.unwrap(), "www.example");
    let of_the_origin = signed(&authority, params("localhost")).await;
    let said = ask(&driver, &of_the_origin, "www.example").await;
    assert_eq!(said.unwrap(), "www.example");
}

#[tokio::test]
async fn connections_for_two_hosts_are_not_mixed() {
    let authority = authority();
    let driver = trusting(&authority);
    let peer = signed(&authority, params("localhost")).await;
    assert_eq!(ask(&driver, &peer, "a.example").await.unwrap(), "a.example");
    assert_eq!(ask(&driver, &peer, "b.example").await.unwrap(), "b.example");
    assert_eq!(peer.connections(), 2);
}

async fn refused(driver: &HttpOrigin, peer: &Peer) -> String {
    match ask(driver, peer, "www.example").await {
        Err(OriginError::Tls(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let authority = authority();
    let peer = signed(&authority, params("other.example")).await;
    let why = refused(&trusting(&authority), &peer).await;
    assert!(why.contains("not valid for name"), "{why}");
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let authority = authority();
    let mut old = params("localhost");
    old.not_before = date_time_ymd(2020, 1, 1);
    old.not_after = date_time_ymd(2020, 2, 1);
    let peer = signed(&authority, old).await;
    let why = refused(&trusting(&authority), &peer).await;
    assert!(why.contains("expired"), "{why}");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let peer = signed(&called("Another"), params("localhost")).await;
    let why = refused(&trusting(&authority()), &peer).await;
    assert!(why.contains("origin_ca_file"), "{why}");
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused() {
    let key = KeyPair::generate().unwrap();
    let certificate = params("localhost").self_signed(&key).unwrap();
    let peer = server(certificate.der().clone(), &key).await;
    refused(&trusting(&authority()), &peer).await;
}

#[tokio::test]
async fn plain_http_on_the_tls_port_is_a_tls_failure() {
    let peer = Peer::scripted(|_, mut stream| async move {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await?;
        peer::drain(&mut stream).await
    })
    .await;
    refused(&trusting(&authority()), &peer).await;
}

#[test]
fn a_file_without_certificates_is_refused_at_the_start() {
    for text in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let config = HttpOriginConfig {
            extra_roots_pem: vec![text.into()],
            native_roots: false,
            ..HttpOriginConfig::default()
        };
        assert!(matches!(HttpOrigin::new(&config), Err(OriginError::Tls(_))), "{text:?}");
    }
}
