//! What behaviours name that can be kept but that no edge acts on yet: key groups, field-level
//! encryption, real-time logs.
//!
//! For: telling a name that nobody has from one that is known and not served yet.
//! Not for: whether such a thing may be kept by itself (`resource`).

use crate::{Faults, References, faults::items};
use model::api::{
    CacheBehavior, DistributionConfig, ErrorCode, OriginProtocolPolicy, TrustedKeyGroups,
    ViewerProtocolPolicy,
};

/// Most key groups of one behaviour (CloudFront developer guide, "Quotas").
const MOST_KEY_GROUPS: usize = 4;
/// All methods that a behaviour can allow.
const ALL_METHODS: usize = 7;

pub(super) fn check(
    faults: &mut Faults,
    path: &str,
    behaviour: &CacheBehavior,
    config: &DistributionConfig,
    references: &References,
) {
    if let Some(groups) = &behaviour.trusted_key_groups {
        check_key_groups(faults, &format!("{path}.TrustedKeyGroups"), groups, references);
    }
    let given = |text: &'_ Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(id) = given(&behaviour.field_level_encryption_id) {
        let known = references.encryption_configs.contains(&id) || references.offline;
        let path = format!("{path}.FieldLevelEncryptionId");
        check_encryption(faults, path, &id, known, (behaviour, config));
    }
    if let Some(arn) = given(&behaviour.realtime_log_config_arn) {
        let known = references.realtime_logs.contains(&arn) || references.offline;
        let path = format!("{path}.RealtimeLogConfigArn");
        let message = format!("there is no real-time log configuration {arn}");
        if known {
            not_yet(faults, path, "real-time logs");
        } else {
            faults.add(path, ErrorCode::NoSuchRealtimeLogConfig, message);
        }
    }
}

fn not_yet(faults: &mut Faults, path: String, what: &str) {
    let message = format!("{what}: not served yet, so it is refused rather than ignored");
    faults.add(path, ErrorCode::UnsupportedOperation, message);
}

fn check_key_groups(
    faults: &mut Faults,
    path: &str,
    list: &TrustedKeyGroups,
    references: &References,
) {
    let groups = items!(list);
    faults.counted(path, list.quantity, groups.len());
    if !list.enabled && groups.is_empty() {
        return;
    }
    let message = "signed URLs need at least one key group";
    faults.require(!groups.is_empty(), path, ErrorCode::InvalidArgument, message);
    let too_many = ErrorCode::TooManyKeyGroupsAssociatedToDistribution;
    let message = format!("at most {MOST_KEY_GROUPS} key groups");
    faults.require(groups.len() <= MOST_KEY_GROUPS, path, too_many, message);
    for (index, id) in groups.iter().enumerate() {
        let known = references.key_groups.contains(id) || references.offline;
        let place = format!("{path}.Items[{index}]");
        let message = format!("there is no key group {id:?}");
        faults.require(known, place, ErrorCode::TrustedKeyGroupDoesNotExist, message);
    }
    not_yet(faults, path.to_owned(), "signed URLs and cookies");
}

/// What is encrypted must come as a write over TLS, and leave so (developer guide, "Using
/// field-level encryption", step 5).
fn check_encryption(
    faults: &mut Faults,
    path: String,
    id: &str,
    known: bool,
    (behaviour, config): (&CacheBehavior, &DistributionConfig),
) {
    if !known {
        let message = format!("there is no field-level encryption configuration {id}");
        return faults.add(path, ErrorCode::NoSuchFieldLevelEncryptionConfig, message);
    }
    let secure = behaviour.viewer_protocol_policy != ViewerProtocolPolicy::AllowAll;
    let methods = behaviour.allowed_methods.as_ref();
    let writes = methods.is_some_and(|methods| methods.items.len() == ALL_METHODS);
    let named = config.origins.items.iter().find(|one| one.id == behaviour.target_origin_id);
    let custom = named.and_then(|origin| origin.custom_origin_config.as_ref());
    let plain = OriginProtocolPolicy::HttpOnly;
    let onwards = custom.is_none_or(|custom| custom.origin_protocol_policy != plain);
    faults.require(
        secure && writes && onwards,
        &path,
        ErrorCode::IllegalFieldLevelEncryptionConfigAssociationWithCacheBehavior,
        "field-level encryption needs a behavior that redirects to or insists on HTTPS and allows \
         all seven methods, and an origin asked by HTTPS or as the viewer asked",
    );
    not_yet(faults, path, "field-level encryption");
}
