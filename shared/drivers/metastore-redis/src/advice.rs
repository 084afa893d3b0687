//! What an operator should know about the settings of the Redis in use.

use crate::{fault::Fault, link::Link};
use redis::cmd;
use std::collections::HashMap;

/// Warns where Redis may lose what it has acknowledged. Redis may refuse to tell; then we are silent.
pub async fn give(link: &Link) {
    match settings(link).await {
        Ok(settings) => advice(&settings).for_each(|advice| tracing::warn!("{advice}")),
        Err(why) => tracing::debug!(%why, "Redis does not tell its settings"),
    }
}

async fn settings(link: &Link) -> Result<HashMap<String, String>, Fault> {
    let mut all = HashMap::new();
    for name in ["appendonly", "save", "maxmemory", "maxmemory-policy"] {
        let mut command = cmd("CONFIG");
        let some: HashMap<String, String> = link.ask(command.arg("GET").arg(name)).await?;
        all.extend(some);
    }
    Ok(all)
}

fn advice(settings: &HashMap<String, String>) -> impl Iterator<Item = &'static str> {
    let is = |name: &str, value: &str| settings.get(name).is_some_and(|is| is == value);
    let log = is("appendonly", "no");
    let nothing = log && is("save", "");
    let evicts = settings.get("maxmemory").is_some_and(|bytes| bytes != "0")
        && !is("maxmemory-policy", "noeviction");
    [
        (
            nothing,
            "Redis keeps nothing on disk: a restart loses all configuration. Set appendonly yes.",
        ),
        (
            log && !nothing,
            "Redis saves only now and then: a crash loses the last changes. Set appendonly yes.",
        ),
        (
            evicts,
            "Redis may evict configuration when memory is short. Set maxmemory-policy noeviction.",
        ),
    ]
    .into_iter()
    .filter_map(|(holds, advice)| holds.then_some(advice))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(settings: &[(&str, &str)]) -> usize {
        let settings = settings.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        advice(&settings.collect()).count()
    }

    #[test]
    fn only_what_may_lose_something_is_warned_of() {
        assert_eq!(count(&[]), 0);
        assert_eq!(count(&[("appendonly", "yes"), ("save", ""), ("maxmemory", "0")]), 0);
        assert_eq!(count(&[("appendonly", "no"), ("save", "")]), 1);
        assert_eq!(count(&[("appendonly", "no"), ("save", "3600 1")]), 1);
        let evicting = [("maxmemory", "100"), ("maxmemory-policy", "allkeys-lru")];
        assert_eq!(count(&evicting), 1);
        assert_eq!(count(&[("maxmemory", "100"), ("maxmemory-policy", "noeviction")]), 0);
    }
}
