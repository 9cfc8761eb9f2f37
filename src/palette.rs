//! Colours and glyphs as plain values: inks, the ramp of the submission order, and the two glyph sets.
//!
//! An [`Ink`] carries what it is at every colour depth, so that nothing is converted while drawing and
//! a theme can choose the sixteen-colour stand-ins by hand, where no formula gives good ones.

use serde::{Deserialize, Deserializer, de::Error};
use std::sync::LazyLock;

/// Which colours the person reads: the name of a theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ThemeName {
    #[default]
    Dark,
    Light,
    HighContrast,
}

impl ThemeName {
    pub const ALL: [Self; 3] = [Self::Dark, Self::Light, Self::HighContrast];

    pub fn word(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrast => "high-contrast",
        }
    }

    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.word() == word)
    }

    /// The one after this, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::HighContrast,
            Self::HighContrast => Self::Dark,
        }
    }
}

/// How many colours the terminal has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Depth {
    None,
    Sixteen,
    Indexed,
    #[default]
    True,
}

/// Which characters the terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Charset {
    #[default]
    Unicode,
    Ascii,
}

/// All that decides how the same facts look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Look {
    pub theme: ThemeName,
    pub depth: Depth,
    pub charset: Charset,
}

/// Red, green and blue; read from six hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// A colour among the terminal's own sixteen, where the background and the text are whatever the
/// person chose, and of the others only 1 to 7 are colours in every scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Own {
    Background,
    Text,
    #[serde(untagged)]
    Number(u8),
}

/// One colour at every depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ink {
    pub rgb: Rgb,
    /// Its number in the table of 256 colours.
    pub indexed: u8,
    pub own: Own,
}

impl Ink {
    pub const WHITE: Self = Self {
        rgb: Rgb(255, 255, 255),
        indexed: 231,
        own: Own::Number(15),
    };
    pub const BLACK: Self = Self {
        rgb: Rgb(0, 0, 0),
        indexed: 16,
        own: Own::Number(0),
    };
}

/// The colours of the submission order, first to last.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// Evenly spaced; linear in sRGB between two of them.
    pub stops: [Rgb; 9],
    pub indexed: Vec<u8>,
    /// The same hues among 256 as far from the background as a task that waits: what is mixed and rounded
    /// would be one grey for many.
    pub pale: Vec<u8>,
    pub own: Vec<Own>,
}

impl Ramp {
    /// The colour of the task at `index` among `of` tasks.
    pub fn task(&self, index: u32, of: u32) -> Ink {
        let place = Place::new(index, of);
        let (stop, rest) = place.in_steps(self.stops.len() - 1);
        let rgb = match self.stops.get(stop + 1) {
            Some(&next) => self.stops[stop].mixed(next, rest),
            None => self.stops[stop],
        };
        Ink {
            rgb,
            indexed: place.of_list(&self.indexed).unwrap_or(231),
            own: place.of_list(&self.own).unwrap_or(Own::Text),
        }
    }

    /// Among 256 colours, that of a task that waits.
    pub fn pale(&self, index: u32, of: u32) -> u8 {
        Place::new(index, of).of_list(&self.pale).unwrap_or(231)
    }

    /// How many tasks to spread the colours over: all of them if that is known, else the next of 8,
    /// 16, 32, ... so that colours change only when the number of tasks seen doubles.
    pub fn spread(known: Option<u32>, seen: u32) -> u32 {
        known.unwrap_or_else(|| seen.max(8).checked_next_power_of_two().unwrap_or(u32::MAX))
    }
}

/// Where a task stands between the first and the last.
#[derive(Clone, Copy)]
struct Place {
    index: u64,
    last: u64,
}

impl Place {
    fn new(index: u32, of: u32) -> Self {
        let last = of.saturating_sub(1);
        Self {
            index: index.min(last).into(),
            last: last.max(1).into(),
        }
    }

    /// How many of so many steps lie before it, and how much of the next one, 0 to 1.
    fn in_steps(self, steps: usize) -> (usize, f64) {
        let at = self.index * steps as u64;
        let rest = (at % self.last) as f64 / self.last as f64;
        ((at / self.last) as usize, rest)
    }

    fn of_list<T: Copy>(self, list: &[T]) -> Option<T> {
        let index = self.index * list.len() as u64 / self.last;
        list.get((index as usize).min(list.len().saturating_sub(1)))
            .copied()
    }
}

/// The steps of a channel in the cube of 216 colours.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

impl Rgb {
    /// This colour, moved by `share` (0 to 1) of the way towards `other`.
    #[must_use]
    pub fn mixed(self, other: Self, share: f64) -> Self {
        // Rounded by hand: the library's way is a call, and boxes are mixed by the thousand.
        let mix = |a: u8, b: u8| {
            let (a, b) = (f64::from(a), f64::from(b));
            (a + (b - a) * share + 0.5) as u8
        };
        Self(
            mix(self.0, other.0),
            mix(self.1, other.1),
            mix(self.2, other.2),
        )
    }

    /// Relative luminance as WCAG 2 defines it, 0 to 1.
    pub fn luminance(self) -> f64 {
        // Asked for every number on a box: the powers are taken once.
        static LIGHT: LazyLock<[f64; 256]> = LazyLock::new(|| {
            std::array::from_fn(|channel| {
                let share = channel as f64 / 255.0;
                if share <= 0.04045 {
                    share / 12.92
                } else {
                    ((share + 0.055) / 1.055).powf(2.4)
                }
            })
        });
        let light = |channel: u8| LIGHT[usize::from(channel)];
        0.2126 * light(self.0) + 0.7152 * light(self.1) + 0.0722 * light(self.2)
    }

    /// The nearest of the 216 colours and 24 greys that every terminal with 256 colours agrees on.
    pub fn indexed(self) -> u8 {
        // The nearest level, the lower of two; they are 40 apart but for the first.
        let level = |channel: u8| match channel {
            0..48 => 0,
            _ => ((channel - 36) / 40).max(1),
        };
        let (red, green, blue) = (level(self.0), level(self.1), level(self.2));
        let average = (u16::from(self.0) + u16::from(self.1) + u16::from(self.2)) / 3;
        let grey = (average.saturating_sub(3) / 10).min(23) as u8;
        let cube = Self(
            LEVELS[usize::from(red)],
            LEVELS[usize::from(green)],
            LEVELS[usize::from(blue)],
        );
        let step = 8 + 10 * grey;
        if self.distance(Self(step, step, step)) < self.distance(cube) {
            232 + grey
        } else {
            16 + 36 * red + 6 * green + blue
        }
    }

    /// What a number means in the table of 256 colours, as xterm has it. The first 16 are those that people
    /// change, and terminals disagree on.
    pub fn numbered(number: u8) -> Self {
        const FIRST: [Rgb; 16] = [
            Rgb(0, 0, 0),
            Rgb(205, 0, 0),
            Rgb(0, 205, 0),
            Rgb(205, 205, 0),
            Rgb(0, 0, 238),
            Rgb(205, 0, 205),
            Rgb(0, 205, 205),
            Rgb(229, 229, 229),
            Rgb(127, 127, 127),
            Rgb(255, 0, 0),
            Rgb(0, 255, 0),
            Rgb(255, 255, 0),
            Rgb(92, 92, 255),
            Rgb(255, 0, 255),
            Rgb(0, 255, 255),
            Rgb(255, 255, 255),
        ];
        match number {
            0..16 => FIRST[usize::from(number)],
            16..232 => {
                let cube = number - 16;
                let level = |step: u8| LEVELS[usize::from(step)];
                Self(level(cube / 36), level(cube / 6 % 6), level(cube % 6))
            }
            232.. => {
                let grey = 8 + 10 * (number - 232);
                Self(grey, grey, grey)
            }
        }
    }

    fn distance(self, other: Self) -> u32 {
        let square = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
        square(self.0, other.0) + square(self.1, other.1) + square(self.2, other.2)
    }
}

impl<'de> Deserialize<'de> for Rgb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match u32::from_str_radix(&text, 16) {
            Ok(value) if text.len() == 6 => {
                Ok(Self((value >> 16) as u8, (value >> 8) as u8, value as u8))
            }
            _ => Err(D::Error::custom(format!(
                "a colour is six hexadecimal digits, not `{text}`"
            ))),
        }
    }
}

/// The marks of the screen; every one of them is as wide as one column, unless it is words.
#[derive(Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// A cell filled from the left by 0 to 8 eighths.
    pub left: [&'static str; 9],
    /// A cell filled from below by 0 to 8 eighths.
    pub bars: [&'static str; 9],
    /// A cell whose upper half is filled, for two rows of colour in one.
    pub upper_half: &'static str,
    pub lower_half: &'static str,
    pub lower_left: &'static str,
    pub lower_right: &'static str,
    pub full: &'static str,
    /// A task that has a worker and waits for a CPU.
    pub waiting: &'static str,
    /// A task that waits for something else than a CPU, where no paler colour can say it.
    pub blocked: &'static str,
    /// The edge of what runs at the cursor.
    pub hot: &'static str,
    /// The line between two boxes where eighths are not to be had.
    pub between: &'static str,
    pub failed: &'static str,
    pub skipped: &'static str,
    pub lost: &'static str,
    pub dead: &'static str,
    /// Where a task went on to another CPU.
    pub migrated: &'static str,
    pub main_blocked: &'static str,
    pub main_works: &'static str,
    /// What main does before the call.
    pub main_serial: &'static str,
    pub one_result: &'static str,
    pub results: &'static str,
    pub cursor: &'static str,
    pub run_end: &'static str,
    pub playing: &'static str,
    pub paused: &'static str,
    pub ended: &'static str,
    pub here: &'static str,
    /// What has not happened yet.
    pub future: &'static str,
    pub rule: &'static str,
    pub tick: &'static str,
    pub in_order: &'static str,
    pub times: &'static str,
    pub grows: &'static str,
    pub more: &'static str,
    pub less: &'static str,
    pub arrow: &'static str,
    pub dot: &'static str,
    pub shares: ShareGlyphs,
    pub frame: FrameGlyphs,
}

/// Where worker time went, as filled cells of the time bar.
#[derive(Debug, PartialEq, Eq)]
pub struct ShareGlyphs {
    pub on_cpu: &'static str,
    pub useful_wait: &'static str,
    pub waiting_cpu: &'static str,
    pub blocked: &'static str,
    pub overhead: &'static str,
    pub starved: &'static str,
    pub dead: &'static str,
    pub idle: &'static str,
    pub unknown: &'static str,
}

/// The frame round what lies on top of a view.
#[derive(Debug, PartialEq, Eq)]
pub struct FrameGlyphs {
    pub horizontal: &'static str,
    pub vertical: &'static str,
    pub top_left: &'static str,
    pub top_right: &'static str,
    pub bottom_left: &'static str,
    pub bottom_right: &'static str,
}

pub static UNICODE: Glyphs = Glyphs {
    left: [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
    bars: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    upper_half: "▀",
    lower_half: "▄",
    lower_left: "▖",
    lower_right: "▗",
    full: "█",
    waiting: "▂",
    blocked: "░",
    hot: "▌",
    between: "▏",
    failed: "✗",
    skipped: "○",
    lost: "†",
    dead: "╳",
    migrated: "╱",
    main_blocked: "░",
    main_works: " ",
    main_serial: "▒",
    one_result: "┃",
    results: "█",
    cursor: "▲",
    run_end: "┊",
    playing: "►",
    paused: "‖",
    ended: "■",
    here: "►",
    future: "·",
    rule: "─",
    tick: "┬",
    in_order: "✓ in order",
    times: "×",
    grows: "…",
    more: "▲",
    less: "▼",
    arrow: "→",
    dot: "·",
    shares: ShareGlyphs {
        on_cpu: "█",
        useful_wait: "░",
        waiting_cpu: "▒",
        blocked: "░",
        overhead: "▓",
        starved: "▁",
        dead: "╳",
        idle: "·",
        unknown: "?",
    },
    frame: FrameGlyphs {
        horizontal: "─",
        vertical: "│",
        top_left: "╭",
        top_right: "╮",
        bottom_left: "╰",
        bottom_right: "╯",
    },
};

pub static ASCII: Glyphs = Glyphs {
    left: [" ", " ", " ", " ", "=", "=", "=", "=", "="],
    bars: [" ", "_", "_", "_", "-", "-", "=", "=", "="],
    upper_half: "=",
    lower_half: "-",
    lower_left: " ",
    lower_right: " ",
    full: "=",
    waiting: "_",
    blocked: ".",
    hot: ">",
    between: "|",
    failed: "!",
    skipped: "o",
    lost: "X",
    dead: "x",
    migrated: "~",
    main_blocked: ".",
    main_works: "#",
    main_serial: "=",
    one_result: "+",
    results: "*",
    cursor: "^",
    run_end: ":",
    playing: ">",
    paused: "|",
    ended: "=",
    here: ">",
    future: ".",
    rule: "-",
    tick: "+",
    in_order: "in order",
    times: "x",
    grows: "...",
    more: "^",
    less: "v",
    arrow: "->",
    dot: "-",
    shares: ShareGlyphs {
        on_cpu: "#",
        useful_wait: "w",
        waiting_cpu: "~",
        blocked: "b",
        overhead: "%",
        starved: "s",
        dead: "x",
        idle: ".",
        unknown: "?",
    },
    frame: FrameGlyphs {
        horizontal: "-",
        vertical: "|",
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
    },
};

impl Charset {
    pub fn glyphs(self) -> &'static Glyphs {
        match self {
            Self::Unicode => &UNICODE,
            Self::Ascii => &ASCII,
        }
    }
}

#[cfg(test)]
mod tests;
