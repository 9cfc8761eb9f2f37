//! The frame of what lies on top of a view.

use ratatui::layout::{Margin, Rect};

use super::lanes::GUTTER;
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

/// Lines that stay together on a page.
pub trait Block {
    fn height(&self) -> usize;

    /// Never the last of a page: what it stands over follows.
    fn is_heading(&self) -> bool {
        false
    }

    /// Never the first of a page.
    fn is_blank(&self) -> bool {
        false
    }
}

/// As many blocks as fit on each page of so many lines; one that is larger has a page of its own.
pub fn pages<B: Block>(blocks: &[B], height: usize) -> Vec<&[B]> {
    let mut pages = Vec::new();
    let mut rest = blocks;
    while let Some(first) = rest.first() {
        if first.is_blank() {
            rest = &rest[1..];
            continue;
        }
        let mut used = 0;
        let fitting = rest.iter().take_while(|block| {
            used += block.height();
            used <= height
        });
        let mut count = fitting.count().max(1);
        if count > 1 && count < rest.len() && rest[count - 1].is_heading() {
            count -= 1;
        }
        let (page, after) = rest.split_at(count);
        pages.push(page);
        rest = after;
    }
    pages
}

/// This page, past the last one the last, and what its frame says.
pub fn turned_to<'a, B>(pages: &[&'a [B]], page: usize, keymap: &Keymap) -> (&'a [B], String) {
    let page = page.min(pages.len().saturating_sub(1));
    let note = page_note(page, pages.len(), keymap);
    (pages.get(page).copied().unwrap_or_default(), note)
}

/// What the frame of a text says: `page 2 of 5: PgUp PgDn, Esc close`. Pages count from zero. Not every
/// scene has a row of hints that would say how to close it.
fn page_note(page: usize, count: usize, keymap: &Keymap) -> String {
    let closes = format!("{} close", keymap.of(Action::Close));
    if count < 2 {
        return closes;
    }
    let keys = [Action::PageUp, Action::PageDown].map(|action| keymap.of(action));
    format!("page {} of {count}: {}, {closes}", page + 1, keys.join(" "))
}

/// Draws an empty frame with a title and, at its lower right, a note such as a page number; answers
/// [`inside`].
pub fn render(pen: &mut Pen<'_>, area: Rect, title: &str, note: &str) -> Rect {
    let (ink, ground) = (pen.theme.dim, pen.theme.panel);
    let frame = &pen.theme.glyphs.frame;
    clear_beside(pen, area);
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

/// Empties the rows of an overlay that leaves no room for the names of the lanes beside it: parts of
/// names, and values without one, would only be read as something else.
fn clear_beside(pen: &mut Pen<'_>, area: Rect) {
    let screen = pen.buffer.area;
    if area.x.saturating_sub(screen.x) < GUTTER {
        let rows = Rect {
            x: screen.x,
            width: screen.width,
            ..area
        };
        pen.fill(rows, pen.theme.background);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::Look;
    use crate::ui::samples::{PLAIN, lines};
    use crate::ui::theme::Theme;
    use ratatui::buffer::Buffer;

    #[test]
    fn a_text_of_several_pages_says_which_and_with_which_keys() {
        let mut keymap = Keymap::default();
        assert_eq!(page_note(0, 1, &keymap), "Esc close");
        assert_eq!(
            page_note(1, 5, &keymap),
            "page 2 of 5: PgUp PgDn, Esc close"
        );
        keymap.rebind("page-down", &["f9".to_owned()]).unwrap();
        assert_eq!(page_note(1, 5, &keymap), "page 2 of 5: PgUp F9, Esc close");
    }

    /// A heading ends with a colon; a blank line is a space.
    impl Block for &str {
        fn height(&self) -> usize {
            self.lines().count().max(1)
        }

        fn is_heading(&self) -> bool {
            self.ends_with(':')
        }

        fn is_blank(&self) -> bool {
            *self == " "
        }
    }

    #[test]
    fn pages_begin_with_something_and_do_not_end_with_a_heading() {
        let blocks = ["first:", "a", " ", "b", "second:", "c\nd", "e"];
        let pages = |height| -> Vec<usize> {
            let pages = pages(&blocks, height);
            pages.iter().map(|page| page.len()).collect()
        };
        assert_eq!(pages(10), [7]);
        // The blank line would be the first of the second page, and the second heading its last.
        assert_eq!(pages(2), [2, 1, 1, 1, 1]);
        assert_eq!(pages(3), [3, 1, 2, 1]);
        assert_eq!(pages(0), [1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn past_the_last_page_it_is_the_last() {
        let (blocks, keymap) = (["a", "b", "c"], Keymap::default());
        let pages = pages(&blocks, 2);
        assert_eq!(turned_to(&pages, 0, &keymap).0, ["a", "b"]);
        let (last, note) = turned_to(&pages, 9, &keymap);
        assert_eq!(
            (last, note.as_str()),
            (&["c"][..], "page 2 of 2: PgUp PgDn, Esc close")
        );
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
    fn beside_a_frame_stand_whole_names_or_nothing() {
        let screen = Rect::new(0, 0, 60, 3);
        let beside = |width| {
            let drawn = lines(PLAIN, (60, 3), |_, pen| {
                for y in 0..3 {
                    pen.text(0, y, &">worker 1  ".repeat(6), pen.theme.text);
                }
                render(pen, place(screen, width, 1), "", "");
            });
            let [above, row, _] = [0, 1, 2].map(|y| drawn[y].clone());
            assert!(above.starts_with(">worker 1 "));
            row.contains("worker 1")
        };
        assert!(beside(GUTTER * 2 + 16));
        assert!(!beside(58));
        assert!(!beside(44));
    }

    #[test]
    fn a_screen_of_one_cell_has_no_frame() {
        let area = Rect::new(0, 0, 1, 1);
        let mut buffer = Buffer::empty(area);
        let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
        assert!(render(&mut pen, area, "keys", "").is_empty());
    }
}
