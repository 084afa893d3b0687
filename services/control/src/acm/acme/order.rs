//! One certificate's way from the request to the edges: an order with the authority, step by step.
//!
//! Every step is in the store before the next one: whoever goes on after a crash begins where the
//! order is, and finds its key.
//!
//! Source: RFC 8555 §7.4.

use super::{Denial, Trouble, proofs};
use crate::{
    acm::{
        card::{self, CARDS, Card, Whole},
        import, pem,
    },
    control::Control,
    store::{self, Change, Kept, Stopped},
    wire::fault::Fault,
};
use instant_acme::{
    Account, AuthorizationStatus, Identifier, NewOrder, Order, OrderStatus, RetryPolicy,
};
use model::{
    feed::{Sealed, Secret},
    units::{Seconds, Timestamp},
};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, RsaKeySize};
use std::time::Duration;

/// How the authority is asked for news while it looks at names and signs.
const POLLING: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(300))
    .backoff(1.5)
    .timeout(Duration::from_secs(90));
/// Longest common name (RFC 5280, upper bounds).
const MOST_COMMON_NAME: usize = 64;

/// Gets the certificate of a card and puts it in force.
pub(super) async fn fulfil(
    control: &Control,
    account: &Account,
    kept: Kept<Card>,
) -> Result<(), Trouble> {
    let id = kept.key.strip_prefix(CARDS).unwrap_or_default().to_owned();
    let (mut order, kept) = begun(control, account, kept).await?;
    if order.state().status == OrderStatus::Pending {
        proofs::offer(control, &id, &kept.value, &mut order).await?;
        match order.poll_ready(&POLLING).await {
            Ok(OrderStatus::Ready) => {}
            Ok(_) | Err(instant_acme::Error::Api(_)) => return Err(denied(&mut order).await),
            Err(why) => return Err(why.into()),
        }
    }
    let key = opened(control, &kept)?;
    if order.state().status == OrderStatus::Ready {
        order.finalize_csr(&request(&kept.value, &key)?).await?;
    }
    if order.state().status == OrderStatus::Invalid {
        return Err(denied(&mut order).await);
    }
    let chain = order.poll_certificate(&POLLING).await?;
    issue(control, &id, &chain, &key).await
}

/// The order that is under way, or a new one, written down.
async fn begun(
    control: &Control,
    account: &Account,
    kept: Kept<Card>,
) -> Result<(Order, Kept<Card>), Trouble> {
    let url = kept.value.work.as_ref().and_then(|work| work.order.clone());
    if let Some(url) = url {
        match account.order(url).await {
            Ok(mut order) => {
                if order.state().status != OrderStatus::Invalid {
                    return Ok((order, kept));
                }
            }
            // It is not known any more: begin again.
            Err(instant_acme::Error::Api(_)) => {}
            Err(why) => return Err(why.into()),
        }
    }
    let names: Vec<_> = kept.value.names.iter().cloned().map(Identifier::Dns).collect();
    let order = account.new_order(&NewOrder::new(&names)).await?;
    let key = new_key(kept.value.key_algorithm.clone()).await?;
    let mut new = kept.value.clone();
    if let Some(work) = &mut new.work {
        work.order = Some(order.url().to_owned());
        work.key = Some(control.seal(&kept.key, &key)?);
    }
    let kept = put(control, &kept, new).await?;
    Ok((order, kept))
}

/// Writes a card that nobody has changed meanwhile.
pub(super) async fn put(
    control: &Control,
    old: &Kept<Card>,
    new: Card,
) -> Result<Kept<Card>, Trouble> {
    let mut change = Change::default();
    card::put(&mut change, old, &new)?;
    let revision = change.commit(control.store()).await?;
    Ok(Kept { key: old.key.clone(), value: new, revision })
}

async fn new_key(algorithm: String) -> Result<Secret, Trouble> {
    let made = tokio::task::spawn_blocking(move || made_key(&algorithm)).await;
    let made = made.map_err(Fault::internal)?.map_err(Fault::internal)?;
    Ok(Secret(made.serialize_pem()))
}

fn made_key(algorithm: &str) -> Result<KeyPair, rcgen::Error> {
    let rsa = |size| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size);
    match algorithm {
        "EC_prime256v1" => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
        "EC_secp384r1" => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
        "EC_secp521r1" => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512),
        "RSA_3072" => rsa(RsaKeySize::_3072),
        "RSA_4096" => rsa(RsaKeySize::_4096),
        _ => rsa(RsaKeySize::_2048),
    }
}

fn opened(control: &Control, kept: &Kept<Card>) -> Result<Secret, Trouble> {
    let key: Option<&Sealed> = kept.value.work.as_ref().and_then(|work| work.key.as_ref());
    let key = key.ok_or_else(|| Trouble::Later("the key of the order is gone".into()))?;
    Ok(control.open(&kept.key, key)?)
}

/// The signing request, DER.
fn request(card: &Card, key: &Secret) -> Result<Vec<u8>, Trouble> {
    let key = KeyPair::from_pem(&key.0).map_err(Fault::internal)?;
    let mut params = CertificateParams::new(card.names.clone()).map_err(Fault::internal)?;
    params.distinguished_name = DistinguishedName::new();
    if let Some(name) = card.names.first().filter(|name| name.len() <= MOST_COMMON_NAME) {
        params.distinguished_name.push(DnType::CommonName, name.clone());
    }
    let request = params.serialize_request(&key).map_err(Fault::internal)?;
    Ok(request.der().to_vec())
}

/// Why the authority does not believe that the names are ours.
async fn denied(order: &mut Order) -> Trouble {
    let mut all = order.authorizations();
    while let Some(one) = all.next().await {
        let Ok(mut one) = one else { break };
        if one.refresh().await.is_err() || one.status != AuthorizationStatus::Invalid {
            continue;
        }
        let name = one.identifier().to_string();
        let problem = one.challenges.iter().find_map(|challenge| challenge.error.clone());
        if let Some(problem) = problem {
            return Trouble::Denied(Denial::of(&name, &problem));
        }
    }
    match &order.state().error {
        Some(problem) => Trouble::Denied(Denial::of("the order", problem)),
        None => Trouble::Denied(Denial::unexplained()),
    }
}

/// Puts what was issued in force, with the plans of all who use it.
async fn issue(control: &Control, id: &str, chain: &str, key: &Secret) -> Result<(), Trouble> {
    let (leaf, rest) = pem::split(chain).map_err(Trouble::Later)?;
    let rest = Some(rest.as_str()).filter(|rest| !rest.is_empty());
    let checked = pem::check(&leaf, rest, &key.0, control.now()).map_err(Trouble::Later)?;
    let issued = store::settle(|| put_in_force(control, id, &checked)).await?;
    if issued {
        tracing::info!(certificate = id, names = ?checked.facts.names, "a certificate was issued");
    }
    proofs::withdraw(control, id).await
}

/// Says whether it did: a certificate that was deleted meanwhile stays deleted.
async fn put_in_force(
    control: &Control,
    id: &str,
    checked: &pem::Checked,
) -> Result<bool, Stopped> {
    let Some(Whole { card: Some(kept), record, .. }) = card::whole(control, id).await? else {
        return Ok(false);
    };
    let (now, mut change) = (control.now(), Change::default());
    let names = (id, kept.value.arn.as_str());
    let put = import::put(control, &mut change, names, checked, record.as_ref()).await?;
    let mut new = kept.value.clone();
    (new.work, new.failure, new.consulted) = (None, None, None);
    match new.issued {
        None => new.issued = Some(now),
        Some(_) => new.renewed = Some(now),
    }
    new.renew_at = Some(renew_at(put.not_before, put.not_after, now));
    card::put(&mut change, &kept, &new)?;
    change.commit(control.store()).await?;
    Ok(true)
}

/// Longest time that a certificate is left alone once it has come.
const REST: Seconds = Seconds(3600);

/// When a third of its life is left; not before it has been here for a while, since a clock that is
/// wrong would have the authority asked without end.
pub(super) fn renew_at(not_before: Timestamp, not_after: Timestamp, came: Timestamp) -> Timestamp {
    let life = not_after.0.saturating_sub(not_before.0);
    let wanted = Timestamp(not_after.0.saturating_sub(life / 3));
    wanted.max(rested(not_before, not_after, came))
}

/// The first moment at which it may be renewed by itself.
pub(super) fn rested(not_before: Timestamp, not_after: Timestamp, came: Timestamp) -> Timestamp {
    let life = not_after.since(not_before);
    came + Seconds(life.0 / 10).min(REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400_000;

    /// A clock that was wrong had each certificate renewed as soon as it had come.
    #[test]
    fn a_certificate_is_left_alone_for_a_while_whatever_the_clock_says() {
        let (begin, end) = (Timestamp(100 * DAY), Timestamp(190 * DAY));
        assert_eq!(renew_at(begin, end, begin), Timestamp(160 * DAY));
        let late = Timestamp(170 * DAY);
        assert_eq!(renew_at(begin, end, late), late + REST);
        let (short, came) = (Timestamp(60_000), Timestamp(50_000));
        assert_eq!(renew_at(Timestamp(0), short, came), came + Seconds(6));
    }
}
