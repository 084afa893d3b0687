//! Certificates from an authority that speaks ACME.
//!
//! For: whoever was requested gets its certificate, and a new one before it ends. One control of a
//! fleet does the work, as long as it holds the lease; another goes on where it was.
//! Not for: answering the authority's questions (edges, DNS), nor what is asked of ACM's operations.
//!
//! Source: RFC 8555, RFC 8737, RFC 9773.

mod account;
mod http;
mod lease;
mod marks;
mod order;
mod proofs;
mod renewal;

pub use account::ACCOUNTS;

use super::{
    card::{CARDS, Card, Failure},
    describe::TIMED_OUT,
};
use crate::{
    control::Control,
    store::{self, Kept, Stopped},
    wire::fault::Fault,
};
use http::Http;
use instant_acme::{Account, Problem};
use kit::drain::Drain;
use lease::Lease;
use model::units::{Seconds, Timestamp};
use std::{collections::BTreeSet, time::Duration};
use tokio::task::JoinSet;

/// How often is looked for work.
const EVERY: Duration = Duration::from_secs(1);
/// Longest time between two looks at all certificates.
const SWEEP_EVERY: Seconds = Seconds(3600);
/// Most certificates that are got at the same time.
const MOST_AT_ONCE: usize = 8;
/// A request that has come to nothing for so long is given up (ACM user guide, "pending validation").
const MOST_PENDING: Seconds = Seconds(72 * 3600);
/// Times between tries after the authority did not believe that a name is ours, the last for all
/// further ones.
const AFTER_DENIAL: [Seconds; 4] = [Seconds(60), Seconds(300), Seconds(900), Seconds(3600)];
/// Longest time between tries after other trouble.
const MOST_AFTER_TROUBLE: Seconds = Seconds(3600);

/// What keeps a certificate from being got.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The authority does not believe that a name is ours, or does not want to.
    #[error("{}", .0.text)]
    Denied(Denial),
    /// Something that may be otherwise later.
    #[error("{0}")]
    Later(String),
    /// Somebody else has changed the card: whatever is to be done follows from what stands there now.
    #[error("somebody else was faster")]
    Overtaken,
}

/// What the authority said.
#[derive(Debug)]
pub(super) struct Denial {
    reason: &'static str,
    text: String,
    /// Trying again would change nothing.
    last: bool,
}

impl Denial {
    fn of(what: &str, problem: &Problem) -> Self {
        let kind = problem.r#type.as_deref().unwrap_or_default();
        let kind = kind.rsplit(':').next().unwrap_or_default();
        let (reason, last) = match kind {
            "caa" => ("CAA_ERROR", false),
            "rejectedIdentifier" | "unsupportedIdentifier" => ("DOMAIN_NOT_ALLOWED", true),
            "connection" | "dns" | "incorrectResponse" | "tls" | "unauthorized" => {
                ("DOMAIN_VALIDATION_DENIED", false)
            }
            _ => ("OTHER", false),
        };
        let detail = problem.detail.as_deref().unwrap_or_default();
        Self { reason, text: format!("{what}: {kind}: {detail}"), last }
    }

    fn unexplained() -> Self {
        let text = "the authority has ended the order without a reason".into();
        Self { reason: "OTHER", text, last: false }
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Later(fault.message)
    }
}

impl From<Stopped> for Trouble {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Again => Self::Overtaken,
            Stopped::Refused(fault) => fault.into(),
        }
    }
}

impl From<instant_acme::Error> for Trouble {
    fn from(error: instant_acme::Error) -> Self {
        let told = |kind: &str| {
            let identifiers = ["rejectedIdentifier", "unsupportedIdentifier", "caa"];
            identifiers.iter().any(|one| kind.ends_with(one))
        };
        match error {
            instant_acme::Error::Api(problem) if problem.r#type.as_deref().is_some_and(told) => {
                Self::Denied(Denial::of("the order", &problem))
            }
            error => Self::Later(with_causes(&error)),
        }
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(one) = cause {
        text = format!("{text}: {one}");
        cause = one.source();
    }
    text
}

/// Gets and renews certificates until the drain is signalled, if an authority is set up at all.
pub async fn run(control: Control, drain: Drain) {
    let acme = &control.settings.acme;
    if acme.directory.is_none() {
        return;
    }
    let http = match Http::new(acme.ca_file.as_deref()) {
        Ok(http) => http,
        Err(why) => return tracing::error!(why, "no certificates can be got"),
    };
    let mut worker = Worker {
        lease: Lease::new(),
        http,
        account: None,
        tasks: JoinSet::new(),
        busy: BTreeSet::new(),
        asking: BTreeSet::new(),
        ended: BTreeSet::new(),
        sweep_at: Timestamp(0),
        control,
    };
    loop {
        tokio::select! {
            () = drain.signalled() => break,
            () = worker.control.issuing.notified() => {}
            () = tokio::time::sleep(EVERY) => {}
            Some(ended) = worker.tasks.join_next() => worker.ended(ended),
        }
        worker.round().await;
    }
    worker.tasks.shutdown().await;
    worker.lease.give_up(&worker.control).await;
}

struct Worker {
    control: Control,
    lease: Lease,
    http: Http,
    account: Option<Account>,
    /// Each ends with the card that it was about.
    tasks: JoinSet<String>,
    /// Cards that a certificate is got for.
    busy: BTreeSet<String>,
    /// Cards that the authority is asked about.
    asking: BTreeSet<String>,
    /// Cards that something was done for since the last look at when they are due.
    ended: BTreeSet<String>,
    sweep_at: Timestamp,
}

impl Worker {
    fn ended(&mut self, ended: Result<String, tokio::task::JoinError>) {
        match ended {
            Ok(key) => {
                self.busy.remove(&key);
                self.asking.remove(&key);
                self.ended.insert(key);
            }
            Err(why) if why.is_cancelled() => {}
            Err(why) => {
                tracing::error!(%why, "getting a certificate ended early");
                self.begin_anew();
            }
        }
    }

    /// Whatever is under way is left, and everything looked at again.
    fn begin_anew(&mut self) {
        self.tasks.abort_all();
        self.busy.clear();
        self.asking.clear();
        self.sweep_at = Timestamp(0);
    }

    async fn round(&mut self) {
        match self.lease.hold(&self.control).await {
            Ok(true) => {}
            Ok(false) => return self.begin_anew(),
            Err(why) => {
                return tracing::warn!(%why, "the lease of certificates cannot be looked at");
            }
        }
        if let Err(why) = self.work().await {
            tracing::warn!(%why, "certificates cannot be looked at; next try in a second");
        }
    }

    async fn work(&mut self) -> Result<(), Trouble> {
        let now = self.control.now();
        let to_consult = self.look(now).await?;
        let due = self.due(now).await?;
        if due.is_empty() && to_consult.is_empty() {
            return Ok(());
        }
        let account = match self.account().await {
            Ok(account) => account,
            Err(why) => return self.no_account(due, &why).await,
        };
        for kept in due {
            self.begin(&account, kept);
        }
        for kept in to_consult {
            if !self.busy.contains(&kept.key) && self.asking.insert(kept.key.clone()) {
                let (control, account) = (self.control.clone(), account.clone());
                self.tasks.spawn(async move {
                    let key = kept.key.clone();
                    if let Err(why) = renewal::consult(&control, &account, kept).await {
                        tracing::debug!(%why, "the authority could not be asked about a renewal");
                    }
                    key
                });
            }
        }
        Ok(())
    }

    /// The cards whose time has come, as many as may be begun.
    async fn due(&self, now: Timestamp) -> Result<Vec<Kept<Card>>, Trouble> {
        let (free, mut due) = (MOST_AT_ONCE.saturating_sub(self.busy.len()), Vec::new());
        if free == 0 {
            return Ok(due);
        }
        for mark in marks::due(self.control.store(), now).await? {
            let key = marks::card_of(&mark);
            if !self.busy.contains(&key) && !self.asking.contains(&key) {
                due.extend(marks::card(&self.control, &mark, now).await?);
            }
            if due.len() >= free {
                break;
            }
        }
        Ok(due)
    }

    /// Begins renewals: now and then all cards are looked at, else only those that have changed here.
    async fn look(&mut self, now: Timestamp) -> Result<Vec<Kept<Card>>, Trouble> {
        let found = if self.sweep_at <= now {
            let found = renewal::sweep(&self.control).await?;
            self.sweep_at = now + SWEEP_EVERY;
            found
        } else {
            renewal::look(&self.control, &self.ended).await?
        };
        self.ended.clear();
        self.sweep_at = found.next.map_or(self.sweep_at, |next| next.min(self.sweep_at));
        Ok(found.to_consult)
    }

    async fn account(&mut self) -> Result<Account, Trouble> {
        if let Some(account) = &self.account {
            return Ok(account.clone());
        }
        let account = account::account(&self.control, &self.http).await?;
        self.account = Some(account.clone());
        Ok(account)
    }

    /// Without an account nothing can be begun: every card learns why.
    async fn no_account(&self, due: Vec<Kept<Card>>, why: &Trouble) -> Result<(), Trouble> {
        for kept in due {
            let why = Trouble::Later(format!("no account with the certificate authority: {why}"));
            note(&self.control, &kept.key, why).await;
        }
        Ok(())
    }

    fn begin(&mut self, account: &Account, kept: Kept<Card>) {
        self.busy.insert(kept.key.clone());
        let (control, account) = (self.control.clone(), account.clone());
        self.tasks.spawn(async move {
            let key = kept.key.clone();
            if let Err(why) = order::fulfil(&control, &account, kept).await {
                note(&control, &key, why).await;
            }
            key
        });
    }
}

/// Writes down what went wrong, and when it is tried again.
async fn note(control: &Control, key: &str, why: Trouble) {
    if matches!(why, Trouble::Overtaken) {
        return;
    }
    tracing::warn!(card = key, %why, "a certificate could not be got");
    let id = key.strip_prefix(CARDS).unwrap_or_default();
    if matches!(why, Trouble::Denied(_)) {
        let _ = proofs::withdraw(control, id).await;
    }
    let noted = store::settle(|| async {
        let Some(kept) = store::get::<Card>(control.store(), key).await? else { return Ok(true) };
        let new = after(control, &kept.value, &why);
        let mut change = store::Change::default();
        super::card::put(&mut change, &kept, &new)?;
        change.commit(control.store()).await?;
        Ok(new.work.is_none())
    })
    .await;
    match noted {
        Ok(true) => drop(proofs::withdraw(control, id).await),
        Ok(false) => {}
        Err(fault) => {
            tracing::warn!(%fault, "what went wrong with a certificate could not be written down");
        }
    }
}

/// The card after something went wrong.
fn after(control: &Control, card: &Card, why: &Trouble) -> Card {
    let (now, mut new) = (control.now(), card.clone());
    let Some(work) = &mut new.work else { return new };
    let first = card.issued.is_none();
    let mut failure =
        Failure { reason: "OTHER".into(), text: why.to_string(), at: now, last: false };
    if let Trouble::Denied(denial) = why {
        work.denials += 1;
        work.order = None;
        work.key = None;
        work.next = now + after_denial(work.denials);
        denial.reason.clone_into(&mut failure.reason);
        failure.last = first && (denial.last || work.denials >= control.settings.acme.attempts);
    } else {
        work.troubles += 1;
        work.next = now + after_trouble(work.troubles);
    }
    if first && !failure.last && now.since(work.since) >= MOST_PENDING {
        failure = Failure { reason: TIMED_OUT.into(), last: true, ..failure };
    }
    if failure.last {
        new.work = None;
    }
    new.failure = Some(failure);
    new
}

fn after_denial(denials: u32) -> Seconds {
    let at = usize::try_from(denials.saturating_sub(1)).unwrap_or(usize::MAX);
    AFTER_DENIAL.get(at).or(AFTER_DENIAL.last()).copied().unwrap_or(MOST_AFTER_TROUBLE)
}

fn after_trouble(troubles: u32) -> Seconds {
    Seconds((1_u64 << troubles.min(20)).min(MOST_AFTER_TROUBLE.0))
}
