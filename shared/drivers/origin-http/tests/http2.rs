//! Servers that agree to HTTP/2.
#![expect(clippy::unwrap_used, reason = "tests")]

mod peer;

use bytes::Bytes;
use futures::{StreamExt, future::join_all};
use h2::Reason;
use http::{Method, Response};
use model::{plan::OriginKind, units::Seconds};
use peer::{
    get, pieces, request,
    secure::{self, http2, plan, say, usual},
    text,
};
use ports::origin::{BodyError, Origin, OriginError};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    sync::{Barrier, mpsc},
};

#[tokio::test]
async fn many_requests_share_one_connection_from_the_first_on() {
    let (peer, driver) = http2(usual, |_, mut spoken| async move {
        while let Some(asked) = spoken.accept().await {
            say(asked?, "hello")?;
        }
        Ok(())
    })
    .await;
    let plan = plan(&peer);
    let asked = join_all((0..50).map(|_| driver.fetch(&plan, get("/")))).await;
    for answer in asked {
        assert_eq!(text(answer.unwrap()).await, "hello");
    }
    assert_eq!(peer.connections(), 1);
    assert_eq!(driver.idle_connections(), 1);
}

#[tokio::test]
async fn a_request_has_what_http2_wants_and_nothing_of_http1() {
    let (peer, driver) = http2(usual, |_, mut spoken| async move {
        while let Some(asked) = spoken.accept().await {
            let (asked, answer) = asked?;
            let mut names: Vec<_> = asked.headers().keys().map(http::HeaderName::as_str).collect();
            names.sort_unstable();
            let seen = format!("{} {} {names:?}", asked.method(), asked.uri());
            say((asked, answer), &seen)?;
        }
        Ok(())
    })
    .await;
    let fields = [
        ("host", "www.example:8443"),
        ("connection", "x-hop, keep-alive"),
        ("x-hop", "1"),
        ("te", "trailers"),
        ("x-end", "2"),
    ];
    let mut plan = plan(&peer);
    plan.domain = "localhost".into();
    let fields_sent = [("host", "localhost"), fields[1], fields[2], fields[3], fields[4]];
    let asked = request(Method::GET, "//a/../b?x=%20", &fields_sent, None);
    let seen = text(driver.fetch(&plan, asked).await.unwrap()).await;
    assert_eq!(seen, r#"GET https://localhost//a/../b?x=%20 ["x-end"]"#);
}

#[tokio::test]
async fn a_body_goes_up_while_the_answer_comes_down() {
    let (peer, driver) = http2(usual, |_, mut spoken| async move {
        while let Some(asked) = spoken.accept().await {
            let (asked, mut answer) = asked?;
            tokio::spawn(async move {
                let mut down = answer.send_response(Response::new(()), false).unwrap();
                let mut up = asked.into_body();
                while let Some(piece) = up.data().await {
                    down.send_data(piece.unwrap(), false).unwrap();
                }
                down.send_data(Bytes::new(), true).unwrap();
            });
        }
        Ok(())
    })
    .await;
    let (sender, receiver) = mpsc::channel(1);
    let body = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece: &'static str| (Ok(Bytes::from(piece)), receiver))
    });
    let asked = request(Method::POST, "/", &[("host", "localhost")], Some(body.boxed()));
    let mut echoed = driver.fetch(&plan(&peer), asked).await.unwrap().body;
    for piece in ["one", "two", "three"] {
        sender.send(piece).await.unwrap();
        assert_eq!(echoed.next().await.unwrap().unwrap(), piece);
    }
    drop(sender);
    assert!(echoed.next().await.is_none());
}

#[tokio::test]
async fn more_than_the_server_allows_go_over_further_connections() {
    let both = Arc::new(Barrier::new(4));
    let (peer, driver) = http2(
        |builder| {
            builder.max_concurrent_streams(2);
        },
        move |_, mut spoken| {
            let both = both.clone();
            async move {
                while let Some(asked) = spoken.accept().await {
                    let (asked, both) = (asked?, both.clone());
                    if asked.0.uri().path() == "/first" {
                        say(asked, "first")?;
                        continue;
                    }
                    tokio::spawn(async move {
                        both.wait().await;
                        say(asked, "together").unwrap();
                    });
                }
                Ok(())
            }
        },
    )
    .await;
    let plan = plan(&peer);
    assert_eq!(text(driver.fetch(&plan, get("/first")).await.unwrap()).await, "first");
    tokio::task::yield_now().await;
    let asked = join_all((0..4).map(|_| driver.fetch(&plan, get("/")))).await;
    for answer in asked {
        assert_eq!(text(answer.unwrap()).await, "together");
    }
    assert!(peer.connections() > 1);
}

/// RFC 9113 §8.7.
#[tokio::test]
async fn a_refused_request_is_sent_again() {
    let (peer, driver) = http2(usual, |_, mut spoken| async move {
        let mut refused = 0;
        while let Some(asked) = spoken.accept().await {
            let (asked, mut answer) = asked?;
            if refused < 2 {
                refused += 1;
                answer.send_reset(Reason::REFUSED_STREAM);
            } else {
                say((asked, answer), "at last")?;
            }
        }
        Ok(())
    })
    .await;
    let asked = request(Method::DELETE, "/", &[("host", "localhost")], None);
    let answer = driver.fetch(&plan(&peer), asked).await.unwrap();
    assert_eq!(text(answer).await, "at last");
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn a_server_that_always_refuses_has_failed() {
    let (peer, driver) = http2(usual, |_, mut spoken| async move {
        while let Some(asked) = spoken.accept().await {
            asked?.1.send_reset(Reason::REFUSED_STREAM);
        }
        Ok(())
    })
    .await;
    let failed = driver.fetch(&plan(&peer), get("/")).await;
    assert!(matches!(failed, Err(OriginError::Protocol(_))));
}

/// RFC 9113 §6.8.
#[tokio::test]
async fn after_goaway_requests_take_another_connection() {
    let (peer, driver) = http2(usual, |number, mut spoken| async move {
        let asked = spoken.accept().await.unwrap()?;
        say(asked, if number == 0 { "first" } else { "second" })?;
        spoken.graceful_shutdown();
        while let Some(asked) = spoken.accept().await {
            say(asked?, "late")?;
        }
        Ok(())
    })
    .await;
    let plan = plan(&peer);
    assert_eq!(text(driver.fetch(&plan, get("/")).await.unwrap()).await, "first");
    let again = text(driver.fetch(&plan, get("/")).await.unwrap()).await;
    // The second may still have come before the GOAWAY did.
    assert!(["second", "late"].contains(&again.as_str()), "{again}");
}

#[tokio::test]
async fn what_goaway_leaves_out_is_sent_again_on_another_connection() {
    let (peer, driver) = http2(usual, |number, mut spoken| async move {
        if number == 0 {
            spoken.abrupt_shutdown(Reason::NO_ERROR); // no request has been looked at
        }
        while let Some(asked) = spoken.accept().await {
            say(asked?, &number.to_string())?;
        }
        Ok(())
    })
    .await;
    let asked = request(Method::DELETE, "/", &[("host", "localhost")], None);
    assert_eq!(text(driver.fetch(&plan(&peer), asked).await.unwrap()).await, "1");
}

#[tokio::test]
async fn a_reset_ends_one_exchange_and_is_not_sent_again() {
    let asked_so_far = Arc::new(AtomicUsize::new(0));
    let count = asked_so_far.clone();
    let (peer, driver) = http2(usual, move |_, mut spoken| {
        let count = count.clone();
        async move {
            while let Some(asked) = spoken.accept().await {
                let (asked, mut answer) = asked?;
                count.fetch_add(1, Ordering::SeqCst);
                match asked.uri().path() {
                    "/bad" => answer.send_reset(Reason::INTERNAL_ERROR),
                    _ => say((asked, answer), "good")?,
                }
            }
            Ok(())
        }
    })
    .await;
    let plan = plan(&peer);
    assert!(matches!(driver.fetch(&plan, get("/bad")).await, Err(OriginError::Protocol(_))));
    assert_eq!(text(driver.fetch(&plan, get("/")).await.unwrap()).await, "good");
    assert_eq!((peer.connections(), asked_so_far.load(Ordering::SeqCst)), (1, 2));
}

/// RFC 9113 §7, `HTTP_1_1_REQUIRED`.
#[tokio::test]
async fn a_server_that_wants_http1_after_all_gets_it() {
    let (acceptor, pem) = secure::acceptor(&["h2", "http/1.1"]);
    let peer = peer::Peer::scripted(move |_, stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut tls = acceptor.accept(stream).await?;
            if tls.get_ref().1.alpn_protocol() == Some(b"h2") {
                let mut spoken = h2::server::handshake(tls).await.map_err(std::io::Error::other)?;
                while let Some(Ok((_, mut answer))) = spoken.accept().await {
                    answer.send_reset(Reason::HTTP_1_1_REQUIRED);
                }
                return Ok(());
            }
            loop {
                peer::head(&mut tls).await?;
                tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold").await?;
            }
        }
    })
    .await;
    let driver = secure::trusting(&pem);
    for _ in 0..2 {
        let answer = driver.fetch(&plan(&peer), get("/")).await.unwrap();
        assert_eq!(text(answer).await, "old");
    }
    assert_eq!(peer.connections(), 2);
}

#[tokio::test]
async fn a_body_that_is_reset_is_not_whole() {
    let (peer, driver) = http2(usual, |_, mut spoken| async move {
        while let Some(asked) = spoken.accept().await {
            let (_asked, mut answer) = asked?;
            let mut body = answer.send_response(Response::new(()), false)?;
            body.send_data("half".into(), false)?;
            tokio::spawn(async move {
                // Not before the first half is out: a reset takes with it what waits.
                while body.capacity() == 0 {
                    body.reserve_capacity(1);
                    tokio::task::yield_now().await;
                }
                body.send_reset(Reason::INTERNAL_ERROR);
            });
        }
        Ok(())
    })
    .await;
    let answer = driver.fetch(&plan(&peer), get("/")).await;
    if let Ok(answer) = answer {
        let ended = peer::whole(answer).await;
        assert!(matches!(ended, Err(BodyError::Cut(_))), "{ended:?}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_asked_again_on_another_connection() {
    let (peer, driver) = http2(usual, |number, mut spoken| async move {
        let mut kept = Vec::new();
        while let Some(asked) = spoken.accept().await {
            match number {
                0 => kept.push(asked?),
                _ => say(asked?, "awake")?,
            }
        }
        Ok(())
    })
    .await;
    let answer = driver.fetch(&plan(&peer), get("/")).await.unwrap();
    assert_eq!(text(answer).await, "awake");
    assert_eq!(peer.connections(), 2);
}

#[tokio::test]
async fn an_exchange_that_is_given_up_leaves_the_connection_to_others() {
    let (told, mut hears) = mpsc::unbounded_channel();
    let (peer, driver) = http2(usual, move |_, mut spoken| {
        let told = told.clone();
        async move {
            while let Some(asked) = spoken.accept().await {
                let (asked, mut answer) = asked?;
                if asked.uri().path() == "/" {
                    say((asked, answer), "next")?;
                    continue;
                }
                let told = told.clone();
                tokio::spawn(async move {
                    let mut body = answer.send_response(Response::new(()), false).unwrap();
                    body.send_data("first".into(), false).unwrap();
                    let ended = std::future::poll_fn(|context| body.poll_reset(context)).await;
                    told.send(ended.unwrap()).unwrap();
                });
            }
            Ok(())
        }
    })
    .await;
    let plan = plan(&peer);
    let mut answer = driver.fetch(&plan, get("/endless")).await.unwrap();
    assert_eq!(answer.body.next().await.unwrap().unwrap(), "first");
    drop(answer);
    assert_eq!(hears.recv().await.unwrap(), Reason::CANCEL);
    assert_eq!(text(driver.fetch(&plan, get("/")).await.unwrap()).await, "next");
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_time() {
    let (told, mut hears) = mpsc::unbounded_channel();
    let (peer, driver) = http2(usual, move |_, mut spoken| {
        let told = told.clone();
        async move {
            while let Some(asked) = spoken.accept().await {
                say(asked?, "hello")?;
            }
            told.send(()).unwrap();
            Ok(())
        }
    })
    .await;
    let mut plan = plan(&peer);
    if let OriginKind::Custom { keepalive, .. } = &mut plan.kind {
        *keepalive = Seconds(1);
    }
    assert_eq!(text(driver.fetch(&plan, get("/")).await.unwrap()).await, "hello");
    assert_eq!(driver.idle_connections(), 1);
    tokio::time::timeout(Duration::from_secs(20), hears.recv()).await.unwrap().unwrap();
    assert_eq!(driver.idle_connections(), 0);
}

#[tokio::test]
async fn a_failed_connection_fails_all_who_wait_for_it_and_no_later() {
    let peer = peer::Peer::scripted(|_, stream| async move {
        drop(stream);
        Ok(())
    })
    .await;
    let (_, pem) = secure::acceptor(&[]);
    let driver = secure::trusting(&pem);
    let plan = plan(&peer);
    for answer in join_all((0..10).map(|_| driver.fetch(&plan, get("/")))).await {
        assert!(matches!(answer, Err(OriginError::Connect(_))));
    }
    assert!(peer.connections() <= 30);
}

#[tokio::test]
async fn a_request_body_is_sent_whole() {
    let (peer, driver) = http2(usual, |_, mut spoken| async move {
        while let Some(asked) = spoken.accept().await {
            let (asked, answer) = asked?;
            tokio::spawn(async move {
                let (head, mut up) = asked.into_parts();
                let mut all = Vec::new();
                while let Some(piece) = up.data().await {
                    let piece = piece.unwrap();
                    up.flow_control().release_capacity(piece.len()).unwrap();
                    all.extend_from_slice(&piece);
                }
                let all = String::from_utf8(all).unwrap();
                say((http::Request::from_parts(head, up), answer), &all).unwrap();
            });
        }
        Ok(())
    })
    .await;
    let body = pieces(&["a", "bc", "def"]);
    let asked = request(Method::PUT, "/", &[("host", "localhost")], Some(body));
    assert_eq!(text(driver.fetch(&plan(&peer), asked).await.unwrap()).await, "abcdef");
}
