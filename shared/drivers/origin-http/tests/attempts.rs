//! Reuse, timeouts and attempts, counted in connections.
#![expect(clippy::unwrap_used, reason = "tests")]

mod peer;

use futures::{StreamExt, future::join_all};
use http::Method;
use model::{plan::OriginKind, units::Seconds};
use peer::{Peer, drain, driver, get, head, pieces, request, text, whole};
use ports::origin::{BodyError, Origin, OriginError};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Answers every request on a connection.
async fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    loop {
        head(&mut stream).await?;
        stream.write_all(OK).await?;
    }
}

#[tokio::test]
async fn requests_in_turn_share_one_connection() {
    let peer = Peer::scripted(|_, stream| serve(stream)).await;
    let driver = driver();
    for turn in 0..20 {
        let response = driver.fetch(&peer.plan(), get("/")).await.unwrap();
        assert_eq!(response.timing.connect.is_zero(), turn > 0);
        assert_eq!(text(response).await, "ok");
    }
    assert_eq!(peer.connections(), 1);
    assert_eq!(driver.idle_connections(), 1);
}

/// A connection is driven by the thread that opened it; another thread's requests do not wait for
/// that one, nor are they lost when it ends.
#[tokio::test]
async fn each_runtime_has_connections_of_its_own() {
    let peer = Peer::scripted(|_, stream| serve(stream)).await;
    let (driver, plan) = (std::sync::Arc::new(driver()), peer.plan());
    for connections in 1..4 {
        let (driver, plan) = (driver.clone(), plan.clone());
        let thread = std::thread::spawn(move || {
            let asked = async {
                for turn in 0..3 {
                    let response = driver.fetch(&plan, get("/")).await.unwrap();
                    assert_eq!(response.timing.connect.is_zero(), turn > 0);
                    assert_eq!(text(response).await, "ok");
                }
                assert_eq!(driver.idle_connections(), 1, "those of ended runtimes are let go");
            };
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(asked);
        });
        tokio::task::spawn_blocking(|| thread.join().unwrap()).await.unwrap();
        assert_eq!(peer.connections(), connections);
    }
}

#[tokio::test]
async fn requests_at_once_do_not_wait_for_each_other() {
    let peer = Peer::scripted(|_, stream| serve(stream)).await;
    let (driver, plan) = (driver(), peer.plan());
    let held = join_all((0..8).map(|_| driver.fetch(&plan, get("/")))).await;
    assert_eq!(peer.connections(), 8);
    for response in held {
        text(response.unwrap()).await;
    }
    join_all((0..8).map(|_| driver.fetch(&plan, get("/")))).await;
    assert_eq!(peer.connections(), 8);
}

#[tokio::test]
async fn an_abandoned_body_takes_its_connection_along() {
    let peer = Peer::scripted(|_, mut stream| async move {
        head(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").await?;
        drain(&mut stream).await
    })
    .await;
    let driver = driver();
    for _ in 0..2 {
        let mut response = driver.fetch(&peer.plan(), get("/")).await.unwrap();
        assert_eq!(response.body.next().await.unwrap().unwrap(), "abc");
    }
    assert_eq!((peer.connections(), driver.idle_connections()), (2, 0));
}

#[tokio::test]
async fn an_idle_connection_is_kept_as_long_as_its_own_origin_says() {
    let peer = Peer::scripted(|_, stream| serve(stream)).await;
    let mut short = peer.plan();
    if let OriginKind::Custom { keepalive, .. } = &mut short.kind {
        *keepalive = Seconds(1);
    }
    let driver = driver();
    text(driver.fetch(&short, get("/")).await.unwrap()).await;
    assert_eq!(driver.idle_connections(), 1);
    while driver.idle_connections() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    text(driver.fetch(&peer.plan(), get("/")).await.unwrap()).await;
    assert_eq!(peer.connections(), 2);
}

/// Answers once, then closes upon the next request without a word.
async fn once_per_connection(mut stream: TcpStream) -> std::io::Result<()> {
    head(&mut stream).await?;
    stream.write_all(OK).await?;
    head(&mut stream).await?;
    Ok(())
}

#[tokio::test]
async fn a_connection_that_went_stale_costs_a_get_nothing() {
    let peer = Peer::scripted(|_, stream| once_per_connection(stream)).await;
    let mut plan = peer.plan();
    plan.attempts = 1;
    let driver = driver();
    for _ in 0..3 {
        let response = driver.fetch(&plan, get("/")).await.unwrap();
        assert_eq!(text(response).await, "ok");
    }
    assert_eq!(peer.connections(), 3);
}

#[tokio::test]
async fn a_post_that_may_have_arrived_is_not_sent_twice() {
    let peer = Peer::scripted(|_, stream| once_per_connection(stream)).await;
    let driver = driver();
    text(driver.fetch(&peer.plan(), get("/")).await.unwrap()).await;
    let fields = [("host", "a"), ("content-length", "3")];
    let post = request(Method::POST, "/", &fields, Some(pieces(&["abc"])));
    let failed = driver.fetch(&peer.plan(), post).await;
    assert!(matches!(failed, Err(OriginError::Protocol(_))));
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn a_get_without_answer_is_tried_as_often_as_the_plan_says() {
    let silent = |_, mut stream: TcpStream| async move { drain(&mut stream).await };
    let peer = Peer::scripted(silent).await;
    let mut plan = peer.plan();
    plan.attempts = 2;
    let failed = driver().fetch(&plan, get("/")).await;
    assert!(matches!(failed, Err(OriginError::Timeout(_))));
    assert_eq!(peer.connections(), 2);
}

#[tokio::test]
async fn the_last_attempt_may_succeed() {
    let peer = Peer::scripted(|number, mut stream| async move {
        if number < 2 {
            return drain(&mut stream).await;
        }
        serve(stream).await
    })
    .await;
    let response = driver().fetch(&peer.plan(), get("/")).await.unwrap();
    assert_eq!(text(response).await, "ok");
    assert_eq!(peer.connections(), 3);
}

#[tokio::test]
async fn a_post_without_answer_is_not_tried_again() {
    let silent = |_, mut stream: TcpStream| async move { drain(&mut stream).await };
    let peer = Peer::scripted(silent).await;
    let post = request(Method::POST, "/", &[("host", "a")], None);
    let failed = driver().fetch(&peer.plan(), post).await;
    assert!(matches!(failed, Err(OriginError::Timeout(_))));
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn a_head_that_trickles_is_late_all_the_same() {
    let peer = Peer::scripted(|_, mut stream| async move {
        head(&mut stream).await?;
        for byte in b"HTTP/1.1 200 OK\r\nX-Slow: ".iter().chain([b'x'; 1000].iter()) {
            stream.write_all(&[*byte]).await?;
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Ok(())
    })
    .await;
    let mut plan = peer.plan();
    plan.attempts = 1;
    let failed = driver().fetch(&plan, get("/")).await;
    assert!(matches!(failed, Err(OriginError::Timeout(_))));
}

#[tokio::test]
async fn a_body_that_stops_is_silent() {
    let peer = Peer::scripted(|_, mut stream| async move {
        head(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").await?;
        drain(&mut stream).await
    })
    .await;
    let response = driver().fetch(&peer.plan(), get("/")).await.unwrap();
    assert!(matches!(whole(response).await, Err(BodyError::Silent)));
}

#[tokio::test]
async fn the_completion_timeout_ends_attempts_and_bodies() {
    let silent = |_, mut stream: TcpStream| async move { drain(&mut stream).await };
    let peer = Peer::scripted(silent).await;
    let mut plan = peer.plan();
    plan.read_timeout = Seconds(60);
    plan.completion_timeout = Some(Seconds(1));
    let failed = driver().fetch(&plan, get("/")).await;
    assert!(matches!(failed, Err(OriginError::Timeout(_))));

    let endless = Peer::scripted(|_, mut stream| async move {
        head(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
        loop {
            stream.write_all(b"x").await?;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    let mut plan = endless.plan();
    plan.completion_timeout = Some(Seconds(1));
    let response = driver().fetch(&plan, get("/")).await.unwrap();
    assert!(matches!(whole(response).await, Err(BodyError::Cut(_))));
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_is_late() {
    let silent = |_, mut stream: TcpStream| async move { drain(&mut stream).await };
    let peer = Peer::scripted(silent).await;
    let mut plan = peer.plan();
    plan.attempts = 2;
    plan.connect_timeout = Seconds(1);
    if let OriginKind::Custom { protocol, .. } = &mut plan.kind {
        *protocol = model::plan::OriginProtocol::Https;
    }
    let failed = driver().fetch(&plan, get("/")).await;
    assert!(matches!(failed, Err(OriginError::Timeout(_))));
    assert_eq!(peer.connections(), 2);
}

/// Reads a request with a body of `length` bytes as it stands on the wire, then answers.
async fn echo_length(mut stream: TcpStream, length: usize) -> std::io::Result<()> {
    let asked = head(&mut stream).await?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let said = format!("{asked}{}", String::from_utf8_lossy(&body));
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{said}", said.len());
    stream.write_all(answer.as_bytes()).await
}

#[tokio::test]
async fn a_body_of_known_length_is_sent_plain_and_one_of_unknown_length_in_chunks() {
    let peer = Peer::scripted(|_, stream| echo_length(stream, 5)).await;
    let fields = [("host", "a"), ("content-length", "5")];
    let put = request(Method::PUT, "/", &fields, Some(pieces(&["ab", "cde"])));
    let said = text(driver().fetch(&peer.plan(), put).await.unwrap()).await;
    assert!(said.ends_with("content-length: 5\r\n\r\nabcde"), "{said}");

    let wire = "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n";
    let peer = Peer::scripted(|_, stream| echo_length(stream, wire.len())).await;
    let put = request(Method::PUT, "/", &[("host", "a")], Some(pieces(&["ab", "cde"])));
    let said = text(driver().fetch(&peer.plan(), put).await.unwrap()).await;
    let expected = format!("transfer-encoding: chunked\r\n\r\n{wire}");
    assert!(said.ends_with(&expected), "{said}");
}

#[tokio::test]
async fn a_viewer_that_leaves_is_not_the_origins_fault() {
    let silent = |_, mut stream: TcpStream| async move { drain(&mut stream).await };
    let peer = Peer::scripted(silent).await;
    let cut = futures::stream::iter([Ok("ab".into()), Err(BodyError::Cut("gone".into()))]).boxed();
    let fields = [("host", "a"), ("content-length", "5")];
    let put = request(Method::PUT, "/", &fields, Some(cut));
    let failed = driver().fetch(&peer.plan(), put).await;
    assert!(matches!(failed, Err(OriginError::ViewerGone)));

    let short = request(Method::PUT, "/", &fields, Some(pieces(&["ab"])));
    let failed = driver().fetch(&peer.plan(), short).await;
    assert!(matches!(failed, Err(OriginError::ViewerGone)));
    assert_eq!(peer.connections(), 2);
}

#[tokio::test]
async fn a_slow_upload_is_not_a_slow_origin() {
    let peer = Peer::scripted(|_, stream| echo_length(stream, 2)).await;
    let slow = futures::stream::iter(["a", "b"])
        .then(|piece| async move {
            tokio::time::sleep(std::time::Duration::from_millis(1_300)).await;
            Ok(piece.into())
        })
        .boxed();
    let fields = [("host", "a"), ("content-length", "2")];
    let put = request(Method::PUT, "/", &fields, Some(slow));
    let said = text(driver().fetch(&peer.plan(), put).await.unwrap()).await;
    assert!(said.ends_with("\r\n\r\nab"), "{said}");
}

#[tokio::test]
async fn an_answer_may_come_before_the_upload_is_over() {
    let peer = Peer::scripted(|_, mut stream| async move {
        head(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n").await?;
        drain(&mut stream).await
    })
    .await;
    let endless = futures::stream::repeat(bytes::Bytes::from_static(&[0; 4096])).map(Ok).boxed();
    let put = request(Method::PUT, "/", &[("host", "a")], Some(endless));
    let response = driver().fetch(&peer.plan(), put).await.unwrap();
    assert_eq!(response.status, 413);
}
