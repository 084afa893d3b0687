//! `Accept-Encoding`, reduced to what makes a difference.
//!
//! For: the key's part and the origin's header.
//! Not for: compressing.
//!
//! Source: CloudFront developer guide, cache compressed objects (cache policy settings).

use http::{HeaderValue, Version, header::ACCEPT_ENCODING};
use model::{fields::Fields, plan::Behaviour};

/// What is left of a viewer's `Accept-Encoding`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalised {
    /// Nothing is normalised: it is a header like any other.
    AsSent,
    /// There is none, or it does not count (HTTP/1.0).
    Absent,
    /// The viewer named codings, and none that we deal in.
    Identity,
    /// These, one at least.
    Of(Accepted),
}

impl Normalised {
    /// The key's part.
    pub const fn key_part(self) -> Option<&'static str> {
        match self {
            Self::AsSent | Self::Absent | Self::Identity => None,
            Self::Of(codings) => Some(codings.listed()),
        }
    }

    /// The origin's header, unless it is [`Self::AsSent`].
    pub const fn to_origin(self) -> Option<HeaderValue> {
        match self {
            Self::AsSent | Self::Absent => None,
            Self::Identity => Some(HeaderValue::from_static("identity")),
            Self::Of(codings) => Some(HeaderValue::from_static(codings.listed())),
        }
    }
}

/// Normalises for one behaviour.
///
/// A policy that lists the header itself, or enables no coding, leaves it as it is; legacy settings
/// enable gzip where the edge compresses. Where one of them is enabled, zstd is too if the edge's own
/// settings say so. HTTP/1.0 viewers have no say.
pub fn normalise(behaviour: &Behaviour, headers: &impl Fields, version: Version) -> Normalised {
    if version < Version::HTTP_11 || headers.first(ACCEPT_ENCODING.as_str()).is_none() {
        return Normalised::Absent;
    }
    let cache = &behaviour.cache;
    let listed = cache.headers.iter().any(|name| name == ACCEPT_ENCODING.as_str());
    let gzip = cache.gzip || (behaviour.forward.legacy && behaviour.compress);
    if listed || cache.all_headers || !(gzip || cache.brotli) {
        return Normalised::AsSent;
    }
    let wants = Accepted::of(headers);
    let codings = Accepted {
        gzip: gzip && wants.gzip,
        br: cache.brotli && wants.br,
        zstd: cache.zstd && wants.zstd,
    };
    if codings == Accepted::default() { Normalised::Identity } else { Normalised::Of(codings) }
}

/// Which of the codings that we deal in a viewer names with a weight above zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// `gzip`, or its old name `x-gzip` (RFC 9110 §8.4.1.3).
    pub gzip: bool,
    /// `br`.
    pub br: bool,
    /// `zstd` (RFC 8878).
    pub zstd: bool,
}

impl Accepted {
    /// Reads all `Accept-Encoding` headers; what cannot be read is not accepted.
    pub fn of(headers: &impl Fields) -> Self {
        let mut accepted = Self::default();
        for line in headers.all(ACCEPT_ENCODING.as_str()) {
            line.split(|byte| *byte == b',').for_each(|member| accepted.add(member));
        }
        accepted
    }

    /// As a list, the one that is preferred first.
    const fn listed(self) -> &'static str {
        match (self.br, self.zstd, self.gzip) {
            (true, true, true) => "br,zstd,gzip",
            (true, true, false) => "br,zstd",
            (true, false, true) => "br,gzip",
            (true, false, false) => "br",
            (false, true, true) => "zstd,gzip",
            (false, true, false) => "zstd",
            (false, false, true) => "gzip",
            (false, false, false) => "identity",
        }
    }

    fn add(&mut self, member: &[u8]) {
        let mut parts = member.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let coding = parts.next().unwrap_or_default();
        let wanted = parts.all(|parameter| !is_zero_weight(parameter));
        if coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip") {
            self.gzip = wanted;
        } else if coding.eq_ignore_ascii_case(b"br") {
            self.br = wanted;
        } else if coding.eq_ignore_ascii_case(b"zstd") {
            self.zstd = wanted;
        }
    }
}

/// `q=0`, `q=0.000`, or a weight that is no number (RFC 9110 §12.4.2).
fn is_zero_weight(parameter: &[u8]) -> bool {
    let Some(weight) = parameter.strip_prefix(b"q=").or(parameter.strip_prefix(b"Q=")) else {
        return false;
    };
    let number = std::str::from_utf8(weight).ok().and_then(|text| text.parse::<f32>().ok());
    !number.is_some_and(|number| number > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{behaviour, headers, names};
    use Normalised::{Absent, AsSent, Identity, Of};

    const NONE: Accepted = Accepted { gzip: false, br: false, zstd: false };
    const GZIP: Normalised = Of(Accepted { gzip: true, ..NONE });
    const BR: Normalised = Of(Accepted { br: true, ..NONE });
    const BOTH: Normalised = Of(Accepted { gzip: true, br: true, ..NONE });

    fn of(gzip: bool, brotli: bool, sent: Option<&str>) -> Normalised {
        let mut behaviour = behaviour();
        behaviour.cache.gzip = gzip;
        behaviour.cache.brotli = brotli;
        let sent: Vec<_> = sent.iter().map(|sent| ("accept-encoding", *sent)).collect();
        normalise(&behaviour, &headers(&sent), Version::HTTP_2)
    }

    /// Developer guide, cache policies, compressed objects; RFC 9110 §12.4.2 for weights.
    #[test]
    fn what_the_viewer_accepts_meets_what_is_enabled() {
        let table = [
            (true, true, Some("gzip, deflate, br"), BOTH),
            (true, true, Some("br"), BR),
            (true, true, Some("GZIP"), GZIP),
            (true, true, Some("x-gzip;q=0.5"), GZIP),
            (true, true, Some("deflate"), Identity),
            (true, true, Some("*"), Identity),
            (true, true, Some(""), Identity),
            (true, true, None, Absent),
            (true, false, Some("gzip, br"), GZIP),
            (true, false, Some("br"), Identity),
            (false, true, Some("gzip, br"), BR),
            (false, true, Some("gzip"), Identity),
            (true, true, Some("gzip;q=0, br;q=0.1"), BR),
            (true, true, Some("gzip; q=0.000, br; Q=0"), Identity),
            (true, true, Some("gzip;q=much"), Identity),
            (true, true, Some("gzipped, brotli"), Identity),
            (false, false, Some("gzip"), AsSent),
            (false, false, None, Absent),
        ];
        for (gzip, brotli, sent, expected) in table {
            assert_eq!(of(gzip, brotli, sent), expected, "{gzip} {brotli} {sent:?}");
        }
    }

    #[test]
    fn several_lines_count_as_one() {
        let mut behaviour = behaviour();
        (behaviour.cache.gzip, behaviour.cache.brotli) = (true, true);
        let headers = headers(&[("accept-encoding", "gzip"), ("accept-encoding", "br")]);
        assert_eq!(normalise(&behaviour, &headers, Version::HTTP_11), BOTH);
    }

    #[test]
    fn listed_or_forwarded_whole_it_stays_and_before_http_1_1_it_goes() {
        let headers = headers(&[("accept-encoding", "gzip")]);
        let mut behaviour = behaviour();
        behaviour.cache.gzip = true;
        assert_eq!(normalise(&behaviour, &headers, Version::HTTP_10), Absent);
        behaviour.cache.headers = names(&["accept-encoding"]);
        assert_eq!(normalise(&behaviour, &headers, Version::HTTP_11), AsSent);
        behaviour.cache.headers = vec![];
        behaviour.cache.all_headers = true;
        assert_eq!(normalise(&behaviour, &headers, Version::HTTP_11), AsSent);
    }

    #[test]
    fn legacy_settings_know_gzip_where_they_compress() {
        let headers = headers(&[("accept-encoding", "br, gzip")]);
        let mut behaviour = behaviour();
        behaviour.forward.legacy = true;
        assert_eq!(normalise(&behaviour, &headers, Version::HTTP_11), AsSent);
        behaviour.compress = true;
        assert_eq!(normalise(&behaviour, &headers, Version::HTTP_11), GZIP);
    }

    #[test]
    fn the_key_and_the_origin_see_the_same_codings() {
        assert_eq!(BOTH.key_part(), Some("br,gzip"));
        assert_eq!(BOTH.to_origin().unwrap(), "br,gzip");
        assert_eq!(Identity.key_part(), None);
        assert_eq!(Identity.to_origin().unwrap(), "identity");
        assert_eq!(Absent.to_origin(), None);
    }

    /// The edge's setting adds zstd where the policy enables another coding, between br and gzip.
    #[test]
    fn zstd_counts_where_the_edge_is_set_to_it() {
        let table = [
            (true, true, "gzip, br, zstd", Some("br,zstd,gzip")),
            (true, true, "zstd;q=0.1, br", Some("br,zstd")),
            (true, true, "ZSTD", Some("zstd")),
            (true, false, "gzip, br, zstd", Some("zstd,gzip")),
            (false, true, "gzip, zstd", Some("zstd")),
            (true, true, "gzip, zstd;q=0", Some("gzip")),
            (true, true, "zstandard", None),
            (false, false, "zstd", None),
        ];
        for (gzip, brotli, sent, expected) in table {
            let mut behaviour = behaviour();
            (behaviour.cache.gzip, behaviour.cache.brotli) = (gzip, brotli);
            let sent = headers(&[("accept-encoding", sent)]);
            let with = |behaviour: &Behaviour| normalise(behaviour, &sent, Version::HTTP_11);
            let without = with(&behaviour).key_part().unwrap_or_default();
            assert!(!without.contains("zstd"), "{without}");
            behaviour.cache.zstd = true;
            let got = with(&behaviour);
            assert_eq!(got.key_part(), expected, "{gzip} {brotli} {sent:?}");
            let told = got.to_origin().filter(|_| expected.is_some());
            assert_eq!(told.as_ref().map(HeaderValue::as_bytes), expected.map(str::as_bytes));
        }
    }
}
