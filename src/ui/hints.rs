//! The last lines: what the last switch changed, and the keys that work now.

use ratatui::layout::Rect;

use super::text::{Pen, width};
use crate::app::action::Action;
use crate::app::keymap::Hint;
use crate::app::switch::Basis;
use crate::app::{App, Hit};

/// Columns between two hints.
const APART: u16 = 2;

/// Draws the line about the last switch into the row of the area.
pub fn change(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let Some(change) = app.change.as_ref().filter(|_| area.height > 0) else {
        return;
    };
    let theme = pen.theme;
    let arrows = |words: &str| words.replace("->", theme.glyphs.arrow);
    let basis = arrows(change.basis.word());
    let room = area.width.saturating_sub(width(&basis) + 3);
    let words = theme.units(&change.text);
    let words = arrows(&words);
    let words = whole_clauses(&words, room);
    if change.basis == Basis::Expected {
        // What was not seen says so before anything else.
        let x = pen.text(area.x + 1, area.y, &format!("{basis}:"), theme.dim);
        pen.text_within(x + 1, area.y, room, words, theme.text);
        return;
    }
    let x = pen.text_within(area.x + 1, area.y, room, words, theme.text);
    pen.text(x + 2, area.y, &basis, theme.dim);
}

/// As many clauses as fit, and of a list as much as does; the first in any case.
fn whole_clauses(words: &str, room: u16) -> &str {
    let mut words = words;
    while width(words) > room {
        let Some(end) = words.rfind("; ").max(words.rfind(", ")) else {
            break;
        };
        words = &words[..end];
    }
    words
}

/// Draws as many hints as fit into the row, the most useful first; a notice takes their place.
pub fn render(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    if notice(app, area, pen) {
        return;
    }
    for (x, hint) in placed(app, area) {
        // Where words are as bold and bright as keys, keys stand out as keys of a keyboard do.
        let x = if theme.bold {
            pen.bold_on(x, area.y, &hint.keys, theme.background, theme.now)
        } else {
            pen.bold(x, area.y, &hint.keys, theme.now)
        };
        pen.text(x + 1, area.y, hint.words, theme.dim);
    }
}

/// Draws what is to be read now, if there is anything.
pub fn notice(app: &App, area: Rect, pen: &mut Pen<'_>) -> bool {
    let Some(notice) = &app.notice else {
        return false;
    };
    let theme = pen.theme;
    let room = area.width.saturating_sub(2);
    pen.text_within(area.x + 1, area.y, room, &theme.units(notice), theme.wait);
    true
}

/// All of them as one line, for what lies on top of the row: `Enter keep   Esc leave`.
pub fn line(app: &App) -> String {
    let hints = app.keymap.hints(app).into_iter();
    let hints = hints.map(|hint| format!("{} {}", hint.keys, hint.words));
    hints.collect::<Vec<_>>().join(super::find::APART)
}

/// The hints that fit into the row, each with its first column: up to the first that does not, and those that
/// stay in any case.
fn placed(app: &App, area: Rect) -> impl Iterator<Item = (u16, Hint)> {
    let mut hints = app.keymap.hints(app);
    if super::pages(app).is_some_and(|(_, count)| count < 2) {
        hints.retain(|hint| !hint.actions.contains(&Action::PageDown));
    }
    if !super::timeline::hides_lanes(app) {
        hints.retain(|hint| !hint.actions.contains(&Action::LanesDown));
    }
    let mut kept: u16 = hints.iter().filter(|hint| stays(hint)).map(columns).sum();
    let mut next = area.x + 1;
    let mut is_full = false;
    hints.into_iter().filter_map(move |hint| {
        let own = columns(&hint);
        if stays(&hint) {
            kept -= own;
        } else {
            is_full |= next + own + kept > area.right() + APART;
        }
        let fits = next + own <= area.right() + APART;
        if !fits || is_full && !stays(&hint) {
            return None;
        }
        let x = next;
        next += own;
        Some((x, hint))
    })
}

/// Columns of a hint, with those that part it from the next.
fn columns(hint: &Hint) -> u16 {
    width(&hint.keys) + 1 + width(hint.words) + APART
}

/// Whoever knows these two finds all others, and the way out.
fn stays(hint: &Hint) -> bool {
    let stays = [Action::Help, Action::Quit];
    hint.actions.iter().any(|action| stays.contains(action))
}

/// What lies at this column of the row of hints: a key, or words, which do what their first key does.
pub fn hit(app: &App, area: Rect, x: u16) -> Option<Hit> {
    if app.notice.is_some() {
        return None;
    }
    let before = placed(app, area).take_while(|(start, _)| *start <= x);
    let (start, hint) = before.last()?;
    let mut end = start;
    for (key, &action) in hint.keys.split(' ').zip(&hint.actions) {
        end += width(key);
        if x < end {
            return Some(Hit::Key(action));
        }
        end += 1;
    }
    let first = hint.actions.first().filter(|_| x < end + width(hint.words));
    first.map(|&action| Hit::Key(action))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::switch::{Basis, Change};
    use crate::app::{Message, Overlay, Settings, View};
    use crate::experiment::Experiment;
    use crate::palette::{Depth, Look, ThemeName};
    use crate::ui::theme::Theme;
    use ratatui::buffer::Buffer;

    /// The row of hints, 80 columns wide, as text and as cells.
    fn row(look: Look) -> (App, Rect, String, Buffer) {
        let app = App::new(Experiment::default(), Settings::default());
        let area = Rect::new(0, 0, 80, 1);
        let mut buffer = Buffer::empty(area);
        render(&app, area, &mut Pen::new(&mut buffer, Theme::of(look)));
        let text = (0..80).map(|x| buffer[(x, 0)].symbol()).collect();
        (app, area, text, buffer)
    }

    #[test]
    fn a_click_on_a_hint_does_what_its_key_does() {
        let (mut app, area, text, _) = row(Look::default());
        let hit = |app: &App, words: &str, offset: usize| {
            let x = text.find(words).unwrap() + offset;
            hit(app, area, x as u16)
        };
        let method = |action| Some(Hit::Key(action));
        assert_eq!(hit(&app, "m M", 0), method(Action::NextFamily));
        assert_eq!(hit(&app, "m M", 2), method(Action::PreviousFamily));
        assert_eq!(hit(&app, "method", 3), method(Action::NextFamily));
        assert_eq!(hit(&app, "method", 6), None);
        assert_eq!(super::hit(&app, area, 79), None);
        app.notice = Some("something to read".to_owned());
        assert_eq!(hit(&app, "method", 3), None);
    }

    #[test]
    fn a_notice_has_its_units_as_the_screen_can_write_them() {
        let mut app = App::new(Experiment::default(), Settings::default());
        app.notice = Some("12.3 us: task 5 failed".to_owned());
        let area = Rect::new(0, 0, 40, 1);
        let mut buffer = Buffer::empty(area);
        let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
        render(&app, area, &mut pen);
        let text: String = (0..40).map(|x| buffer[(x, 0)].symbol()).collect();
        assert_eq!(text.trim(), "12.3 \u{b5}s: task 5 failed");
    }

    #[test]
    fn keys_and_words_look_different_in_every_theme() {
        for theme in ThemeName::ALL {
            for depth in [Depth::None, Depth::Sixteen, Depth::Indexed, Depth::True] {
                let look = Look {
                    theme,
                    depth,
                    ..Look::default()
                };
                let (_, _, text, buffer) = row(look);
                let style = |words: &str| buffer[(text.find(words).unwrap() as u16, 0)].style();
                assert_ne!(style("m M"), style("method"), "{look:?}");
            }
        }
    }

    #[test]
    fn the_lines_of_the_form_and_of_the_search_show_the_keys_that_are_bound() {
        let mut app = App::new(Experiment::default(), Settings::default());
        app.keymap.rebind("close", &["f9".to_owned()]).unwrap();
        app.update(Message::Click(Hit::Key(Action::Find)));
        assert_eq!(
            line(&app),
            "\u{2191} \u{2193} match   Enter keep   F9 leave"
        );
        app.update(Message::Click(Hit::Key(Action::Close)));
        app.update(Message::Click(Hit::Key(Action::Edit)));
        assert!(line(&app).starts_with("Enter run   \u{2190} \u{2192} change"));
        assert!(line(&app).ends_with("F9 leave"));
    }

    #[test]
    fn what_one_would_do_with_a_selected_task_comes_forward() {
        let mut app = App::new(Experiment::default(), Settings::default());
        let inspects = |app: &App| {
            let hints = app.keymap.hints(app);
            let place = |hint: &Hint| hint.actions.contains(&Action::Inspect);
            hints.iter().position(place)
        };
        app.run.trace = crate::ui::samples::run(crate::method::Method::Map, 1, &[]);
        assert!(inspects(&app) > Some(8));
        let call = app.run.trace.call().map(|call| call.facts.call);
        app.selection.task = call.map(|call| crate::event::TaskId { call, index: 3 });
        assert!(inspects(&app) < Some(5));
        app.overlay = Some(Overlay::Inspector);
        assert!(inspects(&app) > Some(8));
    }

    #[test]
    fn help_and_quit_stay_whatever_comes_forward() {
        let mut app = App::new(Experiment::default(), Settings::default());
        app.run.trace = crate::ui::samples::run(crate::method::Method::Map, 1, &[]);
        let all = app.keymap.hints(&app).len() - 1;
        let call = app.run.trace.call().unwrap().facts.call;
        for index in [None, Some(3)] {
            app.selection.task = index.map(|index| crate::event::TaskId { call, index });
            for columns in 18..300 {
                let area = Rect::new(0, 0, columns, 1);
                let hints: Vec<_> = placed(&app, area).collect();
                let shown = |hint: &&(u16, Hint)| stays(&hint.1);
                assert_eq!(hints.iter().filter(shown).count(), 2, "{columns}");
                let (x, last) = hints.last().unwrap();
                let end = x + width(&last.keys) + 1 + width(last.words);
                assert!(end <= columns, "{columns}");
                // Only the lanes, all of which are in sight, are not to be scrolled.
                assert!(columns < 299 || hints.len() >= all, "{hints:?}");
            }
        }
    }

    #[test]
    fn the_way_out_of_the_comparison_stands_first_whatever_is_selected() {
        let mut app = App::new(Experiment::default(), Settings::default());
        app.run.trace = crate::ui::samples::run(crate::method::Method::Map, 1, &[]);
        let call = app.run.trace.call().map(|call| call.facts.call);
        app.selection.task = call.map(|call| crate::event::TaskId { call, index: 3 });
        app.scene = crate::app::Scene::Compare;
        let area = Rect::new(0, 0, 80, 1);
        let shown: Vec<Vec<Action>> = placed(&app, area).map(|(_, hint)| hint.actions).collect();
        assert_eq!(shown[0], [Action::Close]);
        for action in [Action::Help, Action::Quit] {
            assert!(shown.iter().any(|actions| actions.contains(&action)));
        }
    }

    #[test]
    fn in_the_view_of_numbers_their_definitions_come_forward() {
        let mut app = App::new(Experiment::default(), Settings::default());
        let defines = |app: &App| {
            let hints = app.keymap.hints(app);
            let place = |hint: &Hint| hint.actions.contains(&Action::Definitions);
            hints.iter().position(place)
        };
        assert!(defines(&app) > Some(8));
        app.view = crate::app::View::Numbers;
        assert!(defines(&app) < Some(7));
    }

    #[test]
    fn page_keys_are_offered_only_where_there_are_pages() {
        let mut app = App::new(Experiment::default(), Settings::default());
        let offered = |app: &App| {
            let area = Rect::new(0, 0, app.size.0, 1);
            placed(app, area).any(|(_, hint)| hint.actions.contains(&Action::PageDown))
        };
        for overlay in [
            Overlay::Help { page: 0 },
            Overlay::Definitions { page: 0 },
            Overlay::Findings { page: 0 },
        ] {
            let is_list = matches!(overlay, Overlay::Findings { .. });
            app.overlay = Some(overlay);
            app.size = (80, 24);
            assert_eq!(offered(&app), !is_list);
            app.size = (200, 100);
            assert!(!offered(&app));
        }
    }

    #[test]
    fn the_keys_that_scroll_lanes_are_offered_only_where_lanes_are_out_of_sight() {
        let at_end = |workers, view, at_end: bool| {
            let experiment = Experiment {
                workers,
                backend: crate::experiment::Backend::Simulated,
                ..Experiment::default()
            };
            let mut app = App::new(experiment.clone(), Settings::default());
            app.run
                .trace
                .apply(crate::origin::simulated::run(&experiment));
            app.view = view;
            if at_end {
                app.run.over = true;
                app.run.playback.go_live(app.run.trace.end());
            }
            let area = Rect::new(0, 0, app.size.0, 1);
            placed(&app, area).any(|(_, hint)| hint.actions.contains(&Action::LanesDown))
        };
        let offered = |workers, view| at_end(workers, view, false);
        assert!(offered(64, View::Timeline));
        // Less important ones go before it.
        assert!(at_end(64, View::Timeline, true));
        assert!(!offered(8, View::Timeline));
        assert!(!offered(64, View::Order));
    }

    #[test]
    fn eighty_columns_say_what_the_asynchronous_form_changes_and_what_not() {
        let text = "program end 4.17 -> 2.87 s; main blocked 2.87 -> 1.57 s; \
            same: makespan, delivery order (m: as they finish)";
        let mut app = App::new(Experiment::default(), Settings::default());
        app.change = Some(Change {
            text: text.to_owned(),
            basis: Basis::Measured,
            is_news: true,
        });
        let area = Rect::new(0, 0, 80, 1);
        let mut buffer = Buffer::empty(area);
        change(
            &app,
            area,
            &mut Pen::new(&mut buffer, Theme::of(Look::default())),
        );
        let line: String = (0..80).map(|x| buffer[(x, 0)].symbol()).collect();
        let says =
            "program end 4.17 \u{2192} 2.87 s; main blocked 2.87 \u{2192} 1.57 s; same: makespan";
        assert_eq!(line.trim(), format!("{says}  measured"));
    }

    #[test]
    fn a_long_line_ends_with_a_whole_clause() {
        let words = "first result 4 s -> 1 s; same: makespan, delivery order";
        assert_eq!(whole_clauses(words, 80), words);
        assert_eq!(
            whole_clauses(words, 54),
            "first result 4 s -> 1 s; same: makespan"
        );
        assert_eq!(whole_clauses(words, 5), "first result 4 s -> 1 s");
    }
}
