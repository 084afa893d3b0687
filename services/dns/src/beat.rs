//! This server's heartbeat in the registry.
//!
//! For: control, which waits until what it has published is answered everywhere before it tells
//! others to look. Not for: names and addresses, which nobody takes from here.

use kit::service::World;
use model::{ids::EdgeId, units::Revision};
use ports::registry::{BEAT_EVERY, Beat, Role};
use std::time::Duration;
use tokio::{sync::watch, time::timeout};

/// How long a beat or a farewell may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Beats until the drain is signalled, at once after every change that is answered, then says
/// farewell. A registry that does not answer is asked again with the next beat.
pub async fn beats(world: World, mut answered: watch::Receiver<Option<Revision>>) {
    let mut beat = first();
    loop {
        let now = *answered.borrow_and_update();
        if let Some(revision) = now {
            beat.acknowledged = revision;
            let _ = timeout(PATIENCE, world.registry.beat(&beat)).await;
        }
        tokio::select! {
            () = world.drain.signalled() => break,
            changed = answered.changed() => if changed.is_err() { break },
            () = tokio::time::sleep(BEAT_EVERY) => {}
        }
    }
    let _ = timeout(PATIENCE, world.registry.leave(&beat.id)).await;
}

fn first() -> Beat {
    let incarnation = rand::random();
    Beat {
        role: Role::Dns,
        id: EdgeId(format!("dns:{incarnation:016x}")),
        incarnation,
        pop: String::new(),
        position: None,
        addresses: Vec::new(),
        http_port: None,
        https_port: None,
        acknowledged: Revision::default(),
    }
}
