//! Numbers of bytes, as people write and read them.

/// Names of units, largest first.
const UNITS: [(&str, u64); 5] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("kB", 1_000),
];

/// Reads `64KiB`, `1.5MiB`, `100kB`, or a bare number. The error says what can be written.
pub fn parse(text: &str) -> Result<u32, String> {
    let wrong = || format!("`{text}` is no number of bytes: write 64KiB, 1MiB, or a bare number");
    let text = text.trim();
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))
        .unwrap_or((text.strip_suffix('B').unwrap_or(text), 1));
    let number = number.trim();
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(wrong());
    }
    let bytes = number.parse::<f64>().map_err(|_| wrong())? * unit as f64;
    if bytes > f64::from(u32::MAX) {
        return Err(format!("`{text}` is too much: less than 4GiB"));
    }
    Ok(bytes.round() as u32)
}

/// The shortest text that [`parse`] reads back as the same number: `64KiB`, `1000`.
pub fn exact(bytes: u32) -> String {
    let bytes = u64::from(bytes);
    UNITS[..3]
        .iter()
        .find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit))
        .map_or_else(
            || bytes.to_string(),
            |(name, unit)| format!("{}{name}", bytes / unit),
        )
}

/// Two or three significant digits in the unit that fits: `850 B`, `4.2 MiB`, `64 KiB`.
pub fn words(bytes: u64) -> String {
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // Chosen by what it reads as: 1000 KiB are `1.0 MiB`.
    let rounded = |unit: u64| (bytes as f64 / unit as f64).round();
    let fitting = UNITS[..3]
        .iter()
        .rev()
        .find(|(_, unit)| rounded(*unit) < 1000.0);
    let &(name, unit) = fitting.unwrap_or(&UNITS[0]);
    let number = bytes as f64 / unit as f64;
    if number < 9.95 {
        format!("{number:.1} {name}")
    } else {
        format!("{number:.0} {name}")
    }
}

/// The same in four characters at most, where there is no room for more: `850B`, `4.2M`, `64K`.
pub fn short(bytes: u64) -> String {
    let words = words(bytes);
    let (number, unit) = words.split_once(' ').unwrap_or((&words, ""));
    format!("{number}{}", unit.get(..1).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_number_of_bytes_reads_back() {
        for (text, bytes) in [
            ("0", 0),
            ("64KiB", 65_536),
            ("1.5 MiB", 1_572_864),
            ("100kB", 100_000),
            ("12B", 12),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
            assert_eq!(parse(&exact(bytes)), Ok(bytes), "{text}");
        }
        for text in ["", "KiB", "-1", "1e3x", "much", "5GiB", "inf"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(
            parse("4GiB").unwrap_err(),
            "`4GiB` is too much: less than 4GiB"
        );
        assert_eq!(exact(65_536), "64KiB");
    }

    #[test]
    fn bytes_read_as_people_say_them() {
        assert_eq!(words(850), "850 B");
        assert_eq!(words(65_536), "64 KiB");
        assert_eq!(words(4_400_000), "4.2 MiB");
        let short: Vec<String> = [850, 65_536, 4_400_000].map(short).to_vec();
        assert_eq!(short, ["850B", "64K", "4.2M"]);
    }

    #[test]
    fn a_short_number_of_bytes_has_four_characters_at_most() {
        let gib = 1 << 30;
        for bytes in [
            999,
            1000,
            1023,
            1024,
            1_023_400,
            1 << 20,
            1_047_600_000,
            gib - 1,
            gib,
        ] {
            assert!(short(bytes).len() <= 4, "{bytes}: {}", short(bytes));
        }
        assert_eq!([1000, 1023 << 10].map(words), ["1.0 KiB", "1.0 MiB"]);
    }
}
