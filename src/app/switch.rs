//! The line that says what a switch changed, computed from two runs.

use crate::definition;
use crate::experiment::{Backend, Experiment, MainWork};
use crate::method::{Badge, Delivery, Method};
use crate::origin::simulated;
use crate::time::Nanos;
use crate::trace::{MainProgram, Numbers, Trace};
use crate::workload;

/// What the line rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Both runs, whole and measured.
    Measured,
    /// Both runs, whole, in virtual time.
    Simulated,
    /// Virtual time, for runs that are measured and not both whole: nothing of it was seen.
    Expected,
    /// One of each.
    Mixed,
}

impl Basis {
    pub fn word(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Simulated => "simulated",
            Self::Expected => "expected",
            Self::Mixed => "measured against simulated",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `program end 6.10 -> 4.10 s; main blocked 4.10 -> 2.00 s; same: makespan, delivery order (m: as they finish)`
    pub text: String,
    pub basis: Basis,
    /// No key was pressed since the switch: where the line has no row it takes that of the hints.
    pub is_news: bool,
}

/// Lengths nearer than this share of each other read as the same: two measured runs never agree exactly.
const SAME: f64 = 0.03;

/// What the second of two whole runs changed. `next_method` is the key that goes to the next family. Where both
/// are foretold, `got` is the second one as it was measured, once it is whole.
pub fn change(before: &Trace, after: &Trace, next_method: &str, got: Option<&Trace>) -> Change {
    let measured = |trace: &Trace| trace.run().is_some_and(|run| run.measured);
    let basis = match (measured(before), measured(after)) {
        (true, true) => Basis::Measured,
        (false, false) => Basis::Simulated,
        _ => Basis::Mixed,
    };
    let numbers = [before, after].map(|trace| trace.numbers(trace.end()));
    let of = |length: fn(&Numbers) -> Option<Nanos>| [length(&numbers[0]), length(&numbers[1])];
    let blocked = [blocked(&numbers[0]), blocked(&numbers[1])];
    let measured = got.map(|got| got.numbers(got.end()));
    let length = |name, of, length: fn(&Numbers) -> Option<Nanos>| Length {
        name,
        of,
        got: measured.as_ref().and_then(length),
    };
    let end = |numbers: &Numbers| numbers.program_end;
    let end = length("program end", of(end), end);
    let main = length("main blocked", blocked, self::blocked);
    let makespan = |numbers: &Numbers| numbers.makespan;
    let makespan = length("makespan", of(makespan), makespan);
    let first = |numbers: &Numbers| numbers.first_result;
    let first = length("first result", of(first), first);
    let order = Order::of(before, after);
    // A call that stopped at an error did less than one that went on: their lengths say nothing of each other.
    let [old, new] = numbers.each_ref().map(|numbers| numbers.finished);
    let fewer = (old != new).then(|| format!("tasks that ended {old} -> {new}"));
    let is_alike = fewer.is_none();
    // What a switch is made for comes first: a narrow screen shows no more than that.
    let changed = [
        end.change(),
        main.change(),
        order.change(),
        makespan.change(),
        first.change(),
        fewer,
    ];
    let mut words: Vec<String> = changed.into_iter().flatten().collect();
    words.extend(
        (blocked == [Some(FOR_EVER); 2]).then(|| "main blocked for ever in both".to_owned()),
    );
    let nothing = matches!(order, Order::Nothing);
    words.extend(nothing.then(|| "nothing delivered".to_owned()));
    // That a first result comes as late as before, or the end, is not worth the room.
    let makespan = makespan.unchanged().filter(|_| is_alike);
    let unchanged = [makespan, main.unchanged(), order.unchanged()];
    let mut unchanged: Vec<String> = unchanged.into_iter().flatten().map(str::to_owned).collect();
    if let (Order::Same, Some(last)) = (&order, unchanged.last_mut()) {
        last.push_str(&hint(after, next_method));
    }
    if !unchanged.is_empty() {
        words.push(format!("same: {}", unchanged.join(", ")));
    }
    Change {
        text: words.join("; "),
        basis,
        is_news: true,
    }
}

/// The run that this experiment would be in virtual time on so many CPUs; `None` if that would take
/// longer than a key press may: two such runs of the most tasks take some 50 ms.
pub fn foretold(experiment: &Experiment, cpus: u32) -> Option<Trace> {
    const MOST: u32 = 3_000;
    if experiment.tasks > MOST || experiment.check().is_err() {
        return None;
    }
    let mut experiment = experiment.clone();
    let costs: Vec<Nanos> = workload::tasks(&experiment)
        .into_iter()
        .map(|work| work.cost)
        .collect();
    // Half of the makespan is not the same on another backend.
    experiment.main_work = MainWork::Fixed(experiment.main_work_length(&costs));
    if experiment.backend.is_measured() {
        experiment.backend = Backend::Simulated;
        experiment.payload = 0;
        experiment.cpus = Some(cpus);
    }
    let mut trace = Trace::default();
    trace.apply(simulated::run(&experiment));
    Some(trace)
}

/// How long main waits in a call that can never complete.
const FOR_EVER: Nanos = Nanos(u64::MAX);

fn blocked(numbers: &Numbers) -> Option<Nanos> {
    if numbers.main == MainProgram::BlockedForEver {
        return Some(FOR_EVER);
    }
    numbers.blocked_main
}

/// One length of two runs; none where a run has no such moment.
struct Length {
    name: &'static str,
    of: [Option<Nanos>; 2],
    /// The second one as it was measured, where `of` is foretold.
    got: Option<Nanos>,
}

impl Length {
    fn is_same(&self) -> bool {
        let [Some(old), Some(new)] = self.of else {
            return self.of == [None, None];
        };
        old.0.abs_diff(new.0) as f64 <= SAME * old.0.max(new.0) as f64
    }

    fn unchanged(&self) -> Option<&'static str> {
        let is_known = self.of[0].is_some_and(|length| length != FOR_EVER);
        (is_known && self.is_same()).then_some(self.name)
    }

    /// `makespan 4.10 -> 2.00 s`: the unit once, if both have it. Foretold: `..., measured 2.11 s`.
    fn change(&self) -> Option<String> {
        if self.is_same() {
            return None;
        }
        let words = |length| match length {
            Some(FOR_EVER) => definition::FOR_EVER.to_owned(),
            Some(length) => length.to_string(),
            None => "never".to_owned(),
        };
        let [old, new] = self.of.map(words);
        let unit = |words: &str| words.split_once(' ').map(|words| words.1.to_owned());
        let old = match old.split_once(' ') {
            Some((number, _)) if unit(&old) == unit(&new) => number,
            _ => &old,
        };
        let got = self
            .got
            .map(|got| format!(", measured {}", words(Some(got))));
        Some(format!(
            "{} {old} -> {new}{}",
            self.name,
            got.unwrap_or_default()
        ))
    }
}

fn method(trace: &Trace) -> Option<Method> {
    Method::named(&trace.call()?.facts.method)
}

/// The order in which results came in two runs.
enum Order {
    Same,
    Alike,
    /// There was no result in either.
    Nothing,
    Changed(String),
}

impl Order {
    fn of(before: &Trace, after: &Trace) -> Self {
        let indexes = |trace: &Trace| -> Vec<u32> {
            let entries = trace.call().map(|call| call.delivered.entries().iter());
            let entries = entries.into_iter().flatten();
            entries.map(|entry| entry.index).collect()
        };
        let [old, new] = [before, after].map(indexes);
        let [was, is] = [before, after].map(disorder);
        match old == new {
            true if new.is_empty() => Self::Nothing,
            true => Self::Same,
            // Another order, but as far from that of the submission as the one before.
            false if was == is => Self::Alike,
            false => Self::Changed(format!("delivered {was} -> {is}")),
        }
    }

    fn unchanged(&self) -> Option<&'static str> {
        matches!(self, Self::Same).then_some("delivery order")
    }

    fn change(&self) -> Option<String> {
        match self {
            Self::Changed(words) => Some(words.clone()),
            Self::Same | Self::Alike | Self::Nothing => None,
        }
    }
}

/// How far the order of the results is from that of the submission.
fn disorder(trace: &Trace) -> String {
    let numbers = trace.numbers(trace.end());
    match (numbers.delivered, numbers.inversions_delivered) {
        (0, _) => "nothing".to_owned(),
        (_, 0) => "in order".to_owned(),
        (_, inversions) => {
            let share = inversions as f64 / numbers.pairs_delivered().max(1) as f64;
            format!("{:.0} % out of order", share * 100.0)
        }
    }
}

/// What to press to see the order change too, where that has not been seen.
fn hint(after: &Trace, next_method: &str) -> String {
    let list = method(after).is_some_and(|method| {
        let rules = method.rules();
        rules.badge == Badge::Async
            && rules.delivery == Delivery::List
            && method.next_family(1).rules().delivery == Delivery::AsFinished
    });
    if list && !next_method.is_empty() {
        format!(" ({next_method}: as they finish)")
    } else {
        String::new()
    }
}
