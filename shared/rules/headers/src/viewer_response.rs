//! The response that goes to the viewer.
//!
//! For: taking away what is the origin's business, and adding what is ours.
//! Not for: response headers policies ([`crate::response_policy`], which come between the two), nor
//! `Connection` and `Content-Length`, which the server adapters set, and the edge's own `Alt-Svc`.
//!
//! Source: CloudFront developer guide, request and response behavior, sections on HTTP responses.

use crate::{
    connection, cookies,
    forwarding::{generated_names, is_selected},
    names::{CACHE_STATUS, Names, Outcome, X_AMZ_CF_ID, X_AMZ_CF_POP, X_CACHE, value},
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use model::{
    plan::{Behaviour, Law},
    units::Seconds,
};

/// Removes what viewers do not get: hop-by-hop headers, `Set-Cookie` where no cookie is forwarded,
/// names in `Vary` that nothing can vary by, a bucket's own request ids, and `Alt-Svc`: what else the
/// origin listens on is not where viewers are to go (RFC 7838 §2.1 binds it to the edge's own name).
///
/// Once for each answer of an origin, after it was decided whether to keep it (that decision needs
/// the whole `Vary`) and before it is kept.
pub fn clean(headers: &mut HeaderMap, behaviour: &Behaviour, from_bucket: bool) {
    connection::strip(headers);
    headers.remove(header::ALT_SVC);
    if !cookies::may_be_set(behaviour) {
        headers.remove(header::SET_COOKIE);
    }
    if behaviour.cache.law == Law::CloudFront {
        clean_vary(headers, behaviour);
    }
    if from_bucket {
        headers.remove("x-amz-id-2");
        headers.remove("x-amz-request-id");
    }
}

/// Keeps of `Vary` what can reach the origin: `Accept-Encoding`, `Cookie`, the selected headers,
/// and `User-Agent` where the headers about devices are selected.
fn clean_vary(headers: &mut HeaderMap, behaviour: &Behaviour) {
    let lines = headers.get_all(header::VARY).iter();
    let names = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let names = names.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok());
    let kept: Vec<HeaderName> = names.filter(|name| may_vary(behaviour, name)).collect();
    headers.remove(header::VARY);
    if !kept.is_empty() {
        let names: Vec<&str> = kept.iter().map(HeaderName::as_str).collect();
        headers.insert(header::VARY, value(&names.join(", ")));
    }
}

fn may_vary(behaviour: &Behaviour, name: &HeaderName) -> bool {
    match *name {
        header::ACCEPT_ENCODING | header::COOKIE => true,
        _ if name.as_str() == "*" => false,
        header::USER_AGENT if generated_names(behaviour).any(is_about_device) => true,
        _ => is_selected(behaviour, name.as_str()),
    }
}

fn is_about_device(name: &str) -> bool {
    name.starts_with("cloudfront-is-")
}

/// What we say of ourselves in one response.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// How we name ourselves.
    pub names: &'a Names,
    /// What the cache did.
    pub outcome: Outcome,
    /// This edge's member of `Via`, made with [`Names::via`] for HTTP/1.1.
    pub via: &'a HeaderValue,
    /// This edge's place.
    pub pop: &'a HeaderValue,
    /// The request's id.
    pub id: &'a str,
    /// Age of what is served from what is held; none leaves the origin's own `Age`.
    pub age: Option<Seconds>,
    /// What the cache says of the response in `Cache-Status`, behind its name; none says nothing.
    pub said: Option<&'a str>,
    /// `Date`, for a response that has none (RFC 9110 §6.6.1).
    pub date: Option<&'a HeaderValue>,
}

/// Adds what every response carries.
pub fn stamp(headers: &mut HeaderMap, stamp: &Stamp<'_>) {
    headers.insert(X_CACHE, stamp.names.x_cache(stamp.outcome));
    headers.append(header::VIA, stamp.via.clone());
    if let Some(said) = stamp.said {
        // Behind what caches nearer to the origin said (RFC 9211 §2).
        headers.append(CACHE_STATUS, stamp.names.cache_status(said));
    }
    headers.insert(X_AMZ_CF_POP, stamp.pop.clone());
    headers.insert(X_AMZ_CF_ID, value(stamp.id));
    if let Some(age) = stamp.age {
        headers.insert(header::AGE, HeaderValue::from(age.0));
    }
    headers.entry(header::SERVER).or_insert_with(|| stamp.names.server());
    if let Some(date) = stamp.date {
        headers.entry(header::DATE).or_insert_with(|| date.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{behaviour, headers, names, only};
    use http::Version;
    use model::plan::HeaderSelection;

    fn vary(behaviour: &Behaviour, sent: &[&str]) -> Option<String> {
        let pairs: Vec<_> = sent.iter().map(|line| ("vary", *line)).collect();
        let mut headers = headers(&pairs);
        clean(&mut headers, behaviour, false);
        let lines: Vec<_> = headers.get_all("vary").iter().collect();
        assert!(lines.len() <= 1);
        lines.first().map(|line| line.to_str().unwrap().to_owned())
    }

    /// Developer guide, responses from custom origins, Vary.
    #[test]
    fn vary_keeps_what_can_reach_the_origin() {
        let mut b = behaviour();
        let all = ["Accept-Encoding, Cookie", "X-A, User-Agent, *, \"odd\""];
        assert_eq!(vary(&b, &all).as_deref(), Some("accept-encoding, cookie"));
        assert_eq!(vary(&b, &["*"]), None);
        b.cache.headers = names(&["cloudfront-is-mobile-viewer"]);
        assert_eq!(vary(&b, &all).as_deref(), Some("accept-encoding, cookie, user-agent"));
        b.forward.headers = HeaderSelection::Only(names(&["x-a"]));
        assert_eq!(vary(&b, &["X-A, X-B"]).as_deref(), Some("x-a"));
        b.cache.law = Law::Http;
        let mut headers = headers(&[("vary", "*"), ("vary", "X-B")]);
        clean(&mut headers, &b, false);
        assert_eq!(headers.get_all("vary").iter().count(), 2);
    }

    #[test]
    fn the_origins_business_is_taken_away() {
        let sent = [
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("trailer", "x"),
            ("upgrade", "h2c"),
            ("alt-svc", "h3=\":8443\""),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("x-amz-id-2", "1"),
            ("x-amz-request-id", "2"),
            ("x-amz-meta-a", "3"),
            ("etag", "\"1\""),
        ];
        let left = |behaviour: &Behaviour, from_bucket| {
            let mut headers = headers(&sent);
            clean(&mut headers, behaviour, from_bucket);
            headers.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(" ")
        };
        let mut b = behaviour();
        assert_eq!(left(&b, true), "x-amz-meta-a etag");
        b.forward.cookies = only(&["a"]);
        let kept = left(&b, false);
        assert_eq!(kept.matches("set-cookie").count(), 2);
        assert!(kept.contains("x-amz-id-2") && !kept.contains("x-hop"));
        assert!(!kept.contains("alt-svc"));
    }

    #[test]
    fn every_response_is_stamped() {
        let names = Names::default();
        let via = names.via(Version::HTTP_11, "ab.zone");
        let (pop, date) = (HeaderValue::from_static("FRA1-P1"), HeaderValue::from_static("now"));
        let ours = Stamp {
            names: &names,
            outcome: Outcome::Hit,
            via: &via,
            pop: &pop,
            id: "id==",
            age: Some(Seconds(7)),
            said: None,
            date: Some(&date),
        };
        let mut found = headers(&[("via", "1.1 b"), ("age", "3"), ("x-cache", "Hit from b")]);
        stamp(&mut found, &ours);
        let expected = [
            ("age", "7"),
            ("date", "now"),
            ("server", "Nearfront"),
            ("x-amz-cf-id", "id=="),
            ("x-amz-cf-pop", "FRA1-P1"),
            ("x-cache", "Hit from nearfront"),
        ];
        for (name, value) in expected {
            assert_eq!(found.get_all(name).iter().collect::<Vec<_>>(), [value], "{name}");
        }
        let vias: Vec<_> = found.get_all("via").iter().collect();
        assert_eq!(vias, ["1.1 b", "1.1 ab.zone (Nearfront)"]);
        let mut found = headers(&[("server", "origin"), ("date", "then"), ("age", "3")]);
        stamp(&mut found, &Stamp { age: None, ..ours });
        assert_eq!(found.get("server").unwrap(), "origin");
        assert_eq!(found.get("date").unwrap(), "then");
        assert_eq!(found.get("age").unwrap(), "3");
    }

    /// RFC 9211 §2.
    #[test]
    fn cache_status_stands_behind_what_other_caches_said() {
        let (value, names) = (HeaderValue::from_static("x"), Names::default());
        let ours = Stamp {
            names: &names,
            outcome: Outcome::Hit,
            via: &value,
            pop: &value,
            id: "id==",
            age: None,
            said: Some("hit; ttl=30"),
            date: None,
        };
        let said = |names: &Names| {
            let mut found = headers(&[("cache-status", "Origin; hit")]);
            stamp(&mut found, &Stamp { names, ..ours });
            let lines: Vec<_> = found.get_all("cache-status").into_iter().cloned().collect();
            assert_eq!((lines.len(), &lines[0]), (2, &HeaderValue::from_static("Origin; hit")));
            lines[1].clone()
        };
        assert_eq!(said(&names), "Nearfront; hit; ttl=30");
        assert_eq!(said(&Names::of("3 \"kings")), "\"3 kings\"; hit; ttl=30");
        let mut quiet = headers(&[]);
        stamp(&mut quiet, &Stamp { said: None, ..ours });
        assert!(!quiet.contains_key("cache-status"));
    }
}
