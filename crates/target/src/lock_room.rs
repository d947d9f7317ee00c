//! Locks that a load and its rollback need in one transaction, and those for which the server has
//! room: a table of a fixed size for all of its sessions.

use crate::connection::Connection;
use crate::error::{Doing, Error};

/// The ledger's tables with their indexes, and the session's own: measured on an empty load.
const LOCKS_OF_THE_LEDGER: u64 = 80;

/// What a load needs, and what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockRoom {
    /// Tables of the load, partitions included.
    pub tables: u64,
    /// Foreign keys from and to them.
    pub foreign_keys: u64,
    /// Locks that the largest transaction holds at its end.
    pub needed: u64,
    /// The setting `max_locks_per_transaction`.
    pub locks_per_transaction: u64,
    /// Transactions for which the server has room, each with so many locks.
    pub transactions: u64,
}

impl LockRoom {
    /// Locks for which the server has room.
    pub fn room(&self) -> u64 {
        self.locks_per_transaction.saturating_mul(self.transactions)
    }

    /// The smallest setting that leaves a quarter of the room to other sessions.
    pub fn setting_needed(&self) -> u64 {
        let needed = self.needed.saturating_add(self.needed / 3);
        needed.div_ceil(self.transactions.max(1))
    }
}

impl Connection {
    /// The locks for a load of these tables, of which some may hold rows to be replaced.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn lock_room(
        &mut self,
        schema: &str,
        tables: &[&str],
        replaced: &[&str],
    ) -> Result<LockRoom, Error> {
        let row = self
            .client
            .query_one(
                include_str!("sql/lock_room.sql"),
                &[&schema, &tables, &replaced],
            )
            .doing(|| "asking for the number of locks".to_owned())?;
        let count = |index| u64::try_from(row.get::<_, i64>(index)).unwrap_or_default();
        let (tables, indexes, toasts, foreign_keys) = (count(0), count(1), count(2), count(3));
        // A table of kept rows, its TOAST table and the index of that.
        let kept = count(6).saturating_mul(3);
        let of_tables = [tables, indexes, toasts.saturating_mul(2), kept];
        let of_keys = [foreign_keys.saturating_mul(5), LOCKS_OF_THE_LEDGER];
        let needed = of_tables.into_iter().chain(of_keys);
        Ok(LockRoom {
            tables,
            foreign_keys,
            needed: needed.fold(0, u64::saturating_add),
            locks_per_transaction: count(4),
            transactions: count(5),
        })
    }
}
