//! Countries whose viewers are served, or not.
//!
//! Source: CloudFront API reference, `GeoRestriction`; ISO 3166-1.

use crate::{Faults, faults::items};
use model::{
    api::{ErrorCode, GeoRestriction, GeoRestrictionType, Restrictions},
    plan::Countries,
};

/// Every code of ISO 3166-1 alpha-2 that is assigned to a country, in order.
const CODES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN \
    BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ \
    DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL \
    GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM \
    JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME \
    MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP \
    NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD \
    SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO \
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

pub(super) fn planned(faults: &mut Faults, restrictions: Option<&Restrictions>) -> Countries {
    let Some(Restrictions { geo_restriction: geo }) = restrictions else {
        return Countries::All;
    };
    let codes = items!(geo);
    check(faults, geo, codes);
    match geo.restriction_type {
        GeoRestrictionType::None => Countries::All,
        GeoRestrictionType::Whitelist => Countries::Only(codes.to_vec()),
        GeoRestrictionType::Blacklist => Countries::Except(codes.to_vec()),
    }
}

fn check(faults: &mut Faults, geo: &GeoRestriction, codes: &[String]) {
    let path = "Restrictions.GeoRestriction";
    let code = ErrorCode::InvalidGeoRestrictionParameter;
    faults.require(
        (geo.restriction_type == GeoRestrictionType::None) == codes.is_empty(),
        path,
        code,
        "whitelist and blacklist need countries, none takes none",
    );
    if codes.len() > CODES.len() / 3 + 1 {
        return faults.add(path, code, "there are not so many countries");
    }
    for (index, country) in codes.iter().enumerate() {
        let place = format!("{path}.Items[{index}]");
        let message = format!("{country:?} is not a country code of ISO 3166-1 alpha-2");
        faults.require(is_code(country), &place, ErrorCode::InvalidLocationCode, message);
        let repeated = codes.iter().take(index).any(|earlier| earlier == country);
        faults.require(!repeated, place, code, "stands twice in the list");
    }
}

fn is_code(text: &str) -> bool {
    text.len() == 2 && CODES.split(' ').any(|code| code == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_each_of_the_249_codes_once_and_in_order() {
        let codes: Vec<&str> = CODES.split(' ').collect();
        assert_eq!(codes.len(), 249);
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(codes.iter().all(|code| code.len() == 2));
    }

    #[test]
    fn what_looks_like_a_code_need_not_be_one() {
        assert!(is_code("DE") && is_code("GB") && is_code("AX"));
        for wrong in ["UK", "XX", "ZZ", "de", "DEU", "", " ", "D", "E "] {
            assert!(!is_code(wrong), "{wrong:?}");
        }
    }
}
