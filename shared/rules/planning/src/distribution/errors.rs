//! Custom error responses.
//!
//! Source: CloudFront developer guide, "Generate custom error responses".

use crate::{Faults, faults::items, policy::cache::seconds};
use model::{
    api::{CustomErrorResponse, CustomErrorResponses, ErrorCode},
    plan::ErrorRule,
};

/// Statuses that a rule may be about.
const STATUSES: [u16; 11] = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];
/// Statuses that the viewer may get instead.
const ANSWERS: [u16; 12] = [200, 400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];
/// Longest time that an error may be kept: a year, in seconds.
const LONGEST: i64 = 31_536_000;

pub(super) fn planned(
    faults: &mut Faults,
    responses: Option<&CustomErrorResponses>,
) -> Vec<ErrorRule> {
    let Some(responses) = responses else {
        return Vec::new();
    };
    let rules = items!(responses);
    if rules.len() > STATUSES.len() {
        let message = format!("at most {} rules: one for each error code", STATUSES.len());
        faults.add("CustomErrorResponses", ErrorCode::InvalidErrorCode, message);
        return Vec::new();
    }
    let mut planned: Vec<ErrorRule> = Vec::with_capacity(rules.len());
    for (index, rule) in rules.iter().enumerate() {
        let path = format!("CustomErrorResponses.Items[{index}]");
        let rule = one(faults, &path, rule);
        let repeated = planned.iter().any(|earlier| earlier.status == rule.status);
        faults.require(
            !repeated,
            path,
            ErrorCode::InvalidErrorCode,
            "one rule for each error code",
        );
        planned.push(rule);
    }
    planned
}

fn one(faults: &mut Faults, path: &str, rule: &CustomErrorResponse) -> ErrorRule {
    let status = u16::try_from(rule.error_code).unwrap_or(0);
    let known = STATUSES.contains(&status);
    faults.require(
        known,
        format!("{path}.ErrorCode"),
        ErrorCode::InvalidErrorCode,
        format!(
            "{} has no custom response: use 400, 403, 404, 405, 414, 416 or 500 to 504",
            rule.error_code
        ),
    );
    let ttl = rule.error_caching_min_ttl.unwrap_or(crate::defaults::ERROR_CACHING_MIN_TTL);
    faults.within(
        format!("{path}.ErrorCachingMinTTL"),
        &ttl,
        0..=LONGEST,
        ErrorCode::InvalidArgument,
    );
    ErrorRule { status, caching_min_ttl: seconds(ttl), page: page(faults, path, rule) }
}

fn page(faults: &mut Faults, path: &str, rule: &CustomErrorResponse) -> Option<(String, u16)> {
    let page = rule.response_page_path.as_deref().filter(|page| !page.is_empty());
    let answer = rule.response_code.as_deref().filter(|code| !code.is_empty());
    faults.require(
        page.is_some() == answer.is_some(),
        path,
        ErrorCode::InvalidArgument,
        "ResponsePagePath and ResponseCode go together",
    );
    let (page, answer) = page.zip(answer)?;
    faults.require(
        page.starts_with('/')
            && page.len() <= 4096
            && page.bytes().all(|byte| byte.is_ascii_graphic()),
        format!("{path}.ResponsePagePath"),
        ErrorCode::InvalidRelativePath,
        "a path that starts with a slash",
    );
    let status = answer.parse().ok().filter(|status| ANSWERS.contains(status));
    faults.require(
        status.is_some(),
        format!("{path}.ResponseCode"),
        ErrorCode::InvalidResponseCode,
        format!("{answer:?} cannot be answered instead of an error"),
    );
    Some((page.to_owned(), status?))
}
