//! The first line: what runs, what kind of call that is, and what time it is in the run.

use ratatui::layout::Rect;

use super::text::{Pen, width};
use super::theme::Theme;
use crate::method::Badge;
use crate::palette::Ink;

/// What the first line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// `parviz`, or which of two runs this is.
    pub name: String,
    pub method: String,
    pub badge: Option<Badge>,
    /// In the order of their worth: what does not fit is left out from the last.
    pub facts: Vec<String>,
    /// `measured` or `simulated`.
    pub origin: String,
    pub clock: Clock,
}

/// Whether the picture moves, how fast, and the moment it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    pub motion: Motion,
    pub speed: String,
    pub time: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    Playing,
    Paused,
    Ended,
}

/// Draws the header into the first row of the area.
pub fn render(header: &Header, area: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let y = area.y;
    pen.fill(Rect { height: 1, ..area }, theme.panel);
    let panel = theme.panel;
    let mut x = pen.bold_on(area.x + 1, y, &header.name, theme.now, panel);
    x = pen.bold_on(x + 1, y, &header.method, theme.now, panel) + 2;
    if let Some(badge) = header.badge {
        let (ink, ground) = colours(badge, theme);
        let word = if theme.is_bare() {
            format!("[{}]", badge.word())
        } else {
            format!(" {} ", badge.word())
        };
        x = pen.bold_on(x, y, &word, ink, ground) + 2;
    }
    let glyph = match header.clock.motion {
        Motion::Playing => theme.glyphs.playing,
        Motion::Paused => theme.glyphs.paused,
        Motion::Ended => theme.glyphs.ended,
    };
    let clock = format!("{glyph} {}  {} ", header.clock.speed, header.clock.time);
    let clock_x = area.right().saturating_sub(width(&clock));
    let origin_x = clock_x.saturating_sub(width(&header.origin) + 3);
    for fact in &header.facts {
        if x + width(fact) + 2 > origin_x {
            break;
        }
        x = pen.text_on(x, y, fact, theme.text, panel) + 2;
    }
    pen.text_on(origin_x, y, &header.origin, theme.dim, panel);
    pen.bold_on(clock_x, y, &clock, theme.now, panel);
}

/// Methods that do not block, or hand over as finished, stand out.
fn colours(badge: Badge, theme: Theme) -> (Ink, Ink) {
    match badge {
        Badge::Async | Badge::IteratorAsFinished => (Ink::BLACK, theme.badge),
        Badge::Sync | Badge::IteratorInOrder | Badge::Serial => (theme.background, theme.text),
    }
}
