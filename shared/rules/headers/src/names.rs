//! The words by which this product names itself to viewers and origins, each said once.
//!
//! For: `X-Cache`, `Cache-Status`, `Via`, `Server`, `User-Agent` and `CDN-Loop`.
//! Not for: names of hosts.

use http::{HeaderName, HeaderValue, Version};

/// Opaque id of one request, the same to origin, viewer and log.
pub const X_AMZ_CF_ID: HeaderName = HeaderName::from_static("x-amz-cf-id");
/// Which edge location answered.
pub const X_AMZ_CF_POP: HeaderName = HeaderName::from_static("x-amz-cf-pop");
/// What the cache did.
pub const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
/// Addresses that a request came through.
pub const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// What each cache on the way did (RFC 9211).
pub const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
/// RFC 8586.
pub const CDN_LOOP: HeaderName = HeaderName::from_static("cdn-loop");
/// Removed by proxies of old, never sent on.
pub const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// How one product writes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    word: String,
    brand: String,
    told: Told,
}

/// What is said in every message, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    word: HeaderValue,
    brand: HeaderValue,
    agent: HeaderValue,
    hit: HeaderValue,
    miss: HeaderValue,
}

/// One edge's member of `Via`, for each version in which messages reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vias([(Version, HeaderValue); 5]);

impl Vias {
    /// For messages of this version (RFC 9110 §7.6.3).
    pub fn of(&self, version: Version) -> &HeaderValue {
        let [(_, usual), others @ ..] = &self.0;
        others.iter().find(|(of, _)| *of == version).map_or(usual, |(_, via)| via)
    }
}

impl Names {
    /// Names for the `edge.product` setting: `nearfront`, `cloudfront` (the original words, for
    /// drop-in tests), or a word of the operator's own, which then stands everywhere.
    pub fn of(product: &str) -> Self {
        match product {
            "nearfront" => Self::from_words("nearfront", "Nearfront", "Nearfront"),
            "cloudfront" => Self::from_words("cloudfront", "CloudFront", "Amazon CloudFront"),
            own => Self::from_words(own, own, own),
        }
    }

    fn from_words(word: &str, brand: &str, agent: &str) -> Self {
        let told = Told {
            word: value(word),
            brand: value(brand),
            agent: value(agent),
            hit: x_cache(Outcome::Hit, word),
            miss: x_cache(Outcome::Miss, word),
        };
        Self { word: word.to_owned(), brand: brand.to_owned(), told }
    }

    /// Lower case, as in `X-Cache: Hit from nearfront` and `CDN-Loop: nearfront`.
    pub fn word(&self) -> &str {
        &self.word
    }

    /// As a proper name: `Server: Nearfront`.
    pub fn brand(&self) -> &str {
        &self.brand
    }

    /// `Server` of answers that the edge makes.
    pub fn server(&self) -> HeaderValue {
        self.told.brand.clone()
    }

    /// Our member of `CDN-Loop`.
    pub fn cdn_loop(&self) -> &HeaderValue {
        &self.told.word
    }

    /// `User-Agent` toward origins that do not get the viewer's.
    pub fn user_agent(&self) -> HeaderValue {
        self.told.agent.clone()
    }

    /// `X-Cache` for an outcome.
    pub fn x_cache(&self, outcome: Outcome) -> HeaderValue {
        match outcome {
            Outcome::Hit => self.told.hit.clone(),
            Outcome::Miss => self.told.miss.clone(),
            rarer => x_cache(rarer, &self.word),
        }
    }

    /// One member of `Cache-Status`: our name, as a token where it is one, else as a string
    /// (RFC 9211 §2), and what `said` says behind it: `Nearfront; hit; ttl=30`.
    pub fn cache_status(&self, said: &str) -> HeaderValue {
        let name = &self.brand;
        if is_token(name) {
            return value(&format!("{name}; {said}"));
        }
        value(&format!("\"{}\"; {said}", name.replace(['"', '\\'], "")))
    }

    /// One member of `Via`: `1.1 HOST (Nearfront)`; `version` is that of the message received
    /// (RFC 9110 §7.6.3), `host` the pseudonym of this edge: an id, a dot and the zone.
    pub fn via(&self, version: Version, host: &str) -> HeaderValue {
        value(&format!("{} {host} ({})", protocol_version(version), self.brand))
    }

    /// The same for every version, 1.1 first: the one for those that are not known.
    pub fn vias(&self, host: &str) -> Vias {
        let versions = [
            Version::HTTP_11,
            Version::HTTP_09,
            Version::HTTP_10,
            Version::HTTP_2,
            Version::HTTP_3,
        ];
        Vias(versions.map(|version| (version, self.via(version, host))))
    }
}

fn x_cache(outcome: Outcome, word: &str) -> HeaderValue {
    value(&format!("{} from {word}", outcome.as_str()))
}

impl Default for Names {
    fn default() -> Self {
        Self::of("nearfront")
    }
}

/// Whether a structured field can have it as a token (RFC 9651 §3.3.4).
fn is_token(text: &str) -> bool {
    let first = text.bytes().next();
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte);
    first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'*') && text.bytes().all(inside)
}

/// A version as `Via` and `CloudFront-Viewer-Http-Version` write it: `1.1`, `2.0`.
pub fn protocol_version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2.0",
        Version::HTTP_3 => "3.0",
        _ => "1.1",
    }
}

/// What the edge did for a request: the words of `X-Cache` and of the log's result types
/// (CloudFront developer guide, standard log fields, `x-edge-result-type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Served from what is held.
    Hit,
    /// Expired, and confirmed by the origin.
    RefreshHit,
    /// Fetched.
    Miss,
    /// Refused or failed, or an error of the origin's.
    Error,
    /// Plain HTTP sent to HTTPS.
    Redirect,
    /// Over a limit of ours.
    LimitExceeded,
    /// Over what this edge can do now.
    CapacityExceeded,
    /// Served by the shield in front of the origin.
    OriginShieldHit,
    /// A viewer function answered.
    FunctionGeneratedResponse,
    /// A viewer function failed.
    FunctionExecutionError,
    /// A viewer function used more than its share.
    FunctionThrottledError,
    /// An origin function answered.
    LambdaGeneratedResponse,
    /// An origin function failed.
    LambdaExecutionError,
    /// An origin function answered with nonsense.
    LambdaValidationError,
    /// Too many origin functions at once.
    LambdaLimitExceeded,
}

impl Outcome {
    /// The word alone, as logs write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "Hit",
            Self::RefreshHit => "RefreshHit",
            Self::Miss => "Miss",
            Self::Error => "Error",
            Self::Redirect => "Redirect",
            Self::LimitExceeded => "LimitExceeded",
            Self::CapacityExceeded => "CapacityExceeded",
            Self::OriginShieldHit => "OriginShieldHit",
            Self::FunctionGeneratedResponse => "FunctionGeneratedResponse",
            Self::FunctionExecutionError => "FunctionExecutionError",
            Self::FunctionThrottledError => "FunctionThrottledError",
            Self::LambdaGeneratedResponse => "LambdaGeneratedResponse",
            Self::LambdaExecutionError => "LambdaExecutionError",
            Self::LambdaValidationError => "LambdaValidationError",
            Self::LambdaLimitExceeded => "LambdaLimitExceeded",
        }
    }
}

/// Text as a header value. Control characters, which no header may hold (RFC 9110 §5.5), are left
/// out, so this cannot fail; other text than ASCII is sent as its UTF-8 bytes.
pub fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| {
        let kept: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_control()).collect();
        HeaderValue::from_bytes(&kept).unwrap_or(HeaderValue::from_static(""))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_product_has_its_words() {
        let ours = Names::default();
        assert_eq!(ours.x_cache(Outcome::Hit), "Hit from nearfront");
        assert_eq!(ours.via(Version::HTTP_11, "ab.zone"), "1.1 ab.zone (Nearfront)");
        assert_eq!(ours.user_agent(), "Nearfront");
        let theirs = Names::of("cloudfront");
        assert_eq!(theirs.x_cache(Outcome::RefreshHit), "RefreshHit from cloudfront");
        assert_eq!(theirs.server(), "CloudFront");
        assert_eq!(theirs.user_agent(), "Amazon CloudFront");
        assert_eq!(Names::of("acme").server(), "acme");
    }

    #[test]
    fn no_text_breaks_out_of_a_header() {
        assert_eq!(value("a\r\nb\u{7f}\tc"), "abc");
        assert_eq!(value("\u{e9}").as_bytes(), "\u{e9}".as_bytes());
    }
}
