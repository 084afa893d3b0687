//! `Vary` (RFC 9110 §12.5.5, RFC 9111 §4.1).

use crate::given::headers;
use nearfront_caching::vary::{Vary, matches, of, secondary};

#[test]
fn what_vary_says() {
    let names = |text: &str| match of(&headers(text)) {
        Vary::On(names) => names.iter().map(|name| name.as_str().to_owned()).collect(),
        Vary::Any => vec!["*".to_owned()],
    };
    let table: [(&str, &[&str]); 8] = [
        ("", &[]),
        ("vary:", &[]),
        ("vary: Accept", &["accept"]),
        ("vary: b, A\nvary: a", &["a", "b"]),
        ("vary: *", &["*"]),
        ("vary: accept, *", &["*"]),
        ("vary: accept\nvary: *", &["*"]),
        ("vary: not a name", &["*"]),
    ];
    for (text, expected) in table {
        assert_eq!(names(text), expected, "{text:?}");
    }
    let many: Vec<_> = (0..17).map(|at| format!("x-{at}")).collect();
    assert_eq!(of(&headers(&format!("vary: {}", many.join(",")))), Vary::Any);
}

#[test]
fn requests_match_when_every_named_header_does() {
    let Vary::On(names) = of(&headers("vary: a, b")) else { panic!("names") };
    let table = [
        ("a: 1", "a: 1", true),
        ("a: 1", "a: 1\nc: 2", true),
        ("a: 1", "a: 2", false),
        ("a: 1", "", false),
        ("a:", "", false),
        ("", "", true),
        ("a: 1,2", "a: 1 , 2", true),
        ("a: 1,2", "a: 1\na: 2", true),
        ("a: 1,2", "a: 2,1", false),
        ("a: X", "a: x", false),
        ("a: 1\nb: 2", "a: 2\nb: 1", false),
        ("a: 1", "b: 1", false),
    ];
    for (one, other, expected) in table {
        let (one, other) = (headers(one), headers(other));
        assert_eq!(matches(&names, &one, &other), expected, "{one:?} {other:?}");
        assert_eq!(secondary(&names, &one) == secondary(&names, &other), expected);
    }
}
