//! Versions of the API: older clients ask with an older date in the path, and are answered in that
//! version's namespace.
//!
//! What an older version's requests hold, today's shapes hold too; nothing was ever taken away. So
//! there is one set of handlers, and the version decides which operations there are.
//!
//! Source: the API's models that botocore ships, from 2014-05-31 on.

use model::api::OperationName as Op;

/// Namespaces begin with this and end with the version.
const NAMESPACES: &str = "http://cloudfront.amazonaws.com/doc/";

/// All versions, oldest first.
const VERSIONS: [&str; 19] = [
    "2014-05-31",
    "2014-10-21",
    "2014-11-06",
    "2015-04-17",
    "2015-07-27",
    "2015-09-17",
    "2016-01-13",
    "2016-01-28",
    "2016-08-01",
    "2016-08-20",
    "2016-09-07",
    "2016-09-29",
    "2016-11-25",
    "2017-03-25",
    "2017-10-30",
    "2018-06-18",
    "2018-11-05",
    "2019-03-26",
    "2020-05-31",
];

/// Operations by the version that brought them; all others came with the newest.
const SINCE: [(&str, &[Op]); 4] = [
    (
        "2014-05-31",
        &[
            Op::CreateCloudFrontOriginAccessIdentity,
            Op::CreateDistribution,
            Op::CreateInvalidation,
            Op::CreateStreamingDistribution,
            Op::DeleteCloudFrontOriginAccessIdentity,
            Op::DeleteDistribution,
            Op::DeleteStreamingDistribution,
            Op::GetCloudFrontOriginAccessIdentity,
            Op::GetCloudFrontOriginAccessIdentityConfig,
            Op::GetDistribution,
            Op::GetDistributionConfig,
            Op::GetInvalidation,
            Op::GetStreamingDistribution,
            Op::GetStreamingDistributionConfig,
            Op::ListCloudFrontOriginAccessIdentities,
            Op::ListDistributions,
            Op::ListInvalidations,
            Op::ListStreamingDistributions,
            Op::UpdateCloudFrontOriginAccessIdentity,
            Op::UpdateDistribution,
            Op::UpdateStreamingDistribution,
        ],
    ),
    ("2015-07-27", &[Op::ListDistributionsByWebACLId]),
    (
        "2016-08-01",
        &[
            Op::CreateDistributionWithTags,
            Op::CreateStreamingDistributionWithTags,
            Op::ListTagsForResource,
            Op::TagResource,
            Op::UntagResource,
        ],
    ),
    (
        "2017-10-30",
        &[
            Op::CreateFieldLevelEncryptionConfig,
            Op::CreateFieldLevelEncryptionProfile,
            Op::CreatePublicKey,
            Op::DeleteFieldLevelEncryptionConfig,
            Op::DeleteFieldLevelEncryptionProfile,
            Op::DeletePublicKey,
            Op::GetFieldLevelEncryption,
            Op::GetFieldLevelEncryptionConfig,
            Op::GetFieldLevelEncryptionProfile,
            Op::GetFieldLevelEncryptionProfileConfig,
            Op::GetPublicKey,
            Op::GetPublicKeyConfig,
            Op::ListFieldLevelEncryptionConfigs,
            Op::ListFieldLevelEncryptionProfiles,
            Op::ListPublicKeys,
            Op::UpdateFieldLevelEncryptionConfig,
            Op::UpdateFieldLevelEncryptionProfile,
            Op::UpdatePublicKey,
        ],
    ),
];

/// A version of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(&'static str);

impl Version {
    /// The newest: that of all answers unless an older one was asked for.
    pub const NEWEST: Self = Self("2020-05-31");

    /// The version that a path begins with, and the rest of the path.
    pub fn of_path(path: &str) -> Option<(Self, &str)> {
        let bare = path.strip_prefix('/')?;
        let version = VERSIONS.iter().find(|version| bare.starts_with(**version))?;
        Some((Self(version), bare.strip_prefix(version)?))
    }

    /// Whether this is the namespace of some version.
    pub fn is_namespace(text: &str) -> bool {
        let rest = text.strip_prefix(NAMESPACES).and_then(|rest| rest.strip_suffix('/'));
        rest.is_some_and(|date| VERSIONS.contains(&date))
    }

    /// Whether it has this operation.
    pub fn has(self, operation: Op) -> bool {
        let since = SINCE.iter().find(|(_, names)| names.contains(&operation));
        self.0 >= since.map_or(Self::NEWEST.0, |(since, _)| since)
    }

    /// An answer's text as this version has it: its namespace on the root element, its date in the
    /// place of what was made.
    pub fn spoken(self, text: &str) -> String {
        text.replacen(Self::NEWEST.0, self.0, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::api::OPERATIONS;

    #[test]
    fn a_path_begins_with_a_version_that_there_was() {
        let of = |path| Version::of_path(path).map(|(version, rest)| (version.0, rest));
        assert_eq!(of("/2018-11-05/distribution/E1"), Some(("2018-11-05", "/distribution/E1")));
        assert_eq!(of("/2020-05-31/x"), Some(("2020-05-31", "/x")));
        for wrong in ["/2018-11-06/distribution", "/distribution", "2018-11-05/x", "", "/"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
        assert!(VERSIONS.is_sorted());
    }

    #[test]
    fn operations_are_there_from_their_version_on() {
        let (old, _) = Version::of_path("/2014-05-31/").unwrap();
        let (tags, _) = Version::of_path("/2016-08-01/").unwrap();
        assert!(
            old.has(Op::CreateDistribution)
                && !old.has(Op::TagResource)
                && tags.has(Op::TagResource)
        );
        assert!(!tags.has(Op::CreateCachePolicy) && Version::NEWEST.has(Op::CreateCachePolicy));
        assert!(OPERATIONS.iter().all(|operation| Version::NEWEST.has(operation.name)));
    }

    #[test]
    fn the_namespace_is_the_asked_versions() {
        let (old, _) = Version::of_path("/2019-03-26/").unwrap();
        let text = super::super::xml::NAMESPACE;
        assert_eq!(old.spoken(text), "http://cloudfront.amazonaws.com/doc/2019-03-26/");
        assert!(Version::is_namespace(text) && Version::is_namespace(&old.spoken(text)));
        assert!(!Version::is_namespace("http://cloudfront.amazonaws.com/doc/2019-03-27/"));
    }
}
