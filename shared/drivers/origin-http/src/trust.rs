//! Which certificates of origins are believed, and for which names.

use ports::origin::OriginError;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use std::sync::Arc;

/// Authorities, and TLS settings made from them.
pub(crate) struct Trust {
    provider: Arc<CryptoProvider>,
    verifier: Arc<WebPkiServerVerifier>,
    plain: Offers,
}

/// The same settings with and without HTTP/2 among the protocols that are offered.
struct Offers {
    both: Arc<ClientConfig>,
    only_http1: Arc<ClientConfig>,
}

impl Offers {
    fn new(both: ClientConfig) -> Self {
        let mut only_http1 = both.clone();
        only_http1.alpn_protocols.retain(|name| name != b"h2");
        Self { both: Arc::new(both), only_http1: Arc::new(only_http1) }
    }

    fn settings(&self, http2: bool) -> Arc<ClientConfig> {
        Arc::clone(if http2 { &self.both } else { &self.only_http1 })
    }
}

impl Trust {
    /// Mozilla's authorities, those of the machine if wanted, and `extra` ones.
    ///
    /// Errors: [`OriginError::Tls`] when an extra text holds no certificate or a broken one. Broken
    /// certificates of the machine are skipped: nobody could mend them from here.
    pub fn new(extra: &[Vec<u8>], native: bool) -> Result<Self, OriginError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(
            Arc::new(authorities(extra, native)?),
            Arc::clone(&provider),
        )
        .build()
        .map_err(|e| OriginError::Tls(format!("the authorities cannot be used: {e}")))?;
        let plain = Offers::new(settings(&provider, Arc::clone(&verifier) as _)?);
        Ok(Self { provider, verifier, plain })
    }

    /// Settings for a server that is called `name` in SNI and `host` in the plan: its certificate
    /// may be for either. With `http2`, that is offered beside HTTP/1.1.
    pub fn settings(
        &self,
        name: &str,
        host: &str,
        http2: bool,
    ) -> Result<Arc<ClientConfig>, OriginError> {
        let other = ServerName::try_from(host.to_owned());
        match other {
            Ok(other) if name != host => {
                let either = EitherName { inner: Arc::clone(&self.verifier), other };
                let settings = settings(&self.provider, Arc::new(either))?;
                Ok(Offers::new(settings).settings(http2))
            }
            _ => Ok(self.plain.settings(http2)),
        }
    }
}

fn authorities(extra: &[Vec<u8>], native: bool) -> Result<RootCertStore, OriginError> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if native {
        let found = rustls_native_certs::load_native_certs();
        let (used, broken) = roots.add_parsable_certificates(found.certs);
        tracing::debug!(used, broken, "read the machine's certificate authorities");
    }
    for pem in extra {
        add_pem(&mut roots, pem)?;
    }
    Ok(roots)
}

fn add_pem(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), OriginError> {
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|e| unreadable(&e.to_string()))?;
        roots.add(certificate).map_err(|e| unreadable(&e.to_string()))?;
    }
    if roots.len() == before {
        return Err(unreadable("no CERTIFICATE block in it"));
    }
    Ok(())
}

fn unreadable(why: &str) -> OriginError {
    OriginError::Tls(format!("the PEM file of further authorities cannot be used: {why}"))
}

fn settings(
    provider: &Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<ClientConfig, OriginError> {
    let mut settings = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| OriginError::Tls(e.to_string()))?
        .dangerous() // the verifier below is webpki's, asked about one name or two
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    settings.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(settings)
}

/// Accepts a certificate for the name in SNI or for one other.
///
/// Source: CloudFront developer guide: the certificate matches the origin's domain name or, when
/// Host is forwarded, the Host.
#[derive(Debug)]
struct EitherName {
    inner: Arc<WebPkiServerVerifier>,
    other: ServerName<'static>,
}

impl ServerCertVerifier for EitherName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |name: &ServerName<'_>| {
            self.inner.verify_server_cert(end_entity, intermediates, name, ocsp_response, now)
        };
        match verify(server_name) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => verify(&self.other),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
