//! What one HTTP/2 connection does beyond carrying a request.

use crate::tests::sockets::Edge;
use bytes::Bytes;
use futures::future::join_all;
use h2::{RecvStream, client::SendRequest};
use http::Request;

async fn connect(edge: &Edge, window: u32) -> SendRequest<Bytes> {
    let stream = edge.tls("d1.test", &[b"h2"]).await.unwrap();
    let mut client = h2::client::Builder::new();
    client.initial_window_size(window);
    let (sender, connection) = client.handshake(stream).await.unwrap();
    tokio::spawn(connection);
    sender.ready().await.unwrap()
}

async fn ask(sender: &SendRequest<Bytes>, path: &str) -> RecvStream {
    let request = Request::get(format!("https://d1.test{path}")).body(()).unwrap();
    let (answer, _) = sender.clone().ready().await.unwrap().send_request(request, true).unwrap();
    answer.await.unwrap().into_body()
}

async fn length(mut body: RecvStream) -> usize {
    let mut length = 0;
    while let Some(piece) = body.data().await {
        let piece = piece.unwrap();
        length += piece.len();
        body.flow_control().release_capacity(piece.len()).unwrap();
    }
    length
}

/// RFC 9113 §8.1: the end may be said with the last bytes, and costs no frame of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_piece_says_that_it_is_the_last() {
    let edge = Edge::start(|_| {}).await;
    let sender = connect(&edge, 1 << 20).await;
    assert_eq!(length(ask(&sender, "/a.txt").await).await, 5);
    for _ in 0..3 {
        let mut body = ask(&sender, "/a.txt").await;
        assert_eq!(body.data().await.unwrap().unwrap(), "hello");
        assert!(body.is_end_stream());
    }
}

/// RFC 9113 §5.2: what a viewer has no room for waits, and holds up nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_a_connection_come_whole_beside_one_that_stands_still() {
    let edge = Edge::start(|_| {}).await;
    let sender = connect(&edge, 20_000).await;
    let standing = ask(&sender, "/big").await;
    let asked = (0..100).map(|number| {
        let path = if number % 50 == 0 { "/big" } else { "/a.txt" };
        let sender = &sender;
        async move { (number, length(ask(sender, path).await).await) }
    });
    for (number, length) in join_all(asked).await {
        assert_eq!(length, if number % 50 == 0 { 3 << 20 } else { 5 }, "{number}");
    }
    assert_eq!(length(standing).await, 3 << 20);
}

/// A request that is taken back is given up, and the connection goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_taken_back_harms_no_other() {
    let edge = Edge::start(|_| {}).await;
    let sender = connect(&edge, 1 << 20).await;
    for _ in 0..20 {
        drop(ask(&sender, "/big").await);
    }
    assert_eq!(length(ask(&sender, "/big").await).await, 3 << 20);
}
