//! What a database says of one network, in either of the two schemas that are about.
//!
//! MaxMind nests (`country.iso_code`, `location.latitude`, `autonomous_system_number`);
//! ip-location-db is flat (`country_code`, `latitude`, `autonomous_system_number`) and keeps degrees
//! as 32-bit floats. Whatever else a record holds is skipped.

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use std::fmt;

/// One record, as far as it is of use.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Record<'a> {
    #[serde(borrow)]
    country: Option<Country<'a>>,
    #[serde(borrow)]
    country_code: Option<Text<'a>>,
    location: Option<Location>,
    latitude: Option<Degrees>,
    longitude: Option<Degrees>,
    autonomous_system_number: Option<Asn>,
    asn: Option<Asn>,
}

impl Record<'_> {
    /// ISO 3166-1 alpha-2 in upper case. `ZZ` and empty text mean unknown.
    pub fn country(&self) -> Option<String> {
        let nested = self.country.as_ref().and_then(|country| country.0);
        let flat = self.country_code.as_ref().map(|text| text.0);
        nested.or(flat).and_then(code)
    }

    /// Degrees north and east: both or nothing.
    pub fn coordinates(&self) -> Option<(f64, f64)> {
        let nested = self.location.as_ref().and_then(Location::both);
        nested.or_else(|| both(self.latitude.as_ref(), self.longitude.as_ref()))
    }

    /// Autonomous system number; 0 means unknown (RFC 7607).
    pub fn asn(&self) -> Option<u32> {
        let asn = self.autonomous_system_number.or(self.asn)?.0?;
        (asn != 0).then_some(asn)
    }
}

fn code(text: &str) -> Option<String> {
    let letters = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let code = letters.then(|| text.to_ascii_uppercase())?;
    (code != "ZZ").then_some(code)
}

fn both(latitude: Option<&Degrees>, longitude: Option<&Degrees>) -> Option<(f64, f64)> {
    let (latitude, longitude) = (latitude?.0, longitude?.0);
    let there = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    there.then_some((latitude, longitude))
}

/// `location` of the nested schema.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Location {
    latitude: Option<Degrees>,
    longitude: Option<Degrees>,
}

impl Location {
    fn both(&self) -> Option<(f64, f64)> {
        both(self.latitude.as_ref(), self.longitude.as_ref())
    }
}

/// Text that stays in the database.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Text<'a>(&'a str);

/// `country`: a map with `iso_code`, or the code itself.
#[derive(Debug)]
struct Country<'a>(Option<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for Country<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(CountryVisitor)
    }
}

struct CountryVisitor;

impl<'de> Visitor<'de> for CountryVisitor {
    type Value = Country<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a country code, or a map with iso_code")
    }

    fn visit_borrowed_str<E: Error>(self, code: &'de str) -> Result<Self::Value, E> {
        Ok(Country(Some(code)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut code = None;
        while let Some(key) = map.next_key::<&str>()? {
            if key == "iso_code" {
                code = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Country(code))
    }
}

/// Degrees, kept as a double, a float or an integer.
#[derive(Debug)]
struct Degrees(f64);

impl<'de> Deserialize<'de> for Degrees {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(DegreesVisitor)
    }
}

struct DegreesVisitor;

impl Visitor<'_> for DegreesVisitor {
    type Value = Degrees;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("degrees as a number or as text")
    }

    fn visit_f64<E: Error>(self, degrees: f64) -> Result<Degrees, E> {
        Ok(Degrees(degrees))
    }

    fn visit_f32<E: Error>(self, degrees: f32) -> Result<Degrees, E> {
        Ok(Degrees(f64::from(degrees)))
    }

    fn visit_i32<E: Error>(self, degrees: i32) -> Result<Degrees, E> {
        Ok(Degrees(f64::from(degrees)))
    }

    fn visit_u64<E: Error>(self, degrees: u64) -> Result<Degrees, E> {
        u32::try_from(degrees).map(|degrees| Degrees(f64::from(degrees))).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, degrees: &str) -> Result<Degrees, E> {
        degrees.parse().map(Degrees).map_err(E::custom)
    }
}

/// An autonomous system number, as a number or as text with or without `AS`.
#[derive(Clone, Copy, Debug)]
struct Asn(Option<u32>);

impl<'de> Deserialize<'de> for Asn {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AsnVisitor)
    }
}

struct AsnVisitor;

impl Visitor<'_> for AsnVisitor {
    type Value = Asn;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an autonomous system number")
    }

    fn visit_u64<E: Error>(self, asn: u64) -> Result<Asn, E> {
        Ok(Asn(u32::try_from(asn).ok()))
    }

    fn visit_i32<E: Error>(self, asn: i32) -> Result<Asn, E> {
        Ok(Asn(u32::try_from(asn).ok()))
    }

    fn visit_str<E: Error>(self, asn: &str) -> Result<Asn, E> {
        let digits = asn.trim_start_matches("AS");
        Ok(Asn(digits.parse().ok()))
    }
}
