//! A value as MySQL's binary protocol delivers it.
//!
//! Owns nothing and converts nothing; whoever reads the source fills it.

/// One cell of a source row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SourceValue<'a> {
    /// SQL NULL.
    Null,
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// `float`.
    Float(f32),
    /// `double`.
    Double(f64),
    /// Text in UTF-8, binary data, decimals (text), JSON (text), `bit` (big endian).
    Bytes(&'a [u8]),
    /// `date`, `datetime`, `timestamp` (in UTC); zero and partial dates as they are stored.
    Date {
        /// 0 to 9999.
        year: u16,
        /// 0 to 12.
        month: u8,
        /// 0 to 31.
        day: u8,
        /// 0 to 23.
        hour: u8,
        /// 0 to 59.
        minute: u8,
        /// 0 to 59.
        second: u8,
        /// Microseconds, 0 to 999,999.
        micros: u32,
    },
    /// `time`.
    Time {
        /// Whether the whole is below zero.
        negative: bool,
        /// 0 to 34.
        days: u32,
        /// 0 to 23.
        hours: u8,
        /// 0 to 59.
        minutes: u8,
        /// 0 to 59.
        seconds: u8,
        /// Microseconds, 0 to 999,999.
        micros: u32,
    },
}
