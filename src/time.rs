//! Points and lengths of time in a watched run, in whole nanoseconds, and how people read them.
//!
//! Nothing here reads a clock: a [`Time`] counts from the begin of its run, whether the run was
//! measured or simulated, so the same arithmetic serves both.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

/// A moment: nanoseconds since the run began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

/// A length of time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(pub u64);

/// An unbroken stretch of time; `start <= end` by construction, the end is not part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    start: Time,
    end: Time,
}

impl Time {
    pub const ZERO: Self = Self(0);
    /// Later than everything that happens in a run: "has not happened".
    pub const NEVER: Self = Self(u64::MAX);

    /// True unless this is [`Time::NEVER`].
    pub fn happened(self) -> bool {
        self != Self::NEVER
    }

    /// `Some` unless this is [`Time::NEVER`].
    #[must_use]
    pub fn known(self) -> Option<Self> {
        self.happened().then_some(self)
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A whole number with its unit that is longer than this is hard to read.
const LEGIBLE: usize = 6;

impl Nanos {
    pub const ZERO: Self = Self(0);
    pub const MILLISECOND: Self = Self(1_000_000);
    pub const SECOND: Self = Self(1_000_000_000);
    pub const HOUR: Self = Self(3_600_000_000_000);

    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The nearest whole nanosecond; negative and undefined lengths become zero.
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds * 1e9).round().max(0.0) as u64)
    }

    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    pub fn std(self) -> std::time::Duration {
        std::time::Duration::from_nanos(self.0)
    }
}

impl Span {
    /// The stretch between two moments, in whichever order they are given.
    pub fn new(a: Time, b: Time) -> Self {
        Self {
            start: a.min(b),
            end: a.max(b),
        }
    }

    pub fn start(self) -> Time {
        self.start
    }

    pub fn end(self) -> Time {
        self.end
    }

    pub fn length(self) -> Nanos {
        self.end.since(self.start)
    }

    pub fn contains(self, time: Time) -> bool {
        self.start <= time && time < self.end
    }

    /// How much of this lies inside `other`.
    pub fn overlap(self, other: Self) -> Nanos {
        self.end.min(other.end).since(self.start.max(other.start))
    }
}

impl Add<Nanos> for Time {
    type Output = Self;
    fn add(self, length: Nanos) -> Self {
        Self(self.0.saturating_add(length.0))
    }
}

impl Sub<Nanos> for Time {
    type Output = Self;
    fn sub(self, length: Nanos) -> Self {
        Self(self.0.saturating_sub(length.0))
    }
}

impl Add for Nanos {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Nanos {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Nanos {
    fn sum<I: Iterator<Item = Self>>(lengths: I) -> Self {
        lengths.fold(Self::ZERO, Add::add)
    }
}

impl From<std::time::Duration> for Nanos {
    fn from(length: std::time::Duration) -> Self {
        Self(u64::try_from(length.as_nanos()).unwrap_or(u64::MAX))
    }
}

/// Why a text is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoLength {
    #[error(
        "`{0}` is no length of time: write 600ms, 1.5s, 20us, 5ns, 2min, 1h, or a bare number of units"
    )]
    Unread(String),
    #[error("`{0}` is too long: at most a week, 168h")]
    TooLong(String),
}

/// Why a text is not what a bare number could count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoUnit {
    #[error("`{0}` is no unit: write it with a suffix, such as 10ms")]
    Unread(String),
    #[error(transparent)]
    Length(NoLength),
}

impl Nanos {
    /// Reads what a bare number counts: `10ms`, never `10`.
    pub fn parse_unit(text: &str) -> Result<Self, NoUnit> {
        // A bare number counts nothing here, so that it reads as nothing; `0ms` is one that is too short.
        let bare = text.trim().ends_with(|last: char| last.is_ascii_digit());
        match Self::parse(text, Self::ZERO) {
            Ok(unit) if !bare => Ok(unit),
            Err(wrong @ NoLength::TooLong(_)) => Err(NoUnit::Length(wrong)),
            _ => Err(NoUnit::Unread(text.to_owned())),
        }
    }

    /// Reads `600ms`, `1.5s`, `20us`, `5ns`, `2min`, `1h`; a bare number counts units of `unit`.
    pub fn parse(text: &str, unit: Self) -> Result<Self, NoLength> {
        let wrong = || NoLength::Unread(text.to_owned());
        let trimmed = text.trim();
        let digits = trimmed
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(trimmed.len());
        let (number, suffix) = trimmed.split_at(digits);
        let scale = match suffix.trim() {
            "" => unit.0,
            "ns" => 1,
            // The sign for a millionth, or the Greek letter that looks as it does.
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "min" => 60_000_000_000,
            "h" => Self::HOUR.0,
            _ => return Err(wrong()),
        };
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let length = number * scale as f64;
        // A week is longer than anything a person waits for, and leaves room for sums.
        if length > 6.048e14 {
            Err(NoLength::TooLong(text.to_owned()))
        } else {
            Ok(Self(length.round() as u64))
        }
    }

    /// A text that [`Nanos::parse`] reads back as the same length: a whole number of the largest unit that
    /// divides it, `600ms`, `1500us`; if that is a long one, a shorter with decimals, `1.3017275s`.
    pub fn exact(self) -> String {
        let whole = self.whole();
        let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
        let unit = units.into_iter().find(|(scale, _)| self.0 >= *scale);
        let Some((scale, suffix)) = unit.filter(|_| whole.len() > LEGIBLE) else {
            return whole;
        };
        let digits = scale.ilog10() as usize;
        let decimals = format!("{:0digits$}", self.0 % scale);
        let decimals = decimals.trim_end_matches('0');
        let short = format!("{}.{decimals}{suffix}", self.0 / scale);
        if short.len() < whole.len() {
            short
        } else {
            whole
        }
    }

    fn whole(self) -> String {
        let units = [
            (Self::HOUR.0, "h"),
            (1_000_000_000, "s"),
            (1_000_000, "ms"),
            (1_000, "us"),
        ];
        units
            .into_iter()
            .find(|(scale, _)| self.0 > 0 && self.0.is_multiple_of(*scale))
            .map_or_else(
                || format!("{}ns", self.0),
                |(scale, suffix)| format!("{}{suffix}", self.0 / scale),
            )
    }
}

/// Two to four digits in the unit that fits: `0 ms`, `850 ns`, `12.3 us`, `4.20 ms`, `642 ms`, `1.07 s`, `321 s`,
/// `2.78 h`.
///
/// From 10 ms to a second whole milliseconds, so that a number that grows does not jump about.
impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0 as f64;
        let text = match self.0 {
            0 => "0 ms".to_owned(),
            1..1_000 => format!("{ns:.0} ns"),
            1_000..99_950 => format!("{:.1} us", ns / 1e3),
            99_950..999_500 => format!("{:.0} us", ns / 1e3),
            999_500..9_995_000 => format!("{:.2} ms", ns / 1e6),
            9_995_000..999_500_000 => format!("{:.0} ms", ns / 1e6),
            999_500_000..99_995_000_000 => format!("{:.2} s", ns / 1e9),
            99_995_000_000..3_599_500_000_000 => format!("{:.0} s", ns / 1e9),
            3_599_500_000_000..35_982_000_000_000 => format!("{:.2} h", ns / Self::HOUR.0 as f64),
            35_982_000_000_000..359_820_000_000_000 => format!("{:.1} h", ns / Self::HOUR.0 as f64),
            _ => format!("{:.0} h", ns / Self::HOUR.0 as f64),
        };
        f.pad(&text)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Nanos(self.0).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_as_people_say_them() {
        let read = |ns| Nanos(ns).to_string();
        assert_eq!(read(0), "0 ms");
        assert_eq!(read(850), "850 ns");
        assert_eq!(read(12_340), "12.3 us");
        assert_eq!(read(4_200_000), "4.20 ms");
        assert_eq!(read(642_100_000), "642 ms");
        assert_eq!([99_949, 99_950].map(read), ["99.9 us", "100 us"]);
        assert_eq!([999_499, 999_500].map(read), ["999 us", "1.00 ms"]);
        assert_eq!(read(999_600_000), "1.00 s");
        assert_eq!(read(1_070_000_000), "1.07 s");
        assert_eq!(read(321_000_000_000), "321 s");
        let hours = [3_599, 3_600, 10_000, 35_981, 35_982, 54_000, 604_800];
        assert_eq!(
            hours.map(|seconds| read(seconds * 1_000_000_000)),
            [
                "3599 s", "1.00 h", "2.78 h", "9.99 h", "10.0 h", "15.0 h", "168 h"
            ]
        );
    }

    #[test]
    fn a_written_length_reads_back() {
        let unit = Nanos(10_000_000);
        for (text, ns) in [
            ("600ms", 600_000_000),
            ("1.5s", 1_500_000_000),
            ("9", 90_000_000),
            ("0.5", 5_000_000),
            ("20us", 20_000),
            ("20\u{b5}s", 20_000),
            ("20 \u{3bc}s", 20_000),
            ("90min", 5_400_000_000_000),
            ("15h", 54_000_000_000_000),
        ] {
            let length = Nanos::parse(text, unit).unwrap();
            assert_eq!(length, Nanos(ns), "{text}");
            assert_eq!(Nanos::parse(&length.exact(), unit), Ok(length));
        }
        for (ns, text) in [
            (600_000_000, "600ms"),
            (1_500_000, "1500us"),
            (1_301_727_500, "1.3017275s"),
            (12_345_000, "12345us"),
            (12_345_600, "12.3456ms"),
            (100_001, "100001ns"),
            (54_321_000_000_000, "54321s"),
            (604_799_999_999_999, "604799999999999ns"),
            (999, "999ns"),
        ] {
            assert_eq!(Nanos(ns).exact(), text);
            assert_eq!(Nanos::parse(text, unit), Ok(Nanos(ns)));
        }
        for text in ["", "ms", "-3", "1..2", "3 hours", "1e3", "99999999s"] {
            assert!(Nanos::parse(text, unit).is_err(), "{text}");
        }
        let long = "`700000s` is too long: at most a week, 168h";
        let told = Nanos::parse("700000s", unit).map_err(|wrong| wrong.to_string());
        assert_eq!(told, Err(long.to_owned()));
        let told = Nanos::parse_unit("700000s").map_err(|wrong| wrong.to_string());
        assert_eq!(told, Err(long.to_owned()));
    }

    #[test]
    fn a_span_never_ends_before_it_starts() {
        let span = Span::new(Time(9), Time(4));
        assert_eq!(
            (span.start(), span.end(), span.length()),
            (Time(4), Time(9), Nanos(5))
        );
        assert_eq!(span.overlap(Span::new(Time(0), Time(6))), Nanos(2));
        assert_eq!(span.overlap(Span::new(Time(20), Time(30))), Nanos(0));
    }
}
