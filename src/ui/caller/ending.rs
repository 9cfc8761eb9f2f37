//! How the call ended for main, where that is not plain from what it received: no result will come, or
//! an experiment with a counter has a result.

use ratatui::layout::Rect;

use crate::event::{COUNTER_MAIN, COUNTER_MAX, COUNTER_SUM, Ends};
use crate::palette::Ink;
use crate::plural;
use crate::time::Time;
use crate::trace::{Call, Trace};
use crate::ui::text::{Pen, sanitised, width};
use crate::ui::theme::Theme;

/// What there is to say, at length and in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    long: String,
    short: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The call gives nothing, or not everything.
    Bad,
    /// Some increments of the counter were lost.
    Short,
    Plain,
}

impl Ending {
    pub(super) fn of(trace: &Trace, cursor: Time) -> Option<Self> {
        // That nothing more will come is worse than any error before it.
        let never = verdict(trace, cursor, |ends| ends == Ends::Never);
        let raised = never.or_else(|| raised(trace, cursor));
        let verdict = raised.or_else(|| verdict(trace, cursor, |_| true));
        verdict.or_else(|| counted(trace, cursor))
    }

    fn ink(&self, theme: Theme) -> Ink {
        match self.kind {
            Kind::Bad => theme.bad,
            Kind::Short => theme.wait,
            Kind::Plain => theme.dim,
        }
    }

    /// Whole in any case: behind the results of this row, in the spare row, between results, or in short
    /// over the last of them.
    pub(super) fn render(&self, row: Rect, spare: Rect, pen: &mut Pen<'_>) {
        let ink = self.ink(pen.theme);
        let free = free(pen, row);
        let behind = |words: &str| {
            let last = free.last().filter(|free| free.1 == row.right());
            last.filter(|free| free.0 + width(words) + 2 <= free.1)
        };
        let between = |words: &str| {
            let mut places = free.iter().rev();
            places.find(|free| free.0 + width(words) + 2 <= free.1)
        };
        if let Some(place) = behind(&self.long) {
            pen.text(place.0 + 1, row.y, &self.long, ink);
        } else if spare.height > 0 {
            let room = spare.width.saturating_sub(2);
            pen.text_within(spare.x + 1, spare.y, room, &self.long, ink);
        } else if let Some(place) = between(&self.long) {
            pen.text(place.0 + 1, row.y, &self.long, ink);
        } else if let Some(place) = between(&self.short) {
            pen.text(place.0 + 1, row.y, &self.short, ink);
        } else {
            let words = format!(" {} ", self.short);
            pen.text_until(row.right(), row.y, &words, ink);
        }
    }
}

/// The stretches of a row in which nothing is drawn.
fn free(pen: &Pen<'_>, row: Rect) -> Vec<(u16, u16)> {
    let columns: Vec<u16> = (row.left()..row.right())
        .filter(|&x| pen.is_empty(x, row.y))
        .collect();
    let runs = columns.chunk_by(|a, b| a + 1 == *b);
    runs.map(|run| (run[0], run[0] + run.len() as u16))
        .collect()
}

/// What main finds in the counter at the end.
fn counted(trace: &Trace, cursor: Time) -> Option<Ending> {
    let of = |name| trace.sample(name, cursor).map(|value| value as u64);
    let main = of(COUNTER_MAIN)?;
    let (most, words) = match (of(COUNTER_MAX), of(COUNTER_SUM)) {
        (Some(most), _) => (most, format!("{main}, at most {most}")),
        (None, Some(sum)) => (sum, format!("{main} of {sum}")),
        (None, None) => return None,
    };
    Some(Ending {
        long: format!("counter G in main: {words}"),
        short: format!("G: {words}"),
        kind: if main == most {
            Kind::Plain
        } else {
            Kind::Short
        },
    })
}

/// Why main does not get what it waits for, once that is certain.
fn verdict(trace: &Trace, cursor: Time, is_meant: impl Fn(Ends) -> bool) -> Option<Ending> {
    let over = trace.ended().filter(|&(at, _)| at <= cursor);
    let own = || trace.ends_of(trace.call()?, cursor);
    let ended = if trace.is_program() { own() } else { over };
    let (_, ends) = ended.filter(|ended| is_meant(ended.1))?;
    let tasks = |count| plural::counted(count, "task", "tasks");
    let call = trace.call()?;
    let (short, rest) = match ends {
        Ends::Returned | Ends::Left | Ends::Cancelled => return None,
        Ends::Error => {
            let skipped = skipped(call, cursor);
            let error = trace
                .raised(call, cursor)
                .map_or_else(String::new, |error| format!(": {}", sanitised(error)));
            let failed = tasks(call.failed(cursor));
            (format!("raises: {failed} failed"), skipped + &error)
        }
        Ends::Never => {
            let why = match call.lost_until(cursor) as u32 {
                0 => "a task hangs".to_owned(),
                lost => format!("{} lost", tasks(lost)),
            };
            ("never completes".to_owned(), format!(": {why}"))
        }
        Ends::BrokenProcessPool => {
            let why = ": a worker died".to_owned();
            ("BrokenProcessPool".to_owned(), why)
        }
    };
    Some(Ending {
        long: short.clone() + &rest,
        short,
        kind: Kind::Bad,
    })
}

fn skipped(call: &Call, cursor: Time) -> String {
    match call.skipped(cursor) {
        0 => String::new(),
        skipped => format!(", {skipped} skipped"),
    }
}

/// The errors that main got one by one. In the lab nothing catches one that ends the call.
fn raised(trace: &Trace, cursor: Time) -> Option<Ending> {
    let call = trace.call()?;
    let words = sanitised(&trace.errors_in_words(call, cursor)?);
    let asked = words.split_once(" raised").map_or("", |words| words.0);
    let ended = call.ended.filter(|&(at, _)| at <= cursor);
    let is_out = !trace.is_program() && ended.is_some_and(|(_, ends)| ends == Ends::Error);
    let out = if is_out { ": main is out" } else { "" };
    Some(Ending {
        short: format!("{asked} raised"),
        long: format!("{words}{}{out}", skipped(call, cursor)),
        kind: Kind::Bad,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Backend, CounterEffect, Experiment, Fault, FaultKind};
    use crate::method::Method;
    use crate::ui::samples::{self, PLAIN, lines};

    #[test]
    fn main_finds_nothing_in_a_counter_that_the_workers_copied() {
        let mut trace = Trace::default();
        trace.apply(crate::origin::simulated::run(&Experiment {
            backend: Backend::Simulated,
            effect: CounterEffect::Count,
            workers: 4,
            tasks: 8,
            ..Experiment::default()
        }));
        let ending = Ending::of(&trace, trace.end()).unwrap();
        assert_eq!(ending.long, "counter G in main: 0 of 8");
        assert_eq!(ending.kind, Kind::Short);
        assert_eq!(Ending::of(&trace, Time(1)), None);
    }

    #[test]
    fn an_error_that_nobody_catches_ends_main_while_tasks_go_on() {
        let fault = Fault {
            task: 1,
            kind: FaultKind::Raise,
        };
        let said = |method, chunksize| {
            let run = samples::run(method, chunksize, &[fault]);
            Ending::of(&run, run.end()).unwrap().long
        };
        let error = "raised ValueError: task 1 failed (1 of 8)";
        assert_eq!(
            said(Method::ApplyAsync, 1),
            format!("get() {error}: main is out")
        );
        assert_eq!(said(Method::ImapUnordered, 1), format!("next() {error}"));
        // Task 0 ran, and its result went with that of its chunk.
        assert_eq!(
            said(Method::Imap, 4),
            format!("next() {error}, 2 skipped: main is out")
        );
    }

    #[test]
    fn it_is_said_whole_wherever_the_results_stand() {
        let ending = Ending {
            long: "never completes: 1 task lost".to_owned(),
            short: "never completes".to_owned(),
            kind: Kind::Bad,
        };
        let drawn = |results: &str, spare: u16| {
            lines(PLAIN, (40, 2), |area, pen| {
                pen.text(2, 0, results, pen.theme.text);
                let row = Rect::new(2, 0, 38, 1);
                let below = Rect {
                    y: 1,
                    height: spare,
                    ..area
                };
                ending.render(row, below, pen);
            })
        };
        let results = [
            "+ + +",
            "+                                    +",
            "+                  +                 +",
            "+ + + + + + + + + + + + + + + + + + + ",
        ];
        assert_eq!(
            results.map(|results| drawn(results, 0).swap_remove(0)),
            [
                "  + + + never completes: 1 task lost",
                "  + never completes: 1 task lost       +",
                "  +                  + never completes +",
                "  + + + + + + + + + + + never completes",
            ]
        );
        for crowded in &results[1..] {
            let drawn = drawn(crowded, 1);
            assert_eq!(drawn[0], format!("  {}", crowded.trim_end()));
            assert_eq!(drawn[1], " never completes: 1 task lost");
        }
    }
}
