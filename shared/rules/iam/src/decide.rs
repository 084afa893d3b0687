//! What policies say about one request.
//!
//! Source: IAM user guide, "Policy evaluation logic".

use crate::{
    context::Context,
    document::{Effect, Policy},
};

/// The outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allowed,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement is about it.
    ImplicitDeny,
}

/// The outcome, and what brought it about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome.
    pub decision: Decision,
    /// The statements that brought it about, each by the places of its policy and of itself.
    pub matched: Vec<(usize, usize)>,
}

/// Decides about `action` (`cloudfront:GetDistribution`) on `resource` (an ARN, or `*` for actions
/// that are about none).
pub fn decide<'p>(
    policies: impl IntoIterator<Item = &'p Policy>,
    action: &str,
    resource: &str,
    context: &Context,
) -> Verdict {
    let (mut allowed, mut denied) = (Vec::new(), Vec::new());
    for (place, policy) in policies.into_iter().enumerate() {
        for (number, statement) in policy.statements().iter().enumerate() {
            if statement.is_about(action, resource, context) {
                let found = match statement.effect {
                    Effect::Allow => &mut allowed,
                    Effect::Deny => &mut denied,
                };
                found.push((place, number));
            }
        }
    }
    let (decision, matched) = match (denied.is_empty(), allowed.is_empty()) {
        (false, _) => (Decision::ExplicitDeny, denied),
        (true, false) => (Decision::Allowed, allowed),
        (true, true) => (Decision::ImplicitDeny, Vec::new()),
    };
    Verdict { decision, matched }
}
