//! Asking for the rest of a body of which some is here.
//!
//! For: a range that only the same body answers (RFC 9110 §13.1.5), and what came of it.
//! Not for: where the bytes go (`fill`, `whole`).

use super::question;
use crate::pipeline::{Engine, lookup::Found, rescue::Failure};
use caching::{
    ResponseView, Times,
    partial::{Continued, Place, Strong, continued},
};
use futures::StreamExt as _;
use headers::origin_request::Conditions;
use http::{HeaderMap, HeaderValue, header};
use ports::{
    origin::{Body, OriginError, OriginResponse},
    relay::Relay,
};

/// Most bytes that are read past, to come to those that are wanted, when an origin sends the whole.
pub const MOST_SKIPPED: u64 = 64 << 20;
/// How often an exchange that died is gone on with when nothing came of it.
pub const RESUMES: u32 = 2;

/// What is wanted.
pub struct Rest<'a> {
    /// For whom.
    pub found: &'a Found,
    /// What the body is known by.
    pub strong: &'a Strong,
    /// Its length, if known.
    pub total: Option<u64>,
    /// Offset of the first byte.
    pub from: u64,
    /// Offset after the last one; none for all there is.
    pub until: Option<u64>,
}

/// What came.
pub enum Got {
    /// The rest, or some of it, from its first byte on.
    Here(Place, Arrived),
    /// The body from its first byte.
    Whole(Arrived),
    /// The body is no longer the same.
    Changed,
    /// Nothing of use.
    Failed(Failure),
}

/// A message that has begun to come.
pub struct Arrived {
    /// Its headers, as the origin sent them, dated.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Body,
    /// When.
    pub times: Times,
}

/// Asks. Dropping the call ends the exchange.
pub async fn ask(engine: &Engine, rest: &Rest<'_>) -> Got {
    let viewed = &rest.found.keyed.viewed;
    let behaviour = &viewed.routed.behaviour;
    let mut request = question::origin_request(engine, viewed, Conditions::Withheld, false);
    let range = match rest.until {
        Some(until) => format!("bytes={}-{}", rest.from, until.saturating_sub(1)),
        None => format!("bytes={}-", rest.from),
    };
    let Ok(range) = HeaderValue::try_from(range) else {
        return Got::Failed(Failure::Internal);
    };
    // Whoever reads has the head of an answer already, or is about to get it.
    request.relay = Relay::default();
    request.headers.insert(header::RANGE, range);
    request.headers.insert(header::IF_RANGE, rest.strong.condition().clone());
    let requested_at = engine.now();
    match engine.ask(&behaviour.origin, request).await {
        Err(why) => Got::Failed(Failure::Origin(why)),
        Ok(response) => judge(rest, response, Times { requested_at, received_at: engine.now() }),
    }
}

fn judge(rest: &Rest<'_>, response: OriginResponse, times: Times) -> Got {
    let OriginResponse { status, mut headers, body, .. } = response;
    super::date(&mut headers, times);
    let answer = ResponseView { status, headers: &headers };
    let continued = continued(rest.strong, rest.total, rest.from, &answer);
    let arrived = Arrived { headers, body, times };
    match continued {
        Continued::Here(place) => Got::Here(place, arrived),
        Continued::Whole => Got::Whole(arrived),
        Continued::Changed => Got::Changed,
        Continued::Unusable if status.is_success() => {
            let why = "it answers a range with something else";
            Got::Failed(Failure::Origin(OriginError::Protocol(why.into())))
        }
        Continued::Unusable => Got::Failed(Failure::Status(status)),
    }
}

/// A body without its first bytes; reading past them costs what they cost to fetch.
pub fn skipping(body: Body, mut skip: u64) -> Body {
    let rest = body.filter_map(move |piece| {
        let piece = match piece {
            Ok(piece) if skip >= piece.len() as u64 => {
                skip -= piece.len() as u64;
                None
            }
            Ok(piece) => {
                let from = usize::try_from(std::mem::take(&mut skip)).unwrap_or_default();
                Some(Ok(piece.slice(from..)))
            }
            error => Some(error),
        };
        std::future::ready(piece)
    });
    rest.boxed()
}
