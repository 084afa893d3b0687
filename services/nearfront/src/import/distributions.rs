//! One distribution: read there, bent, its parts brought, and made here.

use super::{
    Import, bend,
    parts::{Part, Standing, differing, same},
    report::{Action, Note, Step},
    source::{self, read},
    tags::{self, Changes},
};
use crate::{
    api::{self, Refused},
    offline,
};
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
    fn fill(&mut self) {
        defaults::fill(self);
    }
}

impl Import<'_> {
    /// Imports one.
    ///
    /// # Errors
    /// When one of the two cannot be reached.
    pub(super) async fn distribution(&mut self, id: &str) -> Result<()> {
        let (there, _) = read::<Distribution>(&self.there, &format!("/distribution/{id}")).await?;
        let (mut config, mut notes) = (there.distribution_config, Vec::new());
        let tags = tags::own(source::tags(&self.there, &there.arn).await?, &mut notes);
        config.fill();
        bend::certificate(&mut config, &self.asked.certificate, &mut notes);
        bend::deployment(&mut config, &mut notes);
        // What was bent has defaults again.
        config.fill();
        self.groups(&config).await?;
        let (config, faults) = if self.asked.skip_unsupported {
            bend::without(config, &mut notes)?
        } else {
            let faults = offline::faults(&config);
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
        mut config: DistributionConfig,
        tags: &Tags,
    ) -> Result<()> {
        let standing = self.standing::<DistributionConfig>(&config.caller_reference).await?;
        let Some(standing) = standing else {
            return self.new_distribution(step, config, tags).await;
        };
        step.to = Some(standing.id.clone());
        // Policies of this kind are not imported, so whichever is attached here stays.
        config
            .continuous_deployment_policy_id
            .clone_from(&standing.config.continuous_deployment_policy_id);
        let (here, arn) = self.tags_here(&standing).await?;
        let changes = Changes::between(&here, tags)?;
        let same = same(&standing.config, &config)?;
        step.action = match (same && changes.is_empty(), self.asked.update) {
            (true, _) => Action::Unchanged,
            (_, false) => Action::Differs,
            (_, true) => {
                let wanted = (!same).then_some(&config);
                match self.replace(&standing, wanted, &changes, &arn).await? {
                    Ok(()) => self.done(Action::Updated),
                    Err(why) => {
                        step.notes.push(Note::new("", why));
                        return Ok(());
                    }
                }
            }
        };
        step.notes.extend(changes.notes());
        step.notes.extend(differing(step.action, Some(&standing.config), &config)?);
        Ok(())
    }

    async fn tags_here(&self, standing: &Standing<DistributionConfig>) -> Result<(Tags, String)> {
        let path = format!("/distribution/{}", standing.id);
        let (whole, _) = read::<Distribution>(&self.here, &path).await?;
        Ok((source::tags(&self.here, &whole.arn).await?, whole.arn))
    }

    /// The configuration only where another one is wanted: replacing it publishes it again.
    async fn replace(
        &self,
        standing: &Standing<DistributionConfig>,
        wanted: Option<&DistributionConfig>,
        changes: &Changes,
        arn: &str,
    ) -> Result<Result<(), String>> {
        if let Some(config) = wanted
            && let Err(why) = self.update(standing, config).await?
        {
            return Ok(Err(why));
        }
        self.tag(arn, changes).await
    }

    async fn new_distribution(
        &mut self,
        step: &mut Step,
        config: DistributionConfig,
        tags: &Tags,
    ) -> Result<()> {
        let Some(sent) = self.sendable(&config)? else {
            step.action = self.done(Action::Created);
            return Ok(());
        };
        let whole = sent == config;
        let sent = DistributionConfigWithTags { distribution_config: sent, tags: tags.clone() };
        let body = api::body("DistributionConfigWithTags", &sent)?;
        let answer = self.change(Method::POST, "/distribution?WithTags=", Vec::new(), body).await?;
        match answer.good() {
            Ok(good) => {
                step.action = self.done(Action::Created);
                // The answer to a dry run has a made-up id.
                if !self.asked.plan {
                    step.to = Some(good.shape::<Distribution>()?.id);
                }
                // What only stands in for something else gives no hints about it.
                let lints = good.all("x-nearfront-lint").into_iter().filter(|_| whole);
                step.notes.extend(lints.map(|lint| Note::new("", format!("lint: {lint}"))));
            }
            Err(Refused { code, message, .. }) => {
                step.notes.push(Note::new("", format!("{code}: {message}")));
            }
        }
        Ok(())
    }
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
