//! What has an id and stands by itself: keys, encryption settings, identities, log configurations.
//!
//! For: whether one may be kept, everything that is wrong with it at once.
//! Not for: whether what it names is there, and whether its key can be read (`services/control`).

pub mod access_identity;
pub mod encryption;
pub mod encryption_profile;
pub mod key_group;
pub mod public_key;
pub mod realtime_log;

use crate::{Faults, Quota, Quotas};
use model::api::ErrorCode;

/// Longest name, comment and pattern, in characters.
const LONGEST: usize = 128;
/// Longest caller reference, in bytes.
const LONGEST_REFERENCE: usize = 2048;

/// Letters, digits and `punctuation`, 1 to 128 of them.
fn check_word(faults: &mut Faults, path: impl Into<String>, text: &str, punctuation: &str) {
    let fine = |c: char| c.is_ascii_alphanumeric() || punctuation.contains(c);
    let message = format!("needs 1 to 128 letters, digits or any of {punctuation}, without spaces");
    let whole = (1..=LONGEST).contains(&text.len()) && text.chars().all(fine);
    faults.require(whole, path, ErrorCode::InvalidArgument, message);
}

fn check_comment(faults: &mut Faults, comment: Option<&String>) {
    let short = comment.is_none_or(|comment| comment.chars().count() <= LONGEST);
    faults.require(short, "Comment", ErrorCode::InvalidArgument, "longer than 128 characters");
}

fn check_reference(faults: &mut Faults, reference: &str) {
    let fine = (1..=LONGEST_REFERENCE).contains(&reference.len());
    let message = "a caller reference has 1 to 2048 characters";
    faults.require(fine, "CallerReference", ErrorCode::InvalidArgument, message);
}

/// At most as many as the quota says.
fn check_most(
    faults: &mut Faults,
    path: &str,
    count: usize,
    (quotas, quota): (&Quotas, Quota),
    too_many: ErrorCode,
) {
    let most = quotas.most(quota);
    let fine = u64::try_from(count).is_ok_and(|count| count <= most);
    faults.require(fine, path, too_many, format!("{count} are more than {most}, the quota"));
}

/// A fault for every item that stands in the list before.
fn check_distinct<'t>(
    faults: &mut Faults,
    path: &str,
    member: &str,
    texts: impl Iterator<Item = &'t str>,
) {
    let mut seen = std::collections::BTreeSet::new();
    for (index, text) in texts.enumerate() {
        let place = format!("{path}.Items[{index}]{member}");
        let message = format!("{text:?} stands in the list already");
        faults.require(seen.insert(text), place, ErrorCode::InvalidArgument, message);
    }
}
