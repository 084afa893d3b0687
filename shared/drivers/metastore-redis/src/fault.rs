//! What may go wrong between us and Redis, and what follows from it.

use ports::metastore::StoreError;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why Redis did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The connection is of no more use; another one may be.
    #[error("{0}")]
    Gone(String),
    /// Redis is there, but cannot serve this at the moment.
    #[error("{0}")]
    Busy(String),
    /// Redis does not let us.
    #[error("{0}")]
    Refused(String),
    /// What Redis holds is not what we put there.
    #[error("{0}")]
    Damaged(String),
}

impl Fault {
    /// Another connection may be of more use.
    pub fn gone(why: &str) -> Self {
        Self::Gone(why.to_owned())
    }

    /// What Redis holds cannot be read.
    pub fn damaged(what: &str) -> Self {
        Self::Damaged(format!("{what} in Redis is not as this program writes it"))
    }
}

impl From<RedisError> for Fault {
    fn from(error: RedisError) -> Self {
        let why = error.to_string();
        match error.kind() {
            ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => {
                Self::Refused(not_allowed(&why))
            }
            ErrorKind::Server(ServerErrorKind::ResponseError) => of_response(why),
            ErrorKind::Extension => of_code(error.code().unwrap_or_default(), why),
            ErrorKind::InvalidClientConfig => Self::Refused(why),
            ErrorKind::UnexpectedReturnType => Self::Damaged(why),
            // Among them those of a server that is no master any more, or not one yet: the master is
            // to be found anew.
            _ => Self::Gone(why),
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Gone(why) | Fault::Busy(why) => Self::Unreachable(why),
            Fault::Refused(why) => Self::Refused(why),
            Fault::Damaged(why) => Self::Damaged(why),
        }
    }
}

fn of_code(code: &str, why: String) -> Fault {
    match code {
        "NOAUTH" | "WRONGPASS" | "NOPERM" => Fault::Refused(not_allowed(&why)),
        "WRONGTYPE" => Fault::Damaged(why),
        "UNBLOCKED" | "NOMASTERLINK" => Fault::Gone(why),
        // OOM, MISCONF, BUSY, NOREPLICAS and the like: an operator or time will mend it.
        _ => Fault::Busy(why),
    }
}

fn of_response(why: String) -> Fault {
    if why.contains("max number of clients") {
        return Fault::Gone(why);
    }
    Fault::Damaged(why)
}

fn not_allowed(why: &str) -> String {
    format!("{why}; see to the user and password in metadata.url and what Redis lets them do")
}
