//! Identifiers, each a type of its own, so that one cannot be taken for another.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$about:meta])* $name:ident) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

id!(
    /// A distribution: `E` and 13 of `[A-Z0-9]`; or a distribution tenant, which edges execute as a
    /// distribution of its own: `dt_` and 27 of `[A-Za-z0-9]`.
    DistributionId
);

impl DistributionId {
    /// Whether this is a distribution tenant.
    pub fn is_tenant(&self) -> bool {
        self.0.starts_with("dt_")
    }
}

id!(
    /// An origin, unique within its distribution; chosen by the user.
    OriginId
);
id!(
    /// An edge process; chosen by its operator, unique in the fleet.
    EdgeId
);
id!(
    /// A cache, origin request or response headers policy: a UUID.
    PolicyId
);
