//! What lies on top after `d`: every number with its value, its definition and who defined it.

use ratatui::layout::Rect;

use super::numbers;
use super::overlay::{self, Block as _, pages};
use super::text::{self, Pen};
use crate::app::App;
use crate::definition::{self, Definition, Facts, Topic};
use crate::experiment::{Backend, CounterEffect, Experiment};
use crate::finding;

const NARROW: u16 = 78;
const WIDE: u16 = 110;
/// Columns of a label, and of a label with its value.
const LABEL: u16 = 18;
const MEANING: u16 = LABEL + 11;
/// Where there is no value, and will be none.
const NONE: &str = "n/a";

/// A topic's name, or a number with the lines of its definition.
enum Block {
    Topic(&'static str),
    /// A kind of finding.
    Kind(&'static str, Vec<String>),
    Number(&'static Definition, Vec<String>),
}

impl overlay::Block for Block {
    fn height(&self) -> usize {
        match self {
            Self::Topic(_) => 1,
            // Its name stands in a line of its own.
            Self::Kind(_, lines) => lines.len() + 1,
            Self::Number(_, lines) => lines.len(),
        }
    }

    fn is_heading(&self) -> bool {
        matches!(self, Self::Topic(_))
    }
}

/// Draws this page over the screen; past the last one, the last.
pub fn render(app: &App, page: usize, screen: Rect, pen: &mut Pen<'_>) {
    let trace = &app.run.trace;
    let facts = Facts::of(trace, app.cursor());
    let (area, blocks) = laid_out(app, screen);
    let inside = overlay::inside(area);
    let pages = pages(&blocks, usize::from(inside.height));
    let (page, note) = overlay::turned_to(&pages, page, &app.keymap);
    let measured = trace.run().map_or("", |run| {
        if run.measured {
            ", measured"
        } else {
            ", simulated"
        }
    });
    overlay::render(pen, area, &format!("all numbers{measured}"), &note);
    let (theme, mut y) = (pen.theme, inside.y);
    for block in page {
        match block {
            Block::Topic(word) => {
                pen.bold_on(inside.x, y, word, theme.now, theme.panel);
            }
            Block::Kind(word, lines) => {
                pen.bold_on(inside.x + 1, y, word, theme.text, theme.panel);
                for (line, y) in lines.iter().zip(y + 1..) {
                    pen.text_on(inside.x + LABEL, y, line, theme.dim, theme.panel);
                }
            }
            Block::Number(row, lines) => {
                let value = if is_untold(app.run.experiment(), row) {
                    NONE.to_owned()
                } else {
                    shown(row, &facts, pen)
                };
                number(row, lines, &value, (inside.x, y), pen);
            }
        }
        y += block.height() as u16;
    }
}

/// Pages that it takes on this screen.
pub fn page_count(app: &App, screen: Rect) -> usize {
    let (area, blocks) = laid_out(app, screen);
    pages(&blocks, usize::from(overlay::inside(area).height)).len()
}

/// Where it stands, and all that there is.
fn laid_out(app: &App, screen: Rect) -> (Rect, Vec<Block>) {
    let width = if screen.width > WIDE + 4 {
        WIDE
    } else {
        NARROW
    };
    // The hint bar stays in sight, and what is said above it.
    let above = Rect {
        height: screen
            .height
            .saturating_sub(1 + super::message_rows(app, screen)),
        ..screen
    };
    let area = overlay::place(above, width, above.height);
    let room = overlay::inside(area).width;
    let experiment = app.run.experiment();
    let has_probe = experiment.is_none_or(|lab| lab.backend == Backend::Python);
    let mut blocks = blocks(room.saturating_sub(MEANING), has_probe);
    if app.run.trace.is_program() {
        blocks.extend(kinds(room.saturating_sub(LABEL)));
    }
    (area, blocks)
}

fn number(row: &Definition, lines: &[String], value: &str, (x, y): (u16, u16), pen: &mut Pen<'_>) {
    let theme = pen.theme;
    pen.text_on(x + 1, y, row.label, theme.text, theme.panel);
    let value = text::clipped(value, MEANING - LABEL - 1, theme.glyphs.grows);
    pen.bold_on(x + LABEL, y, &value, theme.now, theme.panel);
    for (line, y) in lines.iter().zip(y..) {
        pen.text_on(x + MEANING, y, line, theme.dim, theme.panel);
    }
}

/// The value of a row as it is shown: `n/a` where it is undefined and will stay so.
pub fn shown(row: &Definition, facts: &Facts<'_>, pen: &Pen<'_>) -> String {
    let glyphs = pen.theme.glyphs;
    match (row.value)(facts) {
        Some(value) => {
            let value = value.text(glyphs.times);
            format!("{}{}", facts.bound(row), pen.theme.units(&value))
        }
        None if facts.is_final(row) => NONE.to_owned(),
        None => {
            let value = numbers::pending(row.key, facts.numbers.elapsed, glyphs);
            pen.theme.units(&value).into_owned()
        }
    }
}

/// Of the counter: what is not told at the end of a run like this one either.
fn is_untold(experiment: Option<&Experiment>, row: &Definition) -> bool {
    let effect = experiment.map_or(CounterEffect::None, |lab| lab.effect);
    match row.key {
        "counter_main" | "counter_sum" => effect == CounterEffect::None,
        "counter_min" | "counter_max" => effect != CounterEffect::Race,
        "lock_wait" => !experiment.is_some_and(|lab| lab.lock),
        _ => false,
    }
}

/// What can be found in a program.
fn kinds(room: u16) -> impl Iterator<Item = Block> {
    let kind = move |row: &'static finding::Definition| {
        Block::Kind(row.word, text::wrapped(row.meaning, room))
    };
    let title = Block::Topic("what can be found");
    std::iter::once(title).chain(finding::TABLE.iter().map(kind))
}

/// Every number; that of the probe only where there is one.
fn blocks(room: u16, has_probe: bool) -> Vec<Block> {
    let number = |row: &'static Definition| {
        let words = if row.source.is_empty() {
            row.meaning.to_owned()
        } else {
            format!("{} [{}]", row.meaning, row.source)
        };
        Block::Number(row, text::wrapped(&words, room))
    };
    Topic::ALL
        .into_iter()
        .flat_map(|topic| {
            let rows = definition::about(topic).filter(|row| has_probe || row.key != "watching");
            let rows = rows.map(number);
            std::iter::once(Block::Topic(topic.word())).chain(rows)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::switch::{Basis, Change};
    use crate::app::{Settings, View};
    use crate::palette::Look;
    use crate::ui::theme::Theme;
    use ratatui::buffer::Buffer;

    fn drawn(width: u16, height: u16, page: usize) -> Vec<String> {
        drawn_of(Experiment::default(), width, height, page)
    }

    fn drawn_of(experiment: Experiment, width: u16, height: u16, page: usize) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
        let app = App::new(experiment, Settings::default());
        render(&app, page, area, &mut pen);
        (0..height)
            .map(|y| (0..width).map(|x| buffer[(x, y)].symbol()).collect())
            .collect()
    }

    #[test]
    fn every_number_stands_on_some_page() {
        for (width, height) in [(80, 24), (120, 36), (60, 20)] {
            let all: Vec<String> = (0..20)
                .flat_map(|page| drawn(width, height, page))
                .collect();
            for row in &definition::TABLE {
                let label = format!(" {} ", row.label);
                // On threads there is no probe.
                let is_there = all.iter().any(|line| line.contains(&label));
                assert_eq!(is_there, row.key != "watching", "{label}");
            }
        }
    }

    #[test]
    fn the_hint_bar_stays_in_sight() {
        for (width, height) in [(60, 20), (80, 24), (200, 60)] {
            let lines = drawn(width, height, 0);
            let last = &lines[usize::from(height) - 2..];
            assert!(
                last[0].contains('╰') && last[1].trim().is_empty(),
                "{last:?}"
            );
        }
    }

    #[test]
    fn what_a_switch_changed_stays_in_sight() {
        let mut app = App::new(Experiment::default(), Settings::default());
        app.change = Some(Change {
            text: "makespan 4.17 -> 2.87 s".to_owned(),
            basis: Basis::Measured,
            is_news: false,
        });
        for view in [View::Timeline, View::Order, View::Numbers] {
            app.view = view;
            let screen = Rect::new(0, 0, 120, 36);
            let mut buffer = Buffer::empty(screen);
            let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
            crate::ui::scene(&app, screen, &mut pen);
            render(&app, 0, screen, &mut pen);
            let row: String = (0..120).map(|x| buffer[(x, 34)].symbol()).collect();
            assert!(row.starts_with(" makespan 4.17 "), "{view:?} {row}");
        }
    }

    #[test]
    fn what_is_not_known_yet_is_not_zero() {
        let lines = drawn(80, 24, 0);
        let line = |label| lines.iter().find(|line| line.contains(label)).unwrap();
        let makespan = line("makespan");
        assert!(makespan.contains("makespan         0 ms … "), "{makespan}");
        assert!(
            line("speed-up").contains("speed-up         … "),
            "{lines:#?}"
        );
        assert!(makespan.contains("T: from the begin of the run"));
    }

    #[test]
    fn a_counter_that_is_not_there_is_not_waited_for() {
        let values = |effect, lock| {
            let all = (0..20).flat_map(|page| {
                let experiment = Experiment {
                    lock,
                    effect,
                    ..Experiment::default()
                };
                drawn_of(experiment, 80, 24, page)
            });
            let all: Vec<String> = all.collect();
            [
                "G in main",
                "G in all copies",
                "G at least",
                "G at most",
                "lock wait",
            ]
            .map(|label| {
                let line = all
                    .iter()
                    .find_map(|line| line.split_once(&format!(" {label} ")));
                let value = line.and_then(|(_, rest)| rest.split_whitespace().next());
                value.map(str::to_owned).unwrap()
            })
        };
        assert_eq!(values(CounterEffect::None, false), [NONE; 5]);
        assert_eq!(
            values(CounterEffect::Count, false),
            ["…", "…", NONE, NONE, NONE]
        );
        assert_eq!(values(CounterEffect::Race, true), ["…"; 5]);
    }

    #[test]
    fn a_topic_is_never_the_last_line_of_a_page() {
        let blocks = blocks(44, true);
        for height in 1..60 {
            let pages = pages(&blocks, height);
            assert_eq!(
                pages.iter().map(|page| page.len()).sum::<usize>(),
                blocks.len()
            );
            let alone =
                |page: &&&[Block]| page.len() > 1 && matches!(page.last(), Some(Block::Topic(_)));
            assert_eq!(pages.iter().filter(alone).count(), 0, "{height}");
        }
    }

    #[test]
    fn no_screen_is_too_small() {
        for (width, height) in [(1, 1), (9, 3), (30, 2)] {
            drawn(width, height, 3);
        }
    }
}
