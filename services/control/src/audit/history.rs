//! `LookupEvents`: records of the whole fleet, in the form that CloudTrail's clients speak.
//!
//! Source: CloudTrail API reference, `LookupEvents`; CloudTrail user guide, "CloudTrail record
//! contents".

use super::{
    fleet::{PREFIX, up_to},
    record::Record,
};
use crate::{
    control::Control,
    store::{self, Kept},
    wire::fault::{Common, Fault},
};
use model::units::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Most and default events of one answer.
const MOST: usize = 50;
/// Batches on one page of the store.
const PAGE: usize = 50;
/// Pages that one call reads at most; the next token goes on from there.
const MOST_PAGES: usize = 20;
/// A batch may hold records that are so much older than itself.
const SLACK: u64 = 60_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Lookup {
    #[serde(rename = "LookupAttributes")]
    attributes: Option<Vec<Attribute>>,
    start_time: Option<f64>,
    end_time: Option<f64>,
    max_results: Option<i64>,
    next_token: Option<String>,
    event_category: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Attribute {
    attribute_key: String,
    attribute_value: String,
}

/// What is looked for.
struct Wanted {
    attribute: Option<Attribute>,
    from: u64,
    until: u64,
    most: usize,
}

/// The next record to look at: the batch, and its place in it.
struct Place {
    batch: String,
    index: usize,
}

/// Looks events up.
///
/// # Errors
/// CloudTrail's own for each parameter; `ServiceUnavailable`.
pub async fn serve(control: &Control, body: &[u8]) -> Result<Value, Fault> {
    let body = if body.is_empty() { b"{}" } else { body };
    let lookup: Lookup = serde_json::from_slice(body)
        .map_err(|error| Fault::common(Common::ValidationError, error.to_string()))?;
    let wanted = wanted(&lookup)?;
    let start = lookup.next_token.as_deref().map(place).transpose()?;
    // What this process has done a moment ago is to be seen as well.
    control.audit.flush(control).await?;
    let (found, next) = search(control, &wanted, start).await?;
    let events: Vec<Value> = found.iter().map(|record| event(control, record)).collect();
    let mut answer = json!({"Events": events});
    if let (Some(next), Some(answer)) = (next, answer.as_object_mut()) {
        answer.insert("NextToken".to_owned(), next.into());
    }
    Ok(answer)
}

fn wanted(lookup: &Lookup) -> Result<Wanted, Fault> {
    if lookup.event_category.is_some() {
        let message = "EventCategory: there are no insight events here: leave it out";
        return Err(Fault::common(Common::ValidationError, message));
    }
    let attribute = match lookup.attributes.as_deref() {
        None | Some([]) => None,
        Some([one]) => Some(one.clone()),
        Some(_) => return Err(attributes("LookupAttributes may hold one attribute")),
    };
    if let Some(Attribute { attribute_key, .. }) = &attribute
        && !ATTRIBUTES.contains(&attribute_key.as_str())
    {
        return Err(attributes(format!("AttributeKey must be one of {}", ATTRIBUTES.join(", "))));
    }
    let (from, until) =
        (milliseconds(lookup.start_time, 0), milliseconds(lookup.end_time, u64::MAX));
    if until < from {
        let message = "EndTime must not be before StartTime";
        return Err(Fault::common(Common::InvalidTimeRange, message));
    }
    let most = match lookup.max_results {
        None => MOST,
        Some(most) => {
            usize::try_from(most).ok().filter(|most| (1..=MOST).contains(most)).ok_or_else(
                || Fault::common(Common::InvalidMaxResults, "MaxResults must be 1 to 50"),
            )?
        }
    };
    Ok(Wanted { attribute, from, until, most })
}

fn attributes(message: impl Into<String>) -> Fault {
    Fault::common(Common::InvalidLookupAttributes, message)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float saturates, which is what a bound wants"
)]
fn milliseconds(seconds: Option<f64>, otherwise: u64) -> u64 {
    seconds.map_or(otherwise, |seconds| (seconds * 1000.0) as u64)
}

/// `BATCH.INDEX`, as it was given out.
fn place(token: &str) -> Result<Place, Fault> {
    let parts = token.rsplit_once('.').and_then(|(batch, index)| {
        let fine = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let plain = !batch.is_empty() && batch.len() <= 64 && batch.bytes().all(fine);
        let index = index.parse().ok()?;
        plain.then(|| Place { batch: format!("{PREFIX}{batch}"), index })
    });
    parts.ok_or_else(|| {
        let message = "NextToken must be the one of the answer before";
        Fault::common(Common::InvalidNextToken, message)
    })
}

fn token(batch: &str, index: usize) -> String {
    format!("{}.{index}", batch.strip_prefix(PREFIX).unwrap_or_default())
}

/// Goes through batches from the newest on, as far as needed and no further than the bound.
async fn search(
    control: &Control,
    wanted: &Wanted,
    start: Option<Place>,
) -> Result<(Vec<Record>, Option<String>), Fault> {
    let mut found = Vec::new();
    let mut after = match &start {
        Some(place) => before(&place.batch),
        None => up_to(Timestamp(wanted.until.saturating_add(SLACK))),
    };
    for _ in 0..MOST_PAGES {
        let page: Vec<Kept<Vec<Record>>> =
            store::list(control.store(), PREFIX, Some(&after), PAGE).await?;
        let whole = page.len() == PAGE;
        for Kept { key, value, .. } in page {
            after.clone_from(&key);
            if key > up_to(Timestamp(wanted.from))
                && value.iter().all(|one| time_of(one) < wanted.from)
            {
                return Ok((found, None));
            }
            let skip =
                start.as_ref().filter(|place| place.batch == key).map_or(0, |place| place.index);
            for (index, record) in value.into_iter().enumerate().skip(skip) {
                if !fits(wanted, &record) {
                    continue;
                }
                if found.len() == wanted.most {
                    return Ok((found, Some(token(&key, index))));
                }
                found.push(record);
            }
        }
        if !whole {
            return Ok((found, None));
        }
    }
    let next = token(&format!("{after}0"), 0);
    Ok((found, Some(next)))
}

/// A key that comes just before this one, with nothing between them.
fn before(key: &str) -> String {
    let mut text = key.to_owned();
    match text.pop().and_then(|last| char::from_u32(u32::from(last).saturating_sub(1))) {
        Some(less) => format!("{text}{less}\u{7f}"),
        None => text,
    }
}

/// The attributes that can be looked up.
const ATTRIBUTES: [&str; 8] = [
    "EventId",
    "EventName",
    "ReadOnly",
    "Username",
    "ResourceType",
    "ResourceName",
    "EventSource",
    "AccessKeyId",
];

fn fits(wanted: &Wanted, record: &Record) -> bool {
    let at = time_of(record);
    if at < wanted.from || at > wanted.until {
        return false;
    }
    let Some(Attribute { attribute_key, attribute_value: value }) = &wanted.attribute else {
        return true;
    };
    match attribute_key.as_str() {
        "EventId" => record.request == *value,
        "EventName" => record.operation == *value,
        "ReadOnly" => (!record.write).to_string() == *value,
        "Username" => record.user == *value,
        "EventSource" => source(record) == *value,
        "AccessKeyId" => record.key == *value,
        "ResourceType" => record.resources.iter().any(|arn| type_of(arn) == *value),
        "ResourceName" => {
            record.resources.iter().any(|arn| arn == value || arn.rsplit('/').next() == Some(value))
        }
        _ => false,
    }
}

fn time_of(record: &Record) -> u64 {
    OffsetDateTime::parse(&record.time, &Rfc3339)
        .ok()
        .and_then(|time| u64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok())
        .unwrap_or_default()
}

fn source(record: &Record) -> String {
    if record.service.is_empty() {
        String::new()
    } else {
        format!("{}.amazonaws.com", record.service)
    }
}

/// `AWS::CloudFront::Distribution` of `arn:aws:cloudfront::1:distribution/E1`.
fn type_of(arn: &str) -> String {
    let mut parts = arn.split(':').skip(2);
    let service = match parts.next().unwrap_or_default() {
        "acm" => "ACM",
        "cloudfront" => "CloudFront",
        "iam" => "IAM",
        other => other,
    };
    let kind = parts.nth(2).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let word = |part: &str| {
        let mut letters = part.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    format!("AWS::{service}::{}", kind.split('-').map(word).collect::<String>())
}

fn event(control: &Control, record: &Record) -> Value {
    let resources: Vec<Value> = record
        .resources
        .iter()
        .map(|arn| json!({"ResourceType": type_of(arn), "ResourceName": arn}))
        .collect();
    json!({
        "EventId": record.request,
        "EventName": record.operation,
        "ReadOnly": (!record.write).to_string(),
        "AccessKeyId": record.key,
        "EventTime": f64::from(u32::try_from(time_of(record) / 1000).unwrap_or(u32::MAX)),
        "EventSource": source(record),
        "Username": record.user,
        "Resources": resources,
        "CloudTrailEvent": whole(control, record).to_string(),
    })
}

/// The event itself, with the names that CloudTrail's records have.
fn whole(control: &Control, record: &Record) -> Value {
    let kind = match (record.principal.as_str(), record.user.as_str()) {
        ("", _) => "Unknown",
        (_, "root") => "Root",
        _ => "IAMUser",
    };
    let mut event = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": kind,
            "arn": record.principal,
            "accountId": control.account,
            "accessKeyId": record.key,
            "userName": record.user,
        },
        "eventTime": record.time,
        "eventSource": source(record),
        "eventName": record.operation,
        "awsRegion": record.region,
        "sourceIPAddress": record.from,
        "userAgent": record.agent,
        "requestParameters": null,
        "responseElements": null,
        "additionalEventData": additional(record),
        "requestID": record.request,
        "eventID": record.request,
        "readOnly": !record.write,
        "resources": record.resources.iter().map(|arn| json!({"ARN": arn})).collect::<Vec<_>>(),
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": control.account,
        "eventCategory": "Management",
    });
    if let (false, Some(event)) = (record.error.is_empty(), event.as_object_mut()) {
        event.insert("errorCode".to_owned(), record.error.clone().into());
    }
    event
}

/// What CloudTrail leaves to each service to say.
fn additional(record: &Record) -> Value {
    if record.dry_run {
        return json!({"httpStatus": record.status, "dryRun": true});
    }
    json!({"httpStatus": record.status})
}
