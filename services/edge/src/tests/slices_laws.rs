//! Whatever is stored, ages, is confirmed, purged, changed at the origin, broken off or evicted, in
//! any order: every answer is what the origin would give now, or gave within the copy's lifetime and
//! since the last purge; byte for byte (RFC 9111 §3.3, §3.4, §4).

use crate::{
    asked::ReplyBody,
    testing::{
        Fault, Got, Site, World, secs,
        site::bytes,
        world::{asked, collect},
    },
};
use futures::StreamExt as _;
use http::Method;
use model::{plan::Law, units::Timestamp};
use packing::SLICE;
use proptest::prelude::*;
use std::sync::Arc;

#[derive(Clone, Debug)]
enum Step {
    Get,
    /// From here on, so many bytes.
    Range(u64, u64),
    Suffix(u64),
    Several(u64, u64),
    /// Reads so many pieces and leaves.
    Leave(usize),
    /// So many at once.
    Many(usize, u64),
    Passes(u64),
    Purge,
    /// Another version, of so many bytes or of as many as before.
    Change(Option<u64>),
    Suffers(Fault),
}

fn size() -> impl Strategy<Value = u64> {
    prop_oneof![
        1..200_u64,
        900_000..1_200_000_u64,
        Just(SLICE),
        Just(2 * SLICE),
        2_000_000..4_000_000_u64
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = || prop_oneof![0..300_u64, 0..4_000_000_u64];
    let fault = prop_oneof![
        2 => (0..3_000_000_u64).prop_map(Fault::DiesAfter),
        1 => Just(Fault::Hangup),
        1 => Just(Fault::Ignores),
        1 => Just(Fault::Fails(503)),
        1 => Just(Fault::Multipart),
        3 => Just(Fault::Unconditional),
    ];
    let step = prop_oneof![
        4 => Just(Step::Get),
        6 => (at(), 1..2_000_000_u64).prop_map(|(at, length)| Step::Range(at, length)),
        1 => (1..2_000_000_u64).prop_map(Step::Suffix),
        1 => (0..500_000_u64, 600_000..3_000_000_u64).prop_map(|(one, two)| Step::Several(one, two)),
        2 => (0..40_usize).prop_map(Step::Leave),
        1 => (2..5_usize, at()).prop_map(|(many, at)| Step::Many(many, at)),
        3 => (1..90_u64).prop_map(Step::Passes),
        1 => Just(Step::Purge),
        3 => proptest::option::weighted(0.3, size()).prop_map(Step::Change),
        2 => fault.prop_map(Step::Suffers),
    ];
    proptest::collection::vec(step, 1..16)
}

/// A version of the object, and until when it was the current one.
struct Version {
    size: u64,
    until: Option<Timestamp>,
}

struct Play {
    world: World,
    site: Arc<Site>,
    versions: Vec<Version>,
    purged: Timestamp,
    /// Whether something happened that may cut an answer short.
    troubled: bool,
    /// Whether the origin failed, so that a stale copy may stand in (RFC 9111 §4.2.4).
    failed: bool,
}

impl Play {
    fn now(&self) -> Timestamp {
        self.world.engine.now()
    }

    /// Whether this version may be served.
    fn is_good(&self, number: usize) -> bool {
        let oldest = Timestamp(self.now().0.saturating_sub(61_000));
        let until = self.versions[number].until;
        until.is_none_or(|until| (until >= oldest || self.failed) && until >= self.purged)
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Get => self.judge(&self.world.get("/a").await),
            Step::Range(at, length) => {
                self.range(&format!("bytes={at}-{}", at + length - 1)).await;
            }
            Step::Suffix(length) => self.range(&format!("bytes=-{length}")).await,
            Step::Several(one, two) => {
                let wanted = format!("bytes={one}-{},{two}-{}", one + 9, two + 99_999);
                self.range(&wanted).await;
            }
            Step::Leave(pieces) => self.leave(pieces).await,
            Step::Many(many, at) => {
                let wanted = format!("bytes={at}-");
                let headers = [("range", wanted.as_str())];
                let ask = |number: usize| {
                    let asked = asked(
                        Method::GET,
                        "/a",
                        if number.is_multiple_of(2) { &headers } else { &[] },
                    );
                    self.world.ask(asked)
                };
                for got in futures::future::join_all((0..many).map(ask)).await {
                    self.judge(&got);
                }
            }
            Step::Passes(seconds) => self.world.passes(secs(seconds)).await,
            Step::Purge => {
                self.world.invalidate(&["/a"]);
                self.purged = self.now();
                // Time goes on, so that before and after are not the same.
                self.world.passes(std::time::Duration::from_millis(1)).await;
                self.purged = Timestamp(self.purged.0 + 1);
            }
            Step::Change(size) => {
                self.troubled = true;
                let now = self.now();
                let size = size.unwrap_or(self.versions.last().unwrap().size);
                self.versions.last_mut().unwrap().until = Some(now);
                self.versions.push(Version { size, until: None });
                self.site.changes(self.versions.len() as u64 - 1, size);
                self.world.passes(std::time::Duration::from_millis(1)).await;
            }
            Step::Suffers(fault) => {
                self.troubled = true;
                self.failed |= matches!(fault, Fault::Hangup | Fault::Fails(_));
                self.site.suffers([fault]);
            }
        }
    }

    async fn range(&self, wanted: &str) {
        self.judge(&self.world.get_with("/a", &[("range", wanted)]).await);
    }

    async fn leave(&self, pieces: usize) {
        let reply = self.world.open("/a").await;
        if let ReplyBody::Stream { mut body, .. } = reply.body {
            for _ in 0..pieces {
                if body.next().await.is_none() {
                    return;
                }
            }
        }
    }

    fn judge(&self, got: &Got) {
        assert!(got.whole || self.troubled, "cut for no reason: {}", got.status);
        match got.status {
            200 => self.is_of_one(got),
            206 if got.header("content-type").starts_with("multipart/byteranges") => {
                for (place, bytes) in opened(got) {
                    self.is_part(&place, &bytes, got.whole);
                }
            }
            206 => self.is_part(got.header("content-range"), &got.bytes, got.whole),
            416 => {}
            status => assert!(self.troubled, "{status}"),
        }
    }

    fn is_of_one(&self, got: &Got) {
        let of_it = |(number, version): (usize, &Version)| {
            let length = got.bytes.len() as u64;
            let fits = if got.whole { length == version.size } else { length <= version.size };
            self.is_good(number) && fits && got.bytes == bytes(number as u64, 0, length)
        };
        assert!(
            self.versions.iter().enumerate().any(of_it),
            "the whole of nothing that may be served"
        );
    }

    fn is_part(&self, place: &str, held: &[u8], whole: bool) {
        let (span, total) = place.strip_prefix("bytes ").unwrap().split_once('/').unwrap();
        let (start, end) = span.split_once('-').unwrap();
        let [start, end, total] = [start, end, total].map(|text| text.parse::<u64>().unwrap());
        let length = held.len() as u64;
        assert!(if whole { length == end + 1 - start } else { length <= end + 1 - start });
        let of_it = |(number, version): (usize, &Version)| {
            self.is_good(number)
                && version.size == total
                && held == bytes(number as u64, start, start + length)
        };
        assert!(
            self.versions.iter().enumerate().any(of_it),
            "{place}: of nothing that may be served"
        );
    }
}

/// Places and bytes of several parts.
fn opened(got: &Got) -> Vec<(String, Vec<u8>)> {
    let kind = got.header("content-type");
    let line = format!("\r\n--{}", kind.strip_prefix("multipart/byteranges; boundary=").unwrap());
    let mut starts = Vec::new();
    let mut from = 0;
    while let Some(at) = find(&got.bytes[from..], line.as_bytes()) {
        starts.push(from + at);
        from += at + line.len();
    }
    let mut parts = Vec::new();
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(got.bytes.len());
        let part = &got.bytes[start + line.len()..end];
        let Some(head) = find(part, b"\r\n\r\n") else {
            continue;
        };
        let text = String::from_utf8_lossy(&part[..head]).into_owned();
        let place = text.lines().find_map(|line| line.strip_prefix("Content-Range: ")).unwrap();
        parts.push((place.to_owned(), part[head + 4..].to_vec()));
    }
    parts
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

async fn run(length: u64, memory: u64, law: Law, steps: Vec<Step>) {
    let world = World::sized(memory, |plan| plan.behaviours[0].cache.law = law);
    let site = Site::new(length);
    site.changes(0, length);
    world.origin.serves(&site);
    let versions = vec![Version { size: length, until: None }];
    let mut play =
        Play { world, site, versions, purged: Timestamp(0), troubled: false, failed: false };
    for step in steps {
        play.step(step).await;
    }
    play.world.passes(secs(1)).await;
    assert_eq!(play.world.engine.flights.filling(), 0, "something is still held");
    let reply = play.world.open("/a").await;
    play.judge(&collect(reply).await);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_answer_is_that_of_a_fresh_fetch_or_of_a_copy_that_is_still_good(
        size in size(), memory in prop_oneof![Just(9_u64 << 20), Just(64 << 20)], http in any::<bool>(), steps in steps(),
    ) {
        let law = if http { Law::Http } else { Law::CloudFront };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(run(size, memory, law, steps));
    }
}
