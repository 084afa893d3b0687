//! Bending a configuration to what can be had here: what is not served is found by path, and left out
//! or refused as the user says.

use super::report::Note;
use crate::offline;
use anyhow::Result;
use model::api::{DistributionConfig, ViewerCertificate};
use planning::{Fault, defaults, difference};
use serde_json::Value;

/// Most settings that are left out of one distribution.
const MOST: usize = 200;

/// Settings that protect content: where one of them is left out, the distribution must not serve.
const PROTECTING: [&str; 10] = [
    "TrustedSigners",
    "TrustedKeyGroups",
    "WebACLId",
    "FunctionAssociations",
    "LambdaFunctionAssociations",
    "ViewerMtlsConfig",
    "ConnectionFunctionAssociation",
    "FieldLevelEncryptionId",
    "GeoRestriction",
    "Restrictions",
];

/// Leaves out what is not served here, until what remains is. What cannot be left out stays a fault.
///
/// # Errors
/// When the configuration has no JSON form.
pub(super) fn without(
    mut config: DistributionConfig,
    notes: &mut Vec<Note>,
) -> Result<(DistributionConfig, Vec<Fault>)> {
    let mut open = false;
    for _ in 0..MOST {
        let faults = offline::faults(&config);
        let Some(fault) = faults.first() else { break };
        let tree = difference::plain(serde_json::to_value(&config)?);
        let left = places(&fault.path).find_map(|place| left_without(&tree, place));
        let Some(left) = left.filter(|left| *left != config) else { return Ok((config, faults)) };
        notes.push(Note::new(&fault.path, format!("left out: {}", fault.message)));
        open |= protects(&fault.path);
        config = left;
    }
    if open && config.enabled {
        config.enabled = false;
        let why = "made disabled: what was left out protects content there";
        notes.push(Note::new("Enabled", why));
    }
    let faults = offline::faults(&config);
    Ok((config, faults))
}

/// The member at fault, then those that it is a part of: one that must be there goes with its whole.
/// Elements of lists are not given up for a part of them.
fn places(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |place| {
        place.rsplit_once('.').map(|(whole, _)| whole).filter(|whole| !whole.ends_with(']'))
    })
}

fn left_without(tree: &Value, place: &str) -> Option<DistributionConfig> {
    let mut tree = tree.clone();
    remove(&mut tree, place)?;
    let mut config: DistributionConfig = serde_json::from_value(tree).ok()?;
    defaults::fill(&mut config);
    Some(config)
}

/// Whether content is less protected without this. The paths of a behaviour that is gone fall to the
/// next one that matches, which may ask less of viewers.
fn protects(path: &str) -> bool {
    let behaviour = path.strip_prefix("CacheBehaviors.Items[");
    let whole = behaviour.is_some_and(|rest| rest.ends_with(']') && !rest.contains('.'));
    let named = |part: &str| {
        let name = part.split('[').next().unwrap_or_default();
        PROTECTING.contains(&name)
    };
    whole || path.split('.').any(named)
}

/// Takes the member at a path away, and counts its list anew.
fn remove(tree: &mut Value, path: &str) -> Option<()> {
    let (parent, end) = path.rsplit_once('.').unwrap_or(("", path));
    let (name, index) = match end.split_once('[') {
        Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
        None => (end, None),
    };
    let members = at(tree, parent)?.as_object_mut()?;
    let Some(index) = index else {
        return members.remove(name).map(|_| ());
    };
    let items = members.get_mut(name)?.as_array_mut().filter(|items| index < items.len())?;
    items.remove(index);
    let count = items.len();
    members.insert("Quantity".to_owned(), count.into());
    Some(())
}

fn at<'t>(tree: &'t mut Value, path: &str) -> Option<&'t mut Value> {
    let steps = path.split(['.', '[']).filter(|step| !step.is_empty());
    steps.into_iter().try_fold(tree, |tree, step| match step.strip_suffix(']') {
        Some(index) => tree.get_mut(index.parse::<usize>().ok()?),
        None => tree.get_mut(step),
    })
}

/// Leaves the continuous deployment policy off. It names a staging distribution there by a name that
/// only that side knows, so it is not imported.
pub(super) fn deployment(config: &mut DistributionConfig, notes: &mut Vec<Note>) {
    let policy = config.continuous_deployment_policy_id.take().filter(|id| !id.is_empty());
    if let Some(id) = policy {
        let why = format!("left off: {id}: continuous deployment policies are not imported");
        notes.push(Note::new("ContinuousDeploymentPolicyId", why));
    }
}

/// Puts the certificate here in the place of the one there, or leaves the names off that need one.
pub(super) fn certificate(
    config: &mut DistributionConfig,
    pairs: &[(String, String)],
    notes: &mut Vec<Note>,
) {
    let Some(certificate) = &mut config.viewer_certificate else { return };
    let own = [&certificate.acm_certificate_arn, &certificate.iam_certificate_id];
    let Some(there) = own.into_iter().flatten().find(|text| !text.is_empty()).cloned() else {
        return;
    };
    if let Some((_, here)) = pairs.iter().find(|(old, _)| *old == there) {
        certificate.acm_certificate_arn = Some(here.clone());
        certificate.iam_certificate_id = None;
        certificate.certificate = None;
        certificate.certificate_source = None;
        return;
    }
    let why = format!(
        "the key of {there} cannot be read: import the certificate here and say \
         --certificate {there}=ARN"
    );
    notes.push(Note::new("ViewerCertificate", why));
    *certificate = ViewerCertificate {
        cloud_front_default_certificate: Some(true),
        ..ViewerCertificate::default()
    };
    let names = config.aliases.as_ref().and_then(|list| list.items.as_ref());
    let names: Vec<_> = names.iter().flat_map(|names| names.iter()).cloned().collect();
    if !names.is_empty() {
        let why = format!("left off without a certificate: {}", names.join(", "));
        notes.push(Note::new("Aliases", why));
        config.aliases = Some(model::api::Aliases { quantity: 0, items: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn config(changes: &[(&str, Value)]) -> DistributionConfig {
        let mut config = json!({
            "CallerReference": "one", "Comment": "", "Enabled": true,
            "Origins": {"Quantity": 1, "Items": [{"Id": "web", "DomainName": "origin.example",
                "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}}]},
            "DefaultCacheBehavior": {"TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all",
                "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6"},
        });
        for (name, value) in changes {
            config[*name] = value.clone();
        }
        let mut config = serde_json::from_value(config).unwrap();
        defaults::fill(&mut config);
        config
    }

    #[test]
    fn what_is_good_stays_as_it_is() {
        let mut notes = Vec::new();
        let (left, faults) = without(config(&[]), &mut notes).unwrap();
        assert_eq!((left, faults.len(), notes.len()), (config(&[]), 0, 0));
    }

    #[test]
    fn what_cannot_be_left_out_stays_a_fault() {
        let mut bad = config(&[]);
        bad.default_cache_behavior.target_origin_id = "nowhere".into();
        let (_, faults) = without(bad, &mut Vec::new()).unwrap();
        assert_eq!(faults[0].path, "DefaultCacheBehavior.TargetOriginId");
    }

    #[test]
    fn names_go_with_the_certificate_that_covers_them() {
        let names = json!({"Quantity": 1, "Items": ["www.example.com"]});
        let certificate_there =
            json!({"ACMCertificateArn": "arn:old", "SSLSupportMethod": "sni-only"});
        let changes = [("Aliases", names), ("ViewerCertificate", certificate_there)];
        let (mut off, mut notes) = (config(&changes), Vec::new());
        certificate(&mut off, &[], &mut notes);
        assert_eq!(off.aliases.unwrap().quantity, 0);
        assert_eq!(notes.len(), 2);
        let (mut on, mut notes) = (config(&changes), Vec::new());
        certificate(&mut on, &[("arn:old".into(), "arn:new".into())], &mut notes);
        assert_eq!(on.viewer_certificate.unwrap().acm_certificate_arn.as_deref(), Some("arn:new"));
        assert_eq!((on.aliases.unwrap().quantity, notes.len()), (1, 0));
    }

    #[test]
    fn a_continuous_deployment_policy_stays_there() {
        let policy = [("ContinuousDeploymentPolicyId", json!("P1"))];
        let (mut attached, mut notes) = (config(&policy), Vec::new());
        deployment(&mut attached, &mut notes);
        defaults::fill(&mut attached);
        assert_eq!(attached, config(&[]));
        assert_eq!(notes.len(), 1);
        deployment(&mut attached, &mut notes);
        assert_eq!(notes.len(), 1);
    }

    #[test]
    fn what_is_less_protected_does_not_serve() {
        for path in [
            "DefaultCacheBehavior.TrustedKeyGroups",
            "CacheBehaviors.Items[1].TrustedSigners.Items[0]",
            "CacheBehaviors.Items[1]",
            "WebACLId",
            "Restrictions.GeoRestriction",
        ] {
            assert!(protects(path), "{path}");
        }
        assert!(!protects("Logging") && !protects("CacheBehaviors.Items[1].SmoothStreaming"));
        let mut signed = config(&[]);
        signed.default_cache_behavior.trusted_key_groups = Some(model::api::TrustedKeyGroups {
            enabled: true,
            quantity: 1,
            items: Some(vec!["group".to_owned()].into()),
        });
        if !offline::faults(&signed).is_empty() {
            let mut notes = Vec::new();
            let (left, faults) = without(signed, &mut notes).unwrap();
            assert!(faults.is_empty() && !left.enabled, "{faults:?} {notes:?}");
        }
    }

    #[test]
    fn items_are_taken_out_of_their_list() {
        let mut tree = json!({"A": {"Quantity": 2, "Items": [1, 2]}, "B": 1});
        assert_eq!(remove(&mut tree, "A.Items[0]"), Some(()));
        assert_eq!(remove(&mut tree, "B"), Some(()));
        assert_eq!(tree, json!({"A": {"Quantity": 1, "Items": [2]}}));
        assert_eq!(remove(&mut tree, "A.Items[7]"), None);
        assert_eq!(remove(&mut tree, "C.D"), None);
    }
}
