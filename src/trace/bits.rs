//! Numbers side by side in as few bits as they need.

/// What stands for "nothing": a moment that has not come, a CPU that is not known. All ones, however few.
pub(super) const NONE: u64 = u64::MAX;

/// The widths that can be read with one load: up to 56 bits, and a whole word.
const WIDEST: u32 = 56;

/// How many bits each of a range of numbers takes, and what to add to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Width {
    base: u64,
    /// 0: all of them are `base`.
    pub(super) bits: u32,
}

impl Width {
    pub(super) const NOTHING: Self = Self::of_all(NONE);

    /// Of numbers that are all the same.
    pub(super) const fn of_all(number: u64) -> Self {
        Self {
            base: number,
            bits: 0,
        }
    }

    /// Of numbers from `least` to `most`, and [`NONE`].
    pub(super) fn of_range(least: u64, most: u64) -> Self {
        // One code more than there are numbers, for nothing.
        let bits = u64::BITS - (most - least).saturating_add(1).leading_zeros();
        if bits > WIDEST {
            Self { base: 0, bits: 64 }
        } else {
            Self { base: least, bits }
        }
    }

    /// Of just these numbers.
    pub(super) fn of(numbers: impl Iterator<Item = u64>) -> Self {
        let (mut least, mut most, mut has_none) = (NONE, 0, false);
        for number in numbers {
            least = least.min(number);
            if number == NONE {
                has_none = true;
            } else {
                most = most.max(number);
            }
        }
        match least {
            NONE => Self::NOTHING,
            _ if least == most && !has_none => Self::of_all(least),
            _ => Self::of_range(least, most),
        }
    }

    /// All ones; the code of nothing.
    #[inline]
    pub(super) fn mask(self) -> u64 {
        u64::MAX.checked_shr(64 - self.bits).unwrap_or(0)
    }

    /// The code of a number, if it has one.
    #[inline]
    pub(super) fn code(self, number: u64) -> Option<u64> {
        match number {
            _ if self.bits == 0 => (number == self.base).then_some(0),
            NONE => Some(self.mask()),
            _ => number
                .checked_sub(self.base)
                .filter(|&code| code < self.mask()),
        }
    }

    #[inline]
    pub(super) fn number(self, code: u64) -> u64 {
        if self.bits > 0 && code == self.mask() {
            NONE
        } else {
            self.base + code
        }
    }
}

/// Bytes that hold so many bits and can be read at every one of them.
pub(super) fn bytes_for(bits: usize) -> usize {
    bits.div_ceil(8) + 7
}

/// The `width.bits` bits from this one on; ones behind the end.
#[inline]
pub(super) fn read(bytes: &[u8], bit: usize, width: Width) -> u64 {
    let word = bytes.get(bit / 8..).and_then(<[u8]>::first_chunk);
    let word = word.map_or(u64::MAX, |&word| u64::from_le_bytes(word));
    word >> (bit % 8) & width.mask()
}

/// Puts a code in the place of what is there.
#[inline]
pub(super) fn write(bytes: &mut [u8], bit: usize, width: Width, code: u64) {
    if let Some(place) = bytes.get_mut(bit / 8..).and_then(<[u8]>::first_chunk_mut) {
        let word = u64::from_le_bytes(*place);
        let shift = bit % 8;
        *place = (word & !(width.mask() << shift) | code << shift).to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_a_range_has_a_code_that_reads_back() {
        for (least, most) in [
            (0, 0),
            (5, 5),
            (7, 9),
            (1_000, 1_255),
            (0, 1 << 55),
            (3, NONE - 1),
        ] {
            let width = Width::of_range(least, most);
            let mut bytes = vec![0; bytes_for(3 * width.bits as usize)];
            let numbers = [least, NONE, most];
            for (k, number) in numbers.into_iter().enumerate() {
                let code = width.code(number).unwrap();
                write(&mut bytes, k * width.bits as usize, width, code);
            }
            for (k, number) in numbers.into_iter().enumerate() {
                let code = read(&bytes, k * width.bits as usize, width);
                assert_eq!(width.number(code), number, "{least}..={most}");
            }
        }
    }

    #[test]
    fn a_number_outside_the_range_has_no_code() {
        let width = Width::of_range(10, 12);
        assert_eq!([9, 13].map(|number| width.code(number)), [None, None]);
        let same = Width::of_all(4);
        assert_eq!(
            [4, 5, NONE].map(|number| same.code(number)),
            [Some(0), None, None]
        );
    }
}
