//! Which edge is best for a client.

use crate::position::Position;
use std::cmp::Ordering;

/// An edge as far as ranking cares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate<'a> {
    /// Its id, unique among the candidates.
    pub id: &'a str,
    /// Where it is, if it says so.
    pub position: Option<Position>,
    /// Its place in the operator's order; none: after all that have one.
    pub preference: Option<usize>,
}

/// Indices of the candidates, best first.
///
/// With a client position: nearest first, then those that do not say where they are. Ties, and
/// everything when the client's position is unknown, go by the operator's order, then by id.
#[must_use]
pub fn rank(client: Option<Position>, candidates: &[Candidate<'_>]) -> Vec<usize> {
    let mut ranked: Vec<(usize, f64, &Candidate<'_>)> = candidates
        .iter()
        .enumerate()
        .map(|(index, candidate)| (index, remoteness(client, candidate), candidate))
        .collect();
    ranked.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| by_order(a.2, b.2)));
    ranked.into_iter().map(|(index, ..)| index).collect()
}

/// Kilometres; infinite when the candidate's place is not known, 0 when the client's is not.
fn remoteness(client: Option<Position>, candidate: &Candidate<'_>) -> f64 {
    match (client, candidate.position) {
        (None, _) => 0.0,
        (Some(_), None) => f64::INFINITY,
        (Some(client), Some(edge)) => client.distance_km(edge),
    }
}

fn by_order(a: &Candidate<'_>, b: &Candidate<'_>) -> Ordering {
    let place = |candidate: &Candidate<'_>| candidate.preference.unwrap_or(usize::MAX);
    place(a).cmp(&place(b)).then_with(|| a.id.cmp(b.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FRANKFURT: Option<(f64, f64)> = Some((50.1, 8.7));
    const TOKYO: Option<(f64, f64)> = Some((35.7, 139.7));
    const VIRGINIA: Option<(f64, f64)> = Some((38.9, -77.5));

    fn edge(id: &str, place: Option<(f64, f64)>, preference: Option<usize>) -> Candidate<'_> {
        let position = place.and_then(|(latitude, longitude)| Position::new(latitude, longitude));
        Candidate { id, position, preference }
    }

    fn ids<'a>(client: Option<(f64, f64)>, edges: &[Candidate<'a>]) -> Vec<&'a str> {
        let client = client.and_then(|(latitude, longitude)| Position::new(latitude, longitude));
        let ranked = rank(client, edges);
        ranked.into_iter().map(|index| edges[index].id).collect()
    }

    #[test]
    fn the_nearest_is_first_and_the_unplaced_last() {
        let edges = [
            edge("nowhere", None, Some(0)),
            edge("fra", FRANKFURT, None),
            edge("nrt", TOKYO, None),
            edge("iad", VIRGINIA, None),
        ];
        let seoul = Some((37.6, 127.0));
        assert_eq!(ids(seoul, &edges), ["nrt", "fra", "iad", "nowhere"]);
        let boston = Some((42.4, -71.1));
        assert_eq!(ids(boston, &edges), ["iad", "fra", "nrt", "nowhere"]);
    }

    #[test]
    fn without_a_client_position_the_order_decides_then_the_id() {
        let edges = [
            edge("c", FRANKFURT, None),
            edge("b", TOKYO, None),
            edge("z", VIRGINIA, Some(0)),
            edge("y", None, Some(1)),
        ];
        assert_eq!(ids(None, &edges), ["z", "y", "b", "c"]);
    }

    #[test]
    fn edges_in_one_place_go_by_order() {
        let edges = [edge("b", TOKYO, None), edge("a", TOKYO, None), edge("x", TOKYO, Some(7))];
        assert_eq!(ids(TOKYO, &edges), ["x", "a", "b"]);
    }

    type Made = (Option<(f64, f64)>, Option<usize>);

    fn made() -> impl Strategy<Value = Vec<Made>> {
        let place = proptest::option::of((-90.0..=90.0, -180.0..=180.0));
        proptest::collection::vec((place, proptest::option::of(0..4usize)), 0..12)
    }

    proptest! {
        #[test]
        fn ranking_is_a_permutation_by_distance(made in made(), client in (-90.0..=90.0, -180.0..=180.0)) {
            let names: Vec<String> = (0..made.len()).map(|n| format!("e{n}")).collect();
            let edges: Vec<_> = names.iter().zip(&made).map(|(id, (place, preference))| edge(id, *place, *preference)).collect();
            let client = Position::new(client.0, client.1);
            let ranked = rank(client, &edges);
            let mut all = ranked.clone();
            all.sort_unstable();
            prop_assert_eq!(all, (0..edges.len()).collect::<Vec<_>>());
            let far: Vec<f64> = ranked.iter().map(|at| remoteness(client, &edges[*at])).collect();
            prop_assert!(far.is_sorted());
        }

        #[test]
        fn ranking_does_not_depend_on_how_candidates_are_listed(made in made()) {
            let names: Vec<String> = (0..made.len()).map(|n| format!("e{n}")).collect();
            let edges: Vec<_> = names.iter().zip(&made).map(|(id, (place, preference))| edge(id, *place, *preference)).collect();
            let reversed: Vec<_> = edges.iter().rev().copied().collect();
            prop_assert_eq!(ids(TOKYO, &edges), ids(TOKYO, &reversed));
            prop_assert_eq!(ids(None, &edges), ids(None, &reversed));
        }
    }
}
