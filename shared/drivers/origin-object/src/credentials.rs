//! Who signs requests to S3.

use crate::{config::StoreConfig, connector::Connector};
use object_store::{
    RetryConfig, StaticCredentialProvider,
    aws::{AmazonS3Builder, AwsCredential, AwsCredentialProvider},
};
use parking_lot::Mutex;
use ports::origin::Origin;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long we ask anonymously before we look for the machine's credentials again.
const PAUSE: Duration = Duration::from_mins(1);

/// Who signs.
pub(crate) enum Credentials {
    /// Nobody.
    None,
    /// A key from the settings.
    Fixed(AwsCredentialProvider),
    /// Whoever this machine is: environment, web identity, container or instance.
    Machine {
        /// Looks it up, and renews it.
        provider: AwsCredentialProvider,
        /// When the last look was in vain.
        failed: Mutex<Option<Instant>>,
    },
}

impl Credentials {
    /// The key in the settings. Without one: the machine's own at Amazon's servers, and nobody's
    /// at any other endpoint, which would not know them.
    ///
    /// # Errors
    /// When the machine's environment contradicts itself.
    pub fn of_s3(
        config: &StoreConfig,
        own_endpoint: bool,
        transport: &Arc<dyn Origin>,
    ) -> Result<Self, String> {
        if let (Some(id), Some(secret)) = (&config.access_key_id, &config.secret_access_key) {
            let credential =
                AwsCredential { key_id: id.clone(), secret_key: secret.0.clone(), token: None };
            return Ok(Self::Fixed(Arc::new(StaticCredentialProvider::new(credential))));
        }
        if own_endpoint {
            return Ok(Self::None);
        }
        Self::machine(transport)
    }

    fn machine(transport: &Arc<dyn Origin>) -> Result<Self, String> {
        let store = AmazonS3Builder::from_env()
            .with_bucket_name("credentials-only")
            .with_http_connector(Connector::new(transport))
            .with_retry(no_retries())
            .build()
            .map_err(|e| format!("the machine's credentials: {e}"))?;
        Ok(Self::Machine { provider: Arc::clone(store.credentials()), failed: Mutex::default() })
    }

    /// The credential to sign with right now; none: ask anonymously.
    pub async fn now(&self) -> Option<Arc<AwsCredential>> {
        match self {
            Self::None => None,
            Self::Fixed(provider) => provider.get_credential().await.ok(),
            Self::Machine { provider, failed } => {
                if failed.lock().is_some_and(|at| at.elapsed() < PAUSE) {
                    return None;
                }
                look(provider, failed).await
            }
        }
    }
}

async fn look(
    provider: &AwsCredentialProvider,
    failed: &Mutex<Option<Instant>>,
) -> Option<Arc<AwsCredential>> {
    match provider.get_credential().await {
        Ok(credential) => Some(credential),
        Err(error) => {
            tracing::warn!(
                %error,
                "this machine has no credentials for S3, so requests go unsigned for a minute; \
                 set access_key_id and secret_access_key of the store"
            );
            *failed.lock() = Some(Instant::now());
            None
        }
    }
}

/// Attempts are the transport's business.
pub(crate) fn no_retries() -> RetryConfig {
    RetryConfig { max_retries: 0, ..RetryConfig::default() }
}
