//! Proving that names are ours: a challenge for each, in force everywhere before the authority is
//! told to look.
//!
//! Source: RFC 8555 §8, RFC 8737.

use super::Trouble;
use crate::{
    acm::card::{Card, Method, bare, card, target},
    control::Control,
    status::Progress,
    store::{Change, Otherwise},
    wire::fault::Fault,
};
use instant_acme::{
    AuthorizationStatus, ChallengeHandle, ChallengeStatus, ChallengeType, KeyAuthorization, Order,
};
use model::{
    feed::{CHALLENGES, Challenge, Proof, Secret},
    units::Revision,
};
use ports::{metastore::Check, registry::Role};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use std::time::Duration;

/// How long edges and DNS servers may take until they answer a challenge.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often they are looked at meanwhile.
const EVERY: Duration = Duration::from_millis(50);

/// Answers the challenges of every name that the authority does not know to be ours, and tells it to
/// look once everybody answers. `id` is the certificate's.
pub(super) async fn offer(
    control: &Control,
    id: &str,
    card: &Card,
    order: &mut Order,
) -> Result<(), Trouble> {
    let kinds = kinds(control, card.method);
    let mut open = Vec::new();
    let mut all = order.authorizations();
    while let Some(one) = all.next().await {
        let mut one = one?;
        if one.status != AuthorizationStatus::Pending {
            continue;
        }
        let name = one.identifier().identifier.to_owned();
        let instant_acme::Identifier::Dns(name) = name else {
            return Err(Trouble::Later("the authority asks about what is no name".into()));
        };
        let offered: Vec<_> = one.challenges.iter().map(|one| one.r#type.clone()).collect();
        let kind = kinds.iter().find(|kind| offered.contains(kind)).cloned();
        let kind = kind.ok_or_else(|| none_in_common(&name, &offered))?;
        let Some(challenge) = one.challenge(kind) else { continue };
        let key = format!("{CHALLENGES}{id}/{}", open.len());
        open.push((key.clone(), proof(control, &key, &name, &challenge)?));
    }
    if open.is_empty() {
        return Ok(());
    }
    let revision = publish(control, id, &open).await?;
    in_force(control, revision, &open).await?;
    tell(order, &kinds).await
}

/// In the order of preference.
fn kinds(control: &Control, method: Method) -> Vec<ChallengeType> {
    let known = |name: &str| match name {
        "http-01" => Some(ChallengeType::Http01),
        "tls-alpn-01" => Some(ChallengeType::TlsAlpn01),
        _ => None,
    };
    match method {
        Method::Dns => vec![ChallengeType::Dns01],
        Method::Http => {
            let listed = control.settings.acme.challenges.iter().map(String::as_str);
            let listed: Vec<_> = listed.filter_map(known).collect();
            if listed.is_empty() { vec![ChallengeType::Http01] } else { listed }
        }
    }
}

fn none_in_common(name: &str, offered: &[ChallengeType]) -> Trouble {
    Trouble::Later(format!("for {name} the authority offers {offered:?} only"))
}

fn proof(
    control: &Control,
    key: &str,
    name: &str,
    challenge: &ChallengeHandle<'_>,
) -> Result<Challenge, Trouble> {
    let name = bare(name).to_ascii_lowercase();
    let authorization = challenge.key_authorization();
    let proof = match challenge.r#type {
        ChallengeType::Dns01 => {
            Proof::Dns { text: authorization.dns_value(), also: target(control, &name) }
        }
        ChallengeType::TlsAlpn01 => certificate(control, key, &name, &authorization)?,
        _ => {
            Proof::Http { token: challenge.token.clone(), body: authorization.as_str().to_owned() }
        }
    };
    Ok(Challenge { name, proof })
}

/// A certificate for the name that carries the proof (RFC 8737 §3).
fn certificate(
    control: &Control,
    place: &str,
    name: &str,
    authorization: &KeyAuthorization,
) -> Result<Proof, Trouble> {
    let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(Fault::internal)?;
    let digest = authorization.digest();
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest.as_ref())];
    let key = KeyPair::generate().map_err(Fault::internal)?;
    let made = params.self_signed(&key).map_err(Fault::internal)?;
    let sealed = control.seal(place, &Secret(key.serialize_pem()))?;
    Ok(Proof::TlsAlpn { chain: made.pem(), key: sealed })
}

/// Of a certificate that was deleted meanwhile nothing is left behind.
async fn publish(
    control: &Control,
    id: &str,
    open: &[(String, Challenge)],
) -> Result<Revision, Trouble> {
    let mut change = Change::default();
    change.when(Check::Present(card(id)), Otherwise::Again);
    for (key, challenge) in open {
        change.put(key.clone(), challenge)?;
    }
    Ok(change.commit(control.store()).await?)
}

/// Waits until everybody who will be asked knows the answers.
async fn in_force(
    control: &Control,
    revision: Revision,
    open: &[(String, Challenge)],
) -> Result<(), Trouble> {
    let by_dns = open.iter().all(|(_, one)| matches!(one.proof, Proof::Dns { .. }));
    let role = if by_dns { Role::Dns } else { Role::Edge };
    let wait = async {
        loop {
            let registry = &*control.world.registry;
            let alive = registry.edges().await.map_err(Fault::from)?;
            let somebody = alive.iter().any(|beat| beat.role == role);
            if somebody && Progress::everywhere(registry).await?.reached(revision) {
                return Ok(());
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| {
        let who = if by_dns { "DNS server" } else { "edge" };
        let why = format!("no {who} is alive, or not everybody answers the challenge yet");
        Err(Trouble::Later(why))
    })
}

async fn tell(order: &mut Order, kinds: &[ChallengeType]) -> Result<(), Trouble> {
    let mut all = order.authorizations();
    while let Some(one) = all.next().await {
        let mut one = one?;
        if one.status != AuthorizationStatus::Pending {
            continue;
        }
        let offered = kinds.iter().find(|kind| one.challenges.iter().any(|c| c.r#type == **kind));
        let Some(mut challenge) = offered.and_then(|kind| one.challenge(kind.clone())) else {
            continue;
        };
        if challenge.status == ChallengeStatus::Pending {
            challenge.set_ready().await?;
        }
    }
    Ok(())
}

/// Takes the challenges of a certificate away.
pub(super) async fn withdraw(control: &Control, id: &str) -> Result<(), Trouble> {
    let all = control.store().list(&format!("{CHALLENGES}{id}/"), None, 1000).await;
    let all = all.map_err(Fault::from)?;
    if all.is_empty() {
        return Ok(());
    }
    let mut change = Change::default();
    for entry in all {
        change.delete(entry.key);
    }
    change.commit(control.store()).await?;
    Ok(())
}
