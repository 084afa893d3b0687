//! Text with wildcards and variables.
//!
//! What a variable brings is text: a user who is called `*` does not become everybody.
//!
//! Source: IAM user guide, "IAM policy elements: Variables and tags".

use crate::context::Context;

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// This character.
    Just(char),
    /// `?`: one character.
    One,
    /// `*`: any number of characters.
    Any,
    /// `${key}` or `${key, 'otherwise'}`; the key in small letters.
    Variable(String, Option<String>),
}

/// What of a text means more than itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// `*` and `?` are wildcards.
    pub wildcards: bool,
    /// `${…}` is a variable: in documents of version 2012-10-17.
    pub variables: bool,
}

/// Text with wildcards and variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Piece>);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A text that says what is wrong: a variable without an end, or without a good key.
    pub fn read(text: &str, meaning: Meaning) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("${").filter(|_| meaning.variables) {
                let (inside, after) =
                    after.split_once('}').ok_or("a variable ${…} has no closing brace")?;
                pieces.push(variable(inside)?);
                rest = after;
                continue;
            }
            pieces.push(match first {
                '*' if meaning.wildcards => Piece::Any,
                '?' if meaning.wildcards => Piece::One,
                other => Piece::Just(other),
            });
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
        Ok(Self(pieces))
    }

    /// Matches everything.
    pub fn anything() -> Self {
        Self(vec![Piece::Any])
    }

    /// Keys of the variables that have no value of their own, in small letters.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Variable(key, None) => Some(key.as_str()),
            _ => None,
        })
    }

    /// Whether the whole text fits. A variable that the request has not fits nothing.
    pub fn fits(&self, text: &str, context: &Context, fold: bool) -> bool {
        let Some(mut wanted) = self.resolved(context) else { return false };
        let mut text: Vec<char> = text.chars().collect();
        if fold {
            text = text.iter().flat_map(|c| c.to_lowercase()).collect();
            wanted = wanted.into_iter().flat_map(folded).collect();
        }
        glob(&wanted, &text)
    }

    fn resolved(&self, context: &Context) -> Option<Vec<Token>> {
        let mut tokens = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Just(c) => tokens.push(Token::Just(*c)),
                Piece::One => tokens.push(Token::One),
                Piece::Any => tokens.push(Token::Any),
                Piece::Variable(key, otherwise) => {
                    let value = match context.get(key) {
                        [one] => Some(one),
                        _ => otherwise.as_ref(),
                    };
                    tokens.extend(value?.chars().map(Token::Just));
                }
            }
        }
        Some(tokens)
    }
}

/// `key`, `key, 'otherwise'`, or one of `*`, `?`, `$` for itself.
fn variable(inside: &str) -> Result<Piece, String> {
    let mut special = inside.chars();
    if let (Some(one @ ('*' | '?' | '$')), None) = (special.next(), special.next()) {
        return Ok(Piece::Just(one));
    }
    let (key, otherwise) = match inside.split_once(',') {
        None => (inside, None),
        Some((key, otherwise)) => (key, Some(quoted(otherwise.trim())?)),
    };
    crate::keys::check(key.trim())?;
    Ok(Piece::Variable(key.trim().to_lowercase(), otherwise))
}

fn quoted(text: &str) -> Result<String, String> {
    let inside = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    inside
        .map(str::to_owned)
        .ok_or_else(|| "a variable's default must stand in 'quotes'".to_owned())
}

/// A part of a pattern without variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Just(char),
    One,
    Any,
}

fn folded(token: Token) -> Vec<Token> {
    match token {
        Token::Just(c) => c.to_lowercase().map(Token::Just).collect(),
        other => vec![other],
    }
}

/// Whether the pattern fits the whole text: at most one step back for each star that was met, so
/// the time is bounded by the product of both lengths.
fn glob(pattern: &[Token], text: &[char]) -> bool {
    let (mut p, mut t) = (0_usize, 0_usize);
    let mut star: Option<(usize, usize)> = None;
    while let Some(here) = text.get(t) {
        match pattern.get(p) {
            Some(Token::Any) => {
                star = Some((p, t));
                p += 1;
            }
            Some(Token::One) => (p, t) = (p + 1, t + 1),
            Some(Token::Just(c)) if c == here => (p, t) = (p + 1, t + 1),
            _ => {
                let Some((after, from)) = star else { return false };
                star = Some((after, from + 1));
                (p, t) = (after + 1, from + 1);
            }
        }
    }
    pattern.iter().skip(p).all(|token| *token == Token::Any)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WILD: Meaning = Meaning { wildcards: true, variables: true };

    fn fits(pattern: &str, text: &str) -> bool {
        Pattern::read(pattern, WILD).unwrap().fits(text, &Context::default(), false)
    }

    /// Every way that the stars can go, tried one after the other.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => (0..=text.len()).any(|taken| naive(rest, &text[taken..])),
            (Some(('?', rest)), Some((_, others))) => naive(rest, others),
            (Some((c, rest)), Some((d, others))) => c == d && naive(rest, others),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn wildcards_mean_what_trying_everything_says(
            pattern in "[ab*?é]{0,9}", text in "[abé]{0,12}",
        ) {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(fits(&pattern, &text), naive(&p, &t));
        }

        #[test]
        fn a_variable_brings_text_and_no_wildcards(name in "[a-c*?$]{1,6}", text in "[a-c*?$]{1,6}") {
            let mut context = Context::default();
            context.add("aws:UserName", name.clone());
            let pattern = Pattern::read("x/${aws:username}/y", WILD).unwrap();
            prop_assert_eq!(pattern.fits(&format!("x/{text}/y"), &context, false), name == text);
        }
    }

    #[test]
    fn many_stars_do_not_take_forever() {
        let pattern = "*a".repeat(40) + "b";
        assert!(!fits(&pattern, &"a".repeat(4000)));
    }

    #[test]
    fn variables_have_defaults_and_wildcards_can_be_meant_literally() {
        assert!(fits("${*}${?}${$}", "*?$"));
        assert!(!fits("${*}", "x"));
        assert!(fits("a/${aws:username, 'nobody'}", "a/nobody"));
        assert!(!fits("a/${aws:username}", "a/"), "a variable without a value fits nothing");
    }
}
