//! A body in one piece: kept whole, or passed on through a window.
//!
//! For: pouring into the flight's buffer, going on where the origin broke off, and storing all of it.
//! Not for: bodies in slices (`fill`).
//!
//! Order: what is kept is in the store before the last reader is told that the body has ended, so
//! whoever has seen the end finds the copy.

use super::{
    ask::{Decided, Exchange},
    owned,
    rest::{self, Got, MOST_SKIPPED, RESUMES, Rest},
    source::Source,
};
use crate::{
    growing::{Growing, PIECE, Pushed},
    pipeline::lookup,
};
use bytes::Bytes;
use caching::{partial::Strong, storing::Keep};
use http::{Method, StatusCode};
use packing::Content;

impl Exchange {
    /// Pours the body into the buffer until it ends or nobody wants it any more.
    pub async fn pour(mut self, mut decided: Decided, mut source: Source) {
        let growing = self.lead.flight.body.clone();
        let (mut poured, mut pieces, mut tries) = (0, 0, 0);
        loop {
            let next = tokio::select! {
                next = source.next() => next,
                () = growing.deserted() => return,
            };
            let piece = match next {
                None => break,
                Some(Err(why)) => {
                    tries += 1;
                    if tries > RESUMES || !self.goes_on(&decided, &mut source, poured).await {
                        return growing.end(Err(why));
                    }
                    continue;
                }
                Some(Ok(piece)) if decided.keep.is_some() => owned::piece(&piece),
                Some(Ok(piece)) => piece,
            };
            tries = 0;
            poured += piece.len() as u64;
            pieces += 1;
            if decided.keep.is_some() && !self.fits(poured, pieces) {
                decided.keep = None;
                self.lead.close();
                growing.open_window();
            }
            if decided.keep.is_some() && source.is_whole() {
                // All of it is here: a viewer that leaves right after the last byte changes nothing,
                // and one that asks again right after it finds the copy.
                growing.needs_no_reader();
                self.keep_all(&mut decided, &growing, Some(&piece), poured);
            }
            if growing.push(piece).await == Pushed::Deserted {
                return;
            }
        }
        self.keep_all(&mut decided, &growing, None, poured);
        growing.end(Ok(()));
    }

    /// The origin broke off after so many bytes: asks for the rest, and goes on with that.
    async fn goes_on(&mut self, decided: &Decided, source: &mut Source, poured: u64) -> bool {
        let found = &self.question.found;
        let Some((strong, total)) = self.resumable(decided, source) else {
            return false;
        };
        let wanted = Rest { found, strong: &strong, total, from: poured, until: None };
        let got = tokio::select! {
            got = rest::ask(&self.engine, &wanted) => got,
            () = self.lead.flight.body.deserted() => return false,
        };
        match got {
            Got::Here(place, arrived) if place.part.end + 1 == place.total => {
                source.goes_on(arrived.body, place.total);
                true
            }
            Got::Whole(arrived) if poured <= MOST_SKIPPED => {
                source.replace(rest::skipping(arrived.body, poured));
                true
            }
            _ => false,
        }
    }

    /// What the rest of a body is known by, where it can be asked for: it comes as the origin sends
    /// it, and is one that can be told from others.
    fn resumable(&self, decided: &Decided, source: &Source) -> Option<(Strong, Option<u64>)> {
        let gets = self.question.found.routed().request.method == Method::GET;
        let ok = decided.status == StatusCode::OK;
        let strong = Strong::of(&decided.headers).filter(|_| gets && ok && source.is_plain())?;
        Some((strong, source.announced()))
    }

    /// Keeps what has been poured and the last piece, if it may be kept and has not been yet.
    fn keep_all(
        &self,
        decided: &mut Decided,
        growing: &Growing,
        last: Option<&Bytes>,
        length: u64,
    ) {
        if let (Some(keep), Some(mut pieces)) = (decided.keep.take(), growing.whole()) {
            pieces.extend(last.cloned());
            self.keep(decided, &keep, pieces, length);
        }
    }

    /// Whether so many bytes in so many pieces may be kept. A body in crumbs costs more around them
    /// than they are.
    fn fits(&self, poured: u64, pieces: u64) -> bool {
        let longest = self.engine.store.longest();
        poured <= longest && pieces.saturating_mul(PIECE) <= longest && self.engine.has_room()
    }

    fn keep(&self, decided: &Decided, keep: &Keep, body: Vec<Bytes>, length: u64) {
        let stored = self.stored(decided, keep, Content::Whole(body), decided.status, length);
        lookup::put(&*self.engine.store, &self.question.found.keyed, &keep.vary, &stored);
    }
}
