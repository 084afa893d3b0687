//! Behaviours that requests do not reach: none of them, or those that should be signed.

use super::{
    Code, Lint, View,
    patterns::{Budget, Pattern, meeting, uncovered},
};

/// A behaviour whose pattern an earlier one covers.
pub(super) fn shadowed(found: &mut Vec<Lint>, views: &[View<'_>]) {
    let mut budget = Budget::default();
    let patterns: Vec<_> =
        views.iter().map(|view| Pattern::new(&view.config.path_pattern)).collect();
    for (index, (view, narrow)) in views.iter().zip(&patterns).enumerate() {
        let Some(narrow) = narrow else { continue };
        let earlier = views.iter().zip(&patterns).take(index);
        let covering = earlier.filter_map(|(view, wide)| Some((view, wide.as_ref()?)));
        let mut covering =
            covering.filter(|(_, wide)| uncovered(narrow, wide, &mut budget) == Ok(None));
        if let Some((wide, _)) = covering.next() {
            found.push(tell_shadowed(view, wide));
        }
    }
}

fn tell_shadowed(view: &View<'_>, wide: &View<'_>) -> Lint {
    let (pattern, by) = (&view.config.path_pattern, &wide.config.path_pattern);
    let text = format!(
        "no request gets here: {by:?} ({}) matches all that {pattern:?} does and stands before it; \
         put the narrower pattern first",
        wide.path
    );
    Lint::new(Code::ShadowedBehavior, format!("{}.PathPattern", view.path), text)
}

/// A signed behaviour whose paths an unsigned one before it takes.
pub(super) fn signed_behind_unsigned(found: &mut Vec<Lint>, views: &[View<'_>]) {
    let mut budget = Budget::default();
    for (index, view) in views.iter().enumerate().filter(|(_, view)| view.is_signed()) {
        for earlier in views.iter().take(index).filter(|earlier| !earlier.is_signed()) {
            let patterns = Pattern::new(&view.config.path_pattern)
                .zip(Pattern::new(&earlier.config.path_pattern));
            let met = patterns.map(|(one, two)| meeting(&one, &two, &mut budget));
            if let Some(Ok(Some(path))) = met {
                found.push(tell_unsigned(view, earlier, &path));
            }
        }
    }
}

fn tell_unsigned(view: &View<'_>, earlier: &View<'_>, path: &str) -> Lint {
    let (pattern, by) = (&view.config.path_pattern, &earlier.config.path_pattern);
    let text = format!(
        "{by:?} ({}) stands before it and needs no signature: {path} matches both {by:?} and \
         {pattern:?} and is given to everybody; put the signed behavior first, or sign both",
        earlier.path
    );
    Lint::new(Code::SignedBehindUnsigned, view.path.clone(), text)
}
