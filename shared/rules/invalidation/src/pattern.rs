//! Path patterns of behaviours (CloudFront developer guide, "Path pattern").
//!
//! For: choosing a behaviour by a path. Not for: invalidation paths, in which only a final `*` is a
//! wildcard ([`crate::bans`]).
//!
//! Patterns with wildcards in the middle run as a bit-parallel automaton: a few machine words for
//! each byte of the path, whatever the pattern, so that no path takes more than linear time.

/// Longest pattern, in bytes.
pub const LONGEST: usize = 255;

/// Words that hold a bit for each state: as many as bytes (with the slash in front), and the start.
const WORDS: usize = (LONGEST + 2).div_ceil(64);

type States = [u64; WORDS];

/// What is wrong with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    /// It has no character.
    #[error("a path pattern must have at least one character")]
    Empty,
    /// It has more than [`LONGEST`].
    #[error("a path pattern may have at most 255 characters")]
    TooLong,
    /// It has a character that patterns may not have.
    #[error(
        "a path pattern may not contain {0:?}; write letters, digits and _ - . * $ / ~ \" ' @ : + & ? only"
    )]
    Character(char),
}

/// A compiled pattern: the whole path has to match; `*` is any number of bytes, `?` is one;
/// case counts; a leading slash may be left out.
#[derive(Clone, Debug)]
pub struct PathPattern(Kind);

#[derive(Clone, Debug)]
enum Kind {
    All,
    Exact(Box<[u8]>),
    Prefix(Box<[u8]>),
    Suffix(Box<[u8]>),
    Automaton(Box<Automaton>),
}

impl PathPattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When it is empty, longer than [`LONGEST`], or has a character that CloudFront refuses.
    pub fn new(pattern: &str) -> Result<Self, PatternFault> {
        if pattern.is_empty() {
            return Err(PatternFault::Empty);
        }
        if pattern.len() > LONGEST {
            return Err(PatternFault::TooLong);
        }
        match pattern.chars().find(|found| !allowed(*found)) {
            Some(found) => Err(PatternFault::Character(found)),
            None => Ok(Self(compile(&with_slash(pattern)))),
        }
    }

    /// Whether a path matches. It begins with `/` and is [normalised](crate::normalise()).
    pub fn matches(&self, path: &str) -> bool {
        let path = path.as_bytes();
        match &self.0 {
            Kind::All => true,
            Kind::Exact(whole) => path == &**whole,
            Kind::Prefix(start) => path.starts_with(start),
            Kind::Suffix(end) => path.ends_with(end),
            Kind::Automaton(automaton) => automaton.accepts(path),
        }
    }
}

fn allowed(found: char) -> bool {
    found.is_ascii_alphanumeric() || "_-.*$/~\"'@:+&?".contains(found)
}

/// Paths begin with a slash; a pattern that may begin with one too has it left out.
fn with_slash(pattern: &str) -> Vec<u8> {
    let slash = if pattern.starts_with(['/', '*']) { "" } else { "/" };
    [slash, pattern].concat().into_bytes()
}

fn compile(pattern: &[u8]) -> Kind {
    let wild = |part: &[u8]| part.iter().any(|byte| matches!(byte, b'*' | b'?'));
    match (pattern.strip_suffix(b"*"), pattern.strip_prefix(b"*")) {
        _ if matches!(pattern, b"*" | b"/*") => Kind::All,
        _ if !wild(pattern) => Kind::Exact(pattern.into()),
        (Some(start), _) if !wild(start) => Kind::Prefix(start.into()),
        (_, Some(end)) if !wild(end) => Kind::Suffix(end.into()),
        _ => Kind::Automaton(Box::new(Automaton::of(pattern))),
    }
}

/// State `i` is reached when the first `i` signs of the pattern (stars left out) have matched.
#[derive(Clone, Debug)]
struct Automaton {
    /// For each byte, where in `masks` its states are.
    rows: [u8; 256],
    /// States that a byte can lead to. Row 0 is for bytes that the pattern does not name.
    masks: Vec<States>,
    /// States with a star behind them: any byte leaves them as they are.
    stays: States,
    /// The state after the last sign.
    end: usize,
}

impl Automaton {
    fn of(pattern: &[u8]) -> Self {
        let mut made = Self { rows: [0; 256], masks: vec![[0; WORDS]], stays: [0; WORDS], end: 0 };
        for sign in pattern.iter().filter(|byte| !matches!(byte, b'*' | b'?')) {
            made.name(*sign);
        }
        for sign in pattern {
            match sign {
                b'*' => set(&mut made.stays, made.end),
                sign => made.step(*sign),
            }
        }
        made
    }

    /// Gives a byte a row of its own. There are at most 255 of them: the longest pattern.
    fn name(&mut self, sign: u8) {
        let next = u8::try_from(self.masks.len()).unwrap_or_default();
        if let Some(row) = self.rows.get_mut(usize::from(sign)).filter(|row| **row == 0) {
            *row = next;
            self.masks.push([0; WORDS]);
        }
    }

    fn step(&mut self, sign: u8) {
        self.end += 1;
        let row = usize::from(self.rows.get(usize::from(sign)).copied().unwrap_or_default());
        let leads = |at: usize| sign == b'?' || at == row;
        for (_, mask) in self.masks.iter_mut().enumerate().filter(|(at, _)| leads(*at)) {
            set(mask, self.end);
        }
    }

    fn accepts(&self, path: &[u8]) -> bool {
        if self.end < 64 { self.narrow(path) } else { self.wide(path) }
    }

    /// Patterns whose states all have their bit in the first word: nearly every one.
    fn narrow(&self, path: &[u8]) -> bool {
        let [stays, ..] = self.stays;
        let mut states = 1_u64;
        for byte in path {
            let Some([mask, ..]) = self.mask(*byte) else {
                return false;
            };
            states = ((states << 1) & mask) | (states & stays);
            if states == 0 {
                return false;
            }
        }
        states & (1 << self.end) != 0
    }

    fn wide(&self, path: &[u8]) -> bool {
        let mut states = [0; WORDS];
        set(&mut states, 0);
        for byte in path {
            let Some(mask) = self.mask(*byte) else {
                return false;
            };
            states = self.after(&states, mask);
            if states == [0; WORDS] {
                return false;
            }
        }
        has(&states, self.end)
    }

    /// States that this byte can lead to. Every byte has a row.
    fn mask(&self, byte: u8) -> Option<&States> {
        let row = self.rows.get(usize::from(byte))?;
        self.masks.get(usize::from(*row))
    }

    /// Each state moves on by one if the byte fits; those with a star also stay.
    fn after(&self, states: &States, mask: &States) -> States {
        let mut next = [0; WORDS];
        let mut carry = 0;
        for (((next, now), mask), stays) in next.iter_mut().zip(states).zip(mask).zip(&self.stays) {
            *next = (((now << 1) | carry) & mask) | (now & stays);
            carry = now >> 63;
        }
        next
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
