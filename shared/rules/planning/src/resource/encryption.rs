//! Field-level encryption configurations: which profile a request is encrypted with.
//!
//! Source: CloudFront API reference, `FieldLevelEncryptionConfig`; developer guide, "Using
//! field-level encryption", step 4.

use super::{check_comment, check_distinct, check_most, check_reference, check_word};
use crate::{Faults, Quota, Quotas, faults::items};
use model::api::{ContentTypeProfiles, ErrorCode, FieldLevelEncryptionConfig, QueryArgProfiles};

/// The one content type that there is.
const FORM: &str = "application/x-www-form-urlencoded";
const QUERY_ARGS: &str = "QueryArgProfileConfig.QueryArgProfiles";
const CONTENT_TYPES: &str = "ContentTypeProfileConfig.ContentTypeProfiles";

/// Whether this configuration may be kept.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(config: &FieldLevelEncryptionConfig, quotas: &Quotas) -> Result<(), Faults> {
    let mut faults = Faults::default();
    check_reference(&mut faults, &config.caller_reference);
    check_comment(&mut faults, config.comment.as_ref());
    let list = config.query_arg_profile_config.as_ref();
    if let Some(list) = list.and_then(|one| one.query_arg_profiles.as_ref()) {
        check_query_args(&mut faults, list, quotas);
    }
    let list = config.content_type_profile_config.as_ref();
    if let Some(list) = list.and_then(|one| one.content_type_profiles.as_ref()) {
        check_content_types(&mut faults, list, quotas);
    }
    faults.into_result()
}

fn check_query_args(faults: &mut Faults, list: &QueryArgProfiles, quotas: &Quotas) {
    let mappings = items!(list);
    faults.counted(QUERY_ARGS, list.quantity, mappings.len());
    let quota = (quotas, Quota::FieldLevelEncryptionQueryArgProfiles);
    let too_many = ErrorCode::TooManyFieldLevelEncryptionQueryArgProfiles;
    check_most(faults, QUERY_ARGS, mappings.len(), quota, too_many);
    for (index, mapping) in mappings.iter().enumerate() {
        let path = format!("{QUERY_ARGS}.Items[{index}]");
        check_word(faults, format!("{path}.QueryArg"), &mapping.query_arg, "-._*+%");
        faults.require(
            !mapping.profile_id.is_empty(),
            format!("{path}.ProfileId"),
            ErrorCode::QueryArgProfileEmpty,
            "name the profile that this query argument stands for",
        );
    }
    let args = mappings.iter().map(|mapping| mapping.query_arg.as_str());
    check_distinct(faults, QUERY_ARGS, ".QueryArg", args);
}

fn check_content_types(faults: &mut Faults, list: &ContentTypeProfiles, quotas: &Quotas) {
    let mappings = items!(list);
    faults.counted(CONTENT_TYPES, list.quantity, mappings.len());
    let quota = (quotas, Quota::FieldLevelEncryptionContentTypeProfiles);
    let too_many = ErrorCode::TooManyFieldLevelEncryptionContentTypeProfiles;
    check_most(faults, CONTENT_TYPES, mappings.len(), quota, too_many);
    for (index, mapping) in mappings.iter().enumerate() {
        faults.require(
            mapping.content_type.eq_ignore_ascii_case(FORM),
            format!("{CONTENT_TYPES}.Items[{index}].ContentType"),
            ErrorCode::InvalidArgument,
            format!("only {FORM} can be encrypted"),
        );
    }
    let types = mappings.iter().map(|mapping| mapping.content_type.to_ascii_lowercase());
    let types: Vec<String> = types.collect();
    check_distinct(faults, CONTENT_TYPES, ".ContentType", types.iter().map(String::as_str));
}

/// The profiles that it names, each once.
pub fn profiles(config: &FieldLevelEncryptionConfig) -> Vec<&str> {
    let list = config.query_arg_profile_config.as_ref();
    let by_query = list.and_then(|one| one.query_arg_profiles.as_ref());
    let by_query = by_query.map(|list| items!(list)).unwrap_or_default();
    let list = config.content_type_profile_config.as_ref();
    let by_type = list.and_then(|one| one.content_type_profiles.as_ref());
    let by_type = by_type.map(|list| items!(list)).unwrap_or_default();
    let mut all: Vec<&str> = by_query
        .iter()
        .map(|mapping| mapping.profile_id.as_str())
        .chain(by_type.iter().filter_map(|mapping| mapping.profile_id.as_deref()))
        .filter(|id| !id.is_empty())
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}
