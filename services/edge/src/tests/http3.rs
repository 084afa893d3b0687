//! HTTP/3 as viewers meet it: real QUIC, real certificates, web servers of the tests' own.

use crate::{
    testing::plan,
    tests::sockets::{Edge, get},
};
use ::h3::{
    client::{self, RequestStream, SendRequest},
    error::{Code, StreamError},
};
use bytes::{Buf as _, Bytes};
use futures::future::join_all;
use http::{Request, Response, StatusCode};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use model::plan::{OriginKind, Plan};
use quinn::{
    ClientConfig, ConnectionError, Endpoint, EndpointConfig, TokioRuntime, VarInt,
    crypto::rustls::QuicClientConfig,
};
use std::{convert::Infallible, net::UdpSocket, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

type Sender = SendRequest<h3_quinn::OpenStreams, Bytes>;
type Stream = RequestStream<h3_quinn::BidiStream<Bytes>, Bytes>;

/// Nothing in these tests takes longer; what hangs fails.
const LONG: Duration = Duration::from_secs(30);

/// A viewer's connection.
struct Viewer {
    sender: Sender,
    connection: quinn::Connection,
    driver: JoinHandle<::h3::error::ConnectionError>,
}

impl Edge {
    async fn quic(&self, name: &str, alpn: &[u8]) -> Result<quinn::Connection, ConnectionError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        tls.alpn_protocols = vec![alpn.to_vec()];
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let endpoint =
            Endpoint::new(EndpointConfig::default(), None, socket, Arc::new(TokioRuntime)).unwrap();
        let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
        endpoint.connect_with(config, self.running.https, name).unwrap().await
    }

    async fn h3(&self, name: &str) -> Viewer {
        let connection = self.quic(name, b"h3").await.unwrap();
        let carried = h3_quinn::Connection::new(connection.clone());
        let (mut driver, sender) = client::new(carried).await.unwrap();
        let driver = tokio::spawn(async move { driver.wait_idle().await });
        Viewer { sender, connection, driver }
    }
}

impl Viewer {
    async fn ask(&self, request: Request<()>) -> Response<Bytes> {
        let mut stream = self.sender.clone().send_request(request).await.unwrap();
        stream.finish().await.unwrap();
        answer(&mut stream).await.unwrap()
    }

    async fn get(&self, url: &str) -> Response<Bytes> {
        self.ask(Request::get(url).body(()).unwrap()).await
    }
}

async fn answer(stream: &mut Stream) -> Result<Response<Bytes>, StreamError> {
    let (head, ()) = stream.recv_response().await?.into_parts();
    let mut body = Vec::new();
    while let Some(mut piece) = stream.recv_data().await? {
        body.extend_from_slice(&piece.copy_to_bytes(piece.remaining()));
    }
    Ok(Response::from_parts(head, body.into()))
}

fn with_h3(plan: &mut Plan) {
    plan.http.h3 = true;
}

/// A plan with HTTP/3 whose misses go to a web server at this port.
fn before(port: u16) -> impl FnOnce(&mut Plan) {
    move |plan| {
        plan.http.h3 = true;
        let origin = &mut plan.origins[0];
        origin.domain = "localhost".into();
        if let OriginKind::Custom { http_port, .. } = &mut origin.kind {
            *http_port = port;
        }
    }
}

/// A web server that sends back what it is sent, while it comes.
async fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (io, _) = listener.accept().await.unwrap();
            let service = service_fn(|request: Request<hyper::body::Incoming>| async move {
                Ok::<_, Infallible>(Response::new(request.into_body()))
            });
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(io), service));
        }
    });
    port
}

/// A web server that breaks off in the middle of its answer.
async fn broken() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut io, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = io.read(&mut request).await;
            let _ = io.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await;
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn get_and_head_are_served_and_the_other_versions_tell_of_it() {
    let edge = Edge::start(with_h3).await;
    let seen = edge.h2("d1.test", get("https://d1.test/a.txt")).await;
    let alt_svc = format!("h3=\":{}\"; ma=86400", edge.running.https.port());
    assert_eq!(seen.headers()["alt-svc"], alt_svc.as_str());
    let viewer = edge.h3("d1.test").await;
    let got = viewer.get("https://d1.test/a.txt").await;
    assert_eq!((got.status().as_u16(), &got.body()[..]), (200, &b"hello"[..]));
    assert_eq!(got.headers()["content-length"], "5");
    assert_eq!(got.headers()["x-cache"], "Hit from nearfront");
    assert!(!got.headers().contains_key("alt-svc"));
    let head = viewer.ask(Request::head("https://d1.test/a.txt").body(()).unwrap()).await;
    assert_eq!((head.headers()["content-length"].as_bytes(), head.body().len()), (&b"5"[..], 0));
    let missing = viewer.get("https://d1.test/missing").await;
    assert!(missing.status().is_client_error());
    let big = viewer.get("https://d1.test/big").await;
    assert_eq!(big.body().len(), 3 << 20);
    let text = edge.metrics.text().unwrap();
    assert!(text.contains("http=\"3.0\""), "{text}");
    assert!(text.contains("nearfront_edge_connections{listener=\"h3\"} 1"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_streams_at_a_time_are_served() {
    let edge = Edge::start(with_h3).await;
    let viewer = edge.h3("d1.test").await;
    let urls = (0..50).map(|number| format!("https://d1.test/big?{number}"));
    let asked = urls.map(|url| {
        let viewer = &viewer;
        async move { viewer.get(&url).await }
    });
    for got in join_all(asked).await {
        assert_eq!((got.status(), got.body().len()), (StatusCode::OK, 3 << 20));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_stream_both_ways_at_the_same_time() {
    let edge = Edge::start(before(echo().await)).await;
    let viewer = edge.h3("d1.test").await;
    let post = Request::post("https://d1.test/echo").body(()).unwrap();
    let stream = viewer.sender.clone().send_request(post).await.unwrap();
    let (mut sends, mut receives) = stream.split();
    let piece = Bytes::from(vec![b'p'; 100_000]);
    sends.send_data(piece.clone()).await.unwrap();
    // The answer begins before the question has ended.
    assert_eq!(receives.recv_response().await.unwrap().status(), 200);
    let sending = tokio::spawn(async move {
        for _ in 0..39 {
            sends.send_data(piece.clone()).await.unwrap();
        }
        sends.finish().await.unwrap();
    });
    let mut got = 0;
    while let Some(piece) = receives.recv_data().await.unwrap() {
        got += piece.remaining();
    }
    sending.await.unwrap();
    assert_eq!(got, 4_000_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_is_as_long_as_it_says_or_the_stream_fails() {
    let edge = Edge::start(before(echo().await)).await;
    let viewer = edge.h3("d1.test").await;
    let post = async |length: &str, body: &'static [u8]| {
        let request = Request::post("https://d1.test/").header("content-length", length);
        let mut sender = viewer.sender.clone();
        let mut stream = sender.send_request(request.body(()).unwrap()).await.unwrap();
        let _ = stream.send_data(Bytes::from_static(body)).await;
        let _ = stream.finish().await;
        tokio::time::timeout(LONG, answer(&mut stream)).await.unwrap()
    };
    let whole = post("5", b"hello").await.unwrap();
    assert_eq!((whole.status().as_u16(), &whole.body()[..]), (200, &b"hello"[..]));
    for (length, body) in [("x", &b"hello"[..]), ("-5", b"hello"), ("0", b"hello")] {
        assert!(post(length, body).await.is_err(), "{length}");
    }
    for (length, body) in [("3", &b"hello"[..]), ("9", b"hello")] {
        let got = post(length, body).await;
        assert!(got.is_err() || !got.unwrap().status().is_success(), "{length}");
    }
    assert_eq!(post("5", b"after").await.unwrap().body(), "after");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_cut_does_not_look_whole() {
    let edge = Edge::start(before(broken().await)).await;
    let viewer = edge.h3("d1.test").await;
    let request = Request::get("https://d1.test/x").body(()).unwrap();
    let mut stream = viewer.sender.clone().send_request(request).await.unwrap();
    stream.finish().await.unwrap();
    let why = answer(&mut stream).await.unwrap_err();
    let expected = matches!(
        why,
        StreamError::RemoteTerminate { code, .. } if code == Code::H3_INTERNAL_ERROR
    );
    assert!(expected, "{why:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_it_is_off_nobody_gets_it() {
    let edge = Edge::start(with_h3).await;
    let mut other = plan();
    (other.id.0, other.domain) = ("E2".into(), "d2.test".into());
    other.aliases.clear();
    let revision = edge.store.put(&[("plan/E2", serde_json::to_vec(&other).unwrap())]);
    edge.store.acknowledged(revision).await;
    for name in ["d2.test", "unknown.test"] {
        let refused = edge.quic(name, b"h3").await.unwrap_err();
        assert!(matches!(refused, ConnectionError::ConnectionClosed(_)), "{name}: {refused:?}");
    }
    assert!(edge.quic("d1.test", b"h2").await.is_err());
    let viewer = edge.h3("d1.test").await;
    assert_eq!(viewer.get("https://d2.test/a.txt").await.status(), 421);
    assert_eq!(viewer.get("https://www.example.com/a.txt").await.status(), 200);
    let seen = Edge::start(|_| {}).await.h2("d1.test", get("https://d1.test/a.txt")).await;
    assert!(!seen.headers().contains_key("alt-svc"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_datagrams_and_frames_do_no_harm() {
    let edge = Edge::start(with_h3).await;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for bytes in [vec![], vec![0; 1], vec![0xff; 1200], vec![0xc0; 1200], vec![0x40; 64]] {
        socket.send_to(&bytes, edge.running.https).unwrap();
    }
    let huge = b"\x01\xc0\x00\x00\xff\x00\x00\x00\x00".to_vec(); // HEADERS of about a terabyte
    let first = [
        huge.clone(),
        [&b"\x21\xc0\x00\x00\xff\x00\x00\x00\x00"[..], &[0; 1000]].concat(),
        b"\x00\x05hello".to_vec(),
        b"\x01\x03\xff\xff\xff".to_vec(),
        b"\x40\x41\x00".to_vec(),
        b"\x04\x00".to_vec(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0xff; 5000],
        Vec::new(),
    ];
    for bytes in first {
        let connection = edge.quic("d1.test", b"h3").await.unwrap();
        let (mut sends, mut receives) = connection.open_bi().await.unwrap();
        let _ = sends.write_all(&bytes).await;
        let _ = sends.finish();
        let end = tokio::time::timeout(LONG, receives.read_to_end(1 << 20)).await.unwrap();
        assert!(end.is_err() || end.unwrap().is_empty(), "{bytes:?}");
    }
    // A head without end is not collected: the stream is stopped at its announcement.
    let connection = edge.quic("d1.test", b"h3").await.unwrap();
    let (mut sends, _receives) = connection.open_bi().await.unwrap();
    sends.write_all(&huge).await.unwrap();
    let stopped = tokio::time::timeout(LONG, sends.stopped()).await.unwrap().unwrap();
    assert_eq!(stopped, Some(VarInt::from_u64(Code::H3_EXCESSIVE_LOAD.value()).unwrap()));
    let mut control = connection.open_uni().await.unwrap();
    control.write_all(&[&b"\x00\x04\x00"[..], &huge].concat()).await.unwrap();
    let end = tokio::time::timeout(LONG, control.stopped()).await.unwrap();
    assert!(end.is_err() || end.unwrap().is_some());
    let got = edge.h3("d1.test").await.get("https://d1.test/a.txt").await;
    assert_eq!(got.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_beyond_the_limits_are_refused() {
    let edge = Edge::start(with_h3).await;
    let viewer = edge.h3("d1.test").await;
    for (length, status) in [(1000, 200), (40_000, 494)] {
        let request = Request::get("https://d1.test/a.txt").header("x", "a".repeat(length));
        let got = viewer.ask(request.body(()).unwrap()).await;
        assert_eq!(got.status().as_u16(), status, "{length}");
    }
    let long = viewer.get(&format!("https://d1.test/{}", "a".repeat(9000))).await;
    assert_eq!(long.status(), 414);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_signal_answers_on_their_way_end_and_the_connection_closes_well() {
    let edge = Edge::start(with_h3).await;
    let viewer = edge.h3("d1.test").await;
    let request = Request::get("https://d1.test/big").body(()).unwrap();
    let mut stream = viewer.sender.clone().send_request(request).await.unwrap();
    stream.finish().await.unwrap();
    assert_eq!(stream.recv_response().await.unwrap().status(), 200);
    let stopping = tokio::spawn(async move { edge.stopper.stop().await });
    let mut got = 0;
    while let Some(piece) = stream.recv_data().await.unwrap() {
        got += piece.remaining();
    }
    assert_eq!(got, 3 << 20);
    let closed = tokio::time::timeout(LONG, viewer.connection.closed()).await.unwrap();
    let no_error = VarInt::from_u64(Code::H3_NO_ERROR.value()).unwrap();
    let expected = matches!(
        &closed,
        ConnectionError::ApplicationClosed(close) if close.error_code == no_error
    ) || matches!(closed, ConnectionError::LocallyClosed);
    assert!(expected, "{closed:?}");
    stopping.await.unwrap();
    let _ = viewer.driver.await;
}
