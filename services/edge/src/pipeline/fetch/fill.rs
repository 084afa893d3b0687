//! Filling a run: bytes of a long body, from the origin into slices.
//!
//! For: asking for a stretch, pouring what comes, going on where an exchange died, and stopping as
//! soon as nobody reads. Not for: what its readers do (`pipeline/parts`), nor for first questions
//! about a body (`ask`).

use super::{
    ask,
    rest::{self, Got, MOST_SKIPPED, RESUMES, Rest},
};
use crate::{
    pipeline::{Engine, slices::Object},
    runs::{Filler, Over},
};
use bytes::Bytes;
use futures::StreamExt as _;
use packing::SLICE;
use ports::origin::{Body, BodyError};
use std::sync::Arc;

/// How often one run goes on after its exchange has died, whatever came of it.
const MOST_RESUMES: u32 = 64;

/// Fills a run whose bytes nobody has asked for yet, from `from` up to `until`, which is excluded.
pub fn ask_for(engine: &Arc<Engine>, object: &Arc<Object>, filler: Filler, from: u64, until: u64) {
    let (engine, object) = (engine.clone(), object.clone());
    let fill = Fill { engine, object, filler, keeps: true, wanted: from };
    ask::detach(tracing::debug_span!("fill"), fill.ask(from, until));
}

/// Fills a run whose bytes are coming.
pub async fn pour(engine: Arc<Engine>, object: Object, filler: Filler, body: Body) {
    let wanted = filler.end();
    Fill { engine, object: Arc::new(object), filler, keeps: true, wanted }.pour(body).await;
}

struct Fill {
    engine: Arc<Engine>,
    object: Arc<Object>,
    filler: Filler,
    /// Whether slices are put into the store.
    keeps: bool,
    /// The first byte that was wanted. What comes before it, from an origin without ranges, is
    /// nobody's reason to stop.
    wanted: u64,
}

/// Why no more comes from an exchange.
enum Dry {
    /// Nothing more is needed.
    Enough,
    /// It ended early.
    Cut(BodyError),
}

impl Fill {
    async fn ask(mut self, from: u64, until: u64) {
        let got = tokio::select! {
            got = self.rest(from, until) => got,
            () = self.filler.deserted() => return self.filler.over(Over::Ended),
        };
        match got {
            Got::Here(place, arrived) => {
                let told = &arrived.headers;
                self.keeps = self.object.confirmed(&self.engine, told, arrived.times).await;
                self.filler.land(from, until.min(place.part.end + 1));
                self.pour(arrived.body).await;
            }
            Got::Whole(arrived) if from <= MOST_SKIPPED => {
                let told = &arrived.headers;
                self.keeps = self.object.confirmed(&self.engine, told, arrived.times).await;
                self.filler.land(0, self.object.total());
                self.pour(arrived.body).await;
            }
            Got::Whole(_) => self.unranged().await,
            Got::Changed => self.changed().await,
            Got::Failed(failure) => self.filler.over(Over::Failed(failure)),
        }
    }

    async fn rest(&self, from: u64, until: u64) -> Got {
        let Some(strong) = &self.object.strong else {
            return Got::Changed;
        };
        let (found, total) = (&self.object.found, Some(self.object.total()));
        rest::ask(&self.engine, &Rest { found, strong, total, from, until: Some(until) }).await
    }

    /// Nobody shall find what is held of a body that has changed.
    async fn changed(self) {
        self.object.forget(&self.engine).await;
        self.filler.over(Over::Changed);
    }

    /// What is missing of a version can never be had: the next request begins a new one.
    async fn unranged(self) {
        self.object.forget(&self.engine).await;
        self.filler.over(Over::Unranged);
    }

    /// Pours until the run is full or nobody reads; goes on where the origin broke off.
    async fn pour(mut self, mut body: Body) {
        let (mut tries, mut left) = (0, MOST_RESUMES);
        loop {
            let before = self.filler.end();
            let why = match self.until_dry(&mut body).await {
                Dry::Enough => {
                    self.keep_rest().await;
                    return self.filler.over(Over::Ended);
                }
                Dry::Cut(why) => why,
            };
            let from = self.filler.end();
            tries = if from > before { 1 } else { tries + 1 };
            left -= 1;
            if tries > RESUMES || left == 0 {
                self.keep_rest().await;
                return self.filler.over(Over::Cut(why));
            }
            tracing::debug!(%why, from, "a body broke off: asking for the rest");
            let got = tokio::select! {
                got = self.rest(from, self.filler.goal()) => got,
                () = self.filler.deserted() => Got::Failed(crate::pipeline::rescue::Failure::Internal),
            };
            body = match got {
                Got::Here(place, arrived) => {
                    self.filler.ends_by(place.part.end + 1);
                    arrived.body
                }
                Got::Whole(arrived) if from <= MOST_SKIPPED => rest::skipping(arrived.body, from),
                Got::Changed => return self.changed().await,
                Got::Whole(_) | Got::Failed(_) => futures::stream::empty().boxed(),
            };
        }
    }

    async fn until_dry(&mut self, body: &mut Body) -> Dry {
        loop {
            if self.filler.end() >= self.filler.goal() || self.is_met() {
                return Dry::Enough;
            }
            let next = tokio::select! {
                next = body.next() => next,
                () = self.filler.deserted(), if self.filler.is_at_bound() => return Dry::Enough,
            };
            match next {
                None => return Dry::Cut(BodyError::Cut("it is shorter than announced".into())),
                Some(Err(why)) => return Dry::Cut(why),
                Some(Ok(piece)) => {
                    if self.take(piece).await {
                        return Dry::Enough;
                    }
                }
            }
        }
    }

    /// Whether what follows is held already.
    fn is_met(&self) -> bool {
        let end = self.filler.end();
        let goes_on = end > self.wanted && end.is_multiple_of(SLICE);
        goes_on && self.object.has_all(&*self.engine.store, end)
    }

    /// Takes a piece apart where slices end. Whether nobody wants more.
    async fn take(&mut self, mut piece: Bytes) -> bool {
        while !piece.is_empty() {
            let end = self.filler.end();
            let room = self.object.bound(end).min(self.filler.goal()).saturating_sub(end);
            if room == 0 {
                return true;
            }
            let now = piece.len().min(usize::try_from(room).unwrap_or(usize::MAX));
            let part = piece.split_to(now);
            if let Some((index, span)) = self.filler.push(part).await {
                if self.keeps {
                    self.object.keep(&*self.engine.store, index, span.clone()).await;
                }
                self.filler.show(&span);
            }
            if self.filler.is_at_bound() && self.filler.is_deserted() {
                return true;
            }
        }
        false
    }

    /// What came after the last whole slice is kept too: whoever comes next goes on there.
    async fn keep_rest(&self) {
        if self.keeps
            && let Some((index, span)) = self.filler.rest()
        {
            self.object.keep(&*self.engine.store, index, span).await;
        }
    }
}
