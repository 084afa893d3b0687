//! `up --site DIR`: a folder becomes an origin, and a distribution is made for it once.
//!
//! Folders are remembered in the data folder, so that their distributions keep working when `up` is
//! started for another folder or for none.

use crate::api::Api;
use anyhow::{Context, Result, bail, ensure};
use kit::settings::{ObjectStore, Settings};
use model::api::{Distribution, DistributionList};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// Where folders are remembered: origin names and paths.
const FILE: &str = "sites.json";
/// `Managed-CachingOptimized` (CloudFront developer guide, managed cache policies).
const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
/// How long an edge in this very process may take to put a distribution in force.
const DEPLOYED_WITHIN: Duration = Duration::from_secs(15);

/// A folder that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Name of its origin.
    origin: String,
    /// Where it is, from the root.
    folder: PathBuf,
}

/// Maps all folders that were ever served to their origins in `settings`, `folder` among them.
///
/// # Errors
/// When `folder` is none, or the list of folders cannot be kept.
pub fn map(settings: &mut Settings, folder: Option<&Path>) -> Result<Option<Site>> {
    let path = settings.data_dir.join(FILE);
    let mut known = remembered(&path)?;
    let site = folder.map(|folder| named(&settings.zone, folder)).transpose()?;
    if let Some(site) = &site {
        known.insert(site.origin.clone(), site.folder.clone());
        kit::whole::write(&path, &serde_json::to_vec_pretty(&known)?)
            .with_context(|| path.display().to_string())?;
    }
    for (origin, folder) in known {
        settings.object_stores.insert(origin, store(&folder)?);
    }
    Ok(site)
}

fn remembered(path: &Path) -> Result<BTreeMap<String, PathBuf>> {
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged: remove it", path.display())),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(why) => Err(why).with_context(|| path.display().to_string()),
    }
}

/// A folder's origin has a name of its own, so two folders never share a cache or a distribution.
fn named(zone: &str, folder: &Path) -> Result<Site> {
    let whole = folder.canonicalize().with_context(|| format!("--site {}", folder.display()))?;
    ensure!(whole.is_dir(), "--site {}: this is not a folder", folder.display());
    let bytes = whole.as_os_str().as_encoded_bytes();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mark: String = hex::encode(digest).chars().take(10).collect();
    Ok(Site { origin: format!("site-{mark}.{zone}"), folder: whole })
}

fn store(folder: &Path) -> Result<ObjectStore> {
    let Ok(url) = url::Url::from_directory_path(folder) else {
        bail!("{}: this folder's path has no URL", folder.display());
    };
    Ok(ObjectStore { url: url.into(), ..ObjectStore::default() })
}

/// The site's distribution, made if there is none yet, once edges have it.
///
/// # Errors
/// When the management API refuses.
pub async fn distribution(api: &Api, site: &Site) -> Result<String> {
    match existing(api, site).await? {
        Some(domain) => Ok(domain),
        None => made(api, site).await,
    }
}

async fn existing(api: &Api, site: &Site) -> Result<Option<String>> {
    let mut marker = None;
    loop {
        let page: DistributionList = api.get(&listing(marker.as_deref())).await?;
        let mut all = page.items.iter().flat_map(|items| items.iter());
        let ours = all.find(|one| {
            let mut origins = one.origins.items.iter();
            origins.any(|origin| origin.domain_name == site.origin)
        });
        if let Some(ours) = ours {
            return Ok(Some(ours.domain_name.clone()));
        }
        match page.next_marker.filter(|_| page.is_truncated) {
            Some(next) => marker = Some(next),
            None => return Ok(None),
        }
    }
}

fn listing(marker: Option<&str>) -> String {
    match marker {
        Some(marker) => format!("/distribution?Marker={marker}&MaxItems=100"),
        None => "/distribution?MaxItems=100".to_owned(),
    }
}

async fn made(api: &Api, site: &Site) -> Result<String> {
    let made: Distribution = api.post("/distribution", config(site)).await?;
    let deployed = async {
        let path = format!("/distribution/{}", made.id);
        while api.get::<Distribution>(&path).await?.status != "Deployed" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::Ok(())
    };
    let waited = tokio::time::timeout(DEPLOYED_WITHIN, deployed).await;
    waited.context("the edge does not take up the new distribution")??;
    Ok(made.domain_name)
}

/// The caller reference is the origin's name: asked twice, the API makes it once.
fn config(site: &Site) -> String {
    let Site { origin, folder } = site;
    let folder: String = folder.display().to_string().chars().take(100).collect();
    let comment = quick_xml::escape::escape(format!("up --site {folder}")).into_owned();
    format!(
        "<DistributionConfig><CallerReference>{origin}</CallerReference>\
         <DefaultRootObject>index.html</DefaultRootObject>\
         <Origins><Quantity>1</Quantity><Items><Origin><Id>site</Id><DomainName>{origin}</DomainName>\
         <S3OriginConfig><OriginAccessIdentity></OriginAccessIdentity></S3OriginConfig></Origin></Items></Origins>\
         <DefaultCacheBehavior><TargetOriginId>site</TargetOriginId>\
         <ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy><Compress>true</Compress>\
         <CachePolicyId>{CACHING_OPTIMIZED}</CachePolicyId></DefaultCacheBehavior>\
         <Comment>{comment}</Comment><Enabled>true</Enabled></DistributionConfig>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(data: &Path) -> Settings {
        Settings { data_dir: data.to_owned(), ..Settings::default() }
    }

    #[test]
    fn a_folder_keeps_its_origin_and_others_get_their_own() {
        let data = tempfile::tempdir().unwrap();
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = map(&mut settings(data.path()), Some(one.path())).unwrap().unwrap();
        let second = map(&mut settings(data.path()), Some(two.path())).unwrap().unwrap();
        assert_ne!(first.origin, second.origin);
        let again = map(&mut settings(data.path()), Some(one.path())).unwrap().unwrap();
        assert_eq!(first, again);
    }

    #[test]
    fn folders_of_earlier_starts_are_still_served() {
        let data = tempfile::tempdir().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let site = map(&mut settings(data.path()), Some(folder.path())).unwrap().unwrap();
        let mut later = settings(data.path());
        assert_eq!(map(&mut later, None).unwrap(), None);
        let url = &later.object_stores[&site.origin].url;
        let whole = folder.path().canonicalize().unwrap();
        assert_eq!(url, &format!("file://{}/", whole.display()));
    }

    #[test]
    fn what_is_no_folder_is_refused() {
        let data = tempfile::tempdir().unwrap();
        let missing = data.path().join("missing");
        assert!(map(&mut settings(data.path()), Some(&missing)).is_err());
        std::fs::write(&missing, "a file").unwrap();
        assert!(map(&mut settings(data.path()), Some(&missing)).is_err());
    }
}
