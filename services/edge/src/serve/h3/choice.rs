//! Whether and with which certificate a name is served over HTTP/3.
//!
//! For: TLS 1.3 by the name that a viewer asks for, and what was agreed. Names of distributions
//! without HTTP/3, and viewers that say no name, are refused in the handshake: they come back over
//! TCP. No 0-RTT (a request could be replayed) and no resumption: every handshake is a full one.
//! Not for: making certificates ready (`certificates`).

use crate::{asked::TlsFacts, pipeline::Engine, plans::Known};
use quinn::{
    ServerConfig, TransportConfig,
    crypto::rustls::{NoInitialCipherSuite, QuicServerConfig},
};
use rustls::{
    CipherSuite,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
    version::TLS13,
};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// The only protocol that is spoken here (RFC 9114 §3.1).
const ALPN: &[u8] = b"h3";

/// Why QUIC cannot be spoken at all.
#[derive(Debug, thiserror::Error)]
pub enum Unspeakable {
    /// TLS 1.3 is missing.
    #[error("TLS 1.3 cannot be spoken: {0}")]
    Tls(#[from] rustls::Error),
    /// The cipher that QUIC begins with is missing.
    #[error(transparent)]
    Cipher(#[from] NoInitialCipherSuite),
}

/// What every connection's choice is made from.
#[derive(Clone)]
pub struct Choice {
    engine: Arc<Engine>,
    tls: Arc<rustls::ServerConfig>,
    base: Arc<ServerConfig>,
}

/// What one connection asks for and is given.
pub struct Agreed {
    engine: Arc<Engine>,
    provider: Arc<CryptoProvider>,
    asked: OnceLock<(String, CipherSuite)>,
}

impl Choice {
    /// Ready to choose.
    ///
    /// # Errors
    /// When TLS 1.3 is missing.
    pub fn new(engine: Arc<Engine>, transport: Arc<TransportConfig>) -> Result<Self, Unspeakable> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let nobody = Arc::new(Agreed::new(&engine, &provider));
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .with_no_client_auth()
            .with_cert_resolver(nobody);
        tls.alpn_protocols = vec![ALPN.to_vec()];
        tls.session_storage = Arc::new(NoServerSessionStorage {});
        tls.send_tls13_tickets = 0;
        let tls = Arc::new(tls);
        let quic = QuicServerConfig::try_from(tls.clone())?;
        let mut base = ServerConfig::with_crypto(Arc::new(quic));
        base.transport_config(transport);
        Ok(Self { engine, tls, base: Arc::new(base) })
    }

    /// For the socket itself; every connection gets its own by [`Choice::config`].
    pub fn any(&self) -> ServerConfig {
        ServerConfig::clone(&self.base)
    }

    /// For one connection, with what will have been agreed once its handshake is over.
    ///
    /// # Errors
    /// As [`Choice::new`].
    pub fn config(&self) -> Result<(Arc<ServerConfig>, Arc<Agreed>), Unspeakable> {
        let agreed = Arc::new(Agreed::new(&self.engine, self.tls.crypto_provider()));
        let mut tls = rustls::ServerConfig::clone(&self.tls);
        tls.cert_resolver = agreed.clone();
        let mut config = self.any();
        config.crypto = Arc::new(QuicServerConfig::try_from(Arc::new(tls))?);
        Ok((Arc::new(config), agreed))
    }
}

impl Agreed {
    fn new(engine: &Arc<Engine>, provider: &Arc<CryptoProvider>) -> Self {
        Self { engine: engine.clone(), provider: provider.clone(), asked: OnceLock::new() }
    }

    /// What was agreed.
    pub fn facts(&self) -> Arc<TlsFacts> {
        let (sni, cipher) = self.asked.get().cloned().unzip();
        let cipher = cipher.as_ref().and_then(CipherSuite::as_str).unwrap_or_default();
        let cipher = cipher.replacen("TLS13_", "TLS_", 1);
        Arc::new(TlsFacts { sni, version: "TLSv1.3", cipher, reused: false })
    }

    /// The cipher that rustls takes: of what we have, what the viewer names first. All of them are
    /// of TLS 1.3 and go with every key.
    fn cipher(&self, hello: &ClientHello<'_>) -> Option<CipherSuite> {
        let ours = &self.provider.cipher_suites;
        let is_ours = |one: &CipherSuite| {
            ours.iter().any(|suite| suite.suite() == *one && suite.tls13().is_some())
        };
        hello.cipher_suites().iter().copied().find(is_ours)
    }
}

impl ResolvesServerCert for Agreed {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?;
        let cipher = self.cipher(&hello)?;
        let known: arc_swap::Guard<Arc<Known>> = self.engine.known();
        let key = known.key_for_h3(name)?;
        let _ = self.asked.set((name.to_ascii_lowercase(), cipher));
        Some(key)
    }
}

impl fmt::Debug for Agreed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Agreed").field("asked", &self.asked).finish_non_exhaustive()
    }
}
