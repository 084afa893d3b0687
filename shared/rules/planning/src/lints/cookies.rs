//! Cookies that nobody needs split the cache, and let one viewer's answer reach another.

use super::{Code, Lint, View, some};
use model::plan::Selection;

/// Ends of patterns that name files which are the same for everybody.
const STATIC: [&str; 20] = [
    ".css", ".js", ".mjs", ".map", ".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".svg",
    ".ico", ".woff", ".woff2", ".ttf", ".mp4", ".m4s", ".ts", ".m3u8", ".wasm",
];

pub(super) fn look(found: &mut Vec<Lint>, views: &[View<'_>]) {
    for view in views {
        let Some((cache, forward)) = view.cached() else { continue };
        let (keyed, forwarded) = (some(&cache.cookies), some(&forward.cookies));
        if !keyed && !forwarded {
            continue;
        }
        let pattern = view.config.path_pattern.to_ascii_lowercase();
        let open = |cookies: &Selection| matches!(cookies, Selection::All | Selection::Except(_));
        let why = if view.is_bucket() {
            "a bucket does not read cookies"
        } else if STATIC.iter().any(|end| pattern.ends_with(end)) {
            "files of this kind are the same for everybody"
        } else if forwarded && !keyed {
            "the origin sees cookies that are not part of the cache key, so an answer made for one \
             viewer, with its Set-Cookie, is given to others"
        } else if open(&cache.cookies) {
            "every viewer has cookies of its own, so hardly anything is found in the cache"
        } else {
            continue;
        };
        found.push(Lint::new(Code::CookiesForwarded, place(view, keyed), tell(why)));
    }
}

fn place(view: &View<'_>, keyed: bool) -> String {
    let policy = view.config.cache_policy_id.as_ref().is_some_and(|id| !id.is_empty());
    let member = match (policy, keyed) {
        (false, _) => "ForwardedValues.Cookies",
        (true, true) => "CachePolicyId",
        (true, false) => "OriginRequestPolicyId",
    };
    format!("{}.{member}", view.path)
}

fn tell(why: &str) -> String {
    format!("cookies are forwarded without need: {why}; name the cookies that are needed, or none")
}
