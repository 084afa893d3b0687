//! The `Server-Timing` header: what the edge tells browsers' tools.
//!
//! Not for: deciding whether it is sent ([`crate::response_policy::Prepared::wants_server_timing`]).
//!
//! Source: CloudFront developer guide, Server-Timing header.

use crate::names::value;
use http::{HeaderMap, HeaderName};
use std::{fmt::Write as _, time::Duration};

/// The header.
pub const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What the cache did, with what it cost to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// Served from what is held, by this layer: `EDGE`, `REC` or `Origin Shield`.
    Hit(&'static str),
    /// Expired and confirmed.
    Refresh(Upstream),
    /// Fetched.
    Miss(Upstream),
}

/// How long asking took. Zero for what a reused connection spares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Who asked the origin: `EDGE`, `REC` or `Origin Shield`.
    pub layer: &'static str,
    /// Looking its name up.
    pub dns: Duration,
    /// Connecting.
    pub connect: Duration,
    /// From asking to the first byte of the answer.
    pub first_byte: Duration,
}

/// All metrics of one response.
#[derive(Clone, Copy, Debug)]
pub struct Metrics<'a> {
    /// What the cache did.
    pub cache: Cache,
    /// This edge's place.
    pub pop: &'a str,
    /// The request's id.
    pub id: &'a str,
    /// From the request to the first byte toward the viewer.
    pub downstream_first_byte: Duration,
}

/// Sets the header: an origin's own metrics are kept in front of ours, except on a hit, where they
/// are of another request.
pub fn set(headers: &mut HeaderMap, metrics: &Metrics<'_>) {
    let ours = text(metrics);
    if matches!(metrics.cache, Cache::Hit(_)) {
        headers.remove(SERVER_TIMING);
    }
    headers.append(SERVER_TIMING, value(&ours));
}

/// The metrics as the header writes them.
pub fn text(metrics: &Metrics<'_>) -> String {
    let mut text = String::with_capacity(160);
    let (id, pop) = (metrics.id, metrics.pop);
    let place = format!("cdn-pop;desc=\"{pop}\",cdn-rid;desc=\"{id}\"");
    match &metrics.cache {
        Cache::Hit(layer) => {
            let _ = write!(text, "cdn-cache-hit,{place},cdn-hit-layer;desc=\"{layer}\"");
        }
        Cache::Refresh(upstream) => {
            let _ = write!(text, "{},cdn-cache-refresh,{place}", asked(upstream));
        }
        Cache::Miss(upstream) => {
            let _ = write!(text, "{},cdn-cache-miss,{place}", asked(upstream));
        }
    }
    let _ = write!(text, ",cdn-downstream-fbl;dur={}", metrics.downstream_first_byte.as_millis());
    text
}

fn asked(upstream: &Upstream) -> String {
    format!(
        "cdn-upstream-layer;desc=\"{}\",cdn-upstream-dns;dur={},cdn-upstream-connect;dur={},\
         cdn-upstream-fbl;dur={}",
        upstream.layer,
        upstream.dns.as_millis(),
        upstream.connect.as_millis(),
        upstream.first_byte.as_millis()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::headers;

    const ASKED: Upstream = Upstream {
        layer: "EDGE",
        dns: Duration::ZERO,
        connect: Duration::from_millis(114),
        first_byte: Duration::from_micros(177_900),
    };

    fn metrics(cache: Cache) -> Metrics<'static> {
        Metrics {
            cache,
            pop: "FRA1-P1",
            id: "id==",
            downstream_first_byte: Duration::from_millis(9),
        }
    }

    /// Developer guide, Server-Timing header: names and order.
    #[test]
    fn metrics_have_their_order() {
        let miss = "cdn-upstream-layer;desc=\"EDGE\",cdn-upstream-dns;dur=0,\
                    cdn-upstream-connect;dur=114,cdn-upstream-fbl;dur=177,cdn-cache-miss,\
                    cdn-pop;desc=\"FRA1-P1\",cdn-rid;desc=\"id==\",cdn-downstream-fbl;dur=9";
        assert_eq!(text(&metrics(Cache::Miss(ASKED))), miss);
        let refresh = miss.replace("cdn-cache-miss", "cdn-cache-refresh");
        assert_eq!(text(&metrics(Cache::Refresh(ASKED))), refresh);
        let hit = "cdn-cache-hit,cdn-pop;desc=\"FRA1-P1\",cdn-rid;desc=\"id==\",\
                   cdn-hit-layer;desc=\"EDGE\",cdn-downstream-fbl;dur=9";
        assert_eq!(text(&metrics(Cache::Hit("EDGE"))), hit);
    }

    #[test]
    fn an_origins_metrics_stay_except_on_a_hit() {
        let mut found = headers(&[("server-timing", "db;dur=5")]);
        set(&mut found, &metrics(Cache::Miss(ASKED)));
        assert_eq!(found.get_all("server-timing").iter().count(), 2);
        assert_eq!(found.get("server-timing").unwrap(), "db;dur=5");
        set(&mut found, &metrics(Cache::Hit("EDGE")));
        assert_eq!(found.get_all("server-timing").iter().count(), 1);
    }
}
