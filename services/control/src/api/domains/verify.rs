//! Whether the DNS leads a tenant's names to its connection group.

use super::domain_name;
use crate::{
    api::{connection_groups, tenants},
    control::Control,
    resolver::{Led, Lost},
    sigv4::Authorised,
    wire::{
        call::Call,
        fault::Fault,
        reply::{Answer, Reply},
    },
};
use futures::future::join_all;
use model::api::{
    DnsConfiguration, DnsConfigurationStatus as Status, ErrorCode, VerifyDnsConfigurationRequest,
    VerifyDnsConfigurationResult,
};

/// `VerifyDnsConfiguration`: of one name of a tenant, or of all.
pub(super) async fn verify(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: VerifyDnsConfigurationRequest = call.body()?;
    let tenant = tenants::identified(control, &body.identifier).await?.value;
    let names = match body.domain.filter(|text| !text.is_empty()) {
        None => tenant.domains.clone(),
        Some(text) => {
            let name = domain_name("Domain", &text)?;
            if !tenant.domains.contains(&name) {
                let message = format!("Domain: {name} is no domain of the tenant {}", tenant.id);
                return Err(Fault::new(ErrorCode::EntityNotFound, message));
            }
            vec![name]
        }
    };
    let group = connection_groups::of_id(control, &tenant.group).await?;
    let endpoint = control.resolver.led(&group.endpoint).await;
    let judged = names.into_iter().map(|name| async {
        let led = control.resolver.led(&name).await;
        judged(name, led, &group.endpoint, endpoint.as_ref())
    });
    let shown = VerifyDnsConfigurationResult {
        dns_configuration_list: Some(join_all(judged).await.into_iter().collect()),
    };
    Reply::shape(call, &shown)
}

/// A name leads there by a CNAME, or by having an address in common with the endpoint: an apex cannot
/// have a CNAME, and names that are delegated to our own servers have none.
fn judged(
    domain: String,
    led: Result<Led, Lost>,
    endpoint: &str,
    there: Result<&Led, &Lost>,
) -> DnsConfiguration {
    let (status, reason) = match (led, there) {
        (Ok(led), _) if led.names.contains(endpoint) => {
            (Status::ValidConfiguration, format!("a CNAME record leads to {endpoint}"))
        }
        (Ok(led), Ok(there)) if !led.addresses.is_disjoint(&there.addresses) => {
            (Status::ValidConfiguration, format!("it has the addresses of {endpoint}"))
        }
        (Ok(led), Err(Lost::Unknown(why))) if led.names.is_empty() => (
            Status::UnknownConfiguration,
            format!("its addresses cannot be compared with those of {endpoint}: {why}"),
        ),
        (Ok(led), _) => (Status::InvalidConfiguration, elsewhere(&led, endpoint)),
        (Err(why @ Lost::Nothing), _) => {
            (Status::InvalidConfiguration, format!("{why}: add a CNAME record to {endpoint}"))
        }
        (Err(why), _) => (Status::UnknownConfiguration, why.to_string()),
    };
    DnsConfiguration { domain, status, reason: Some(reason) }
}

fn elsewhere(led: &Led, endpoint: &str) -> String {
    let names = led.names.iter().map(String::as_str).collect::<Vec<_>>();
    let addresses = led.addresses.iter().map(ToString::to_string).collect::<Vec<_>>();
    let shown = if names.is_empty() { addresses.join(", ") } else { names.join(", ") };
    let shown: String = shown.chars().take(500).collect();
    format!("it leads to {shown}: let a CNAME record lead to {endpoint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINT: &str = "d1.cdn.test";

    fn led(names: &[&str], addresses: &[&str]) -> Led {
        Led {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn what_leads_to_the_endpoint_is_valid_and_doubt_is_unknown() {
        let there = led(&[], &["192.0.2.1", "2001:db8::1"]);
        let silent = Lost::Unknown("silence".into());
        for (asked, endpoint, status) in [
            (Ok(led(&[ENDPOINT], &[])), Ok(&there), Status::ValidConfiguration),
            (Ok(led(&["x.test", ENDPOINT], &[])), Err(&silent), Status::ValidConfiguration),
            (Ok(led(&[], &["2001:db8::1"])), Ok(&there), Status::ValidConfiguration),
            (Ok(led(&[], &["192.0.2.9"])), Ok(&there), Status::InvalidConfiguration),
            (Ok(led(&[], &["192.0.2.9"])), Err(&Lost::Nothing), Status::InvalidConfiguration),
            (Ok(led(&["x.test"], &["192.0.2.9"])), Err(&silent), Status::InvalidConfiguration),
            (Ok(led(&[], &["192.0.2.1"])), Err(&silent), Status::UnknownConfiguration),
            (Err(Lost::Nothing), Ok(&there), Status::InvalidConfiguration),
            (Err(silent.clone()), Ok(&there), Status::UnknownConfiguration),
        ] {
            let case = format!("{asked:?} {endpoint:?}");
            let told = judged("www.example.com".into(), asked, ENDPOINT, endpoint);
            assert_eq!(told.status, status, "{case}");
            assert!(told.reason.is_some_and(|reason| !reason.is_empty()), "{case}");
        }
    }
}
