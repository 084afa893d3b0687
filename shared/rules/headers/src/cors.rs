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
