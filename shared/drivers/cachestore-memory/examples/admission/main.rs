//! Which admission policy serves a cache best, and what a table costs: the figures of
//! `docs/adr/0006-memory-admission.md`, measured anew. `scripts/bench --admission` runs it.
//!
//! For: choosing by numbers. Not for: servers, which `scripts/bench` compares.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "traces and ratios are made of small numbers"
)]

mod cost;
mod ordered;
mod rivals;
mod traces;

use rivals::{Make, RIVALS};
use traces::{Request, Trace};

/// Shares of requests and of bytes, in percent.
#[derive(Clone, Copy, Default)]
struct Ratio {
    objects: f64,
    bytes: f64,
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some(one) => cost::measure(one),
        None => report(),
    }
}

fn report() {
    let names: Vec<&str> = RIVALS.iter().map(|(name, _)| *name).collect();
    println!("Hits in percent of requests (and of bytes, where sizes differ)\n");
    println!("| trace | {} |", names.join(" | "));
    println!("| --- |{}", " ---: |".repeat(names.len()));
    let mut sums = vec![Ratio::default(); RIVALS.len()];
    let kinds = traces::KINDS;
    for make in kinds {
        let trace = make();
        let ratios: Vec<Ratio> = RIVALS.iter().map(|(_, make)| replay(&trace, *make)).collect();
        println!("| {} | {} |", trace.name, row(&ratios, trace.mixed));
        for (sum, ratio) in sums.iter_mut().zip(ratios) {
            sum.objects += ratio.objects / kinds.len() as f64;
            sum.bytes += ratio.bytes / kinds.len() as f64;
        }
    }
    println!("| mean | {} |", row(&sums, true));
    cost::report();
}

fn row(ratios: &[Ratio], mixed: bool) -> String {
    let best = ratios.iter().map(|ratio| ratio.objects).fold(0.0, f64::max);
    let cell = |ratio: &Ratio| {
        let mark = if best > 0.0 && best - ratio.objects < 0.05 { "**" } else { "" };
        let bytes = if mixed { format!(" ({:.1})", ratio.bytes) } else { String::new() };
        format!("{mark}{:.1}{mark}{bytes}", ratio.objects)
    };
    ratios.iter().map(cell).collect::<Vec<_>>().join(" | ")
}

fn replay(trace: &Trace, make: Make) -> Ratio {
    let mut policy = make(trace.budget, trace.usual());
    let (mut hits, mut hit, mut all) = (0_u64, 0, 0);
    for Request { key, size } in &trace.requests {
        all += size;
        if policy.request(*key, *size) {
            hits += 1;
            hit += size;
        }
    }
    let percent = |part: u64, whole: u64| part as f64 * 100.0 / whole as f64;
    Ratio { objects: percent(hits, trace.requests.len() as u64), bytes: percent(hit, all) }
}
