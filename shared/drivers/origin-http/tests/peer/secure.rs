//! Servers that speak TLS, and HTTP/2 within it.

use super::Peer;
use bytes::Bytes;
use h2::{
    RecvStream,
    server::{Connection, SendResponse},
};
use http::{Request, Response};
use model::plan::{Origin as OriginPlan, OriginKind, OriginProtocol};
use nearfront_origin_http::{HttpOrigin, HttpOriginConfig};
use rcgen::KeyPair;
use rustls::pki_types::PrivateKeyDer;
use std::{future::Future, sync::Arc};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// What a server of HTTP/2 sees.
pub type Spoken = Connection<TlsStream<TcpStream>, Bytes>;

/// A request, and where its answer goes.
pub type Asked = (Request<RecvStream>, SendResponse<Bytes>);

/// A certificate for `localhost`, in PEM and as a server uses it.
pub fn acceptor(protocols: &[&str]) -> (TlsAcceptor, String) {
    let key = KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    (TlsAcceptor::from(Arc::new(config)), certificate.pem())
}

/// A driver that trusts this certificate.
pub fn trusting(pem: &str) -> HttpOrigin {
    HttpOrigin::new(&HttpOriginConfig {
        extra_roots_pem: vec![pem.into()],
        native_roots: false,
        ..HttpOriginConfig::default()
    })
    .unwrap()
}

/// A server that speaks HTTP/2 with these settings, and one that trusts it. `script` gets each
/// connection and its number.
pub async fn http2<F, D>(settings: fn(&mut h2::server::Builder), script: F) -> (Peer, HttpOrigin)
where
    F: Fn(usize, Spoken) -> D + Clone + Send + 'static,
    D: Future<Output = Result<(), h2::Error>> + Send + 'static,
{
    let (acceptor, pem) = acceptor(&["h2", "http/1.1"]);
    let peer = Peer::scripted(move |number, stream| {
        let (acceptor, script) = (acceptor.clone(), script.clone());
        async move {
            let tls = acceptor.accept(stream).await?;
            let mut builder = h2::server::Builder::new();
            settings(&mut builder);
            let spoken = builder.handshake(tls).await.map_err(std::io::Error::other)?;
            script(number, spoken).await.map_err(std::io::Error::other)
        }
    })
    .await;
    (peer, trusting(&pem))
}

/// Nothing out of the ordinary.
pub fn usual(_: &mut h2::server::Builder) {}

/// A plan that leads to a server over TLS, with timeouts of one second.
pub fn plan(peer: &Peer) -> OriginPlan {
    let mut plan = super::plan("localhost", peer.address.port());
    if let OriginKind::Custom { protocol, .. } = &mut plan.kind {
        *protocol = OriginProtocol::Https;
    }
    plan
}

/// Answers 200 with this body.
pub fn say((_, mut answer): Asked, body: &str) -> Result<(), h2::Error> {
    let mut body_goes = answer.send_response(Response::new(()), false)?;
    body_goes.send_data(Bytes::copy_from_slice(body.as_bytes()), true)
}
