//! One distribution: read there, bent, its parts brought, and made here.

use super::{
    Import, bend,
    parts::{Part, Standing, differing, same},
    report::{Action, Note, Step},
    source::{read, tags},
};
use crate::api::{self, Refused, escaped, versioned};
use anyhow::Result;
use http::Method;
use model::api::{
    CachePolicyConfig, CloudFrontOriginAccessIdentityConfig, Distribution, DistributionConfig,
    DistributionConfigWithTags, OriginAccessControlConfig, OriginRequestPolicyConfig,
    ResponseHeadersPolicyConfig, Tags,
};
use planning::defaults;

/// What stands before the id of an origin access identity.
const IDENTITY: &str = "origin-access-identity/cloudfront/";

impl Part for DistributionConfig {
    const KIND: &'static str = "distribution";
    const PATH: &'static str = "/distribution";
    const ROOT: &'static str = "DistributionConfig";
    const UPDATE: &'static str = "/config";
    fn name(&self) -> &str {
        &self.caller_reference
    }
}

impl Import<'_> {
    /// Imports one.
    ///
    /// # Errors
    /// When one of the two cannot be reached.
    pub(super) async fn distribution(&mut self, id: &str) -> Result<()> {
        let (there, _) = read::<Distribution>(&self.there, &format!("/distribution/{id}")).await?;
        let tags = tags(&self.there, &there.arn).await?;
        let (mut config, mut notes) = (there.distribution_config, Vec::new());
        defaults::fill(&mut config);
        bend::certificate(&mut config, &self.asked.certificate, &mut notes);
        self.groups(&config).await?;
        let (config, faults) = if self.asked.skip_unsupported {
            bend::without(config, &mut notes)?
        } else {
            let faults = bend::faults(&config);
            (config, faults)
        };
        let name = config.caller_reference.clone();
        notes.extend(faults.iter().map(|fault| Note::new(&fault.path, fault.message.clone())));
        let mut step = Step {
            kind: DistributionConfig::KIND,
            from: id.to_owned(),
            to: None,
            name,
            action: Action::Refused,
            notes,
        };
        if faults.is_empty() {
            match self.mapped(config).await? {
                Ok(config) => self.settle_distribution(&mut step, config, &tags).await?,
                Err(note) => step.notes.push(note),
            }
        }
        self.report.add(step);
        Ok(())
    }

    /// Key groups come along, whether or not they can be attached.
    async fn groups(&mut self, config: &DistributionConfig) -> Result<()> {
        let default = config.default_cache_behavior.trusted_key_groups.iter();
        let items = config.cache_behaviors.iter().flat_map(|list| list.items.iter());
        let others =
            items.flat_map(|items| items.iter()).filter_map(|one| one.trusted_key_groups.as_ref());
        let groups = default.chain(others).flat_map(|groups| groups.items.iter());
        let groups: Vec<String> = groups.flat_map(|items| items.iter()).cloned().collect();
        for group in groups {
            self.key_group(&group).await?;
        }
        Ok(())
    }

    /// With the ids that its parts have here, or what is missing.
    async fn mapped(
        &mut self,
        mut config: DistributionConfig,
    ) -> Result<Result<DistributionConfig, Note>> {
        for (path, origin) in numbered("Origins.Items", config.origins.items.0.iter_mut()) {
            if let Some(id) = &mut origin.origin_access_control_id
                && !self.swap::<OriginAccessControlConfig>(id).await?
            {
                return Ok(missing(&path, "OriginAccessControlId", id));
            }
            if let Some(s3) = &mut origin.s3_origin_config
                && !self.swap_identity(&mut s3.origin_access_identity).await?
            {
                return Ok(missing(&path, "OriginAccessIdentity", &s3.origin_access_identity));
            }
        }
        let default = &mut config.default_cache_behavior;
        let ids = [
            &mut default.cache_policy_id,
            &mut default.origin_request_policy_id,
            &mut default.response_headers_policy_id,
        ];
        if let Err(note) = self.policies("DefaultCacheBehavior", ids).await? {
            return Ok(Err(note));
        }
        self.groups_here(default.trusted_key_groups.as_mut()).await?;
        let items = config.cache_behaviors.iter_mut().flat_map(|list| list.items.iter_mut());
        let items = items.flat_map(|items| items.0.iter_mut());
        for (path, one) in numbered("CacheBehaviors.Items", items) {
            let ids = [
                &mut one.cache_policy_id,
                &mut one.origin_request_policy_id,
                &mut one.response_headers_policy_id,
            ];
            if let Err(note) = self.policies(&path, ids).await? {
                return Ok(Err(note));
            }
            self.groups_here(one.trusted_key_groups.as_mut()).await?;
        }
        Ok(Ok(config))
    }

    async fn policies(
        &mut self,
        path: &str,
        [cache, request, response]: [&mut Option<String>; 3],
    ) -> Result<Result<(), Note>> {
        if let Some(id) = cache
            && !self.swap::<CachePolicyConfig>(id).await?
        {
            return Ok(missing(path, "CachePolicyId", id));
        }
        if let Some(id) = request
            && !self.swap::<OriginRequestPolicyConfig>(id).await?
        {
            return Ok(missing(path, "OriginRequestPolicyId", id));
        }
        if let Some(id) = response
            && !self.swap::<ResponseHeadersPolicyConfig>(id).await?
        {
            return Ok(missing(path, "ResponseHeadersPolicyId", id));
        }
        Ok(Ok(()))
    }

    /// Puts the id here in the place of the one there; false when there is none.
    async fn swap<P: Part>(&mut self, id: &mut String) -> Result<bool> {
        if id.is_empty() {
            return Ok(true);
        }
        let Some(here) = self.part::<P>(id).await? else { return Ok(false) };
        *id = here;
        Ok(true)
    }

    async fn swap_identity(&mut self, text: &mut String) -> Result<bool> {
        let Some(id) = text.strip_prefix(IDENTITY).map(str::to_owned) else { return Ok(true) };
        let here = self.part::<CloudFrontOriginAccessIdentityConfig>(&id).await?;
        let Some(here) = here else { return Ok(false) };
        *text = format!("{IDENTITY}{here}");
        Ok(true)
    }

    async fn groups_here(
        &mut self,
        groups: Option<&mut model::api::TrustedKeyGroups>,
    ) -> Result<()> {
        for id in groups
            .into_iter()
            .flat_map(|groups| groups.items.iter_mut())
            .flat_map(|items| items.0.iter_mut())
        {
            if let Some(here) = self.key_group(id).await? {
                *id = here;
            }
        }
        Ok(())
    }

    /// Finds it here by its caller reference, or makes it.
    async fn settle_distribution(
        &mut self,
        step: &mut Step,
        config: DistributionConfig,
        tags: &Tags,
    ) -> Result<()> {
        let standing = self.standing::<DistributionConfig>(&config.caller_reference).await?;
        let Some(mut standing) = standing else {
            return self.new_distribution(step, config, tags).await;
        };
        defaults::fill(&mut standing.config);
        step.to = Some(standing.id.clone());
        let (here, arn) = self.tags_here(&standing).await?;
        let same = same(&standing.config, &config)? && tagged(&here) == tagged(tags);
        step.action = match (same, self.asked.update, self.asked.plan) {
            (true, ..) => Action::Unchanged,
            (_, false, _) => Action::Differs,
            (_, true, true) => Action::WouldUpdate,
            (_, true, false) => match self.replace(&standing, &config, tags, &arn).await? {
                Ok(()) => Action::Updated,
                Err(why) => {
                    step.notes.push(Note::new("", why));
                    Action::Refused
                }
            },
        };
        step.notes.extend(differing(step.action, Some(&standing.config), &config)?);
        Ok(())
    }

    async fn tags_here(&self, standing: &Standing<DistributionConfig>) -> Result<(Tags, String)> {
        let path = format!("/distribution/{}", standing.id);
        let (whole, _) = read::<Distribution>(&self.here, &path).await?;
        Ok((tags(&self.here, &whole.arn).await?, whole.arn))
    }

    async fn replace(
        &self,
        standing: &Standing<DistributionConfig>,
        config: &DistributionConfig,
        tags: &Tags,
        arn: &str,
    ) -> Result<Result<(), String>> {
        if let Err(why) = self.update(standing, config).await? {
            return Ok(Err(why));
        }
        if tagged(tags).is_empty() {
            return Ok(Ok(()));
        }
        let path = versioned(&format!("/tagging?Operation=Tag&Resource={}", escaped(arn)));
        let answer = self.here.call(Method::POST, &path, &[], api::body("Tags", tags)?).await?;
        Ok(answer.good().map(|_| ()).map_err(|refused| refused.to_string()))
    }

    async fn new_distribution(
        &mut self,
        step: &mut Step,
        config: DistributionConfig,
        tags: &Tags,
    ) -> Result<()> {
        if self.asked.plan {
            step.action = Action::WouldCreate;
            return Ok(());
        }
        let whole = DistributionConfigWithTags { distribution_config: config, tags: tags.clone() };
        let body = api::body("DistributionConfigWithTags", &whole)?;
        let path = versioned("/distribution?WithTags=");
        let answer = self.here.call(Method::POST, &path, &[], body).await?;
        match answer.good() {
            Ok(good) => {
                step.action = Action::Created;
                step.to = Some(good.shape::<Distribution>()?.id);
                let lints = good.all("x-nearfront-lint").into_iter();
                step.notes.extend(lints.map(|lint| Note::new("", format!("lint: {lint}"))));
            }
            Err(Refused { code, message, .. }) => {
                step.notes.push(Note::new("", format!("{code}: {message}")));
            }
        }
        Ok(())
    }
}

fn tagged(tags: &Tags) -> Vec<(String, String)> {
    let items = tags.items.iter().flat_map(|items| items.iter());
    let mut all: Vec<_> =
        items.map(|tag| (tag.key.clone(), tag.value.clone().unwrap_or_default())).collect();
    all.sort();
    all
}

fn missing<T>(path: &str, member: &str, id: &str) -> Result<T, Note> {
    Err(Note::new(format!("{path}.{member}"), format!("{id} could not be imported")))
}

fn numbered<T>(
    path: &'static str,
    items: impl Iterator<Item = T>,
) -> impl Iterator<Item = (String, T)> {
    items.enumerate().map(move |(index, one)| (format!("{path}[{index}]"), one))
}
