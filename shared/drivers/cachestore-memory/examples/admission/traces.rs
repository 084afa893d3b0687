//! Requests as a cache might see them, always the same ones.
//!
//! For: comparing policies. Not for: telling how often a certain site would hit.

use std::f64::consts::TAU;

/// Objects that may be asked for again, unless a trace says otherwise.
const OBJECTS: u64 = 200_000;

/// Requests of a trace.
const LENGTH: u64 = 1_500_000;

/// Size of an object where all are alike.
const ONE: u64 = 4_096;

/// Keys of objects that are asked for once, or in a loop, start here.
const APART: u64 = 1 << 40;

/// One request.
pub(crate) struct Request {
    pub(crate) key: u64,
    pub(crate) size: u64,
}

/// Requests, and the bytes that the cache has for them.
pub(crate) struct Trace {
    pub(crate) name: String,
    pub(crate) requests: Vec<Request>,
    pub(crate) budget: u64,
    /// Sizes differ.
    pub(crate) mixed: bool,
}

impl Trace {
    /// Mean size of a request.
    pub(crate) fn usual(&self) -> u64 {
        let sum: u64 = self.requests.iter().map(|request| request.size).sum();
        sum / self.requests.len() as u64
    }

    /// Objects of one size, and room for so many of them.
    fn alike(name: impl Into<String>, room: u64, mut key: impl FnMut(u64) -> u64) -> Self {
        let requests = (0..LENGTH).map(|at| Request { key: key(at), size: ONE }).collect();
        Self { name: name.into(), requests, budget: room * ONE, mixed: false }
    }

    /// Objects from 200 bytes to 1 MiB, half of them below 10 kB, and room for this percentage of
    /// the catalogue.
    fn mixed(name: &str, percent: u64, mut key: impl FnMut() -> u64) -> Self {
        let all: u64 = (0..OBJECTS).map(size).sum();
        let request = |key| Request { key, size: size(key) };
        let requests = (0..LENGTH).map(|_| request(key())).collect();
        Self { name: name.into(), requests, budget: all / 100 * percent, mixed: true }
    }
}

/// Makers of all traces, so that only one is in memory at a time.
pub(crate) const KINDS: &[fn() -> Trace] = &[
    || zipf(0.7, 2),
    || zipf(0.7, 10),
    || zipf(0.9, 2),
    || zipf(0.9, 10),
    || zipf(1.1, 2),
    || zipf(1.1, 10),
    scans,
    once,
    || round(110),
    || round(150),
    zipf_and_loop,
    || sizes(2),
    || sizes(10),
    sizes_once,
    slow_shift,
    sudden_shift,
    news,
];

fn zipf(alpha: f64, percent: u64) -> Trace {
    let mut popular = Zipf::new(OBJECTS, alpha);
    let name = format!("Zipf {alpha}, room for {percent} %");
    Trace::alike(name, OBJECTS * percent / 100, |_| popular.draw())
}

fn scans() -> Trace {
    let mut popular = Zipf::new(OBJECTS, 0.9);
    Trace::alike("Zipf 0.9, 4 %, scans between", OBJECTS / 25, |at| match at % 45_000 {
        0..30_000 => popular.draw(),
        _ => APART + at,
    })
}

fn once() -> Trace {
    let (mut popular, mut random) = (Zipf::new(OBJECTS, 0.9), Random(3));
    Trace::alike("Zipf 0.9, 4 %, half asked once", OBJECTS / 25, |at| match random.below(2) {
        0 => popular.draw(),
        _ => APART + at,
    })
}

fn round(percent: u64) -> Trace {
    let room = 10_000;
    Trace::alike(format!("loop, {percent} % of the room"), room, |at| at % (room * percent / 100))
}

fn zipf_and_loop() -> Trace {
    let (mut popular, mut random) = (Zipf::new(OBJECTS, 0.9), Random(5));
    let mut at = 0;
    Trace::alike("Zipf 0.9, 4 %, a third is a loop", OBJECTS / 25, |_| match random.below(3) {
        0 => {
            at = (at + 1) % 12_000;
            APART + at
        }
        _ => popular.draw(),
    })
}

fn sizes(percent: u64) -> Trace {
    let mut popular = Zipf::new(OBJECTS, 0.9);
    Trace::mixed(&format!("mixed sizes, {percent} %"), percent, || popular.draw())
}

fn sizes_once() -> Trace {
    let (mut popular, mut random, mut next) = (Zipf::new(OBJECTS, 0.9), Random(6), APART);
    Trace::mixed("mixed sizes, 4 %, three tenths asked once", 4, || match random.below(10) {
        0..3 => {
            next += 1;
            next
        }
        _ => popular.draw(),
    })
}

/// Each object gives its popularity to a new one at a time of its own, some four times.
fn slow_shift() -> Trace {
    let mut popular = Zipf::new(OBJECTS, 0.9);
    Trace::alike("popularity moves slowly, 4 %", OBJECTS / 25, |at| {
        let rank = popular.draw();
        mix(rank * 1_000 + (at + mix(rank) % 400_000) / 400_000)
    })
}

fn sudden_shift() -> Trace {
    let mut popular = Zipf::new(OBJECTS, 0.9);
    Trace::alike("all popularity moves at once, ten times, 4 %", OBJECTS / 25, |at| {
        mix(popular.draw() * 1_000 + at / 150_000)
    })
}

fn news() -> Trace {
    let (mut ages, latest) = (Zipf::new(20_000, 0.8), 20_000);
    Trace::alike("the newest is asked for most, 4 %", 800, |at| latest + at / 10 - ages.draw())
}

/// Ranks by popularity, 0 first: the chance of rank `r` goes with `(r + 1)^-alpha`.
struct Zipf {
    sums: Vec<f64>,
    random: Random,
}

impl Zipf {
    fn new(count: u64, alpha: f64) -> Self {
        let shares = (1..=count).map(|rank| (rank as f64).powf(-alpha));
        let summed = |sum: &mut f64, share: f64| {
            *sum += share;
            Some(*sum)
        };
        Self { sums: shares.scan(0.0, summed).collect(), random: Random(1) }
    }

    fn draw(&mut self) -> u64 {
        let at = self.random.unit() * self.sums.last().copied().unwrap_or(0.0);
        self.sums.partition_point(|sum| *sum <= at) as u64
    }
}

/// Log-normal, the same for a key each time.
fn size(key: u64) -> u64 {
    let mut random = Random(key ^ 0x00ab_cdef);
    let (length, turn) = (random.unit().max(1e-12), random.unit());
    let normal = (-2.0 * length.ln()).sqrt() * (TAU * turn).cos();
    (10_000.0 * (1.6 * normal).exp()).clamp(200.0, 1_048_576.0) as u64
}

/// A counter, mixed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }

    fn unit(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Another number for each number, without order.
pub(crate) fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}
