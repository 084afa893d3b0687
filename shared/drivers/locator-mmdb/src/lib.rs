//! Where an address is, by MaxMind-format databases: the `Locator` that edges and DNS use.
//!
//! For: several databases behind one question; of each field, the first database that knows it
//! answers. Both MaxMind's nested schema and the flat one of ip-location-db are read.
//! Not for: fetching databases, nor deciding what follows from a place (`rules/geo`).
//!
//! Databases are read into memory rather than mapped: an update that overwrites a mapped file in
//! place ends the process with SIGBUS, and mapping needs `unsafe`. The price is memory, 8 MB for the
//! country file and about 134 MB for both files of a world of cities.

mod record;

use maxminddb::{LookupResult, MaxMindDbError, Reader};
use ports::locator::{Located, Locator};
use record::Record;
use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be read.
    #[error("the database {path} cannot be read ({why}): see geo.databases in the settings")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// The file is no database, or a broken one.
    #[error(
        "{path} is not a MaxMind-format database ({why}): fetch it again, or take it out of \
         geo.databases in the settings"
    )]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: MaxMindDbError,
    },
}

/// Databases in the order in which they are asked.
#[derive(Debug)]
pub struct MmdbLocator {
    databases: Vec<Database>,
}

#[derive(Debug)]
struct Database {
    path: PathBuf,
    reader: Reader<Vec<u8>>,
}

impl MmdbLocator {
    /// Reads these files. With none of them, nothing is ever known.
    ///
    /// # Errors
    /// [`OpenError`] for the first file that cannot be used.
    pub fn open(paths: &[PathBuf]) -> Result<Self, OpenError> {
        let databases: Result<_, _> = paths.iter().map(|path| Database::open(path)).collect();
        Ok(Self { databases: databases? })
    }

    /// Whether there is no database at all.
    pub const fn is_empty(&self) -> bool {
        self.databases.is_empty()
    }
}

impl Locator for MmdbLocator {
    fn locate(&self, address: IpAddr) -> Option<Located> {
        let address = address.to_canonical();
        let mut all = Located::default();
        for database in &self.databases {
            if let Some(found) = database.locate(address) {
                merge(&mut all, found);
            }
        }
        let known = all.country.is_some() || all.latitude.is_some() || all.asn.is_some();
        known.then_some(all)
    }
}

/// What was known stays; the answer holds for the smallest network that any database spoke of.
fn merge(known: &mut Located, found: Located) {
    known.prefix = known.prefix.max(found.prefix);
    known.country = known.country.take().or(found.country);
    known.asn = known.asn.or(found.asn);
    if known.latitude.is_none() {
        (known.latitude, known.longitude) = (found.latitude, found.longitude);
    }
}

impl Database {
    fn open(path: &Path) -> Result<Self, OpenError> {
        let bytes = std::fs::read(path)
            .map_err(|why| OpenError::Unreadable { path: path.to_owned(), why })?;
        let reader = Reader::from_source(bytes)
            .map_err(|why| OpenError::Invalid { path: path.to_owned(), why })?;
        Ok(Self { path: path.to_owned(), reader })
    }

    /// What this database says; a network without a record counts, since its size bounds the answer.
    fn locate(&self, address: IpAddr) -> Option<Located> {
        let speaks = address.is_ipv4() || self.reader.metadata().ip_version == 6;
        if !speaks {
            return None;
        }
        self.look_up(address)
            .inspect_err(|error| tracing::debug!(path = %self.path.display(), %address, %error, "a record cannot be read"))
            .ok()
    }

    fn look_up(&self, address: IpAddr) -> Result<Located, MaxMindDbError> {
        let found = self.reader.lookup(address)?;
        let prefix = prefix(&found, address)?;
        let record = found.decode::<Record<'_>>()?.unwrap_or_default();
        let coordinates = record.coordinates();
        Ok(Located {
            prefix,
            country: record.country(),
            latitude: coordinates.map(|(latitude, _)| latitude),
            longitude: coordinates.map(|(_, longitude)| longitude),
            asn: record.asn(),
        })
    }
}

/// Bits in the address's own family. A database without any IPv4 says the same of all of IPv4.
fn prefix(found: &LookupResult<'_, Vec<u8>>, address: IpAddr) -> Result<u8, MaxMindDbError> {
    let network = found.network()?;
    let same = network.is_ipv4() == address.is_ipv4();
    Ok(if same { network.prefix() } else { 0 })
}
