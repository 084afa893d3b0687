//! Stage 8: the only place where an error becomes a status.
//!
//! For: every failure's status, what the viewer is told and what the log says; the user's own error
//! pages. Not for: whether an error is kept (`rules/caching`).

use crate::{
    asked::ReplyBody,
    pipeline::{
        Engine,
        respond::{Answer, Telling},
        route::{self, Routed},
    },
};
use bytes::Bytes;
use caching::stale;
use futures::StreamExt as _;
use headers::{
    error_body, grpc,
    head::Unheard,
    methods,
    names::{Names, Outcome},
    redirect,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use ports::{origin::OriginError, relay::Way};
use std::{sync::Arc, time::Duration};
use tracing::Instrument as _;

/// Most bytes of an error's body that are read though the user's own page takes its place.
const MOST_UNREAD: u64 = 1 << 20;
/// For how long they are.
const UNREAD_FOR: Duration = Duration::from_secs(30);

/// Why a request has no ordinary answer. The text is for the viewer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// Plain HTTP where HTTPS is wanted.
    #[error("This content is served over HTTPS.")]
    Redirect(StatusCode),
    /// What is wrong with the request.
    #[error("Bad request: {0}.")]
    BadRequest(&'static str),
    /// Beyond the limit for URLs.
    #[error("The URL is longer than 8192 bytes.")]
    UrlTooLong,
    /// Beyond the limit for heads.
    #[error("The request line and the headers are longer than 32768 bytes.")]
    HeadTooLong,
    /// No distribution has this name.
    #[error(
        "No distribution here has this name. If it should: the distribution has to list it among \
         its alternate domain names."
    )]
    UnknownHost,
    /// It has passed us too often.
    #[error("This request has already passed two distributions: a chain can have no third one.")]
    Loop,
    /// The distribution is disabled.
    #[error("This distribution is disabled.")]
    Disabled,
    /// The TLS of the connection is older than the distribution wants.
    #[error("This content is served over newer TLS than this connection's.")]
    Misdirected,
    /// Plain HTTP is refused.
    #[error("This content is served over HTTPS only.")]
    HttpsOnly,
    /// The viewer's country is not served.
    #[error("This content is not available in your country.")]
    Country,
    /// The method, or its body, is refused.
    #[error("Refused: {0}.")]
    Method(#[from] methods::Refused),
    /// The viewer wants what is held or nothing.
    #[error("No fresh copy of this is held here, and the request asks for nothing else.")]
    OnlyIfCached,
    /// The origin gave no answer.
    #[error("We cannot get an answer from the server behind this content: {}.", for_viewer(.0))]
    Origin(#[from] OriginError),
    /// The origin's head is beyond the limit.
    #[error("The server behind this content sent headers longer than 32768 bytes.")]
    OriginHead,
    /// The origin answered with this, and a stale copy stood in.
    #[error("The server behind this content failed.")]
    Status(StatusCode),
    /// A fault of ours.
    #[error("Something went wrong here. The request can be tried again.")]
    Internal,
}

/// What a viewer is told of an origin: no names, no addresses.
const fn for_viewer(why: &OriginError) -> &'static str {
    match why {
        OriginError::Name(_) => "its name does not resolve",
        OriginError::Connect(_) => "it does not accept connections",
        OriginError::Tls(_) => "its certificate cannot be trusted, or it speaks no TLS that we do",
        OriginError::Timeout(_) => "it did not answer in time",
        OriginError::Protocol(_) => "what it answers is not HTTP",
        OriginError::NotConfigured(_) => "it is not set up here",
        OriginError::ViewerGone => "the request's body ended early",
    }
}

impl Failure {
    /// The status that stands for it.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Redirect(status) | Self::Status(status) => *status,
            Self::BadRequest(_) | Self::Origin(OriginError::ViewerGone) => StatusCode::BAD_REQUEST,
            Self::UrlTooLong => StatusCode::URI_TOO_LONG,
            Self::HeadTooLong => head_too_long(),
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::UnknownHost
            | Self::Loop
            | Self::Disabled
            | Self::HttpsOnly
            | Self::Country
            | Self::Method(_) => StatusCode::FORBIDDEN,
            Self::OnlyIfCached | Self::Origin(OriginError::Timeout(_)) => {
                StatusCode::GATEWAY_TIMEOUT
            }
            Self::Origin(_) | Self::OriginHead => StatusCode::BAD_GATEWAY,
            Self::Internal => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// How it counts for stale copies.
    pub const fn kind(&self) -> stale::Failure {
        match self {
            Self::Status(status) => stale::Failure::Status(*status),
            _ => stale::Failure::Unreachable,
        }
    }

    /// What the origin answered, if it did.
    pub const fn answered(&self) -> Option<StatusCode> {
        match self {
            Self::Status(status) => Some(*status),
            _ => None,
        }
    }

    /// Whether the connection ends with the answer: what follows may not be a request.
    const fn ends_connection(&self) -> bool {
        matches!(
            self,
            Self::BadRequest(_)
                | Self::UrlTooLong
                | Self::HeadTooLong
                | Self::Origin(OriginError::ViewerGone)
        )
    }

    /// Whether the user's own page may take its place.
    const fn is_mendable(&self) -> bool {
        !matches!(
            self,
            Self::Redirect(_) | Self::BadRequest(_) | Self::HeadTooLong | Self::Disabled
        )
    }

    const fn outcome(&self) -> Outcome {
        match self {
            Self::Redirect(_) => Outcome::Redirect,
            Self::Internal => Outcome::CapacityExceeded,
            _ => Outcome::Error,
        }
    }
}

impl From<Unheard> for Failure {
    fn from(why: Unheard) -> Self {
        match why {
            Unheard::UrlTooLong => Self::UrlTooLong,
            Unheard::HeadTooLong => Self::HeadTooLong,
            Unheard::Malformed(what) => Self::BadRequest(what),
        }
    }
}

/// 494, which no registry lists (CloudFront developer guide, quotas on headers).
const fn head_too_long() -> StatusCode {
    match StatusCode::from_u16(494) {
        Ok(status) => status,
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

/// The edge's own page for a failure.
pub fn reply(names: &Names, id: &str, method: &Method, failure: &Failure) -> Answer {
    log(id, failure);
    let status = failure.status();
    let page = match failure {
        Failure::Redirect(status) => error_body::redirect(*status, names),
        failure => error_body::error(status, &failure.to_string(), id, names),
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, error_body::CONTENT_TYPE);
    headers.insert(header::SERVER, names.server());
    if failure.ends_connection() {
        end_connection(&mut headers);
    }
    let body = if *method == Method::HEAD {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(page.len()));
        ReplyBody::Empty
    } else {
        ReplyBody::Pieces(vec![Bytes::from(page)])
    };
    Answer { status, headers, body, telling: Telling::made(failure.outcome()) }
}

fn end_connection(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
}

fn log(id: &str, failure: &Failure) {
    match failure {
        Failure::Origin(OriginError::NotConfigured(why)) => {
            tracing::warn!(id, why, "an origin is not set up: see object_stores in the settings");
        }
        Failure::Origin(why) => tracing::info!(id, %why, "no answer from an origin"),
        Failure::Internal => tracing::error!(id, "a fetch ended without a word"),
        failure => tracing::debug!(id, why = %failure, "refused"),
    }
}

/// Turns what came of a request into an answer: failures into pages of ours, and errors of any kind
/// into the user's own pages where the distribution has them.
pub async fn mend(
    engine: &Arc<Engine>,
    routed: &Routed,
    walked: Result<Answer, Failure>,
) -> Answer {
    if routed.request.relay.way == Way::Grpc {
        return walked.unwrap_or_else(|failure| call_failed(&routed.request.id, &failure));
    }
    let (answer, mendable, ends) = match walked {
        Ok(answer) => (answer, true, false),
        Err(failure) => {
            let (mendable, ends) = (failure.is_mendable(), failure.ends_connection());
            (failed(engine, routed, &failure), mendable, ends)
        }
    };
    let rule = routed.distribution.error_rule(answer.status.as_u16()).filter(|_| mendable);
    let Some((path, status)) = rule.and_then(|rule| rule.page.as_ref()) else {
        return answer;
    };
    see_off(answer.body);
    let page = page(engine, routed, path, *status);
    let mut page = page.instrument(tracing::debug_span!("rescue")).await;
    if ends {
        // Whatever is said instead: what follows on the connection may still be no request.
        end_connection(&mut page.headers);
    }
    page
}

/// A gRPC call that failed here: its clients read no pages (CloudFront developer guide, using gRPC
/// with distributions: there are no custom error responses, the response carries `grpc-status`).
fn call_failed(id: &str, failure: &Failure) -> Answer {
    log(id, failure);
    let headers = grpc::ended(failure.status(), &failure.to_string());
    let telling = Telling::made(failure.outcome());
    Answer { status: StatusCode::OK, headers, body: ReplyBody::Empty, telling }
}

/// Reads what nobody will: left alone, an error whose body is still coming would not be kept, and
/// the origin would be asked again by every viewer.
fn see_off(body: ReplyBody) {
    let (ReplyBody::Stream { length, mut body } | ReplyBody::Trailed { length, mut body, .. }) =
        body
    else {
        return;
    };
    if length.is_some_and(|length| length > MOST_UNREAD) {
        return;
    }
    let reading = async move {
        let mut left = MOST_UNREAD;
        while let Some(Ok(piece)) = body.next().await {
            left = left.saturating_sub(piece.len() as u64);
            if left == 0 {
                return;
            }
        }
    };
    tokio::spawn(tokio::time::timeout(UNREAD_FOR, reading));
}

fn failed(engine: &Engine, routed: &Routed, failure: &Failure) -> Answer {
    let request = &routed.request;
    let mut answer = reply(&engine.names, &request.id, &request.method, failure);
    if let Failure::Redirect(_) = failure {
        let host = request.headers.get(header::HOST);
        let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
        let target = match (request.path.strip_prefix('/'), &request.query) {
            (Some(path), query) if is_root_object(routed, path) => match query {
                Some(query) => format!("/?{query}"),
                None => "/".to_owned(),
            },
            _ => request.path_and_query(),
        };
        let location = redirect::location(host, &target, engine.https_port);
        answer.headers.insert(header::LOCATION, location);
    }
    answer
}

/// A redirect names what was asked for, not the object that takes the place of `/`.
fn is_root_object(routed: &Routed, path: &str) -> bool {
    routed.request.was_root && routed.distribution.plan.default_root_object.as_deref() == Some(path)
}

/// The user's own page, under the status that the user gives it. If it cannot be had, its own
/// failure is the answer (CloudFront developer guide, custom error pages).
async fn page(engine: &Arc<Engine>, routed: &Routed, path: &str, status: u16) -> Answer {
    let Some(inner) = route::page(routed, path) else {
        return failed(engine, routed, &Failure::Internal);
    };
    let viewed = super::viewer::see(&*engine.locator, inner.clone());
    let fetched = Box::pin(engine.answer(viewed, None)).await;
    let mut answer = match fetched {
        Ok(mut answer) if answer.status.is_success() => {
            answer.status = StatusCode::from_u16(status).unwrap_or(answer.status);
            answer
        }
        Ok(answer) => answer,
        Err(failure) => failed(engine, &inner, &failure),
    };
    answer.telling.outcome = Outcome::Error;
    answer
}
