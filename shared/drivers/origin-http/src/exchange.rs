//! One request and the head of its answer, on one connection.

use crate::{
    fields,
    h2::{self, Verdict},
    line::{Answer, Line},
    upload::{Outgoing, Upload},
};
use http::{HeaderMap, Request, Response, StatusCode, header::TRANSFER_ENCODING};
use hyper::body::Incoming;
use ports::origin::OriginError;
use std::{sync::Arc, time::Duration};

/// Why no head came.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The connection had been closed before anything was written.
    Unsent,
    /// It was closed after that, without a byte of an answer that could be read.
    Closed(String),
    /// Nothing came in time.
    Silent(Duration),
    /// The server has not looked at it, and says so.
    Refused(String),
    /// Something came that is not HTTP.
    Garbled(String),
    /// The request's own body ended early.
    ViewerGone,
}

impl From<Failed> for OriginError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Unsent => Self::Connect("the connection closed at once".into()),
            Failed::Refused(why) => Self::Protocol(format!("it refuses requests: {why}")),
            Failed::Closed(why) => Self::Protocol(format!("closed without an answer: {why}")),
            Failed::Silent(limit) => {
                Self::Timeout(format!("no answer within {} s", limit.as_secs()))
            }
            Failed::Garbled(why) => Self::Protocol(why),
            Failed::ViewerGone => Self::ViewerGone,
        }
    }
}

/// Sends `request` and waits for the head of the answer, `limit` long at most since something last
/// moved. Informational answers go to whoever hears them (RFC 9110 §15.2). A change of protocol is an
/// answer only with `switching`.
///
/// Cancellation: closes the connection, or ends this exchange on a shared one.
pub(crate) async fn ask(
    line: &mut Line,
    request: Request<Outgoing>,
    upload: &Arc<Upload>,
    limit: Duration,
    switching: bool,
) -> Result<Response<Incoming>, Failed> {
    upload.begin();
    let sending = line.send(request);
    tokio::pin!(sending);
    loop {
        let late = upload.silent_at(limit);
        tokio::select! {
            biased;
            answer = &mut sending => return judge(answer, upload, line, switching),
            () = tokio::time::sleep_until(late) => {
                if upload.silent_at(limit) <= tokio::time::Instant::now() {
                    line.suspect();
                    return Err(Failed::Silent(limit));
                }
            }
        }
    }
}

fn judge(
    answer: Answer,
    upload: &Upload,
    line: &Line,
    switching: bool,
) -> Result<Response<Incoming>, Failed> {
    match answer {
        Ok(response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            if switching && fields::switches_to_websocket(response.headers()) {
                return Ok(response);
            }
            Err(Failed::Garbled("it switched protocols without being asked to".into()))
        }
        Ok(response) if is_coded(response.headers()) => Err(Failed::Garbled(
            "it used a transfer coding beside chunked without being asked".into(),
        )),
        Ok(response) => Ok(response),
        Err(_) if upload.is_gone() => Err(Failed::ViewerGone),
        Err(error) if error.message().is_some() => Err(Failed::Unsent),
        Err(error) => {
            let verdict = h2::verdict(error.error());
            line.learn(verdict);
            Err(classify(error.error(), verdict))
        }
    }
}

/// Whether the body came in a transfer coding that is not undone here (RFC 9112 §6.1): passed on as
/// it is, it would be kept as if it were the content.
fn is_coded(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(TRANSFER_ENCODING).iter();
    let mut codings = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    codings.any(|coding| !coding.trim_ascii().eq_ignore_ascii_case(b"chunked"))
}

fn classify(error: &hyper::Error, verdict: Option<Verdict>) -> Failed {
    if let Some(Verdict::Refused | Verdict::WantsHttp1) = verdict {
        Failed::Refused(error.to_string())
    } else if verdict.is_some() {
        Failed::Garbled(format!("it ended the exchange: {error}"))
    } else if error.is_body_write_aborted() {
        Failed::ViewerGone // it announced more bytes than it sent
    } else if error.is_parse_too_large() {
        Failed::Garbled("the response head is larger than 32,768 bytes".into())
    } else if error.is_parse() {
        Failed::Garbled(format!("not HTTP/1.1: {error}"))
    } else {
        Failed::Closed(error.to_string())
    }
}
