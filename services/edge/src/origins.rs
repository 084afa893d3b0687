//! Which driver asks an origin.

use kit::settings::{ObjectStore, Settings};
use model::plan::{Origin as OriginPlan, OriginKind};
use origin_http::{HttpOrigin, HttpOriginConfig};
use origin_object::{ObjectOrigin, StoreConfig};
use ports::origin::{Origin, OriginError, OriginRequest, OriginResponse};
use std::{collections::BTreeSet, sync::Arc};

/// Web servers, and buckets.
pub struct Origins {
    web: Arc<dyn Origin>,
    buckets: Option<ObjectOrigin>,
    /// Names that the operator has mapped one by one.
    mapped: BTreeSet<String>,
}

impl Origins {
    /// The drivers that settings ask for.
    ///
    /// # Errors
    /// What is wrong with an object store or with a file of authorities.
    pub fn new(settings: &Settings) -> Result<Self, OriginError> {
        let mut config = HttpOriginConfig::default();
        if let Some(path) = &settings.edge.origin_ca_file {
            let pem = std::fs::read(path).map_err(|why| {
                let told = format!("edge.origin_ca_file {}: {why}", path.display());
                OriginError::NotConfigured(told)
            })?;
            config.extra_roots_pem.push(pem);
        }
        let web: Arc<dyn Origin> = Arc::new(HttpOrigin::new(&config)?);
        let stores = settings.object_stores.iter();
        let stores = stores.map(|(name, store)| (name.clone(), driver_config(store)));
        let buckets = ObjectOrigin::new(stores.collect(), &settings.zone, &web)?;
        let names = settings.object_stores.keys();
        Ok(Self {
            web,
            buckets: Some(buckets),
            mapped: names.map(|name| name.to_ascii_lowercase()).collect(),
        })
    }

    /// One origin for everything, for tests.
    #[cfg(test)]
    pub fn only(origin: Arc<dyn Origin>) -> Self {
        Self { web: origin, buckets: None, mapped: BTreeSet::new() }
    }

    /// Asks an origin by the driver that its kind and its name call for.
    ///
    /// # Errors
    /// As the driver has them.
    pub async fn fetch(
        &self,
        origin: &OriginPlan,
        request: OriginRequest,
    ) -> Result<OriginResponse, OriginError> {
        let Some(buckets) = &self.buckets else {
            return self.web.fetch(origin, request).await;
        };
        match origin.kind {
            OriginKind::Bucket { .. } => buckets.fetch(origin, request).await,
            OriginKind::Custom { .. } if buckets.serves(&origin.domain) => {
                buckets.fetch(&self.as_bucket(origin), request).await
            }
            OriginKind::Custom { .. } => self.web.fetch(origin, request).await,
        }
    }

    /// A name that settings map is a bucket whatever the distribution calls it. Credentials are used
    /// only where the operator mapped this very name, not for every bucket of a store.
    fn as_bucket(&self, origin: &OriginPlan) -> OriginPlan {
        let sign = self.mapped.contains(&origin.domain.to_ascii_lowercase());
        OriginPlan { kind: OriginKind::Bucket { sign }, ..origin.clone() }
    }
}

fn driver_config(store: &ObjectStore) -> StoreConfig {
    StoreConfig {
        url: store.url.clone(),
        endpoint: store.endpoint.clone(),
        region: store.region.clone(),
        access_key_id: store.access_key_id.clone(),
        secret_access_key: store.secret_access_key.clone(),
        virtual_hosted_style: store.virtual_hosted_style,
    }
}
