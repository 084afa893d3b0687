//! The account with the certificate authority: made once, its key sealed in the store.

use super::{Trouble, http::Http};
use crate::{
    control::Control,
    sigv4::sha256_hex,
    store::{self, Change, Kept, Otherwise},
    wire::fault::Fault,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use instant_acme::{Account, AccountCredentials, ExternalAccountKey, NewAccount};
use model::{
    feed::{Sealed, Secret},
    units::Timestamp,
};
use ports::metastore::Check;
use serde::{Deserialize, Serialize};

/// Prefix of the keys of accounts.
pub const ACCOUNTS: &str = "acme-account/";

/// An account: `acme-account/DIGEST`, by the digest of its directory's URL.
#[derive(Serialize, Deserialize)]
struct Record {
    /// Of which authority.
    directory: String,
    /// URL and key, as JSON, sealed.
    credentials: Sealed,
    created: Timestamp,
}

/// The account with the authority of settings. It is made if there is none yet.
pub(super) async fn account(control: &Control, http: &Http) -> Result<Account, Trouble> {
    let directory = control.settings.acme.directory.clone().unwrap_or_default();
    let place = format!("{ACCOUNTS}{}", sha256_hex(directory.as_bytes()));
    let kept: Option<Kept<Record>> = store::get(control.store(), &place).await?;
    match kept {
        Some(kept) => known(control, http, &kept).await,
        None => new(control, http, directory, place).await,
    }
}

async fn known(control: &Control, http: &Http, kept: &Kept<Record>) -> Result<Account, Trouble> {
    let text = control.open(&kept.key, &kept.value.credentials)?;
    // The text of the error might quote the key.
    let credentials: AccountCredentials = serde_json::from_str(&text.0)
        .map_err(|_| Fault::internal("an ACME account is unreadable"))?;
    Ok(Account::builder_with_http(Box::new(http.clone())).from_credentials(credentials).await?)
}

async fn new(
    control: &Control,
    http: &Http,
    directory: String,
    place: String,
) -> Result<Account, Trouble> {
    let contact = control.settings.acme.contact.as_ref();
    let contact = contact.map(|mailbox| format!("mailto:{mailbox}"));
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let wanted = NewAccount {
        contact: &contact,
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let bound = binding(control)?;
    let (account, credentials) = Account::builder_with_http(Box::new(http.clone()))
        .create(&wanted, directory.clone(), bound.as_ref())
        .await?;
    let text = serde_json::to_string(&credentials).map_err(Fault::internal)?;
    let credentials = control.seal(&place, &Secret(text))?;
    let record = Record { directory, credentials, created: control.now() };
    let mut change = Change::default();
    change.when(Check::Absent(place.clone()), Otherwise::Again).put(place, &record)?;
    change.commit(control.store()).await?;
    Ok(account)
}

/// Binds the account to one that its owner has with the authority (RFC 8555 §7.3.4).
fn binding(control: &Control) -> Result<Option<ExternalAccountKey>, Trouble> {
    let acme = &control.settings.acme;
    let (Some(id), Some(key)) = (&acme.eab_key_id, &acme.eab_key) else { return Ok(None) };
    let key = URL_SAFE_NO_PAD.decode(key.0.trim_end_matches('='));
    let key = key.map_err(|_| Trouble::Later("acme.eab_key is not base64url".into()))?;
    Ok(Some(ExternalAccountKey::new(id.clone(), &key)))
}
