//! What one exchange goes over: a connection of its own, or a place on a shared one.

use crate::{
    h2::{Lease, Verdict},
    pool::{Connection, Pool},
    upload::Outgoing,
};
use futures::future::Either;
use http::{
    HeaderMap, Request, Response, Uri,
    header::HOST,
    uri::{Authority, PathAndQuery, Scheme},
};
use hyper::{body::Incoming, client::conn::TrySendError};
use std::{future::Future, sync::Arc};

/// A way for one exchange.
pub(crate) enum Line {
    /// HTTP/1.1.
    Own(Connection),
    /// HTTP/2.
    Shared(Lease),
}

/// The head of an answer, or why there is none.
pub(crate) type Answer = Result<Response<Incoming>, TrySendError<Request<Outgoing>>>;

impl Line {
    /// Whether the connection has carried an exchange before.
    pub fn reused(&self) -> bool {
        match self {
            Self::Own(connection) => connection.reused,
            Self::Shared(lease) => lease.reused,
        }
    }

    /// Sends a request in origin form.
    ///
    /// Cancellation: ends the exchange.
    pub fn send(&mut self, mut request: Request<Outgoing>) -> impl Future<Output = Answer> + use<> {
        match self {
            Self::Own(connection) => Either::Left(connection.sender.try_send_request(request)),
            Self::Shared(lease) => {
                let authority = lease.authority();
                for_http2(&mut request, &authority);
                Either::Right(lease.sender.try_send_request(request))
            }
        }
    }

    /// What an error says of the connection is remembered; whether the request may be sent again
    /// is the caller's.
    pub fn learn(&self, verdict: Option<Verdict>) {
        if let (Self::Shared(lease), Some(Verdict::WantsHttp1)) = (self, verdict) {
            lease.shun();
        }
    }

    /// No answer came in time: the connection may be dead.
    pub fn suspect(&self) {
        if let Self::Shared(lease) = self {
            lease.retire();
        }
    }

    /// The exchange is over, and went well.
    pub fn finish(self, pool: &Arc<Pool>) {
        if let Self::Own(connection) = self {
            pool.give_back(connection);
        }
    }
}

/// The absolute form that HTTP/2 splits into its own fields (RFC 9113 §8.3.1). `name` stands in for
/// a `Host` that cannot be an authority.
fn for_http2(request: &mut Request<Outgoing>, name: &str) {
    let host = authority(request.headers()).or_else(|| Authority::try_from(name).ok());
    request.headers_mut().remove(HOST);
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = host;
    parts.path_and_query.get_or_insert_with(|| PathAndQuery::from_static("/"));
    // With an authority and a path that was one already, this cannot fail.
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
}

fn authority(headers: &HeaderMap) -> Option<Authority> {
    Authority::try_from(headers.get(HOST)?.as_bytes()).ok()
}
