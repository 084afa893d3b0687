//! The connection to the certificate authority: HTTPS, bounded in time and size.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use std::{path::Path, pin::Pin, sync::Arc, time::Duration};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest answer in bytes.
const MOST_BODY: usize = 1 << 20;

/// A client that believes the authorities of the web, of this machine, and those of settings.
#[derive(Clone)]
pub struct Http(Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>);

impl Http {
    /// Ready to ask; `extra` is the file of further authorities.
    ///
    /// # Errors
    /// A text that names the setting when the file cannot be used.
    pub fn new(extra: Option<&Path>) -> Result<Self, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|why| format!("TLS cannot be spoken: {why}"))?
            .with_root_certificates(roots(extra)?)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_http1()
            .enable_http2()
            .build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }
}

fn roots(extra: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    // Those of the machine that cannot be read nobody could mend from here.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let Some(path) = extra else { return Ok(roots) };
    let wrong = |why: String| format!("acme.ca_file: {}: {why}", path.display());
    let all = CertificateDer::pem_file_iter(path).map_err(|why| wrong(why.to_string()))?;
    let before = roots.len();
    for certificate in all {
        let certificate = certificate.map_err(|why| wrong(why.to_string()))?;
        roots.add(certificate).map_err(|why| wrong(why.to_string()))?;
    }
    if roots.len() == before {
        return Err(wrong("holds no PEM certificate".into()));
    }
    Ok(roots)
}

impl HttpClient for Http {
    fn request(
        &self,
        request: http::Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let asking = self.0.request(request);
        Box::pin(async move {
            let answer = async {
                let answered = asking.await.map_err(|why| Error::Other(Box::new(why)))?;
                let (parts, body) = answered.into_parts();
                let body = Limited::new(body, MOST_BODY).collect().await.map_err(Error::Other)?;
                Ok(BytesResponse { parts, body: Box::new(body.to_bytes()) })
            };
            let late = |_| Err(Error::Other("no answer within 20 s".into()));
            tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(late)
        })
    }
}
