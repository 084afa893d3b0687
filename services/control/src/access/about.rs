//! What a call is about: the ARNs of the resources that it names, however it names them.
//!
//! Policies must be asked about the very thing that the handler will act upon: an id, a name, an ARN
//! or a domain leads to the record here as it does there.

use crate::{
    api::{connection_groups, domains, staging, tenants},
    control::Control,
    ids, names,
    store::{self, key},
    wire::{call::Call, fault::Fault, read},
};
use model::api::Body;
use serde::{Deserialize, de::DeserializeOwned};

/// What an action is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// No single thing: `*`.
    All,
    /// Something of this kind that does not exist yet, or that the call does not name by its id.
    Any(&'static str),
    /// A kind, and the path parameter with its id.
    Path(&'static str, &'static str),
    /// A kind, and the path parameter with its id or its name.
    Known(&'static str, &'static str),
    /// A kind, and the query parameter with its id.
    Query(&'static str, &'static str),
    /// The path parameter with a primary distribution, and the query parameter with its staging
    /// distribution; the one of its policy where that is left out.
    StagingOf(&'static str, &'static str),
    /// The tenant that has the domain in a query parameter.
    TenantOf(&'static str),
    /// The connection group with the routing endpoint in a query parameter.
    Endpoint(&'static str),
    /// The query parameter with its ARN.
    Arn(&'static str),
    /// Whatever the body names.
    Body(In),
}

/// Where in a body it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum In {
    /// `Name` of a function that is to be made.
    FunctionName,
    /// `Name` or `ARN` of a real-time log configuration.
    RealtimeLog,
    /// `ResourceArn`.
    ResourceArn,
    /// `TargetResource`.
    Target,
    /// `DomainControlValidationResource`.
    Validation,
    /// `Identifier` of a tenant.
    Tenant,
}

pub(super) const DISTRIBUTION: &str = "distribution";
pub(super) const STREAMING: &str = "streaming-distribution";
pub(super) const TENANT: &str = "distribution-tenant";
pub(super) const GROUP: &str = "connection-group";
pub(super) const LOG: &str = "realtime-log-config";
pub(super) const STORE: &str = "key-value-store";
pub(super) const EDGE_FUNCTION: &str = "function";
pub(super) const CONNECTION_FUNCTION: &str = "connection-function";
pub(super) const TRUST: &str = "trust-store";
pub(super) const DEPLOYMENT: &str = "continuous-deployment-policy";
pub(super) const ENCRYPTION: &str = "field-level-encryption-config";
pub(super) const PROFILE: &str = "field-level-encryption-profile";
pub(super) const IDENTITY: &str = "origin-access-identity";
pub(super) const ACCESS_CONTROL: &str = "origin-access-control";
pub(super) const CACHE: &str = "cache-policy";
pub(super) const ORIGIN_REQUEST: &str = "origin-request-policy";
pub(super) const RESPONSE_HEADERS: &str = "response-headers-policy";
pub(super) const ANYCAST: &str = "anycast-ip-list";
pub(super) const VPC: &str = "vpcorigin";

pub(super) async fn resources(
    control: &Control,
    call: &Call,
    on: On,
) -> Result<Vec<String>, Fault> {
    let query = |name: &str| call.query.get(name).unwrap_or_default().to_owned();
    Ok(match on {
        On::All => vec!["*".to_owned()],
        On::Any(kind) => vec![control.arn(kind, "*")],
        On::Path(kind, parameter) => vec![control.arn(kind, call.param(parameter)?)],
        On::Query(kind, parameter) => vec![control.arn(kind, &query(parameter))],
        On::StagingOf(primary, parameter) => {
            let named = call.query.get(parameter).filter(|id| !id.is_empty());
            let id = staging::meant(control, call.param(primary)?, named).await?;
            vec![control.arn(DISTRIBUTION, id.as_deref().unwrap_or("*"))]
        }
        On::TenantOf(parameter) => {
            let tenant = tenants::by_domain(control, &query(parameter)).await?;
            vec![control.arn(TENANT, tenant.as_ref().map_or("*", |kept| &kept.value.id))]
        }
        On::Endpoint(parameter) => {
            let id = connection_groups::by_endpoint(control, &query(parameter)).await?;
            vec![control.arn(GROUP, id.as_deref().unwrap_or("*"))]
        }
        On::Arn(parameter) => vec![query(parameter)],
        On::Known(kind, parameter) => known(control, kind, call.param(parameter)?).await?,
        On::Body(place) => in_body(control, call, place).await?,
    })
}

/// Who holds a name that is to be moved: the kind, and the ARN.
pub(super) async fn holder(
    control: &Control,
    name: &str,
) -> Result<Option<(&'static str, String)>, Fault> {
    let Ok(name) = domains::domain_name("Domain", name) else { return Ok(None) };
    let Some(held) = names::holder(control, &name).await? else { return Ok(None) };
    let kind = names::kind_of(control, &held.value).await?;
    Ok(Some((kind, control.arn(kind, &held.value))))
}

/// Whatever may be meant by an ARN, an id or a name: both, when one thing has it as its id and
/// another as its name.
async fn known(control: &Control, kind: &str, given: &str) -> Result<Vec<String>, Fault> {
    let arn = control.arn(kind, "");
    let given = given.strip_prefix(&arn).unwrap_or(given);
    let mut found = Vec::new();
    let there = ids::is_plain(given);
    if there && control.store().get(&format!("{kind}/{given}")).await?.is_some() {
        found.push(control.arn(kind, given));
    }
    let named = store::get::<String>(control.store(), &key::name(kind, given)).await?;
    found.extend(named.map(|kept| control.arn(kind, &kept.value)));
    if found.is_empty() {
        found.push(control.arn(kind, given));
    }
    found.dedup();
    Ok(found)
}

/// The few members of bodies that name a resource; all others are passed over.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Named {
    name: Option<String>,
    #[serde(rename = "ARN")]
    arn: Option<String>,
    resource_arn: Option<String>,
    identifier: Option<String>,
    target_resource: Option<Either>,
    domain_control_validation_resource: Option<Either>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Either {
    distribution_id: Option<String>,
    distribution_tenant_id: Option<String>,
}

/// The body, if it can be read at all: if not, the handler says what is wrong with it.
pub(super) fn body<T: DeserializeOwned>(call: &Call) -> Option<T> {
    let Body::Xml(root) = call.operation.request else { return None };
    read::read(root, &call.body).ok()
}

/// Handlers take what is empty as not given.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

async fn in_body(control: &Control, call: &Call, place: In) -> Result<Vec<String>, Fault> {
    let named: Named = body(call).unwrap_or_default();
    let arn =
        |kind: &str, id: Option<String>| vec![control.arn(kind, id.as_deref().unwrap_or("*"))];
    Ok(match place {
        In::FunctionName => arn(EDGE_FUNCTION, named.name),
        In::RealtimeLog => match (given(named.name), given(named.arn)) {
            (Some(name), Some(arn)) => vec![control.arn(LOG, &name), arn],
            (None, Some(arn)) => vec![arn],
            (name, None) => arn(LOG, name),
        },
        In::ResourceArn => vec![named.resource_arn.unwrap_or_else(|| "*".to_owned())],
        In::Tenant => known(control, TENANT, named.identifier.as_deref().unwrap_or("*")).await?,
        In::Target => either(control, named.target_resource).await?,
        In::Validation => either(control, named.domain_control_validation_resource).await?,
    })
}

async fn either(control: &Control, named: Option<Either>) -> Result<Vec<String>, Fault> {
    let Either { distribution_id, distribution_tenant_id } = named.unwrap_or_default();
    let distribution = given(distribution_id).map(|id| control.arn(DISTRIBUTION, &id));
    let mut found: Vec<_> = distribution.into_iter().collect();
    if let Some(text) = given(distribution_tenant_id) {
        found.extend(known(control, TENANT, &text).await?);
    }
    if found.is_empty() {
        found.push(control.arn(DISTRIBUTION, "*"));
    }
    Ok(found)
}
