//! Lets `object_store` speak through our transport.

use crate::config::Endpoint;
use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_LENGTH, HOST},
};
use http_body::Frame;
use http_body_util::BodyExt;
use model::{
    plan::{Origin as OriginPlan, OriginKind, OriginProtocol},
    units::Seconds,
};
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
        HttpResponseBody, HttpService,
    },
};
use parking_lot::Mutex;
use ports::origin::{
    Body, BodyError, Origin, OriginError, OriginRequest, OriginResponse, Scheme, Timing,
};
use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// How long an idle connection to an object store is kept.
const KEEPALIVE: Seconds = Seconds(15);

/// The plan for a request to a server of an object store.
pub(crate) fn to_server(plan: &OriginPlan, endpoint: &Endpoint) -> OriginPlan {
    OriginPlan {
        domain: endpoint.host.clone(),
        kind: OriginKind::Custom {
            protocol: if endpoint.secure { OriginProtocol::Https } else { OriginProtocol::Http },
            http_port: endpoint.port,
            https_port: endpoint.port,
            keepalive: KEEPALIVE,
        },
        ..plan.clone()
    }
}

/// What one call of `object_store` takes along and brings back: it travels in the extensions of
/// the call's own request, not in those that fetch credentials.
#[derive(Clone)]
pub(crate) struct Exchange {
    /// Timeouts and attempts.
    pub plan: OriginPlan,
    /// The answer's head as the server sent it.
    pub head: Arc<Mutex<Option<Head>>>,
}

/// An answer without its body.
pub(crate) struct Head {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub timing: Timing,
}

/// Makes clients that use our transport.
#[derive(Clone)]
pub(crate) struct Connector(Arc<dyn Origin>);

impl Connector {
    /// Over this transport.
    pub fn new(transport: &Arc<dyn Origin>) -> Self {
        Self(Arc::clone(transport))
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let exchange = request.extensions().get::<Exchange>().cloned();
        let base = exchange.as_ref().map_or_else(patient, |e| e.plan.clone());
        let endpoint = Endpoint::read(&request.uri().to_string()).map_err(unreadable)?;
        let plan = to_server(&base, &endpoint);
        let answer = self.0.fetch(&plan, outgoing(request, &endpoint)).await;
        let answer = answer.map_err(|e| HttpError::new(kind(&e), e))?;
        if let Some(exchange) = exchange {
            *exchange.head.lock() = Some(Head {
                status: answer.status,
                headers: answer.headers.clone(),
                timing: answer.timing,
            });
        }
        Ok(incoming(answer))
    }
}

/// For requests that fetch credentials.
fn patient() -> OriginPlan {
    OriginPlan {
        id: "object-store".into(),
        domain: String::new(),
        path: String::new(),
        headers: Vec::new(),
        kind: OriginKind::Bucket { sign: true },
        attempts: 1,
        connect_timeout: Seconds(2),
        read_timeout: Seconds(10),
        completion_timeout: Some(Seconds(20)),
    }
}

fn unreadable(why: String) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, io::Error::other(why))
}

fn kind(error: &OriginError) -> HttpErrorKind {
    match error {
        OriginError::Timeout(_) => HttpErrorKind::Timeout,
        OriginError::Name(_) | OriginError::Connect(_) | OriginError::Tls(_) => {
            HttpErrorKind::Connect
        }
        _ => HttpErrorKind::Unknown,
    }
}

fn outgoing(request: HttpRequest, endpoint: &Endpoint) -> OriginRequest {
    let (head, body) = request.into_parts();
    let mut headers = head.headers;
    if let Ok(host) = HeaderValue::from_str(&endpoint.authority()) {
        headers.insert(HOST, host);
    }
    let body: Option<Body> = (!body.is_empty()).then(|| {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.content_length()));
        BodyExt::into_data_stream(body)
            .map(|piece| piece.map_err(|e| BodyError::Cut(e.to_string())))
            .boxed()
    });
    let path = head.uri.path_and_query();
    OriginRequest {
        method: head.method,
        path_and_query: path.map_or("/", |path| path.as_str()).to_owned(),
        headers,
        body,
        viewer_scheme: Scheme::Http,
        relay: ports::relay::Relay::default(),
    }
}

fn incoming(answer: OriginResponse) -> HttpResponse {
    let mut response = HttpResponse::new(HttpResponseBody::new(Incoming(Mutex::new(answer.body))));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

/// A body that may be shared between threads, as `object_store` wants it: nobody ever waits for
/// the lock, because there is only one owner.
struct Incoming(Mutex<BoxStream<'static, Result<Bytes, BodyError>>>);

impl http_body::Body for Incoming {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        self.0.get_mut().poll_next_unpin(cx).map(|piece| {
            piece.map(|piece| {
                piece.map(Frame::data).map_err(|e| HttpError::new(HttpErrorKind::Interrupted, e))
            })
        })
    }
}
