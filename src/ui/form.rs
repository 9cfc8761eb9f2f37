//! The form of the experiment: its fields, what there is to say about each, and what the run will be.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::overlay;
use super::text::{self, Pen};
use crate::app::form::{Entry, Field, Form, Remark};
use crate::palette::Ink;

/// The form where the screen has no more room.
const SIZE: (u16, u16) = (70, 15);
/// Columns that it has at most.
const WIDEST: u16 = 100;
/// Columns of the labels.
const LABEL: u16 = 18;
/// Columns of a field where the form is no wider than it must be.
const BOX: u16 = 17;

/// Where the form stands, and what it foretells in lines.
struct Layout {
    area: Rect,
    forecast: Vec<String>,
    /// The fields that are seen, the one with the focus among them.
    visible: std::ops::Range<usize>,
}

impl Layout {
    /// As wide and as high as the screen can spare, but no higher than all fields.
    fn new(form: &Form, screen: Rect) -> Self {
        let width = screen.width.saturating_sub(10).clamp(SIZE.0, WIDEST);
        let inside = overlay::inside(overlay::place(screen, width, SIZE.1));
        let forecast = text::wrapped(&form.forecast, inside.width.saturating_sub(2));
        // The frame, the line under it, an empty one below the fields, the forecast, the keys.
        let around = 5 + forecast.len();
        let whole = u16::try_from(form.fields.len() + around).unwrap_or(u16::MAX);
        let height = whole.min(screen.height.saturating_sub(4)).max(SIZE.1);
        let area = overlay::place(screen, width, height);
        let room = usize::from(area.height).saturating_sub(around).max(1);
        let last = form.fields.len().saturating_sub(room);
        let first = (form.focus + 2)
            .saturating_sub(room)
            .min(last)
            .min(form.focus);
        Self {
            area,
            forecast,
            visible: first..(first + room).min(form.fields.len()),
        }
    }
}

/// Draws the form over the screen, with a line about the keys that work in it.
pub fn render(form: &Form, keys: &str, screen: Rect, pen: &mut Pen<'_>) {
    let Layout {
        area,
        forecast,
        visible,
    } = Layout::new(form, screen);
    let more = visible.len() < form.fields.len();
    let position = if more {
        format!("{} of {}", form.focus + 1, form.fields.len())
    } else {
        String::new()
    };
    let inside = overlay::render(pen, area, "experiment", &position);
    let first = visible.start;
    for (y, (number, field)) in (inside.y + 1..).zip(
        form.fields
            .iter()
            .enumerate()
            .skip(first)
            .take(visible.len()),
    ) {
        row(
            field,
            match (number == form.focus, form.fresh) {
                (false, _) => Focus::Away,
                (true, true) => Focus::Fresh,
                (true, false) => Focus::Here,
            },
            Rect {
                y,
                height: 1,
                ..inside
            },
            pen,
        );
    }
    let below = forecast.len() as u16 + 2;
    if inside.height <= below {
        return;
    }
    let (theme, grows, y) = (pen.theme, pen.theme.glyphs.grows, inside.bottom() - below);
    if let Some(field) = form.fields.get(form.focus) {
        let (remark, ink) = remark(field, pen);
        // What is wrong is said at length as the forecast.
        let is_cut = text::width(remark) > beside(inside).1;
        if is_cut && !matches!(field.remark, Remark::Wrong(_)) {
            pen.text_on(inside.x + 2, y, &theme.units(remark), ink, theme.panel);
        }
    }
    let says = |words: &str| text::clipped(words, inside.width.saturating_sub(2), grows);
    let wrong = form
        .fields
        .iter()
        .any(|field| matches!(field.remark, Remark::Wrong(_)));
    let ink = if wrong { theme.bad } else { theme.text };
    for (line, y) in forecast.iter().zip(y + 1..) {
        pen.text_on(inside.x + 2, y, &says(&theme.units(line)), ink, theme.panel);
    }
    let y = inside.bottom() - 1;
    pen.text_on(inside.x + 2, y, &says(keys), theme.dim, theme.panel);
}

/// The field under this cell of the screen.
pub fn field_at(form: &Form, screen: Rect, column: u16, row: u16) -> Option<usize> {
    let Layout { area, visible, .. } = Layout::new(form, screen);
    let first = area.y + 2;
    let line = usize::from(row.checked_sub(first)?);
    (area.left() < column && column + 1 < area.right() && line < visible.len())
        .then(|| visible.start + line)
}

/// Whether the keys go to a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Focus {
    Away,
    Here,
    /// And nothing was edited in it yet.
    Fresh,
}

fn row(field: &Field, focus: Focus, line: Rect, pen: &mut Pen<'_>) {
    let here = focus != Focus::Away;
    let theme = pen.theme;
    let (x, y) = (line.x, line.y);
    let ink = if here { theme.now } else { theme.text };
    if here {
        pen.bold_on(
            x.saturating_sub(1),
            y,
            theme.glyphs.here,
            theme.now,
            theme.panel,
        );
    }
    pen.text_on(x + 1, y, field.label, ink, theme.panel);
    let left = x + LABEL;
    let room = box_width(line).min(line.right().saturating_sub(left));
    value(field, focus, Rect::new(left, y, room, 1), pen);
    let (remark, ink) = remark(field, pen);
    let (left, room) = beside(line);
    let remark = text::clipped(&theme.units(remark), room, theme.glyphs.grows);
    pen.text_on(left, y, &remark, ink, theme.panel);
}

fn remark<'a>(field: &'a Field, pen: &Pen<'_>) -> (&'a str, Ink) {
    match &field.remark {
        Remark::Plain(remark) => (remark, pen.theme.dim),
        Remark::Warning(remark) => (remark, pen.theme.wait),
        Remark::Wrong(remark) => (remark, pen.theme.bad),
    }
}

/// Columns of a field: half of what the form is wider than it must be goes to fields, half to remarks.
fn box_width(inside: Rect) -> u16 {
    BOX + (inside.width + 6).saturating_sub(SIZE.0) / 2
}

/// Where the remarks begin, and how many columns they have.
fn beside(inside: Rect) -> (u16, u16) {
    let left = inside.x + LABEL + box_width(inside) + 2;
    (left, inside.right().saturating_sub(left))
}

/// The box of a field. With the focus it stands out; where colours are few, reversed or in brackets.
fn value(field: &Field, focus: Focus, area: Rect, pen: &mut Pen<'_>) {
    let here = focus != Focus::Away;
    let theme = pen.theme;
    let (ink, ground) = if here {
        (theme.background, theme.now)
    } else {
        (theme.text, theme.background)
    };
    pen.fill(area, ground);
    let room = area.width.saturating_sub(2);
    match &field.entry {
        Entry::Choice { .. } => {
            let word = text::clipped(field.text(), room, theme.glyphs.grows);
            pen.text_on(area.x + 1, area.y, &word, ink, ground);
        }
        Entry::Text(input) => {
            // Where nothing is typed a text is read from its begin.
            let (from, more) = if here {
                (input.visual_scroll(usize::from(room)), "")
            } else {
                (0, theme.glyphs.grows)
            };
            let words: String = skip_columns(input.value(), from);
            let words = text::clipped(&words, room, more);
            pen.text_on(area.x + 1, area.y, &words, ink, ground);
            if focus == Focus::Fresh && !words.is_empty() {
                // What is typed takes the place of all of it.
                for x in area.x + 1..area.x + 1 + text::width(&words) {
                    pen.add(x, area.y, Modifier::REVERSED | Modifier::UNDERLINED);
                }
            } else if here {
                let cursor = input.visual_cursor().saturating_sub(from) as u16;
                let cell = (area.x + 1 + cursor.min(room), area.y);
                // Where the box is reversed already, only the line tells.
                pen.add(cell.0, cell.1, Modifier::REVERSED | Modifier::UNDERLINED);
            }
        }
    }
    if theme.is_bare() {
        let (left, right) = if here { (">", "<") } else { ("[", "]") };
        pen.text_on(area.x, area.y, left, theme.text, theme.panel);
        pen.text_on(
            area.right().saturating_sub(1),
            area.y,
            right,
            theme.text,
            theme.panel,
        );
    }
}

/// Words without their first columns.
fn skip_columns(words: &str, columns: usize) -> String {
    let mut left = columns;
    words
        .chars()
        .skip_while(|char| {
            let wide = usize::from(text::width(char.encode_utf8(&mut [0; 4])));
            let skip = left > 0;
            left = left.saturating_sub(wide);
            skip
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;
    use crate::palette::Look;
    use crate::ui::theme::Theme;
    use ratatui::buffer::Buffer;

    fn form(fields: usize, focus: usize) -> Form {
        let field = |number: usize| Field {
            label: ["method", "workers", "costs", "seed"][number % 4],
            entry: Entry::Text(number.to_string().into()),
            least: None,
            remark: match number {
                1 => Remark::Warning("more than the 4 CPUs here".to_owned()),
                2 => Remark::Wrong(
                    "a very long remark that says that something is wrong here".to_owned(),
                ),
                _ => Remark::Plain(String::new()),
            },
        };
        let mut form = Form::new(&Experiment::default(), 4);
        form.fields = (0..fields).map(field).collect();
        form.focus = focus;
        form.forecast = "24 messages, 0.7 s or more".to_owned();
        form
    }

    fn drawn(form: &Form, width: u16, height: u16) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        render(
            form,
            "Enter run   Esc leave",
            area,
            &mut Pen::new(&mut buffer, Theme::of(Look::default())),
        );
        buffer
    }

    fn line(buffer: &Buffer, y: u16) -> String {
        let cells = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned()
    }

    #[test]
    fn the_field_with_the_focus_is_marked_and_a_warning_is_amber() {
        let form = form(4, 1);
        let buffer = drawn(&form, 70, 15);
        let workers = line(&buffer, 3);
        assert!(workers.starts_with("│ ► workers"), "{workers}");
        assert!(workers.contains(" more than the 4 CPUs here"), "{workers}");
        let theme = Theme::of(Look::default());
        let amber = theme.style(theme.wait, theme.panel).fg;
        assert_eq!(Some(buffer[(40, 3)].fg), amber);
        assert!(line(&buffer, 12).contains(&form.forecast));
    }

    #[test]
    fn a_note_without_room_is_whole_below_while_its_field_has_the_focus() {
        let form = form(4, 1);
        let buffer = drawn(&form, 60, 20);
        let lines: Vec<String> = (0..20).map(|y| line(&buffer, y)).collect();
        let whole = |line: &&String| line.contains("more than the 4 CPUs here");
        assert_eq!(lines.iter().filter(whole).count(), 1, "{lines:?}");
        assert!(
            lines
                .iter()
                .any(|line| line.contains("workers") && line.contains("\u{2026}"))
        );
    }

    #[test]
    fn fields_scroll_with_the_focus() {
        for focus in 0..30 {
            let buffer = drawn(&form(30, focus), 70, 15);
            let marked = (0..15).filter(|&y| line(&buffer, y).contains('►'));
            assert_eq!(marked.count(), 1, "{focus}");
        }
        assert!(line(&drawn(&form(30, 29), 70, 15), 14).contains("30 of 30"));
    }

    #[test]
    fn what_a_click_hits_is_what_was_drawn() {
        let form = form(30, 12);
        let screen = Rect::new(0, 0, 80, 24);
        let buffer = drawn(&form, 80, 24);
        for y in 0..24 {
            if line(&buffer, y).contains('►') {
                assert_eq!(field_at(&form, screen, 30, y), Some(12));
            }
        }
        assert_eq!(field_at(&form, screen, 30, 0), None);
        assert_eq!(field_at(&form, screen, 1, 8), None);
    }

    #[test]
    fn a_long_text_shows_its_end_where_the_cursor_is() {
        let mut form = form(1, 0);
        form.fields[0].entry = Entry::Text("lognormal:600ms,sigma=0.8".into());
        let buffer = drawn(&form, 70, 15);
        assert!(line(&buffer, 2).contains("00ms,sigma=0.8"));
    }

    #[test]
    fn away_from_the_focus_a_long_text_shows_its_begin() {
        let mut form = form(2, 1);
        form.fields[0].entry = Entry::Text("lognormal:600ms,sigma=0.8".into());
        let buffer = drawn(&form, 70, 15);
        let shown = line(&buffer, 2);
        assert!(shown.contains(" lognormal:600m\u{2026} "), "{shown}");
    }

    #[test]
    fn a_large_screen_shows_all_fields_and_the_whole_of_what_is_wrong() {
        let mut form = form(26, 0);
        form.forecast = "costs: `normal` is no distribution: write ".to_owned()
            + &"one of very many words ".repeat(3);
        let lines = |width, height| -> Vec<String> {
            let buffer = drawn(&form, width, height);
            (0..height).map(|y| line(&buffer, y)).collect()
        };
        let labels = ["method", "workers", "costs", "seed"];
        let large = lines(200, 60);
        let is_field = |line: &&String| {
            labels
                .iter()
                .any(|label| line.contains(&format!("  {label} ")))
        };
        assert_eq!(large.iter().filter(is_field).count(), 25, "{large:#?}");
        let small = lines(80, 24);
        for lines in [large, small] {
            let words = lines.join(" ");
            assert_eq!(words.matches("very many").count(), 3, "{words}");
        }
    }

    #[test]
    fn no_screen_is_too_small() {
        for (width, height) in [(1, 1), (5, 2), (20, 5), (69, 3)] {
            drawn(&form(9, 8), width, height);
        }
    }
}
