//! Which management API a command speaks to, and with which key.

use crate::{
    api::{Api, credentials},
    aws::{self, Access},
    cli::Place,
};
use anyhow::{Context, Result};
use kit::settings::Settings;

/// The management API of the Nearfront that runs in the data folder.
///
/// # Errors
/// When none runs there.
pub fn here(place: &Place) -> Result<Api> {
    access(&place.settings()?).map(Api::new)
}

/// The key and the address of the Nearfront that runs with these settings.
///
/// # Errors
/// When none runs there.
pub fn access(settings: &Settings) -> Result<Access> {
    let run = kit::runfile::read(&settings.data_dir)?;
    let control = run.control.with_context(|| {
        let folder = settings.data_dir.display();
        format!("the process in {folder} has no management API: name control's folder with --data")
    })?;
    aws::read(&settings.data_dir, control)
}

/// The API at this URL, with the credentials that the AWS tools would use.
///
/// # Errors
/// When the URL is none or there are no credentials.
pub async fn there(endpoint: &str, profile: Option<&str>) -> Result<Api> {
    let url = url::Url::parse(endpoint).with_context(|| format!("{endpoint} is not a URL"))?;
    let fine =
        matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none();
    anyhow::ensure!(fine, "{endpoint}: an http:// or https:// URL without a path is needed");
    let found = credentials::find(profile).await?;
    let access = Access {
        endpoint: endpoint.trim_end_matches('/').to_owned(),
        id: found.access_key_id().to_owned(),
        secret: found.secret_access_key().to_owned(),
    };
    Ok(Api::with_token(access, found.session_token().map(str::to_owned)))
}

/// Runs a command that waits for answers.
///
/// # Errors
/// Those of the command.
pub fn run<T>(command: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}
