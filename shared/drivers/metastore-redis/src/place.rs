//! Where Redis is: the URL of the settings, and the way from it to the master of the day.
//!
//! Every key of this driver is in one slot, so there is always one server to talk to: the given
//! one, the one that a sentinel names, or the one that a cluster has given the slot to.

use crate::{fault::Fault, keys, url};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo,
    RedisError, TlsCertificates, Value, aio::MultiplexedConnection, cmd, io::tcp::TcpSettings,
};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::time::timeout;

/// Longest wait for one server to accept a connection.
const CONNECT: Duration = Duration::from_millis(900);
/// Longest wait for one of several servers to say who is master.
const ASK: Duration = Duration::from_millis(500);

/// Host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// How the master is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is the only one.
    Single,
    /// Sentinels know it by this name.
    Sentinel(String),
    /// The nodes know who has the slot.
    Cluster,
}

/// What the URL said.
#[derive(Debug)]
pub struct Place {
    /// How the master is found.
    pub kind: Kind,
    /// Servers, sentinels or nodes, at least one.
    pub hosts: Vec<Address>,
    /// How to introduce ourselves to Redis, and which database to use.
    pub login: RedisConnectionInfo,
    /// How to introduce ourselves to sentinels.
    pub sentinel_login: RedisConnectionInfo,
    /// None for plain TCP.
    pub tls: Option<TlsCertificates>,
    /// Which of the hosts answered last.
    pub answered: AtomicUsize,
}

impl Place {
    /// What [`crate::RedisStore::connect`] documents.
    pub fn parse(url: &str) -> Result<Self, Fault> {
        url::parse(url).map_err(|why| Fault::Refused(format!("metadata.url: {why}")))
    }

    /// A client of the master of this moment.
    pub async fn master(&self) -> Result<Client, Fault> {
        if let (Kind::Single, [host]) = (&self.kind, self.hosts.as_slice()) {
            return self.client(host, &self.login);
        }
        let mut last = Fault::gone("no server is named");
        let first = self.answered.load(Ordering::Relaxed);
        for turn in (first..).take(self.hosts.len()) {
            match self.ask(turn % self.hosts.len()).await {
                Ok(master) => {
                    self.answered.store(turn % self.hosts.len(), Ordering::Relaxed);
                    return self.client(&master, &self.login);
                }
                Err(fault) => last = fault,
            }
        }
        Err(last)
    }

    /// A connection to the master of this moment.
    pub async fn connect(&self) -> Result<MultiplexedConnection, Fault> {
        let client = self.master().await?;
        let mut connection = open(&client, CONNECT).await?;
        if matches!(self.kind, Kind::Sentinel(_)) {
            is_master(&mut connection).await?;
        }
        Ok(connection)
    }

    async fn ask(&self, which: usize) -> Result<Address, Fault> {
        let host = self.hosts.get(which).ok_or_else(|| Fault::gone("no server is named"))?;
        let login = match self.kind {
            Kind::Sentinel(_) => &self.sentinel_login,
            _ => &self.login,
        };
        let asked = async {
            let mut connection = open(&self.client(host, login)?, ASK).await?;
            match &self.kind {
                Kind::Sentinel(name) => named(&mut connection, name).await,
                _ => owner(&mut connection, host).await,
            }
        };
        timeout(ASK, asked).await.unwrap_or_else(|_| Err(silent(host)))
    }

    fn client(&self, address: &Address, login: &RedisConnectionInfo) -> Result<Client, Fault> {
        let (host, port) = (address.host.clone(), address.port);
        let to = match &self.tls {
            None => ConnectionAddr::Tcp(host, port),
            Some(_) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
        };
        let to = to
            .into_connection_info()?
            .set_redis_settings(login.clone())
            .set_tcp_settings(TcpSettings::default().set_nodelay(true));
        Ok(match &self.tls {
            None => Client::open(to)?,
            Some(certificates) => Client::build_with_tls(to, certificates.clone())?,
        })
    }
}

/// How long answers may take is for [`crate::link`] to say: it knows what was asked.
async fn open(client: &Client, patience: Duration) -> Result<MultiplexedConnection, Fault> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(patience))
        .set_response_timeout(None);
    let opening = client.get_multiplexed_async_connection_with_config(&config);
    match timeout(patience, opening).await {
        Ok(opened) => Ok(opened?),
        Err(_) => {
            Err(Fault::gone(&format!("{} does not answer", client.get_connection_info().addr())))
        }
    }
}

async fn named(sentinel: &mut MultiplexedConnection, name: &str) -> Result<Address, Fault> {
    let mut asked = cmd("SENTINEL");
    asked.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
    let master: Option<(String, u16)> = asked.query_async(sentinel).await?;
    match master {
        Some((host, port)) => Ok(Address { host, port }),
        None => Err(Fault::Refused(format!(
            "the sentinel knows no master {name:?}: see to the last part of metadata.url"
        ))),
    }
}

/// A sentinel may be behind the times, so who it names is asked as well.
async fn is_master(connection: &mut MultiplexedConnection) -> Result<(), Fault> {
    let role = timeout(ASK, cmd("ROLE").query_async::<Vec<Value>>(connection)).await;
    let role = role.map_err(|_| Fault::gone("the master does not say its role"))??;
    match role.first() {
        Some(Value::BulkString(role)) if role == b"master" => Ok(()),
        _ => Err(Fault::gone("the server that the sentinel names is not a master")),
    }
}

async fn owner(node: &mut MultiplexedConnection, asked: &Address) -> Result<Address, Fault> {
    let mut command = cmd("CLUSTER");
    command.arg("KEYSLOT").arg(keys::TAG);
    let slot: u64 = command.query_async(node).await.map_err(no_cluster)?;
    let ranges: Vec<Vec<Value>> = cmd("CLUSTER").arg("SLOTS").query_async(node).await?;
    ranges
        .iter()
        .find_map(|range| owner_in(range, slot, asked))
        .ok_or_else(|| Fault::gone(&format!("no node of the cluster owns the slot {slot}")))
}

fn no_cluster(error: RedisError) -> Fault {
    if error.to_string().contains("cluster support disabled") {
        return Fault::Refused(
            "this Redis is no cluster: say redis:// instead of redis+cluster:// in metadata.url"
                .to_owned(),
        );
    }
    error.into()
}

/// `[first slot, last slot, [host, port, …], replicas …]`; a node that does not know its own host
/// leaves it empty, and means the one that it was asked by.
fn owner_in(range: &[Value], slot: u64, asked: &Address) -> Option<Address> {
    let [first, last, Value::Array(master), ..] = range else { return None };
    let (first, last): (u64, u64) = (number(first)?, number(last)?);
    if !(first..=last).contains(&slot) {
        return None;
    }
    let port = u16::try_from(number(master.get(1)?)?).ok()?;
    let host = match master.first()? {
        Value::BulkString(host) if !host.is_empty() => String::from_utf8(host.clone()).ok()?,
        _ => asked.host.clone(),
    };
    Some(Address { host, port })
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

fn silent(host: &Address) -> Fault {
    Fault::gone(&format!("{}:{} does not answer", host.host, host.port))
}
