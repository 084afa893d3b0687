//! What a request leaves in traces.

use crate::testing::{World, ok};
use parking_lot::Mutex;
use std::sync::Arc;
use tracing::{Subscriber, span};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt as _, registry::LookupSpan};

/// Remembers spans as `parent/child`.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, _: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let names: Vec<&str> =
            context.span_scope(id).unwrap().from_root().map(|span| span.name()).collect();
        if names.first() == Some(&"request") {
            self.0.lock().push(names.join("/"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_stage_is_a_span_below_the_request() {
    let spans = Spans::default();
    let subscriber = tracing_subscriber::registry().with(spans.clone());
    let _guard = tracing::subscriber::set_default(subscriber);
    let world = World::new();
    world.origin.answers([ok("v1")]);
    world.get("/a").await.is(200, "v1", "Miss");
    let miss = std::mem::take(&mut *spans.0.lock());
    let expected = [
        "request",
        "request/route",
        "request/viewer",
        "request/key",
        "request/lookup",
        "request/fetch",
        "request/fetch/exchange",
        "request/fetch/exchange/origin",
        "request/respond",
    ];
    assert_eq!(miss, expected);
    world.get("/a").await.is(200, "v1", "Hit");
    let hit = spans.0.lock().clone();
    assert!(!hit.iter().any(|name| name.contains("fetch")), "{hit:?}");
    assert_eq!(hit.len(), 6);
}
