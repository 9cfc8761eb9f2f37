//! Styles by role, at the colour depth of this terminal.
//!
//! Themes are TOML files; what one leaves out comes from the dark one. Where the background is not
//! ours to paint (sixteen colours or none), a glyph in the background's colour is drawn in the other
//! colour reversed, so the same drawing code serves every depth.

use std::borrow::Cow;
use std::sync::LazyLock;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::palette::{Charset, Depth, Glyphs, Ink, Look, Own, Ramp, Rgb, ThemeName};

static DARK: LazyLock<Inks> =
    LazyLock::new(|| built_in(include_str!("../../assets/themes/dark.toml"), None));
static LIGHT: LazyLock<Inks> =
    LazyLock::new(|| built_in(include_str!("../../assets/themes/light.toml"), Some(&DARK)));
static HIGH_CONTRAST: LazyLock<Inks> = LazyLock::new(|| {
    built_in(
        include_str!("../../assets/themes/high-contrast.toml"),
        Some(&DARK),
    )
});

/// The colours of one theme by role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inks {
    pub background: Ink,
    pub text: Ink,
    /// Labels and the queue.
    pub dim: Ink,
    /// The axis and empty slots; too weak for words.
    pub faint: Ink,
    /// Behind the header and what lies on top.
    pub panel: Ink,
    /// The cursor, what runs at it, and values.
    pub now: Ink,
    /// Waiting, and out of order.
    pub wait: Ink,
    /// Failed or lost.
    pub bad: Ink,
    /// Behind the word for a call that does not block, or hands over as finished.
    pub badge: Ink,
    /// Every word is bold.
    pub bold: bool,
    pub ramp: Ramp,
}

/// A theme file, in which everything but the default's may be missing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    background: Option<Ink>,
    text: Option<Ink>,
    dim: Option<Ink>,
    faint: Option<Ink>,
    panel: Option<Ink>,
    now: Option<Ink>,
    wait: Option<Ink>,
    bad: Option<Ink>,
    badge: Option<Ink>,
    bold: Option<bool>,
    ramp: Option<Ramp>,
}

impl File {
    fn over(self, base: Option<&Inks>) -> Option<Inks> {
        let ink = |own: Option<Ink>, of: fn(&Inks) -> Ink| own.or_else(|| base.map(of));
        Some(Inks {
            background: ink(self.background, |base| base.background)?,
            text: ink(self.text, |base| base.text)?,
            dim: ink(self.dim, |base| base.dim)?,
            faint: ink(self.faint, |base| base.faint)?,
            panel: ink(self.panel, |base| base.panel)?,
            now: ink(self.now, |base| base.now)?,
            wait: ink(self.wait, |base| base.wait)?,
            bad: ink(self.bad, |base| base.bad)?,
            badge: ink(self.badge, |base| base.badge)?,
            bold: self.bold.or(base.map(|base| base.bold))?,
            ramp: self.ramp.or_else(|| base.map(|base| base.ramp.clone()))?,
        })
    }
}

fn built_in(text: &str, base: Option<&Inks>) -> Inks {
    let file: File = toml::from_str(text).expect("a test parses every theme of the package");
    file.over(base)
        .expect("the default theme has every entry: a test looks")
}

/// The inks, glyphs and depth that everything is drawn with.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    inks: &'static Inks,
    pub glyphs: &'static Glyphs,
    pub depth: Depth,
    pub charset: Charset,
}

impl std::ops::Deref for Theme {
    type Target = Inks;
    fn deref(&self) -> &Inks {
        self.inks
    }
}

impl Theme {
    pub fn of(look: Look) -> Self {
        Self {
            inks: match look.theme {
                ThemeName::Dark => &DARK,
                ThemeName::Light => &LIGHT,
                ThemeName::HighContrast => &HIGH_CONTRAST,
            },
            glyphs: look.charset.glyphs(),
            depth: look.depth,
            charset: look.charset,
        }
    }

    pub fn is_ascii(&self) -> bool {
        self.charset == Charset::Ascii
    }

    /// Neither colour nor blocks: only characters tell things apart.
    pub fn is_bare(&self) -> bool {
        self.is_ascii() && self.depth == Depth::None
    }

    /// Paler colours can be mixed; else what they say needs a glyph.
    pub fn mixes(&self) -> bool {
        self.depth >= Depth::Indexed
    }

    /// A paler colour says that a task waits; else a glyph does.
    pub fn pales(&self) -> bool {
        self.mixes() && !self.is_ascii()
    }

    /// Words in which lengths of time have their units as this terminal can write them, in as many columns:
    /// where there is more than ASCII, `us` is written with the sign for a millionth.
    pub fn units<'a>(&self, words: &'a str) -> Cow<'a, str> {
        const MICROSECONDS: &str = " us";
        if self.is_ascii() || !words.contains(MICROSECONDS) {
            return words.into();
        }
        let mut parts = words.split(MICROSECONDS);
        let mut all = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let is_length = all.ends_with(|last: char| last.is_ascii_digit());
            let is_whole = !part.starts_with(|next: char| next.is_alphanumeric());
            all.push_str(if is_length && is_whole {
                " \u{b5}s"
            } else {
                MICROSECONDS
            });
            all.push_str(part);
        }
        all.into()
    }

    /// The colour of the task at `index` among `of` tasks.
    pub fn task(&self, index: u32, of: u32) -> Ink {
        self.ramp.task(index, of)
    }

    /// That colour at `share` of its strength over the background. Only where [`Theme::mixes`].
    pub fn faded_task(&self, index: u32, of: u32, share: f64) -> Ink {
        let ink = self.task(index, of);
        Ink {
            rgb: self.background.rgb.mixed(ink.rgb, share),
            indexed: self.ramp.pale(index, of),
            own: ink.own,
        }
    }

    /// Black or white, whichever stands out more on `ink`; never below 4.5 to 1 on a task's colour.
    pub fn on(&self, ink: Ink) -> Ink {
        let white = match (self.depth, ink.own) {
            (Depth::Sixteen, Own::Number(number)) => matches!(number, 0 | 1 | 4 | 5 | 8),
            // Reversed: the terminal's own background on its own text.
            (Depth::Sixteen, Own::Text) | (Depth::None, _) => return self.background,
            (Depth::Sixteen, Own::Background) => return self.text,
            (Depth::Indexed, _) => Rgb::numbered(ink.indexed).luminance() < 0.179,
            (Depth::True, _) => ink.rgb.luminance() < 0.179,
        };
        if white { Ink::WHITE } else { Ink::BLACK }
    }

    /// `ink` at `share` of its strength over `ground`. Only where [`Theme::mixes`].
    pub fn mixed(&self, ink: Ink, ground: Ink, share: f64) -> Ink {
        let rgb = ground.rgb.mixed(ink.rgb, share);
        let indexed = match self.depth {
            // The nearest is dear to find, and shown at this depth only.
            Depth::Indexed => rgb.indexed(),
            _ => ink.indexed,
        };
        Ink {
            rgb,
            indexed,
            own: ink.own,
        }
    }

    /// The style of a glyph in `ink` on `ground`.
    pub fn style(&self, ink: Ink, ground: Ink) -> Style {
        let plain = Style::new().fg(self.color(ink)).bg(self.color(ground));
        let reversed = || {
            Style::new()
                .fg(self.color(ground))
                .bg(self.color(ink))
                .add_modifier(Modifier::REVERSED)
        };
        match self.depth {
            Depth::None if self.is_ground(ground) => Style::new(),
            Depth::None => Style::new().add_modifier(Modifier::REVERSED),
            Depth::Sixteen if ground.own == Own::Text || ink.own == Own::Background => reversed(),
            _ => plain,
        }
    }

    /// What the screen is painted with before anything is drawn.
    pub fn ground(&self) -> Style {
        self.style(self.text, self.background)
    }

    fn is_ground(&self, ink: Ink) -> bool {
        ink == self.background || ink == self.panel
    }

    fn color(&self, ink: Ink) -> Color {
        match (self.depth, ink.own) {
            (Depth::None, _) | (Depth::Sixteen, Own::Background | Own::Text) => Color::Reset,
            (Depth::Sixteen, Own::Number(number)) => Color::Indexed(number),
            (Depth::Indexed, _) => Color::Indexed(ink.indexed),
            (Depth::True, _) => Color::Rgb(ink.rgb.0, ink.rgb.1, ink.rgb.2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme(theme: ThemeName, depth: Depth) -> Theme {
        Theme::of(Look {
            theme,
            depth,
            charset: Charset::Unicode,
        })
    }

    fn contrast(a: Rgb, b: Rgb) -> f64 {
        let (a, b) = (a.luminance() + 0.05, b.luminance() + 0.05);
        a.max(b) / a.min(b)
    }

    #[test]
    fn every_theme_of_the_package_is_whole() {
        for name in ThemeName::ALL {
            let theme = theme(name, Depth::True);
            assert!(!theme.ramp.indexed.is_empty() && !theme.ramp.own.is_empty());
            assert_eq!(theme.ramp.pale.len(), theme.ramp.indexed.len());
        }
        assert_eq!(theme(ThemeName::HighContrast, Depth::True).ramp, DARK.ramp);
    }

    #[test]
    fn a_number_can_be_read_on_every_task() {
        for name in ThemeName::ALL {
            let theme = theme(name, Depth::True);
            for index in 0..100 {
                let task = theme.task(index, 100);
                let ratio = contrast(task.rgb, theme.on(task).rgb);
                assert!(ratio >= 4.5, "{name:?} task {index}: {ratio:.2}");
            }
        }
    }

    #[test]
    fn words_stand_out_from_the_background_and_the_panel() {
        for name in ThemeName::ALL {
            let theme = theme(name, Depth::True);
            for ink in [theme.text, theme.dim, theme.now, theme.wait, theme.bad] {
                for ground in [theme.background, theme.panel] {
                    let ratio = contrast(ink.rgb, ground.rgb);
                    assert!(ratio >= 4.5, "{name:?}: {ink:?} {ratio:.2}");
                }
            }
        }
    }

    #[test]
    fn among_256_colours_a_task_that_waits_keeps_its_hue_to_itself() {
        for name in ThemeName::ALL {
            let theme = theme(name, Depth::Indexed);
            let steps = theme.ramp.indexed.len() as u32;
            let of = |index| {
                let faded = theme.faded_task(index, steps, 0.45).indexed;
                [theme.task(index, steps).indexed, faded]
            };
            let mut all: Vec<u8> = (0..steps).flat_map(of).collect();
            for index in 0..steps {
                let [full, faded] = of(index).map(|indexed| {
                    let ground = theme.background.indexed;
                    contrast(Rgb::numbered(indexed), Rgb::numbered(ground))
                });
                assert!(
                    (1.05..full).contains(&faded),
                    "{name:?} task {index}: {faded:.2}"
                );
            }
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len() as u32, 2 * steps, "{name:?}");
            assert!(all.iter().all(|number| (16..232).contains(number)));
        }
    }

    #[test]
    fn without_colour_a_box_is_reversed_and_words_are_plain() {
        let theme = theme(ThemeName::Dark, Depth::None);
        let task = theme.task(0, 8);
        assert_eq!(
            theme.style(theme.on(task), task),
            Style::new().add_modifier(Modifier::REVERSED)
        );
        assert_eq!(theme.style(theme.wait, theme.background), Style::new());
    }

    #[test]
    fn with_sixteen_colours_the_background_is_never_named() {
        let theme = theme(ThemeName::Dark, Depth::Sixteen);
        let task = theme.task(0, 8);
        assert_eq!(
            theme.style(theme.background, task),
            Style::new()
                .fg(Color::Indexed(5))
                .bg(Color::Reset)
                .add_modifier(Modifier::REVERSED)
        );
        assert_eq!(
            theme.style(theme.text, theme.background).bg,
            Some(Color::Reset)
        );
    }
}
