//! What distributions refer to: found here by its name or caller reference, or made.

use super::{
    Import, planned,
    report::{Action, Note, Step},
    source::read,
};
use crate::api::{self, escaped};
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
    /// Fills in what has a default, so that what is sent is what stands here then.
    fn fill(&mut self) {}
}

macro_rules! part {
    ($config:ident, $kind:literal, $path:literal, $update:literal, $name:ident
        $(, $managed:path $(, $fill:path)?)?) => {
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
            }
            $(fn fill(&mut self) {
                $fill(self);
            })?)?
        }
    };
}

part!(
    CachePolicyConfig,
    "cache-policy",
    "/cache-policy",
    "",
    name,
    planning::managed::cache_policy,
    planning::policy::cache::fill
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
        let path = format!("{}/{id}/config", P::PATH);
        let (mut config, _) = read::<P>(&self.there, &path).await?;
        config.fill();
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
        let (action, to) = match &standing {
            Some(standing) if same(&standing.config, &config)? => {
                (Action::Unchanged, Some(standing.id.clone()))
            }
            Some(standing) if !self.asked.update => (Action::Differs, Some(standing.id.clone())),
            Some(standing) => match self.update(standing, &config).await? {
                Ok(()) => (self.done(Action::Updated), Some(standing.id.clone())),
                Err(why) => return Ok(self.refused(&config, id, "", &why)),
            },
            None => match self.create(id, &config).await? {
                Ok(made) => (self.done(Action::Created), Some(made)),
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
        let (mut config, tag) = read::<P>(&self.here, &format!("{}/{id}/config", P::PATH)).await?;
        config.fill();
        Ok(Some(Standing { id, tag, config }))
    }

    /// Makes it; its id here, which in a plan only stands for it.
    async fn create<P: Part>(&self, id: &str, config: &P) -> Result<Result<String, String>> {
        let Some(config) = self.sendable(config)? else { return Ok(Ok(planned::id(id))) };
        let body = api::body(P::ROOT, &config)?;
        let answer = self.change(Method::POST, P::PATH, Vec::new(), body).await?;
        let plan = self.asked.plan;
        Ok(answer.good().map_err(|refused| refused.to_string()).and_then(|good| {
            if plan {
                return Ok(planned::id(id));
            }
            let made = good.header("location").and_then(|place| place.rsplit('/').next());
            made.map(str::to_owned).ok_or_else(|| "the answer names no place".to_owned())
        }))
    }

    /// Replaces what stands here; in a plan, as far as that can be tried.
    ///
    /// # Errors
    /// When this Nearfront cannot be reached.
    pub(super) async fn update<P: Part>(
        &self,
        standing: &Standing<P>,
        config: &P,
    ) -> Result<Result<(), String>> {
        let Some(config) = self.sendable(config)? else { return Ok(Ok(())) };
        let path = format!("{}/{}{}", P::PATH, standing.id, P::UPDATE);
        let headers = vec![("if-match", standing.tag.clone())];
        let body = api::body(P::ROOT, &config)?;
        let answer = self.change(Method::PUT, &path, headers, body).await?;
        Ok(answer.good().map(|_| ()).map_err(|refused| refused.to_string()))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_policy_without_lifetimes_is_the_one_that_stands_here_with_them() {
        let read = |lifetimes: &str| {
            let text = format!("<C><Name>one</Name>{lifetimes}<MinTTL>0</MinTTL></C>");
            let mut config: CachePolicyConfig = quick_xml::de::from_str(&text).unwrap();
            config.fill();
            config
        };
        let here = read("<DefaultTTL>86400</DefaultTTL><MaxTTL>31536000</MaxTTL>");
        assert!(same(&here, &read("")).unwrap());
        assert!(!same(&here, &read("<DefaultTTL>1</DefaultTTL>")).unwrap());
    }
}
