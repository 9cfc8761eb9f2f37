//! The line that says what a switch changed, computed from two runs.

use crate::event::Ends;
use crate::experiment::{Backend, Experiment, MainWork};
use crate::method::{Badge, Delivery, Method};
use crate::origin::simulated;
use crate::time::Nanos;
use crate::trace::{Numbers, Trace};
use crate::workload;

/// What the line rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Both runs, whole and measured.
    Measured,
    /// Both runs, whole, in virtual time.
    Simulated,
    /// Virtual time, for runs that are measured and not whole yet: nothing of it was seen.
    Expected,
    /// The run before was left in the middle: virtual time for that one, and what was measured of the other.
    ExpectedBefore,
    /// One of each.
    Mixed,
}

impl Basis {
    pub fn word(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Simulated => "simulated",
            Self::Expected => "expected",
            Self::ExpectedBefore => "expected -> measured",
            Self::Mixed => "measured against simulated",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `main blocked 4.10 s -> 2.00 s; makespan same; delivery order same (one list): m for results as they finish`
    pub text: String,
    pub basis: Basis,
    /// No key was pressed since the switch: where the line has no row it takes that of the hints.
    pub is_news: bool,
}

/// Lengths nearer than this share of each other read as the same: two measured runs never agree exactly.
const SAME: f64 = 0.03;

/// What the second of two whole runs changed. `next_method` is the key that goes to the next family.
pub fn change(before: &Trace, after: &Trace, next_method: &str) -> Change {
    let measured = |trace: &Trace| trace.run().is_some_and(|run| run.measured);
    let basis = match (measured(before), measured(after)) {
        (true, true) => Basis::Measured,
        (false, false) => Basis::Simulated,
        _ => Basis::Mixed,
    };
    let (old, new) = (before.numbers(before.end()), after.numbers(after.end()));
    let lengths = [
        ("main blocked", blocked(before, &old), blocked(after, &new)),
        ("makespan", old.makespan, new.makespan),
        ("first result", old.first_result, new.first_result),
    ];
    let changed = lengths.iter().filter(|(_, old, new)| !same(*old, *new));
    let mut words: Vec<String> = changed
        .map(|(name, old, new)| format!("{name} {} -> {}", length(*old), length(*new)))
        .collect();
    let order = order(before, after);
    words.extend(order.clone().err());
    // That a first result comes as late as before is not worth the room.
    let unchanged: Vec<&str> = lengths[..2]
        .iter()
        .filter(|(_, old, new)| same(*old, *new))
        .map(|(name, ..)| *name)
        .collect();
    if !unchanged.is_empty() {
        words.push(format!("{} same", unchanged.join(", ")));
    }
    words.extend(order.ok());
    Change {
        text: format!("{}{}", words.join("; "), hint(after, next_method)),
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

fn same(a: Option<Nanos>, b: Option<Nanos>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => {
            let difference = a.0.abs_diff(b.0) as f64;
            difference <= SAME * a.0.max(b.0) as f64
        }
        (a, b) => a == b,
    }
}

/// How long main waits in a call that can never complete.
const FOR_EVER: Nanos = Nanos(u64::MAX);

fn blocked(trace: &Trace, numbers: &Numbers) -> Option<Nanos> {
    match trace.ended() {
        Some((_, Ends::Never)) => Some(FOR_EVER),
        _ => numbers.blocked_main,
    }
}

fn length(length: Option<Nanos>) -> String {
    match length {
        Some(FOR_EVER) => "for ever".to_owned(),
        Some(length) => length.to_string(),
        None => "n/a".to_owned(),
    }
}

fn method(trace: &Trace) -> Option<Method> {
    Method::named(&trace.call()?.facts.method)
}

/// The form in which results are handed over.
fn form(trace: &Trace) -> &'static str {
    match method(trace).map(|method| method.rules().delivery) {
        Some(Delivery::List) => "one list",
        Some(Delivery::InOrder) => "one by one, in order",
        Some(Delivery::AsFinished) => "as they finish",
        Some(Delivery::Callback) => "a callback for each",
        Some(Delivery::Value) => "one value a call",
        None => "unknown",
    }
}

/// Whether the results came in the same order, with the words for it.
fn order(before: &Trace, after: &Trace) -> Result<String, String> {
    let order = |trace: &Trace| -> Vec<u32> {
        let entries = trace.call().map(|call| call.delivered.entries().iter());
        let entries = entries.into_iter().flatten();
        entries.map(|entry| entry.index).collect()
    };
    if order(before) == order(after) {
        let (old, new) = (form(before), form(after));
        return Ok(if old == new {
            format!("delivery order same ({new})")
        } else {
            format!("delivery order same ({old} -> {new})")
        });
    }
    let disorder = |trace: &Trace| {
        let numbers = trace.numbers(trace.end());
        match (numbers.delivered, numbers.inversions_delivered) {
            (0, _) => "nothing".to_owned(),
            (_, 0) => "in order".to_owned(),
            (_, inversions) => {
                let share = inversions as f64 / numbers.pairs_delivered().max(1) as f64;
                format!("{:.0} % out of order", share * 100.0)
            }
        }
    };
    Err(format!(
        "delivered {} -> {}",
        disorder(before),
        disorder(after)
    ))
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
        format!(": {next_method} for results as they finish")
    } else {
        String::new()
    }
}
