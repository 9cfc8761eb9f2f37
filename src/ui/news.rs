//! What a program that is watched should be told: what went wrong, what is slow, what was not seen.

use ratatui::layout::Rect;

use super::Moment;
use super::overlay::{self, Block as _};
use super::text::{self, Pen, clipped, sanitised, width, wrapped};
use super::theme::Theme;
use crate::app::App;
use crate::app::action::Action;
use crate::finding::Finding;
use crate::palette::Ink;

const WIDTH: u16 = 100;
/// Columns of a moment before what is said of it.
const AT: u16 = 10;

/// Draws the most severe finding into the row of the area, and how many there are.
pub fn render(app: &App, area: Rect, pen: &mut Pen<'_>) {
    if area.height == 0 {
        return;
    }
    let theme = pen.theme;
    let (x, y) = (area.x + 1, area.y);
    let Some(finding) = app.findings.found.first() else {
        if let Some(says) = not_seen(app) {
            pen.text_within(x, y, area.width.saturating_sub(2), &says, theme.wait);
        }
        return;
    };
    let count = app.findings.found.len() + app.findings.more;
    let key = app.keymap.of(Action::Findings);
    let more = match count {
        1 => key,
        count => format!("{key} 1 of {count}"),
    };
    let end = area.right().saturating_sub(width(&more) + 2);
    pen.bold(x, y, "!", ink(finding, pen));
    let words = format!(
        "{}: {}",
        sanitised(&finding.text),
        sanitised(&finding.advice)
    );
    let room = end.saturating_sub(x + 3);
    pen.text_within(x + 2, y, room, &theme.units(&words), theme.text);
    pen.text(end + 1, y, &more, theme.dim);
}

fn not_seen(app: &App) -> Option<String> {
    let (trace, cursor) = (&app.run.trace, app.cursor());
    let dropped = trace.counts(cursor).dropped;
    let events = (dropped > 0)
        .then(|| format!("{dropped} events were not seen: numbers marked >= are at least that"));
    let processes = trace.unwatched(cursor).map(|words| sanitised(&words));
    let parts: Vec<String> = processes.into_iter().chain(events).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn ink(finding: &Finding, pen: &Pen<'_>) -> Ink {
    if finding.kind.is_fault() {
        pen.theme.bad
    } else {
        pen.theme.wait
    }
}

/// A finding in the lines that it takes.
struct Block<'a> {
    finding: &'a Finding,
    text: Vec<String>,
    advice: Vec<String>,
}

impl overlay::Block for Block<'_> {
    /// With an empty line behind it.
    fn height(&self) -> usize {
        self.text.len() + self.advice.len() + 1
    }
}

/// Draws all findings over the screen, what went wrong first; past the last page, the last.
pub fn list(app: &App, page: usize, screen: Rect, pen: &mut Pen<'_>) {
    let (area, blocks) = laid_out(app, screen);
    let pages = pages(&blocks, area);
    let (page, note) = overlay::turned_to(&pages, page, &app.keymap);
    let title = match app.findings.more {
        0 => "what went wrong and what is slow".to_owned(),
        more => format!("what went wrong and what is slow, without {more} less severe"),
    };
    let inside = overlay::render(pen, area, &title, &note);
    let (theme, mut y) = (pen.theme, inside.y);
    if blocks.is_empty() {
        let says = if app.run.over {
            "nothing: no evidence of anything wrong or slow"
        } else {
            "nothing so far: no evidence of anything wrong or slow"
        };
        pen.text_on(
            inside.x,
            y,
            &clipped(says, inside.width, ""),
            theme.dim,
            theme.panel,
        );
    }
    for block in page {
        let at = block.finding.at.to_string();
        pen.text_on(inside.x, y, &theme.units(&at), theme.dim, theme.panel);
        let x = inside.x + AT;
        let mark = ink(block.finding, pen);
        pen.bold_on(x.saturating_sub(2), y, "!", mark, theme.panel);
        for line in &block.text {
            pen.text_on(x, y, line, theme.now, theme.panel);
            y += 1;
        }
        for line in &block.advice {
            pen.text_on(x, y, line, theme.text, theme.panel);
            y += 1;
        }
        y += 1;
    }
}

/// Pages that it takes on this screen.
pub fn page_count(app: &App, screen: Rect) -> usize {
    let (area, blocks) = laid_out(app, screen);
    pages(&blocks, area).len()
}

/// Where the list stands, and all that is in it.
fn laid_out(app: &App, screen: Rect) -> (Rect, Vec<Block<'_>>) {
    let theme = Theme::of(app.look);
    let most = overlay::place(screen, WIDTH, screen.height.saturating_sub(2));
    let room = overlay::inside(most).width.saturating_sub(AT);
    let blocks: Vec<Block<'_>> = app
        .findings
        .found
        .iter()
        .map(|finding| Block {
            finding,
            text: wrapped(&theme.units(&sanitised(&finding.text)), room),
            advice: wrapped(
                &theme.units(&format!("try: {}", sanitised(&finding.advice))),
                room,
            ),
        })
        .collect();
    let lines: usize = blocks.iter().map(Block::height).sum();
    let height = u16::try_from(lines)
        .unwrap_or(u16::MAX)
        .clamp(2, most.height);
    let area = overlay::place(screen, WIDTH, height.saturating_add(2).min(most.height));
    (area, blocks)
}

/// The empty line behind the last block of a page needs no room.
fn pages<'a, 'b>(blocks: &'b [Block<'a>], area: Rect) -> Vec<&'b [Block<'a>]> {
    overlay::pages(blocks, usize::from(overlay::inside(area).height) + 1)
}

/// Where findings stand on the ruler, what is slow before what went wrong.
pub fn marks(moment: &Moment<'_>, pen: &Pen<'_>) -> Vec<(u16, Ink)> {
    let known = moment.findings.iter().rev();
    let known = known.filter(|finding| finding.at <= moment.cursor);
    let placed = known.map(|finding| Some((moment.axis.column(finding.at)?, ink(finding, pen))));
    placed.flatten().collect()
}

/// The line of a finding in the list of events.
pub fn line(finding: &Finding) -> String {
    text::sanitised(&finding.text)
}
