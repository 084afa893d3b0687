//! The cross-origin part of a response headers policy.
//!
//! For: requests with an `Origin`, and preflights among them.
//! Not for: answering preflights: a method that is not allowed stays refused.
//!
//! Source: CloudFront developer guide, CORS headers in response headers policies; Fetch standard §3.2.

use crate::names::value;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use model::plan::Cors;

/// All headers that a policy replaces as a whole.
const HEADERS: [HeaderName; 6] = [
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
];

/// Cross-origin rules, read once and applied often.
#[derive(Clone, Debug)]
pub struct Prepared {
    any_origin: bool,
    origins: Vec<Pattern>,
    credentials: bool,
    replace: bool,
    simple: Vec<(HeaderName, HeaderValue)>,
    preflight: Vec<(HeaderName, HeaderValue)>,
}

impl Prepared {
    /// Reads the rules.
    pub fn new(cors: &Cors) -> Self {
        Self {
            any_origin: cors.allow_origins.iter().any(|origin| origin == "*"),
            origins: cors.allow_origins.iter().map(|origin| Pattern::new(origin)).collect(),
            credentials: cors.allow_credentials,
            replace: cors.replace,
            simple: simple(cors),
            preflight: preflight(cors),
        }
    }

    /// Applies them. Where the origin's headers have precedence, any of them keeps all of ours out.
    ///
    /// A response that would be another for another `Origin` says `Vary: Origin`, so that no cache
    /// gives one site's permission to another.
    pub fn apply(&self, method: &Method, request: &HeaderMap, response: &mut HeaderMap) {
        if !self.replace && HEADERS.iter().any(|name| response.contains_key(name)) {
            return;
        }
        let literal = self.any_origin && !self.credentials;
        if !literal {
            vary_by_origin(response);
        }
        let Some(origin) = request.get(header::ORIGIN) else {
            return;
        };
        for name in HEADERS {
            response.remove(name);
        }
        if !(self.any_origin || self.allows(origin)) {
            return;
        }
        let allowed = if literal { HeaderValue::from_static("*") } else { origin.clone() };
        response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        set(&self.simple, response);
        if is_preflight(method, request) {
            set(&self.preflight, response);
        }
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        let asked = origin.to_str().ok().and_then(Asked::read);
        asked.is_some_and(|asked| self.origins.iter().any(|pattern| pattern.covers(&asked)))
    }
}

/// `OPTIONS` with `Access-Control-Request-Method` and an `Origin`.
pub fn is_preflight(method: &Method, request: &HeaderMap) -> bool {
    *method == Method::OPTIONS
        && request.contains_key(header::ORIGIN)
        && request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn simple(cors: &Cors) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    if cors.allow_credentials {
        let yes = HeaderValue::from_static("true");
        headers.push((header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes));
    }
    if !cors.expose_headers.is_empty() {
        let names = value(&cors.expose_headers.join(", "));
        headers.push((header::ACCESS_CONTROL_EXPOSE_HEADERS, names));
    }
    headers
}

fn preflight(cors: &Cors) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = vec![
        (header::ACCESS_CONTROL_ALLOW_METHODS, value(&cors.allow_methods.join(", "))),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, value(&cors.allow_headers.join(", "))),
    ];
    headers.retain(|(_, value)| !value.is_empty());
    if let Some(age) = cors.max_age {
        headers.push((header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(age.0)));
    }
    headers
}

fn set(headers: &[(HeaderName, HeaderValue)], response: &mut HeaderMap) {
    for (name, value) in headers {
        response.insert(name, value.clone());
    }
}

fn vary_by_origin(response: &mut HeaderMap) {
    let lines = response.get_all(header::VARY).iter();
    let mut names = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let said = names.any(|name| matches!(name.trim_ascii(), b"*") || is_origin(name));
    if !said {
        response.append(header::VARY, HeaderValue::from_static("Origin"));
    }
}

fn is_origin(name: &[u8]) -> bool {
    name.trim_ascii().eq_ignore_ascii_case(b"origin")
}

/// One entry of the allow list: `[scheme://]host[:port]`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    scheme: Option<String>,
    host: String,
    subdomains: bool,
    port: Port,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Port {
    Default,
    Any,
    Exactly(String),
}

impl Pattern {
    fn new(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let (scheme, authority) = match text.split_once("://") {
            Some((scheme, authority)) => (Some(scheme.to_owned()), authority),
            None => (None, text.as_str()),
        };
        let (host, port) = crate::redirect::split_port(authority);
        let port = match port {
            None => Port::Default,
            Some("*") => Port::Any,
            Some(digits) => Port::Exactly(digits.to_owned()),
        };
        let (host, subdomains) = match host.strip_prefix("*.") {
            Some(parent) => (parent.to_owned(), true),
            None => (host.to_owned(), false),
        };
        Self { scheme, host, subdomains, port }
    }

    fn covers(&self, asked: &Asked) -> bool {
        let scheme = self.scheme.as_ref().is_none_or(|scheme| *scheme == asked.scheme);
        let port = match &self.port {
            Port::Any => true,
            Port::Default => asked.port == default_port(&asked.scheme),
            Port::Exactly(port) => *port == asked.port,
        };
        scheme && port && self.covers_host(&asked.host)
    }

    /// `*.example.com` covers any depth below `example.com`, not itself, as alternate names do.
    fn covers_host(&self, host: &str) -> bool {
        match host.strip_suffix(&self.host) {
            Some(rest) if self.subdomains => rest.len() > 1 && rest.ends_with('.'),
            Some(rest) => rest.is_empty(),
            None => false,
        }
    }
}

/// An `Origin` header (RFC 6454 §7), lower case, with its port filled in.
struct Asked {
    scheme: String,
    host: String,
    port: String,
}

impl Asked {
    fn read(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (scheme, authority) = text.split_once("://")?;
        let (host, port) = crate::redirect::split_port(authority);
        let port = port.unwrap_or_else(|| default_port(scheme)).to_owned();
        Some(Self { scheme: scheme.to_owned(), host: host.to_owned(), port })
    }
}

fn default_port(scheme: &str) -> &'static str {
    match scheme {
        "https" => "443",
        "http" => "80",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{headers, names};
    use model::units::Seconds;

    fn rules(origins: &[&str]) -> Cors {
        Cors {
            allow_origins: names(origins),
            allow_headers: names(&["X-A", "X-B"]),
            allow_methods: names(&["GET", "PUT"]),
            expose_headers: names(&["X-C"]),
            allow_credentials: false,
            max_age: Some(Seconds(600)),
            replace: true,
        }
    }

    const ORIGIN: (&str, &str) = ("origin", "https://a.example");
    const ASKS: (&str, &str) = ("access-control-request-method", "PUT");

    /// The response's headers as sorted lines, `access-control-` left off.
    fn answer(
        cors: &Cors,
        method: &Method,
        request: &[(&str, &str)],
        sent: &[(&str, &str)],
    ) -> Vec<String> {
        let mut response = headers(sent);
        Prepared::new(cors).apply(method, &headers(request), &mut response);
        let short = |name: &HeaderName| name.as_str().replace("access-control-", "");
        let line = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{}: {}", short(name), value.to_str().unwrap())
        };
        let mut lines: Vec<_> = response.iter().map(line).collect();
        lines.sort();
        lines
    }

    #[test]
    fn simple_requests_and_preflights_get_their_headers() {
        let any = rules(&["*"]);
        let simple = ["allow-origin: *", "expose-headers: X-C"];
        assert_eq!(answer(&any, &Method::GET, &[ORIGIN], &[]), simple);
        assert_eq!(answer(&any, &Method::OPTIONS, &[ORIGIN], &[]), simple);
        let preflight = [
            "allow-headers: X-A, X-B",
            "allow-methods: GET, PUT",
            "allow-origin: *",
            "expose-headers: X-C",
            "max-age: 600",
        ];
        assert_eq!(answer(&any, &Method::OPTIONS, &[ORIGIN, ASKS], &[]), preflight);
        assert!(answer(&any, &Method::OPTIONS, &[ASKS], &[]).is_empty());
    }

    #[test]
    fn a_listed_origin_is_echoed_and_varied_by() {
        let some = rules(&["https://a.example", "https://b.example"]);
        let found = answer(&some, &Method::GET, &[ORIGIN], &[("vary", "Accept-Encoding")]);
        let expected = [
            "allow-origin: https://a.example",
            "expose-headers: X-C",
            "vary: Accept-Encoding",
            "vary: Origin",
        ];
        assert_eq!(found, expected);
        let other = [("origin", "https://c.example")];
        assert_eq!(answer(&some, &Method::GET, &other, &[]), ["vary: Origin"]);
        assert_eq!(answer(&some, &Method::GET, &[], &[("vary", "origin")]), ["vary: origin"]);
    }

    #[test]
    fn credentials_need_a_name() {
        let any = Cors { allow_credentials: true, ..rules(&["*"]) };
        let expected = [
            "allow-credentials: true",
            "allow-origin: https://a.example",
            "expose-headers: X-C",
            "vary: Origin",
        ];
        assert_eq!(answer(&any, &Method::GET, &[ORIGIN], &[]), expected);
    }

    /// Developer guide: with override all of the origin's headers go, without it any keeps ours out.
    #[test]
    fn override_is_all_or_nothing() {
        let theirs = [("access-control-max-age", "1"), ("access-control-allow-origin", "x")];
        let found = answer(&rules(&["*"]), &Method::GET, &[ORIGIN], &theirs);
        assert_eq!(found, ["allow-origin: *", "expose-headers: X-C"]);
        let yielding = Cors { replace: false, ..rules(&["https://a.example"]) };
        let found = answer(&yielding, &Method::GET, &[ORIGIN], &theirs[..1]);
        assert_eq!(found, ["max-age: 1"]);
        let found = answer(&yielding, &Method::GET, &[ORIGIN], &[]);
        assert!(found.contains(&"allow-origin: https://a.example".to_owned()));
    }

    #[test]
    fn entries_cover_origins() {
        let table = [
            ("https://a.example", "https://a.example", true),
            ("https://a.example", "HTTPS://A.example", true),
            ("https://a.example", "http://a.example", false),
            ("https://a.example", "https://a.example:443", true),
            ("https://a.example:443", "https://a.example", true),
            ("https://a.example", "https://a.example:8443", false),
            ("https://a.example:8443", "https://a.example:8443", true),
            ("https://a.example:*", "https://a.example:1", true),
            ("https://a.example:*", "https://a.example", true),
            ("a.example", "http://a.example", true),
            ("a.example", "https://a.example", true),
            ("*.example", "https://a.example", true),
            ("*.example", "https://a.b.example", true),
            ("*.example", "https://example", false),
            ("*.example", "https://.example", false),
            ("https://*.a.example", "https://xa.example", false),
            ("a.example", "https://evila.example", false),
            ("a.example", "https://a.example.evil", false),
            ("http://[::1]:*", "http://[::1]:3000", true),
            ("a.example", "null", false),
            ("a.example", "", false),
        ];
        for (entry, origin, expected) in table {
            let asked = Asked::read(origin);
            let found = asked.is_some_and(|asked| Pattern::new(entry).covers(&asked));
            assert_eq!(found, expected, "{entry} {origin}");
        }
    }
}
