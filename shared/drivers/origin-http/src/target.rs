//! Where a request goes: scheme, address, port, and the name that the certificate must carry.

use http::{HeaderMap, header::HOST, uri::Authority};
use model::{
    plan::{Origin as OriginPlan, OriginKind, OriginProtocol},
    units::Seconds,
};
use ports::origin::{OriginError, OriginRequest, Scheme};

/// What connections may be shared for: all that makes two servers the same to us.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    /// Host name or address, lower case, as it is resolved.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Name for SNI and the certificate; none: no TLS.
    pub tls: Option<String>,
}

/// A server, and how long a connection to it may idle.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub server: Server,
    pub keepalive: Seconds,
}

impl Target {
    /// Reads plan and request.
    ///
    /// Errors: [`OriginError::NotConfigured`] for a bucket.
    pub fn of(origin: &OriginPlan, request: &OriginRequest) -> Result<Self, OriginError> {
        let OriginKind::Custom { protocol, http_port, https_port, keepalive } = &origin.kind else {
            return Err(OriginError::NotConfigured(format!(
                "{} is a bucket, not a web server; map its name under [object_stores] in the \
                 settings",
                origin.domain
            )));
        };
        let host = plain_host(&origin.domain);
        let secure = secure(*protocol, request.viewer_scheme);
        let server = Server {
            tls: secure.then(|| certificate_name(&request.headers, &host)),
            port: if secure { *https_port } else { *http_port },
            host,
        };
        Ok(Self { server, keepalive: *keepalive })
    }
}

fn secure(protocol: OriginProtocol, viewer: Scheme) -> bool {
    match protocol {
        OriginProtocol::Http => false,
        OriginProtocol::Https => true,
        OriginProtocol::MatchViewer => viewer == Scheme::Https,
    }
}

/// The forwarded Host if there is one, else the origin's own name.
///
/// Source: CloudFront developer guide, "Requiring HTTPS between CloudFront and a custom origin".
fn certificate_name(headers: &HeaderMap, host: &str) -> String {
    let forwarded = headers
        .get(HOST)
        .and_then(|value| Authority::try_from(value.as_bytes()).ok())
        .map(|authority| plain_host(authority.host()));
    forwarded.unwrap_or_else(|| host.to_owned())
}

/// Lower case, without the brackets of an IPv6 address and the final dot of a full name.
fn plain_host(name: &str) -> String {
    let bare = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
    let bare = bare.unwrap_or(name);
    bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderValue, Method};

    fn plan(protocol: OriginProtocol) -> OriginPlan {
        OriginPlan {
            id: "web".into(),
            domain: "Origin.Example".into(),
            path: String::new(),
            headers: Vec::new(),
            kind: OriginKind::Custom {
                protocol,
                http_port: 81,
                https_port: 444,
                keepalive: Seconds(5),
            },
            attempts: 3,
            connect_timeout: Seconds(1),
            read_timeout: Seconds(1),
            completion_timeout: None,
        }
    }

    fn request(host: Option<&'static str>, viewer_scheme: Scheme) -> OriginRequest {
        let mut headers = HeaderMap::new();
        if let Some(host) = host {
            headers.insert(HOST, HeaderValue::from_static(host));
        }
        OriginRequest {
            method: Method::GET,
            path_and_query: "/".into(),
            headers,
            body: None,
            viewer_scheme,
            relay: ports::relay::Relay::default(),
        }
    }

    fn server(protocol: OriginProtocol, host: Option<&'static str>, viewer: Scheme) -> Server {
        Target::of(&plan(protocol), &request(host, viewer)).unwrap().server
    }

    #[test]
    fn the_scheme_follows_the_policy_and_the_port_follows_the_scheme() {
        let plain = server(OriginProtocol::Http, None, Scheme::Https);
        assert_eq!((plain.port, plain.tls), (81, None));
        let secure = server(OriginProtocol::Https, None, Scheme::Http);
        assert_eq!((secure.port, secure.tls.as_deref()), (444, Some("origin.example")));
        assert_eq!(server(OriginProtocol::MatchViewer, None, Scheme::Http).port, 81);
        assert_eq!(server(OriginProtocol::MatchViewer, None, Scheme::Https).port, 444);
    }

    #[test]
    fn a_forwarded_host_names_the_certificate_but_not_the_address() {
        let server = server(OriginProtocol::Https, Some("WWW.shop.example:8443"), Scheme::Http);
        assert_eq!(server.host, "origin.example");
        assert_eq!(server.tls.as_deref(), Some("www.shop.example"));
    }

    #[test]
    fn addresses_lose_their_brackets() {
        assert_eq!(plain_host("[2001:DB8::1]"), "2001:db8::1");
        assert_eq!(plain_host("a.example."), "a.example");
    }

    #[test]
    fn a_bucket_is_not_a_web_server() {
        let mut bucket = plan(OriginProtocol::Http);
        bucket.kind = OriginKind::Bucket { sign: true };
        let refused = Target::of(&bucket, &request(None, Scheme::Http));
        assert!(matches!(refused, Err(OriginError::NotConfigured(_))));
    }
}
