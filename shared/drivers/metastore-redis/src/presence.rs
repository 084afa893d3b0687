//! The registry of edges: a key for each, which Redis forgets when the edge falls silent.

use crate::{
    fault::Fault,
    keys,
    link::{Link, PATIENCE},
    script::{ALIVE, BEAT, LEAVE},
};
use model::ids::EdgeId;
use ports::registry::{ALIVE_FOR, Beat};
use redis::cmd;

/// Longest beat in bytes of JSON.
const MOST_BEAT: usize = 64 << 10;

/// Takes this beat in place of the edge's last one.
pub async fn beat(link: &Link, beat: &Beat) -> Result<(), Fault> {
    let id = beat.id.as_str();
    let json = serde_json::to_string(beat).map_err(|why| Fault::Refused(why.to_string()))?;
    if json.len() > MOST_BEAT {
        return Err(Fault::Refused(format!("a beat has at most {MOST_BEAT} bytes")));
    }
    let lives = ALIVE_FOR.as_millis().to_string();
    let named = [keys::edge(id), keys::EDGES.to_owned()];
    let command = BEAT.command(&named, &[json.as_str(), &lives, id]);
    link.run(&BEAT, &command, PATIENCE).await
}

/// Forgets the edge.
pub async fn leave(link: &Link, edge: &EdgeId) -> Result<(), Fault> {
    let named = [keys::edge(edge.as_str()), keys::EDGES.to_owned()];
    let command = LEAVE.command(&named, &[edge.as_str()]);
    link.run(&LEAVE, &command, PATIENCE).await
}

/// Last beats of those alive, by id.
pub async fn alive(link: &Link) -> Result<Vec<Beat>, Fault> {
    let mut command = cmd("SMEMBERS");
    let ids: Vec<String> = link.ask(command.arg(keys::EDGES)).await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut named = vec![keys::EDGES.to_owned()];
    named.extend(ids.iter().map(|id| keys::edge(id)));
    let command = ALIVE.command(&named, &ids);
    let beats: Vec<Vec<u8>> = link.run(&ALIVE, &command, PATIENCE).await?;
    let mut beats: Vec<_> = beats.iter().filter_map(|beat| read(beat)).collect();
    beats.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(beats)
}

/// A beat of another version of this program must not hide all the others.
fn read(beat: &[u8]) -> Option<Beat> {
    serde_json::from_slice(beat)
        .inspect_err(|why| tracing::warn!(%why, "an edge's beat cannot be read"))
        .ok()
}
