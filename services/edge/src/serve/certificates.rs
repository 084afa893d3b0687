//! Which certificate and which TLS settings a server name gets.
//!
//! For: ready-made rustls configurations, one for each certificate, oldest version and protocol
//! list, made when certificates change and never while a viewer waits.
//! Not for: finding the distribution behind a name (`plans`).

use crate::challenges::ALPN;
use kit::seal::{SealError, Seals};
use model::{
    feed::{CERTIFICATES, Certificate, Sealed},
    plan::{Plan, TlsMinimum},
};
use rustls::{
    ServerConfig, SupportedProtocolVersion,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{NoServerSessionStorage, ProducesTickets},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use std::{collections::BTreeMap, sync::Arc};

/// Why a certificate cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The key does not open.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// The chain or the key is not PEM.
    #[error("its PEM cannot be read: {0}")]
    Pem(String),
    /// The key is of no kind that TLS knows here, or is not the certificate's own.
    #[error("its key cannot be used: {0}")]
    Key(String),
}

/// What all configurations share: the provider, one key for session tickets, and what opens the
/// certificates' keys.
#[derive(Clone)]
pub struct Shared {
    provider: Arc<CryptoProvider>,
    tickets: Arc<dyn ProducesTickets>,
    seals: Seals,
}

/// What a configuration is chosen by: the certificate's ARN (empty: the zone's own), the oldest
/// version, and whether HTTP/2 is offered.
type Choice = (String, bool, bool);

/// All configurations of one state of the feed.
#[derive(Default)]
pub struct Certificates {
    keys: BTreeMap<String, (Certificate, Arc<CertifiedKey>)>,
    configs: BTreeMap<Choice, Arc<ServerConfig>>,
}

impl Shared {
    /// A fresh key for tickets: sessions of an earlier process are not resumed.
    ///
    /// # Errors
    /// When the machine gives no random bytes.
    pub fn new(seals: Seals) -> Result<Self, rustls::Error> {
        Ok(Self {
            seals,
            provider: Arc::new(aws_lc_rs::default_provider()),
            tickets: aws_lc_rs::Ticketer::new()?,
        })
    }

    /// For handshakes that only show a proof (RFC 8737 §3); the record of the key is at `place`.
    ///
    /// # Errors
    /// When the certificate or its key cannot be used.
    pub fn challenge(
        &self,
        place: &str,
        chain: &str,
        key: &Sealed,
    ) -> Result<Arc<ServerConfig>, Unusable> {
        let key = certified(&self.seals, place, chain, key)?;
        let mut config = self
            .config(&key, &Choice::default())
            .ok_or_else(|| Unusable::Key("TLS cannot be spoken".into()))?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Arc::new(config))
    }

    fn config(&self, key: &Arc<CertifiedKey>, choice: &Choice) -> Option<ServerConfig> {
        let versions: &[&SupportedProtocolVersion] =
            if choice.1 { &[&TLS13] } else { &[&TLS13, &TLS12] };
        let mut config = ServerConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(versions)
            .ok()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(key.clone())));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if choice.2 {
            config.alpn_protocols.insert(0, b"h2".to_vec());
        }
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = self.tickets.clone();
        Some(config)
    }
}

impl Certificates {
    /// The configurations for these certificates, with the names under which they are kept; what has not changed is taken from `before`.
    /// Also says which cannot be used, and why: what was there before stays in their place.
    pub fn build(
        shared: &Shared,
        certificates: impl IntoIterator<Item = (String, Certificate)>,
        before: &Self,
    ) -> (Self, Vec<(String, Unusable)>) {
        let (mut built, mut unusable) = (Self::default(), Vec::new());
        for (name, certificate) in certificates {
            let arn = certificate.arn.clone();
            match before.keys.get(&arn).filter(|known| known.0 == certificate) {
                Some(known) => built.keep(&arn, known.clone(), before),
                None => match parse(shared, &name, &certificate) {
                    Ok(key) => built.add(shared, &arn, certificate, &key),
                    Err(why) => {
                        if let Some(known) = before.keys.get(&arn) {
                            built.keep(&arn, known.clone(), before);
                        }
                        unusable.push((arn, why));
                    }
                },
            }
        }
        (built, unusable)
    }

    fn keep(&mut self, arn: &str, known: (Certificate, Arc<CertifiedKey>), before: &Self) {
        self.keys.insert(arn.to_owned(), known);
        let of_it = before.configs.iter().filter(|(choice, _)| choice.0 == arn);
        self.configs.extend(of_it.map(|(choice, config)| (choice.clone(), config.clone())));
    }

    fn add(&mut self, shared: &Shared, arn: &str, from: Certificate, key: &Arc<CertifiedKey>) {
        for (tls13_only, h2) in [(false, false), (false, true), (true, false), (true, true)] {
            let choice = (arn.to_owned(), tls13_only, h2);
            if let Some(config) = shared.config(key, &choice) {
                self.configs.insert(choice, Arc::new(config));
            }
        }
        self.keys.insert(arn.to_owned(), (from, key.clone()));
    }

    /// How a viewer is served that asked for a name of `plan`: by an alias, or by the zone's name.
    /// None when there is not even a certificate for the zone.
    pub fn config(&self, plan: Option<&Plan>, by_alias: bool) -> Option<Arc<ServerConfig>> {
        let Some(plan) = plan else {
            return self.configs.get(&(String::new(), false, true)).cloned();
        };
        let arn = self.arn(plan, by_alias).to_owned();
        let tls13_only = plan.viewer_tls.minimum == TlsMinimum::Tls13;
        self.configs.get(&(arn, tls13_only, plan.http.h2)).cloned()
    }

    /// The certificate with its key, by the same choice.
    pub fn key(&self, plan: &Plan, by_alias: bool) -> Option<Arc<CertifiedKey>> {
        self.keys.get(self.arn(plan, by_alias)).map(|(_, key)| key.clone())
    }

    /// The plan's own certificate for its aliases, if we have it; else the zone's.
    fn arn<'a>(&self, plan: &'a Plan, by_alias: bool) -> &'a str {
        match &plan.viewer_tls.certificate {
            Some(arn) if by_alias && self.keys.contains_key(arn) => arn,
            _ => "",
        }
    }
}

fn parse(
    shared: &Shared,
    name: &str,
    certificate: &Certificate,
) -> Result<Arc<CertifiedKey>, Unusable> {
    let place = format!("{CERTIFICATES}{name}");
    let certified = certified(&shared.seals, &place, &certificate.chain, &certificate.key)?;
    certified.keys_match().map_err(|why| Unusable::Key(why.to_string()))?;
    Ok(certified)
}

/// Whether the key is the certificate's own is not looked at: of a certificate that carries a proof,
/// whose extension is critical, that could not be told.
fn certified(
    seals: &Seals,
    place: &str,
    chain: &str,
    key: &Sealed,
) -> Result<Arc<CertifiedKey>, Unusable> {
    let pem = |why: rustls_pki_types::pem::Error| Unusable::Pem(why.to_string());
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(pem)?;
    let open = seals.open(place, key)?;
    let key = PrivateKeyDer::from_pem_slice(open.0.as_bytes()).map_err(pem)?;
    let key =
        aws_lc_rs::sign::any_supported_type(&key).map_err(|why| Unusable::Key(why.to_string()))?;
    Ok(Arc::new(CertifiedKey::new(chain, key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{certificate, plan, seals};
    use model::feed::Secret;

    /// Under its ARN as its name.
    fn parsed(arn: &str) -> (String, Certificate) {
        (arn.to_owned(), serde_json::from_slice(&certificate(arn, arn, &["d1.test"])).unwrap())
    }

    fn shared() -> Shared {
        Shared::new(seals()).unwrap()
    }

    #[test]
    fn a_key_is_opened_for_its_own_certificate_only() {
        let shared = shared();
        let (_, mut sealed) = parsed("arn:1");
        let clear = shared.seals.open("certificate/arn:1", &sealed.key).unwrap();
        sealed.key = shared.seals.seal("certificate/a", &clear).unwrap();
        for (name, wrong) in [("a", 0), ("b", 1)] {
            let one = [(name.to_owned(), sealed.clone())];
            let (_, unusable) = Certificates::build(&shared, one, &Certificates::default());
            assert_eq!(unusable.len(), wrong, "{name}: {unusable:?}");
        }
    }

    #[test]
    fn a_pair_that_somebody_wrote_who_has_no_sealing_key_is_not_served() {
        let shared = shared();
        let (name, mut planted) = parsed("arn:1");
        let clear = shared.seals.open("certificate/arn:1", &planted.key).unwrap();
        planted.key = Sealed(clear.0);
        let (built, unusable) =
            Certificates::build(&shared, [(name, planted)], &Certificates::default());
        assert!(built.keys.is_empty());
        assert!(unusable[0].1.to_string().contains("in clear"), "{unusable:?}");
    }

    #[test]
    fn what_has_not_changed_is_not_made_again() {
        let shared = shared();
        let zone = parsed("");
        let (first, _) = Certificates::build(&shared, [zone.clone()], &Certificates::default());
        let (second, _) = Certificates::build(&shared, [zone, parsed("arn:1")], &first);
        let (one, two) = (first.config(None, false), second.config(None, false));
        assert!(Arc::ptr_eq(&one.unwrap(), &two.unwrap()));
    }

    #[test]
    fn a_certificate_that_cannot_be_used_leaves_the_old_one_in_its_place() {
        let shared = shared();
        let good = [parsed(""), parsed("arn:1")];
        let (first, none) = Certificates::build(&shared, good, &Certificates::default());
        assert!(none.is_empty());
        let with = |arn: &str, key| (arn.to_owned(), Certificate { key, ..parsed(arn).1 });
        let sealed = |place: &str, text: &str| seals().seal(place, &Secret(text.into())).unwrap();
        let other = seals().open("certificate/", &parsed("").1.key).unwrap();
        let other_key = with("arn:1", sealed("certificate/arn:1", &other.0));
        let no_key = with("", sealed("certificate/", "-----BEGIN nonsense"));
        let (second, unusable) = Certificates::build(&shared, [no_key, other_key], &first);
        assert_eq!(unusable.len(), 2);
        let mut plan = plan();
        plan.viewer_tls.certificate = Some("arn:1".into());
        for by_alias in [false, true] {
            let before = first.config(Some(&plan), by_alias).unwrap();
            let after = second.config(Some(&plan), by_alias).unwrap();
            assert!(Arc::ptr_eq(&before, &after));
        }
    }
}
