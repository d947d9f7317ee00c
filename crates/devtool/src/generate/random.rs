//! Numbers and identifiers that depend on nothing but a seed and a row number.
//!
//! Not for secrets: SplitMix64 is chosen because it is eleven lines, fast and the
//! same on every machine, so that one scale always yields the same bytes.

use std::fmt::Write;

/// A source of numbers for one cell.
pub(crate) struct Random(u64);

impl Random {
    /// The numbers of row `row` of what `seed` stands for.
    pub(crate) fn new(seed: u64, row: u64) -> Self {
        Self(mix(seed ^ mix(row)))
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number from 0 to `bound - 1`; the bias of the remainder does not matter here.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True once in `times` on average.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of `choices`, which is not empty.
    pub(crate) fn choose<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// The seed that a name stands for (FNV-1a).
pub(crate) fn seed(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// The id of row `row` of the table behind `table_seed`, in lower case.
///
/// Ids grow with the row number, in the layout of a version 7 uuid (RFC 9562), so
/// that rows arrive in the order of their primary key: InnoDB then fills its pages
/// one after the other instead of splitting them, which at 5 GB is minutes.
pub(crate) fn row_id(table_seed: u64, row: u64) -> String {
    // Milliseconds, from September 2020 on; the distance between rows is a prime
    // and the start differs from table to table.
    const START_MS: u64 = 1_600_000_000_000;
    const STEP_MS: u64 = 7_919;
    let time_ms = START_MS + row * STEP_MS + mix(table_seed) % STEP_MS;
    let mut random = Random::new(table_seed, row);
    uuid_text(
        time_ms << 16 | 0x7000 | (random.next() & 0x0FFF),
        random.next(),
    )
}

/// A version 4 uuid in lower case.
pub(crate) fn random_uuid(random: &mut Random) -> String {
    uuid_text(random.next() & !0xF000 | 0x4000, random.next())
}

fn uuid_text(high: u64, low: u64) -> String {
    let low = low & !(0b11 << 62) | 0b10 << 62;
    let mut text = String::with_capacity(36);
    write!(
        text,
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xFFFF,
        high & 0xFFFF,
        low >> 48,
        low & 0xFFFF_FFFF_FFFF
    )
    .expect("writing to a string");
    text
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_that_grow_and_stay() {
        let table = seed("user");
        let mut last = String::new();
        for row in 0..10_000 {
            let id = row_id(table, row);
            assert_eq!(id.len(), 36);
            assert_eq!(&id[14..15], "7");
            assert!(id > last, "{id} after {last}");
            last = id;
        }
        assert_eq!(row_id(table, 5), row_id(table, 5));
        assert_ne!(row_id(table, 5), row_id(seed("agent"), 5));
        // Written down, so that a change of the generator is noticed.
        assert_eq!(row_id(table, 0), "0174876e-8bf6-7b42-ac2b-ec840df94b5b");
    }
}
