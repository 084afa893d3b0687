//! `ForwardedValues`, the older way to cache: what is forwarded is also what makes requests differ.
//!
//! Source: CloudFront API reference, `ForwardedValues`.

use crate::{
    Faults, Quota, Quotas,
    faults::items,
    policy::{cache, lower_case},
};
use model::{
    api::{CacheBehavior, CookiePreference, ErrorCode, ForwardedValues, ItemSelection},
    plan::{CachePolicy, Forward, HeaderSelection, Law, Selection},
};

/// What the older settings of a behaviour mean.
pub(super) fn planned(
    faults: &mut Faults,
    path: &str,
    behaviour: &CacheBehavior,
    values: &ForwardedValues,
) -> (CachePolicy, Forward) {
    let min = behaviour.min_ttl.unwrap_or(0);
    cache::check_ttls(faults, &format!("{path}."), min, behaviour.default_ttl, behaviour.max_ttl);
    let headers = values.headers.as_ref().map(|list| items!(list)).unwrap_or_default();
    let all = headers.iter().any(|name| name == "*");
    let cookies = cookies(&values.cookies);
    let keys = values.query_string_cache_keys.as_ref().map(|list| items!(list)).unwrap_or_default();
    let cache = CachePolicy {
        id: None,
        law: Law::CloudFront,
        ttl: cache::lifetimes(min, behaviour.default_ttl, behaviour.max_ttl),
        headers: if all { Vec::new() } else { lower_case(headers) },
        cookies: cookies.clone(),
        query: match (values.query_string, keys.is_empty()) {
            (false, _) => Selection::None,
            (true, true) => Selection::All,
            (true, false) => Selection::Only(keys.to_vec()),
        },
        gzip: behaviour.compress == Some(true),
        brotli: false,
        zstd: false,
        all_headers: all,
    };
    let forward = Forward {
        id: None,
        legacy: true,
        headers: if all { HeaderSelection::AllViewer } else { HeaderSelection::None },
        cookies,
        query: if values.query_string { Selection::All } else { Selection::None },
    };
    (cache, forward)
}

fn cookies(given: &CookiePreference) -> Selection {
    let listed = given.whitelisted_names.as_ref();
    match given.forward {
        ItemSelection::None => Selection::None,
        ItemSelection::All => Selection::All,
        ItemSelection::Whitelist => {
            Selection::Only(listed.map(|list| items!(list).to_vec()).unwrap_or_default())
        }
    }
}

/// Whether they are good, for a bucket or for another origin.
pub(super) fn check(
    faults: &mut Faults,
    path: &str,
    values: &ForwardedValues,
    bucket: bool,
    quotas: &Quotas,
) {
    let path = format!("{path}.ForwardedValues");
    check_headers(faults, &format!("{path}.Headers"), values, bucket, quotas);
    check_cookies(faults, &format!("{path}.Cookies"), &values.cookies, bucket, quotas);
    check_query(faults, &format!("{path}.QueryStringCacheKeys"), values, quotas);
}

/// A bucket is found by its own name, and its answers do not follow what viewers say of themselves.
fn check_headers(
    faults: &mut Faults,
    path: &str,
    values: &ForwardedValues,
    bucket: bool,
    quotas: &Quotas,
) {
    let names = values.headers.as_ref().map(|list| items!(list)).unwrap_or_default();
    let theirs = |name: &&String| *name == "*" || name.eq_ignore_ascii_case("host");
    faults.require(
        !bucket || names.iter().find(theirs).is_none(),
        path,
        ErrorCode::InvalidHeadersForS3Origin,
        "an S3 origin can be sent neither Host nor all headers: name those that it needs",
    );
    if !few(faults, path, names, ErrorCode::TooManyHeadersInForwardedValues, quotas) {
        return;
    }
    let all = names.iter().any(|name| name == "*");
    let code = ErrorCode::InvalidArgument;
    faults.require(!all || names.len() == 1, path, code, "* stands for all headers: list it alone");
    for (index, name) in names.iter().enumerate() {
        let place = format!("{path}.Items[{index}]");
        let fine = http::HeaderName::from_bytes(name.as_bytes()).is_ok();
        faults.require(fine, &place, code, format!("{name:?} is not the name of a header"));
        let mut earlier = names.iter().take(index);
        let repeated = earlier.any(|one| one.eq_ignore_ascii_case(name));
        faults.require(!repeated, place, code, "stands twice in the list");
    }
}

fn check_cookies(
    faults: &mut Faults,
    path: &str,
    given: &CookiePreference,
    bucket: bool,
    quotas: &Quotas,
) {
    let names = given.whitelisted_names.as_ref().map(|list| items!(list)).unwrap_or_default();
    let code = ErrorCode::InvalidForwardCookies;
    faults.require(
        !bucket || given.forward == ItemSelection::None,
        format!("{path}.Forward"),
        code,
        "an S3 origin does not process cookies: use none",
    );
    faults.require(
        names.is_empty() != (given.forward == ItemSelection::Whitelist),
        path,
        code,
        "whitelist needs WhitelistedNames, and only whitelist takes them",
    );
    let path = format!("{path}.WhitelistedNames");
    if few(faults, &path, names, ErrorCode::TooManyCookieNamesInWhiteList, quotas) {
        check_names(faults, &path, names);
    }
}

fn check_query(faults: &mut Faults, path: &str, values: &ForwardedValues, quotas: &Quotas) {
    let keys = values.query_string_cache_keys.as_ref().map(|list| items!(list)).unwrap_or_default();
    if few(faults, path, keys, ErrorCode::TooManyQueryStringParameters, quotas) {
        check_names(faults, path, keys);
    }
    faults.require(
        values.query_string || keys.is_empty(),
        path,
        ErrorCode::InvalidQueryStringParameters,
        "keys without QueryString have no effect: set it to true",
    );
}

fn few(
    faults: &mut Faults,
    path: &str,
    names: &[String],
    too_many: ErrorCode,
    quotas: &Quotas,
) -> bool {
    let fits = quotas.allow(Quota::NamesInPolicy, names.len());
    let message = format!("at most {} names", quotas.most(Quota::NamesInPolicy));
    faults.require(fits, path, too_many, message);
    fits
}

/// Names of cookies and of query parameters: something that can be seen, each once.
fn check_names(faults: &mut Faults, path: &str, names: &[String]) {
    let code = ErrorCode::InvalidArgument;
    for (index, name) in names.iter().enumerate() {
        let place = format!("{path}.Items[{index}]");
        let fine =
            (1..=128).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
        faults.require(fine, &place, code, "not a name of 1 to 128 visible characters");
        let repeated = names.iter().take(index).any(|earlier| earlier == name);
        faults.require(!repeated, place, code, "stands twice in the list");
    }
}
