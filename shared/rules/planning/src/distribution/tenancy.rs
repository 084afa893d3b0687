//! Multi-tenant distributions: a configuration with places left open, and the tenants that fill them.
//!
//! For: what such a configuration may hold, and the Plan of each tenant: the same configuration with
//! the tenant's parameters in it, under the tenant's names, with its certificate and its countries.
//! Not for: which tenants there are (`services/control`).
//!
//! Placeholders are `{{name}}`, in an origin's domain name, its path, and the values of its custom
//! headers.
//!
//! Source: CloudFront developer guide, "Understand how multi-tenant distributions work" and
//! "Distribution tenant customizations"; API reference, `TenantConfig`, `CreateDistributionTenant`.

use super::{Identity, behaviours::undefaulted, direct, names, placeholders};
use crate::{Faults, References, faults::items};
use model::{
    api::{
        Aliases, CacheBehavior, ConnectionMode, DistributionConfig, ErrorCode, GeoRestriction,
        GeoRestrictionCustomization, Origin, Parameter, PriceClass, Restrictions, SSLSupportMethod,
        StringSchemaConfig, ViewerCertificate,
    },
    plan::Plan,
    units::Timestamp,
};
use std::collections::BTreeMap;

/// Most names of one tenant (API reference, `UpdateDistributionTenant`).
const MOST_DOMAINS: usize = 5;
/// Most parameters of one distribution: far beyond what its origins have places for.
const MOST_PARAMETERS: usize = 50;
/// What stands for a parameter while no tenant has said.
const SAMPLE: &str = "x";

/// A tenant, as far as its plan follows from it.
#[derive(Clone, Copy, Debug)]
pub struct Tenant<'a> {
    /// Its names, lower case.
    pub domains: &'a [String],
    /// What it puts in the places left open.
    pub parameters: &'a [Parameter],
    /// ARN of a certificate in place of the distribution's.
    pub certificate: Option<&'a str>,
    /// Countries in place of the distribution's.
    pub countries: Option<&'a GeoRestrictionCustomization>,
    /// Whether tenant and connection group serve; the distribution must do so too.
    pub enabled: bool,
    /// Whether its connection group has IPv6.
    pub ipv6: bool,
}

/// Whether this is a multi-tenant distribution, which serves nobody by itself.
pub fn is_template(config: &DistributionConfig) -> bool {
    config.connection_mode == Some(ConnectionMode::TenantOnly)
}

/// The plan of one tenant of a multi-tenant distribution. Its aliases are those of the tenant's names
/// that the certificate covers: the others are inactive, and no edge answers for them.
///
/// # Errors
/// Everything that is wrong with the tenant, or with the distribution as the tenant makes it.
pub fn tenant_plan(
    config: &DistributionConfig,
    tenant: &Tenant<'_>,
    identity: &Identity,
    references: &References,
    now: Timestamp,
) -> Result<Plan, Faults> {
    let mut faults = Faults::default();
    check_domains(&mut faults, tenant.domains, references);
    let values = values(&mut faults, config, tenant.parameters);
    let mut own = filled(&mut faults, config, &values);
    customise(&mut faults, &mut own, tenant, references);
    let covering = names::covering(&own, references);
    let covered = |name: &&String| covering.iter().any(|one| names::covers(one, name));
    let active: Vec<String> = tenant.domains.iter().filter(covered).cloned().collect();
    let quantity = i32::try_from(active.len()).unwrap_or(i32::MAX);
    own.aliases = Some(Aliases { quantity, items: Some(active.into()) });
    faults.into_result()?;
    direct(&own, identity, references, now).map_err(|faults| as_written(faults, tenant))
}

/// Faults by the paths that the tenant has, where it said something in place of the distribution.
fn as_written(mut faults: Faults, tenant: &Tenant<'_>) -> Faults {
    let (before, own) = ("Restrictions.GeoRestriction", "Customizations.GeoRestrictions");
    for fault in faults.0.iter_mut().filter(|_| tenant.countries.is_some()) {
        if let Some(rest) = fault.path.strip_prefix(before) {
            fault.path = format!("{own}{}", rest.replace("Items", "Locations"));
        }
    }
    faults
}

/// Checks a multi-tenant distribution, with its defaults, or else any value, in the places left open.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn sample(
    config: &DistributionConfig,
    identity: &Identity,
    references: &References,
    now: Timestamp,
) -> Result<Plan, Faults> {
    let mut faults = Faults::default();
    check_standard_only(&mut faults, config);
    check_definitions(&mut faults, config);
    let values = definitions(config).map(|(name, schema)| {
        let value = schema.and_then(|schema| schema.default_value.as_deref());
        (name, value.unwrap_or(SAMPLE))
    });
    let own = filled(&mut faults, config, &values.collect());
    match direct(&own, identity, references, now) {
        Ok(plan) => faults.into_result().map(|()| plan),
        Err(more) => {
            faults.0.extend(more.0);
            Err(faults)
        }
    }
}

/// Every parameter that the distribution knows, and how it is described.
fn definitions(
    config: &DistributionConfig,
) -> impl Iterator<Item = (&str, Option<&StringSchemaConfig>)> {
    let list = config.tenant_config.as_ref().and_then(|one| one.parameter_definitions.as_ref());
    list.into_iter()
        .flat_map(|list| list.iter())
        .map(|one| (one.name.as_str(), one.definition.string_schema.as_ref()))
}

/// What only standard distributions may have (API reference, `DistributionConfig`).
fn check_standard_only(faults: &mut Faults, config: &DistributionConfig) {
    let given = |text: Option<&String>| text.is_some_and(|text| !text.is_empty());
    let certificate = config.viewer_certificate.as_ref();
    let aliases = config.aliases.as_ref();
    let priced = |class: &PriceClass| *class != PriceClass::PriceClassAll;
    let asked = [
        ("Aliases", aliases.is_some_and(|list| !items!(list).is_empty()), "its tenants have names"),
        ("PriceClass", config.price_class.as_ref().is_some_and(priced), "leave it out"),
        ("IsIPV6Enabled", config.is_ipv6_enabled == Some(true), "connection groups say it"),
        ("AnycastIpListId", given(config.anycast_ip_list_id.as_ref()), "connection groups say it"),
        (
            "ContinuousDeploymentPolicyId",
            given(config.continuous_deployment_policy_id.as_ref()),
            "leave it out",
        ),
        ("Staging", config.staging == Some(true), "leave it out"),
        (
            "ViewerCertificate.IAMCertificateId",
            certificate.is_some_and(|one| given(one.iam_certificate_id.as_ref())),
            "use ACMCertificateArn",
        ),
    ];
    for (name, asked, instead) in asked {
        refuse(faults, name, asked, instead);
    }
    check_behaviour(faults, "DefaultCacheBehavior", &undefaulted(&config.default_cache_behavior));
    let listed = config.cache_behaviors.as_ref().map(|list| items!(list)).unwrap_or_default();
    for (index, behaviour) in listed.iter().enumerate() {
        check_behaviour(faults, &format!("CacheBehaviors.Items[{index}]"), behaviour);
    }
}

fn check_behaviour(faults: &mut Faults, path: &str, behaviour: &CacheBehavior) {
    let signers = behaviour.trusted_signers.as_ref();
    let policy = "use a cache policy";
    let asked = [
        ("ForwardedValues", behaviour.forwarded_values.is_some(), policy),
        ("MinTTL", behaviour.min_ttl.is_some(), policy),
        ("DefaultTTL", behaviour.default_ttl.is_some(), policy),
        ("MaxTTL", behaviour.max_ttl.is_some(), policy),
        ("SmoothStreaming", behaviour.smooth_streaming == Some(true), "leave it out"),
        ("TrustedSigners", signers.is_some_and(|list| list.enabled), "use TrustedKeyGroups"),
    ];
    for (name, asked, instead) in asked {
        refuse(faults, &format!("{path}.{name}"), asked, instead);
    }
}

fn refuse(faults: &mut Faults, path: &str, asked: bool, instead: &str) {
    let message = format!("a multi-tenant distribution cannot have this: {instead}");
    faults.require(!asked, path, ErrorCode::InvalidArgument, message);
}

fn check_definitions(faults: &mut Faults, config: &DistributionConfig) {
    let all: Vec<_> = definitions(config).collect();
    let code = ErrorCode::InvalidArgument;
    let path = "TenantConfig.ParameterDefinitions";
    let few = all.len() <= MOST_PARAMETERS;
    faults.require(few, path, code, format!("at most {MOST_PARAMETERS} parameters"));
    for (index, (name, schema)) in all.iter().enumerate().take(MOST_PARAMETERS) {
        let path = format!("{path}[{index}]");
        check_name(faults, &format!("{path}.Name"), name);
        let repeated = all.iter().take(index).any(|(earlier, _)| earlier == name);
        faults.require(!repeated, format!("{path}.Name"), code, "stands twice in the list");
        let path = format!("{path}.Definition.StringSchema");
        let Some(schema) = schema else {
            faults.add(path, code, "is missing: every parameter is a text");
            continue;
        };
        let default = schema.default_value.as_deref();
        let message = "a parameter that is not required needs a default value";
        faults.require(schema.required || default.is_some(), &path, code, message);
        if let Some(value) = default {
            check_value(faults, &format!("{path}.DefaultValue"), value);
        }
    }
}

fn check_name(faults: &mut Faults, path: &str, name: &str) {
    let fine = (1..=128).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let message = format!("{name:?} is not 1 to 128 of letters, digits, - and _");
    faults.require(fine, path, ErrorCode::InvalidArgument, message);
}

fn check_value(faults: &mut Faults, path: &str, value: &str) {
    let fine = (1..=256).contains(&value.chars().count());
    faults.require(fine, path, ErrorCode::InvalidArgument, "a value has 1 to 256 characters");
}

fn check_domains(faults: &mut Faults, domains: &[String], references: &References) {
    let few = domains.len() <= MOST_DOMAINS;
    let message = format!("a tenant has at most {MOST_DOMAINS} domains");
    faults.require(few, "Domains", ErrorCode::EntityLimitExceeded, message);
    for (index, name) in domains.iter().enumerate().take(MOST_DOMAINS) {
        let path = format!("Domains[{index}]");
        names::check_alias(faults, &path, name, &references.zone);
        let repeated = domains.iter().take(index).any(|earlier| earlier == name);
        faults.require(!repeated, path, ErrorCode::InvalidArgument, "stands twice in the list");
    }
}

/// The value of every parameter that the distribution knows: the tenant's, or else the default.
fn values<'a>(
    faults: &mut Faults,
    config: &'a DistributionConfig,
    given: &'a [Parameter],
) -> BTreeMap<&'a str, &'a str> {
    let code = ErrorCode::InvalidArgument;
    let known: BTreeMap<_, _> = definitions(config).collect();
    let mut own = BTreeMap::new();
    for (index, one) in given.iter().enumerate().take(MOST_PARAMETERS + 1) {
        let path = format!("Parameters[{index}]");
        check_value(faults, &format!("{path}.Value"), &one.value);
        let message = format!("the distribution defines no parameter {:?}", one.name);
        faults.require(known.contains_key(one.name.as_str()), &path, code, message);
        let again = own.insert(one.name.as_str(), one.value.as_str()).is_some();
        faults.require(!again, path, code, "stands twice in the list");
    }
    for (name, schema) in known {
        let default = schema.and_then(|schema| schema.default_value.as_deref());
        let required = schema.is_none_or(|schema| schema.required);
        match default.filter(|_| !required) {
            Some(default) => {
                own.entry(name).or_insert(default);
            }
            None if own.contains_key(name) => {}
            None => faults.add("Parameters", code, format!("the parameter {name:?} is required")),
        }
    }
    own
}

/// The configuration as a standard one, with these values in its open places.
fn filled(
    faults: &mut Faults,
    config: &DistributionConfig,
    values: &BTreeMap<&str, &str>,
) -> DistributionConfig {
    let mut own = config.clone();
    own.connection_mode = Some(ConnectionMode::Direct);
    own.tenant_config = None;
    for (index, origin) in own.origins.items.0.iter_mut().enumerate() {
        fill_origin(faults, &format!("Origins.Items[{index}]"), origin, values);
    }
    own
}

fn fill_origin(
    faults: &mut Faults,
    path: &str,
    origin: &mut Origin,
    values: &BTreeMap<&str, &str>,
) {
    fill(faults, &format!("{path}.DomainName"), &mut origin.domain_name, values);
    if let Some(base) = &mut origin.origin_path {
        fill(faults, &format!("{path}.OriginPath"), base, values);
    }
    let headers = origin.custom_headers.iter_mut().flat_map(|list| list.items.iter_mut());
    for header in headers.flat_map(|list| list.0.iter_mut()) {
        fill(faults, &format!("{path}.CustomHeaders"), &mut header.header_value, values);
    }
}

fn fill(faults: &mut Faults, path: &str, text: &mut String, values: &BTreeMap<&str, &str>) {
    match placeholders::fill(text, |name| values.get(name).copied()) {
        Ok(filled) => *text = filled,
        Err(broken) => faults.add(path, ErrorCode::InvalidArgument, broken.to_string()),
    }
}

/// The tenant's certificate and countries in place of the distribution's.
fn customise(
    faults: &mut Faults,
    own: &mut DistributionConfig,
    tenant: &Tenant<'_>,
    references: &References,
) {
    own.enabled = own.enabled && tenant.enabled;
    own.is_ipv6_enabled = Some(tenant.ipv6);
    if let Some(arn) = tenant.certificate {
        let known = references.offline || references.certificates.contains_key(arn);
        let message = format!("there is no certificate {arn}");
        faults.require(known, "Customizations.Certificate.Arn", ErrorCode::EntityNotFound, message);
        let before = own.viewer_certificate.take();
        own.viewer_certificate = Some(ViewerCertificate {
            acm_certificate_arn: Some(arn.to_owned()),
            ssl_support_method: Some(SSLSupportMethod::SniOnly),
            minimum_protocol_version: before.and_then(|one| one.minimum_protocol_version),
            ..ViewerCertificate::default()
        });
    }
    if let Some(countries) = tenant.countries {
        let items = countries.locations.clone().filter(|list| !list.is_empty());
        let quantity = items.as_ref().map_or(0, |list| list.len());
        own.restrictions = Some(Restrictions {
            geo_restriction: GeoRestriction {
                restriction_type: countries.restriction_type,
                quantity: i32::try_from(quantity).unwrap_or(i32::MAX),
                items,
            },
        });
    }
}
