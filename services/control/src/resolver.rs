//! Asking the DNS where a name leads, through the resolver of the settings or the system's.
//!
//! For: what `VerifyDnsConfiguration` needs to know, within a bounded time, never from a cache.
//! Not for: answering questions (`services/dns`).

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RData, RecordType},
    },
};
use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// How long one question may take, with all its tries.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long one try may take.
const TRY: Duration = Duration::from_millis(1800);
/// Tries beside the first.
const MORE_TRIES: usize = 1;

/// Where a name leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Led {
    /// The names that it is an alias for (CNAME), lower case, without a final dot.
    pub names: BTreeSet<String>,
    /// Addresses at the end.
    pub addresses: BTreeSet<IpAddr>,
}

/// Why it is not known where a name leads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The DNS says that there is nothing.
    #[error("the DNS has no address and no CNAME for it")]
    Nothing,
    /// The DNS does not say.
    #[error("the DNS could not be asked: {0}")]
    Unknown(String),
}

/// A resolver.
pub struct Resolver(Result<TokioResolver, String>);

impl Resolver {
    /// That at this address; the system's when none is given.
    pub fn new(address: Option<SocketAddr>) -> Self {
        let provider = TokioRuntimeProvider::default();
        let builder = match address {
            Some(address) => Ok(TokioResolver::builder_with_config(only(address), provider)),
            None => TokioResolver::builder(provider),
        };
        let built = builder.and_then(|mut builder| {
            let options = builder.options_mut();
            options.cache_size = 0;
            options.timeout = TRY;
            options.attempts = MORE_TRIES;
            options.preserve_intermediates = true;
            builder.build()
        });
        Self(built.map_err(|why| format!("{why}; set control.resolver")))
    }

    /// Where a name leads. For a wildcard, where a name below it does.
    ///
    /// # Errors
    /// [`Lost`], after at most some seconds. Dropping the call half-way leaves nothing behind.
    pub async fn led(&self, name: &str) -> Result<Led, Lost> {
        let unknown = |why: String| Lost::Unknown(why);
        let resolver = self.0.as_ref().map_err(|why| unknown(why.clone()))?;
        let asked =
            name.strip_prefix("*.").map_or_else(|| name.into(), |rest| format!("any.{rest}"));
        let mut asked = Name::from_ascii(asked).map_err(|why| unknown(why.to_string()))?;
        // Nothing is to be looked up below the system's own domains.
        asked.set_fqdn(true);
        let both = async {
            tokio::join!(
                question(resolver, &asked, RecordType::A),
                question(resolver, &asked, RecordType::AAAA)
            )
        };
        let late = |_| unknown(format!("no answer within {} s", PATIENCE.as_secs()));
        match tokio::time::timeout(PATIENCE, both).await.map_err(late)? {
            (Ok(mut one), Ok(other)) => {
                one.names.extend(other.names);
                one.addresses.extend(other.addresses);
                Ok(one)
            }
            (Ok(led), Err(_)) | (Err(_), Ok(led)) => Ok(led),
            (Err(Lost::Nothing), Err(why)) | (Err(why), Err(_)) => Err(why),
        }
    }
}

fn only(address: SocketAddr) -> ResolverConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut one| {
        one.port = address.port();
        one
    });
    let server = NameServerConfig::new(address.ip(), true, connections.into());
    ResolverConfig::from_name_servers(vec![server])
}

async fn question(resolver: &TokioResolver, name: &Name, kind: RecordType) -> Result<Led, Lost> {
    let answer = resolver.lookup(name.clone(), kind).await.map_err(|why| lost(&why))?;
    let mut led = Led::default();
    for record in answer.answers() {
        match &record.data {
            RData::CNAME(alias) => {
                let target = alias.0.to_ascii().to_ascii_lowercase();
                led.names.insert(target.trim_end_matches('.').to_owned());
            }
            RData::A(v4) => drop(led.addresses.insert(v4.0.into())),
            RData::AAAA(v6) => drop(led.addresses.insert(v6.0.into())),
            _ => {}
        }
    }
    if led == Led::default() { Err(Lost::Nothing) } else { Ok(led) }
}

fn lost(why: &NetError) -> Lost {
    match why {
        NetError::Dns(DnsError::NoRecordsFound(none))
            if matches!(none.response_code, ResponseCode::NXDomain | ResponseCode::NoError) =>
        {
            Lost::Nothing
        }
        NetError::Dns(DnsError::NoRecordsFound(none)) => {
            Lost::Unknown(format!("the resolver says {}", none.response_code))
        }
        NetError::Dns(DnsError::ResponseCode(code)) => {
            Lost::Unknown(format!("the resolver says {code}"))
        }
        why => Lost::Unknown(why.to_string()),
    }
}
