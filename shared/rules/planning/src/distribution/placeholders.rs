//! Places left open in a text: `{{name}}`.
//!
//! For: putting values in. Not for: which texts may have such places (`tenancy`).

/// What is wrong with the places of a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    /// A name that nobody defined.
    #[error("the parameter {0:?} is not defined in TenantConfig.ParameterDefinitions")]
    Undefined(String),
    /// Braces that do not belong to a place.
    #[error("{0:?} is not text with parameters: each stands as {{{{name}}}}, not within another")]
    Braces(String),
}

/// `text` with each place filled. A value is put in as it is: braces in it are no places.
///
/// # Errors
/// [`Broken`] for the first place that cannot be filled.
pub(super) fn fill<'v>(
    text: &str,
    value: impl Fn(&str) -> Option<&'v str>,
) -> Result<String, Broken> {
    let braces = || Broken::Braces(text.to_owned());
    let (mut filled, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, behind) = after.split_once("}}").ok_or_else(braces)?;
        if before.contains("}}") || name.contains(['{', '}']) {
            return Err(braces());
        }
        filled.push_str(before);
        filled.push_str(value(name).ok_or_else(|| Broken::Undefined(name.to_owned()))?);
        rest = behind;
    }
    if rest.contains("}}") {
        return Err(braces());
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filled(text: &str) -> Result<String, Broken> {
        let value = |name: &str| match name {
            "shop" => Some("hats"),
            "odd" => Some("{{shop}}"),
            _ => None,
        };
        fill(text, value)
    }

    #[test]
    fn places_are_filled_once_and_braces_must_belong_to_a_place() {
        assert_eq!(filled("{{shop}}.example.com").as_deref(), Ok("hats.example.com"));
        assert_eq!(filled("/{{shop}}/a/{{shop}}").as_deref(), Ok("/hats/a/hats"));
        assert_eq!(filled("plain {one}").as_deref(), Ok("plain {one}"));
        assert_eq!(filled("{{odd}}").as_deref(), Ok("{{shop}}"), "a value is no text to fill");
        assert_eq!(filled("{{none}}"), Err(Broken::Undefined("none".to_owned())));
        for text in ["{{shop", "shop}}", "}}{{shop}}", "{{{{shop}}}}", "{{a{b}}"] {
            assert_eq!(filled(text), Err(Broken::Braces(text.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn what_has_no_places_stays_as_it_is(text in "[^{}]*") {
            prop_assert_eq!(fill(&text, |_| None), Ok(text.clone()));
        }

        #[test]
        fn nothing_is_lost(before in "[^{}]*", name in "[a-z-]{1,9}", value in ".*", after in "[^{}]*") {
            let text = format!("{before}{{{{{name}}}}}{after}");
            let all = fill(&text, |asked| (asked == name).then_some(value.as_str()));
            prop_assert_eq!(all, Ok(format!("{before}{value}{after}")));
        }
    }
}
