//! What distributions refer to: found here by its name or caller reference, or made.

use super::{
    Import,
    report::{Action, Note, Step},
    source::read,
};
use crate::api::{self, escaped, versioned};
use anyhow::Result;
use http::Method;
use model::api::{
    CachePolicyConfig, CloudFrontOriginAccessIdentityConfig, KeyGroupConfig,
    OriginAccessControlConfig, OriginRequestPolicyConfig, PublicKeyConfig,
    ResponseHeadersPolicyConfig,
};
use planning::difference;
use serde::{Serialize, de::DeserializeOwned};

/// A kind of resource that distributions, or other such, refer to.
pub(super) trait Part: Serialize + DeserializeOwned + PartialEq + Clone {
    /// As it stands in ARNs.
    const KIND: &'static str;
    /// Where they are made: `/cache-policy`.
    const PATH: &'static str;
    /// Root element of the configuration.
    const ROOT: &'static str;
    /// What follows the id where one is replaced.
    const UPDATE: &'static str = "";
    /// What no other one has.
    fn name(&self) -> &str;
    /// Whether this is the managed one of this name, which is everywhere.
    fn is_managed(_id: &str) -> bool {
        false
    }
}

macro_rules! part {
    ($config:ident, $kind:literal, $path:literal, $update:literal, $name:ident $(, $managed:path)?) => {
        impl Part for $config {
            const KIND: &'static str = $kind;
            const PATH: &'static str = $path;
            const ROOT: &'static str = stringify!($config);
            const UPDATE: &'static str = $update;
            fn name(&self) -> &str {
                &self.$name
            }
            $(fn is_managed(id: &str) -> bool {
                $managed(id).is_some()
            })?
        }
    };
}

part!(
    CachePolicyConfig,
    "cache-policy",
    "/cache-policy",
    "",
    name,
    planning::managed::cache_policy
);
part!(
    OriginRequestPolicyConfig,
    "origin-request-policy",
    "/origin-request-policy",
    "",
    name,
    planning::managed::origin_request_policy
);
part!(
    ResponseHeadersPolicyConfig,
    "response-headers-policy",
    "/response-headers-policy",
    "",
    name,
    planning::managed::response_headers_policy
);
part!(
    OriginAccessControlConfig,
    "origin-access-control",
    "/origin-access-control",
    "/config",
    name
);
part!(PublicKeyConfig, "public-key", "/public-key", "/config", name);
part!(KeyGroupConfig, "key-group", "/key-group", "", name);
part!(
    CloudFrontOriginAccessIdentityConfig,
    "origin-access-identity",
    "/origin-access-identity/cloudfront",
    "/config",
    caller_reference
);

/// What stands here under a name.
pub(super) struct Standing<C> {
    pub(super) id: String,
    pub(super) tag: String,
    pub(super) config: C,
}

impl Import<'_> {
    /// The id here of what has this id there; none when it cannot be had here.
    ///
    /// # Errors
    /// When one of the two cannot be reached.
    pub(super) async fn part<P: Part>(&mut self, id: &str) -> Result<Option<String>> {
        if P::is_managed(id) {
            return Ok(Some(id.to_owned()));
        }
        let known = (P::KIND, id.to_owned());
        if let Some(found) = self.ids.get(&known) {
            return Ok(found.clone());
        }
        let (config, _) = read::<P>(&self.there, &format!("{}/{id}/config", P::PATH)).await?;
        let found = self.settle(id, config).await?;
        self.ids.insert(known, found.clone());
        Ok(found)
    }

    /// A key group with the public keys that it names.
    ///
    /// # Errors
    /// When one of the two cannot be reached.
    pub(super) async fn key_group(&mut self, id: &str) -> Result<Option<String>> {
        let known = (KeyGroupConfig::KIND, id.to_owned());
        if let Some(found) = self.ids.get(&known) {
            return Ok(found.clone());
        }
        let (mut config, _) =
            read::<KeyGroupConfig>(&self.there, &format!("/key-group/{id}/config")).await?;
        let mut keys = Vec::new();
        for key in config.items.iter() {
            keys.extend(self.part::<PublicKeyConfig>(key).await?);
        }
        let found = if keys.len() == config.items.len() {
            config.items = keys.into();
            self.settle(id, config).await?
        } else {
            self.refused(&config, id, "", "a public key of it cannot be had here");
            None
        };
        self.ids.insert(known, found.clone());
        Ok(found)
    }

    /// Finds it here, or makes it.
    async fn settle<P: Part>(&mut self, id: &str, config: P) -> Result<Option<String>> {
        let standing = self.standing::<P>(config.name()).await?;
        let asked = self.asked;
        let (action, to) = match &standing {
            Some(standing) if same(&standing.config, &config)? => {
                (Action::Unchanged, Some(standing.id.clone()))
            }
            Some(standing) if !asked.update => (Action::Differs, Some(standing.id.clone())),
            Some(standing) if asked.plan => (Action::WouldUpdate, Some(standing.id.clone())),
            Some(standing) => match self.update(standing, &config).await? {
                Ok(()) => (Action::Updated, Some(standing.id.clone())),
                Err(why) => return Ok(self.refused(&config, id, "", &why)),
            },
            None if asked.plan => (Action::WouldCreate, Some(planned(id))),
            None => match self.create(&config).await? {
                Ok(made) => (Action::Created, Some(made)),
                Err(why) => return Ok(self.refused(&config, id, "", &why)),
            },
        };
        let notes = differing(action, standing.as_ref().map(|one| &one.config), &config)?;
        let name = config.name().to_owned();
        let step = Step { kind: P::KIND, from: id.into(), to: to.clone(), name, action, notes };
        self.report.add(step);
        Ok(to)
    }

    fn refused<P: Part>(&mut self, config: &P, id: &str, path: &str, why: &str) -> Option<String> {
        self.report.add(Step {
            kind: P::KIND,
            from: id.to_owned(),
            to: None,
            name: config.name().to_owned(),
            action: Action::Refused,
            notes: vec![Note::new(path, why)],
        });
        None
    }

    /// What stands here under this name or caller reference.
    ///
    /// # Errors
    /// When this Nearfront cannot be reached.
    pub(super) async fn standing<P: Part>(&self, name: &str) -> Result<Option<Standing<P>>> {
        let target = format!("/nearfront/named?Kind={}&Name={}", P::KIND, escaped(name));
        let answer = self.here.call(Method::GET, &target, &[], String::new()).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        let body: serde_json::Value = serde_json::from_str(&answer.good()?.body)?;
        let id = body.get("Id").and_then(|id| id.as_str()).unwrap_or_default().to_owned();
        let (config, tag) = read(&self.here, &format!("{}/{id}/config", P::PATH)).await?;
        Ok(Some(Standing { id, tag, config }))
    }

    async fn create<P: Part>(&self, config: &P) -> Result<Result<String, String>> {
        let body = api::body(P::ROOT, config)?;
        let answer = self.here.call(Method::POST, &versioned(P::PATH), &[], body).await?;
        Ok(answer.good().map_err(|refused| refused.to_string()).and_then(|good| {
            let id = good.header("location").and_then(|place| place.rsplit('/').next());
            id.map(str::to_owned).ok_or_else(|| "the answer names no place".to_owned())
        }))
    }

    /// Replaces what stands here.
    ///
    /// # Errors
    /// When this Nearfront cannot be reached.
    pub(super) async fn update<P: Part>(
        &self,
        standing: &Standing<P>,
        config: &P,
    ) -> Result<Result<(), String>> {
        let path = versioned(&format!("{}/{}{}", P::PATH, standing.id, P::UPDATE));
        let headers = [("if-match", standing.tag.clone())];
        let body = api::body(P::ROOT, config)?;
        let answer = self.here.call(Method::PUT, &path, &headers, body).await?;
        Ok(answer.good().map(|_| ()).map_err(|refused| refused.to_string()))
    }
}

/// The id of what is not made yet.
fn planned(id: &str) -> String {
    format!("(new for {id})")
}

/// Whether both say the same: compared as they are once they have been sent.
pub(super) fn same<P: Part>(standing: &P, wanted: &P) -> Result<bool> {
    Ok(*standing == sent(wanted)?)
}

/// As it comes out at the other end.
fn sent<P: Part>(config: &P) -> Result<P> {
    let text = quick_xml::se::to_string_with_root(P::ROOT, config)?;
    Ok(quick_xml::de::from_str(&text)?)
}

/// What differs, where that matters.
pub(super) fn differing<P: Part>(
    action: Action,
    standing: Option<&P>,
    wanted: &P,
) -> Result<Vec<Note>> {
    let matters = matches!(action, Action::Differs | Action::Updated | Action::WouldUpdate);
    let Some(standing) = standing.filter(|_| matters) else { return Ok(Vec::new()) };
    let tree = |config: &P| anyhow::Ok(difference::plain(serde_json::to_value(config)?));
    let mut notes: Vec<_> = difference::between(&tree(standing)?, &tree(&sent(wanted)?)?)
        .into_iter()
        .map(|one| Note::new(one.path.clone(), one.to_string()))
        .collect();
    for note in &mut notes {
        let place = format!("{}: ", note.path);
        if let Some(rest) = note.reason.strip_prefix(&place) {
            note.reason = rest.to_owned();
        }
    }
    if action == Action::Differs {
        notes.push(Note::new("", "stands here otherwise and was left alone: --update replaces it"));
    }
    Ok(notes)
}
