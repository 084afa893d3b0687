//! Who is alive, in memory, by a clock that never steps back.

use model::ids::EdgeId;
use parking_lot::Mutex;
use ports::registry::{ALIVE_FOR, Beat};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// The last beat of each edge, and when it came.
#[derive(Debug, Default)]
pub struct Presence {
    beats: Mutex<BTreeMap<EdgeId, (Beat, Instant)>>,
}

impl Presence {
    /// Takes this beat in place of the edge's last one.
    pub fn beat(&self, beat: &Beat) {
        let came = (beat.clone(), Instant::now());
        self.beats.lock().insert(beat.id.clone(), came);
    }

    /// Forgets the edge.
    pub fn leave(&self, edge: &EdgeId) {
        self.beats.lock().remove(edge);
    }

    /// Last beats of those who beat lately, by id; forgets the others.
    pub fn alive(&self) -> Vec<Beat> {
        let mut beats = self.beats.lock();
        beats.retain(|_, (_, came)| came.elapsed() < ALIVE_FOR);
        beats.values().map(|(beat, _)| beat.clone()).collect()
    }
}
