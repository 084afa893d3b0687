//! The edge as viewers meet it: real sockets, real TLS, a folder as its origin.

use crate::testing::{certificate, metastore::FakeStore, plan, seals};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kit::{
    drain,
    health::Health,
    metrics::Metrics,
    service::SystemClock,
    settings::{ObjectStore, Settings},
};
use model::plan::{Plan, TlsMinimum};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use std::{net::SocketAddr, sync::Arc};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

const ARN: &str = "arn:aws:acm:us-east-1:000000000000:certificate/1";

/// A running edge.
pub(super) struct Edge {
    pub(super) running: crate::Running,
    pub(super) store: Arc<FakeStore>,
    pub(super) metrics: Metrics,
    pub(super) stopper: drain::Stopper,
    pub(super) roots: RootCertStore,
    folder: TempDir,
}

impl Edge {
    pub(super) async fn start(change: impl FnOnce(&mut Plan)) -> Self {
        let store = Arc::new(FakeStore::default());
        let mut plan = plan();
        change(&mut plan);
        let zone = certificate("zone", "", &["d1.test"]);
        let own = certificate("one", ARN, &["www.example.com"]);
        let mut roots = RootCertStore::empty();
        for made in [&zone, &own] {
            let made: model::feed::Certificate = serde_json::from_slice(made).unwrap();
            let der = CertificateDer::from_pem_slice(made.chain.as_bytes()).unwrap();
            roots.add(der).unwrap();
        }
        store.put(&[
            ("certificate/zone", zone),
            ("certificate/one", own),
            ("plan/E1", serde_json::to_vec(&plan).unwrap()),
        ]);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.txt"), "hello").unwrap();
        std::fs::write(folder.path().join("big"), vec![b'x'; 3 << 20]).unwrap();
        let (stopper, drain) = drain::channel();
        let metrics = Metrics::default();
        let world = kit::service::World {
            seals: seals(),
            store: store.clone(),
            registry: store.clone(),
            clock: Arc::new(SystemClock),
            drain,
            health: Health::default(),
            metrics: metrics.clone(),
        };
        let running = crate::start(&settings(&folder), world).await.unwrap();
        Self { running, store, metrics, stopper, roots, folder }
    }

    /// Sends bytes over plain TCP, closes our side if asked to, and reads until the end.
    async fn raw(&self, bytes: &[u8], close: bool) -> String {
        let mut stream = TcpStream::connect(self.running.http).await.unwrap();
        // The edge may have hung up before it has read everything.
        let _ = stream.write_all(bytes).await;
        if close {
            let _ = stream.shutdown().await;
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(super) async fn tls(
        &self,
        name: &str,
        alpn: &[&[u8]],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        self.tls_with(name, alpn, rustls::DEFAULT_VERSIONS).await
    }

    async fn tls_with(
        &self,
        name: &str,
        alpn: &[&[u8]],
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        let stream = TcpStream::connect(self.running.https).await.unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    pub(super) async fn h2(&self, name: &str, request: Request<Full<Bytes>>) -> Response<Bytes> {
        let stream = self.tls(name, &[b"h2", b"http/1.1"]).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        tokio::spawn(connection);
        let (head, body) = sender.send_request(request).await.unwrap().into_parts();
        Response::from_parts(head, body.collect().await.unwrap().to_bytes())
    }
}

fn settings(folder: &TempDir) -> Settings {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut settings = Settings::default();
    (settings.edge.http, settings.edge.https) = (any, any);
    settings.edge.workers = Some(2);
    settings.edge.id = Some("e1".into());
    settings.object_stores.insert(
        "origin.test".into(),
        ObjectStore {
            url: format!("file://{}", folder.path().display()),
            ..ObjectStore::default()
        },
    );
    settings
}

pub(super) fn get(url: &str) -> Request<Full<Bytes>> {
    Request::get(url).body(Full::default()).unwrap()
}

fn head_of(answer: &str) -> String {
    answer.split("\r\n\r\n").next().unwrap().to_ascii_lowercase()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_1_serves_keeps_alive_and_answers_head() {
    let edge = Edge::start(|_| {}).await;
    let asked = "GET /a.txt HTTP/1.1\r\nHost: d1.test\r\n\r\n\
                 HEAD /a.txt HTTP/1.1\r\nHost: d1.test\r\n\r\n\
                 GET /a.txt HTTP/1.1\r\nHost: d1.test\r\nConnection: close\r\n\r\n";
    let answer = edge.raw(asked.as_bytes(), false).await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 3, "{answer}");
    assert_eq!(answer.matches("hello").count(), 2, "{answer}");
    assert_eq!(answer.to_ascii_lowercase().matches("content-length: 5\r\n").count(), 3, "{answer}");
    assert_eq!(answer.matches("Miss from nearfront").count(), 1, "{answer}");
    assert_eq!(answer.matches("Hit from nearfront").count(), 2, "{answer}");
    let old = edge.raw(b"GET /a.txt HTTP/1.0\r\nHost: d1.test\r\n\r\n", false).await;
    assert!(old.starts_with("HTTP/1.0 200") || old.starts_with("HTTP/1.1 200"), "{old}");
    let absolute = "GET http://d1.test/a.txt HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n";
    assert!(edge.raw(absolute.as_bytes(), false).await.ends_with("hello"));
    let text = edge.metrics.text().unwrap();
    assert!(text.contains("nearfront_edge_requests_total{result=\"Hit\",status=\"2xx\""), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_is_spoken_over_tls_with_the_certificate_of_the_name() {
    let edge = Edge::start(|plan| plan.viewer_tls.certificate = Some(ARN.into())).await;
    for name in ["d1.test", "www.example.com"] {
        let got = edge.h2(name, get(&format!("https://{name}/a.txt"))).await;
        assert_eq!((got.status().as_u16(), &got.body()[..]), (200, &b"hello"[..]));
        assert_eq!(got.headers()["content-length"], "5");
        assert!(got.headers()["x-cache"].to_str().unwrap().ends_with("from nearfront"));
    }
    let big = edge.h2("d1.test", get("https://d1.test/big")).await;
    assert_eq!(big.body().len(), 3 << 20);
    let head = Request::head("https://d1.test/a.txt").body(Full::default()).unwrap();
    let got = edge.h2("d1.test", head).await;
    assert_eq!((got.headers()["content-length"].as_bytes(), got.body().len()), (&b"5"[..], 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_distribution_allows_in_tls_is_what_its_viewers_get() {
    let edge = Edge::start(|plan| {
        plan.http.h2 = false;
        plan.viewer_tls.minimum = TlsMinimum::Tls13;
    })
    .await;
    let mut stream = edge.tls("d1.test", &[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let asked = "GET /a.txt HTTP/1.1\r\nHost: d1.test\r\nConnection: close\r\n\r\n";
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    assert!(answer.ends_with("hello"), "{answer}");
    let old = edge.tls_with("d1.test", &[], &[&rustls::version::TLS12]).await;
    assert!(old.is_err());
    // A name that nobody has gets the zone's certificate and then a 403.
    assert!(edge.tls("unknown.test", &[]).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_is_imported_later_is_served_at_once() {
    let edge = Edge::start(|plan| plan.aliases.push("late.test".into())).await;
    assert!(edge.tls("late.test", &[]).await.is_err());
    let arn = "arn:aws:acm:us-east-1:000000000000:certificate/2";
    let made = certificate("two", arn, &["late.test"]);
    let parsed: model::feed::Certificate = serde_json::from_slice(&made).unwrap();
    let mut plan = plan();
    plan.aliases.push("late.test".into());
    plan.viewer_tls.certificate = Some(arn.into());
    let value = serde_json::to_vec(&plan).unwrap();
    let revision = edge.store.put(&[("certificate/two", made), ("plan/E1", value)]);
    let beat = edge.store.acknowledged(revision).await;
    assert_eq!((beat.id.as_str(), beat.https_port), ("e1", Some(edge.running.https.port())));
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(parsed.chain.as_bytes()).unwrap()).unwrap();
    let edge = Edge { roots, ..edge };
    assert!(edge.tls("late.test", &[]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_requests_are_answered_or_hung_up_on_and_nothing_else_happens() {
    let edge = Edge::start(|_| {}).await;
    for (number, bytes) in malformed().into_iter().enumerate() {
        let answer = edge.raw(&bytes, true).await;
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        let status = answer.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
        let refused = status.is_none_or(|status| status.starts_with('4'));
        assert!(refused, "{number}: {shown:?} got {answer}");
        let after = edge
            .raw(b"GET /a.txt HTTP/1.1\r\nHost: d1.test\r\nConnection: close\r\n\r\n", false)
            .await;
        assert!(after.ends_with("hello"), "after {number}: {shown:?}: {after}");
    }
}

/// Forty ways to get it wrong.
fn malformed() -> Vec<Vec<u8>> {
    let line = |text: &str| format!("{text}\r\nHost: d1.test\r\n\r\n").into_bytes();
    let head = |text: &str| format!("GET /a.txt HTTP/1.1\r\n{text}\r\n\r\n").into_bytes();
    let post = |text: &str| format!("POST /a.txt HTTP/1.1\r\nHost: d1.test\r\n{text}").into_bytes();
    let mut all = vec![
        line("GET"),
        line("GET /a.txt"),
        line("GET  /a.txt HTTP/1.1"),
        line(" GET /a.txt HTTP/1.1"),
        line("GET /a.txt HTTP/9.9"),
        line("GET /a.txt HTTP/1.1 extra"),
        line("GET /a.txt http/1.1"),
        line("GET a.txt HTTP/1.1"),
        line("GET \\a.txt HTTP/1.1"),
        line("GET /a b HTTP/1.1"),
        line("GET /a\u{1}b HTTP/1.1"),
        line("GET /\"<>` HTTP/1.1"),
        line("G(T /a.txt HTTP/1.1"),
        line("CONNECT d1.test:443 HTTP/1.1"),
        line("TRACE /a.txt HTTP/1.1"),
        line("PROPFIND /a.txt HTTP/1.1"),
        line("OPTIONS * HTTP/1.1"),
        line(&format!("GET /{} HTTP/1.1", "a".repeat(8200))),
        line(&format!("GET /{} HTTP/1.1", "a".repeat(200_000))),
        head("X: 1"),
        head("Host:"),
        head("Host: d1.test\r\nHost: d1.test"),
        head("Host: d1.test\r\nHost: other.test"),
        head("Host: a@d1.test"),
        head("Host: d1.test/path"),
        head("Host: d1.test:port"),
        head("Host : d1.test"),
        head("Host: d1.test\r\nNo colon here"),
        head("Host: d1.test\r\n: empty"),
        head("Host: d1.test\r\nA\u{0}: nul"),
        head("Host: d1.test\r\nA: b\u{0}c"),
        head("Host: d1.test\r\nContent-Length: abc"),
        head("Host: d1.test\r\nContent-Length: -1"),
        head("Host: d1.test\r\nContent-Length: 1\r\nContent-Length: 2"),
        head("Host: d1.test\r\nContent-Length: 99999999999999999999"),
        head(&format!("Host: d1.test\r\nX: {}", "a".repeat(40_000))),
        head(&format!("Host: d1.test\r\n{}", "a: b\r\n".repeat(500))),
        post("Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n"),
        post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
        post("Transfer-Encoding: gzip, identity\r\n\r\nabc"),
    ];
    all.extend([
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        vec![0; 4096],
        vec![0xff; 4096],
        b"\r\n\r\n\r\n".to_vec(),
        Vec::new(),
    ]);
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_handshakes_and_frames_do_no_harm() {
    let edge = Edge::start(|_| {}).await;
    let hello = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00".to_vec();
    for bytes in [b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![0x16; 300], hello, Vec::new()] {
        let mut stream = TcpStream::connect(edge.running.https).await.unwrap();
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    }
    for bytes in
        [&b"nonsense"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\x00\x00\x00\x00\x00\x00"]
    {
        let mut stream = edge.tls("d1.test", &[b"h2"]).await.unwrap();
        let _ = stream.write_all(bytes).await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    }
    let got = edge.h2("d1.test", get("https://d1.test/a.txt")).await;
    assert_eq!(got.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_reach_the_origin_and_failures_of_the_origin_the_viewer() {
    let edge = Edge::start(|_| {}).await;
    let body = Full::from(Bytes::from(vec![b'u'; 1 << 20]));
    let put = Request::put("https://d1.test/up").body(body).unwrap();
    let got = edge.h2("d1.test", put).await;
    // A folder takes no uploads; what counts is that its answer comes through.
    assert!(got.status().is_client_error() || got.status().is_success(), "{got:?}");
    let post = "POST /up HTTP/1.1\r\nHost: d1.test\r\nTransfer-Encoding: chunked\r\n\
                Connection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let answer = edge.raw(post.as_bytes(), false).await;
    assert!(answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 2"), "{answer}");
    let missing = edge
        .raw(b"GET /missing HTTP/1.1\r\nHost: d1.test\r\nConnection: close\r\n\r\n", false)
        .await;
    assert!(missing.starts_with("HTTP/1.1 40"), "{missing}");
    assert!(head_of(&missing).contains("x-cache: error from nearfront"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_signal_it_leaves_the_registry_and_lets_requests_in_flight_end() {
    let edge = Edge::start(|_| {}).await;
    let stream = edge.tls("d1.test", &[b"h2"]).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::handshake::<_, _, Empty<Bytes>>(
        TokioExecutor::new(),
        TokioIo::new(stream),
    )
    .await
    .unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::get("https://d1.test/big").body(Empty::new()).unwrap();
    let mut response = sender.send_request(request).await.unwrap();
    let first = response.frame().await.unwrap().unwrap().into_data().unwrap();
    let stopping = tokio::spawn(async move { edge.stopper.stop().await });
    let rest = response.collect().await.unwrap().to_bytes();
    assert_eq!(first.len() + rest.len(), 3 << 20);
    stopping.await.unwrap();
    assert!(edge.store.was_left());
    assert!(TcpStream::connect(edge.running.http).await.is_err());
    let _ = connection.await;
    drop(edge.folder);
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kibibytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kibibytes << 10
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes half a minute in a debug build"]
async fn five_gigabytes_pass_through_with_less_than_64_mib_of_extra_memory() {
    const LENGTH: u64 = 5_000_000_000;
    let edge = Edge::start(|_| {}).await;
    let huge = std::fs::File::create(edge.folder.path().join("huge")).unwrap();
    huge.set_len(LENGTH).unwrap(); // sparse: it takes no room
    let mut stream = TcpStream::connect(edge.running.http).await.unwrap();
    let asked = b"GET /huge HTTP/1.1\r\nHost: d1.test\r\nConnection: close\r\n\r\n";
    let before = resident();
    stream.write_all(asked).await.unwrap();
    let (mut space, mut got, mut most) = (vec![0; 256 << 10], 0, before);
    loop {
        let length = stream.read(&mut space).await.unwrap() as u64;
        if length == 0 {
            break;
        }
        got += length;
        most = most.max(resident());
    }
    assert!(got > LENGTH, "{got}");
    println!("{} KiB of extra memory", (most - before) >> 10);
    assert!(most - before < 64 << 20, "{before} {most}");
}
