//! Bodies pass through; they are not collected.
#![expect(clippy::unwrap_used, reason = "tests")]

mod peer;

use bytes::Bytes;
use futures::StreamExt;
use http::Method;
use peer::{Peer, driver, get, head, request, text};
use ports::origin::Origin;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const GIGABYTE: u64 = 1 << 30;
const PIECE: usize = 64 * 1024;
/// What may be under way: mostly the two sockets' buffers, which the kernel grows while readers lag.
const UNDER_WAY: u64 = 48 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gigabyte_comes_down_while_little_of_it_is_under_way() {
    let written = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&written);
    let peer = Peer::scripted(move |_, mut stream| {
        let counter = Arc::clone(&counter);
        async move {
            head(&mut stream).await?;
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {GIGABYTE}\r\n\r\n");
            stream.write_all(answer.as_bytes()).await?;
            let piece = vec![7; PIECE];
            for _ in 0..GIGABYTE / PIECE as u64 {
                stream.write_all(&piece).await?;
                counter.fetch_add(PIECE as u64, Ordering::SeqCst);
            }
            Ok(())
        }
    })
    .await;
    let mut body = driver().fetch(&peer.plan(), get("/")).await.unwrap().body;
    let (mut read, mut most) = (0, 0);
    while let Some(piece) = body.next().await {
        most = most.max(written.load(Ordering::SeqCst).saturating_sub(read));
        read += piece.unwrap().len() as u64;
    }
    assert_eq!(read, GIGABYTE);
    assert!(most < UNDER_WAY, "{most} bytes were under way");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gigabyte_goes_up_while_little_of_it_is_under_way() {
    let read = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&read);
    let peer = Peer::scripted(move |_, mut stream| {
        let counter = Arc::clone(&counter);
        async move {
            head(&mut stream).await?;
            let mut piece = vec![0; PIECE];
            let mut left = GIGABYTE;
            while left > 0 {
                let some = stream.read(&mut piece).await? as u64;
                counter.fetch_add(some, Ordering::SeqCst);
                left -= some;
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await
        }
    })
    .await;
    let most = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&most);
    let piece = Bytes::from(vec![7; PIECE]);
    let body = futures::stream::iter(0..GIGABYTE / PIECE as u64)
        .map(move |number| {
            let under_way = (number * PIECE as u64).saturating_sub(read.load(Ordering::SeqCst));
            seen.fetch_max(under_way, Ordering::SeqCst);
            Ok(piece.clone())
        })
        .boxed();
    let fields = [("host", "a"), ("content-length", "1073741824")];
    let put = request(Method::PUT, "/", &fields, Some(body));
    let response = driver().fetch(&peer.plan(), put).await.unwrap();
    assert_eq!(text(response).await, "ok");
    let most = most.load(Ordering::SeqCst);
    assert!(most < UNDER_WAY, "{most} bytes were under way");
}

#[tokio::test]
async fn a_body_that_nobody_reads_stays_with_its_sender() {
    let written = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&written);
    let (stuck, is_stuck) = tokio::sync::oneshot::channel();
    let stuck = std::sync::Mutex::new(Some(stuck));
    let peer = Peer::scripted(move |_, mut stream| {
        let (counter, stuck) = (Arc::clone(&counter), stuck.lock().unwrap().take());
        async move {
            head(&mut stream).await?;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            let piece = vec![7; PIECE];
            let patience = std::time::Duration::from_millis(500);
            while let Ok(done) = tokio::time::timeout(patience, stream.write_all(&piece)).await {
                done?;
                counter.fetch_add(PIECE as u64, Ordering::SeqCst);
            }
            stuck.unwrap().send(()).unwrap();
            Ok(())
        }
    })
    .await;
    let _unread = driver().fetch(&peer.plan(), get("/")).await.unwrap();
    is_stuck.await.unwrap();
    let written = written.load(Ordering::SeqCst);
    assert!(written < UNDER_WAY, "{written} bytes were taken");
}
