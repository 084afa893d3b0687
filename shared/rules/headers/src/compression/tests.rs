//! The guide's conditions one by one, and laws for whatever headers there are.

use super::*;
use crate::{
    fixtures::{behaviour, headers, names},
    viewer::Viewer,
};
use http::Version;
use proptest::{collection::vec, prelude::*, sample::select};

fn compressing() -> Behaviour {
    let mut behaviour = behaviour();
    behaviour.compress = true;
    (behaviour.cache.gzip, behaviour.cache.brotli) = (true, true);
    behaviour
}

/// A GET over this version, accepting this.
fn ask(
    behaviour: &Behaviour,
    method: &Method,
    (version, accepts): (Version, &str),
    status: u16,
    response: &HeaderMap,
) -> Result<Coding, Plain> {
    let viewer = Viewer::new(([192, 0, 2, 7], 4711).into(), version, false);
    let sent = headers(&[("accept-encoding", accepts)]);
    let request = Request { method, path: "/", query: None, headers: &sent, viewer: &viewer };
    decide(behaviour, &request, StatusCode::from_u16(status).unwrap(), response)
}

fn page(more: &[(&str, &str)]) -> HeaderMap {
    let mut fields = vec![("content-type", "text/html"), ("content-length", "5000")];
    fields.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    fields.extend(more);
    headers(&fields)
}

/// An answer with these fields, to a viewer who accepts both codings.
fn answer(status: u16, fields: &[(&str, &str)]) -> Result<Coding, Plain> {
    let both = (Version::HTTP_11, "gzip, deflate, br");
    ask(&compressing(), &Method::GET, both, status, &page(fields))
}

/// Developer guide, serve compressed files: "How CloudFront compression works", "Conditions".
#[test]
fn the_coding_is_what_the_policy_and_the_viewer_agree_on_br_first() {
    let table = [
        (true, true, "gzip, br", Ok(Coding::Br)),
        (true, true, "gzip;q=1, br;q=0.1", Ok(Coding::Br)),
        (true, true, "gzip, zstd", Ok(Coding::Gzip)),
        (true, true, "gzip", Ok(Coding::Gzip)),
        (true, true, "gzip, br;q=0", Ok(Coding::Gzip)),
        (true, false, "gzip, br", Ok(Coding::Gzip)),
        (false, true, "gzip, br", Ok(Coding::Br)),
        (true, false, "br", Err(Plain::NotAccepted)),
        (true, true, "deflate", Err(Plain::NotAccepted)),
        (true, true, "identity", Err(Plain::NotAccepted)),
        (false, false, "gzip, br", Err(Plain::NotAccepted)),
    ];
    for (gzip, brotli, accepts, expected) in table {
        let mut behaviour = compressing();
        (behaviour.cache.gzip, behaviour.cache.brotli) = (gzip, brotli);
        let got = ask(&behaviour, &Method::GET, (Version::HTTP_2, accepts), 200, &page(&[]));
        assert_eq!(got, expected, "{gzip} {brotli} {accepts}");
    }
}

/// Between Brotli, which is smaller, and gzip, which is slower.
#[test]
fn zstd_is_for_those_who_do_not_accept_br_where_the_edge_is_set_to_it() {
    let mut behaviour = compressing();
    behaviour.cache.zstd = true;
    for (accepts, expected) in [
        ("gzip, br, zstd", Coding::Br),
        ("gzip, zstd", Coding::Zstd),
        ("zstd;q=0.1, gzip", Coding::Zstd),
        ("gzip, zstd;q=0", Coding::Gzip),
    ] {
        let got = ask(&behaviour, &Method::GET, (Version::HTTP_2, accepts), 200, &page(&[]));
        assert_eq!(got, Ok(expected), "{accepts}");
    }
}

/// The same: `Compress`, TTLs of 0, HTTP/1.0, `Accept-Encoding` among the key's own headers; legacy
/// settings know gzip only.
#[test]
fn the_behaviour_and_the_request_have_to_allow_it() {
    let change = |change: fn(&mut Behaviour)| {
        let mut behaviour = compressing();
        change(&mut behaviour);
        ask(&behaviour, &Method::GET, (Version::HTTP_11, "gzip, br"), 200, &page(&[]))
    };
    assert_eq!(change(|_| {}), Ok(Coding::Br));
    assert_eq!(change(|b| b.compress = false), Err(Plain::Off));
    let never = Ttl { min: Seconds(0), default: Some(Seconds(0)), max: Seconds(0) };
    let disabled = |default| Ttl { default, ..never };
    for ttl in [disabled(Some(Seconds(0))), disabled(None)] {
        let mut behaviour = compressing();
        behaviour.cache.ttl = ttl;
        let got = ask(&behaviour, &Method::GET, (Version::HTTP_11, "br"), 200, &page(&[]));
        assert_eq!(got, Err(Plain::NoCaching));
    }
    assert_eq!(change(|b| b.cache.ttl.default = Some(Seconds(0))), Ok(Coding::Br));
    assert_eq!(change(|b| b.cache.headers = names(&["accept-encoding"])), Err(Plain::NotAccepted));
    assert_eq!(change(|b| b.cache.all_headers = true), Err(Plain::NotAccepted));
    let legacy = |b: &mut Behaviour| {
        (b.cache.gzip, b.cache.brotli, b.forward.legacy) = (false, false, true);
    };
    assert_eq!(change(legacy), Ok(Coding::Gzip));
    let old = (Version::HTTP_10, "gzip, br");
    assert_eq!(ask(&compressing(), &Method::GET, old, 200, &page(&[])), Err(Plain::NotAccepted));
    for method in [Method::HEAD, Method::OPTIONS, Method::POST] {
        let got = ask(&compressing(), &method, (Version::HTTP_11, "br"), 200, &page(&[]));
        assert_eq!(got, Err(Plain::Method), "{method}");
    }
}

/// The same: status, `Content-Encoding`, `Content-Length`; RFC 9111 §5.2.2.6.
#[test]
fn the_answer_has_to_allow_it() {
    for status in [200, 403, 404] {
        assert_eq!(answer(status, &[]), Ok(Coding::Br), "{status}");
    }
    for status in [201, 204, 206, 301, 304, 400, 410, 500, 503] {
        assert_eq!(answer(status, &[]), Err(Plain::Status), "{status}");
    }
    for value in ["gzip", "identity", "", "nonsense"] {
        assert_eq!(answer(200, &[("content-encoding", value)]), Err(Plain::Encoded), "{value}");
    }
    for value in ["no-transform", "max-age=60, No-Transform", "public,no-transform , x"] {
        assert_eq!(answer(200, &[("cache-control", value)]), Err(Plain::NoTransform), "{value}");
    }
    for value in ["max-age=60", "private", "x-no-transform", "no-transformer"] {
        assert_eq!(answer(200, &[("cache-control", value)]), Ok(Coding::Br), "{value}");
    }
}

#[test]
fn the_length_has_to_be_known_and_neither_short_nor_long() {
    for good in ["1000", "1001", "10000000"] {
        assert_eq!(answer(200, &[("content-length", good)]), Ok(Coding::Br), "{good}");
    }
    let bad = ["999", "10000001", "0", "", "+5000", "-5000", "5e3", "5000, 5000", "5000 x"];
    for bad in bad {
        assert_eq!(answer(200, &[("content-length", bad)]), Err(Plain::Length), "{bad}");
    }
    let twice = [("content-length", "5000"), ("content-length", "5000")];
    assert_eq!(answer(200, &twice), Err(Plain::Length));
    let mut unknown = page(&[]);
    unknown.remove("content-length");
    let both = (Version::HTTP_11, "br");
    assert_eq!(ask(&compressing(), &Method::GET, both, 200, &unknown), Err(Plain::Length));
}

/// The same, file types that CloudFront compresses.
#[test]
fn the_type_has_to_be_on_the_list() {
    for known in TYPES {
        assert_eq!(answer(200, &[("content-type", known)]), Ok(Coding::Br), "{known}");
    }
    for good in ["Text/HTML; charset=utf-8", "application/JSON;x=\"y\"", " text/css ;"] {
        assert_eq!(answer(200, &[("content-type", good)]), Ok(Coding::Br), "{good}");
    }
    let bad = ["image/png", "font/woff2", "font/woff", "video/mp4", "application/zip", "text/htm"];
    for bad in [&bad[..], &["", ";", "text", "text/html, text/css"]].concat() {
        assert_eq!(answer(200, &[("content-type", bad)]), Err(Plain::Type), "{bad}");
    }
    let twice = [("content-type", "text/html"), ("content-type", "text/css")];
    assert_eq!(answer(200, &twice), Err(Plain::Type));
}

#[test]
fn the_list_is_in_order_and_names_each_type_once() {
    assert!(TYPES.is_sorted_by(|one, next| one < next));
}

/// The same, `ETag` header conversion.
#[test]
fn tags_become_weak_and_what_is_no_tag_goes() {
    let table = [
        ("\"x\"", Some("W/\"x\"")),
        ("\"\"", Some("W/\"\"")),
        ("W/\"x\"", Some("W/\"x\"")),
        ("x", None),
        ("\"x", None),
        ("\"", None),
        ("w/\"x\"", None),
        ("", None),
    ];
    for (sent, expected) in table {
        let mut fields = headers(&[("etag", sent)]);
        rewrite(&mut fields, Coding::Br);
        let got = fields.get("etag").map(|tag| tag.to_str().unwrap());
        assert_eq!(got, expected, "{sent}");
    }
    let mut two = headers(&[("etag", "\"a\""), ("etag", "\"b\"")]);
    rewrite(&mut two, Coding::Br);
    assert!(!two.contains_key("etag"));
}

#[test]
fn fields_about_the_origins_bytes_go_and_all_others_stay() {
    let mut fields = headers(&[
        ("content-length", "5000"),
        ("content-md5", "Q2hlY2sgSW50ZWdyaXR5IQ=="),
        ("digest", "md5=x"),
        ("content-digest", "sha-256=:x:"),
        ("repr-digest", "sha-256=:x:"),
        ("accept-ranges", "bytes"),
        ("content-type", "text/html"),
        ("last-modified", "Sun, 15 Jun 2025 10:00:00 GMT"),
    ]);
    rewrite(&mut fields, Coding::Gzip);
    let expected = headers(&[
        ("accept-ranges", "bytes"),
        ("content-type", "text/html"),
        ("last-modified", "Sun, 15 Jun 2025 10:00:00 GMT"),
        ("content-encoding", "gzip"),
        ("vary", "Accept-Encoding"),
    ]);
    assert_eq!(fields, expected);
}

/// RFC 9110 §12.5.5.
#[test]
fn vary_names_the_encoding_once() {
    for (sent, lines) in
        [("Origin", 2), ("accept-encoding", 1), ("Origin, ACCEPT-ENCODING", 1), ("*", 1)]
    {
        let mut fields = headers(&[("vary", sent)]);
        rewrite(&mut fields, Coding::Br);
        assert_eq!(fields.get_all("vary").iter().count(), lines, "{sent}");
    }
}

/// RFC 9111 §3.2: a 304 brings fields of the origin's own form.
#[test]
fn a_304_does_not_bring_back_what_is_true_of_other_bytes() {
    let mut held = headers(&[("etag", "\"1\""), ("content-type", "text/html")]);
    rewrite(&mut held, Coding::Br);
    let told = [("etag", "\"2\""), ("content-md5", "x"), ("vary", "Origin")];
    let mut merged = headers(&told);
    merged.insert("content-encoding", HeaderValue::from_static("br"));
    renew(&held, &mut merged);
    assert_eq!(merged["etag"], "W/\"2\"");
    assert!(!merged.contains_key("content-md5"));
    assert!(varies_by_encoding(&merged));
}

/// What the origin compressed, or nobody did, is as the 304 says.
#[test]
fn a_304_for_what_was_not_compressed_here_changes_what_it_says() {
    let plain = headers(&[("etag", "W/\"1\""), ("vary", "Accept-Encoding")]);
    let theirs = [("etag", "\"1\""), ("vary", "Accept-Encoding"), ("content-encoding", "gzip")];
    for held in [plain, headers(&theirs)] {
        let told = headers(&[("etag", "\"2\""), ("content-md5", "x")]);
        let mut merged = told.clone();
        renew(&held, &mut merged);
        assert_eq!(merged, told);
    }
}

const FIELDS: [&str; 10] = [
    "accept-ranges",
    "cache-control",
    "content-digest",
    "content-encoding",
    "content-length",
    "content-md5",
    "content-type",
    "etag",
    "vary",
    "x-a",
];

fn any_fields() -> impl Strategy<Value = HeaderMap> {
    let known = ["\"x\"", "W/\"x\"", "Accept-Encoding", "text/html", "5000", "no-transform", "*"];
    let value = prop_oneof![
        select(known.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        vec(prop_oneof![32..=126_u8, 128..=255_u8], 0..12),
    ];
    vec((select(FIELDS.to_vec()), value), 0..10).prop_map(|pairs| {
        let mut fields = HeaderMap::new();
        for (name, value) in pairs {
            fields.append(name, HeaderValue::from_bytes(&value).unwrap());
        }
        fields
    })
}

proptest! {
    /// Whatever the origin says: what is compressed once is neither compressed again nor said to be
    /// byte for byte what it was.
    #[test]
    fn nothing_is_compressed_twice_and_no_strong_tag_is_left(fields in any_fields(), gzip in any::<bool>()) {
        let coding = if gzip { Coding::Gzip } else { Coding::Br };
        let mut once = fields.clone();
        rewrite(&mut once, coding);
        prop_assert_eq!(answer_of(&once), Err(Plain::Encoded));
        prop_assert!(once.get("etag").is_none_or(|tag| tag.as_bytes().starts_with(b"W/")));
        prop_assert!(varies_by_encoding(&once));
        prop_assert!(OF_THE_BYTES.iter().all(|name| !once.contains_key(name)));
        let mut twice = once.clone();
        rewrite(&mut twice, coding);
        prop_assert_eq!(&twice, &once);
        renew(&once, &mut twice);
        prop_assert_eq!(&twice, &once);
    }

    /// A coding is given only where every condition that can be read off the fields holds, and always
    /// where nothing but indifferent fields were added.
    #[test]
    fn a_coding_needs_every_condition(more in any_fields(), accepts in "(gzip|br|x)(, ?(gzip|br)(;q=0)?)?") {
        let mut fields = page(&[]);
        fields.extend(more.clone());
        let got = ask(&compressing(), &Method::GET, (Version::HTTP_11, &accepts), 200, &fields);
        let says = |name| more.contains_key(name);
        if let Ok(coding) = got {
            prop_assert!(accepts.contains(coding.as_str()));
            prop_assert!(!says("content-encoding"));
            prop_assert!(fields.get_all("cache-control").iter().all(|said| said != "no-transform"));
        } else if !accepts.contains('x') && !accepts.contains(';') {
            let decisive = ["content-encoding", "cache-control", "content-type", "content-length"];
            prop_assert!(decisive.into_iter().any(says), "{:?}", got);
        }
    }
}

fn answer_of(fields: &HeaderMap) -> Result<Coding, Plain> {
    ask(&compressing(), &Method::GET, (Version::HTTP_11, "br"), 200, fields)
}
