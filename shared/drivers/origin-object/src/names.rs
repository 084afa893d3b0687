//! Which domain names are buckets of the default store.

/// A bucket as a domain name says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// Its name; may hold dots.
    pub name: String,
    /// The region, if the domain name has one.
    pub region: Option<String>,
}

/// Reads `BUCKET.s3.amazonaws.com`, `BUCKET.s3.REGION.amazonaws.com`,
/// `BUCKET.s3.dualstack.REGION.amazonaws.com`, `BUCKET.s3-REGION.amazonaws.com` (each also under
/// `amazonaws.com.cn`) and `BUCKET.s3.ZONE`. Website endpoints (`s3-website`) are web servers.
///
/// Shape: `domain` and `zone` are lower case.
/// Source: Amazon S3 user guide, "Virtual hosting of general purpose buckets".
pub(crate) fn bucket(domain: &str, zone: &str) -> Option<Bucket> {
    if let Some(name) = domain.strip_suffix(zone).and_then(|rest| rest.strip_suffix(".s3.")) {
        return named(name, None);
    }
    let rest = domain
        .strip_suffix(".amazonaws.com")
        .or_else(|| domain.strip_suffix(".amazonaws.com.cn"))?;
    if let Some(name) = rest.strip_suffix(".s3") {
        return named(name, None);
    }
    let (place, region) = split_region(rest)?;
    named(place, Some(region))
}

/// Splits `BUCKET.s3.REGION`, `BUCKET.s3.dualstack.REGION` or `BUCKET.s3-REGION`.
fn split_region(rest: &str) -> Option<(&str, &str)> {
    let forms = [".s3.dualstack.", ".s3.", ".s3-"];
    forms.iter().find_map(|form| rest.rsplit_once(form).filter(|(_, region)| is_region(region)))
}

/// `us-east-1`, `us-gov-west-1`: two letters, words, a number. `website-us-east-1` is none.
fn is_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let Some((number, places)) = words.split_last() else {
        return false;
    };
    let digits = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let letters = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    let country = places.first().is_some_and(|place| place.len() == 2);
    digits(number) && country && places.len() >= 2 && places.iter().all(letters)
}

/// A bucket whose name S3 could have given: it goes into URLs and folder names.
///
/// Source: Amazon S3 user guide, "Bucket naming rules".
fn named(name: &str, region: Option<&str>) -> Option<Bucket> {
    let good =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
    let sound = !name.starts_with('.') && !name.ends_with('.') && !name.contains("..");
    (!name.is_empty() && sound && name.bytes().all(good))
        .then(|| Bucket { name: name.to_owned(), region: region.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(domain: &str) -> Option<(String, Option<String>)> {
        bucket(domain, "nearfront.localhost").map(|bucket| (bucket.name, bucket.region))
    }

    #[test]
    fn every_form_of_a_buckets_name_is_read() {
        for (domain, name, region) in [
            ("media.s3.amazonaws.com", "media", None),
            ("media.s3.eu-west-1.amazonaws.com", "media", Some("eu-west-1")),
            ("media.s3-eu-west-1.amazonaws.com", "media", Some("eu-west-1")),
            ("media.s3.dualstack.us-gov-west-1.amazonaws.com", "media", Some("us-gov-west-1")),
            ("media.s3.cn-north-1.amazonaws.com.cn", "media", Some("cn-north-1")),
            ("my.media.s3.amazonaws.com", "my.media", None),
            ("a.s3.b.s3.us-east-1.amazonaws.com", "a.s3.b", Some("us-east-1")),
            ("media.s3.nearfront.localhost", "media", None),
        ] {
            let expected = (name.to_owned(), region.map(str::to_owned));
            assert_eq!(read(domain), Some(expected), "{domain}");
        }
    }

    #[test]
    fn other_names_are_not_buckets() {
        for domain in [
            "s3.amazonaws.com",
            ".s3.amazonaws.com",
            "media.s3.example.com",
            "media.s3-website-us-east-1.amazonaws.com",
            "media.s3-website.eu-central-1.amazonaws.com",
            "media.s3-accelerate.amazonaws.com",
            "..s3.amazonaws.com",
            "a..b.s3.amazonaws.com",
            "a/b.s3.amazonaws.com",
            "d111.nearfront.localhost",
            "s3.nearfront.localhost",
            "amazonaws.com",
            "",
        ] {
            assert_eq!(read(domain), None, "{domain}");
        }
    }
}
