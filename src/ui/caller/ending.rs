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

/// What there is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// The same in ever fewer words.
    forms: Vec<String>,
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

    pub(super) fn ink(&self, theme: Theme) -> Ink {
        match self.kind {
            Kind::Bad => theme.bad,
            Kind::Short => theme.wait,
            Kind::Plain => theme.dim,
        }
    }

    /// The fewest words for it, if they have so many columns.
    pub(super) fn word(&self, room: u16) -> Option<&str> {
        let word = self.forms.last().map(String::as_str);
        word.filter(|word| width(word) <= room)
    }

    /// Behind the results of this row, in the spare row, or between results, in as many words as there is
    /// room for. Answers whether there was any.
    pub(super) fn render(&self, row: Rect, spare: Rect, pen: &mut Pen<'_>) -> bool {
        let ink = self.ink(pen.theme);
        let free = free(pen, row);
        let behind = |words: &String| {
            let last = free.last().filter(|free| free.1 == row.right());
            let place = last.filter(|free| free.0 + width(words) < free.1);
            place.map(|place| (place.0 + 1, row.y))
        };
        let below = |words: &String| {
            let fits = spare.height > 0 && width(words) + 2 <= spare.width;
            fits.then_some((spare.x + 1, spare.y))
        };
        let between = |words: &String| {
            let mut places = free.iter().rev();
            let place = places.find(|free| free.0 + width(words) + 2 <= free.1);
            place.map(|place| (place.0 + 1, row.y))
        };
        let place = |words| {
            behind(words)
                .or_else(|| below(words))
                .or_else(|| between(words))
        };
        let said = self
            .forms
            .iter()
            .find_map(|words| Some((words, place(words)?)));
        if let Some((words, (x, y))) = said {
            pen.text(x, y, words, ink);
        }
        said.is_some()
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

/// What main finds in the counter at the end, and what has become of the rest.
fn counted(trace: &Trace, cursor: Time) -> Option<Ending> {
    let of = |name| trace.sample(name, cursor).map(|value| value as u64);
    let main = of(COUNTER_MAIN)?;
    let (all, where_to) = match (of(COUNTER_MAX), of(COUNTER_SUM)) {
        (Some(most), _) => (most, format!("{} lost", most.saturating_sub(main))),
        (None, Some(sum)) => (sum, "workers count in memory of their own".to_owned()),
        (None, None) => return None,
    };
    let short = format!("counter G in main: {main} of {all}");
    let mut forms = vec![short, format!("G: {main} of {all}")];
    if main != all {
        forms.insert(0, format!("{}, {where_to}", forms[0]));
    }
    Some(Ending {
        forms,
        kind: if main == all {
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
    let forms = match ends {
        Ends::Returned | Ends::Left | Ends::Cancelled => return None,
        Ends::Error => {
            let skipped = skipped(call, cursor);
            let error = trace
                .raised(call, cursor)
                .map_or_else(String::new, |error| format!(": {}", sanitised(error)));
            let failed = format!("raises: {} failed", tasks(call.failed(cursor)));
            vec![
                format!("{failed}{skipped}{error}"),
                format!("{failed}{error}"),
                // The strips have the number.
                format!("raises{}", error.trim_start_matches(':')),
                failed,
                "raises".to_owned(),
            ]
        }
        Ends::Never => {
            let why = match call.lost_until(cursor) as u32 {
                0 => "a task hangs".to_owned(),
                lost => format!("{} lost", tasks(lost)),
            };
            let long = format!("never completes: {why}");
            vec![long, "never completes".to_owned(), "never ends".to_owned()]
        }
        Ends::BrokenProcessPool if trace.is_of_threads(call.facts.pool) => [
            "the pool is broken: a worker's thread ended",
            "broken: a thread ended",
            "broken",
        ]
        .map(str::to_owned)
        .to_vec(),
        Ends::BrokenProcessPool => [
            "BrokenProcessPool: a worker died",
            "BrokenProcessPool",
            "broken",
        ]
        .map(str::to_owned)
        .to_vec(),
    };
    Some(Ending {
        forms,
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
    let asked = format!("{asked} raised");
    let ended = call.ended.filter(|&(at, _)| at <= cursor);
    let is_out = !trace.is_program() && ended.is_some_and(|(_, ends)| ends == Ends::Error);
    let out = if is_out { ": main is out" } else { "" };
    let skipped = skipped(call, cursor);
    let counted = words.ends_with(" failed)");
    let uncounted = words.rsplit_once(" (").filter(|_| counted);
    let uncounted = uncounted.map_or(asked.as_str(), |words| words.0).to_owned();
    Some(Ending {
        forms: vec![
            format!("{words}{skipped}{out}"),
            format!("{words}{skipped}"),
            words,
            uncounted,
            asked,
            "raised".to_owned(),
        ],
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
        assert_eq!(
            ending.forms,
            [
                "counter G in main: 0 of 8, workers count in memory of their own",
                "counter G in main: 0 of 8",
                "G: 0 of 8"
            ]
        );
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
            Ending::of(&run, run.end()).unwrap().forms.swap_remove(0)
        };
        let error = "raised ValueError: task 1 failed (1 of 8 failed)";
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
    fn threads_break_no_process_pool() {
        let fault = Fault {
            task: 1,
            kind: FaultKind::Die,
        };
        let run = samples::on_threads(&[fault]);
        let ending = Ending::of(&run, run.end()).unwrap();
        assert_eq!(
            ending.forms[0],
            "the pool is broken: a worker's thread ended"
        );
        let markers = run.markers().iter();
        let texts = markers.map(|marker| run.marker_words(marker).into_owned());
        let said: Vec<String> = texts.filter(|text| !text.ends_with("begins")).collect();
        assert!(said.contains(&"map ends: broken".to_owned()), "{said:?}");
        assert!(said.contains(&"worker 1 died".to_owned()), "{said:?}");
        // Which of them was the cause is told.
        let other = "worker 0 ended: the executor broke".to_owned();
        assert!(said.contains(&other), "{said:?}");
        assert!(!said.concat().contains("killed"), "{said:?}");
    }

    #[test]
    fn it_is_said_wherever_the_results_stand_and_none_of_them_is_lost() {
        let ending = Ending {
            forms: ["never completes: 1 task lost", "never completes"]
                .map(str::to_owned)
                .to_vec(),
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
            "+ + + + + + + + + + + + + + + + + + +",
        ];
        assert_eq!(
            results.map(|results| drawn(results, 0).swap_remove(0)),
            [
                "  + + + never completes: 1 task lost",
                "  + never completes: 1 task lost       +",
                "  +                  + never completes +",
                "  + + + + + + + + + + + + + + + + + + +",
            ]
        );
        for crowded in &results[1..] {
            let drawn = drawn(crowded, 1);
            assert_eq!(drawn[0], format!("  {crowded}"));
            assert_eq!(drawn[1], " never completes: 1 task lost");
        }
    }

    #[test]
    fn an_error_without_room_beside_its_number_is_said_without_that() {
        let run = samples::run_of(Method::Map, 1, &[], |experiment| experiment.pairs = true);
        let ending = Ending::of(&run, run.end()).unwrap();
        let drawn = |spare| {
            lines(PLAIN, (80, 2), |area, pen| {
                let row = Rect::new(11, 0, 56, 1);
                let spare = Rect::new(0, 1, area.width, spare);
                ending.render(row, spare, pen);
            })
        };
        let error = "TypeError: f() missing 1 required positional argument: 'y'";
        assert_eq!(drawn(1), [String::new(), format!(" raises {error}")]);
        assert_eq!(drawn(0)[0].trim(), "raises: 8 tasks failed");
    }

    #[test]
    fn a_narrow_row_has_fewer_whole_words() {
        let fault = Fault {
            task: 1,
            kind: FaultKind::Raise,
        };
        let run = samples::run(Method::ApplyAsync, 1, &[fault]);
        let ending = Ending::of(&run, run.end()).unwrap();
        let below = |columns| {
            lines(PLAIN, (columns, 2), |area, pen| {
                let spare = Rect {
                    y: 1,
                    height: 1,
                    ..area
                };
                ending.render(Rect::ZERO, spare, pen);
            })[1]
                .clone()
        };
        let error = "get() raised ValueError: task 1 failed (1 of 8 failed)";
        assert_eq!(below(76), format!(" {error}: main is out"));
        assert_eq!(below(60), format!(" {error}"));
        assert_eq!(below(40), " get() raised ValueError: task 1 failed");
        assert_eq!(below(30), " get() raised");
    }
}
