//! Functions at the edge that see viewers' requests and responses: known by their names.

use super::{
    resource::{self, Kind, Known, Record, Use},
    staged::{self, Coded, Shown, Staged, Written, pages},
};
use crate::{
    control::Control,
    sigv4::Authorised,
    wire::{
        call::Call,
        fault::Fault,
        reply::{Answer, Reply},
    },
};
use model::api::{
    CreateFunctionRequest, ErrorCode, FunctionList, FunctionMetadata, FunctionStage,
    FunctionSummary, OperationName as Name, TestFunctionRequest, UpdateFunctionRequest,
};
use planning::{Faults, Quota, functions::Runs};

/// Functions as a kind.
pub struct Functions;

impl Kind for Functions {
    type Config = Staged;
    const NAME: &'static str = "function";
    const MISSING: ErrorCode = ErrorCode::NoSuchFunctionExists;
    const EXISTS: ErrorCode = ErrorCode::FunctionAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::FunctionInUse;
    const TOO_MANY: ErrorCode = ErrorCode::TooManyFunctions;
    const QUOTA: Quota = Quota::Functions;
    const TOO_MANY_USERS: ErrorCode = ErrorCode::TooManyDistributionsWithSingleFunctionARN;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Name(&config.name)
    }

    fn check(config: &Self::Config) -> Result<(), Faults> {
        staged::check::<Self>(config)
    }

    fn own_id(config: &Self::Config) -> Option<String> {
        Some(config.name.clone())
    }

    fn uses(config: &Self::Config) -> Vec<Use> {
        staged::uses(config)
    }
}

impl Coded for Functions {
    const TOO_LARGE: ErrorCode = ErrorCode::FunctionSizeLimitExceeded;
    const RUNS: Runs = Runs::Requests;
    const MEMBERS: [&'static str; 2] = ["FunctionConfig", "FunctionCode"];
}

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::CreateFunction => create(control, call).await,
        Name::DescribeFunction => describe(control, call).await,
        Name::GetFunction => get(control, call).await,
        Name::ListFunctions => list(control, call).await,
        Name::UpdateFunction => update(control, call).await,
        Name::TestFunction => test(control, call).await,
        Name::PublishFunction => publish(control, call).await,
        Name::DeleteFunction => delete(control, call).await,
        _ => return None,
    })
}

async fn create(control: &Control, call: &Call) -> Answer {
    let asked: CreateFunctionRequest = call.body()?;
    let written = Written { config: asked.function_config, code: asked.function_code };
    let made = staged::create::<Functions>(control, asked.name, written, asked.tags.as_ref());
    let record = made.await?;
    let path = format!("/function/{}", control.arn(Functions::NAME, &record.id));
    let shown = staged::shown::<Functions>(&record, None)?;
    Ok(answer(control, call, &record, &shown).await?.located(call, &path))
}

async fn describe(control: &Control, call: &Call) -> Answer {
    let record = resource::find::<Functions>(control, call.param("Name")?).await?;
    let shown = staged::shown::<Functions>(&record, staged::which(call.query.get("Stage"))?)?;
    answer(control, call, &record, &shown).await
}

async fn get(control: &Control, call: &Call) -> Answer {
    let record = resource::find::<Functions>(control, call.param("Name")?).await?;
    let shown = staged::shown::<Functions>(&record, staged::which(call.query.get("Stage"))?)?;
    let body = staged::code(shown.stage);
    Ok(Reply::raw(call, "application/octet-stream", body).tagged(shown.etag))
}

async fn update(control: &Control, call: &Call) -> Answer {
    let asked: UpdateFunctionRequest = call.body()?;
    let written = Written { config: asked.function_config, code: asked.function_code };
    let (name, tag) = (call.param("Name")?, call.if_match.as_deref());
    let record = staged::update::<Functions>(control, name, tag, written).await?;
    let shown = staged::shown::<Functions>(&record, None)?;
    // The model misspells this one header, and clients look for it as it is spelt there.
    Ok(answer(control, call, &record, &shown).await?.with("ettag", shown.etag))
}

async fn publish(control: &Control, call: &Call) -> Answer {
    let (name, tag) = (call.param("Name")?, call.if_match.as_deref());
    let record = staged::publish::<Functions>(control, name, tag).await?;
    let shown = staged::shown::<Functions>(&record, Some(FunctionStage::LIVE))?;
    Reply::shape(call, &summary(control, &record, &shown).await?)
}

async fn test(control: &Control, call: &Call) -> Answer {
    let asked: TestFunctionRequest = call.body()?;
    let (name, tag) = (call.param("Name")?, call.if_match.as_deref());
    let event = ("EventObject", asked.event_object.as_str());
    staged::test::<Functions>(control, name, tag, asked.stage, event).await?;
    Ok(Reply::empty(call))
}

async fn delete(control: &Control, call: &Call) -> Answer {
    let (name, tag) = (call.param("Name")?, call.if_match.as_deref());
    resource::delete::<Functions>(control, name, tag).await?;
    Ok(Reply::empty(call))
}

async fn list(control: &Control, call: &Call) -> Answer {
    let stage = staged::which(call.query.get("Stage"))?;
    let most = call.query.get("MaxItems").filter(|text| !text.is_empty());
    let page = pages::page::<Functions>(control, call.query.get("Marker"), most, stage).await?;
    let (quantity, max_items, next_marker) = (page.quantity(), page.max_items, page.next);
    let mut items = Vec::new();
    for (record, stage) in page.items.iter().flatten() {
        let shown = staged::shown::<Functions>(record, Some(*stage))?;
        items.push(summary(control, record, &shown).await?);
    }
    let items = page.items.map(|_| items.into());
    Reply::shape(call, &FunctionList { next_marker, max_items, quantity, items })
}

async fn summary(
    control: &Control,
    record: &Record<Staged>,
    shown: &Shown<'_>,
) -> Result<FunctionSummary, Fault> {
    let status = staged::status::<Functions>(control, record, shown).await?;
    Ok(FunctionSummary {
        name: record.config.name.clone(),
        status: Some(status.to_owned()),
        function_config: shown.stage.config.clone(),
        function_metadata: FunctionMetadata {
            function_arn: control.arn(Functions::NAME, &record.id),
            stage: Some(shown.which),
            created_time: Some(record.created_iso()),
            last_modified_time: crate::ids::iso(shown.modified),
        },
    })
}

async fn answer(
    control: &Control,
    call: &Call,
    record: &Record<Staged>,
    shown: &Shown<'_>,
) -> Answer {
    let summary = summary(control, record, shown).await?;
    Ok(Reply::shape(call, &summary)?.tagged(shown.etag))
}
