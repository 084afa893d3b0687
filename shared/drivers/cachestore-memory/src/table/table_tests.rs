//! Laws of the table: budget, last put, races, and scans.

use super::*;
use proptest::prelude::*;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    thread,
};

const BUDGET: u64 = 10_000;

/// A number made into something that looks like SHA-256.
fn key(number: u64) -> [u8; 32] {
    let mut key = [0; 32];
    for (piece, round) in key.chunks_exact_mut(8).zip(1_u64..) {
        let mut mixed =
            (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_mul(2 * round + 1);
        mixed = (mixed ^ mixed >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        piece.copy_from_slice(&(mixed ^ mixed >> 29).to_be_bytes());
    }
    key
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, u64),
    Find(u8),
    Remove(u8),
    Clear,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let keys = 0..200_u8;
    let weights = prop_oneof![9 => 1..200_u64, 1 => 1..6_000_u64];
    let step = prop_oneof![
        120 => (keys.clone(), weights).prop_map(|(key, weight)| Step::Put(key, weight)),
        120 => keys.clone().prop_map(Step::Find),
        20 => keys.prop_map(Step::Remove),
        1 => Just(Step::Clear),
    ];
    prop::collection::vec(step, 0..2_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_returns_what_was_put_last_or_nothing_and_keeps_to_its_budget(
        steps in steps(), shards in 1_u16..9,
    ) {
        let table = Table::new(BUDGET, shards);
        let mut last = vec![None; 200];
        for (count, step) in steps.iter().enumerate() {
            match *step {
                Step::Put(number, weight) => {
                    table.put(&key(number.into()), count, weight);
                    let kept = Some(count).filter(|_| weight <= table.share());
                    last[usize::from(number)] = kept;
                    prop_assert_eq!(table.find(&key(number.into())), kept);
                }
                Step::Find(number) => {
                    let found = table.find(&key(number.into()));
                    prop_assert!(found.is_none() || found == last[usize::from(number)]);
                }
                Step::Remove(number) => {
                    table.remove(&key(number.into()));
                    last[usize::from(number)] = None;
                    prop_assert_eq!(table.find(&key(number.into())), None);
                }
                Step::Clear => {
                    table.clear();
                    last.fill(None);
                    prop_assert_eq!(table.fill(), Filled::default());
                }
            }
            prop_assert!(table.fill().bytes <= BUDGET);
        }
    }

    #[test]
    fn nothing_goes_while_all_fits(weights in prop::collection::vec(1..100_u64, 0..100)) {
        let table = Table::new(BUDGET, 1);
        for (number, weight) in (0..).zip(&weights) {
            table.put(&key(number), number, *weight);
        }
        // The window and the main part may leave room for less than an entry each.
        prop_assume!(weights.iter().sum::<u64>() + 200 <= BUDGET);
        for number in 0..weights.len() as u64 {
            prop_assert_eq!(table.find(&key(number)), Some(number));
        }
    }
}

/// Each thread is the only one to put its keys, with rising numbers; all look for all.
#[test]
fn threads_that_race_find_only_what_was_put_for_the_key_and_never_an_older_one_again() {
    let table: Table<(u64, u64)> = Table::new(BUDGET, 2);
    let race = |own: u64| {
        let mut seen = HashMap::new();
        for round in 1..20_000_u64 {
            let number = round.wrapping_mul(7919) % 100 * 4 + own;
            match round % 17 {
                0 => table.remove(&key(number)),
                _ => table.put(&key(number), (number, round), 1 + round % 400),
            }
            let other = round.wrapping_mul(104_729) % 400;
            if let Some((of, version)) = table.find(&key(other)) {
                assert_eq!(of, other);
                let before = seen.insert(other, version);
                assert!(before <= Some(version), "an older value came back");
            }
            assert!(table.fill().bytes <= BUDGET);
        }
    };
    let race = &race;
    thread::scope(|scope| {
        for own in 0..4 {
            scope.spawn(move || race(own));
        }
    });
    let filled = table.fill();
    let held = (0..400).filter_map(|number| table.find(&key(number))).collect::<Vec<_>>();
    assert_eq!(filled.entries, held.len() as u64);
    assert_eq!(filled.bytes, held.iter().map(|(_, round)| 1 + round % 400).sum::<u64>());
}

/// What the test of scans asks of a cache: whether it had the key; it has it afterwards.
trait Cache {
    fn ask(&mut self, number: u64, weight: u64) -> bool;
}

impl Cache for Table<u64> {
    fn ask(&mut self, number: u64, weight: u64) -> bool {
        let found = self.find(&key(number)).is_some();
        if !found {
            self.put(&key(number), number, weight);
        }
        found
    }
}

/// Least recently used goes first.
#[derive(Default)]
struct Lru(VecDeque<(u64, u64)>);

impl Cache for Lru {
    fn ask(&mut self, number: u64, weight: u64) -> bool {
        let at = self.0.iter().position(|(held, _)| *held == number);
        let found = at.and_then(|at| self.0.remove(at)).is_some();
        self.0.push_back((number, weight));
        while self.0.iter().map(|(_, weight)| weight).sum::<u64>() > BUDGET {
            self.0.pop_front();
        }
        found
    }
}

fn ask_all(cache: &mut impl Cache, numbers: std::ops::Range<u64>) -> usize {
    numbers.filter(|number| cache.ask(*number, 100)).count()
}

/// Of 70 popular entries that fill 70 % of the budget, those still there after a scan of ten times
/// the budget.
fn survivors(cache: &mut impl Cache) -> usize {
    for _ in 0..4 {
        ask_all(cache, 0..70);
    }
    ask_all(cache, 1_000..2_000);
    ask_all(cache, 0..70)
}

#[test]
fn what_is_popular_outlives_a_scan_of_ten_times_the_budget_which_it_would_not_by_lru() {
    assert_eq!(survivors(&mut Lru::default()), 0);
    let stayed = survivors(&mut Table::new(BUDGET, 1));
    assert!(stayed >= 63, "nine tenths stay, not {stayed}");
}

#[test]
fn what_becomes_popular_takes_the_place_of_what_was() {
    let mut table = Table::new(BUDGET, 1);
    survivors(&mut table);
    // In no order: each number of 0..70 comes back sometimes soon, sometimes late.
    let mut state = 1_u64;
    for _ in 0..7_000 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        table.ask(5_000 + (state >> 33) % 70, 100);
    }
    let found = (5_000..5_070).filter(|number| table.find(&key(*number)).is_some()).count();
    assert!(found >= 63, "{found}");
}

#[test]
fn what_nobody_asks_for_goes_even_when_all_else_comes_too_late_to_be_known() {
    let mut table = Table::new(BUDGET, 1);
    let before = survivors(&mut table);
    for _ in 0..400 {
        ask_all(&mut table, 5_000..5_300);
    }
    let left = (0..70).filter(|number| table.find(&key(*number)).is_some()).count();
    assert!(before >= 63 && left == 0, "{left} of {before}");
}

#[test]
fn one_heavy_value_makes_room_among_thousands_of_light_ones() {
    let table = Table::new(BUDGET, 1);
    (0..10_000).for_each(|number| table.put(&key(number), number, 1));
    assert_eq!(table.fill(), Filled { entries: BUDGET, bytes: BUDGET });
    table.put(&key(20_000), 20_000, BUDGET / 2);
    assert_eq!(table.find(&key(20_000)), Some(20_000));
    let left = table.fill();
    assert_eq!(left.bytes, left.entries - 1 + BUDGET / 2);
    assert!(left.bytes > BUDGET * 9 / 10, "no more goes than has to: {left:?}");
}

#[test]
fn a_value_put_again_keeps_what_it_has_earned() {
    let mut table = Table::new(BUDGET, 1);
    for _ in 0..3 {
        ask_all(&mut table, 0..50);
    }
    (0..50).for_each(|number| table.put(&key(number), number + 500, 101));
    ask_all(&mut table, 1_000..2_000);
    let left = (0..50).filter(|number| table.find(&key(*number)) == Some(number + 500)).count();
    assert!(left >= 45, "{left}");
}

/// Dropping asks the table: a value dropped under its lock would wait for itself.
#[test]
fn values_are_dropped_when_no_lock_is_held() {
    struct Asks(std::sync::Weak<Table<Arc<Asks>>>);
    impl Drop for Asks {
        fn drop(&mut self) {
            let free = self.0.upgrade().is_none_or(|table| {
                table.shards.iter().all(|Apart(shard)| shard.try_write().is_some())
            });
            assert!(free || thread::panicking(), "dropped under a lock");
        }
    }
    let table = Arc::new(Table::new(BUDGET, 1));
    let value = || Arc::new(Asks(Arc::downgrade(&table)));
    (0..1_000).for_each(|number| table.put(&key(number % 300), value(), 100));
    (0..50).for_each(|number| table.remove(&key(number)));
    table.put(&key(1), value(), BUDGET + 1);
    table.clear();
}
