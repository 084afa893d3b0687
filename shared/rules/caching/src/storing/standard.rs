//! RFC 9111 §3 to the letter, for a shared cache.

use super::{Keep, Why};
use crate::{
    RequestView, ResponseView, Terms, Times, age,
    directives::{Directives, Flag},
    freshness,
    vary::{self, Vary},
};
use http::{HeaderMap, StatusCode, header};
use model::{plan::Law, units::Seconds};

pub(super) fn keep(
    terms: &Terms<'_>,
    request: &RequestView<'_>,
    response: &ResponseView<'_>,
    times: Times,
) -> Result<Keep, Why> {
    let said = Directives::of_response(Law::Http, response.headers);
    forbidden(request.headers, response, &said).map_or(Ok(()), Err)?;
    let word = freshness::explicit(&said, response.headers, times.received_at);
    allowed(response.status, &said, word)?;
    let Vary::On(vary) = vary::of(response.headers) else {
        return Err(Why::VaryAny);
    };
    let initial_age = age::on_arrival(Law::Http, response.headers, times);
    let lifetime = freshness::standard(terms, &said, response, times.received_at);
    let unusable = said.has(Flag::NoCache);
    let fresh_for = if unusable { Seconds::ZERO } else { lifetime.minus(initial_age) };
    Ok(Keep { fresh_for, initial_age, strip: said.withheld, vary })
}

/// The prohibitions of RFC 9111 §3, §3.5, §5.2.1.5, §5.2.2.3.
fn forbidden(request: &HeaderMap, response: &ResponseView<'_>, said: &Directives) -> Option<Why> {
    let understood = said.has(Flag::MustUnderstand);
    match () {
        () if understood && !understands(response.status) => Some(Why::NotUnderstood),
        () if said.has(Flag::NoStore) && !understood => Some(Why::NoStore),
        () if said.has(Flag::Private) => Some(Why::Private),
        () if Directives::of_request(request).has(Flag::NoStore) => Some(Why::ViewerNoStore),
        () if request.contains_key(header::AUTHORIZATION) && !for_all(said) => {
            Some(Why::Authorization)
        }
        () => None,
    }
}

/// The last item of the list in RFC 9111 §3: something has to allow it.
fn allowed(status: StatusCode, said: &Directives, word: Option<Seconds>) -> Result<(), Why> {
    let named = said.has(Flag::Public) || word.is_some();
    let some = named || freshness::heuristically_cacheable(status);
    if some { Ok(()) } else { Err(Why::NotCacheable) }
}

/// RFC 9111 §3.5.
fn for_all(said: &Directives) -> bool {
    said.has(Flag::Public) || said.has(Flag::MustRevalidate) || said.s_maxage.is_some()
}

/// Statuses whose rules for caches we follow: all that are registered, but parts.
fn understands(status: StatusCode) -> bool {
    status.canonical_reason().is_some() && status != StatusCode::PARTIAL_CONTENT
}
