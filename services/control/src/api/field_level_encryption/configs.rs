//! Field-level encryption configurations: thin handlers; what they share with their like is in
//! `resource`.

use super::profiles::EncryptionProfiles;
use crate::{
    api::resource::{self, Kind, Known, Record, Use, Which},
    control::Control,
    ids,
    sigv4::Authorised,
    wire::{
        call::Call,
        fault::Fault,
        page::Wanted,
        reply::{Answer, Reply},
    },
};
use model::api::{
    ErrorCode, FieldLevelEncryption, FieldLevelEncryptionConfig, FieldLevelEncryptionList,
    FieldLevelEncryptionSummary, OperationName as Name,
};
use planning::{Faults, Quota, Quotas, resource::encryption};

/// Field-level encryption configurations as a kind.
pub struct EncryptionConfigs;

impl Kind for EncryptionConfigs {
    type Config = FieldLevelEncryptionConfig;
    const NAME: &'static str = "field-level-encryption-config";
    const MISSING: ErrorCode = ErrorCode::NoSuchFieldLevelEncryptionConfig;
    const EXISTS: ErrorCode = ErrorCode::FieldLevelEncryptionConfigAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::FieldLevelEncryptionConfigInUse;
    const TOO_MANY: ErrorCode = ErrorCode::TooManyFieldLevelEncryptionConfigs;
    const QUOTA: Quota = Quota::FieldLevelEncryptionConfigs;
    const TOO_MANY_USERS: ErrorCode =
        ErrorCode::TooManyDistributionsAssociatedToFieldLevelEncryptionConfig;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Reference(&config.caller_reference)
    }

    fn check(config: &Self::Config) -> Result<(), Faults> {
        Self::check_with(config, &Quotas::none())
    }

    fn check_with(config: &Self::Config, quotas: &Quotas) -> Result<(), Faults> {
        encryption::check(config, quotas)
    }

    fn new_id() -> String {
        ids::lettered('C')
    }

    fn uses(config: &Self::Config) -> Vec<Use> {
        let missing = |id: &str| {
            let message = format!("there is no field-level encryption profile {id:?}");
            Fault::new(ErrorCode::NoSuchFieldLevelEncryptionProfile, message)
        };
        let profile = |id: &str| Use {
            kind: EncryptionProfiles::NAME,
            id: id.to_owned(),
            missing: missing(id),
        };
        encryption::profiles(config).into_iter().map(profile).collect()
    }
}

pub(super) async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::CreateFieldLevelEncryptionConfig => create(control, call).await,
        Name::GetFieldLevelEncryption => get(control, call).await,
        Name::GetFieldLevelEncryptionConfig => get_config(control, call).await,
        Name::UpdateFieldLevelEncryptionConfig => update(control, call).await,
        Name::DeleteFieldLevelEncryptionConfig => delete(control, call).await,
        Name::ListFieldLevelEncryptionConfigs => list(control, call).await,
        _ => return None,
    })
}

async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::create::<EncryptionConfigs>(control, call.body()?).await?;
    let path = format!("/field-level-encryption/{}", record.id);
    Ok(answer(call, record)?.located(call, &path))
}

async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    answer(call, resource::find::<EncryptionConfigs>(control, call.param("Id")?).await?)
}

async fn get_config(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::find::<EncryptionConfigs>(control, call.param("Id")?).await?;
    Ok(Reply::shape(call, &record.config)?.tagged(&record.etag))
}

async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    answer(call, resource::update::<EncryptionConfigs>(control, id, tag, call.body()?).await?)
}

async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    resource::delete::<EncryptionConfigs>(control, id, tag).await?;
    Ok(Reply::empty(call))
}

async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let page = resource::page::<EncryptionConfigs>(control, &wanted, Which::Custom).await?;
    let shown = FieldLevelEncryptionList {
        quantity: page.quantity(),
        next_marker: page.next,
        max_items: page.max_items,
        items: page.items.map(|items| items.into_iter().map(summary).collect()),
    };
    Reply::shape(call, &shown)
}

fn summary((_, record): (bool, Record<FieldLevelEncryptionConfig>)) -> FieldLevelEncryptionSummary {
    FieldLevelEncryptionSummary {
        last_modified_time: record.modified_iso(),
        id: record.id,
        comment: record.config.comment,
        query_arg_profile_config: record.config.query_arg_profile_config,
        content_type_profile_config: record.config.content_type_profile_config,
    }
}

fn answer(call: &Call, record: Record<FieldLevelEncryptionConfig>) -> Answer {
    let tag = record.etag.clone();
    let shown = FieldLevelEncryption {
        last_modified_time: record.modified_iso(),
        id: record.id,
        field_level_encryption_config: record.config,
    };
    Ok(Reply::shape(call, &shown)?.tagged(&tag))
}
