//! What a watched program printed: its stdout and, marked, its stderr.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::text::{self, Pen, width};
use super::{find, hints, overlay};
use crate::app::output::{Found, Line, OutputPanel};
use crate::app::{App, Watched};
use crate::origin::python::Stream;

/// Columns left of a line, for the mark of stderr.
const MARK: u16 = 2;

/// Draws the panel over the lower part of the screen.
pub fn render(app: &App, panel: &OutputPanel, screen: Rect, pen: &mut Pen<'_>) {
    let Some(program) = app.run.program() else {
        return;
    };
    let height = panel.height(screen.height);
    let area = Rect {
        y: screen.bottom().saturating_sub(height + 1),
        height,
        ..screen
    };
    let page = seen(panel, screen.height);
    let title = format!("output of {}", text::sanitised(&program.command));
    let inside = overlay::render(pen, area, &title, &place(panel, program, page));
    let inside = Rect {
        x: area.x + 2,
        width: area.width.saturating_sub(4),
        ..inside
    };
    for (line, y) in page.iter().zip(inside.y..inside.bottom()) {
        one(panel, line, Rect { y, ..inside }, pen);
    }
    if program.lines == 0 {
        let says = match &program.prints_to {
            Some(file) => format!("what it prints goes to {}", text::sanitised(file)),
            None if app.run.over => "it printed nothing".to_owned(),
            None => "it has printed nothing yet".to_owned(),
        };
        let says = text::clipped(&says, inside.width, pen.theme.glyphs.grows);
        pen.text_on(inside.x, inside.y, &says, pen.theme.dim, pen.theme.panel);
    }
    if let Some(typed) = &panel.typed {
        let theme = pen.theme;
        let (says, ink) = match panel.found {
            _ if panel.sought.is_empty() => ("a text to find in the output", theme.dim),
            Found::Searching => ("searching", theme.dim),
            Found::Nothing => ("no line has it", theme.wait),
            Found::Line(_) => ("found", theme.text),
        };
        find::line(typed, says, ink, &hints::line(app), screen, pen);
    }
}

/// The lines that fit, the last of them at the end of what is shown.
fn seen(panel: &OutputPanel, height: u16) -> &[Line] {
    let last = panel.page.partition_point(|line| line.number < panel.end);
    let first = last.saturating_sub(usize::from(panel.rows(height)));
    &panel.page[first..last]
}

/// `lines 12-40 of 97, ! stderr`
fn place(panel: &OutputPanel, program: &Watched, page: &[Line]) -> String {
    let (Some(first), Some(last)) = (page.first(), page.last()) else {
        return String::new();
    };
    let mut words = format!(
        "lines {}-{} of {}",
        first.number + 1,
        last.number + 1,
        program.lines
    );
    if page.iter().any(|line| line.stream == Stream::Err) {
        words.push_str(", ! stderr");
    }
    if panel.follows {
        words.push_str(", follows");
    }
    words
}

fn one(panel: &OutputPanel, line: &Line, place: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let (x, y, ground) = (place.x, place.y, theme.panel);
    if line.stream == Stream::Err {
        pen.bold_on(x, y, "!", theme.wait, ground);
    }
    let room = place.width.saturating_sub(MARK);
    let words = text::clipped(&line.text, room, theme.glyphs.grows);
    let is_found = panel.found == Found::Line(line.number);
    let ink = if is_found { theme.now } else { theme.text };
    pen.text_on(x + MARK, y, &words, ink, ground);
    let lower = words.to_lowercase();
    // Where lower case is as long, what is found stands in the same place.
    if panel.sought.is_empty() || lower.len() != words.len() {
        return;
    }
    if let Some(at) = lower.find(&panel.sought)
        && let (Some(before), Some(found)) =
            (words.get(..at), words.get(at..at + panel.sought.len()))
    {
        let from = x + MARK + width(before);
        for column in from..from + width(found) {
            pen.add(column, y, Modifier::REVERSED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Settings;
    use crate::ui::samples::{PLAIN, lines};

    fn printed(lines: &[(Stream, &str)]) -> OutputPanel {
        let line = |(number, &(stream, text)): (usize, &(Stream, &str))| Line {
            number: number as u64,
            stream,
            text: text.to_owned(),
        };
        let mut panel = OutputPanel::default();
        panel.page = lines.iter().enumerate().map(line).collect();
        (panel.end, panel.follows) = (lines.len() as u64, true);
        panel
    }

    fn drawn(panel: &OutputPanel, program: Watched) -> Vec<String> {
        drawn_of(&App::watching(program, Settings::default()), panel)
    }

    fn drawn_of(app: &App, panel: &OutputPanel) -> Vec<String> {
        lines(PLAIN, (60, 20), |area, pen| {
            render(app, panel, area, pen);
        })
    }

    #[test]
    fn stderr_is_told_apart_and_the_place_is_said() {
        let panel = printed(&[(Stream::Out, "one"), (Stream::Err, "two")]);
        let program = Watched {
            command: "a.py".to_owned(),
            lines: 2,
            ..Watched::default()
        };
        let drawn = drawn(&panel, program);
        assert!(drawn[9].contains(" output of a.py "), "{drawn:?}");
        assert_eq!(
            drawn[10],
            "|   one                                                    |"
        );
        assert_eq!(
            drawn[11],
            "| ! two                                                    |"
        );
        assert!(drawn[18].contains(" lines 1-2 of 2, ! stderr, follows "));
    }

    #[test]
    fn a_panel_without_lines_says_why() {
        let says = |program| drawn(&printed(&[]), program)[10].clone();
        assert!(says(Watched::default()).contains("it has printed nothing yet"));
        let mut ended = App::watching(Watched::default(), Settings::default());
        ended.run.over = true;
        assert!(drawn_of(&ended, &printed(&[]))[10].contains("it printed nothing  "));
        let to_file = Watched {
            prints_to: Some("log.txt".to_owned()),
            ..Watched::default()
        };
        assert!(says(to_file).contains("what it prints goes to log.txt"));
    }
}
