//! Stage 1: which distribution, which behaviour. Pure.

use crate::{
    asked::{Asked, TlsFacts},
    pipeline::rescue::Failure,
    plans::{Compiled, Distribution, Known},
};
use caching::RequestView;
use headers::{connection, grpc, head, names::Names, origin_request};
use http::{HeaderMap, HeaderValue, Method, Version, header};
use ports::{
    origin::{Body, Scheme},
    relay::{Relay, Way},
};
use std::{borrow::Cow, net::SocketAddr, sync::Arc};

/// A viewer's request, as every later stage sees it.
#[derive(Clone)]
pub struct Request {
    /// Opaque id.
    pub id: String,
    /// As asked.
    pub method: Method,
    /// Raw; the default root object has taken the place of `/`.
    pub path: String,
    /// Whether it has.
    pub was_root: bool,
    /// Raw.
    pub query: Option<String>,
    /// End-to-end headers; `host` is there.
    pub headers: HeaderMap,
    /// Who asks.
    pub peer: SocketAddr,
    /// Protocol.
    pub version: Version,
    /// Scheme.
    pub scheme: Scheme,
    /// TLS.
    pub tls: Option<Arc<TlsFacts>>,
    /// Whether bytes follow the head.
    pub has_body: bool,
    /// What is passed on beside it.
    pub relay: Relay,
}

impl Request {
    /// As caching sees it.
    pub fn view(&self) -> RequestView<'_> {
        RequestView { method: &self.method, headers: &self.headers }
    }

    /// Path and query as received.
    pub fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }
}

/// A request, and what it matched. Cheap to clone.
#[derive(Clone)]
pub struct Routed {
    /// The request.
    pub request: Arc<Request>,
    /// Whose it is.
    pub distribution: Arc<Distribution>,
    /// What its path matched.
    pub behaviour: Arc<Compiled>,
}

/// Finds distribution and behaviour. Also gives back the body, which cannot be shared.
///
/// # Errors
/// 400, 403, 414 and 494, for requests that belong to no distribution or are beyond limits.
pub fn behaviour(
    known: &Known,
    names: &Names,
    id: &str,
    asked: Asked,
) -> Result<(Routed, Option<Body>), Failure> {
    let mut asked = asked;
    head::fits(&asked.method, &asked.path, asked.query.as_deref(), &asked.headers)?;
    let host = head::host(asked.authority.as_deref(), &asked.headers)?.to_owned();
    let distribution = known.distribution(&host).ok_or(Failure::UnknownHost)?;
    if origin_request::passes(&asked.headers, names) > origin_request::MOST_PASSES {
        return Err(Failure::Loop);
    }
    connection::strip(&mut asked.headers);
    let value = HeaderValue::from_str(&host).map_err(|_| Failure::BadRequest("its Host"))?;
    asked.headers.insert(header::HOST, value);
    let was_root = asked.path == "/";
    let path = object(distribution, &asked.path).into_owned();
    let behaviour = distribution.behaviour(&path).ok_or(Failure::Internal)?;
    let mut relay = asked.relay;
    if behaviour.behaviour.grpc && grpc::asks(&asked.method, asked.version, &asked.headers) {
        relay.way = Way::Grpc;
    }
    let request = Request {
        id: id.to_owned(),
        method: asked.method,
        path,
        was_root,
        query: asked.query,
        headers: asked.headers,
        peer: asked.peer,
        version: asked.version,
        scheme: asked.scheme,
        tls: asked.tls,
        has_body: asked.body.is_some(),
        relay,
    };
    let routed = Routed {
        request: Arc::new(request),
        distribution: distribution.clone(),
        behaviour: behaviour.clone(),
    };
    Ok((routed, asked.body))
}

/// A page of the same distribution in place of an error: its own behaviour, no conditions.
pub fn page(routed: &Routed, path: &str) -> Option<Routed> {
    let mut routed = elsewhere(routed, path, None)?;
    let request = Arc::make_mut(&mut routed.request);
    request.method = match request.method {
        Method::HEAD => Method::HEAD,
        _ => Method::GET,
    };
    request.has_body = false;
    caching::validate::drop_conditions(&mut request.headers);
    for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::CONTENT_ENCODING] {
        request.headers.remove(name);
    }
    Some(routed)
}

/// The same request for another path of the same distribution, with its own behaviour.
pub fn elsewhere(routed: &Routed, path: &str, query: Option<String>) -> Option<Routed> {
    let mut request = Request::clone(&routed.request);
    request.path = object(&routed.distribution, path).into_owned();
    request.query = query;
    request.relay = Relay::default();
    Some(Routed {
        behaviour: routed.distribution.behaviour(&request.path)?.clone(),
        request: Arc::new(request),
        distribution: routed.distribution.clone(),
    })
}

/// The default root object for `/` exactly; every other path as it came.
pub fn object<'a>(distribution: &Distribution, path: &'a str) -> Cow<'a, str> {
    match &distribution.plan.default_root_object {
        Some(object) if path == "/" && !object.is_empty() => Cow::Owned(format!("/{object}")),
        _ => Cow::Borrowed(path),
    }
}
