//! Points on the globe and how far they are from each other.

use crate::centroids::CENTROIDS;

/// Mean radius of the Earth, as IUGG gives it.
const EARTH_KM: f64 = 6371.0088;

/// A point on the globe, always within bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    latitude: f64,
    longitude: f64,
}

impl Position {
    /// Degrees north (-90 to 90) and east (-180 to 180); none when out of bounds or not a number.
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let there = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        there.then_some(Self { latitude, longitude })
    }

    /// Degrees north.
    pub const fn latitude(self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    pub const fn longitude(self) -> f64 {
        self.longitude
    }

    /// Length of the great circle between the two, in kilometres, on a sphere: never negative,
    /// at most half of the circumference.
    ///
    /// Source: the haversine formula.
    #[must_use]
    pub fn distance_km(self, other: Self) -> f64 {
        let north = (other.latitude - self.latitude).to_radians() / 2.0;
        let east = (other.longitude - self.longitude).to_radians() / 2.0;
        let parallels = self.latitude.to_radians().cos() * other.latitude.to_radians().cos();
        let chord = north.sin().powi(2) + parallels * east.sin().powi(2);
        2.0 * EARTH_KM * chord.clamp(0.0, 1.0).sqrt().asin()
    }
}

/// The middle of a country, for databases that know no more than the country.
///
/// Shape: `country` is ISO 3166-1 alpha-2 in upper case; none for codes that name no place.
pub fn centroid(country: &str) -> Option<Position> {
    let at = CENTROIDS.binary_search_by(|(code, _, _)| (*code).cmp(country)).ok()?;
    let (_, latitude, longitude) = CENTROIDS.get(at)?;
    Position::new(f64::from(*latitude), f64::from(*longitude))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(latitude: f64, longitude: f64) -> Position {
        Position::new(latitude, longitude).unwrap()
    }

    #[test]
    fn known_distances() {
        let (frankfurt, tokyo, paris) = (at(50.11, 8.68), at(35.68, 139.69), at(48.86, 2.35));
        assert!((frankfurt.distance_km(tokyo) - 9330.0).abs() < 50.0);
        assert!((frankfurt.distance_km(paris) - 479.0).abs() < 10.0);
        assert!((at(90.0, 0.0).distance_km(at(-90.0, 77.0)) - 20015.1).abs() < 0.1);
        assert!(at(0.0, 179.9).distance_km(at(0.0, -179.9)) < 23.0);
    }

    #[test]
    fn out_of_bounds_is_nowhere() {
        for (latitude, longitude) in
            [(90.1, 0.0), (0.0, 180.1), (f64::NAN, 0.0), (0.0, f64::NAN), (f64::INFINITY, 0.0)]
        {
            assert_eq!(Position::new(latitude, longitude), None);
        }
    }

    #[test]
    fn centroids_are_sorted_and_on_the_globe() {
        assert!(CENTROIDS.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(CENTROIDS.len(), 250); // the 249 of ISO 3166-1, and XK
        for (code, _, _) in CENTROIDS {
            assert!(centroid(code).is_some(), "{code}");
            assert!(code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()));
        }
        assert_eq!(centroid("de"), None);
        assert_eq!(centroid("ZZ"), None);
    }

    #[test]
    fn centroids_lie_where_countries_are() {
        for (code, latitude, longitude) in [
            ("DE", 51.0, 10.0),
            ("JP", 36.0, 138.0),
            ("US", 39.0, -98.0),
            ("AU", -25.0, 134.0),
            ("BR", -10.0, -55.0),
            ("ZA", -29.0, 24.0),
        ] {
            assert!(centroid(code).unwrap().distance_km(at(latitude, longitude)) < 300.0);
        }
    }

    fn anywhere() -> impl Strategy<Value = Position> {
        (-90.0..=90.0, -180.0..=180.0).prop_map(|(latitude, longitude)| at(latitude, longitude))
    }

    proptest! {
        #[test]
        fn distance_is_a_metric(a in anywhere(), b in anywhere(), c in anywhere()) {
            prop_assert!((a.distance_km(b) - b.distance_km(a)).abs() < 1e-6);
            prop_assert!((0.0..=20_015.2).contains(&a.distance_km(b)));
            prop_assert!(a.distance_km(a) == 0.0);
            prop_assert!(a.distance_km(c) <= a.distance_km(b) + b.distance_km(c) + 1e-3);
        }
    }
}
