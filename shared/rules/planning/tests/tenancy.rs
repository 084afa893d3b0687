//! Multi-tenant distributions: what they may hold, and the plans of their tenants.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use model::{
    api::{
        DistributionConfig, ErrorCode, GeoRestrictionCustomization, GeoRestrictionType, Parameter,
    },
    plan::{Countries, Plan},
    units::Timestamp,
};
use nearfront_planning::{
    CertificateFacts, Faults, References, defaults,
    distribution::{self, Identity, Tenant},
};
use serde_json::{Value, json};

const OWN: &str = "arn:aws:acm:us-east-1:000000000000:certificate/own";
const SHARED: &str = "arn:aws:acm:us-east-1:000000000000:certificate/shared";

fn template() -> Value {
    json!({
        "CallerReference": "one", "Comment": "", "Enabled": true, "ConnectionMode": "tenant-only",
        "TenantConfig": {"ParameterDefinitions": [
            {"Name": "shop", "Definition": {"StringSchema": {"Required": true}}},
            {"Name": "part", "Definition": {"StringSchema": {"Required": false, "DefaultValue": "all"}}}
        ]},
        "Origins": {"Quantity": 1, "Items": [{
            "Id": "web", "DomainName": "{{shop}}.origin.example", "OriginPath": "/{{shop}}/{{part}}",
            "CustomHeaders": {"Quantity": 1, "Items": [
                {"HeaderName": "X-Shop", "HeaderValue": "of {{shop}}"}]},
            "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
        }]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6"
        }
    })
}

fn read(config: &Value) -> DistributionConfig {
    let mut config: DistributionConfig = serde_json::from_value(config.clone()).unwrap();
    defaults::fill(&mut config);
    config
}

fn references() -> References {
    let facts = |name: &str| CertificateFacts {
        names: vec![name.to_owned()],
        not_after: Timestamp(u64::MAX),
    };
    References {
        zone: "cdn.test".into(),
        certificates: [
            (OWN.to_owned(), facts("*.own.example")),
            (SHARED.to_owned(), facts("*.shared.example")),
        ]
        .into(),
        ..References::default()
    }
}

fn identity() -> Identity {
    Identity {
        id: "dt_1".into(),
        arn: "arn:aws:cloudfront::000000000000:distribution-tenant/dt_1".into(),
        domain: "dt_1.cdn.test".into(),
    }
}

fn parameters(all: &[(&str, &str)]) -> Vec<Parameter> {
    let one = |(name, value): &(&str, &str)| Parameter {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    all.iter().map(one).collect()
}

struct Asked {
    config: Value,
    domains: Vec<String>,
    parameters: Vec<Parameter>,
    certificate: Option<&'static str>,
    countries: Option<GeoRestrictionCustomization>,
    enabled: bool,
}

impl Asked {
    fn new() -> Self {
        Self {
            config: template(),
            domains: vec!["hats.cdn.test".to_owned()],
            parameters: parameters(&[("shop", "hats")]),
            certificate: None,
            countries: None,
            enabled: true,
        }
    }

    fn plan(&self) -> Result<Plan, Faults> {
        let tenant = Tenant {
            domains: &self.domains,
            parameters: &self.parameters,
            certificate: self.certificate,
            countries: self.countries.as_ref(),
            enabled: self.enabled,
            ipv6: true,
        };
        let (config, references) = (read(&self.config), references());
        distribution::tenant_plan(&config, &tenant, &identity(), &references, Timestamp(1))
    }

    fn refused(&self) -> (ErrorCode, String) {
        let faults = self.plan().unwrap_err();
        (faults.code(), faults.to_string())
    }
}

fn whole(config: &Value) -> Result<Plan, Faults> {
    distribution::plan(&read(config), &identity(), &references(), Timestamp(1))
}

#[test]
fn a_tenants_plan_has_its_parameters_its_names_and_its_id() {
    let plan = Asked::new().plan().unwrap();
    assert_eq!(plan.id.as_str(), "dt_1");
    assert_eq!(plan.domain, "dt_1.cdn.test");
    assert_eq!(plan.aliases, ["hats.cdn.test"]);
    let origin = &plan.origins[0];
    assert_eq!((&*origin.domain, &*origin.path), ("hats.origin.example", "/hats/all"));
    assert_eq!(origin.headers, [("x-shop".to_owned(), "of hats".to_owned())]);
    assert!(plan.enabled && plan.ipv6);
}

#[test]
fn a_tenant_gives_what_is_required_and_nothing_that_is_not_defined() {
    let mut asked = Asked::new();
    asked.parameters = parameters(&[("shop", "hats"), ("part", "felt")]);
    assert_eq!(asked.plan().unwrap().origins[0].path, "/hats/felt");
    for (given, says) in [
        (vec![("part", "felt")], "\"shop\" is required"),
        (vec![("shop", "hats"), ("size", "9")], "no parameter \"size\""),
        (vec![("shop", "hats"), ("shop", "caps")], "stands twice"),
        (vec![("shop", "")], "1 to 256 characters"),
    ] {
        asked.parameters = parameters(&given);
        let (code, message) = asked.refused();
        assert_eq!(code, ErrorCode::InvalidArgument, "{message}");
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn values_that_make_no_origin_are_refused() {
    for (value, code) in [("a b", ErrorCode::InvalidOrigin), ("http://x", ErrorCode::InvalidOrigin)]
    {
        let mut asked = Asked::new();
        asked.parameters = parameters(&[("shop", value)]);
        let (found, message) = asked.refused();
        assert_eq!(found, code, "{message}");
        assert!(message.contains("Origins.Items[0].DomainName"), "{message}");
    }
}

#[test]
fn names_that_no_certificate_covers_are_not_served() {
    let mut asked = Asked::new();
    asked.domains =
        ["hats.cdn.test", "www.own.example", "www.shared.example"].map(str::to_owned).into();
    assert_eq!(asked.plan().unwrap().aliases, ["hats.cdn.test"]);
    asked.config["ViewerCertificate"] =
        json!({"ACMCertificateArn": SHARED, "SSLSupportMethod": "sni-only"});
    let plan = asked.plan().unwrap();
    assert_eq!(plan.aliases, ["www.shared.example"]);
    assert_eq!(plan.viewer_tls.certificate.as_deref(), Some(SHARED));
    asked.certificate = Some(OWN);
    let plan = asked.plan().unwrap();
    assert_eq!(plan.aliases, ["www.own.example"]);
    assert_eq!(plan.viewer_tls.certificate.as_deref(), Some(OWN));
    asked.certificate = Some("arn:aws:acm:us-east-1:000000000000:certificate/none");
    assert_eq!(asked.refused().0, ErrorCode::EntityNotFound);
}

#[test]
fn names_must_be_names_and_few() {
    for (names, code) in [
        (vec!["no name"], ErrorCode::InvalidArgument),
        (vec!["a.example.com", "a.example.com"], ErrorCode::InvalidArgument),
        (vec!["dt_x.cdn.test"], ErrorCode::InvalidArgument),
        (vec!["d111111abcdef8.cdn.test"], ErrorCode::InvalidArgument),
        (vec!["a.b", "b.b", "c.b", "d.b", "e.b", "f.b"], ErrorCode::EntityLimitExceeded),
    ] {
        let mut asked = Asked::new();
        asked.domains = names.into_iter().map(str::to_owned).collect();
        assert_eq!(asked.refused().0, code);
    }
}

#[test]
fn a_tenants_countries_take_the_place_of_the_distributions() {
    let mut asked = Asked::new();
    asked.config["Restrictions"] = json!({"GeoRestriction": {
        "RestrictionType": "blacklist", "Quantity": 1, "Items": ["DE"]}});
    assert_eq!(asked.plan().unwrap().countries, Countries::Except(vec!["DE".into()]));
    let only = |kind, list: &[&str]| GeoRestrictionCustomization {
        restriction_type: kind,
        locations: Some(list.iter().map(|one| (*one).to_owned()).collect()),
    };
    asked.countries = Some(only(GeoRestrictionType::Whitelist, &["FR"]));
    assert_eq!(asked.plan().unwrap().countries, Countries::Only(vec!["FR".into()]));
    asked.countries = Some(only(GeoRestrictionType::None, &[]));
    assert_eq!(asked.plan().unwrap().countries, Countries::All);
    asked.countries = Some(only(GeoRestrictionType::Whitelist, &[]));
    assert_eq!(asked.refused().0, ErrorCode::InvalidGeoRestrictionParameter);
}

#[test]
fn a_tenant_serves_while_it_and_its_distribution_are_enabled() {
    for (distribution, tenant) in [(true, true), (true, false), (false, true)] {
        let mut asked = Asked::new();
        asked.config["Enabled"] = json!(distribution);
        asked.enabled = tenant;
        assert_eq!(asked.plan().unwrap().enabled, distribution && tenant);
    }
}

/// The template with one place changed: members of the origin and the behaviour are added.
fn changed(pointer: &str, value: &Value) -> Value {
    let mut config = template();
    match (pointer, value) {
        ("", _) => drop(config.as_object_mut().unwrap().remove("TenantConfig")),
        ("/Origins/Items/0", path) => config["Origins"]["Items"][0]["OriginPath"] = path.clone(),
        ("/DefaultCacheBehavior", Value::Object(more)) => {
            config["DefaultCacheBehavior"].as_object_mut().unwrap().extend(more.clone());
        }
        _ => {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            config.pointer_mut(parent).unwrap()[name] = value.clone();
        }
    }
    config
}

#[test]
fn a_multi_tenant_distribution_is_checked_before_it_has_tenants() {
    whole(&template()).unwrap();
    let definition = |schema: Value| {
        json!({"ParameterDefinitions": [
            {"Name": "shop", "Definition": {"StringSchema": schema}},
            {"Name": "part", "Definition": {"StringSchema": {"Required": true}}}]})
    };
    let origin = "/Origins/Items/0";
    let behaviour = "/DefaultCacheBehavior";
    for (pointer, value, path) in [
        ("", json!({}), "Origins.Items[0].DomainName"),
        (
            "/TenantConfig",
            definition(json!({"Required": false})),
            "TenantConfig.ParameterDefinitions[0]",
        ),
        (
            "/TenantConfig",
            definition(json!({"Required": true, "DefaultValue": ""})),
            "TenantConfig.ParameterDefinitions[0].Definition.StringSchema.DefaultValue",
        ),
        (
            "/TenantConfig/ParameterDefinitions/0/Name",
            json!("no name"),
            "ParameterDefinitions[0].Name",
        ),
        (
            "/TenantConfig/ParameterDefinitions/0/Name",
            json!("part"),
            "ParameterDefinitions[1].Name",
        ),
        ("/TenantConfig/ParameterDefinitions/0/Definition", json!({}), "StringSchema"),
        (origin, json!("/{{other}}"), "Origins.Items[0].OriginPath"),
        (origin, json!("/{{shop}"), "Origins.Items[0].OriginPath"),
        ("/Aliases", json!({"Quantity": 1, "Items": ["a.cdn.test"]}), "Aliases"),
        ("/PriceClass", json!("PriceClass_100"), "PriceClass"),
        ("/IsIPV6Enabled", json!(true), "IsIPV6Enabled"),
        (behaviour, json!({"MinTTL": 1}), "DefaultCacheBehavior.MinTTL"),
        (behaviour, json!({"SmoothStreaming": true}), "DefaultCacheBehavior.SmoothStreaming"),
    ] {
        let config = changed(pointer, &value);
        let faults = whole(&config).unwrap_err();
        let told = faults.0.iter().find(|fault| fault.path.contains(path));
        let told = told.unwrap_or_else(|| unreachable!("{path}: {faults}"));
        assert_eq!(told.code, ErrorCode::InvalidArgument, "{path}: {faults}");
    }
}

#[test]
fn a_standard_distribution_has_no_places_left_open() {
    let mut config = template();
    config["ConnectionMode"] = json!("direct");
    let faults = whole(&config).unwrap_err();
    assert!(faults.0.iter().any(|fault| fault.path == "TenantConfig"), "{faults}");
    config.as_object_mut().unwrap().remove("TenantConfig");
    let faults = whole(&config).unwrap_err();
    assert_eq!(faults.code(), ErrorCode::InvalidOrigin, "{faults}");
}

#[test]
fn the_connection_mode_is_for_good() {
    let (old, mut new) = (read(&template()), read(&template()));
    assert!(distribution::check_update(&old, &new).is_ok());
    new.connection_mode = Some(model::api::ConnectionMode::Direct);
    let faults = distribution::check_update(&old, &new).unwrap_err();
    assert_eq!((faults.code(), &*faults.0[0].path), (ErrorCode::IllegalUpdate, "ConnectionMode"));
}
