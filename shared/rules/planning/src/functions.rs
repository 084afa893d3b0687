//! What a function at the edge may be, as far as can be told without running it.
//!
//! For: its name, its runtime, its size, and the one key value store that it may read.
//! Not for: whether the code can be run, nor for what is there to be read (control looks that up).
//!
//! Source: CloudFront developer guide, "Restrictions on edge functions", "Quotas"; CloudFront API
//! reference, `FunctionConfig`.

use crate::Faults;
use model::api::{ErrorCode, FunctionConfig, FunctionRuntime, KeyValueStoreAssociations};

/// Longest code in bytes.
pub const MOST_CODE: usize = 10 * 1024;
/// Longest comment in characters: generous, so that lists stay small.
pub const MOST_COMMENT: usize = 1024;
/// Longest event for a test in bytes (CloudFront API reference, `FunctionEventObject`).
pub const MOST_EVENT: usize = 40_960;

/// What runs the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// Requests and responses of viewers.
    Requests,
    /// TLS connections of viewers that show a certificate.
    Connections,
}

/// Whether this can be the name of a function or of a key value store: 1 to 64 of letters, digits,
/// `-` and `_`.
pub fn is_name(text: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(fine)
}

/// Adds to `faults` what is wrong with a name.
pub fn check_name(faults: &mut Faults, name: &str) {
    let rule = "a name is 1 to 64 letters, digits, - and _";
    faults.require(is_name(name), "Name", ErrorCode::InvalidArgument, rule);
}

/// Adds to `faults` what is wrong with a configuration; `member` is its name in the request.
pub fn check_config(faults: &mut Faults, member: &str, config: &FunctionConfig, runs: Runs) {
    let invalid = ErrorCode::InvalidArgument;
    let brief = config.comment.chars().count() <= MOST_COMMENT;
    let rule = format!("a comment has at most {MOST_COMMENT} characters");
    faults.require(brief, format!("{member}.Comment"), invalid, rule);
    let newest = config.runtime == FunctionRuntime::CloudfrontJs20;
    let place = format!("{member}.Runtime");
    if runs == Runs::Connections {
        let rule = "connection functions run on cloudfront-js-2.0 only";
        faults.require(newest, place, invalid, rule);
    } else if store_of(config).is_some() {
        let rule = "key value stores can be read on cloudfront-js-2.0 only";
        faults.require(newest, place, invalid, rule);
    }
    if let Some(stores) = &config.key_value_store_associations {
        check_stores(faults, &format!("{member}.KeyValueStoreAssociations"), stores);
    }
}

fn check_stores(faults: &mut Faults, path: &str, stores: &KeyValueStoreAssociations) {
    let items = crate::faults::items!(stores);
    faults.counted(path, stores.quantity, items.len());
    let rule = "a function can read one key value store";
    faults.require(items.len() <= 1, format!("{path}.Items"), ErrorCode::InvalidArgument, rule);
}

/// Adds to `faults` what is wrong with code; `too_large` is the API's error for what is too long.
pub fn check_code(faults: &mut Faults, member: &str, code: &str, too_large: ErrorCode) {
    let is = code.len();
    let rule = format!("the code has {is} bytes, at most {MOST_CODE} are allowed");
    faults.require(is <= MOST_CODE, member, too_large, rule);
    let rule = "there is no code: it must define a function named handler";
    faults.require(!code.trim().is_empty(), member, ErrorCode::InvalidArgument, rule);
}

/// The ARN of the key value store that a function reads.
pub fn store_of(config: &FunctionConfig) -> Option<&str> {
    let stores = config.key_value_store_associations.as_ref()?;
    stores.items.as_ref()?.first().map(|one| one.key_value_store_arn.as_str())
}

/// The same configuration with everything said that may be left out.
#[must_use]
pub fn with_defaults(mut config: FunctionConfig) -> FunctionConfig {
    let none = KeyValueStoreAssociations { quantity: 0, items: None };
    let stores = config.key_value_store_associations.get_or_insert(none);
    if stores.items.as_ref().is_some_and(|items| items.is_empty()) {
        stores.items = None;
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::api::KeyValueStoreAssociation;
    use proptest::prelude::*;

    fn config(runtime: FunctionRuntime, stores: usize) -> FunctionConfig {
        let one = KeyValueStoreAssociation { key_value_store_arn: "arn".into() };
        let stores = (stores > 0).then(|| KeyValueStoreAssociations {
            quantity: i32::try_from(stores).unwrap(),
            items: Some(vec![one; stores].into()),
        });
        FunctionConfig { comment: String::new(), runtime, key_value_store_associations: stores }
    }

    fn told(runtime: FunctionRuntime, stores: usize, runs: Runs) -> usize {
        let mut faults = Faults::default();
        check_config(&mut faults, "FunctionConfig", &config(runtime, stores), runs);
        faults.0.len()
    }

    #[test]
    fn the_older_runtime_reads_no_stores_and_sees_no_connections() {
        use FunctionRuntime::{CloudfrontJs10 as Old, CloudfrontJs20 as New};
        assert_eq!(told(Old, 0, Runs::Requests), 0);
        assert_eq!(told(Old, 1, Runs::Requests), 1);
        assert_eq!(told(Old, 0, Runs::Connections), 1);
        assert_eq!(told(New, 1, Runs::Requests), 0);
        assert_eq!(told(New, 1, Runs::Connections), 0);
        assert_eq!(told(New, 2, Runs::Requests), 1);
    }

    #[test]
    fn a_quantity_that_does_not_count_is_refused() {
        let mut wrong = config(FunctionRuntime::CloudfrontJs20, 1);
        wrong.key_value_store_associations.as_mut().unwrap().quantity = 0;
        let mut faults = Faults::default();
        check_config(&mut faults, "FunctionConfig", &wrong, Runs::Requests);
        assert_eq!(faults.code(), ErrorCode::InconsistentQuantities);
    }

    #[test]
    fn code_has_its_bounds() {
        let told = |code: &str| {
            let mut faults = Faults::default();
            check_code(&mut faults, "FunctionCode", code, ErrorCode::FunctionSizeLimitExceeded);
            faults.0.first().map(|fault| fault.code)
        };
        assert_eq!(told("function handler(event) { return event.request; }"), None);
        assert_eq!(told(&"a".repeat(MOST_CODE)), None);
        let large = "a".repeat(MOST_CODE + 1);
        assert_eq!(told(&large), Some(ErrorCode::FunctionSizeLimitExceeded));
        assert_eq!(told(" \n"), Some(ErrorCode::InvalidArgument));
    }

    proptest! {
        #[test]
        fn names_are_what_the_models_pattern_says(text in "[a-zA-Z0-9_-]{1,64}", more in "\\PC{0,70}") {
            prop_assert!(is_name(&text));
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            let fits = !more.is_empty() && more.len() <= 64 && more.chars().all(plain);
            prop_assert_eq!(is_name(&more), fits);
        }
    }
}
