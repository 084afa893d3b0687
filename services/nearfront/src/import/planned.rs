//! What a plan asks: every change is tried in a dry run, so that this Nearfront says itself what it
//! would refuse.
//!
//! For: the one door for changes, and what stands in for what a plan has not made.
//! Not for: what several changes would run into together, a quota for example: each is tried by
//! itself.

use super::{Import, parts::Part, report::Action};
use crate::api::{Answer, versioned};
use anyhow::Result;
use http::Method;
use planning::difference;
use serde_json::Value;

/// Asks for a dry run. It is signed, as all headers of ours are.
const DRY_RUN: &str = "x-nearfront-dry-run";
/// How the id of what is not made yet begins; ids that a server gives have no such characters.
const NEW: &str = "(new for ";
/// Stands in for a cache policy, which a behaviour cannot be without: `Managed-CachingDisabled`.
const CACHING_DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";

/// The id of what is not made yet.
pub(super) fn id(there: &str) -> String {
    format!("{NEW}{there})")
}

impl Import<'_> {
    /// Asks for a change here; in a plan, only what would come of it.
    ///
    /// # Errors
    /// When this Nearfront cannot be reached.
    pub(super) async fn change(
        &self,
        method: Method,
        path: &str,
        mut headers: Vec<(&'static str, String)>,
        body: String,
    ) -> Result<Answer> {
        if self.asked.plan {
            headers.push((DRY_RUN, "true".to_owned()));
        }
        self.here.call(method, &versioned(path), &headers, body).await
    }

    /// What was done; in a plan, what would be.
    pub(super) fn done(&self, action: Action) -> Action {
        match action {
            Action::Created if self.asked.plan => Action::WouldCreate,
            Action::Updated if self.asked.plan => Action::WouldUpdate,
            other => other,
        }
    }

    /// What the server is asked with: in a plan, with something in the place of what is not made yet.
    /// None where nothing can stand in.
    ///
    /// # Errors
    /// When the configuration has no JSON form.
    pub(super) fn sendable<P: Part>(&self, config: &P) -> Result<Option<P>> {
        if !self.asked.plan {
            return Ok(Some(config.clone()));
        }
        let mut tree = difference::plain(serde_json::to_value(config)?);
        if !stand_in(&mut tree) {
            return Ok(None);
        }
        Ok(Some(serde_json::from_value(tree)?))
    }
}

/// Puts what is always there, or nothing, in the place of what is not made yet: whether a
/// configuration is refused does not depend on what a policy says. False where it is one of a list.
fn stand_in(tree: &mut Value) -> bool {
    match tree {
        Value::Object(members) => members.iter_mut().all(|(name, value)| {
            if is_new(value) {
                *value = if name == "CachePolicyId" { CACHING_DISABLED } else { "" }.into();
            }
            stand_in(value)
        }),
        Value::Array(items) => items.iter_mut().all(|item| !is_new(item) && stand_in(item)),
        _ => true,
    }
}

/// Whether this names what is not made yet, with its id or as a path with it.
fn is_new(value: &Value) -> bool {
    let last = value.as_str().and_then(|text| text.rsplit('/').next());
    last.is_some_and(|id| id.starts_with(NEW) && id.ends_with(')'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_made_yet_is_stood_in_for() {
        let mut tree = json!({
            "DefaultCacheBehavior": {"CachePolicyId": id("C1"), "OriginRequestPolicyId": id("R1")},
            "Origins": {"Quantity": 1, "Items": [{
                "OriginAccessControlId": "E1",
                "S3OriginConfig": {"OriginAccessIdentity": format!("origin-access-identity/cloudfront/{}", id("I1"))},
            }]},
            "Comment": "one (new for all)",
        });
        assert!(stand_in(&mut tree));
        let expected = json!({
            "DefaultCacheBehavior": {"CachePolicyId": CACHING_DISABLED, "OriginRequestPolicyId": ""},
            "Origins": {"Quantity": 1, "Items": [{
                "OriginAccessControlId": "E1", "S3OriginConfig": {"OriginAccessIdentity": ""},
            }]},
            "Comment": "one (new for all)",
        });
        assert_eq!(tree, expected);
    }

    #[test]
    fn nothing_stands_in_for_one_of_a_list() {
        assert!(!stand_in(&mut json!({"Name": "group", "Items": ["K1", id("K2")]})));
        assert!(stand_in(&mut json!({"Name": "group", "Items": ["K1"]})));
    }
}
