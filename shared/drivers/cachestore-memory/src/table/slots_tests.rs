//! Places against a model: a map for what is found, two lists for the queues.

use super::*;
use crate::table::print::Secret;
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};

#[derive(Clone, Debug)]
enum Step {
    Put(u8, u32),
    Remove(u8),
    Admit,
    Drop,
    Turn,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (any::<u8>(), 1_u32..1_000).prop_map(|(key, weight)| Step::Put(key, weight)),
        2 => any::<u8>().prop_map(Step::Remove),
        2 => Just(Step::Admit),
        1 => Just(Step::Drop),
        1 => Just(Step::Turn),
    ];
    prop::collection::vec(step, 0..1_000)
}

fn print(secret: &Secret, key: u8) -> Print {
    let mut bytes = [7; 32];
    bytes[20] = key;
    bytes[3] = key % 5;
    secret.print(&bytes)
}

#[derive(Default)]
struct Model {
    held: BTreeMap<u8, (u32, u32)>,
    window: VecDeque<u8>,
    main: VecDeque<u8>,
}

impl Model {
    fn forget(&mut self, key: u8) {
        self.held.remove(&key);
        self.window.retain(|one| *one != key);
        self.main.retain(|one| *one != key);
    }

    fn bytes(&self, queue: &VecDeque<u8>) -> u64 {
        queue.iter().map(|key| u64::from(self.held[key].1)).sum()
    }
}

fn walk(slots: &mut Slots<u32>, model: &mut Model, secret: &Secret, count: u32, step: &Step) {
    match *step {
        Step::Put(key, weight) => {
            let before = model.held.insert(key, (count, weight)).map(|(value, _)| value);
            if let Some(at) = slots.find(print(secret, key)).map(|(at, _)| at) {
                assert_eq!(slots.replace(at, count, weight), before);
            } else {
                slots.insert(Queue::Window, print(secret, key), count, weight);
                assert_eq!(before, None);
                model.window.push_back(key);
            }
        }
        Step::Remove(key) => {
            let at = slots.find(print(secret, key)).map(|(at, _)| at);
            let gone = at.and_then(|at| slots.remove(at));
            assert_eq!(gone, model.held.get(&key).map(|(value, _)| *value));
            model.forget(key);
        }
        Step::Admit => {
            if let Some((at, _)) = slots.oldest(Queue::Window) {
                slots.send(at, Queue::Main);
                model.main.extend(model.window.pop_front());
            }
        }
        Step::Drop => {
            if let Some((at, _)) = slots.oldest(Queue::Main) {
                slots.remove(at);
                let key = model.main[0];
                model.forget(key);
            }
        }
        Step::Turn => {
            if let Some((at, _)) = slots.oldest(Queue::Main) {
                slots.send(at, Queue::Main);
                model.main.rotate_left(1);
            }
        }
    }
}

/// From the old end to the young one.
fn order(slots: &Slots<u32>, queue: Queue) -> Vec<u32> {
    let first = slots.oldest(queue).map(|(_, slot)| slot);
    let line = std::iter::successors(first, |slot| slots.get(slot.newer));
    line.map(|slot| slot.value).collect()
}

proptest! {
    #[test]
    fn places_are_a_map_and_two_queues(steps in steps(), secret: u64) {
        let (secret, mut model, mut slots) = (Secret::from(secret), Model::default(), Slots::new());
        for (count, step) in (0..).zip(&steps) {
            walk(&mut slots, &mut model, &secret, count, step);
            prop_assert_eq!(slots.len(), model.held.len());
            prop_assert_eq!(slots.bytes_in(Queue::Window), model.bytes(&model.window));
            prop_assert_eq!(slots.bytes_in(Queue::Main), model.bytes(&model.main));
        }
        for key in 0..=u8::MAX {
            let found = slots.find(print(&secret, key)).map(|(_, slot)| (slot.value, slot.weight));
            prop_assert_eq!(found, model.held.get(&key).copied());
        }
        for (queue, keys) in [(Queue::Window, &model.window), (Queue::Main, &model.main)] {
            let values: Vec<u32> = keys.iter().map(|key| model.held[key].0).collect();
            prop_assert_eq!(order(&slots, queue), values);
        }
    }
}

#[test]
fn chains_stay_short_at_any_size() {
    let secret = Secret::draw();
    let mut slots = Slots::new();
    for number in 0..20_000_u64 {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        key[20..28].copy_from_slice(&number.wrapping_mul(0xbf58_476d_1ce4_e5b9).to_be_bytes());
        slots.insert(Queue::Main, secret.print(&key), number, 1);
    }
    let bucket = |head: &u32| {
        let first = slots.places.get(*head);
        std::iter::successors(first, |slot| slots.places.get(slot.chain)).count()
    };
    let lengths: Vec<usize> = (0..).map_while(|at| slots.heads.get(at)).map(bucket).collect();
    assert_eq!(lengths.iter().sum::<usize>(), 20_000);
    assert!(lengths.iter().max() < Some(&20), "{:?}", lengths.iter().max());
}
