//! The tables of the file.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `entries` | key | revision that put it, value |
//! | `changes` | revision | bytes of its writes |
//! | `writes` | revision, place in the commit | key, value or none for a delete |
//! | `numbers` | `format`, `revision`, `log bytes` | number |

use crate::fault::Fault;
use redb::{Database, ReadableTable, TableDefinition, WriteTransaction};

/// Revision, and place in its commit.
pub type Place = (u64, u32);
/// Key, and the value or none for a delete.
pub type Written = (&'static str, Option<&'static [u8]>);

/// Entries as they stand.
pub const ENTRIES: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("entries");
/// The feed's changes.
pub const CHANGES: TableDefinition<'_, u64, u64> = TableDefinition::new("changes");
/// The feed's writes.
pub const WRITES: TableDefinition<'_, Place, Written> = TableDefinition::new("writes");
/// Single numbers.
pub const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");

/// Number of the newest commit.
pub const REVISION: &str = "revision";
/// Sum of the values of `changes`.
pub const LOG_BYTES: &str = "log bytes";

const FORMAT: &str = "format";
const KNOWN_FORMAT: u64 = 1;

/// Makes the tables that are not there, and refuses a format that is not ours.
pub fn prepare(database: &Database) -> Result<(), Fault> {
    let transaction = database.begin_write()?;
    create(&transaction)?;
    let format = number(&transaction.open_table(NUMBERS)?, FORMAT)?;
    match format {
        0 => transaction.open_table(NUMBERS)?.insert(FORMAT, KNOWN_FORMAT).map(drop)?,
        KNOWN_FORMAT => {}
        other => return Err(Fault::Later(other, KNOWN_FORMAT)),
    }
    Ok(transaction.commit()?)
}

/// The number of this name; 0 where none was written.
pub fn number(numbers: &impl ReadableTable<&'static str, u64>, name: &str) -> Result<u64, Fault> {
    Ok(numbers.get(name)?.map_or(0, |number| number.value()))
}

fn create(transaction: &WriteTransaction) -> Result<(), Fault> {
    transaction.open_table(ENTRIES)?;
    transaction.open_table(CHANGES)?;
    transaction.open_table(WRITES)?;
    transaction.open_table(NUMBERS)?;
    Ok(())
}
