//! One distribution: its configuration checked as a whole, and the Plan that follows from it.

pub(crate) mod behaviours;
mod countries;
mod deployment;
mod errors;
pub mod honoured;
mod legacy;
mod names;
mod origins;
mod placeholders;
mod tenancy;
mod update;

use crate::{Faults, References};
use model::{
    api::{DistributionConfig, ErrorCode, HttpVersion},
    ids::DistributionId,
    plan::{HttpVersions, Plan},
    units::Timestamp,
};

pub(crate) use names::check_names;
pub use names::{covering, covers, is_host_name};
pub use tenancy::{Tenant, is_template, tenant_plan};
pub use update::check as check_update;

/// What a distribution is called, given by the server.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its id.
    pub id: DistributionId,
    /// Its ARN.
    pub arn: String,
    /// Assigned name, lower case.
    pub domain: String,
}

/// Checks `config` as a whole and makes its Plan. A multi-tenant distribution has none of its own: what
/// is returned for it is a sample that no edge must see.
///
/// Shape: `config` has its defaults filled in ([`crate::defaults::fill`]); `references` holds
/// everything that [`crate::Wanted::by`] names and that exists.
///
/// # Errors
/// Everything that is wrong, by path.
pub fn plan(
    config: &DistributionConfig,
    identity: &Identity,
    references: &References,
    now: Timestamp,
) -> Result<Plan, Faults> {
    if is_template(config) {
        return tenancy::sample(config, identity, references, now);
    }
    direct(config, identity, references, now)
}

fn direct(
    config: &DistributionConfig,
    identity: &Identity,
    references: &References,
    now: Timestamp,
) -> Result<Plan, Faults> {
    let mut faults = Faults::default();
    check_text(&mut faults, config);
    faults.require(
        config.tenant_config.is_none(),
        "TenantConfig",
        ErrorCode::InvalidArgument,
        "only multi-tenant distributions have one: set ConnectionMode to tenant-only",
    );
    let tree = honoured::tree(config);
    faults.quantities(&tree);
    deployment::check(&mut faults, config, references);
    honoured::check(&mut faults, &tree, references);
    let plan = Plan {
        id: identity.id.clone(),
        arn: identity.arn.clone(),
        domain: identity.domain.clone(),
        enabled: config.enabled,
        default_root_object: root_object(&mut faults, config.default_root_object.as_deref()),
        origins: origins::planned(&mut faults, &config.origins, references),
        behaviours: behaviours::planned(&mut faults, config, references),
        errors: errors::planned(&mut faults, config.custom_error_responses.as_ref()),
        aliases: names::aliases(&mut faults, config, references),
        viewer_tls: names::viewer_tls(&mut faults, config, references, now),
        countries: countries::planned(&mut faults, config.restrictions.as_ref()),
        http: http(config.http_version),
        ipv6: config.is_ipv6_enabled == Some(true),
    };
    faults.into_result()?;
    Ok(plan)
}

/// The versions beside HTTP/1.1, which is always spoken: HTTP/2 where nothing is said.
fn http(version: Option<HttpVersion>) -> HttpVersions {
    let version = version.unwrap_or(HttpVersion::Http2);
    HttpVersions {
        h2: matches!(version, HttpVersion::Http2 | HttpVersion::Http2and3),
        h3: matches!(version, HttpVersion::Http3 | HttpVersion::Http2and3),
    }
}

fn check_text(faults: &mut Faults, config: &DistributionConfig) {
    let reference = config.caller_reference.len();
    faults.require(
        (1..=2048).contains(&reference),
        "CallerReference",
        ErrorCode::InvalidArgument,
        "a caller reference has 1 to 2048 characters",
    );
    faults.require(
        config.comment.chars().count() <= 128,
        "Comment",
        ErrorCode::InvalidArgument,
        "longer than 128 characters",
    );
}

fn root_object(faults: &mut Faults, object: Option<&str>) -> Option<String> {
    let object = object.filter(|object| !object.is_empty())?;
    let fine = object.len() <= 255
        && !object.starts_with('/')
        && object.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte));
    faults.require(
        fine,
        "DefaultRootObject",
        ErrorCode::InvalidDefaultRootObject,
        "at most 255 characters of a path, without a leading slash: index.html",
    );
    Some(object.to_owned())
}
