//! Server certificates, kept beside those of ACM under ids of their own.
//!
//! Not for: attaching them to distributions, which `rules/planning` refuses by name.
//!
//! Source: IAM API reference, `UploadServerCertificate` and its siblings.

use super::{
    Ask,
    answer::Answer,
    user::{check_name, check_path},
};
use crate::{
    acm,
    control::Control,
    ids,
    store::{self, Change, Kept, Otherwise, key},
    wire::fault::{Common, Fault},
};
use model::{api::ErrorCode, feed::Certificate, units::Timestamp};
use planning::Quota;
use ports::metastore::Check;
use serde::{Deserialize, Serialize};

/// Prefix of what is known of them by name.
const CARDS: &str = "iam-server-certificate/";
/// Longest name.
const MOST_NAME: usize = 128;

/// What is known of one: `iam-server-certificate/NAME`, the name in small letters. The certificate
/// itself stands where all stand, under `id`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Card {
    name: String,
    path: String,
    id: String,
    uploaded: Timestamp,
    expires: Timestamp,
}

impl Card {
    fn arn(&self, account: &str) -> String {
        format!("arn:aws:iam::{account}:server-certificate{}{}", self.path, self.name)
    }

    fn write(&self, element: &mut Answer, control: &Control) {
        element
            .text("Path", &self.path)
            .text("ServerCertificateName", &self.name)
            .text("ServerCertificateId", &self.id)
            .text("Arn", &self.arn(&control.account))
            .text("UploadDate", &ids::iso(self.uploaded))
            .text("Expiration", &ids::iso(self.expires));
    }
}

fn place(name: &str) -> String {
    format!("{CARDS}{}", name.to_ascii_lowercase())
}

/// `arn:aws:iam::ACCOUNT:server-certificate/PATH/NAME` of the one of this name, if there is one.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn arn_of(control: &Control, name: &str) -> Result<Option<String>, Fault> {
    if check_name(name, MOST_NAME).is_err() {
        return Ok(None);
    }
    let kept: Option<Kept<Card>> = store::get(control.store(), &place(name)).await?;
    Ok(kept.map(|kept| kept.value.arn(&control.account)))
}

async fn find(ask: &Ask<'_>) -> Result<Kept<Card>, Fault> {
    let name = ask.form.required("ServerCertificateName")?;
    check_name(name, MOST_NAME)?;
    let found = store::get(ask.control.store(), &place(name)).await?;
    found.ok_or_else(|| {
        let message = format!("there is no server certificate with name {name}");
        Fault::common(Common::NoSuchEntity, message)
    })
}

/// `UploadServerCertificate`.
pub async fn upload(ask: &Ask<'_>) -> Result<Answer, Fault> {
    ask.form.only(&[
        "ServerCertificateName",
        "Path",
        "CertificateBody",
        "PrivateKey",
        "CertificateChain",
    ])?;
    let name = ask.form.required("ServerCertificateName")?;
    check_name(name, MOST_NAME)?;
    let path = ask.form.get("Path").unwrap_or("/");
    check_path(path)?;
    let pem = (
        ask.form.required("CertificateBody")?,
        ask.form.get("CertificateChain"),
        ask.form.required("PrivateKey")?,
    );
    let card = store::settle(|| async {
        let mut change = Change::default();
        let mut card = Card {
            name: name.to_owned(),
            path: path.to_owned(),
            id: ids::server_certificate(),
            uploaded: ask.control.now(),
            expires: Timestamp(0),
        };
        let names = (card.id.clone(), card.arn(&ask.control.account));
        let made = acm::upload(ask.control, &mut change, (&names.0, &names.1), pem);
        card.expires = made.map_err(wrong)?.not_after;
        room(ask, &mut change).await?;
        let message = format!("a server certificate with name {name} already exists");
        let taken = Fault::new(ErrorCode::EntityAlreadyExists, message);
        change.when_or(Check::Absent(place(name)), taken).put(place(name), &card)?;
        change.commit(ask.control.store()).await?;
        Ok(card)
    })
    .await?;
    let mut answer = Answer::with_result();
    answer.inside("ServerCertificateMetadata", |element| card.write(element, ask.control));
    Ok(answer)
}

async fn room(ask: &Ask<'_>, change: &mut Change) -> Result<(), Fault> {
    let most = ask.control.quotas.most(Quota::ServerCertificates);
    if ask.control.take_room(change, (CARDS, key::census(CARDS)), most).await? {
        return Ok(());
    }
    let message = format!("the account has {most} server certificates already, which is its quota");
    Err(Fault::common(Common::LimitExceeded, message))
}

/// The same refusal, in IAM's words.
fn wrong(refusal: acm::Refusal) -> Fault {
    match refusal.status {
        500.. => Fault::internal(refusal),
        _ if refusal.message.contains("private key") => {
            Fault::common(Common::KeyPairMismatch, refusal.message)
        }
        _ => Fault::common(Common::MalformedCertificate, refusal.message),
    }
}

/// `GetServerCertificate`: never with the private key.
pub async fn get(ask: &Ask<'_>) -> Result<Answer, Fault> {
    ask.form.only(&["ServerCertificateName"])?;
    let card = find(ask).await?.value;
    let kept: Option<Kept<Certificate>> =
        store::get(ask.control.store(), &acm::record_key(&card.id)).await?;
    let certificate =
        kept.ok_or_else(|| Fault::internal("a server certificate without its body"))?;
    let (leaf, chain) = acm::parts(&certificate.value)?;
    let mut answer = Answer::with_result();
    answer.inside("ServerCertificate", |element| {
        element
            .inside("ServerCertificateMetadata", |inner| card.write(inner, ask.control))
            .text("CertificateBody", &leaf)
            .maybe("CertificateChain", Some(chain.as_str()).filter(|chain| !chain.is_empty()));
    });
    Ok(answer)
}

/// `ListServerCertificates`.
pub async fn list(ask: &Ask<'_>) -> Result<Answer, Fault> {
    ask.form.only(&["PathPrefix", "Marker", "MaxItems"])?;
    let prefix = ask.form.get("PathPrefix").unwrap_or("/");
    let paging = ask.form.paging()?;
    let mut after = (!paging.marker.is_empty()).then(|| place(&paging.marker));
    let mut found: Vec<Card> = Vec::new();
    while found.len() <= paging.most {
        let page: Vec<Kept<Card>> =
            store::list(ask.control.store(), CARDS, after.as_deref(), 200).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        let cards = page.into_iter().map(|kept| kept.value);
        found.extend(cards.filter(|card| card.path.starts_with(prefix)));
    }
    let more = found.len() > paging.most;
    found.truncate(paging.most);
    let next = found.last().filter(|_| more).map(|card| card.name.to_ascii_lowercase());
    let mut answer = Answer::with_result();
    answer
        .list("ServerCertificateMetadataList", &found, |member, card| {
            card.write(member, ask.control);
        })
        .paged(next.as_deref());
    Ok(answer)
}

/// `DeleteServerCertificate`.
pub async fn delete(ask: &Ask<'_>) -> Result<Answer, Fault> {
    ask.form.only(&["ServerCertificateName"])?;
    store::settle(|| async {
        let kept = find(ask).await?;
        let used = Fault::common(Common::DeleteConflict, "a distribution uses the certificate");
        let id = &kept.value.id;
        let mut change = Change::default();
        change
            .when(kept.unchanged(), Otherwise::Again)
            .when_or(Check::NoneUnder(key::users(acm::KIND, id)), used)
            .delete(kept.key.clone())
            .delete(acm::record_key(id));
        change.commit(ask.control.store()).await
    })
    .await?;
    Ok(Answer::empty())
}
