//! Folders and memory.
#![expect(clippy::unwrap_used, reason = "tests")]

mod world;

use futures::StreamExt;
use http::{Method, StatusCode};
use nearfront_origin_object::{ObjectOrigin, StoreConfig};
use ports::origin::{BodyError, Origin, OriginRequest, OriginResponse};
use std::{fs, os::unix::fs::symlink, path::Path};
use tempfile::TempDir;
use world::{Notes, driver, field, get, plan, put, request, text, whole};

fn over(name: &str, url: &str) -> ObjectOrigin {
    let store = StoreConfig { url: url.into(), ..StoreConfig::default() };
    driver(name, store, &Notes::answering(500, &[], "").transport())
}

/// A site in a folder, beside a file that is none of its business.
struct Site {
    driver: ObjectOrigin,
    folder: TempDir,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("my site");
        fs::create_dir_all(root.join("deep/er")).unwrap();
        fs::write(root.join("index.html"), "<p>hi</p>").unwrap();
        fs::write(root.join("deep/er/a b+c.js"), "0123456789").unwrap();
        fs::write(folder.path().join("secret"), "secret").unwrap();
        let url = url::Url::from_file_path(&root).unwrap();
        Self { driver: over("m", url.as_str()), folder }
    }

    fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("my site")
    }

    async fn ask(&self, request: OriginRequest) -> OriginResponse {
        self.driver.fetch(&plan("m", true), request).await.unwrap()
    }

    async fn status(&self, method: Method, path: &str, fields: &[(&str, &str)]) -> u16 {
        let answer = self.ask(request(method, path, fields, None)).await;
        answer.status.as_u16()
    }
}

#[tokio::test]
async fn a_file_is_an_object() {
    let site = Site::new();
    let answer = site.ask(get("/index.html")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(field(&answer, "content-type"), "text/html; charset=utf-8");
    assert_eq!(field(&answer, "content-length"), "9");
    assert_eq!(field(&answer, "accept-ranges"), "bytes");
    assert!(field(&answer, "etag").starts_with('"'));
    assert!(field(&answer, "last-modified").ends_with("GMT"));
    assert_eq!(text(answer).await, "<p>hi</p>");
    let encoded = site.ask(get("/deep%2Fer/a%20b+c.js?v=1")).await;
    assert_eq!(text(encoded).await, "0123456789");
    let head = site.ask(request(Method::HEAD, "/index.html", &[], None)).await;
    assert_eq!(field(&head, "content-length"), "9");
    assert_eq!(whole(head).await.unwrap(), b"");
}

#[tokio::test]
async fn content_types_go_by_the_extension() {
    let site = Site::new();
    for (name, expected) in [
        ("a.css", "text/css; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.PNG", "image/png"),
        ("a.wasm", "application/wasm"),
        ("a.woff2", "font/woff2"),
        ("a.unheard-of", "application/octet-stream"),
        ("none", "application/octet-stream"),
    ] {
        fs::write(site.root().join(name), "").unwrap();
        let answer = site.ask(get(&format!("/{name}"))).await;
        assert_eq!(field(&answer, "content-type"), expected, "{name}");
        assert_eq!(text(answer).await, "");
    }
}

#[tokio::test]
async fn what_is_no_file_does_not_exist() {
    let site = Site::new();
    let long = format!("/{}", "x".repeat(5000));
    for path in [
        "/",
        "/none",
        "/deep",
        "/deep/",
        "/deep/er/",
        "/index.html/",
        "/index.html/x",
        "//index.html",
        "/deep//er/a%20b+c.js",
        "/./index.html",
        "/deep/../index.html",
        "/index.html%00",
        "/%FF",
        &long,
    ] {
        let answer = site.ask(get(path)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(text(answer).await.contains("NoSuchKey"));
    }
}

#[tokio::test]
async fn nothing_outside_the_folder_is_served() {
    let site = Site::new();
    let root = site.root();
    symlink(site.folder.path().join("secret"), root.join("link")).unwrap();
    symlink(site.folder.path(), root.join("up")).unwrap();
    symlink("../secret", root.join("relative")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    symlink("index.html", root.join("inside")).unwrap();
    for path in ["/link", "/up/secret", "/relative", "/loop", "/etc/passwd", "/%2Fetc%2Fpasswd"] {
        assert_eq!(site.status(Method::GET, path, &[]).await, 404, "{path}");
    }
    for path in ["/../secret", "/%2e%2e/secret", "/deep/../../secret", "/..%2fsecret"] {
        assert_eq!(site.status(Method::GET, path, &[]).await, 400, "{path}");
    }
    assert_eq!(text(site.ask(get("/inside")).await).await, "<p>hi</p>");
}

#[tokio::test]
async fn a_named_pipe_is_not_waited_for() {
    let site = Site::new();
    let made = std::process::Command::new("mkfifo").arg(site.root().join("pipe")).status().unwrap();
    assert!(made.success());
    assert_eq!(site.status(Method::GET, "/pipe", &[]).await, 404);
}

#[tokio::test]
async fn conditions_are_answered() {
    let site = Site::new();
    let answer = site.ask(get("/index.html")).await;
    let etag = field(&answer, "etag").to_owned();
    let date = field(&answer, "last-modified").to_owned();
    let path = "/index.html";
    let status = async |name, value: &str| site.status(Method::GET, path, &[(name, value)]).await;
    assert_eq!(status("if-none-match", &etag).await, 304);
    assert_eq!(status("if-none-match", "\"other\"").await, 200);
    assert_eq!(status("if-modified-since", &date).await, 304);
    assert_eq!(status("if-match", "\"other\"").await, 412);
    assert_eq!(status("if-match", &etag).await, 200);
    let not_modified =
        site.ask(request(Method::GET, path, &[("if-none-match", &etag)], None)).await;
    assert_eq!(field(&not_modified, "etag"), etag);
    assert_eq!(field(&not_modified, "content-type"), "");
    assert_eq!(whole(not_modified).await.unwrap(), b"");
    fs::write(site.root().join("index.html"), "<p>longer</p>").unwrap();
    assert_eq!(status("if-none-match", &etag).await, 200);
}

#[tokio::test]
async fn ranges_are_answered() {
    let site = Site::new();
    let path = "/deep/er/a%20b+c.js";
    let part = site.ask(request(Method::GET, path, &[("range", "bytes=-3")], None)).await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(field(&part, "content-range"), "bytes 7-9/10");
    assert_eq!(field(&part, "content-length"), "3");
    assert_eq!(text(part).await, "789");
    let beyond = site.ask(request(Method::GET, path, &[("range", "bytes=10-")], None)).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(field(&beyond, "content-range"), "bytes */10");
    let head = site.status(Method::HEAD, path, &[("range", "bytes=0-1")]).await;
    assert_eq!(head, 200);
}

#[tokio::test]
async fn a_folder_is_only_read() {
    let site = Site::new();
    for method in [Method::PUT, Method::POST, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let answer = site.ask(request(method, "/index.html", &[], None)).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(field(&answer, "allow"), "GET, HEAD");
    }
}

#[tokio::test]
async fn a_file_that_shrinks_while_it_is_read_is_cut() {
    let site = Site::new();
    let path = site.root().join("large");
    fs::write(&path, vec![1; 1 << 20]).unwrap();
    let mut answer = site.ask(get("/large")).await;
    answer.body.next().await.unwrap().unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_len(100_000).unwrap();
    assert!(matches!(whole(answer).await, Err(BodyError::Cut(_))));
}

#[tokio::test]
async fn pieces_of_a_file_are_small_however_large_it_is() {
    let site = Site::new();
    let file = fs::File::create(site.root().join("huge")).unwrap();
    file.set_len(5 << 30).unwrap();
    let mut answer = site.ask(get("/huge")).await;
    assert_eq!(field(&answer, "content-length"), "5368709120");
    for _ in 0..100 {
        assert!(answer.body.next().await.unwrap().unwrap().len() <= 64 * 1024);
    }
    let last = [("range", "bytes=5368709119-")];
    let end = site.ask(request(Method::GET, "/huge", &last, None)).await;
    assert_eq!(whole(end).await.unwrap(), [0]);
}

#[tokio::test]
async fn a_default_folder_has_a_folder_for_each_bucket() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("media")).unwrap();
    fs::write(folder.path().join("media/a"), "x").unwrap();
    fs::write(folder.path().join("b"), "y").unwrap();
    let url = url::Url::from_file_path(folder.path()).unwrap();
    let driver = over("default", url.as_str());
    let ask = async |domain: &str, path: &str| {
        driver.fetch(&plan(domain, true), get(path)).await.unwrap()
    };
    assert_eq!(text(ask("media.s3.amazonaws.com", "/a").await).await, "x");
    assert_eq!(ask("other.s3.amazonaws.com", "/a").await.status, 404);
}

#[tokio::test]
async fn a_folder_that_comes_later_is_served_then() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("later");
    let driver = over("m", url::Url::from_file_path(&root).unwrap().as_str());
    let ask = async || driver.fetch(&plan("m", true), get("/a")).await.unwrap();
    assert_eq!(ask().await.status, 404);
    write(&root, "a", "x");
    assert_eq!(text(ask().await).await, "x");
}

fn write(folder: &Path, name: &str, content: &str) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(name), content).unwrap();
}

#[tokio::test]
async fn memory_holds_what_is_put_there() {
    let memory = over("m", "memory://");
    let ask = async |request| memory.fetch(&plan("m", true), request).await.unwrap();
    assert_eq!(ask(get("/a//b")).await.status, 404);
    let fields = [("content-type", "text/x"), ("x-amz-meta-a", "b"), ("x-other", "c")];
    let stored = ask(put("/a//b", "0123456789", &fields)).await;
    assert_eq!(stored.status, 200);
    let etag = field(&stored, "etag").to_owned();
    let answer = ask(get("/a//b")).await;
    assert_eq!((field(&answer, "etag"), field(&answer, "x-other")), (etag.as_str(), ""));
    assert_eq!((field(&answer, "content-type"), field(&answer, "x-amz-meta-a")), ("text/x", "b"));
    assert_eq!(text(answer).await, "0123456789");
    let part = [("range", "bytes=1-2")];
    assert_eq!(text(ask(request(Method::GET, "/a//b", &part, None)).await).await, "12");
    let same = [("if-none-match", etag.as_str())];
    assert_eq!(ask(request(Method::GET, "/a//b", &same, None)).await.status, 304);
    assert_eq!(ask(request(Method::DELETE, "/a//b", &[], None)).await.status, 204);
    assert_eq!(ask(get("/a//b")).await.status, 404);
    assert_eq!(ask(request(Method::POST, "/a", &[], None)).await.status, 405);
}

#[tokio::test]
async fn memory_is_not_filled_beyond_its_budget() {
    let memory = over("m", "memory://");
    let large = "x".repeat(16 << 20);
    let store = async |path: &str, text: &str| {
        let stored = memory.fetch(&plan("m", true), put(path, text, &[])).await;
        stored.unwrap().status.as_u16()
    };
    for path in ["/1", "/2", "/3"] {
        assert_eq!(store(path, &large).await, 200);
    }
    assert_eq!(store("/1", &large).await, 200);
    assert_eq!(store("/4", &large).await, 413);
    assert_eq!(store("/5", &format!("{large}x")).await, 413);
    assert_eq!(store("/4", "small").await, 200);
}
