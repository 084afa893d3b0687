//! Which records are resources that a user changes, and what of them is the user's own.

use crate::{api::resource::record_key, ids, store::key};
use planning::difference;
use serde_json::{Map, Value};

/// Kinds whose versions are kept, as they stand in ARNs and in keys. None of them holds a secret:
/// certificates and access keys are not among them.
pub const KINDS: [&str; 23] = [
    "distribution",
    "streaming-distribution",
    "distribution-tenant",
    "connection-group",
    "cache-policy",
    "origin-request-policy",
    "response-headers-policy",
    "continuous-deployment-policy",
    "origin-access-control",
    "origin-access-identity",
    "public-key",
    "key-group",
    "field-level-encryption-config",
    "field-level-encryption-profile",
    "realtime-log-config",
    "monitoring-subscription",
    "function",
    "connection-function",
    "key-value-store",
    "vpcorigin",
    "anycast-ip-list",
    "trust-store",
    "resource-policy",
];

/// Members of records that say how a record stands, not what the user wants.
const BOOKKEEPING: [&str; 4] = ["id", "etag", "created", "modified"];

/// One resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// Its kind.
    pub kind: &'static str,
    /// Its id, or its name where that is its id.
    pub id: String,
}

impl Resource {
    /// Of this kind, if versions of it are kept.
    pub fn of(kind: &str, id: &str) -> Option<Self> {
        let kind = KINDS.iter().find(|one| **one == kind)?;
        ids::is_plain(id).then(|| Self { kind, id: id.to_owned() })
    }

    /// Whose record, or whose tags, this key is.
    pub fn by_key(place: &str) -> Option<Self> {
        let place = place.strip_prefix("tags/").unwrap_or(place);
        let (kind, id) = place.split_once('/')?;
        Self::of(kind, id)
    }

    /// Kind and id of what clients know by an ARN: itself, or what it belongs to.
    pub fn owner(&self) -> (&str, &str) {
        match self.kind {
            "monitoring-subscription" => ("distribution", &self.id),
            "resource-policy" => self.id.split_once('-').unwrap_or((self.kind, &self.id)),
            kind => (kind, &self.id),
        }
    }

    /// Whether clients know it by an ARN of its own.
    pub fn has_arn(&self) -> bool {
        self.owner().0 == self.kind
    }

    /// The key of its record.
    pub fn record(&self) -> String {
        record_key(self.kind, &self.id)
    }

    /// The key of its tags.
    pub fn tags(&self) -> String {
        key::resource_tags(self.kind, &self.id)
    }
}

impl std::fmt::Display for Resource {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}", self.kind, self.id)
    }
}

/// What the user wants of a resource, from its record and its tags: the record without what the
/// server keeps for itself, and `Tags` by key.
pub fn state(record: &[u8], tags: Option<&[u8]>) -> Value {
    let record: Value = serde_json::from_slice(record).unwrap_or_default();
    let mut record = difference::plain(record);
    if let Some(members) = record.as_object_mut() {
        members.retain(|name, value| !BOOKKEEPING.contains(&name.as_str()) && !value.is_null());
        members.get_mut("config").map(without_stages_bookkeeping);
        let tags = tags.map(tags_by_key).unwrap_or_default();
        if !tags.is_empty() {
            members.insert("Tags".into(), tags.into());
        }
    }
    record
}

/// The stages of functions have some of their own.
fn without_stages_bookkeeping(config: &mut Value) {
    for stage in ["/development", "/live", "/live/stage"] {
        if let Some(members) = config.pointer_mut(stage).and_then(Value::as_object_mut) {
            members.retain(|name, _| !BOOKKEEPING.contains(&name.as_str()));
        }
    }
}

fn tags_by_key(tags: &[u8]) -> Map<String, Value> {
    let tags: Vec<model::api::Tag> = serde_json::from_slice(tags).unwrap_or_default();
    tags.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default().into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_records_and_tags_of_resources_are_versioned() {
        let known = |place| Resource::by_key(place).map(|one| one.to_string());
        assert_eq!(known("distribution/E1").as_deref(), Some("distribution/E1"));
        assert_eq!(known("tags/distribution/E1").as_deref(), Some("distribution/E1"));
        for other in [
            "plan/E1",
            "certificate/zone",
            "access-key/AKIA",
            "use/cache-policy/x/E1",
            "name/cache-policy/x",
            "distribution/E1/more",
            "history/distribution/E1/1",
            "distribution/",
        ] {
            assert_eq!(known(other), None, "{other}");
        }
    }

    #[test]
    fn what_has_no_arn_of_its_own_belongs_to_what_has_one() {
        for (place, owner) in [
            ("distribution/E1", ("distribution", "E1")),
            ("monitoring-subscription/E1", ("distribution", "E1")),
            ("resource-policy/vpcorigin-vo_1-2", ("vpcorigin", "vo_1-2")),
        ] {
            let resource = Resource::by_key(place).unwrap();
            assert_eq!(resource.owner(), owner, "{place}");
            assert_eq!(resource.has_arn(), place.starts_with(owner.0), "{place}");
        }
    }

    #[test]
    fn what_the_server_keeps_for_itself_is_no_change() {
        let one = br#"{"id":"1","etag":"E1","created":null,"modified":1,"config":{"Name":"a"}}"#;
        let two = br#"{"id":"1","etag":"E2","created":5,"modified":9,"config":{"Name":"a"}}"#;
        assert_eq!(state(one, None), state(two, None));
        let stages = |etag, at| {
            let stage = format!(r#"{{"config":{{}},"code":"x","modified":{at}}}"#);
            let live = format!(r#"{{"etag":"{etag}","stage":{stage}}}"#);
            format!(r#"{{"config":{{"name":"f","development":{stage},"live":{live}}}}}"#)
        };
        let functions = [stages("E1", 1), stages("E2", 2)];
        let [one, two] = functions.map(|record| state(record.as_bytes(), None));
        assert_eq!(one, two);
        assert_eq!(one["config"]["live"]["stage"]["code"], "x");
        let one = br#"{"id":"1","etag":"E1","created":null,"modified":1,"config":{"Name":"a"}}"#;
        let tags = br#"[{"Key":"team","Value":"web"}]"#;
        assert_eq!(state(one, Some(tags))["Tags"]["team"], "web");
    }
}
