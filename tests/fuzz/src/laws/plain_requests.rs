//! Requests that are answered beside the server library: they are what the library would have read.
//!
//! The input is what a viewer sends on one connection.

use super::heads;
use crate::quick::ask::{self, Ask, Read};
use actix_http::{
    HttpMessage as _, Request,
    h1::{Message, MessageType},
    header::HeaderValue,
};
use bytes::BytesMut;
use model::fields::Fields as _;
use tokio_util::codec::Decoder as _;

/// What asks for something else than the whole of what is held, or may not be answered.
const DEMANDS: [&str; 7] = [
    "range",
    "if-range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "cdn-loop",
];

/// What is taken for a plain request is one for the server library, to the byte, and has no body;
/// what follows it does not matter, and what has come of it before is never taken for another one.
///
/// # Panics
/// When that does not hold.
pub fn hold(wire: &[u8]) {
    let length = ask::read(wire, |read| match read {
        Read::Plain(ask) => Some(same(&ask, wire)),
        Read::Part => {
            assert!(!wire.windows(4).any(|end| end == b"\r\n\r\n"), "it has ended");
            None
        }
        Read::Other => None,
    });
    let Some(length) = length else {
        return;
    };
    assert_eq!(plain(&wire[..length]), Some(length), "what follows does not matter");
    for part in [1, length / 3, length / 2, length - 1] {
        assert_eq!(plain(&wire[..part]), None, "{part} of {length} bytes");
    }
    let passed = heads::turns(wire, wire.len());
    assert_eq!(passed.first().map(Vec::len), Some(length), "one request passes");
}

fn plain(wire: &[u8]) -> Option<usize> {
    ask::read(wire, |read| match read {
        Read::Plain(ask) => Some(ask.length),
        Read::Part | Read::Other => None,
    })
}

/// The length of both.
fn same(ask: &Ask<'_>, wire: &[u8]) -> usize {
    let (request, length) = library(wire);
    assert_eq!(ask.length, length);
    assert_eq!(ask.method.as_str(), request.method().as_str());
    assert_eq!((ask.path, ask.query), (request.uri().path(), request.uri().query()));
    for name in request.headers().keys() {
        let theirs: Vec<_> = request.headers().get_all(name).map(HeaderValue::as_bytes).collect();
        let ours: Vec<_> = ask.lines.all(name.as_str()).collect();
        assert_eq!(ours, theirs, "{name}");
    }
    let host = request.headers().get("host").map(HeaderValue::as_bytes);
    assert_eq!(host, Some(ask.host.as_bytes()));
    assert_eq!(ask.has_origin, request.headers().contains_key("origin"));
    let directives = ["cache-control", "pragma"].map(|name| request.headers().contains_key(name));
    assert_eq!(ask.has_directives, directives.contains(&true));
    let demands = DEMANDS.iter().any(|name| request.headers().contains_key(*name));
    assert_eq!(ask.is_simple, !demands);
    assert_eq!(ask.lines.len(), request.headers().len());
    for (name, value) in ask.lines.iter() {
        let mut theirs = request.headers().get_all(name);
        assert!(theirs.any(|theirs| theirs.as_bytes() == value), "{name}");
    }
    length
}

/// The request and its length, as the library reads them; it has to read one, and to wait for nothing.
fn library(wire: &[u8]) -> (Request, usize) {
    let mut codec = heads::codec();
    let mut rest = BytesMut::from(wire);
    match codec.decode(&mut rest) {
        Ok(Some(Message::Item(request))) => {
            assert!(matches!(codec.message_type(), MessageType::None), "it has no body");
            assert!(codec.keep_alive(), "the connection stays");
            (request, wire.len() - rest.len())
        }
        read => panic!("the library reads no request here: {read:?}"),
    }
}
