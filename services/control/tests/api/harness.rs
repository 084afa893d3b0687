//! The service on a free port with a file of its own, a clock that stands still, and a client that
//! signs as AWS's own crate does.

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4,
};
use kit::{drain::Stopper, health::Health, metrics::Metrics, service::World, settings::Settings};
use metastore_embedded::EmbeddedStore;
use model::{
    ids::EdgeId,
    units::{Revision, Timestamp},
};
use nearfront_control::{AccessKey, Running, StartError};
use ports::{
    clock::Clock,
    metastore::{Changes, Commit, CommitError, Entry, MetaStore, Snapshot, StoreError},
    registry::{Beat, EdgeRegistry},
};
use std::{
    fmt::Write as _,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// 1 March 2026, noon.
pub const NOON: u64 = 1_772_366_400_000;

/// Stands still until it is moved.
pub struct TestClock(AtomicU64);

impl TestClock {
    pub fn set(&self, milliseconds: u64) {
        self.0.store(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A store that does what it is asked and, when told so, keeps silent about it, or breaks down after it.
pub struct Moody {
    inner: EmbeddedStore,
    pub silent: AtomicBool,
    pub breaks: AtomicBool,
}

impl Moody {
    fn mood(&self) -> Result<(), StoreError> {
        if self.silent.load(Ordering::SeqCst) {
            return Err(StoreError::Unreachable("no answer".into()));
        }
        assert!(!self.breaks.load(Ordering::SeqCst), "broken, as the test wants it");
        Ok(())
    }
}

#[async_trait]
impl MetaStore for Moody {
    async fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.inner.get(key).await
    }
    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.inner.list(prefix, after, limit).await
    }
    async fn commit(&self, commit: Commit) -> Result<Revision, CommitError> {
        let done = self.inner.commit(commit).await?;
        self.mood()?;
        Ok(done)
    }
    async fn snapshot(&self, prefixes: &[&str]) -> Result<Snapshot, StoreError> {
        self.inner.snapshot(prefixes).await
    }
    async fn changes(&self, after: Revision, limit: usize) -> Result<Changes, StoreError> {
        self.inner.changes(after, limit).await
    }
    async fn changed(&self, after: Revision) -> Result<(), StoreError> {
        self.inner.changed(after).await
    }
}

/// Edges that have come exactly as far as the test says.
#[derive(Default)]
pub struct Edges(std::sync::Mutex<Vec<Beat>>);

impl Edges {
    pub fn are(&self, acknowledged: &[Revision]) {
        let beat = |(number, acknowledged): (usize, &Revision)| Beat {
            role: ports::registry::Role::Edge,
            id: EdgeId(format!("edge-{number}")),
            incarnation: 1,
            pop: "TST1-P1".into(),
            position: None,
            addresses: Vec::new(),
            http_port: None,
            https_port: None,
            acknowledged: *acknowledged,
        };
        *self.0.lock().unwrap() = acknowledged.iter().enumerate().map(beat).collect();
    }
}

#[async_trait]
impl EdgeRegistry for Edges {
    async fn beat(&self, _: &Beat) -> Result<(), StoreError> {
        Ok(())
    }
    async fn leave(&self, _: &EdgeId) -> Result<(), StoreError> {
        Ok(())
    }
    async fn edges(&self) -> Result<Vec<Beat>, StoreError> {
        Ok(self.0.lock().unwrap().clone())
    }
}

/// The service under test; ends with the value.
pub struct Server {
    pub running: Running,
    pub clock: Arc<TestClock>,
    pub store: Arc<Moody>,
    pub edges: Arc<Edges>,
    pub folder: Arc<TempDir>,
    pub health: Health,
    stopper: Stopper,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn etag(&self) -> String {
        self.header("etag").unwrap().to_owned()
    }

    /// The text of the first element of this name.
    pub fn text(&self, element: &str) -> &str {
        let (_, rest) = self
            .body
            .split_once(&format!("<{element}>"))
            .unwrap_or_else(|| panic!("no <{element}> in {}", self.body));
        rest.split_once(&format!("</{element}>")).unwrap().0
    }

    /// Status and error code.
    pub fn error(&self) -> (u16, &str) {
        assert!(self.body.contains("<ErrorResponse xmlns="), "{}", self.body);
        assert_eq!(Some(self.text("RequestId")), self.header("x-amzn-requestid"));
        (self.status, self.text("Code"))
    }
}

/// What is sent; tests bend it before and after it is signed.
#[derive(Clone, Debug)]
pub struct Sent {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Sent {
    pub fn new(method: &str, target: &str, body: impl AsRef<[u8]>) -> Self {
        Self {
            method: method.into(),
            target: format!("/2020-05-31{target}"),
            headers: Vec::new(),
            body: body.as_ref().to_vec(),
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn header_mut(&mut self, name: &str) -> &mut String {
        &mut self.headers.iter_mut().find(|(key, _)| key == name).unwrap().1
    }
}

/// How a request is signed.
pub struct Signing<'a> {
    pub key: &'a str,
    pub secret: &'a str,
    pub region: &'a str,
    pub service: &'a str,
    pub at: u64,
    pub presigned_for: Option<u64>,
}

impl Server {
    pub async fn start() -> Self {
        let folder = Arc::new(TempDir::new().unwrap());
        Self::start_in(folder, "nearfront.localhost", NOON).await
    }

    pub async fn start_in(folder: Arc<TempDir>, zone: &str, now: u64) -> Self {
        Self::tried(folder, zone, now).await.unwrap()
    }

    /// Why it does not start in this folder.
    pub async fn refuses(folder: Arc<TempDir>) -> String {
        let tried = Self::tried(folder, "nearfront.localhost", NOON).await;
        tried.err().map(|why| why.to_string()).unwrap()
    }

    async fn tried(folder: Arc<TempDir>, zone: &str, now: u64) -> Result<Self, StartError> {
        let inner = EmbeddedStore::open(folder.path().join("metadata.redb")).unwrap();
        let store = Arc::new(Moody { inner, silent: false.into(), breaks: false.into() });
        let clock = Arc::new(TestClock(AtomicU64::new(now)));
        let edges = Arc::new(Edges::default());
        let health = Health::default();
        let (stopper, drain) = kit::drain::channel();
        let mut settings = Settings { zone: zone.into(), ..Settings::default() };
        settings.data_dir = folder.path().to_owned();
        let world = World {
            seals: kit::seal::prepare(&settings).unwrap(),
            store: store.clone(),
            registry: edges.clone(),
            clock: clock.clone(),
            drain,
            health: health.clone(),
            metrics: Metrics::default(),
        };
        settings.control.listen = "127.0.0.1:0".parse().unwrap();
        settings.data_dir = folder.path().to_owned();
        let running = nearfront_control::start(&settings, world).await?;
        Ok(Self { running, clock, store, edges, folder, health, stopper })
    }

    /// Stops it and gives back its folder. Every other holder of the store must be gone.
    pub async fn stop(self) -> Arc<TempDir> {
        let Self { stopper, folder, .. } = self;
        stopper.stop().await;
        folder
    }

    pub fn key(&self) -> &AccessKey {
        &self.running.root_key
    }

    pub fn signing(&self) -> Signing<'_> {
        Signing {
            key: &self.key().id,
            secret: &self.key().secret.0,
            region: "us-east-1",
            service: "cloudfront",
            at: self.clock.now().0,
            presigned_for: None,
        }
    }

    /// Signed as AWS's own crate signs.
    pub fn signed(&self, mut sent: Sent, how: &Signing<'_>) -> Sent {
        sent.headers.push(("host".into(), self.running.listen.to_string()));
        let mut settings = SigningSettings::default();
        if let Some(seconds) = how.presigned_for {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(seconds));
        }
        let identity = Credentials::new(how.key, how.secret, None, None, "tests").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(how.region)
            .name(how.service)
            .time(SystemTime::UNIX_EPOCH + Duration::from_millis(how.at))
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let url = format!("http://{}{}", self.running.listen, sent.target);
        let headers = sent.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = SignableBody::Bytes(&sent.body);
        let request = SignableRequest::new(&sent.method, &url, headers, body).unwrap();
        let (instructions, _) = sign(request, &params).unwrap().into_parts();
        let (headers, query) = instructions.into_parts();
        for header in headers {
            sent.headers.push((header.name().into(), header.value().into()));
        }
        for (name, value) in query {
            let mark = if sent.target.contains('?') { '&' } else { '?' };
            let value =
                percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
            write!(sent.target, "{mark}{name}={value}").unwrap();
        }
        sent
    }

    pub async fn call(&self, method: &str, target: &str, body: impl AsRef<[u8]>) -> Answer {
        self.send(Sent::new(method, target, body)).await
    }

    pub async fn call_if(&self, method: &str, target: &str, tag: &str, body: &str) -> Answer {
        self.send(Sent::new(method, target, body).with("if-match", tag)).await
    }

    /// Signed well and sent.
    pub async fn send(&self, sent: Sent) -> Answer {
        exchange(self.running.listen, &self.signed(sent, &self.signing())).await
    }

    /// Sent as it is.
    pub async fn send_raw(&self, sent: &Sent) -> Answer {
        exchange(self.running.listen, sent).await
    }
}

async fn exchange(address: SocketAddr, sent: &Sent) -> Answer {
    let mut head = format!("{} {} HTTP/1.1\r\n", sent.method, sent.target);
    for (name, value) in &sent.headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    write!(head, "content-length: {}\r\nconnection: close\r\n\r\n", sent.body.len()).unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // A server that refuses a body may close before it has read all of it.
    let _ = stream.write_all(&sent.body).await;
    let mut raw = Vec::new();
    let _ = stream.read_to_end(&mut raw).await;
    parse(&String::from_utf8(raw).unwrap())
}

fn parse(raw: &str) -> Answer {
    let (head, body) = raw.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {raw:?}"));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    Answer {
        status,
        headers: headers.map(|(name, value)| (name.to_lowercase(), value.into())).collect(),
        body: body.into(),
    }
}

/// A distribution in front of a web server, with these elements put in place of the defaults.
pub fn distribution(reference: &str, changes: &[(&str, &str)]) -> String {
    let mut body = format!(
        "<DistributionConfig xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">\
         <CallerReference>{reference}</CallerReference>\
         <Aliases><Quantity>0</Quantity></Aliases>\
         <Origins><Quantity>1</Quantity><Items><Origin><Id>web</Id>\
         <DomainName>origin.example</DomainName><CustomOriginConfig><HTTPPort>80</HTTPPort>\
         <HTTPSPort>443</HTTPSPort><OriginProtocolPolicy>http-only</OriginProtocolPolicy>\
         </CustomOriginConfig></Origin></Items></Origins>\
         <DefaultCacheBehavior><TargetOriginId>web</TargetOriginId>\
         <ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy>\
         <CachePolicyId>658327ea-f89d-4fab-a63d-7e88639e58f6</CachePolicyId>\
         </DefaultCacheBehavior><Comment>test</Comment><Enabled>true</Enabled>\
         </DistributionConfig>"
    );
    for (from, to) in changes {
        assert!(body.contains(from), "{from} is not in {body}");
        body = body.replace(from, to);
    }
    body
}

/// A cache policy.
pub fn cache_policy(name: &str, min_ttl: u32) -> String {
    format!(
        "<CachePolicyConfig><Name>{name}</Name><MinTTL>{min_ttl}</MinTTL><MaxTTL>1000</MaxTTL>\
         <DefaultTTL>500</DefaultTTL><ParametersInCacheKeyAndForwardedToOrigin>\
         <EnableAcceptEncodingGzip>true</EnableAcceptEncodingGzip>\
         <HeadersConfig><HeaderBehavior>none</HeaderBehavior></HeadersConfig>\
         <CookiesConfig><CookieBehavior>none</CookieBehavior></CookiesConfig>\
         <QueryStringsConfig><QueryStringBehavior>none</QueryStringBehavior></QueryStringsConfig>\
         </ParametersInCacheKeyAndForwardedToOrigin></CachePolicyConfig>"
    )
}

/// An invalidation batch.
pub fn batch(reference: &str, paths: &[&str]) -> String {
    let items = format!("<Path>{}</Path>", paths.join("</Path><Path>"));
    format!(
        "<InvalidationBatch><Paths><Quantity>{}</Quantity><Items>{items}</Items></Paths>\
         <CallerReference>{reference}</CallerReference></InvalidationBatch>",
        paths.len()
    )
}
