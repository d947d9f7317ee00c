//! Integers, decimals and booleans with their extremes.
//!
//! Values stay within what both sides can hold.

use super::random::Random;
use super::value::Value;

/// A four-byte integer: mostly small, sometimes one of the ends.
pub(super) fn int(random: &mut Random) -> Value {
    if random.one_in(12) {
        let ends = [i32::MIN, i32::MAX, -1, 0, 1];
        return number(i64::from(ends[random.below(5) as usize]));
    }
    number(random.below(1_000) as i64)
}

/// An eight-byte integer.
pub(super) fn bigint(random: &mut Random) -> Value {
    if random.one_in(6) {
        let ends = [i64::MIN, i64::MAX, (1 << 53) + 1, -1, 0];
        return number(ends[random.below(5) as usize]);
    }
    number(random.next() as i64 >> 20)
}

/// A decimal of `precision` digits, `scale` of them behind the point.
pub(super) fn decimal(random: &mut Random, precision: u8, scale: u8) -> Value {
    let bound = 10_i64.pow(u32::from(precision));
    let unscaled = match random.below(6) {
        0 => bound - 1,
        1 => 1 - bound,
        2 => 0,
        // Ends in zeros behind the point, which have to stay.
        3 => 10_i64.pow(u32::from(scale)),
        _ => random.below(bound as u64) as i64,
    };
    let unit = 10_i64.pow(u32::from(scale));
    let sign = if unscaled < 0 { "-" } else { "" };
    let (whole, rest) = (unscaled.abs() / unit, unscaled.abs() % unit);
    Value::Number(format!(
        "{sign}{whole}.{rest:0width$}",
        width = usize::from(scale)
    ))
}

/// 0 or 1.
pub(super) fn boolean(random: &mut Random) -> Value {
    number(random.below(2) as i64)
}

/// The AUTO_INCREMENT value of a row: every 25 rows four numbers are missing, as
/// after deletions.
pub(super) fn auto_increment(row: u64) -> u64 {
    row + 1 + row / 25 * 4
}

/// The next AUTO_INCREMENT value of a table with so many rows: beyond the highest,
/// since the newest rows were deleted, and 1000 in an empty table.
pub(crate) fn next_auto_increment(rows: u64) -> u64 {
    match rows {
        0 => 1_000,
        _ => auto_increment(rows - 1) + 138,
    }
}

/// A number as a value.
pub(super) fn number(value: i64) -> Value {
    Value::Number(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_each_type_occur() {
        let all = |make: &dyn Fn(&mut Random) -> Value| -> Vec<Value> {
            (0..2_000)
                .map(|row| make(&mut Random::new(3, row)))
                .collect()
        };
        let is = |digits: &str| Value::Number(digits.to_owned());
        assert!(all(&int).contains(&is("-2147483648")) && all(&int).contains(&is("2147483647")));
        assert!(all(&bigint).contains(&is("-9223372036854775808")));
        let money = all(&|random| decimal(random, 10, 2));
        for end in ["99999999.99", "-99999999.99", "0.00", "1.00"] {
            assert!(money.contains(&is(end)), "{end}");
        }
        assert!(all(&|random| decimal(random, 3, 1)).contains(&is("-99.9")));
    }

    #[test]
    fn auto_increment_has_gaps_and_goes_on_behind_the_last() {
        let values: Vec<u64> = (0..60).map(auto_increment).collect();
        assert!(values.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!((values[24], values[25]), (25, 30));
        assert_eq!(next_auto_increment(60), values[59] + 138);
        assert_eq!(next_auto_increment(0), 1_000);
    }
}
