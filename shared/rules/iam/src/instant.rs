//! Points in time as policies write them: seconds since 1970, or ISO 8601.
//!
//! Source: IAM user guide, "Date condition operators"; W3C note on date and time formats.

use time::{
    Date, OffsetDateTime, PrimitiveDateTime, UtcOffset, format_description::well_known::Rfc3339,
    macros::format_description,
};

/// Milliseconds since 1970; none when the text is no point in time.
pub fn read(text: &str) -> Option<i128> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<i64>().map(i128::from)
        && text.len() != 4
    {
        return Some(seconds * 1000);
    }
    whole(text).map(|time| time.unix_timestamp_nanos() / 1_000_000)
}

fn whole(text: &str) -> Option<OffsetDateTime> {
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(time);
    }
    let minutes = format_description!("[year]-[month]-[day]T[hour]:[minute]Z");
    if let Ok(time) = PrimitiveDateTime::parse(text, minutes) {
        return Some(time.assume_utc());
    }
    let day = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    let date = Date::parse(&day, format_description!("[year]-[month]-[day]")).ok()?;
    Some(date.midnight().assume_offset(UtcOffset::UTC))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn several_forms_mean_one_moment() {
        let new_year = Some(1_767_225_600_000);
        for text in [
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.000Z",
            "2026-01-01T01:00:00+01:00",
            "2026-01-01T00:00Z",
            "2026-01-01",
            "2026-01",
            "2026",
            "1767225600",
        ] {
            assert_eq!(read(text), new_year, "{text}");
        }
        for text in ["", "soon", "2026-13-01", "2026-01-01T00:00:00", "99999999999999999999"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
