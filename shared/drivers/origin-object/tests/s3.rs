//! Against an S3 server that verifies signatures.
#![expect(clippy::unwrap_used, reason = "tests")]

mod world;

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{Method, StatusCode};
use model::feed::Secret;
use nearfront_origin_object::{ObjectOrigin, StoreConfig};
use ports::origin::{Origin, OriginRequest, OriginResponse};
use tempfile::TempDir;
use world::{KEY, S3Server, driver, field, get, keyed, plan, put, request, text, web, whole};

/// A server with the bucket `media`, and our driver in front of it under the name `media.example`.
struct Scene {
    driver: ObjectOrigin,
    server: S3Server,
    folder: TempDir,
}

impl Scene {
    async fn new() -> Self {
        Self::with("s3://media").await
    }

    async fn with(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("media")).unwrap();
        let server = S3Server::over(folder.path()).await;
        let store = keyed(url, &server.endpoint());
        Self { driver: driver("media.example", store, &web()), server, folder }
    }

    async fn ask(&self, request: OriginRequest) -> OriginResponse {
        let plan = plan("media.example", true);
        self.driver.fetch(&plan, request).await.unwrap()
    }
}

#[tokio::test]
async fn what_is_put_comes_back_with_its_fields() {
    let scene = Scene::new().await;
    let fields = [
        ("content-type", "text/css"),
        ("cache-control", "max-age=60"),
        ("content-disposition", "inline"),
        ("x-amz-meta-colour", "blue   and  green"),
    ];
    let stored = scene.ask(put("/site/a.css", "body{}", &fields)).await;
    assert_eq!(stored.status, StatusCode::OK);
    let answer = scene.ask(get("/site/a.css")).await;
    assert_eq!(answer.status, StatusCode::OK);
    for (name, value) in fields {
        assert_eq!(field(&answer, name), value);
    }
    assert_eq!(field(&answer, "content-length"), "6");
    assert!(!field(&answer, "etag").is_empty() && !field(&answer, "last-modified").is_empty());
    assert_eq!(text(answer).await, "body{}");
}

#[tokio::test]
async fn odd_keys_are_signed_as_the_server_reads_them() {
    let scene = Scene::new().await;
    for (path, file) in [
        ("/a%20b.txt", "a b.txt"),
        ("/a+b.txt", "a+b.txt"),
        ("/plus%2Bcoded", "plus+coded"),
        ("/deep%2Fer", "deep/er"),
        ("/caf%C3%A9/%E6%97%A5%E6%9C%AC", "café/日本"),
        ("/(a)!*'~,;:@&=$", "(a)!*'~,;:@&=$"),
        ("/per%25cent%2541", "per%cent%41"),
        ("/q%3Fmark", "q?mark"),
        ("/hash%23", "hash#"),
        ("/up/../stays", "stays"),
    ] {
        let stored = scene.ask(put(path, path, &[])).await;
        let status = stored.status;
        assert_eq!(status, StatusCode::OK, "{path}: {}", text(stored).await);
        let held = std::fs::read_to_string(scene.folder.path().join("media").join(file));
        assert_eq!(held.unwrap(), path);
        assert_eq!(text(scene.ask(get(path)).await).await, path);
    }
}

#[tokio::test]
async fn a_query_is_signed_and_takes_effect() {
    let scene = Scene::new().await;
    scene.ask(put("/a", "x", &[("content-type", "text/plain")])).await;
    for query in ["?x=1&a=b%20c&a-b=1&flag&y=%2F", "?partNumber=1", "?"] {
        let answer = scene.ask(get(&format!("/a{query}"))).await;
        let status = answer.status;
        assert_eq!(status, StatusCode::OK, "{query}: {}", text(answer).await);
    }
}

#[tokio::test]
async fn ranges_and_heads_are_the_servers_own() {
    let scene = Scene::new().await;
    scene.ask(put("/digits", "0123456789", &[])).await;
    let part = scene.ask(request(Method::GET, "/digits", &[("range", "bytes=2-4")], None)).await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(field(&part, "content-range"), "bytes 2-4/10");
    assert_eq!(text(part).await, "234");
    let beyond = scene.ask(request(Method::GET, "/digits", &[("range", "bytes=50-")], None)).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert!(text(beyond).await.contains("InvalidRange"));
    let head = scene.ask(request(Method::HEAD, "/digits", &[], None)).await;
    assert_eq!(field(&head, "content-length"), "10");
    assert_eq!(whole(head).await.unwrap(), b"");
}

#[tokio::test]
async fn a_missing_object_is_the_servers_own_404() {
    let scene = Scene::new().await;
    let answer = scene.ask(get("/none")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(field(&answer, "content-type"), "application/xml");
    assert!(text(answer).await.contains("<Code>NoSuchKey</Code>"));
}

#[tokio::test]
async fn an_object_can_be_deleted() {
    let scene = Scene::new().await;
    scene.ask(put("/a", "x", &[])).await;
    let gone = scene.ask(request(Method::DELETE, "/a", &[], None)).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(scene.ask(get("/a")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_wrong_secret_is_the_servers_own_403() {
    let scene = Scene::new().await;
    let store = StoreConfig {
        secret_access_key: Some(Secret("wrong".into())),
        ..keyed("s3://media", &scene.server.endpoint())
    };
    let wrong = driver("media.example", store, &web());
    let plan = plan("media.example", true);
    let answer = wrong.fetch(&plan, get("/a")).await.unwrap();
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(text(answer).await.contains("SignatureDoesNotMatch"));
}

#[tokio::test]
async fn a_plan_that_does_not_sign_asks_anonymously() {
    let scene = Scene::new().await;
    scene.ask(put("/a", "x", &[])).await;
    let open = plan("media.example", false);
    let answer = scene.driver.fetch(&open, get("/a")).await.unwrap();
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(text(answer).await.contains("AccessDenied"));
    let keyless = StoreConfig {
        access_key_id: None,
        secret_access_key: None,
        ..keyed("s3://media", &scene.server.endpoint())
    };
    let keyless = driver("media.example", keyless, &web());
    let signing = plan_that_signs();
    let answer = keyless.fetch(&signing, get("/a")).await.unwrap();
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

fn plan_that_signs() -> model::plan::Origin {
    plan("media.example", true)
}

#[tokio::test]
async fn what_viewers_claim_about_themselves_does_not_spoil_the_signature() {
    let scene = Scene::new().await;
    scene.ask(put("/a", "x", &[])).await;
    let claims = [
        ("authorization", "AWS4-HMAC-SHA256 Credential=me"),
        ("x-amz-date", "20000101T000000Z"),
        ("x-amz-security-token", "mine"),
        ("x-amz-content-sha256", "abc"),
        ("host", "viewer.example"),
        ("x-forwarded-for", "192.0.2.1"),
        ("user-agent", "Amazon CloudFront"),
        ("cookie", "a=\u{e9}"),
    ];
    let answer = scene.ask(request(Method::GET, "/a", &claims, None)).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_prefix_is_in_front_of_every_key() {
    let scene = Scene::with("s3://media/site%20one").await;
    scene.ask(put("/a/b.txt", "x", &[])).await;
    let held = scene.folder.path().join("media/site%20one/a/b.txt");
    assert!(held.exists());
    assert_eq!(text(scene.ask(get("/a/b.txt")).await).await, "x");
}

#[tokio::test]
async fn viewers_borrow_the_key_for_objects_and_not_for_the_bucket() {
    let scene = Scene::new().await;
    scene.ask(put("/secret.txt", "x", &[])).await;
    for path in ["/", "/?list-type=2", "//", "/a/..", "/%2e"] {
        let answer = scene.ask(get(path)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(!text(answer).await.contains("secret.txt"));
    }
    let refused = scene.ask(request(Method::DELETE, "/", &[], None)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(scene.folder.path().join("media").exists());
}

#[tokio::test]
async fn no_key_leads_into_another_bucket() {
    let scene = Scene::new().await;
    std::fs::create_dir(scene.folder.path().join("other")).unwrap();
    std::fs::write(scene.folder.path().join("other/a"), "theirs").unwrap();
    for path in ["/../other/a", "/x/../../other/a", "/%2e%2e/other/a", "/..%2Fother%2Fa"] {
        let answer = scene.ask(get(path)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn the_default_store_serves_every_bucket_by_name() {
    let scene = Scene::new().await;
    scene.ask(put("/a", "x", &[])).await;
    let everything = driver("default", keyed("s3://", &scene.server.endpoint()), &web());
    for domain in [
        "media.s3.amazonaws.com",
        "media.s3.eu-west-1.amazonaws.com",
        "media.s3.nearfront.localhost",
    ] {
        assert!(everything.serves(domain));
        let answer = everything.fetch(&plan(domain, true), get("/a")).await;
        assert_eq!(text(answer.unwrap()).await, "x");
    }
    assert!(!everything.serves("default"));
    assert!(!everything.serves("media.example"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_object_streams_both_ways() {
    const PIECE: usize = 256 * 1024;
    const PIECES: usize = 256;
    let scene = Scene::new().await;
    let pieces = (0..PIECES).map(|number| {
        let byte = u8::try_from(number % 251).unwrap();
        Ok(Bytes::from(vec![byte; PIECE]))
    });
    let length = (PIECE * PIECES).to_string();
    let fields = [("content-length", length.as_str())];
    let body = stream::iter(pieces).boxed();
    let stored = scene.ask(request(Method::PUT, "/large", &fields, Some(body))).await;
    assert_eq!(stored.status, StatusCode::OK);
    let mut body = scene.ask(get("/large")).await.body;
    let mut at = 0;
    while let Some(piece) = body.next().await {
        for byte in piece.unwrap() {
            assert_eq!(usize::from(byte), at / PIECE % 251);
            at += 1;
        }
    }
    assert_eq!(at, PIECE * PIECES);
}

#[test]
fn the_secret_is_not_in_debug_output() {
    let shown = format!("{:?}", keyed("s3://media", "http://127.0.0.1:1"));
    assert!(shown.contains(KEY) && !shown.contains(world::SECRET));
}
