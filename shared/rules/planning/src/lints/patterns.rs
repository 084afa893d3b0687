//! What path patterns have in common: whether one covers another, and whether two overlap.
//!
//! For: saying that a behaviour can never be reached, and by which path two of them meet.
//! Not for: choosing a behaviour by a path (`rules/invalidation` does, for edges).
//!
//! Both questions are answered exactly, by walking through both patterns at once; the walk is bounded,
//! and where the bound is reached there is no answer. A path begins with `/`; `*` is any number of
//! bytes, `?` is one.

use std::collections::{BTreeSet, HashSet, VecDeque};

/// Words for one bit per state.
const WORDS: usize = 5;
/// Longest pattern that is looked at, in signs.
const LONGEST: usize = WORDS * 64 - 2;
/// Bytes that stand for "any other" in examples: the last one is in no pattern.
const OTHERS: [u8; 4] = [b'x', b'z', b'0', b'('];

/// How many steps may still be taken, for all questions about one configuration together.
#[derive(Debug)]
pub struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(20_000)
    }
}

impl Budget {
    fn spend(&mut self) -> Option<()> {
        self.0 = self.0.checked_sub(1)?;
        Some(())
    }
}

/// A pattern as states: state `n` is where the first `n` signs have matched.
#[derive(Clone, Debug)]
pub struct Pattern {
    signs: Vec<u8>,
    /// States with a star behind them.
    stars: BTreeSet<usize>,
}

type States = [u64; WORDS];

impl Pattern {
    /// Of a behaviour's `PathPattern`; none when it is too long to be one.
    pub fn new(text: &str) -> Option<Self> {
        let slash = if text.starts_with(['/', '*']) { "" } else { "/" };
        let (mut signs, mut stars) = (Vec::new(), BTreeSet::new());
        for sign in slash.bytes().chain(text.bytes()) {
            if sign == b'*' {
                stars.insert(signs.len());
            } else {
                signs.push(sign);
            }
        }
        (signs.len() <= LONGEST).then_some(Self { signs, stars })
    }

    fn fits(&self, state: usize, byte: u8) -> bool {
        self.signs.get(state).is_some_and(|sign| *sign == b'?' || *sign == byte)
    }

    /// The byte that this state waits for, if it waits for a certain one.
    fn awaits(&self, state: usize) -> Option<u8> {
        self.signs.get(state).copied().filter(|sign| *sign != b'?')
    }

    fn stays(&self, state: usize) -> bool {
        self.stars.contains(&state)
    }

    /// Whether any byte leads on from here.
    fn takes_any(&self, state: usize) -> bool {
        self.stays(state) || self.signs.get(state) == Some(&b'?')
    }

    fn next(&self, state: usize, byte: u8) -> impl Iterator<Item = usize> {
        let stays = self.stays(state).then_some(state);
        let goes = self.fits(state, byte).then_some(state + 1);
        stays.into_iter().chain(goes)
    }

    fn next_of_all(&self, states: &States, byte: u8) -> States {
        let mut after = [0; WORDS];
        for state in each(states) {
            self.next(state, byte).for_each(|state| set(&mut after, state));
        }
        after
    }

    fn ends(&self, state: usize) -> bool {
        state == self.signs.len()
    }

    fn ends_in(&self, states: &States) -> bool {
        has(states, self.signs.len())
    }

    /// Whether everything matches from here on, whatever comes.
    fn is_satisfied(&self, states: &States) -> bool {
        self.ends_in(states) && self.stays(self.signs.len())
    }
}

fn set(states: &mut States, at: usize) {
    if let Some(word) = states.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}

fn has(states: &States, at: usize) -> bool {
    states.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
}

/// The states that are set, from the least.
fn each(states: &States) -> impl Iterator<Item = usize> {
    let bits = |word: u64| {
        std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)))
            .take_while(|rest| *rest != 0)
            .map(u64::trailing_zeros)
    };
    let words = states.iter().enumerate();
    words.flat_map(move |(at, word)| bits(*word).map(move |bit| at * 64 + bit as usize))
}

/// A byte that neither pattern names.
fn other(one: &Pattern, two: &Pattern) -> u8 {
    let named = |byte: &u8| one.signs.contains(byte) || two.signs.contains(byte);
    OTHERS.into_iter().find(|byte| !named(byte)).unwrap_or(b'(')
}

/// A walk that remembers how it came to each place.
struct Walk<T> {
    places: Vec<(T, Option<usize>, u8)>,
    seen: HashSet<T>,
    queue: VecDeque<usize>,
}

impl<T: Clone + Eq + std::hash::Hash> Walk<T> {
    fn new() -> Self {
        Self { places: Vec::new(), seen: HashSet::new(), queue: VecDeque::new() }
    }

    fn visit(&mut self, place: T, from: Option<usize>, byte: u8) {
        if self.seen.insert(place.clone()) {
            self.queue.push_back(self.places.len());
            self.places.push((place, from, byte));
        }
    }

    fn take(&mut self) -> Option<(usize, T)> {
        let at = self.queue.pop_front()?;
        self.places.get(at).map(|(place, ..)| (at, place.clone()))
    }

    /// The bytes that led to a place.
    fn path(&self, at: usize) -> String {
        let (mut bytes, mut at) = (Vec::new(), Some(at));
        while let Some((_, from, byte)) = at.and_then(|at| self.places.get(at)) {
            bytes.push(*byte);
            at = *from;
        }
        bytes.reverse();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// A path that `narrow` matches and `wide` does not: so `wide` does not cover it.
///
/// # Errors
/// When the budget is spent before the answer is known.
pub fn uncovered(
    narrow: &Pattern,
    wide: &Pattern,
    budget: &mut Budget,
) -> Result<Option<String>, Undecided> {
    let other = other(narrow, wide);
    let mut walk = Walk::new();
    let mut start = [0; WORDS];
    set(&mut start, 0);
    let after = wide.next_of_all(&start, b'/');
    narrow.next(0, b'/').for_each(|state| walk.visit((state, after), None, b'/'));
    while let Some((at, (state, states))) = walk.take() {
        budget.spend().ok_or(Undecided)?;
        if wide.is_satisfied(&states) {
            continue;
        }
        if narrow.ends(state) && !wide.ends_in(&states) {
            return Ok(Some(walk.path(at)));
        }
        for byte in letters(narrow, state, wide, &states, other) {
            let after = wide.next_of_all(&states, byte);
            for state in narrow.next(state, byte) {
                walk.visit((state, after), Some(at), byte);
            }
        }
    }
    Ok(None)
}

/// The question is too hard to be answered within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecided;

/// Bytes that make a difference here.
fn letters(
    narrow: &Pattern,
    state: usize,
    wide: &Pattern,
    states: &States,
    other: u8,
) -> BTreeSet<u8> {
    let mut letters: BTreeSet<u8> = narrow.awaits(state).into_iter().collect();
    if narrow.takes_any(state) {
        letters.insert(other);
        letters.extend(each(states).filter_map(|state| wide.awaits(state)));
    }
    letters
}

/// The shortest path that both match, if there is one.
///
/// # Errors
/// When the budget is spent before the answer is known.
pub fn meeting(
    one: &Pattern,
    two: &Pattern,
    budget: &mut Budget,
) -> Result<Option<String>, Undecided> {
    let other = other(one, two);
    let mut walk = Walk::new();
    let step = |walk: &mut Walk<(usize, usize)>, (a, b): (usize, usize), from, byte| {
        for a in one.next(a, byte) {
            two.next(b, byte).for_each(|b| walk.visit((a, b), from, byte));
        }
    };
    step(&mut walk, (0, 0), None, b'/');
    while let Some((at, (a, b))) = walk.take() {
        budget.spend().ok_or(Undecided)?;
        if one.ends(a) && two.ends(b) {
            return Ok(Some(walk.path(at)));
        }
        let letters: BTreeSet<u8> =
            one.awaits(a).into_iter().chain(two.awaits(b)).chain([other]).collect();
        for byte in letters {
            step(&mut walk, (a, b), Some(at), byte);
        }
    }
    Ok(None)
}
