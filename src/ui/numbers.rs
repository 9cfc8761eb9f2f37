//! The numbers of a run as of the cursor, label over value.

use ratatui::layout::Rect;

use super::text::{Pen, width};
use crate::definition::{FOR_EVER, percent};
use crate::palette::Glyphs;
use crate::time::Nanos;
use crate::trace::{MainProgram, Numbers};

/// Columns a number has at least.
const COLUMN: u16 = 13;

/// What is left out first where not all numbers fit.
const LEAST: [&str; 3] = ["messages", "efficiency", "speed-up"];

/// One number with its label, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub label: &'static str,
    pub value: String,
}

/// A number that is not known yet, the same wherever it stands; of the makespan what it is at least.
pub fn pending(key: &str, elapsed: Nanos, glyphs: &Glyphs) -> String {
    match key {
        "makespan" => format!("{elapsed} {}", glyphs.grows),
        "first_result" => "not yet".to_owned(),
        _ => glyphs.grows.to_owned(),
    }
}

/// The numbers of the main screen in their order.
pub fn shown(numbers: &Numbers, glyphs: &Glyphs) -> Vec<Shown> {
    let over = numbers.complete;
    let grows = glyphs.grows;
    // Events that were not seen can only have made it more.
    let least = |value: String| {
        if numbers.at_least {
            format!(">={value}")
        } else {
            value
        }
    };
    let by = |over: bool, value: Option<String>| {
        let unknown = || if over { "n/a" } else { grows }.to_owned();
        value.map_or_else(unknown, least)
    };
    let later = |value| by(over, value);
    let length = |length: Nanos| length.to_string();
    let first = match numbers.first_result {
        None if !over => pending("first_result", numbers.elapsed, glyphs),
        first => later(first.map(length)),
    };
    let makespan = match numbers.makespan {
        None if !over => pending("makespan", numbers.elapsed, glyphs),
        makespan => later(makespan.map(length)),
    };
    let times = |factor: f64| format!("{factor:.2}{}", glyphs.times);
    let blocked = if numbers.main == MainProgram::BlockedForEver {
        FOR_EVER.to_owned()
    } else if numbers.main_computes {
        "n/a".to_owned()
    } else {
        later(numbers.blocked_main.map(length))
    };
    let at_most = || Some(format!("<={}", times(numbers.speedup_at_most?)));
    let speedup = numbers.speedup.map(times).or_else(at_most);
    let values = [
        ("makespan", makespan),
        ("speed-up", later(speedup)),
        ("efficiency", later(numbers.efficiency.map(percent))),
        ("first ready", first),
        ("main blocked", blocked),
        // A program goes on after its call.
        (
            "program end",
            by(
                numbers.main != MainProgram::GoesOn,
                numbers.program_end.map(length),
            ),
        ),
        ("messages", least(numbers.messages.to_string())),
    ];
    values
        .into_iter()
        .map(|(label, value)| Shown { label, value })
        .collect()
}

/// Draws as many numbers as fit into the first two rows of the area.
pub fn render(numbers: &Numbers, area: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let (mut x, y) = (area.x + 1, area.y);
    let mut shown = shown(numbers, theme.glyphs);
    let columns = |number: &Shown| width(number.label).max(width(&number.value)) + 2;
    let room = |number: &Shown| columns(number).max(COLUMN);
    let fits = |shown: &[Shown]| {
        let last = shown.last().map_or(0, columns);
        let before = shown.iter().rev().skip(1).map(room).sum::<u16>();
        before + last <= area.width
    };
    for label in LEAST {
        if !fits(&shown) {
            shown.retain(|number| number.label != label);
        }
    }
    for number in shown {
        if x + columns(&number) > area.right() + 1 {
            return;
        }
        pen.text(x, y, number.label, theme.dim);
        pen.bold(x, y + 1, &theme.units(&number.value), theme.now);
        x += room(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Fault, FaultKind};
    use crate::method::Method;
    use crate::time::Time;
    use crate::ui::samples::{self, PLAIN, lines};

    #[test]
    fn where_it_is_narrow_the_numbers_that_a_switch_of_the_form_changes_stay() {
        let run = samples::run(Method::Map, 1, &[]);
        let numbers = run.numbers(samples::at(&run, 19, 20).cursor);
        let labels =
            |width| lines(PLAIN, (width, 2), |area, pen| render(&numbers, area, pen)).remove(0);
        assert_eq!(
            labels(60),
            " makespan     first ready  main blocked  program end"
        );
        assert_eq!(
            labels(80),
            " makespan     speed-up     efficiency   first ready  main blocked  program end"
        );
        assert!(labels(90).ends_with("program end  messages"));
    }

    #[test]
    fn a_call_that_never_returns_blocks_main_for_ever() {
        let fault = Fault {
            task: 3,
            kind: FaultKind::Die,
        };
        let run = samples::run(Method::Map, 1, &[fault]);
        let blocked = |at| {
            let shown = shown(&run.numbers(at), PLAIN.charset.glyphs());
            shown.into_iter().find(|one| one.label == "main blocked")
        };
        let value = |at| blocked(at).map(|shown| shown.value);
        assert_eq!(value(Time(5_000_000)).as_deref(), Some("5.00 ms"));
        assert_eq!(value(run.end()).as_deref(), Some("for ever"));
    }

    #[test]
    fn a_program_goes_on_after_its_call() {
        let mut numbers = Numbers::default();
        numbers.complete = true;
        let end = |numbers: &Numbers| shown(numbers, PLAIN.charset.glyphs())[5].value.clone();
        assert_eq!(end(&numbers), "...");
        numbers.main = MainProgram::Over;
        assert_eq!(end(&numbers), "n/a");
    }

    #[test]
    fn what_is_not_known_yet_is_not_said() {
        let run = samples::run(Method::Map, 1, &[]);
        let drawn = |cursor| {
            let numbers = run.numbers(samples::at(&run, cursor, 20).cursor);
            lines(PLAIN, (80, 2), |area, pen| render(&numbers, area, pen)).remove(1)
        };
        assert_eq!(
            drawn(7),
            " 7.00 ms ...  ...          ...          not yet      7.00 ms       ..."
        );
        assert_eq!(
            drawn(19),
            " 11 ms        3.27x        82 %         11 ms        11 ms         19 ms"
        );
    }
}
