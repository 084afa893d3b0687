//! What comes back from peers that answer well, and from those that answer badly.
#![expect(clippy::unwrap_used, reason = "tests")]

mod peer;

use http::{Method, StatusCode};
use peer::{Peer, drain, driver, get, head, request, text, whole};
use ports::origin::{BodyError, Origin, OriginError};
use tokio::io::AsyncWriteExt;

async fn outcome(answer: impl Into<bytes::Bytes>) -> Result<Vec<u8>, String> {
    let peer = Peer::says(answer).await;
    let response = driver().fetch(&peer.plan(), get("/")).await;
    match response {
        Err(error) => Err(format!("{error:?}")),
        Ok(response) => whole(response).await.map_err(|error| format!("{error:?}")),
    }
}

#[tokio::test]
async fn status_fields_and_body_come_as_sent_without_what_belongs_to_the_hop() {
    let peer = Peer::says(
        "HTTP/1.1 404 Gone Fishing\r\nContent-Length: 4\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\
         Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nKeep-Alive: timeout=3\r\nX-Raw: \u{e9}\r\n\r\nlost",
    )
    .await;
    let response = driver().fetch(&peer.plan(), get("/")).await.unwrap();
    assert_eq!(response.status, StatusCode::NOT_FOUND);
    let mut names: Vec<_> = response.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "set-cookie", "x-raw"]);
    let cookies: Vec<_> = response.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    assert_eq!(response.headers["x-raw"].as_bytes(), "é".as_bytes());
    assert_eq!(text(response).await, "lost");
}

#[tokio::test]
async fn the_request_is_written_as_it_was_given() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = std::sync::Mutex::new(Some(tell));
    let peer = Peer::scripted(move |_, mut stream| {
        let tell = tell.lock().unwrap().take();
        async move {
            let asked = head(&mut stream).await?;
            tell.unwrap().send(asked).unwrap();
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await
        }
    })
    .await;
    let fields = [
        ("host", "www.example"),
        ("connection", "x-hop"),
        ("x-hop", "1"),
        ("x-end", "2"),
        ("te", "trailers"),
    ];
    let asked = request(Method::GET, "/a%20b//../c?x=%2F&y", &fields, None);
    driver().fetch(&peer.plan(), asked).await.unwrap();
    assert_eq!(
        told.await.unwrap(),
        "get /a%20b//../c?x=%2f&y http/1.1\r\nhost: www.example\r\nx-end: 2\r\n\r\n"
    );
}

#[tokio::test]
async fn a_chunked_body_loses_its_chunks_and_trailers() {
    let body = outcome(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-T: 1\r\n\r\n",
    )
    .await;
    assert_eq!(body.unwrap(), b"abcde");
}

#[tokio::test]
async fn a_body_without_length_ends_with_the_connection() {
    let body = outcome("HTTP/1.0 200 OK\r\n\r\nto the end").await;
    assert_eq!(body.unwrap(), b"to the end");
}

#[tokio::test]
async fn informational_answers_are_passed_over() {
    let body = outcome(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    assert_eq!(body.unwrap(), b"ok");
}

#[tokio::test]
async fn an_answer_to_head_has_a_length_and_no_body() {
    let peer = Peer::says("HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n").await;
    let asked = request(Method::HEAD, "/", &[("host", "a")], None);
    let response = driver().fetch(&peer.plan(), asked).await.unwrap();
    assert_eq!(response.headers["content-length"], "5000000000");
    assert_eq!(whole(response).await.unwrap(), b"");
}

#[tokio::test]
async fn a_body_shorter_than_announced_is_cut() {
    let cut = outcome("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").await;
    assert!(cut.unwrap_err().starts_with("Cut"));
    let cut = outcome("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nabc").await;
    assert!(cut.unwrap_err().starts_with("Cut"));
    let cut = outcome("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n").await;
    assert!(cut.unwrap_err().starts_with("Cut"));
}

#[tokio::test]
async fn what_is_not_http_is_told_apart() {
    for garbage in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "\0\0\0\0\0\0\0\0",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: 1",
        "",
    ] {
        let failed = outcome(garbage).await.unwrap_err();
        assert!(failed.starts_with("Protocol"), "{garbage:?}: {failed}");
    }
}

#[tokio::test]
async fn a_head_is_32768_bytes_at_most() {
    let head = |size: usize| {
        let frame = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Long: \r\n\r\n";
        let filling = "x".repeat(size - frame.len());
        format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Long: {filling}\r\n\r\nok")
    };
    assert_eq!(outcome(head(32_768)).await.unwrap(), b"ok");
    let failed = outcome(head(32_769)).await.unwrap_err();
    assert!(failed.contains("larger than 32,768 bytes"), "{failed}");
}

#[tokio::test]
async fn heads_and_chunk_sizes_without_end_are_refused_and_not_collected() {
    for start in [
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    ] {
        let peer = Peer::scripted(move |_, mut stream| async move {
            head(&mut stream).await?;
            stream.write_all(start.as_bytes()).await?;
            loop {
                let line = if start.ends_with(';') { "yyyyyyyy" } else { "x-y: z\r\n" };
                stream.write_all(line.repeat(1000).as_bytes()).await?;
            }
        })
        .await;
        let failed = match driver().fetch(&peer.plan(), get("/")).await {
            Ok(response) => matches!(whole(response).await, Err(BodyError::Cut(_))),
            Err(error) => matches!(error, OriginError::Protocol(_)),
        };
        assert!(failed, "{start:?}");
    }
}

#[tokio::test]
async fn what_follows_an_answer_unasked_is_not_taken_for_the_next_answer() {
    let peer = Peer::scripted(|number, mut stream| async move {
        head(&mut stream).await?;
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}");
        let forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged";
        stream.write_all((answer + forged).as_bytes()).await?;
        drain(&mut stream).await
    })
    .await;
    let driver = driver();
    for number in ["0", "1"] {
        let response = driver.fetch(&peer.plan(), get("/")).await.unwrap();
        assert_eq!(text(response).await, number);
    }
}

#[tokio::test]
async fn a_closed_port_is_a_failed_connection() {
    let peer = Peer::says("").await;
    let plan = peer.plan();
    drop(peer);
    let failed = loop {
        // the listener is gone once its task has been dropped
        match driver().fetch(&plan, get("/")).await {
            Err(error @ OriginError::Connect(_)) => break error,
            _ => tokio::task::yield_now().await,
        }
    };
    assert!(failed.to_string().contains("refused"), "{failed}");
}

#[tokio::test]
async fn a_name_without_address_is_told_apart() {
    let plan = peer::plan("no-such-host.invalid", 80);
    let failed = driver().fetch(&plan, get("/")).await;
    assert!(matches!(failed, Err(OriginError::Name(_))));
}

/// Kept as it came, a coded body would be taken for the content.
#[tokio::test]
async fn a_transfer_coding_that_nobody_asked_for_is_refused() {
    for coding in ["gzip", "gzip, chunked"] {
        let answer =
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\n1\r\nx\r\n0\r\n\r\n");
        let told = outcome(answer).await.unwrap_err();
        assert!(told.contains("transfer coding"), "{told}");
    }
    let plain = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
    assert_eq!(outcome(plain).await.unwrap(), b"x");
}
