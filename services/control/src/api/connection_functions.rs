//! Functions that see viewers' TLS connections: known by id and by name.

use super::{
    resource::{self, Kind, Known, Record, Use},
    staged::{self, Coded, Shown, Staged, Written, pages},
};
use crate::{
    control::Control,
    ids,
    sigv4::Authorised,
    wire::{
        call::Call,
        fault::Fault,
        reply::{Answer, Reply},
    },
};
use model::api::{
    ConnectionFunctionSummary, CreateConnectionFunctionRequest, ErrorCode, FunctionStage,
    ListConnectionFunctionsRequest, ListConnectionFunctionsResult, OperationName as Name,
    TestConnectionFunctionRequest, UpdateConnectionFunctionRequest,
};
use planning::{Faults, Quota, functions::Runs};

/// Connection functions as a kind.
pub struct ConnectionFunctions;

impl Kind for ConnectionFunctions {
    type Config = Staged;
    const NAME: &'static str = "connection-function";
    const MISSING: ErrorCode = ErrorCode::EntityNotFound;
    const EXISTS: ErrorCode = ErrorCode::EntityAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::CannotDeleteEntityWhileInUse;
    const TOO_MANY: ErrorCode = ErrorCode::EntityLimitExceeded;
    const QUOTA: Quota = Quota::ConnectionFunctions;
    const TOO_MANY_USERS: ErrorCode = ErrorCode::EntityLimitExceeded;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Name(&config.name)
    }

    fn check(config: &Self::Config) -> Result<(), Faults> {
        staged::check::<Self>(config)
    }

    fn new_id() -> String {
        ids::prefixed("cf")
    }

    fn uses(config: &Self::Config) -> Vec<Use> {
        staged::uses(config)
    }
}

impl Coded for ConnectionFunctions {
    const TOO_LARGE: ErrorCode = ErrorCode::EntitySizeLimitExceeded;
    const RUNS: Runs = Runs::Connections;
    const MEMBERS: [&'static str; 2] = ["ConnectionFunctionConfig", "ConnectionFunctionCode"];
}

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::CreateConnectionFunction => create(control, call).await,
        Name::DescribeConnectionFunction => describe(control, call).await,
        Name::GetConnectionFunction => get(control, call).await,
        Name::ListConnectionFunctions => list(control, call).await,
        Name::UpdateConnectionFunction => update(control, call).await,
        Name::TestConnectionFunction => test(control, call).await,
        Name::PublishConnectionFunction => publish(control, call).await,
        Name::DeleteConnectionFunction => delete(control, call).await,
        _ => return None,
    })
}

async fn create(control: &Control, call: &Call) -> Answer {
    let asked: CreateConnectionFunctionRequest = call.body()?;
    let (config, code) = (asked.connection_function_config, asked.connection_function_code);
    let written = Written { config, code };
    let tags = asked.tags.as_ref();
    let made = staged::create::<ConnectionFunctions>(control, asked.name, written, tags);
    let record = made.await?;
    let path = format!("/connection-function/{}", record.id);
    let shown = staged::shown::<ConnectionFunctions>(&record, None)?;
    Ok(answer(control, call, &record, &shown).await?.located(call, &path))
}

async fn describe(control: &Control, call: &Call) -> Answer {
    let record = identified(control, call).await?;
    let which = staged::which(call.query.get("Stage"))?;
    let shown = staged::shown::<ConnectionFunctions>(&record, which)?;
    answer(control, call, &record, &shown).await
}

async fn get(control: &Control, call: &Call) -> Answer {
    let record = identified(control, call).await?;
    let which = staged::which(call.query.get("Stage"))?;
    let shown = staged::shown::<ConnectionFunctions>(&record, which)?;
    let body = staged::code(shown.stage);
    Ok(Reply::raw(call, "application/octet-stream", body).tagged(shown.etag))
}

async fn identified(control: &Control, call: &Call) -> Result<Record<Staged>, Fault> {
    resource::identified::<ConnectionFunctions>(control, call.param("Identifier")?).await
}

async fn update(control: &Control, call: &Call) -> Answer {
    let asked: UpdateConnectionFunctionRequest = call.body()?;
    let (config, code) = (asked.connection_function_config, asked.connection_function_code);
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    let written = Written { config, code };
    let record = staged::update::<ConnectionFunctions>(control, id, tag, written).await?;
    let shown = staged::shown::<ConnectionFunctions>(&record, None)?;
    answer(control, call, &record, &shown).await
}

async fn publish(control: &Control, call: &Call) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    let record = staged::publish::<ConnectionFunctions>(control, id, tag).await?;
    let shown = staged::shown::<ConnectionFunctions>(&record, Some(FunctionStage::LIVE))?;
    Reply::shape(call, &summary(control, &record, &shown).await?)
}

async fn test(control: &Control, call: &Call) -> Answer {
    let asked: TestConnectionFunctionRequest = call.body()?;
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    let event = ("ConnectionObject", asked.connection_object.as_str());
    staged::test::<ConnectionFunctions>(control, id, tag, asked.stage, event).await?;
    Ok(Reply::empty(call))
}

async fn delete(control: &Control, call: &Call) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    resource::delete::<ConnectionFunctions>(control, id, tag).await?;
    Ok(Reply::empty(call))
}

async fn list(control: &Control, call: &Call) -> Answer {
    let asked: ListConnectionFunctionsRequest = call.body_or_default()?;
    let (marker, most) = (asked.marker.as_deref(), asked.max_items.map(|most| most.to_string()));
    let page =
        pages::page::<ConnectionFunctions>(control, marker, most.as_deref(), asked.stage).await?;
    let next_marker = page.next;
    let mut found = Vec::new();
    for (record, stage) in page.items.into_iter().flatten() {
        let shown = staged::shown::<ConnectionFunctions>(&record, Some(stage))?;
        found.push(summary(control, &record, &shown).await?);
    }
    let connection_functions = Some(found.into());
    Reply::shape(call, &ListConnectionFunctionsResult { next_marker, connection_functions })
}

async fn summary(
    control: &Control,
    record: &Record<Staged>,
    shown: &Shown<'_>,
) -> Result<ConnectionFunctionSummary, Fault> {
    let status = staged::status::<ConnectionFunctions>(control, record, shown).await?;
    Ok(ConnectionFunctionSummary {
        name: record.config.name.clone(),
        id: record.id.clone(),
        connection_function_config: shown.stage.config.clone(),
        connection_function_arn: control.arn(ConnectionFunctions::NAME, &record.id),
        status: status.to_owned(),
        stage: shown.which,
        created_time: record.created_iso(),
        last_modified_time: ids::iso(shown.modified),
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
