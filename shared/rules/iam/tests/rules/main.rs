//! What policies mean, by example and by law.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests: whatever is wrong ends them")]

mod conditions;
mod documents;
mod laws;
mod resources;

use nearfront_iam::{Context, Decision, Policy, decide};

/// What a document says about `action` on distribution E1 of account 1.
fn says(document: &str, action: &str, context: &Context) -> Decision {
    let policy = Policy::read(document).unwrap();
    decide([&policy], action, "arn:aws:cloudfront::1:distribution/E1", context).decision
}
