//! Origin request policies: what origins get beside the parts of the cache key.
//!
//! Source: CloudFront developer guide, "Control origin requests with a policy".

use super::{
    Choice, cache::needs_names, check_field_names, check_label, check_names, lower_case, names_of,
};
use crate::{Faults, Quotas};
use model::{
    api::{ErrorCode, OriginRequestPolicyConfig, OriginRequestPolicyHeaderBehavior as Behaviour},
    ids::PolicyId,
    plan::{Forward, HeaderSelection},
};

/// Headers that no policy forwards: they are the connection's, or forwarded by other settings.
const NEVER_LISTED: [&str; 10] = [
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-real-ip",
];

/// Whether this policy may be kept.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(config: &OriginRequestPolicyConfig, quotas: &Quotas) -> Result<(), Faults> {
    let mut faults = Faults::default();
    check_label(&mut faults, &config.name, config.comment.as_ref());
    check_headers(&mut faults, config, quotas);
    let cookies = &config.cookies_config;
    check_names(
        &mut faults,
        "CookiesConfig.Cookies",
        needs_names(cookies.cookie_behavior.as_str()),
        cookies.cookies.as_ref(),
        ErrorCode::TooManyCookiesInOriginRequestPolicy,
        quotas,
    );
    let query = &config.query_strings_config;
    check_names(
        &mut faults,
        "QueryStringsConfig.QueryStrings",
        needs_names(query.query_string_behavior.as_str()),
        query.query_strings.as_ref(),
        ErrorCode::TooManyQueryStringsInOriginRequestPolicy,
        quotas,
    );
    faults.into_result()
}

fn check_headers(faults: &mut Faults, config: &OriginRequestPolicyConfig, quotas: &Quotas) {
    let path = "HeadersConfig.Headers";
    let behaviour = config.headers_config.header_behavior;
    let list = config.headers_config.headers.as_ref();
    let needs = !matches!(behaviour, Behaviour::None | Behaviour::AllViewer);
    check_names(faults, path, needs, list, ErrorCode::TooManyHeadersInOriginRequestPolicy, quotas);
    check_field_names(faults, path, names_of(list));
    for name in names_of(list).iter().map(|name| name.to_ascii_lowercase()) {
        let (fine, message) = match behaviour {
            Behaviour::Whitelist => (
                !NEVER_LISTED.contains(&name.as_str()),
                format!(
                    "{name} cannot be listed; put Authorization into a cache policy or forward all viewer headers"
                ),
            ),
            Behaviour::AllViewerAndWhitelistCloudFront => (
                name.starts_with("cloudfront-"),
                format!("{name}: only CloudFront-… headers can be added to all viewer headers"),
            ),
            _ => (true, String::new()),
        };
        faults.require(fine, path, ErrorCode::InvalidArgument, message);
    }
}

/// What the policy means for a behaviour that uses it.
pub fn planned(id: &str, config: &OriginRequestPolicyConfig) -> Forward {
    let names = || lower_case(names_of(config.headers_config.headers.as_ref()));
    Forward {
        id: Some(PolicyId::from(id)),
        legacy: false,
        headers: match config.headers_config.header_behavior {
            Behaviour::None => HeaderSelection::None,
            Behaviour::Whitelist => HeaderSelection::Only(names()),
            Behaviour::AllViewer => HeaderSelection::AllViewer,
            Behaviour::AllViewerAndWhitelistCloudFront => HeaderSelection::AllViewerAnd(names()),
            Behaviour::AllExcept => HeaderSelection::AllExcept(names()),
        },
        cookies: Choice::of(config.cookies_config.cookie_behavior.as_str())
            .select(config.cookies_config.cookies.as_ref()),
        query: Choice::of(config.query_strings_config.query_string_behavior.as_str())
            .select(config.query_strings_config.query_strings.as_ref()),
    }
}
