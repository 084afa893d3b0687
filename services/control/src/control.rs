//! What every handler works with.

use crate::{counts::Counts, sigv4::Keys};
use kit::service::World;
use model::units::Timestamp;
use ports::metastore::MetaStore;
use std::sync::{Arc, atomic::AtomicU64};

/// The management API's own state; nothing in it outlives the process.
pub struct Control {
    pub(crate) keys: Keys,
    pub(crate) zone: String,
    pub(crate) account: String,
    /// Invalidations created by this process.
    pub(crate) created: AtomicU64,
    pub(crate) counts: Counts,
    // Last, so that its drain goes last: once it is gone, nobody here holds the store.
    pub(crate) world: World,
}

impl Control {
    /// From what the service was started with.
    pub fn new(settings: &kit::settings::Settings, world: World) -> Self {
        Self {
            keys: Keys::of(Arc::clone(&world.store)),
            zone: settings.zone.to_ascii_lowercase(),
            account: settings.account_id.clone(),
            created: AtomicU64::new(0),
            counts: Counts::of(&world.metrics),
            world,
        }
    }

    pub(crate) fn store(&self) -> &dyn MetaStore {
        &*self.world.store
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// `arn:aws:cloudfront::ACCOUNT:distribution/ID`.
    pub(crate) fn distribution_arn(&self, id: &str) -> String {
        format!("arn:aws:cloudfront::{}:distribution/{id}", self.account)
    }

    /// `arn:aws:acm:us-east-1:ACCOUNT:certificate/UUID`: the region that CloudFront wants.
    pub(crate) fn certificate_arn(&self, id: &str) -> String {
        format!("arn:aws:acm:us-east-1:{}:certificate/{id}", self.account)
    }
}
