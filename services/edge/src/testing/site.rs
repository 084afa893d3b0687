//! An origin with one long object, of which any byte can be told from any other: it honours ranges
//! and conditions, counts what is taken from it, and misbehaves as it is told.

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use parking_lot::Mutex;
use ports::origin::{Body, BodyError, OriginError, OriginRequest, OriginResponse, Timing};
use ports::relay::Trailers;
use std::{
    collections::VecDeque,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::Semaphore;

/// Bytes that come at a time.
pub const PIECE: u64 = 64 << 10;

/// What goes wrong with one answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing.
    None,
    /// The connection ends after so many bytes of the body.
    DiesAfter(u64),
    /// There is no answer.
    Hangup,
    /// Ranges are ignored.
    Ignores,
    /// An answer with this status.
    Fails(u16),
    /// `Content-Range` of a part says this.
    Places(&'static str),
    /// A part comes with so many bytes more than it should have.
    Longer(u64),
    /// A part comes as `multipart/byteranges`.
    Multipart,
    /// Conditions are ignored.
    Unconditional,
}

/// The object, and what was asked of it.
pub struct Site {
    made: Mutex<Made>,
    sent: Arc<AtomicU64>,
    /// One for each piece that may go out.
    gate: Arc<Semaphore>,
}

struct Made {
    version: u64,
    size: u64,
    cached: &'static str,
    tag: Option<&'static str>,
    faults: VecDeque<Fault>,
    asked: Vec<String>,
}

/// What contents repeat: a prime number of bytes, so that no two slices are alike.
const BLOCK: u64 = 65_521;

fn block() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let mixed = |at: u64| (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
        (0..BLOCK).map(|at| u8::try_from(mixed(at)).unwrap()).collect()
    })
}

/// Bytes of a version from `start` to `end`, which is excluded.
pub fn bytes(version: u64, start: u64, end: u64) -> Vec<u8> {
    let mut made = Vec::with_capacity(usize::try_from(end - start).unwrap());
    while start + (made.len() as u64) < end {
        let at = usize::try_from((start + made.len() as u64 + version * 7919) % BLOCK).unwrap();
        let left = usize::try_from(end - start).unwrap() - made.len();
        made.extend_from_slice(block()[at..].get(..left).unwrap_or(&block()[at..]));
    }
    made
}

impl Site {
    /// An object of so many bytes with a strong entity tag, fresh for a minute.
    pub fn new(size: u64) -> Arc<Self> {
        let made = Made {
            version: 1,
            size,
            cached: "max-age=60",
            tag: Some("\"v"),
            faults: VecDeque::new(),
            asked: Vec::new(),
        };
        let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Arc::new(Self { made: Mutex::new(made), sent: Arc::default(), gate })
    }

    /// It becomes another version.
    pub fn changes(&self, version: u64, size: u64) {
        let mut made = self.made.lock();
        (made.version, made.size) = (version, size);
    }

    /// `Cache-Control` from now on.
    pub fn says(&self, cached: &'static str) {
        self.made.lock().cached = cached;
    }

    /// With this in front of its version as entity tag, or none.
    pub fn is_tagged(&self, tag: Option<&'static str>) {
        self.made.lock().tag = tag;
    }

    /// What goes wrong next, in order.
    pub fn suffers(&self, faults: impl IntoIterator<Item = Fault>) {
        self.made.lock().faults.extend(faults);
    }

    /// Nothing goes out any more, but for so many pieces.
    pub fn holds_after(&self, pieces: usize) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
        self.gate.add_permits(pieces);
    }

    /// So many pieces more may go out.
    pub fn lets(&self, pieces: usize) {
        self.gate.add_permits(pieces);
    }

    /// Bytes of bodies that were taken from it.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// What was asked: the ranges, or `whole`, with `?` where it was a question whether it changed.
    pub fn asked(&self) -> Vec<String> {
        self.made.lock().asked.clone()
    }

    /// Answers.
    pub fn answer(&self, request: &OriginRequest) -> Result<OriginResponse, OriginError> {
        let mut made = self.made.lock();
        let text = |name| {
            request.headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap().to_owned())
        };
        let (range, condition) = (text(header::RANGE), text(header::IF_NONE_MATCH));
        let mut asked = range.clone().unwrap_or_else(|| "whole".into());
        if condition.is_some() {
            asked.push('?');
        }
        made.asked.push(asked);
        let fault = made.faults.pop_front().unwrap_or(Fault::None);
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(made.cached));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("video/mp4"));
        let tag = made.tag.map(|tag| format!("{tag}{}\"", made.version));
        if let Some(tag) = &tag {
            headers.insert(header::ETAG, tag.parse().unwrap());
        }
        let (version, size) = (made.version, made.size);
        drop(made);
        match fault {
            Fault::Hangup => return Err(OriginError::Protocol("it hung up".into())),
            Fault::Fails(status) => {
                return Ok(answer(status, HeaderMap::new(), stream::empty().boxed()));
            }
            _ => {}
        }
        let heeds = !matches!(fault, Fault::Unconditional);
        if heeds && condition.is_some() && condition == tag {
            return Ok(answer(304, headers, stream::empty().boxed()));
        }
        let same = !heeds || text(header::IF_RANGE).is_none_or(|wanted| Some(wanted) == tag);
        let wanted = range.filter(|_| same && !matches!(fault, Fault::Ignores));
        let Some(wanted) = wanted else {
            headers.insert(header::CONTENT_LENGTH, size.into());
            return Ok(answer(200, headers, self.body(version, 0, size, &fault)));
        };
        let Some((start, end)) = read(&wanted, size) else {
            headers.insert(header::CONTENT_RANGE, format!("bytes */{size}").parse().unwrap());
            return Ok(answer(416, headers, stream::empty().boxed()));
        };
        Ok(self.part(headers, version, (start, end, size), &fault))
    }

    fn part(
        &self,
        mut headers: HeaderMap,
        version: u64,
        (start, end, size): (u64, u64, u64),
        fault: &Fault,
    ) -> OriginResponse {
        let mut place = format!("bytes {start}-{}/{size}", end - 1);
        let mut length = Some(end - start);
        match fault {
            Fault::Places(lie) => place = (*lie).to_owned(),
            Fault::Longer(_) => length = None,
            Fault::Multipart => {
                headers.insert(
                    header::CONTENT_TYPE,
                    HeaderValue::from_static("multipart/byteranges; boundary=x"),
                );
            }
            _ => {}
        }
        if !matches!(fault, Fault::Multipart) {
            headers.insert(header::CONTENT_RANGE, place.parse().unwrap());
        }
        if let Some(length) = length {
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
        answer(206, headers, self.body(version, start, end, fault))
    }

    fn body(&self, version: u64, start: u64, end: u64, fault: &Fault) -> Body {
        let (sent, gate) = (self.sent.clone(), self.gate.clone());
        let end = if let Fault::Longer(more) = fault { end + more } else { end };
        let dies_at = if let Fault::DiesAfter(bytes) = fault { start + bytes } else { u64::MAX };
        stream::unfold(Some(start), move |at| {
            let (sent, gate) = (sent.clone(), gate.clone());
            async move {
                let at = at?;
                if at >= dies_at.min(end) {
                    return (dies_at <= end)
                        .then(|| (Err(BodyError::Cut("as the test wants it".into())), None));
                }
                gate.acquire().await.unwrap().forget();
                let next = (at + PIECE).min(end).min(dies_at);
                sent.fetch_add(next - at, Ordering::Relaxed);
                Some((Ok(Bytes::from(bytes(version, at, next))), Some(next)))
            }
        })
        .boxed()
    }
}

/// The one range of a request, its end excluded.
fn read(wanted: &str, size: u64) -> Option<(u64, u64)> {
    let (first, last) = wanted.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first.parse::<u64>().ok(), last.parse::<u64>().ok()) {
        (Some(start), last) => (start, last.map_or(size, |last| size.min(last + 1))),
        (None, Some(many)) => (size.saturating_sub(many), size),
        (None, None) => return None,
    };
    (start < end).then_some((start, end))
}

fn answer(status: u16, headers: HeaderMap, body: Body) -> OriginResponse {
    let status = StatusCode::from_u16(status).unwrap();
    let timing = Timing::default();
    OriginResponse { status, headers, body, timing, trailers: Trailers::default(), tunnel: None }
}
