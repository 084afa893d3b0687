//! `ListCertificates`: filters, order and pages.

use super::{
    api::is_used,
    card::{CARDS, Card, Whole},
    describe::{eligibility, kind, seconds, status},
    pem,
    refusal::Refusal,
};
use crate::{
    control::Control,
    store::{self, Kept},
    wire::fault::Fault,
};
use model::feed::{AUTHORITY, CERTIFICATES, Certificate, ZONE};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Most items of a page (ACM API reference, `MaxItems`).
const MOST_ITEMS: usize = 1000;
/// Records read at a time.
const BATCH: usize = 500;
/// Names that a summary has.
const MOST_NAMES: usize = 100;

/// The call's body.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct List {
    certificate_statuses: Option<Vec<String>>,
    certificate_key_pair_origins: Option<Vec<String>>,
    includes: Option<Includes>,
    next_token: Option<String>,
    max_items: Option<usize>,
    sort_by: Option<String>,
    sort_order: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Includes {
    key_types: Option<Vec<String>>,
    key_usage: Option<Vec<String>>,
    extended_key_usage: Option<Vec<String>>,
    export_option: Option<String>,
    managed_by: Option<String>,
}

/// A certificate with what filters look at.
struct Seen {
    whole: Whole,
    facts: Option<pem::Facts>,
}

pub(super) async fn list(control: &Control, wanted: List) -> Result<Value, Refusal> {
    let most = wanted.max_items.unwrap_or(MOST_ITEMS);
    if !(1..=MOST_ITEMS).contains(&most) {
        return Err(Refusal::validation(format!("MaxItems is 1 to {MOST_ITEMS}")));
    }
    let order = order(&wanted)?;
    let mut all: Vec<Seen> = all(control).await?.into_iter().map(Seen::of).collect();
    all.retain(|seen| wanted.shows(seen, control));
    match order {
        Order::ById => {}
        Order::Ascending => all.sort_by_key(|seen| (seen.whole.created(), seen.whole.id.clone())),
        Order::Descending => {
            all.sort_by_key(|seen| (seen.whole.created(), seen.whole.id.clone()));
            all.reverse();
        }
    }
    page(control, all, wanted.next_token.as_deref(), most).await
}

enum Order {
    ById,
    Ascending,
    Descending,
}

fn order(wanted: &List) -> Result<Order, Refusal> {
    match (wanted.sort_by.as_deref(), wanted.sort_order.as_deref()) {
        (None, None) => Ok(Order::ById),
        (Some("CREATED_AT"), None | Some("DESCENDING")) => Ok(Order::Descending),
        (Some("CREATED_AT"), Some("ASCENDING")) => Ok(Order::Ascending),
        _ => Err(Refusal::validation(
            "SortBy is CREATED_AT, SortOrder is ASCENDING or DESCENDING and goes with SortBy",
        )),
    }
}

/// All of them, in the order of their ids. The authority's and the zone's own certificates, and
/// those that came by way of another API, are none of ACM's.
async fn all(control: &Control) -> Result<Vec<Whole>, Fault> {
    let mut all = BTreeMap::new();
    for kept in every::<Certificate>(control, CERTIFICATES).await? {
        let id = kept.key.strip_prefix(CERTIFICATES).unwrap_or_default().to_owned();
        if ![AUTHORITY, ZONE].contains(&id.as_str()) && super::id_of(&kept.value.arn).is_some() {
            all.insert(id.clone(), Whole { id, card: None, record: Some(kept) });
        }
    }
    for kept in every::<Card>(control, CARDS).await? {
        let id = kept.key.strip_prefix(CARDS).unwrap_or_default().to_owned();
        let none = Whole { id: id.clone(), card: None, record: None };
        all.entry(id).or_insert(none).card = Some(kept);
    }
    Ok(all.into_values().collect())
}

/// Every record under a prefix.
pub(super) async fn every<T: DeserializeOwned>(
    control: &Control,
    prefix: &str,
) -> Result<Vec<Kept<T>>, Fault> {
    let (mut all, mut after) = (Vec::new(), None::<String>);
    loop {
        let page: Vec<Kept<T>> =
            store::list(control.store(), prefix, after.as_deref(), BATCH).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = Some(last.key.clone());
        all.extend(page);
    }
}

impl Seen {
    fn of(whole: Whole) -> Self {
        let record = whole.record.as_ref();
        let facts = record.and_then(|kept| pem::leaf_facts(&kept.value.chain).ok());
        Self { whole, facts }
    }

    fn key_algorithm(&self) -> &str {
        let card = self.whole.card.as_ref().map(|kept| kept.value.key_algorithm.as_str());
        let facts = self.facts.as_ref().map(|facts| facts.key_algorithm.as_str());
        facts.or(card).unwrap_or_default()
    }

    fn names(&self) -> &[String] {
        let card = self.whole.card.as_ref().map(|kept| kept.value.names.as_slice());
        let facts = self.facts.as_ref().map(|facts| facts.names.as_slice());
        card.or(facts).unwrap_or_default()
    }

    fn origin(&self) -> &'static str {
        if self.whole.card.is_some() { "AWS_MANAGED" } else { "CUSTOMER_PROVIDED" }
    }
}

impl List {
    fn shows(&self, seen: &Seen, control: &Control) -> bool {
        let among = |wanted: &Option<Vec<String>>, is: &str| {
            wanted.as_ref().is_none_or(|all| all.iter().any(|one| one == is))
        };
        let whole = |wanted: &Option<Vec<String>>, are: &[&str]| {
            wanted.as_ref().is_none_or(|all| all.iter().all(|one| are.contains(&one.as_str())))
        };
        let nothing = Includes::default();
        let includes = self.includes.as_ref().unwrap_or(&nothing);
        let facts = seen.facts.as_ref();
        let usages = facts.map(|facts| facts.key_usages.clone()).unwrap_or_default();
        let extended = facts.map(|facts| facts.extended_key_usages.clone()).unwrap_or_default();
        let extended: Vec<_> = extended.iter().map(|(name, _)| *name).collect();
        among(&self.certificate_statuses, status(&seen.whole, control.now()))
            && among(&self.certificate_key_pair_origins, seen.origin())
            && among(&includes.key_types, seen.key_algorithm())
            && whole(&includes.key_usage, &usages)
            && whole(&includes.extended_key_usage, &extended)
            && includes.export_option.as_deref().is_none_or(|option| option == "DISABLED")
            && includes.managed_by.is_none()
    }
}

async fn page(
    control: &Control,
    all: Vec<Seen>,
    token: Option<&str>,
    most: usize,
) -> Result<Value, Refusal> {
    let start = match token {
        None => 0,
        Some(token) => {
            let last = all.iter().position(|seen| seen.whole.id == token);
            let wrong =
                || Refusal::validation("NextToken is none that was given out, or is outdated");
            last.ok_or_else(wrong)? + 1
        }
    };
    let more = all.len() > start + most;
    let (mut summaries, mut last) = (Vec::new(), None);
    for seen in all.into_iter().skip(start).take(most) {
        summaries.push(summary(control, &seen).await?);
        last = Some(seen.whole.id);
    }
    let mut answer = json!({"CertificateSummaryList": summaries});
    if let (true, Some(last), Some(answer)) = (more, last, answer.as_object_mut()) {
        answer.insert("NextToken".into(), last.into());
    }
    Ok(answer)
}

async fn summary(control: &Control, seen: &Seen) -> Result<Value, Fault> {
    let whole = &seen.whole;
    let used = is_used(control, &whole.id).await?;
    let names = seen.names();
    let shown: Vec<_> = names.iter().take(MOST_NAMES).collect();
    let mut told = Map::from_iter([
        ("CertificateArn".to_owned(), json!(whole.arn())),
        ("DomainName".to_owned(), json!(names.first())),
        ("SubjectAlternativeNameSummaries".to_owned(), json!(shown)),
        ("HasAdditionalSubjectAlternativeNames".to_owned(), json!(names.len() > MOST_NAMES)),
        ("Status".to_owned(), json!(status(whole, control.now()))),
        ("Type".to_owned(), json!(kind(whole))),
        ("KeyAlgorithm".to_owned(), json!(seen.key_algorithm())),
        ("InUse".to_owned(), json!(used)),
        ("Exported".to_owned(), json!(false)),
        ("ExportOption".to_owned(), json!("DISABLED")),
        ("RenewalEligibility".to_owned(), json!(eligibility(whole))),
        ("CreatedAt".to_owned(), seconds(whole.created())),
        ("CertificateKeyPairOrigin".to_owned(), json!(seen.origin())),
    ]);
    if let (Some(kept), Some(facts)) = (&whole.record, &seen.facts) {
        let extended: Vec<_> = facts.extended_key_usages.iter().map(|(name, _)| name).collect();
        told.extend([
            ("NotBefore".to_owned(), seconds(kept.value.not_before)),
            ("NotAfter".to_owned(), seconds(kept.value.not_after)),
            ("KeyUsages".to_owned(), json!(facts.key_usages)),
            ("ExtendedKeyUsages".to_owned(), json!(extended)),
        ]);
        let put = seconds(kept.value.put.unwrap_or(kept.value.created));
        let when = if whole.card.is_some() { "IssuedAt" } else { "ImportedAt" };
        told.insert(when.into(), put);
    }
    Ok(told.into())
}
