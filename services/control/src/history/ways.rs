//! The ways back: by which operations a kind of resource is changed and made anew, and how their bodies
//! are written from the state of a version.

use crate::{
    api::connection_groups::Group,
    wire::{fault::Fault, xml},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use model::api::{
    CreateConnectionFunctionRequest, CreateConnectionGroupRequest, CreateDistributionTenantRequest,
    CreateFunctionRequest, CreateRealtimeLogConfigRequest, CreateVpcOriginRequest, Customizations,
    DomainItem, DomainList, FunctionConfig, OperationName as Name, Parameter, Parameters,
    UpdateConnectionFunctionRequest, UpdateConnectionGroupRequest, UpdateDistributionTenantRequest,
    UpdateFunctionRequest, UpdateRealtimeLogConfigRequest, VpcOriginEndpointConfig,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// How resources of a kind are changed and made.
pub struct Way {
    kind: &'static str,
    /// Changes one.
    pub update: Name,
    /// Makes one.
    pub create: Name,
    /// The path parameter that names one.
    pub id: &'static str,
    /// The body of either operation, from the element's name and a version's state.
    pub body: fn(Name, &str, &Value) -> Result<String, Fault>,
}

impl Way {
    /// That of a kind, if it has one.
    pub fn of(kind: &str) -> Option<&'static Self> {
        WAYS.iter().find(|way| way.kind == kind)
    }
}

macro_rules! ways {
    ($($kind:literal, $update:ident, $create:ident, $id:literal, $body:expr;)+) => {
        const WAYS: &[Way] = &[$(Way {
            kind: $kind,
            update: Name::$update,
            create: Name::$create,
            id: $id,
            body: $body,
        },)+];
    };
}

ways! {
    "distribution", UpdateDistribution, CreateDistribution, "Id", whole::<model::api::DistributionConfig>;
    "streaming-distribution", UpdateStreamingDistribution, CreateStreamingDistribution, "Id", whole::<model::api::StreamingDistributionConfig>;
    "distribution-tenant", UpdateDistributionTenant, CreateDistributionTenant, "Id", tenant;
    "connection-group", UpdateConnectionGroup, CreateConnectionGroup, "Id", connection_group;
    "cache-policy", UpdateCachePolicy, CreateCachePolicy, "Id", whole::<model::api::CachePolicyConfig>;
    "origin-request-policy", UpdateOriginRequestPolicy, CreateOriginRequestPolicy, "Id", whole::<model::api::OriginRequestPolicyConfig>;
    "response-headers-policy", UpdateResponseHeadersPolicy, CreateResponseHeadersPolicy, "Id", whole::<model::api::ResponseHeadersPolicyConfig>;
    "continuous-deployment-policy", UpdateContinuousDeploymentPolicy, CreateContinuousDeploymentPolicy, "Id", whole::<model::api::ContinuousDeploymentPolicyConfig>;
    "origin-access-control", UpdateOriginAccessControl, CreateOriginAccessControl, "Id", whole::<model::api::OriginAccessControlConfig>;
    "origin-access-identity", UpdateCloudFrontOriginAccessIdentity, CreateCloudFrontOriginAccessIdentity, "Id", whole::<model::api::CloudFrontOriginAccessIdentityConfig>;
    "public-key", UpdatePublicKey, CreatePublicKey, "Id", whole::<model::api::PublicKeyConfig>;
    "key-group", UpdateKeyGroup, CreateKeyGroup, "Id", whole::<model::api::KeyGroupConfig>;
    "field-level-encryption-config", UpdateFieldLevelEncryptionConfig, CreateFieldLevelEncryptionConfig, "Id", whole::<model::api::FieldLevelEncryptionConfig>;
    "field-level-encryption-profile", UpdateFieldLevelEncryptionProfile, CreateFieldLevelEncryptionProfile, "Id", whole::<model::api::FieldLevelEncryptionProfileConfig>;
    "realtime-log-config", UpdateRealtimeLogConfig, CreateRealtimeLogConfig, "Id", real_time_log;
    "function", UpdateFunction, CreateFunction, "Name", function;
    "connection-function", UpdateConnectionFunction, CreateConnectionFunction, "Id", connection_function;
    "vpcorigin", UpdateVpcOrigin, CreateVpcOrigin, "Id", vpc_origin;
}

/// The name that a state has, where its kind has names.
pub fn name(state: &Value) -> Option<&str> {
    let own = state.get("config").unwrap_or(state);
    own.get("name").or_else(|| own.get("Name"))?.as_str()
}

fn read<C: DeserializeOwned>(state: &Value) -> Result<C, Fault> {
    serde_json::from_value(state.get("config").unwrap_or(state).clone()).map_err(Fault::internal)
}

/// The configuration is the body.
fn whole<C: DeserializeOwned + Serialize>(
    _: Name,
    root: &str,
    state: &Value,
) -> Result<String, Fault> {
    xml::write(root, &read::<C>(state)?)
}

fn vpc_origin(operation: Name, root: &str, state: &Value) -> Result<String, Fault> {
    let config: VpcOriginEndpointConfig = read(state)?;
    if operation == Name::UpdateVpcOrigin {
        return xml::write(root, &config);
    }
    xml::write(root, &CreateVpcOriginRequest { vpc_origin_endpoint_config: config, tags: None })
}

fn real_time_log(operation: Name, root: &str, state: &Value) -> Result<String, Fault> {
    let config: CreateRealtimeLogConfigRequest = read(state)?;
    if operation == Name::CreateRealtimeLogConfig {
        return xml::write(root, &config);
    }
    let changed = UpdateRealtimeLogConfigRequest {
        end_points: Some(config.end_points),
        fields: Some(config.fields),
        name: Some(config.name),
        arn: None,
        sampling_rate: Some(config.sampling_rate),
    };
    xml::write(root, &changed)
}

/// What the user wants of a function, as its record has it.
#[derive(Deserialize)]
struct Function {
    name: String,
    development: Code,
}

#[derive(Deserialize)]
struct Code {
    config: FunctionConfig,
    code: String,
}

/// The stage DEVELOPMENT goes back; what viewers meet changes when it is published.
fn function(operation: Name, root: &str, state: &Value) -> Result<String, Fault> {
    let Function { name, development } = read(state)?;
    let (function_config, function_code) = (development.config, STANDARD.encode(development.code));
    if operation == Name::UpdateFunction {
        let changed =
            UpdateFunctionRequest { name: None, if_match: None, function_config, function_code };
        return xml::write(root, &changed);
    }
    xml::write(root, &CreateFunctionRequest { name, function_config, function_code, tags: None })
}

fn connection_function(operation: Name, root: &str, state: &Value) -> Result<String, Fault> {
    let Function { name, development } = read(state)?;
    let connection_function_config = development.config;
    let connection_function_code = STANDARD.encode(development.code);
    if operation == Name::UpdateConnectionFunction {
        let changed = UpdateConnectionFunctionRequest {
            id: None,
            if_match: None,
            connection_function_config,
            connection_function_code,
        };
        return xml::write(root, &changed);
    }
    let made = CreateConnectionFunctionRequest {
        name,
        connection_function_config,
        connection_function_code,
        tags: None,
    };
    xml::write(root, &made)
}

fn connection_group(operation: Name, root: &str, state: &Value) -> Result<String, Fault> {
    let group: Group = read(state)?;
    if operation == Name::UpdateConnectionGroup {
        let changed = UpdateConnectionGroupRequest {
            ipv6_enabled: Some(group.ipv6),
            enabled: Some(group.enabled),
            ..UpdateConnectionGroupRequest::default()
        };
        return xml::write(root, &changed);
    }
    let made = CreateConnectionGroupRequest {
        name: group.name,
        ipv6_enabled: Some(group.ipv6),
        enabled: Some(group.enabled),
        ..CreateConnectionGroupRequest::default()
    };
    xml::write(root, &made)
}

/// What the user wants of a tenant, as its record has it.
#[derive(Deserialize)]
struct Tenant {
    name: String,
    distribution: String,
    domains: Vec<String>,
    customizations: Option<Customizations>,
    #[serde(default)]
    parameters: Vec<Parameter>,
    group: String,
    enabled: bool,
}

fn tenant(operation: Name, root: &str, state: &Value) -> Result<String, Fault> {
    let then: Tenant = read(state)?;
    let domains = then.domains.into_iter().map(|domain| DomainItem { domain }).collect();
    let parameters = Some(Parameters(then.parameters));
    let customizations = Some(then.customizations.unwrap_or_default());
    if operation == Name::UpdateDistributionTenant {
        let changed = UpdateDistributionTenantRequest {
            distribution_id: Some(then.distribution),
            domains: Some(DomainList(domains)),
            customizations,
            parameters,
            connection_group_id: Some(then.group),
            enabled: Some(then.enabled),
            ..UpdateDistributionTenantRequest::default()
        };
        return xml::write(root, &changed);
    }
    let made = CreateDistributionTenantRequest {
        distribution_id: then.distribution,
        name: then.name,
        domains: DomainList(domains),
        customizations,
        parameters,
        connection_group_id: Some(then.group),
        enabled: Some(then.enabled),
        ..CreateDistributionTenantRequest::default()
    };
    xml::write(root, &made)
}
