//! HTTP/1.1: actix parses and writes, this converts.
//!
//! For: turning actix's types (of the `http` 0.2 family) into the engine's and back.
//! Not for: anything about caching or origins. Known limit: actix keeps headers in a hash map, so
//! their order is lost.

use crate::{
    asked::Asked,
    pipeline::Engine,
    serve::{
        body::Sending,
        early::Early,
        io::{Link, Watched},
        turns::{Turn, Turns},
        upload, websocket,
    },
};
use actix_http::{
    HttpServiceBuilder, Request, Response,
    body::{BodySize, MessageBody as _},
    h1::H1Service,
};
use actix_service::{ServiceFactory, fn_service};
use headers::trailers;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use kit::drain::Drain;
use ports::{origin::Scheme, relay::Relay};
use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite};

/// A viewer has this long to send a request's head.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// An idle connection is kept this long.
pub const KEEP_ALIVE: Duration = Duration::from_mins(1);

/// The HTTP/1.1 server for connections of type `T`.
pub fn service<T>(
    engine: &Arc<Engine>,
    drain: &Drain,
) -> impl ServiceFactory<
    (Turns<Watched<T>>, Option<SocketAddr>),
    Config = (),
    Response = (),
    InitError = (),
> + use<T>
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (engine, drain) = (engine.clone(), drain.clone());
    let upgrades = websocket::service(&engine, &drain);
    let service: H1Service<Turns<Watched<T>>, _, Sending, _, _> = HttpServiceBuilder::default()
        .client_request_timeout(HEAD_TIMEOUT)
        .client_disconnect_timeout(Duration::from_secs(1))
        .keep_alive(KEEP_ALIVE)
        .graceful_shutdown_signal(move || {
            let drain = drain.clone();
            async move { drain.signalled().await }
        })
        .on_connect_ext(|io: &Turns<Watched<T>>, data| {
            if let Some(watched) = io.get_ref() {
                data.insert(watched.link.clone());
            }
            data.insert(io.turn.clone());
            data.insert(io.early.clone());
        })
        .upgrade(upgrades)
        .h1(fn_service(move |request: Request| {
            let engine = engine.clone();
            async move { Ok::<_, Infallible>(answer(&engine, request).await) }
        }));
    service
}

async fn answer(engine: &Arc<Engine>, mut request: Request) -> Response<Sending> {
    let turn = request.conn_data::<Turn>().cloned();
    let early = request.conn_data::<Early>().cloned().unwrap_or_default();
    let Some(mut asked) = asked(&mut request) else {
        return refused();
    };
    let (method, version) = (asked.method.clone(), asked.version);
    let trailers = version == Version::HTTP_11 && trailers::are_welcome(&asked.headers);
    if version == Version::HTTP_11 {
        asked.relay.interim = Some(early.begins());
    }
    let reply = engine.handle(asked).await;
    early.ends();
    let (status, headers, mut body) = Sending::of(&method, reply);
    body.ends(turn);
    if trailers && method != Method::HEAD && body.may_be_trailed() && body.chunks() {
        return chunked(status, &headers, body);
    }
    let mut response = response(status, &headers, body);
    if version < Version::HTTP_11 {
        end_with_connection(&mut response);
    }
    response
}

/// Before HTTP/1.1 nobody knows chunks: a body of unknown length ends with the connection
/// (RFC 9112 §6.1, §6.3).
fn end_with_connection(response: &mut Response<Sending>) {
    if matches!(response.body().size(), BodySize::Stream) {
        let head = response.head_mut();
        head.no_chunking(true);
        head.set_connection_type(actix_http::ConnectionType::Close);
    }
}

/// The request in the engine's words; none if it cannot be said in them.
pub fn asked(request: &mut Request) -> Option<Asked> {
    let link = request.conn_data::<Link>()?.clone();
    let headers = headers(request.head())?;
    let method = Method::from_bytes(request.method().as_str().as_bytes()).ok()?;
    let body = upload::announced(&headers).then(|| upload::bridge(request.take_payload()));
    let uri = request.uri();
    Some(Asked {
        method,
        path: uri.path().to_owned(),
        query: uri.query().map(str::to_owned),
        authority: uri.authority().map(|name| name.as_str().to_owned()),
        headers,
        body,
        peer: link.peer,
        scheme: link.tls.as_ref().map_or(Scheme::Http, |_| Scheme::Https),
        tls: link.tls,
        version: version(request.version()),
        relay: Relay::default(),
    })
}

fn headers(head: &actix_http::RequestHead) -> Option<HeaderMap> {
    let mut headers = HeaderMap::with_capacity(head.headers().len());
    for (name, value) in head.headers() {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
        headers.try_append(name, value).ok()?;
    }
    Some(headers)
}

fn version(version: actix_http::Version) -> Version {
    match version {
        actix_http::Version::HTTP_09 => Version::HTTP_09,
        actix_http::Version::HTTP_10 => Version::HTTP_10,
        _ => Version::HTTP_11,
    }
}

fn response(status: http::StatusCode, headers: &HeaderMap, body: Sending) -> Response<Sending> {
    let status = actix_http::StatusCode::from_u16(status.as_u16())
        .unwrap_or(actix_http::StatusCode::BAD_GATEWAY);
    let mut response = Response::with_body(status, body);
    for (name, value) in headers {
        let told = name == header::CONTENT_LENGTH && status != actix_http::StatusCode::NOT_MODIFIED;
        if name == header::CONNECTION && value == "close" {
            response.head_mut().set_connection_type(actix_http::ConnectionType::Close);
        }
        if !told && name != header::TRANSFER_ENCODING && name != header::CONNECTION {
            append(&mut response, name, value);
        }
    }
    response
}

/// A response whose body is in chunks already.
fn chunked(status: http::StatusCode, headers: &HeaderMap, body: Sending) -> Response<Sending> {
    let mut response = response(status, headers, body);
    response.head_mut().no_chunking(true);
    append(&mut response, &header::TRANSFER_ENCODING, &HeaderValue::from_static("chunked"));
    response
}

fn append(response: &mut Response<Sending>, name: &HeaderName, value: &HeaderValue) {
    let name = actix_http::header::HeaderName::from_bytes(name.as_str().as_bytes());
    let value = actix_http::header::HeaderValue::from_bytes(value.as_bytes());
    if let (Ok(name), Ok(value)) = (name, value) {
        response.headers_mut().append(name, value);
    }
}

/// What is left to say when a request cannot even be converted.
fn refused() -> Response<Sending> {
    let body = Sending::new(&Method::GET, crate::asked::ReplyBody::Empty, &HeaderMap::new(), None);
    let mut response = Response::with_body(actix_http::StatusCode::BAD_REQUEST, body);
    response.head_mut().set_connection_type(actix_http::ConnectionType::Close);
    response
}
