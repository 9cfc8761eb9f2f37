//! The line that says what a switch changed, computed from two runs.

use std::fmt;

use crate::definition::{self, Value, is_same, percent};
use crate::experiment::{Experiment, MainWork};
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
    let loops = numbers.each_ref().map(|numbers| numbers.main_computes);
    let measured = got.map(|got| got.numbers(got.end()));
    let length = |name, of, length: fn(&Numbers) -> Option<Nanos>| Length {
        name,
        of,
        got: measured.as_ref().and_then(length),
    };
    let end = |numbers: &Numbers| numbers.program_end;
    let end = length("program end", of(end), end);
    let main = length("main blocked", blocked, self::blocked);
    let main_changed = match loops {
        [false, false] => main.change(),
        _ => main_works(loops, &main),
    };
    let makespan = |numbers: &Numbers| numbers.makespan;
    let makespan = length("makespan", of(makespan), makespan);
    let first = |numbers: &Numbers| numbers.first_result;
    // Main may not have asked for it by then.
    let first = length("first result ready", of(first), first);
    let order = Order::of(before, after);
    // A call that stopped at an error did less than one that went on: that comes before how long it took, and
    // that both took as long says nothing.
    let [old, new] = numbers.each_ref().map(|numbers| numbers.finished);
    let ended = (old != new).then(|| format!("tasks that ended {old} -> {new}"));
    let is_alike = ended.is_none();
    // What a switch is made for comes first: a narrow screen shows no more than that.
    let changed = [
        end.change(),
        main_changed,
        order.change(),
        ended,
        makespan.change(),
        // That it comes as late as before is not worth the room.
        first.change().filter(|_| !first.is_same()),
    ];
    let mut words: Vec<String> = changed.into_iter().flatten().collect();
    words.extend(
        (blocked == [Some(FOR_EVER); 2]).then(|| "main blocked for ever in both".to_owned()),
    );
    let nothing = matches!(order, Order::Nothing);
    words.extend(nothing.then(|| "nothing delivered".to_owned()));
    // Nor is that of the end.
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

/// The run that this experiment would be in virtual time on so many CPUs; `None` on an executor, and if
/// that would take longer than a key press may: two such runs of the most tasks take some 50 ms.
pub fn foretold(experiment: &Experiment, cpus: u32) -> Option<Trace> {
    const MOST: u32 = 3_000;
    // In virtual time there is a Pool only.
    if experiment.tasks > MOST || experiment.is_on_executor() || experiment.check().is_err() {
        return None;
    }
    let mut experiment = experiment.clone();
    let costs: Vec<Nanos> = workload::tasks(&experiment)
        .into_iter()
        .map(|work| work.cost)
        .collect();
    // Half of the makespan is not the same on another backend.
    experiment.main_work = MainWork::Fixed(experiment.main_work_length(&costs, cpus));
    let experiment = experiment.in_virtual_time(cpus);
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
    numbers.blocked_main.filter(|_| !numbers.main_computes)
}

/// `main blocked 2.87 s -> runs the tasks`: in a loop nothing blocks main, and it is not free either.
fn main_works(loops: [bool; 2], blocked: &Length) -> Option<String> {
    const WORKS: &str = "runs the tasks";
    let [before, after] = blocked
        .of
        .map(|length| Some(format!("blocked {}", words(Some(length?)))));
    match loops {
        [false, true] => Some(format!("main {} -> {WORKS}", before?)),
        [true, false] => Some(format!("main {WORKS} -> {}{}", after?, blocked.measured())),
        _ => None,
    }
}

/// A length as the line has it; none where a run has no such moment.
fn words(length: Option<Nanos>) -> String {
    match length {
        Some(FOR_EVER) => definition::FOR_EVER.to_owned(),
        Some(length) => length.to_string(),
        None => "never".to_owned(),
    }
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
        is_same(Value::Time(old), Value::Time(new))
    }

    fn unchanged(&self) -> Option<&'static str> {
        let is_known = self.of[0].is_some_and(|length| length != FOR_EVER);
        (is_known && self.is_same() && !self.is_off()).then_some(self.name)
    }

    /// It was measured, and is not what was foretold.
    fn is_off(&self) -> bool {
        let both = self.got.zip(self.of[1]);
        both.is_some_and(|(got, new)| !is_same(Value::Time(got), Value::Time(new)))
    }

    /// `makespan 4.10 -> 2.00 s`: the unit once, if both have it. Foretold: `..., measured 2.11 s`.
    fn change(&self) -> Option<String> {
        if self.is_same() {
            let foretold = self.of[1].filter(|_| self.is_off())?;
            let got = words(self.got);
            let foretold = words(Some(foretold));
            return Some(format!("{} {foretold} in both, measured {got}", self.name));
        }
        let [old, new] = self.of.map(words);
        let unit = |words: &str| words.split_once(' ').map(|words| words.1.to_owned());
        let old = match old.split_once(' ') {
            Some((number, _)) if unit(&old) == unit(&new) => number,
            _ => &old,
        };
        Some(format!("{} {old} -> {new}{}", self.name, self.measured()))
    }

    /// `, measured 2.11 s`, where something was foretold.
    fn measured(&self) -> String {
        let got = self
            .got
            .map(|got| format!(", measured {}", words(Some(got))));
        got.unwrap_or_default()
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
        let [was, is] = [before, after].map(Disorder::of);
        match old == new {
            true if new.is_empty() => Self::Nothing,
            true => Self::Same,
            // Another order, but as far from that of the submission as the one before.
            false if was.is_like(&is) => Self::Alike,
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
enum Disorder {
    Nothing,
    InOrder,
    OutOfOrder(f64),
}

impl Disorder {
    fn of(trace: &Trace) -> Self {
        let numbers = trace.numbers(trace.end());
        match (numbers.delivered, numbers.inversions_delivered) {
            (0, _) => Self::Nothing,
            (_, 0) => Self::InOrder,
            (_, inversions) => {
                Self::OutOfOrder(inversions as f64 / numbers.pairs_delivered().max(1) as f64)
            }
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) | (Self::InOrder, Self::InOrder) => true,
            (Self::OutOfOrder(a), Self::OutOfOrder(b)) => {
                percent(*a) == percent(*b) || is_same(Value::Share(*a), Value::Share(*b))
            }
            _ => false,
        }
    }
}

impl fmt::Display for Disorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::InOrder => f.write_str("in order"),
            Self::OutOfOrder(share) => write!(f, "{} out of order", percent(*share)),
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
