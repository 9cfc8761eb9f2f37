//! The line at the bottom in which one searches for tasks.

use ratatui::layout::Rect;
use ratatui::style::Modifier;
use std::iter;

use super::text::{self, Pen};
use crate::app::find::{EXAMPLES, Find};
use crate::palette::Ink;
use tui_input::Input;

/// What stands between two keys.
pub const APART: &str = "   ";

/// Draws the line over the last row of the screen: what is typed, how many match, the keys.
pub fn render(find: &Find, keys: &str, screen: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let (says, ink) = match (find.line.value().is_empty(), find.matches.len()) {
        (true, _) => (format!("{EXAMPLES} or an error"), theme.dim),
        (false, 0) => ("no task matches".to_owned(), theme.wait),
        (false, count) => (format!("{} of {count}", find.at + 1), theme.text),
    };
    line(&find.line, &says, ink, keys, screen, pen);
}

/// The same line for anything that is sought, with what is said of it.
pub fn line(line: &Input, says: &str, ink: Ink, keys: &str, screen: Rect, pen: &mut Pen<'_>) {
    if screen.is_empty() {
        return;
    }
    let (theme, y) = (pen.theme, screen.bottom() - 1);
    pen.fill(Rect::new(screen.x, y, screen.width, 1), theme.panel);
    let start = pen.bold_on(screen.x + 1, y, "find ", theme.now, theme.panel);
    let end = pen.bold_on(start, y, line.value(), theme.text, theme.panel);
    pen.add(start + line.visual_cursor() as u16, y, Modifier::REVERSED);
    let end = pen.text_on((end + 2).max(start + 12), y, says, ink, theme.panel);
    // Where not all keys fit, the last ones lead out of here.
    let left = |keys: &str| screen.right().saturating_sub(text::width(keys) + 1);
    let mut forms = iter::successors(Some(keys), |keys| Some(keys.split_once(APART)?.1));
    if let Some(keys) = forms.find(|keys| left(keys) > end + 1) {
        pen.text_on(left(keys), y, keys, theme.dim, theme.panel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::selection::Selection;
    use crate::palette::Look;
    use crate::ui::samples::{PLAIN, lines};
    use crate::ui::theme::Theme;
    use ratatui::buffer::Buffer;

    fn drawn(find: &Find) -> String {
        let area = Rect::new(0, 0, 80, 2);
        let mut buffer = Buffer::empty(area);
        render(
            find,
            "Enter keep   Esc leave",
            area,
            &mut Pen::new(&mut buffer, Theme::of(Look::default())),
        );
        (0..80).map(|x| buffer[(x, 1)].symbol()).collect()
    }

    #[test]
    fn the_line_says_which_of_the_matches_is_selected() {
        let mut find = Find::new(Selection::default());
        find.line = "1".into();
        find.matches = vec![1, 10, 11];
        find.at = 1;
        assert!(drawn(&find).starts_with(" find 1           2 of 3"));
        assert!(drawn(&find).ends_with("Esc leave "));
    }

    #[test]
    fn a_narrow_line_has_the_keys_that_lead_out_of_it() {
        let drawn = |columns| {
            lines(PLAIN, (columns, 1), |area, pen| {
                let keys = "Up Down match   Enter keep   Esc leave";
                line(
                    &Input::from(">500ms"),
                    "1 of 12",
                    pen.theme.text,
                    keys,
                    area,
                    pen,
                );
            })
            .remove(0)
        };
        assert!(drawn(80).ends_with("  Up Down match   Enter keep   Esc leave"));
        let (narrow, narrowest) = (drawn(60), drawn(40));
        assert!(narrow.ends_with("  Enter keep   Esc leave") && !narrow.contains("match"));
        assert!(narrowest.ends_with("  Esc leave") && !narrowest.contains("keep"));
        assert!(drawn(26).ends_with("12"));
    }

    #[test]
    fn nothing_found_is_said() {
        let mut find = Find::new(Selection::default());
        find.line = "99".into();
        assert!(drawn(&find).contains("no task matches"));
    }
}
