//! What is tried again, and how often.

use crate::{
    HttpOrigin,
    dial::Opened,
    download::Download,
    exchange::{self, Failed},
    fields,
    h2::Found,
    line::Line,
    pool::Open,
    target::Target,
    upload::Upload,
};
use futures::{StreamExt as _, stream};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use model::plan::Origin as OriginPlan;
use ports::{
    origin::{OriginError, OriginRequest, OriginResponse, Timing},
    relay::{Interim, Relay, Trailers, Tunnel, Way},
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// How often a request may be sent again that no server has looked at.
const FREE: u8 = 4;

/// One question to one origin, over as many attempts as it takes.
pub(crate) struct Asking<'a> {
    driver: &'a HttpOrigin,
    open: Arc<Open>,
    target: Target,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    upload: Arc<Upload>,
    relay: Relay,
    connect_timeout: Duration,
    read_timeout: Duration,
    deadline: Option<Instant>,
    /// Attempts that are left.
    left: u8,
    /// Tries that are left beside them, on connections that others have used before.
    free: u8,
}

impl<'a> Asking<'a> {
    /// Reads plan and request; nothing is sent.
    ///
    /// Errors: [`OriginError::NotConfigured`] for a bucket or a path that HTTP cannot carry.
    pub fn new(
        driver: &'a HttpOrigin,
        origin: &OriginPlan,
        request: OriginRequest,
    ) -> Result<Self, OriginError> {
        let target = Target::of(origin, &request)?;
        let uri = path(&request.path_and_query)?;
        let mut headers = request.headers;
        fields::for_request(&mut headers, &request.method, request.body.is_some());
        match request.relay.way {
            Way::Any => {}
            Way::Grpc => fields::for_grpc(&mut headers),
            Way::WebSocket => fields::for_websocket(&mut headers),
        }
        Ok(Self {
            driver,
            open: driver.pools.here(),
            target,
            method: request.method,
            uri,
            headers,
            upload: Upload::new(request.body, request.relay.trailers.clone()),
            relay: request.relay,
            connect_timeout: Duration::from_secs(origin.connect_timeout.0),
            read_timeout: Duration::from_secs(origin.read_timeout.0),
            deadline: origin
                .completion_timeout
                .map(|limit| Instant::now() + Duration::from_secs(limit.0)),
            left: origin.attempts.max(1),
            free: FREE,
        })
    }

    /// The answer, within the completion timeout.
    pub async fn answer(mut self) -> Result<OriginResponse, OriginError> {
        let Some(deadline) = self.deadline else {
            return self.persist().await;
        };
        let given_up =
            || OriginError::Timeout("no answer within the response completion timeout".into());
        tokio::time::timeout_at(deadline, self.persist()).await.unwrap_or_else(|_| Err(given_up()))
    }

    async fn persist(&mut self) -> Result<OriginResponse, OriginError> {
        let mut pooled = self.pooled();
        loop {
            let begun = Instant::now();
            let (mut line, connect) = match pooled.take() {
                Some(line) => (line, Duration::ZERO),
                // Boxed: connecting is rare, and what it needs would make every exchange 8 KB larger.
                None => (Box::pin(self.line()).await?, begun.elapsed()),
            };
            let connect = if line.reused() { Duration::ZERO } else { connect };
            let sent = Instant::now();
            let switching = self.relay.way == Way::WebSocket;
            let (request, limit) = (self.request(), self.read_timeout);
            let asked = exchange::ask(&mut line, request, &self.upload, limit, switching);
            match asked.await {
                Ok(response) => {
                    let first_byte = sent.elapsed();
                    let timing = Timing { connect, first_byte };
                    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                        return switched(response, timing).await;
                    }
                    return Ok(self.respond(response, line, timing));
                }
                Err(failed) if self.again(&failed, line.reused()) => {
                    tracing::debug!(?failed, server = ?self.target.server, "asking again");
                }
                Err(failed) => return Err(failed.into()),
            }
        }
    }

    fn pooled(&self) -> Option<Line> {
        match self.relay.way {
            Way::Grpc => None,
            _ => self.open.pool.take(&self.target).map(Line::Own),
        }
    }

    /// A place on a shared connection, or a new connection.
    async fn line(&mut self) -> Result<Line, OriginError> {
        let grpc = self.relay.way == Way::Grpc;
        if self.relay.way == Way::WebSocket {
            return self.connect(false).await;
        }
        if self.target.server.tls.is_none() {
            return if grpc { Err(plain_grpc()) } else { self.connect(false).await };
        }
        let shared = Arc::clone(&self.open.shared);
        let mut waited = false;
        loop {
            match shared.find(&self.target, waited) {
                Found::Lease(lease) => return Ok(Line::Shared(lease)),
                Found::Alone { offer } => return self.connect(offer || grpc).await,
                Found::Lead(lead) => {
                    let connected = self.connect(true).await;
                    drop(lead);
                    return connected;
                }
                Found::Wait(mut connecting) => {
                    // Its end is all that it ever says.
                    let ended = connecting.changed();
                    let _ = tokio::time::timeout(self.connect_timeout, ended).await;
                    waited = !shared.has_open(&self.target.server);
                    if waited && self.left > 1 && !shared.is_plain(&self.target.server) {
                        self.left -= 1; // that was our attempt, too
                    }
                }
            }
        }
    }

    /// A new connection; each try is an attempt.
    async fn connect(&mut self, offer: bool) -> Result<Line, OriginError> {
        match self.dial(offer).await? {
            Opened::Http2(fresh) => Ok(Line::Shared(self.open.shared.share(&self.target, fresh))),
            Opened::Http1(connection) => {
                if offer {
                    self.open.shared.is_http1(&self.target.server);
                }
                if self.relay.way == Way::Grpc {
                    self.open.pool.give_back(connection);
                    return Err(only_http1());
                }
                Ok(Line::Own(connection))
            }
        }
    }

    async fn dial(&mut self, offer: bool) -> Result<Opened, OriginError> {
        loop {
            self.left = self.left.saturating_sub(1);
            let dialer = &self.driver.dialer;
            let dialled = dialer.dial(&self.target, self.connect_timeout, offer).await;
            match dialled {
                Err(OriginError::Connect(_) | OriginError::Timeout(_)) if self.left > 0 => {}
                done => return done,
            }
        }
    }

    /// Whether a failed exchange is tried again. A reused connection that turns out to be closed
    /// is nobody's failure: the server may close it at any time (RFC 9112 §9.5).
    fn again(&mut self, failed: &Failed, reused: bool) -> bool {
        let harmless = matches!(self.method, Method::GET | Method::HEAD);
        let whole = self.upload.is_whole();
        match failed {
            Failed::Refused(_) if whole => self.for_free(),
            Failed::Unsent if reused && whole => self.for_free(),
            Failed::Closed(_) if reused && whole && self.method.is_safe() => self.for_free(),
            Failed::Unsent => whole && self.left > 0,
            Failed::Silent(_) if harmless && whole => {
                if reused {
                    self.left = self.left.saturating_sub(1);
                }
                self.left > 0
            }
            _ => false,
        }
    }

    /// It must find an attempt left, in case that takes a new connection. A server that refuses or
    /// closes again and again has failed in the end.
    fn for_free(&mut self) -> bool {
        self.free = self.free.saturating_sub(1);
        self.left = self.left.max(1);
        self.free > 0
    }

    fn request(&self) -> Request<crate::upload::Outgoing> {
        let mut request = Request::new(self.upload.outgoing());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        if let Some(interim) = self.relay.interim.clone() {
            hyper::ext::on_informational(&mut request, move |said| {
                hear(&interim, said.status(), said.headers());
            });
        }
        request
    }

    fn respond(&self, response: Response<Incoming>, line: Line, timing: Timing) -> OriginResponse {
        let (head, incoming) = response.into_parts();
        let mut headers = head.headers;
        fields::for_response(&mut headers);
        let trailers = Trailers::default();
        let download = Download {
            incoming,
            line: Some(line),
            pool: Arc::clone(&self.open.pool),
            limit: self.read_timeout,
            deadline: self.deadline,
            trailers: trailers.clone(),
        };
        let answer = OriginResponse::new(head.status, headers, download.stream(), timing);
        OriginResponse { trailers, ..answer }
    }
}

/// Passes an informational answer on; what is for the next hop alone ends here (RFC 9110 §15.2).
fn hear(interim: &Interim, status: StatusCode, fields: &HeaderMap) {
    if matches!(status, StatusCode::CONTINUE | StatusCode::SWITCHING_PROTOCOLS) {
        return;
    }
    let mut fields = fields.clone();
    fields::for_response(&mut fields);
    interim.tell(status, fields);
}

/// The connection has become another.
async fn switched(
    response: Response<Incoming>,
    timing: Timing,
) -> Result<OriginResponse, OriginError> {
    let (status, mut headers) = (response.status(), response.headers().clone());
    fields::for_response(&mut headers);
    let failed = |e: hyper::Error| OriginError::Protocol(format!("it changed no protocol: {e}"));
    let io = TokioIo::new(hyper::upgrade::on(response).await.map_err(failed)?);
    let answer = OriginResponse::new(status, headers, stream::empty().boxed(), timing);
    Ok(OriginResponse { tunnel: Some(Tunnel::new(io)), ..answer })
}

fn plain_grpc() -> OriginError {
    let told = "gRPC needs HTTPS to the origin: set its protocol policy to https-only";
    OriginError::Protocol(told.into())
}

fn only_http1() -> OriginError {
    OriginError::Protocol("the origin does not agree to HTTP/2, which gRPC needs".into())
}

/// A path as it stands, in origin form.
fn path(text: &str) -> Result<Uri, OriginError> {
    let refused = |why: &str| {
        OriginError::NotConfigured(format!("the path {text:?} cannot be sent in HTTP: {why}"))
    };
    if !text.starts_with('/') || text.contains('#') {
        return Err(refused("it must begin with / and have no fragment"));
    }
    text.parse().map_err(|e: http::uri::InvalidUri| refused(&e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_sent_as_it_stands() {
        for text in ["/", "//a//../b/", "/a%20b?x=1&y=%2F", "/%zz?", "/a?b?c"] {
            assert_eq!(path(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_http_cannot_carry_is_refused() {
        for text in ["", "a", "*", "/a b", "/a#b", "/a\r\nx: y", "http://other/"] {
            assert!(path(text).is_err(), "{text:?}");
        }
    }
}
