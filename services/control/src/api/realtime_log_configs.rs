//! Real-time log configurations: known by name or ARN, and without entity tags.
//!
//! Source: CloudFront API reference, `CreateRealtimeLogConfig` and its like.

use super::resource::{self, Kind, Known, Record, Which};
use crate::{
    control::Control,
    sigv4::Authorised,
    wire::{
        call::Call,
        fault::Fault,
        page::Wanted,
        reply::{Answer, Reply},
    },
};
use model::api::{
    CreateRealtimeLogConfigRequest, CreateRealtimeLogConfigResult, DeleteRealtimeLogConfigRequest,
    ErrorCode, FieldList, GetRealtimeLogConfigRequest, GetRealtimeLogConfigResult,
    OperationName as Name, RealtimeLogConfig, RealtimeLogConfigs, UpdateRealtimeLogConfigRequest,
    UpdateRealtimeLogConfigResult,
};
use planning::{Faults, Quota, resource::realtime_log};

/// Real-time log configurations as a kind; their ids are their names.
pub struct RealtimeLogs;

impl Kind for RealtimeLogs {
    type Config = CreateRealtimeLogConfigRequest;
    const NAME: &'static str = "realtime-log-config";
    const MISSING: ErrorCode = ErrorCode::NoSuchRealtimeLogConfig;
    const EXISTS: ErrorCode = ErrorCode::RealtimeLogConfigAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::RealtimeLogConfigInUse;
    const TOO_MANY: ErrorCode = ErrorCode::TooManyRealtimeLogConfigs;
    const QUOTA: Quota = Quota::RealtimeLogConfigs;
    /// The API has no error of its own for it.
    const TOO_MANY_USERS: ErrorCode = ErrorCode::InvalidArgument;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Name(&config.name)
    }

    fn check(config: &Self::Config) -> Result<(), Faults> {
        realtime_log::check(config)
    }

    fn own_id(config: &Self::Config) -> Option<String> {
        Some(config.name.clone())
    }
}

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::CreateRealtimeLogConfig => create(control, call).await,
        Name::GetRealtimeLogConfig => get(control, call).await,
        Name::UpdateRealtimeLogConfig => update(control, call).await,
        Name::DeleteRealtimeLogConfig => delete(control, call).await,
        Name::ListRealtimeLogConfigs => list(control, call).await,
        _ => return None,
    })
}

/// The name in an ARN of this account.
fn name_in<'a>(control: &Control, arn: &'a str) -> Option<&'a str> {
    realtime_log::name_in(arn).filter(|name| control.arn(RealtimeLogs::NAME, name) == arn)
}

/// Which one is meant: by name, by ARN, or by both if they agree.
fn meant(control: &Control, name: Option<&str>, arn: Option<&str>) -> Result<String, Fault> {
    let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let by_arn = given(arn).map(|arn| {
        name_in(control, &arn).map(str::to_owned).ok_or_else(resource::missing::<RealtimeLogs>)
    });
    match (given(name), by_arn.transpose()?) {
        (Some(name), Some(other)) if name != other => {
            Err(invalid("Name and ARN must be those of the same real-time log configuration"))
        }
        (Some(name), _) | (None, Some(name)) => Ok(name),
        (None, None) => Err(invalid("Name or ARN must say which real-time log configuration")),
    }
}

fn invalid(message: &str) -> Fault {
    Fault::new(ErrorCode::InvalidArgument, message)
}

async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::create::<RealtimeLogs>(control, call.body()?).await?;
    let realtime_log_config = Some(shape(control, record));
    Reply::shape(call, &CreateRealtimeLogConfigResult { realtime_log_config })
}

async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    let asked: GetRealtimeLogConfigRequest = call.body_or_default()?;
    let name = meant(control, asked.name.as_deref(), asked.arn.as_deref())?;
    let record = resource::find::<RealtimeLogs>(control, &name).await?;
    let realtime_log_config = Some(shape(control, record));
    Reply::shape(call, &GetRealtimeLogConfigResult { realtime_log_config })
}

/// All of it is replaced, so that all of it must be there.
async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let asked: UpdateRealtimeLogConfigRequest = call.body_or_default()?;
    let name = meant(control, asked.name.as_deref(), asked.arn.as_deref())?;
    resource::find::<RealtimeLogs>(control, &name).await?;
    let whole = asked.end_points.zip(asked.fields).zip(asked.sampling_rate);
    let Some(((end_points, fields), sampling_rate)) = whole else {
        let message = "EndPoints, Fields and SamplingRate are needed, those that stay the same as \
                       well: read the configuration, change it and send it back";
        return Err(invalid(message));
    };
    let config =
        CreateRealtimeLogConfigRequest { end_points, fields, name: name.clone(), sampling_rate };
    let record = resource::change::<RealtimeLogs>(control, &name, |old| {
        Ok(Record { modified: control.now(), config: config.clone(), ..old })
    })
    .await?;
    let realtime_log_config = Some(shape(control, record));
    Reply::shape(call, &UpdateRealtimeLogConfigResult { realtime_log_config })
}

async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let asked: DeleteRealtimeLogConfigRequest = call.body_or_default()?;
    let name = meant(control, asked.name.as_deref(), asked.arn.as_deref())?;
    resource::erase::<RealtimeLogs>(control, &name).await?;
    Ok(Reply::empty(call))
}

async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let page = resource::page::<RealtimeLogs>(control, &wanted, Which::Custom).await?;
    let one = |(_, record)| shape(control, record);
    let shown = RealtimeLogConfigs {
        marker: page.marker,
        is_truncated: page.next.is_some(),
        next_marker: page.next,
        max_items: page.max_items,
        items: page.items.map(|items| items.into_iter().map(one).collect()),
    };
    Reply::shape(call, &shown)
}

/// As it is shown: the fields in the order in which records have them.
fn shape(control: &Control, record: Record<CreateRealtimeLogConfigRequest>) -> RealtimeLogConfig {
    RealtimeLogConfig {
        arn: control.arn(RealtimeLogs::NAME, &record.id),
        name: record.id,
        sampling_rate: record.config.sampling_rate,
        end_points: record.config.end_points,
        fields: FieldList(realtime_log::in_order(&record.config.fields)),
    }
}
