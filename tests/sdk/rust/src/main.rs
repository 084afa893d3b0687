//! One round of the unmodified AWS SDK for Rust: create, update, wait, invalidate, wait, delete.
//!
//! The endpoint and the key come from the environment, as `nearfront env` prints them. Prints one JSON
//! object that says what was seen; any error ends it with status 1.

use aws_sdk_cloudfront::{
    Client, Config, Error,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    error::ProvideErrorMetadata as _,
    types::{
        CustomOriginConfig, DefaultCacheBehavior, Distribution, DistributionConfig, Invalidation,
        InvalidationBatch, Origin, OriginProtocolPolicy, Origins, Paths, ViewerProtocolPolicy,
    },
};
use std::{env, time::Duration};

/// `Managed-CachingOptimized`.
const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
/// How long is waited for a status.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long between two looks at it.
const PAUSE: Duration = Duration::from_millis(50);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let client = client()?;
    let made = client.create_distribution().distribution_config(config()?).send().await?;
    let id = made.distribution().ok_or("no distribution in the answer")?.id().to_owned();
    deployed(&client, &id).await?;
    let (comment, tag, stale) = update(&client, &id).await?;
    deployed(&client, &id).await?;
    invalidate(&client, &id).await?;
    let mut pages = client.list_distributions().into_paginator().page_size(1).send();
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await {
        let list = page?.distribution_list.ok_or("no list in the answer")?;
        listed.extend(list.items().iter().map(|item| item.id().to_owned()));
    }
    client.delete_distribution().id(&id).if_match(tag).send().await?;
    let gone = client.get_distribution().id(&id).send().await;
    let gone = gone.err().and_then(|error| error.code().map(str::to_owned));
    let seen = serde_json::json!({
        "Id": id, "comment": comment, "stale": stale, "listed": listed, "gone": gone,
    });
    println!("{seen}");
    Ok(())
}

fn client() -> Outcome<Client> {
    let key = Credentials::new(
        env::var("AWS_ACCESS_KEY_ID")?,
        env::var("AWS_SECRET_ACCESS_KEY")?,
        None,
        None,
        "environment",
    );
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(env::var("AWS_ENDPOINT_URL")?)
        .region(Region::new(env::var("AWS_REGION")?))
        .credentials_provider(key)
        .retry_config(RetryConfig::disabled())
        .build();
    Ok(Client::from_conf(config))
}

fn config() -> Outcome<DistributionConfig> {
    let web = CustomOriginConfig::builder()
        .http_port(80)
        .https_port(443)
        .origin_protocol_policy(OriginProtocolPolicy::HttpOnly)
        .build()?;
    let origin =
        Origin::builder().id("web").domain_name("localhost").custom_origin_config(web).build()?;
    let behaviour = DefaultCacheBehavior::builder()
        .target_origin_id("web")
        .viewer_protocol_policy(ViewerProtocolPolicy::AllowAll)
        .cache_policy_id(CACHING_OPTIMIZED)
        .build()?;
    let config = DistributionConfig::builder()
        .caller_reference(format!("rust-{}", std::process::id()))
        .comment("made by Rust")
        .enabled(true)
        .origins(Origins::builder().quantity(1).items(origin).build()?)
        .default_cache_behavior(behaviour);
    Ok(config.build()?)
}

/// The new comment, the new entity tag, and the error of an update with the old one.
async fn update(client: &Client, id: &str) -> Outcome<(String, String, Option<String>)> {
    let read = client.get_distribution_config().id(id).send().await?;
    let tag = read.e_tag().ok_or("no entity tag")?.to_owned();
    let mut changed = read.distribution_config.ok_or("no configuration in the answer")?;
    "changed by Rust".clone_into(&mut changed.comment);
    changed.enabled = false;
    let put = || client.update_distribution().id(id).distribution_config(changed.clone());
    let updated = put().if_match(&tag).send().await?;
    let stale = put().if_match(&tag).send().await.err();
    let stale = stale.map(Error::from).and_then(|error| error.code().map(str::to_owned));
    let tag = updated.e_tag().ok_or("no entity tag")?.to_owned();
    let config = updated.distribution.and_then(|one| one.distribution_config);
    Ok((config.ok_or("no configuration in the answer")?.comment, tag, stale))
}

async fn invalidate(client: &Client, id: &str) -> Outcome<()> {
    let paths = Paths::builder().quantity(2).items("/index.html").items("/images/*").build()?;
    let batch = InvalidationBatch::builder().caller_reference("one").paths(paths).build()?;
    let made = client.create_invalidation().distribution_id(id).invalidation_batch(batch);
    let made = made.send().await?.invalidation.ok_or("no invalidation in the answer")?;
    let look = || client.get_invalidation().distribution_id(id).id(made.id()).send();
    tokio::time::timeout(PATIENCE, async {
        while look().await?.invalidation().map(Invalidation::status) != Some("Completed") {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    })
    .await?
}

async fn deployed(client: &Client, id: &str) -> Outcome<()> {
    tokio::time::timeout(PATIENCE, async {
        let look = || client.get_distribution().id(id).send();
        while look().await?.distribution().map(Distribution::status) != Some("Deployed") {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    })
    .await?
}
