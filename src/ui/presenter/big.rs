//! The big numbers of the presenter: those that a switch changes, and what they were before it.

use ratatui::layout::Rect;

use super::unit::Unit;
use crate::app::{App, Run};
use crate::definition::{self, Value, percent};
use crate::event::Ends;
use crate::palette::Ink;
use crate::time::{Nanos, Time};
use crate::trace::{MainProgram, Numbers, Trace};
use crate::ui::Moment;
use crate::ui::digits::{self, Dot};
use crate::ui::text::{self, Pen};

/// Columns between two big numbers at least, for each row of a dot.
const APART: u16 = 3;
/// Under this width there is one decimal: with two the numbers run together.
const NARROW: u16 = 110;
/// From this height on there is an empty line below the digits.
const TALL: u16 = 28;
/// From this width on four numbers have room for their tenths.
const FOUR: u16 = 78;

/// Lines under a number, in two parts where there is no room for one of both.
type Label = (String, &'static str);

/// All of them as of a moment.
pub(super) struct Big {
    columns: Vec<Column>,
    places: Vec<Place>,
    dot: Dot,
    /// The label takes two lines.
    is_split: bool,
    /// Empty lines between the digits and the label.
    gap: u16,
    /// There is a line for what they were before the last switch.
    has_before: bool,
}

/// Where one of them begins.
#[derive(Clone, Copy)]
struct Place {
    x: u16,
    /// Columns for its digits.
    digits: u16,
    /// Columns for the words below, which may come closer to each other.
    words: u16,
}

/// One of them.
struct Column {
    digits: String,
    label: Label,
    is_bad: bool,
    before: Option<Before>,
}

/// What a number was before the last switch.
struct Before {
    text: String,
    is_changed: bool,
}

/// What a column is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Until main is done, or, of a program, until the last result.
    End,
    Blocked,
    Faster,
    Disorder,
}

impl Of {
    const THREE: &[Self] = &[Self::End, Self::Blocked, Self::Disorder];
    const FOUR: &[Self] = &[Self::End, Self::Blocked, Self::Faster, Self::Disorder];
}

impl Big {
    pub(super) fn of(app: &App, moment: &Moment<'_>, screen: Rect) -> Self {
        let dot = Dot::for_screen(screen);
        let which = which(app, moment, screen);
        let places = places(screen, which.len() as u16, dot);
        let decimals = usize::from(screen.width >= NARROW) + 1;
        let before = before(app).map(|run| run.trace.numbers(Time::NEVER));
        let at = At::of(app, moment.trace, moment.cursor);
        let column = |(&of, place): (&Of, &Place)| {
            let room = (decimals, place.digits, dot);
            let (unit, digits) = at.counted(of, room);
            let before = before.as_ref();
            Column {
                digits,
                label: at.label(of, unit),
                is_bad: at.is_for_ever(of),
                before: before.and_then(|before| at.before(of, unit, before)),
            }
        };
        let columns: Vec<Column> = which.iter().zip(&places).map(column).collect();
        let fits = |(column, place): (&Column, &Place)| {
            let (first, second) = &column.label;
            text::width(first) + 1 + text::width(second) <= place.words
        };
        Self {
            is_split: !columns.iter().zip(&places).all(fits),
            gap: u16::from(screen.height >= TALL),
            has_before: before.is_some(),
            columns,
            places,
            dot,
        }
    }

    /// Rows that they take with all that stands below them.
    pub(super) fn rows(&self) -> u16 {
        let labels = 1 + u16::from(self.is_split);
        digits::HEIGHT * self.dot.rows + self.gap + labels + u16::from(self.has_before)
    }

    pub(super) fn render(&self, area: Rect, pen: &mut Pen<'_>) {
        let theme = pen.theme;
        let last = area.y + digits::HEIGHT * self.dot.rows;
        for (column, &Place { x, words, .. }) in self.columns.iter().zip(&self.places) {
            digits::render(pen, x, area.y, &column.digits, self.dot, theme.now);
            let ink = if column.is_bad { theme.bad } else { theme.text };
            let mut y = last + self.gap;
            for line in column.lines(self.is_split) {
                pen.text_within(x, y, words, &line, ink);
                y += 1;
            }
            if let Some(before) = &column.before {
                let (text, ink) = before.drawn(pen);
                pen.text_within(x, y, words, &text, ink);
            }
        }
        self.lines_between(area.top()..last, pen);
    }

    /// Numbers of many digits come close to each other.
    fn lines_between(&self, rows: std::ops::Range<u16>, pen: &mut Pen<'_>) {
        let theme = pen.theme;
        for place in self.places.iter().skip(1) {
            for y in rows.clone() {
                let x = place.x.saturating_sub(2);
                pen.cell(
                    x,
                    y,
                    theme.glyphs.frame.vertical,
                    theme.dim,
                    theme.background,
                );
            }
        }
    }
}

impl Column {
    fn lines(&self, is_split: bool) -> Vec<String> {
        let (first, second) = &self.label;
        if is_split {
            vec![first.clone(), (*second).to_owned()]
        } else {
            vec![format!("{first} {second}")]
        }
    }
}

impl Before {
    fn drawn(&self, pen: &Pen<'_>) -> (String, Ink) {
        let theme = pen.theme;
        let ink = if self.is_changed {
            theme.wait
        } else {
            theme.dim
        };
        (self.text.replace("->", theme.glyphs.arrow), ink)
    }
}

/// The run before the last switch, if there is something to compare with.
fn before(app: &App) -> Option<&Run> {
    let before = app.change.as_ref().and(app.previous.as_ref());
    before.filter(|run| run.is_whole())
}

/// The speed-up gives way to digits that have no room beside it, from the begin on: nothing moves when they come.
fn which(app: &App, moment: &Moment<'_>, screen: Rect) -> &'static [Of] {
    let dot = Dot::for_screen(screen);
    let places = places(screen, Of::FOUR.len() as u16, dot);
    let has_room = |time: Time| {
        let at = At::of(app, moment.trace, time);
        let fits = |(&of, place): (&Of, &Place)| {
            let room = (0, place.digits, dot);
            at.digits(of, at.least, room).is_some()
        };
        Of::FOUR.iter().zip(&places).all(fits)
    };
    if screen.width >= FOUR && has_room(moment.cursor) && has_room(moment.trace.end()) {
        Of::FOUR
    } else {
        Of::THREE
    }
}

/// What the numbers are at a moment.
struct At {
    numbers: Numbers,
    /// Since the begin of the run or, of a program, of the call.
    so_far: Nanos,
    is_program: bool,
    /// How the call, or else the run, had come to its end.
    ends: Option<Ends>,
    is_over: bool,
    /// Nothing is counted in a smaller unit.
    least: Unit,
}

impl At {
    fn of(app: &App, trace: &Trace, time: Time) -> Self {
        let call = trace.call();
        let over = trace.ended().filter(|&(at, _)| at <= time);
        let ended = call.map_or(over, |call| trace.ends_of(call, time));
        let is_program = app.run.program().is_some();
        let numbers = trace.numbers(time);
        Self {
            so_far: if is_program {
                numbers.elapsed
            } else {
                // Main goes on when its call is over.
                time.min(trace.end()).since(Time::ZERO)
            },
            numbers,
            is_program,
            ends: ended.map(|(_, ends)| ends),
            is_over: over.is_some(),
            least: least(app, trace),
        }
    }

    /// `None` where there is none, or not yet.
    fn value(&self, of: Of, numbers: &Numbers) -> Option<Value> {
        match of {
            Of::End if self.is_program => numbers.makespan.map(Value::Time),
            Of::End => numbers.program_end.map(Value::Time),
            Of::Blocked if numbers.main == MainProgram::BlockedForEver => None,
            Of::Blocked if numbers.main_computes => None,
            Of::Blocked => numbers.blocked_main.map(Value::Time),
            Of::Faster => {
                let factor = numbers.speedup.or(numbers.speedup_at_most);
                factor.map(Value::Times)
            }
            Of::Disorder => numbers.out_of_order().map(Value::Share),
        }
    }

    /// In the smallest unit that has room and tells something.
    fn counted(&self, of: Of, room: (usize, u16, Dot)) -> (Unit, String) {
        let in_unit = |unit| Some((unit, self.digits(of, unit, room)?));
        let units = Unit::ALL.into_iter().filter(|&unit| unit >= self.least);
        let mut fitting = units.filter_map(in_unit);
        fitting.next().unwrap_or((self.least, "-".to_owned()))
    }

    /// `None` where they have no room, even without decimals.
    fn digits(&self, of: Of, unit: Unit, room: (usize, u16, Dot)) -> Option<String> {
        let value = match (of, self.value(of, &self.numbers)) {
            (Of::End, None) if !self.is_never() => Some(Value::Time(self.so_far)),
            (_, value) => value,
        };
        match value {
            Some(Value::Time(length)) => number(unit.count(length), room),
            Some(Value::Times(factor)) => number(factor, room),
            Some(Value::Share(share)) => Some(percent(share).trim_end_matches(" %").to_owned()),
            _ => Some("-".to_owned()),
        }
    }

    fn label(&self, of: Of, unit: Unit) -> Label {
        let (first, second) = match of {
            Of::End if self.is_never() => ("never", "completes"),
            Of::End if self.value(of, &self.numbers).is_none() => return self.without_end(unit),
            Of::End if self.is_program => return (format!("{unit} to"), "last result"),
            Of::End => return (format!("{unit} to"), "program end"),
            Of::Blocked if self.is_for_ever(of) => ("main blocked", "for ever"),
            Of::Blocked if self.numbers.main_computes => ("main runs", "the tasks"),
            Of::Blocked => return (format!("{unit} main"), "is blocked"),
            Of::Faster if self.numbers.speedup_at_most.is_some() => ("times faster", "at most"),
            Of::Faster => ("times faster", "than a loop"),
            Of::Disorder => ("% delivered", "out of order"),
        };
        (first.to_owned(), second)
    }

    /// The label of how long it has been without coming to its end.
    fn without_end(&self, unit: Unit) -> Label {
        let until = |end| (format!("{unit} until"), end);
        match self.ends {
            None => (unit.to_string(), "so far"),
            Some(Ends::Left) => until("it was left"),
            Some(Ends::Cancelled) => until("it was stopped"),
            Some(_) => until("it ended"),
        }
    }

    /// It is certain that the call will not come to its end.
    fn is_never(&self) -> bool {
        self.ends == Some(Ends::Never)
    }

    fn is_for_ever(&self, of: Of) -> bool {
        match of {
            Of::End => self.is_never(),
            Of::Blocked => self.numbers.main == MainProgram::BlockedForEver,
            Of::Faster | Of::Disorder => false,
        }
    }

    /// `4.17 -> 2.87` once the run is over; until then what there is to be compared with.
    fn before(&self, of: Of, unit: Unit, before: &Numbers) -> Option<Before> {
        let old = self.value(of, before)?;
        let words = |value: Value| match value {
            Value::Time(length) => format!("{:.2}", unit.count(length)),
            Value::Times(factor) => format!("{factor:.2}"),
            value => value.text("").trim_end_matches(" %").to_owned(),
        };
        let new = self.value(of, &self.numbers).filter(|_| self.is_over);
        let (text, is_changed) = match new {
            None => (format!("before {}", words(old)), false),
            Some(new) if definition::is_same(old, new) => ("same as before".to_owned(), false),
            Some(new) => (format!("{} -> {}", words(old), words(new)), true),
        };
        Some(Before { text, is_changed })
    }
}

/// The unit of the whole length, once that is known: it stays while the numbers grow.
fn least(app: &App, trace: &Trace) -> Unit {
    let whole = if app.run.program().is_some() {
        trace.numbers(Time::NEVER).makespan
    } else {
        app.run.over.then(|| trace.end().since(Time::ZERO))
    };
    whole.map_or(Unit::Seconds, Unit::for_whole)
}

/// Where so many big numbers of such dots begin.
fn places(area: Rect, count: u16, dot: Dot) -> Vec<Place> {
    let each = area.width.saturating_sub(2) / count;
    let place = |place: u16| {
        let x = area.x + 1 + place * each;
        let rest = area.right().saturating_sub(x);
        // Nothing stands right of the last one.
        let (digits, words) = if place + 1 == count {
            (rest, rest)
        } else {
            (
                each.saturating_sub(APART * dot.rows),
                each.saturating_sub(1),
            )
        };
        Place { x, digits, words }
    };
    (0..count).map(place).collect()
}

/// With as many decimals as fit, if it fits without.
fn number(value: f64, (decimals, room, dot): (usize, u16, Dot)) -> Option<String> {
    let mut written = (0..=decimals)
        .rev()
        .map(|decimals| format!("{value:.decimals$}"));
    written.find(|number| digits::width(number, dot) <= room)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Message, Scene};
    use crate::experiment::{Fault, FaultKind, MainWork};
    use crate::method::Method;
    use crate::ui::presenter::tests::{at_end, drawn};
    use crate::ui::samples::{PLAIN, lines};
    use crate::workload::Costs;

    #[test]
    fn the_smallest_screen_has_room_for_tenths_and_for_a_hundred_per_cent() {
        let dot = Dot::for_screen(Rect::new(0, 0, 60, 20));
        for (width, count) in [(60, 3), (FOUR, 4)] {
            let places = places(Rect::new(0, 0, width, 7), count, dot);
            let written = |value, place: usize| number(value, (1, places[place].digits, dot));
            assert_eq!(written(2.88, 0).as_deref(), Some("2.9"));
            assert_eq!(written(12.3, 1).as_deref(), Some("12"));
            for share in ["100", ">99", "<1"] {
                let last = places[count as usize - 1];
                assert!(digits::width(share, dot) <= last.digits, "{width} {share}");
            }
        }
    }

    #[test]
    fn large_digits_keep_apart() {
        let screen = Rect::new(0, 0, 200, 60);
        let dot = Dot::for_screen(screen);
        let room = places(screen, 4, dot)[0].digits;
        assert_eq!(
            (dot.rows, number(1.52, (2, room, dot)).as_deref()),
            (2, Some("1.5"))
        );
    }

    /// The digits and the label of each number on a screen of this size.
    fn told(app: &App, (width, height): (u16, u16)) -> Vec<String> {
        let columns = of(app, Rect::new(0, 0, width, height)).columns;
        let told = columns
            .iter()
            .map(|column| format!("{} {}", column.digits, column.lines(false).concat()));
        told.collect()
    }

    #[test]
    fn digits_without_room_beside_four_numbers_are_shown_all_the_same() {
        let long = |tasks| {
            at_end(move |run| {
                run.costs = Costs::Const(Nanos(60_000_000_000));
                (run.tasks, run.workers) = (tasks, 2);
            })
        };
        let mut app = long(4);
        let wide = told(&app, (120, 36));
        assert!(
            wide.len() == 4 && wide[0].starts_with("180 seconds to "),
            "{wide:?}"
        );
        let medium = told(&app, (80, 24));
        assert!(medium[0].starts_with("180 seconds to "), "{medium:?}");
        assert_eq!(medium.len(), 3, "{medium:?}");
        let narrow = told(&app, (60, 20));
        assert!(narrow[0].starts_with("3.0 minutes to "), "{narrow:?}");
        let longest = told(&long(400), (60, 20));
        assert!(longest[0].starts_with("5.0 hours to "), "{longest:?}");
        // Nothing moves when the hundredth second comes.
        app.run.playback.cursor = Time(1);
        assert_eq!(told(&app, (80, 24)).len(), 3);
    }

    #[test]
    fn the_seconds_of_a_short_run_are_milliseconds_from_its_begin_on() {
        let short = |cost| {
            let mut app = at_end(move |run| {
                run.costs = Costs::Const(Nanos(cost));
                (run.main_work, run.tasks) = (MainWork::Fixed(Nanos::ZERO), 24);
            });
            app.run.over = true;
            app
        };
        let mut app = short(2_000_000);
        for size in [(80, 24), (120, 36)] {
            let told = told(&app, size);
            assert!(told[0].starts_with("12"), "{told:?}");
            assert!(
                told[0].ends_with(" milliseconds to program end"),
                "{told:?}"
            );
            assert!(
                told[1].ends_with(" milliseconds main is blocked"),
                "{told:?}"
            );
        }
        // Whatever there is to be counted at the begin.
        app.run.playback.cursor = Time(1_000);
        assert_eq!(told(&app, (80, 24))[0], "0.0 milliseconds so far");
        let shortest = told(&short(2_000), (80, 24));
        assert!(shortest[0].contains(" microseconds to"), "{shortest:?}");
        // How long a run will be that goes on is not known.
        app.run.over = false;
        assert_eq!(told(&app, (80, 24))[0], "0.0 seconds so far");
    }

    #[test]
    fn a_speed_up_without_room_gives_way() {
        let app = at_end(|run| {
            run.costs = Costs::Const(Nanos(60_000_000));
            (run.tasks, run.workers, run.chunksize) = (512, 256, Some(1));
            run.cpus = Some(256);
        });
        let wide = told(&app, (120, 36));
        assert!(wide[2].contains(" times faster "), "{wide:?}");
        assert!(!wide.concat().contains("- times"), "{wide:?}");
        let medium = told(&app, (80, 24));
        assert!(!medium.concat().contains("times faster"), "{medium:?}");
        assert_eq!(medium.len(), 3);
    }

    #[test]
    fn every_number_says_whole_what_it_is() {
        for width in 60..320 {
            let screen = Rect::new(0, 0, width, 24);
            for method in [Method::Map, Method::Loop] {
                let app = at_end(|run| run.method = method);
                let big = of(&app, screen);
                for (column, place) in big.columns.iter().zip(&big.places) {
                    let lines = column.lines(big.is_split);
                    let fits = |line: &String| text::width(line) <= place.words;
                    assert!(lines.iter().all(fits), "{width}: {lines:?}");
                }
            }
        }
    }

    fn of(app: &App, screen: Rect) -> Big {
        let moment = Moment {
            trace: &app.run.trace,
            cursor: app.cursor(),
            axis: crate::ui::axis::Axis {
                x: 0,
                width: screen.width,
                span: app.viewport.span(),
            },
            findings: &[],
        };
        Big::of(app, &moment, screen)
    }

    #[test]
    fn a_run_that_never_completes_has_no_length() {
        let fault = |kind| vec![Fault { task: 2, kind }];
        let hangs = drawn((80, 24), |run| run.faults = fault(FaultKind::Hang));
        let labels = hangs[21].clone();
        assert!(labels.contains(" never "), "{hangs:#?}");
        assert!(labels.contains(" main blocked "), "{hangs:#?}");
        let dot = hangs[18].split('|').next().map(str::trim);
        assert!(dot.is_some_and(|row| row.len() < 8), "{hangs:#?}");
    }

    #[test]
    fn time_goes_on_while_main_works_after_its_call() {
        let mut app = at_end(|run| run.main_work = MainWork::Fixed(Nanos(9_000_000_000)));
        let at = |app: &App| {
            let columns = of(app, Rect::new(0, 0, 120, 36)).columns;
            (columns[0].digits.clone(), columns[0].label.1)
        };
        let makespan = app
            .run
            .trace
            .numbers(Time::NEVER)
            .makespan
            .unwrap_or_default();
        let so_far = |app: &mut App, more: Nanos| {
            app.run.playback.stop_at(Time::ZERO + makespan + more);
            at(app)
        };
        let (early, label) = so_far(&mut app, Nanos::SECOND);
        assert_eq!(label, "so far");
        assert_ne!(early, so_far(&mut app, Nanos(2_000_000_000)).0);
    }

    #[test]
    fn what_the_switch_changed_stands_below_each_number() {
        let mut app = at_end(|run| run.method = Method::Map);
        app.run.over = true;
        app.scene = Scene::Presenter;
        app.update(Message::Click(crate::app::Hit::Key(
            crate::app::action::Action::SwitchForm,
        )));
        app.foretell();
        let experiment = app.run.experiment().cloned().unwrap_or_default();
        let screen = Rect::new(0, 0, 120, 36);
        let befores = |app: &App| -> Vec<String> {
            let columns = of(app, screen).columns.into_iter();
            let befores = columns.map(|column| column.before.map(|before| before.text));
            befores.map(Option::unwrap_or_default).collect()
        };
        assert!(
            befores(&app)[0].starts_with("before "),
            "{:?}",
            befores(&app)
        );
        let run = app.run.id;
        app.update(Message::Batch {
            run,
            events: crate::origin::simulated::run(&experiment),
            complete_to: Time::NEVER,
        });
        app.run.playback.cursor = app.run.trace.end();
        let told = befores(&app);
        assert!(
            told[0].contains(" -> ") && told[1].contains(" -> "),
            "{told:?}"
        );
        assert_eq!(told[2..], ["same as before", "same as before"]);
        let drawn = lines(PLAIN, (120, 36), |area, pen| {
            super::super::render(&app, area, pen);
        });
        assert!(drawn[35].starts_with(" program end "), "{drawn:#?}");
    }
}
