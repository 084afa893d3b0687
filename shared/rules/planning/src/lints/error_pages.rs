//! Error pages that make a success of a refusal.

use super::{Code, Lint, View};
use crate::faults::items;
use model::api::{CustomErrorResponse, DistributionConfig};

pub(super) fn look(found: &mut Vec<Lint>, config: &DistributionConfig, views: &[View<'_>]) {
    let pages = config.custom_error_responses.as_ref();
    let pages = pages.map(|list| items!(list)).unwrap_or_default();
    for (index, page) in pages.iter().enumerate().filter(|(_, page)| succeeds(page)) {
        let path = format!("CustomErrorResponses.Items[{index}].ResponseCode");
        refusals(found, &path, page, views);
        origins(found, &path, page, views);
    }
}

fn succeeds(page: &CustomErrorResponse) -> bool {
    page.response_code.as_deref().is_some_and(|code| code.starts_with('2'))
}

/// 403 is what a viewer gets that may not see something.
fn refusals(found: &mut Vec<Lint>, path: &str, page: &CustomErrorResponse, views: &[View<'_>]) {
    let guarded = views.iter().find(|view| view.is_guarded());
    if let Some(view) = guarded.filter(|_| page.error_code == 403) {
        let text = format!(
            "viewers that {} ({:?}) turns away get the page with a success, and without being asked \
             who they are; map 403 to 403, or keep the page outside",
            view.path, view.config.path_pattern
        );
        found.push(Lint::new(Code::ErrorPageHidesRefusal, path, text));
    }
}

/// The page of a single-page application in a bucket also covers the errors of the interface beside.
fn origins(found: &mut Vec<Lint>, path: &str, page: &CustomErrorResponse, views: &[View<'_>]) {
    let bucket = views.iter().any(View::is_bucket);
    let other = views.iter().find(|view| view.origin.is_some() && !view.is_bucket());
    if let Some(other) = other.filter(|_| bucket && matches!(page.error_code, 403 | 404)) {
        let text = format!(
            "error pages are for all behaviors: errors {} of {} ({:?}) become a success as well",
            page.error_code, other.path, other.config.path_pattern
        );
        found.push(Lint::new(Code::ErrorPageOverOrigins, path, text));
    }
}
