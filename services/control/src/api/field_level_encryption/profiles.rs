//! Field-level encryption profiles: thin handlers; what they share with their like is in
//! `resource`.

use crate::{
    api::{
        custom,
        public_keys::{Algorithm, Encoded, PublicKeys},
        resource::{self, Kind, Known, Record, Use, Which},
    },
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
    EncryptionEntity, ErrorCode, FieldLevelEncryptionProfile, FieldLevelEncryptionProfileConfig,
    FieldLevelEncryptionProfileList, FieldLevelEncryptionProfileSummary, OperationName as Name,
};
use planning::{Faults, Quota, Quotas, resource::encryption_profile};

/// Field-level encryption profiles as a kind.
pub struct EncryptionProfiles;

impl Kind for EncryptionProfiles {
    type Config = FieldLevelEncryptionProfileConfig;
    const NAME: &'static str = "field-level-encryption-profile";
    const MISSING: ErrorCode = ErrorCode::NoSuchFieldLevelEncryptionProfile;
    const EXISTS: ErrorCode = ErrorCode::FieldLevelEncryptionProfileAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::FieldLevelEncryptionProfileInUse;
    const TOO_MANY: ErrorCode = ErrorCode::TooManyFieldLevelEncryptionProfiles;
    const QUOTA: Quota = Quota::FieldLevelEncryptionProfiles;
    /// No distribution names a profile: configurations do.
    const TOO_MANY_USERS: ErrorCode = ErrorCode::InvalidArgument;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Name(&config.name)
    }

    fn reference(config: &Self::Config) -> Option<&str> {
        Some(&config.caller_reference)
    }

    fn check(config: &Self::Config) -> Result<(), Faults> {
        Self::check_with(config, &Quotas::none())
    }

    fn check_with(config: &Self::Config, quotas: &Quotas) -> Result<(), Faults> {
        encryption_profile::check(config, quotas)
    }

    fn new_id() -> String {
        ids::lettered('P')
    }

    fn uses(config: &Self::Config) -> Vec<Use> {
        let missing = |id: &String| {
            let message = format!("EncryptionEntities: there is no public key {id:?}");
            Fault::new(ErrorCode::NoSuchPublicKey, message)
        };
        let key = |entity: &EncryptionEntity| Use {
            kind: PublicKeys::NAME,
            missing: missing(&entity.public_key_id),
            id: entity.public_key_id.clone(),
        };
        entities(config).iter().map(key).collect()
    }
}

fn entities(config: &FieldLevelEncryptionProfileConfig) -> &[EncryptionEntity] {
    config.encryption_entities.items.as_ref().map(|list| &list[..]).unwrap_or_default()
}

pub(super) async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::CreateFieldLevelEncryptionProfile => create(control, call).await,
        Name::GetFieldLevelEncryptionProfile => get(control, call).await,
        Name::GetFieldLevelEncryptionProfileConfig => get_config(control, call).await,
        Name::UpdateFieldLevelEncryptionProfile => update(control, call).await,
        Name::DeleteFieldLevelEncryptionProfile => delete(control, call).await,
        Name::ListFieldLevelEncryptionProfiles => list(control, call).await,
        _ => return None,
    })
}

/// Fields are encrypted with RSA, so keys for ECDSA are of no use here. What a key is for never
/// changes, so that it holds for good once looked at; a key that is missing is told of elsewhere.
async fn keys_can_encrypt(
    control: &Control,
    config: &FieldLevelEncryptionProfileConfig,
) -> Result<(), Fault> {
    EncryptionProfiles::check_with(config, &control.quotas)?;
    let mut faults = Faults::default();
    for (index, entity) in entities(config).iter().enumerate() {
        let key = custom::<PublicKeys>(control, &entity.public_key_id).await?;
        let key = key.map(|kept| Encoded::parse(&kept.value.config.encoded_key));
        if matches!(key, Some(Ok(Encoded { algorithm: Algorithm::EcdsaP256, .. }))) {
            let path = format!("EncryptionEntities.Items[{index}].PublicKeyId");
            let message = "is an ECDSA key, but only RSA keys encrypt fields";
            faults.add(path, ErrorCode::InvalidArgument, message);
        }
    }
    Ok(faults.into_result()?)
}

async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    let config = call.body()?;
    keys_can_encrypt(control, &config).await?;
    let record = resource::create::<EncryptionProfiles>(control, config).await?;
    let path = format!("/field-level-encryption-profile/{}", record.id);
    Ok(answer(call, record)?.located(call, &path))
}

async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    answer(call, resource::find::<EncryptionProfiles>(control, call.param("Id")?).await?)
}

async fn get_config(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::find::<EncryptionProfiles>(control, call.param("Id")?).await?;
    Ok(Reply::shape(call, &record.config)?.tagged(&record.etag))
}

async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    let config = call.body()?;
    keys_can_encrypt(control, &config).await?;
    answer(call, resource::update::<EncryptionProfiles>(control, id, tag, config).await?)
}

async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    resource::delete::<EncryptionProfiles>(control, id, tag).await?;
    Ok(Reply::empty(call))
}

async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let page = resource::page::<EncryptionProfiles>(control, &wanted, Which::Custom).await?;
    let shown = FieldLevelEncryptionProfileList {
        quantity: page.quantity(),
        next_marker: page.next,
        max_items: page.max_items,
        items: page.items.map(|items| items.into_iter().map(summary).collect()),
    };
    Reply::shape(call, &shown)
}

fn summary(
    (_, record): (bool, Record<FieldLevelEncryptionProfileConfig>),
) -> FieldLevelEncryptionProfileSummary {
    FieldLevelEncryptionProfileSummary {
        last_modified_time: record.modified_iso(),
        id: record.id,
        name: record.config.name,
        encryption_entities: record.config.encryption_entities,
        comment: record.config.comment,
    }
}

fn answer(call: &Call, record: Record<FieldLevelEncryptionProfileConfig>) -> Answer {
    let tag = record.etag.clone();
    let shown = FieldLevelEncryptionProfile {
        last_modified_time: record.modified_iso(),
        id: record.id,
        field_level_encryption_profile_config: record.config,
    };
    Ok(Reply::shape(call, &shown)?.tagged(&tag))
}
