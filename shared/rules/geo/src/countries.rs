//! Who is served, by country.

use model::plan::Countries;

/// Whether a viewer from this country is served; one from an unknown country always is.
///
/// Shape: codes are ISO 3166-1 alpha-2; their case does not matter.
/// Source: CloudFront developer guide, geographic restrictions.
pub fn admits(countries: &Countries, country: Option<&str>) -> bool {
    let Some(country) = country else { return true };
    let named = |codes: &[String]| codes.iter().any(|code| code.eq_ignore_ascii_case(country));
    match countries {
        Countries::All => true,
        Countries::Only(codes) => named(codes),
        Countries::Except(codes) => !named(codes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn codes() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec("[A-D][A-D]", 0..6)
    }

    #[test]
    fn an_empty_list_of_only_serves_nobody_known() {
        assert!(!admits(&Countries::Only(Vec::new()), Some("DE")));
        assert!(admits(&Countries::Except(Vec::new()), Some("DE")));
    }

    proptest! {
        #[test]
        fn the_unknown_country_is_served(codes in codes()) {
            prop_assert!(admits(&Countries::All, None));
            prop_assert!(admits(&Countries::Only(codes.clone()), None));
            prop_assert!(admits(&Countries::Except(codes), None));
        }

        #[test]
        fn only_and_except_are_opposites(codes in codes(), country in "[A-Da-d][A-D]") {
            let only = admits(&Countries::Only(codes.clone()), Some(&country));
            let except = admits(&Countries::Except(codes.clone()), Some(&country));
            prop_assert_ne!(only, except);
            prop_assert_eq!(only, codes.contains(&country.to_ascii_uppercase()));
        }
    }
}
