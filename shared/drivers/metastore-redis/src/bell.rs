//! The bell: one subscription and one look a second for all who wait.
//!
//! For: waking readers, at the latest a second after a change even when its message was lost.
//! Not for: what has changed: they read the log.

use crate::{fault::Fault, keys, lineage::Head, store::Store};
use futures::StreamExt;
use model::units::Revision;
use redis::{Msg, aio::PubSub};
use std::{future::pending, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle, time};

/// A look at the newest commit this often, whatever messages say.
const LOOK: Duration = Duration::from_secs(1);
/// The same while Redis is away.
const LOOK_FOR_REDIS: Duration = Duration::from_millis(200);
/// Longest wait for a subscription.
const SUBSCRIBE: Duration = Duration::from_secs(1);

/// What was heard last.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    At(Head),
    Away(Fault),
}

/// Rings for all who wait; its task ends with it.
pub struct Bell {
    last: watch::Sender<Heard>,
    task: JoinHandle<()>,
}

impl Bell {
    /// Starts to listen.
    pub fn hang(store: Arc<Store>, head: Head) -> Self {
        let last = watch::Sender::new(Heard::At(head));
        let ear = Ear { store, last: last.clone(), subscription: None, connection: 0 };
        Self { last, task: tokio::spawn(ear.listen()) }
    }

    /// Returns once one who stands at this revision has something to hear of, or Redis is away.
    pub async fn rings(&self, store: &Store, stands: Revision) -> Result<(), Fault> {
        let mut last = self.last.subscribe();
        // What was heard last may be older than what the caller has seen: look once.
        if store.lineage.is_news(stands, &store.link.head().await?) {
            return Ok(());
        }
        while last.changed().await.is_ok() {
            match &*last.borrow_and_update() {
                Heard::At(head) if store.lineage.is_news(stands, head) => return Ok(()),
                Heard::At(_) => {}
                Heard::Away(fault) => return Err(fault.clone()),
            }
        }
        Err(Fault::gone("the store is closed"))
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Ear {
    store: Arc<Store>,
    last: watch::Sender<Heard>,
    subscription: Option<PubSub>,
    /// The count of connections when the subscription was made.
    connection: u64,
}

impl Ear {
    async fn listen(mut self) {
        loop {
            self.subscribe_again().await;
            let looked = self.store.link.head().await;
            let pause = if looked.is_ok() { LOOK } else { LOOK_FOR_REDIS };
            self.tell(looked.map_or_else(Heard::Away, Heard::At));
            self.messages(pause).await;
        }
    }

    /// A new connection leads to another server, maybe; the old subscription would stay silent.
    async fn subscribe_again(&mut self) {
        let connection = self.store.link.count().await;
        if self.subscription.is_some() && self.connection == connection {
            return;
        }
        self.connection = connection;
        let subscribed = time::timeout(SUBSCRIBE, subscribe(&self.store)).await;
        self.subscription = match subscribed {
            Ok(Ok(subscription)) => Some(subscription),
            Ok(Err(fault)) => without(&fault.to_string()),
            Err(_) => without("no answer"),
        };
    }

    /// Passes messages on until it is time to look.
    async fn messages(&mut self, pause: Duration) {
        let look = time::sleep(pause);
        tokio::pin!(look);
        loop {
            let message = tokio::select! {
                () = &mut look => return,
                message = next(&mut self.subscription) => message,
            };
            match message.as_ref().map(read) {
                Some(Some(head)) => self.tell(Heard::At(head)),
                Some(None) => {}
                // The connection is lost; the pause keeps this from becoming a storm.
                None => self.subscription = None,
            }
        }
    }

    fn tell(&self, news: Heard) {
        self.last.send_if_modified(|last| {
            let new = *last != news;
            *last = news;
            new
        });
    }
}

async fn subscribe(store: &Store) -> Result<PubSub, Fault> {
    let place = &store.link.place;
    let mut subscription = place.master().await?.get_async_pubsub().await?;
    subscription.subscribe(keys::channel(place.login.db())).await?;
    Ok(subscription)
}

fn without(why: &str) -> Option<PubSub> {
    tracing::debug!(why, "no subscription to Redis; changes are looked for every second");
    None
}

async fn next(subscription: &mut Option<PubSub>) -> Option<Msg> {
    match subscription {
        Some(subscription) => subscription.on_message().next().await,
        None => pending().await,
    }
}

fn read(message: &Msg) -> Option<Head> {
    let text: String = message.get_payload().ok()?;
    let (revision, mark) = text.split_once(' ')?;
    Some(Head::of(revision.parse().ok()?, mark.to_owned()))
}
