//! Spans reach a receiver that speaks OTLP over HTTP.
#![expect(clippy::unwrap_used, reason = "tests")]

use nearfront_kit::{settings::Telemetry, telemetry};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

#[tokio::test(flavor = "multi_thread")]
async fn spans_are_delivered_when_the_process_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = Telemetry {
        log: "off".into(),
        otlp_endpoint: Some(format!("http://{}", listener.local_addr().unwrap())),
        ..Telemetry::default()
    };
    let receiver = tokio::spawn(one_request(listener));
    let started = telemetry::start(&settings, "test").unwrap();
    tracing::info_span!(target: "nearfront_edge", "lookup").in_scope(|| ());
    tracing::info_span!(target: "elsewhere", "ours-it-is-not").in_scope(|| ());
    started.finish().await;
    let request = receiver.await.unwrap();
    assert!(request.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("nearfront-test") && request.contains("lookup"));
    assert!(!request.contains("ours-it-is-not"));
}

async fn one_request(listener: TcpListener) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut read = Vec::new();
    while !whole(&read) {
        assert!(stream.read_buf(&mut read).await.unwrap() > 0, "cut off");
    }
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.write_all(answer).await.unwrap();
    String::from_utf8_lossy(&read).into_owned()
}

fn whole(read: &[u8]) -> bool {
    let text = String::from_utf8_lossy(read).to_lowercase();
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.unwrap().parse().unwrap();
    read.len() >= head.len() + 4 + length
}
