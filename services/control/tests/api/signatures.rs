//! Signatures, checked against AWS's own signing crate: what it signs is let in, what is changed
//! afterwards is not.

use crate::harness::{NOON, Sent, Server, Signing, distribution};

const LIST: &str = "/distribution?MaxItems=10&Marker=EABC";

fn list() -> Sent {
    Sent::new("GET", LIST, "")
}

#[tokio::test]
async fn headers_and_presigned_queries_are_both_let_in() {
    let server = Server::start().await;
    for region in ["us-east-1", "eu-central-1", "nowhere"] {
        for presigned_for in [None, Some(60)] {
            let how = Signing { region, presigned_for, ..server.signing() };
            let answer = server.send_raw(&server.signed(list(), &how)).await;
            assert_eq!(answer.status, 200, "{region} {presigned_for:?} {}", answer.body);
        }
    }
}

#[tokio::test]
async fn odd_paths_queries_and_bodies_have_the_same_canonical_form() {
    let server = Server::start().await;
    let targets = [
        "/distribution/E%20a%2Fb%25%C3%A9~-_.",
        "/distribution/E(1)!*'",
        "/tagging?Resource=arn%3Aaws%3Acloudfront%3A%3A000000000000%3Adistribution%2FE%20%2B",
        "/distribution//E1",
        "/distribution?b=2&a=1&a=0&WithTags",
    ];
    for target in targets {
        let answer = server.send(Sent::new("GET", target, "")).await;
        assert_ne!(answer.status, 403, "{target} {}", answer.body);
    }
    let blanks = list().with("x-amz-meta-a", "  a   b  ").with("x-other", "c");
    assert_eq!(server.send(blanks).await.status, 200);
    let made = server.call("POST", "/distribution", distribution("r", &[("test", "ü & <")])).await;
    assert_eq!(made.error().1, "MalformedXML");
}

type Bend = fn(&mut Sent);

/// What is done to a well-signed request, and what it is answered with.
const BENT_HEADERS: &[(&str, u16, &str, Bend)] = &[
    ("method", 403, "SignatureDoesNotMatch", |sent| sent.method = "POST".into()),
    ("path", 403, "SignatureDoesNotMatch", |sent| {
        sent.target = sent.target.replace("/distribution", "/cache-policy");
    }),
    ("query value", 403, "SignatureDoesNotMatch", |sent| {
        sent.target = sent.target.replace("10", "11");
    }),
    ("more query", 403, "SignatureDoesNotMatch", |sent| sent.target.push_str("&Type=x")),
    ("body", 403, "SignatureDoesNotMatch", |sent| sent.body = b"<x/>".to_vec()),
    ("host", 403, "SignatureDoesNotMatch", |sent| *sent.header_mut("host") = "other".into()),
    ("if-match", 403, "SignatureDoesNotMatch", |sent| {
        *sent.header_mut("if-match") = "EOTHER".into();
    }),
    ("one digit", 403, "SignatureDoesNotMatch", |sent| {
        let header = sent.header_mut("authorization");
        let last = if header.ends_with('0') { "1" } else { "0" };
        header.replace_range(header.len() - 1.., last);
    }),
    ("region", 403, "SignatureDoesNotMatch", |sent| change(sent, "us-east-1", "us-east-2")),
    ("service", 403, "SignatureDoesNotMatch", |sent| change(sent, "/cloudfront/", "/s3/")),
    ("other service of ours", 403, "SignatureDoesNotMatch", |sent| {
        change(sent, "/cloudfront/", "/acm/");
    }),
    ("scope date", 403, "SignatureDoesNotMatch", |sent| change(sent, "/20260301/", "/20260302/")),
    ("date", 403, "SignatureDoesNotMatch", |sent| {
        *sent.header_mut("x-amz-date") = "20260301T120001Z".into();
    }),
    ("unsigned amazon header", 403, "SignatureDoesNotMatch", |sent| {
        sent.headers.push(("x-amz-extra".into(), "1".into()));
    }),
    ("a dry run that nobody signed", 403, "SignatureDoesNotMatch", |sent| {
        sent.headers.push(("x-nearfront-dry-run".into(), "true".into()));
    }),
    ("unknown key", 403, "InvalidClientTokenId", |sent| change(sent, "AKIA", "AKIB")),
    ("key that is none", 403, "InvalidClientTokenId", |sent| change(sent, "AKIA", "%2e")),
    ("key that is a path", 400, "IncompleteSignature", |sent| change(sent, "AKIA", "../AKIA")),
    ("no signature at all", 403, "MissingAuthenticationToken", |sent| {
        sent.headers.retain(|(name, _)| name != "authorization");
    }),
    ("other algorithm", 400, "IncompleteSignature", |sent| change(sent, "SHA256", "SHA1")),
    ("no date", 400, "IncompleteSignature", |sent| {
        sent.headers.retain(|(name, _)| name != "x-amz-date");
    }),
    ("date in another form", 400, "IncompleteSignature", |sent| {
        *sent.header_mut("x-amz-date") = "2026-03-01T12:00:00Z".into();
    }),
    ("short signature", 400, "IncompleteSignature", |sent| {
        sent.header_mut("authorization").pop();
    }),
    ("no credential", 400, "IncompleteSignature", |sent| change(sent, "Credential=", "C=")),
    ("short scope", 400, "IncompleteSignature", |sent| change(sent, "/aws4_request", "")),
    ("host not signed", 400, "IncompleteSignature", |sent| change(sent, "host;", "")),
    ("names out of order", 400, "IncompleteSignature", |sent| {
        change(sent, "SignedHeaders=host", "SignedHeaders=zz;host");
    }),
    ("session token", 403, "InvalidClientTokenId", |sent| {
        sent.headers.push(("x-amz-security-token".into(), "token".into()));
    }),
];

fn change(sent: &mut Sent, from: &str, to: &str) {
    let header = sent.header_mut("authorization");
    assert!(header.contains(from), "{header}");
    *header = header.replace(from, to);
}

#[tokio::test]
async fn whatever_is_changed_after_signing_is_noticed() {
    let server = Server::start().await;
    for (what, status, code, bend) in BENT_HEADERS {
        let mut sent = server.signed(list().with("if-match", "E1"), &server.signing());
        bend(&mut sent);
        let answer = server.send_raw(&sent).await;
        assert_eq!(answer.error(), (*status, *code), "{what}: {}", answer.body);
    }
}

const BENT_QUERIES: &[(&str, u16, &str, Bend)] = &[
    ("more query", 403, "SignatureDoesNotMatch", |sent| sent.target.push_str("&a=b")),
    ("longer life", 403, "SignatureDoesNotMatch", |sent| {
        sent.target = sent.target.replace("X-Amz-Expires=60", "X-Amz-Expires=600");
    }),
    ("unbounded life", 400, "IncompleteSignature", |sent| {
        sent.target = sent.target.replace("X-Amz-Expires=60", "X-Amz-Expires=604801");
    }),
    ("two signatures", 400, "IncompleteSignature", |sent| {
        sent.target.push_str("&X-Amz-Signature=00");
    }),
    ("no signature", 400, "IncompleteSignature", |sent| {
        sent.target = sent.target.replace("X-Amz-Signature", "x");
    }),
    ("body", 403, "SignatureDoesNotMatch", |sent| sent.body = b"<x/>".to_vec()),
];

#[tokio::test]
async fn whatever_is_changed_in_a_presigned_query_is_noticed() {
    let server = Server::start().await;
    let how = Signing { presigned_for: Some(60), ..server.signing() };
    for (what, status, code, bend) in BENT_QUERIES {
        let mut sent = server.signed(list(), &how);
        bend(&mut sent);
        let answer = server.send_raw(&sent).await;
        assert_eq!(answer.error(), (*status, *code), "{what}: {}", answer.body);
    }
}

#[tokio::test]
async fn the_clock_decides() {
    let server = Server::start().await;
    let minute = 60_000;
    for (offset, presigned_for, status) in [
        (5 * minute, None, 200),
        (5 * minute + 1000, None, 400),
        (-5 * minute, None, 200),
        (-5 * minute - 1000, None, 400),
        (60_000, Some(60), 200),
        (61_000, Some(60), 400),
        (10 * minute, Some(3600), 200),
        (-6 * minute, Some(3600), 400),
    ] {
        let how = Signing { presigned_for, at: NOON, ..server.signing() };
        let sent = server.signed(list(), &how);
        server.clock.set(NOON.checked_add_signed(offset).unwrap());
        let answer = server.send_raw(&sent).await;
        assert_eq!(answer.status, status, "{offset} {presigned_for:?} {}", answer.body);
        if status == 400 {
            assert_eq!(answer.error().1, "RequestExpired");
        }
        server.clock.set(NOON);
    }
}

#[tokio::test]
async fn a_body_must_have_the_digest_that_stands_beside_it() {
    let server = Server::start().await;
    for (digest, status) in [
        ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 200),
        ("UNSIGNED-PAYLOAD", 403),
        ("0000000000000000000000000000000000000000000000000000000000000000", 403),
    ] {
        let answer = server.send(list().with("x-amz-content-sha256", digest)).await;
        assert_eq!(answer.status, status, "{digest} {}", answer.body);
    }
}
