//! The operations, one file per resource; each handler takes an [`Authorised`] call.

pub mod anycast_ip_lists;
pub mod cache_policies;
pub mod connection_functions;
pub mod connection_groups;
pub mod continuous_deployment;
pub mod distributions;
pub mod domains;
pub mod field_level_encryption;
pub mod functions;
pub mod invalidations;
pub mod key_groups;
pub mod key_value_stores;
pub mod look_ups;
pub mod monitoring;
pub mod origin_access_controls;
pub mod origin_access_identities;
pub mod origin_request_policies;
pub mod public_keys;
pub mod realtime_log_configs;
pub mod resource;
pub mod resource_policies;
pub mod response_headers_policies;
pub mod staged;
pub mod staging;
pub mod streaming_distributions;
pub mod tags;
pub mod tenants;
pub mod trust_stores;
mod uses;
pub mod vpc_origins;
pub mod web_acls;

pub use resource::{Kind, Record, custom};

use crate::{
    control::Control,
    sigv4::Authorised,
    wire::{
        call::Call,
        fault::{Common, Fault},
        reply::Answer,
    },
};
use model::api::OperationName as Name;

/// Does what the call asks. Dropping it half-way leaves a write open: it happens whole or not.
///
/// # Errors
/// The operation's own; `NotImplemented` for operations that no handler serves.
pub async fn serve(control: &Control, call: Authorised<Call>) -> Answer {
    let name = call.operation.name;
    if call.operation.method != "GET" {
        tracing::info!(operation = name.as_str(), key = call.key_id(), "a write is asked for");
    }
    if let Some(answer) = distribution(control, &call, name).await {
        return answer;
    }
    if let Some(answer) = policy(control, &call, name).await {
        return answer;
    }
    if let Some(answer) = family(control, &call).await {
        return answer;
    }
    Err(Fault::common(
        Common::NotImplemented,
        format!("this server does not offer {} yet; nothing was changed", name.as_str()),
    ))
}

macro_rules! first_of {
    ($control:expr, $call:expr, $($family:ident),+ $(,)?) => {
        $(if let Some(answer) = $family::serve($control, $call).await {
            return Some(answer);
        })+
    };
}

/// Each file knows its own operations.
async fn family(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    first_of!(
        control,
        call,
        anycast_ip_lists,
        connection_functions,
        connection_groups,
        continuous_deployment,
        domains,
        field_level_encryption,
        functions,
        key_groups,
        key_value_stores,
        look_ups,
        monitoring,
        origin_access_identities,
        public_keys,
        realtime_log_configs,
        resource_policies,
        streaming_distributions,
        tenants,
        trust_stores,
        vpc_origins,
        web_acls,
    );
    None
}

async fn distribution(control: &Control, call: &Authorised<Call>, name: Name) -> Option<Answer> {
    Some(match name {
        Name::CreateDistribution => distributions::create(control, call).await,
        Name::CreateDistributionWithTags => distributions::create_with_tags(control, call).await,
        Name::GetDistribution => distributions::get(control, call).await,
        Name::GetDistributionConfig => distributions::get_config(control, call).await,
        Name::ListDistributions => distributions::list(control, call).await,
        Name::UpdateDistribution => distributions::update(control, call).await,
        Name::DeleteDistribution => distributions::delete(control, call).await,
        Name::CreateInvalidation => invalidations::create(control, call).await,
        Name::GetInvalidation => invalidations::get(control, call).await,
        Name::ListInvalidations => invalidations::list(control, call).await,
        Name::ListTagsForResource => tags::list(control, call).await,
        Name::TagResource => tags::tag(control, call).await,
        Name::UntagResource => tags::untag(control, call).await,
        _ => return None,
    })
}

async fn policy(control: &Control, call: &Authorised<Call>, name: Name) -> Option<Answer> {
    Some(match name {
        Name::CreateCachePolicy => cache_policies::create(control, call).await,
        Name::GetCachePolicy => cache_policies::get(control, call).await,
        Name::GetCachePolicyConfig => cache_policies::get_config(control, call).await,
        Name::UpdateCachePolicy => cache_policies::update(control, call).await,
        Name::DeleteCachePolicy => cache_policies::delete(control, call).await,
        Name::ListCachePolicies => cache_policies::list(control, call).await,
        Name::CreateOriginRequestPolicy => origin_request_policies::create(control, call).await,
        Name::GetOriginRequestPolicy => origin_request_policies::get(control, call).await,
        Name::GetOriginRequestPolicyConfig => {
            origin_request_policies::get_config(control, call).await
        }
        Name::UpdateOriginRequestPolicy => origin_request_policies::update(control, call).await,
        Name::DeleteOriginRequestPolicy => origin_request_policies::delete(control, call).await,
        Name::ListOriginRequestPolicies => origin_request_policies::list(control, call).await,
        Name::CreateResponseHeadersPolicy => response_headers_policies::create(control, call).await,
        Name::GetResponseHeadersPolicy => response_headers_policies::get(control, call).await,
        Name::GetResponseHeadersPolicyConfig => {
            response_headers_policies::get_config(control, call).await
        }
        Name::UpdateResponseHeadersPolicy => response_headers_policies::update(control, call).await,
        Name::DeleteResponseHeadersPolicy => response_headers_policies::delete(control, call).await,
        Name::ListResponseHeadersPolicies => response_headers_policies::list(control, call).await,
        Name::CreateOriginAccessControl => origin_access_controls::create(control, call).await,
        Name::GetOriginAccessControl => origin_access_controls::get(control, call).await,
        Name::GetOriginAccessControlConfig => {
            origin_access_controls::get_config(control, call).await
        }
        Name::UpdateOriginAccessControl => origin_access_controls::update(control, call).await,
        Name::DeleteOriginAccessControl => origin_access_controls::delete(control, call).await,
        Name::ListOriginAccessControls => origin_access_controls::list(control, call).await,
        _ => return None,
    })
}
