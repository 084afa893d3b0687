//! Field-level encryption profiles: which fields are encrypted, each with which key.
//!
//! Source: CloudFront API reference, `FieldLevelEncryptionProfileConfig`, `EncryptionEntity`;
//! developer guide, "Using field-level encryption", step 3, and "Quotas".

use super::{check_comment, check_most, check_reference, check_word};
use crate::{Faults, Quota, Quotas, faults::items};
use model::api::{EncryptionEntity, ErrorCode, FieldLevelEncryptionProfileConfig};

/// Most bytes of all patterns, providers and key ids of one profile together; ten patterns of 128
/// with a key each fit.
const MOST_SIZE: usize = 4096;

/// Whether this profile may be kept.
///
/// # Errors
/// Everything that is wrong with it; its size first.
pub fn check(config: &FieldLevelEncryptionProfileConfig, quotas: &Quotas) -> Result<(), Faults> {
    let mut faults = Faults::default();
    let list = &config.encryption_entities;
    let entities = items!(list);
    let path = "EncryptionEntities";
    let size: usize = entities.iter().map(size).sum();
    let message = format!("{size} bytes are more than the {MOST_SIZE} that a profile may have");
    let too_large = ErrorCode::FieldLevelEncryptionProfileSizeExceeded;
    faults.require(size <= MOST_SIZE, path, too_large, message);
    check_word(&mut faults, "Name", &config.name, "_-");
    check_reference(&mut faults, &config.caller_reference);
    check_comment(&mut faults, config.comment.as_ref());
    faults.counted(path, list.quantity, entities.len());
    let message = "needs at least one key with the fields that it encrypts";
    faults.require(!entities.is_empty(), path, ErrorCode::InvalidArgument, message);
    let quota = (quotas, Quota::FieldLevelEncryptionEntities);
    let too_many = ErrorCode::TooManyFieldLevelEncryptionEncryptionEntities;
    check_most(&mut faults, path, entities.len(), quota, too_many);
    for (index, entity) in entities.iter().enumerate() {
        check_entity(&mut faults, &format!("{path}.Items[{index}]"), entity);
    }
    check_patterns(&mut faults, path, entities, quotas);
    faults.into_result()
}

fn size(entity: &EncryptionEntity) -> usize {
    let patterns = &entity.field_patterns;
    let patterns: usize = items!(patterns).iter().map(String::len).sum();
    entity.public_key_id.len() + entity.provider_id.len() + patterns
}

fn check_entity(faults: &mut Faults, path: &str, entity: &EncryptionEntity) {
    check_word(faults, format!("{path}.ProviderId"), &entity.provider_id, ":_-");
    let list = &entity.field_patterns;
    let patterns = items!(list);
    let path = format!("{path}.FieldPatterns");
    faults.counted(&path, list.quantity, patterns.len());
    let message = "name at least one field";
    faults.require(!patterns.is_empty(), &path, ErrorCode::InvalidArgument, message);
    for (index, pattern) in patterns.iter().enumerate() {
        let stem = pattern.strip_suffix('*').unwrap_or(pattern);
        check_word(faults, format!("{path}.Items[{index}]"), stem, "[]._-");
    }
}

/// No field may be meant by two patterns of one profile.
fn check_patterns(faults: &mut Faults, path: &str, entities: &[EncryptionEntity], quotas: &Quotas) {
    let all: Vec<&String> = entities
        .iter()
        .flat_map(|entity| {
            let list = &entity.field_patterns;
            items!(list)
        })
        .collect();
    let quota = (quotas, Quota::FieldLevelEncryptionFieldPatterns);
    let too_many = ErrorCode::TooManyFieldLevelEncryptionFieldPatterns;
    check_most(faults, path, all.len(), quota, too_many);
    if all.iter().map(|pattern| pattern.len() + 1).sum::<usize>() > MOST_SIZE {
        return; // Refused already, and too many to be compared each with each.
    }
    for (index, pattern) in all.iter().enumerate() {
        let earlier = all.iter().take(index).find(|earlier| overlap(earlier, pattern));
        if let Some(earlier) = earlier {
            let message = format!("the patterns {earlier:?} and {pattern:?} overlap");
            faults.add(path, ErrorCode::InvalidArgument, message);
        }
    }
}

/// Whether some name is meant by both.
fn overlap(one: &str, other: &str) -> bool {
    match (one.strip_suffix('*'), other.strip_suffix('*')) {
        (None, None) => one == other,
        (Some(stem), None) => other.starts_with(stem),
        (None, Some(stem)) => one.starts_with(stem),
        (Some(one), Some(other)) => one.starts_with(other) || other.starts_with(one),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn means(pattern: &str, name: &str) -> bool {
        pattern.strip_suffix('*').map_or(pattern == name, |stem| name.starts_with(stem))
    }

    proptest! {
        #[test]
        fn two_patterns_overlap_when_some_name_is_meant_by_both(
            one in "[ab]{1,3}\\*?", other in "[ab]{1,3}\\*?",
        ) {
            // The longer stem is a name of its own pattern, and of the other if of any.
            let stems = [one.trim_end_matches('*'), other.trim_end_matches('*')];
            let both = stems.iter().any(|name| means(&one, name) && means(&other, name));
            prop_assert_eq!(overlap(&one, &other), both);
            prop_assert_eq!(overlap(&other, &one), both);
        }
    }
}
