//! The frame of what lies on top of a view.

use ratatui::layout::{Margin, Rect};

use super::text::{self, Pen};
use crate::app::action::Action;
use crate::app::keymap::Keymap;

/// Where an overlay of this size stands: in the middle, cut to the screen.
pub fn place(screen: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect::new(
        screen.x + (screen.width - width) / 2,
        screen.y + (screen.height - height) / 2,
        width,
        height,
    )
}

/// The area inside a frame, two columns away from it.
pub fn inside(area: Rect) -> Rect {
    area.inner(Margin::new(3, 1))
}

/// What the frame of a text of several pages says: `page 2 of 5: PgUp PgDn`. Pages count from zero.
pub fn page_note(page: usize, count: usize, keymap: &Keymap) -> String {
    if count < 2 {
        return String::new();
    }
    let keys = [Action::PageUp, Action::PageDown].map(|action| keymap.of(action));
    format!("page {} of {count}: {}", page + 1, keys.join(" "))
}

/// Draws an empty frame with a title and, at its lower right, a note such as a page number; answers
/// [`inside`].
pub fn render(pen: &mut Pen<'_>, area: Rect, title: &str, note: &str) -> Rect {
    let (ink, ground) = (pen.theme.dim, pen.theme.panel);
    let frame = &pen.theme.glyphs.frame;
    pen.fill(area, ground);
    if area.width < 2 || area.height < 2 {
        return Rect::new(area.x, area.y, 0, 0);
    }
    let (right, bottom) = (area.right() - 1, area.bottom() - 1);
    for x in area.x..=right {
        pen.cell(x, area.y, frame.horizontal, ink, ground);
        pen.cell(x, bottom, frame.horizontal, ink, ground);
    }
    for y in area.y..=bottom {
        pen.cell(area.x, y, frame.vertical, ink, ground);
        pen.cell(right, y, frame.vertical, ink, ground);
    }
    for (x, y, corner) in [
        (area.x, area.y, frame.top_left),
        (right, area.y, frame.top_right),
        (area.x, bottom, frame.bottom_left),
        (right, bottom, frame.bottom_right),
    ] {
        pen.cell(x, y, corner, ink, ground);
    }
    let more = pen.theme.glyphs.grows;
    let title = text::clipped(title, area.width.saturating_sub(6), more);
    pen.bold_on(
        area.x + 2,
        area.y,
        &format!(" {title} "),
        pen.theme.now,
        ground,
    );
    if !note.is_empty() && text::width(note) + 6 <= area.width {
        let note = format!(" {note} ");
        let x = right.saturating_sub(text::width(&note) + 1);
        pen.text_on(x, bottom, &note, ink, ground);
    }
    inside(area)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::Look;
    use crate::ui::theme::Theme;
    use ratatui::buffer::Buffer;

    #[test]
    fn a_text_of_several_pages_says_which_and_with_which_keys() {
        let mut keymap = Keymap::default();
        assert_eq!(page_note(0, 1, &keymap), "");
        assert_eq!(page_note(1, 5, &keymap), "page 2 of 5: PgUp PgDn");
        keymap.rebind("page-down", &["f9".to_owned()]).unwrap();
        assert_eq!(page_note(1, 5, &keymap), "page 2 of 5: PgUp F9");
    }

    #[test]
    fn an_overlay_stands_in_the_middle_and_never_leaves_the_screen() {
        let screen = Rect::new(0, 0, 80, 24);
        assert_eq!(place(screen, 70, 15), Rect::new(5, 4, 70, 15));
        assert_eq!(place(screen, 90, 30), screen);
    }

    #[test]
    fn a_frame_has_its_title_above_and_its_note_below() {
        let area = Rect::new(0, 0, 16, 3);
        let mut buffer = Buffer::empty(area);
        let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
        let inside = render(&mut pen, area, "keys", "1/2");
        let line = |y| -> String { (0..16).map(|x| buffer[(x, y)].symbol()).collect() };
        assert_eq!(line(0), "╭─ keys ───────╮");
        assert_eq!(line(2), "╰──────── 1/2 ─╯");
        assert_eq!(inside, Rect::new(3, 1, 10, 1));
    }

    #[test]
    fn a_screen_of_one_cell_has_no_frame() {
        let area = Rect::new(0, 0, 1, 1);
        let mut buffer = Buffer::empty(area);
        let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
        assert!(render(&mut pen, area, "keys", "").is_empty());
    }
}
