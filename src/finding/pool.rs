//! What a pool costs as a whole: its start, its processes, its messages.

use super::index::About;
use super::search::{Scene, Search, share_of};
use super::{Finding, FindingKind};
use crate::bytes;
use crate::definition::percent;
use crate::event::{LaneId, NoteKind, Way};
use crate::plural::counted;
use crate::time::{Nanos, Span, Time};
use crate::trace::{Call, Lane, List, Pool, Sums};
use std::collections::BTreeSet;

/// Waiting for a CPU below this share is what other programs on the machine do.
const WAITING_SHARE: f64 = 0.15;

/// Tasks that compute are blocked now and then as well, for less than this part of it.
const BLOCKED_SHARE: f64 = 0.1;

/// The life of a pool is looked at in so many stretches.
const SLICES: u128 = 256;

/// Pickling below this share is what calling a pool costs.
const PICKLING_SHARE: f64 = 0.2;

/// Messages of fewer bytes are pickled in no time; what they cost is the sending.
const LARGE_MESSAGE: u64 = 10_000;

/// What spans of pickling and unpickling are called.
const PICKLING: [&str; 2] = ["pickle", "unpickle"];

pub(super) fn search(search: &mut Search<'_>) {
    let scene = search.scene;
    for pool in scene.trace.pools().filter(|pool| pool.opened <= scene.at) {
        let lanes = lanes(scene, pool);
        if let Some((weight, finding)) = oversubscribed(scene, pool, &lanes) {
            search.of_pool(weight, finding);
        }
        if let Some((weight, finding)) = pickling(scene, pool, &lanes) {
            search.of_pool(weight, finding);
        }
        if let Some((weight, finding)) = start_up(scene, pool, &lanes) {
            search.of_pool(weight, finding);
        }
    }
}

fn lanes<'a>(scene: Scene<'a>, pool: &Pool) -> Vec<&'a Lane> {
    let rows = scene.trace.rows_of(Some(pool.facts.pool));
    rows.flat_map(|row| &row.lanes)
        .filter_map(|&id| scene.trace.lane(id))
        .collect()
}

fn busy(scene: Scene<'_>, lanes: &[&Lane]) -> Nanos {
    lanes.iter().map(|lane| lane.busy_until(scene.at)).sum()
}

fn oversubscribed(scene: Scene<'_>, pool: &Pool, lanes: &[&Lane]) -> Option<(f64, Finding)> {
    let cpus = scene.trace.run()?.cpus?;
    let workers = scene.trace.rows_of(Some(pool.facts.pool)).len() as u32;
    // Threads of one interpreter wait for each other, not for a CPU.
    if workers <= cpus || scene.has_threads(Some(pool.facts.pool)) {
        return None;
    }
    let sums = lanes.iter().map(|lane| lane.sums_until(scene.at));
    let sums = sums.fold(Sums::default(), |all, sums| all + sums);
    let known = sums.busy.saturating_sub(sums.unknown);
    let enough = enough(cpus, sums);
    // Tasks that sleep most of the time lose little by it. And the rest is cheaper to look at.
    if share_of(sums.waiting, known) < WAITING_SHARE || u64::from(workers) <= enough {
        return None;
    }
    let waiting = waiting_for_each_other(scene, pool, lanes, cpus);
    let share = share_of(waiting, known);
    if share < WAITING_SHARE {
        return None;
    }
    let finding = Finding {
        kind: FindingKind::Oversubscribed,
        at: pool.opened,
        lane: None,
        call: None,
        text: format!(
            "{workers} processes compute on {}: {} of their time in tasks, {waiting} in all, they waited for a \
             CPU, so each task takes {:.1} times as long as it must",
            counted(cpus, "CPU", "CPUs"),
            percent(share),
            1.0 / (1.0 - share).max(0.001),
        ),
        advice: format!(
            "use {}: as many tasks are done in the same time, the first of them sooner, and in less memory",
            counted(enough, "process", "processes")
        ),
        numbers: vec![
            ("workers", f64::from(workers)),
            ("cpus", f64::from(cpus)),
            ("enough", enough as f64),
            ("waiting", waiting.0 as f64),
            ("share", share),
        ],
    };
    Some((waiting.seconds(), finding))
}

/// Processes that keep the CPUs busy: the more of their time tasks sleep, the more of them it takes.
fn enough(cpus: u32, sums: Sums) -> u64 {
    let blocked = match share_of(sums.blocked, sums.on_cpu) {
        share if share < BLOCKED_SHARE => Nanos::ZERO,
        _ => sums.blocked,
    };
    let work = u64::from(cpus).saturating_mul((sums.on_cpu + blocked).0);
    work.div_ceil(sums.on_cpu.0.max(1))
}

/// How long tasks of the pool waited because the program itself had more to run than there are CPUs: what it
/// could have run in a stretch of time, beyond what all CPUs can run in that. Other programs cause the rest.
fn waiting_for_each_other(scene: Scene<'_>, pool: &Pool, lanes: &[&Lane], cpus: u32) -> Nanos {
    let end = pool.closed.map_or(scene.at, |closed| closed.min(scene.at));
    let other_process = |lane: &&Lane| {
        let id = lane.facts.pool;
        id != Some(pool.facts.pool) && !scene.has_threads(id)
    };
    let others = scene.index.workers_in(pool.opened, end);
    let others: Vec<&Lane> = others.filter(other_process).collect();
    let length = end.since(pool.opened).0;
    let moment = |k: u64| pool.opened + Nanos((u128::from(length) * u128::from(k) / SLICES) as u64);
    let sum = |lanes: &[&Lane], begin: Time, end: Time| {
        lanes.iter().fold((0, 0), |(runnable, waiting), lane| {
            let sums = lane.sums_between(begin, end);
            let here = sums.waiting.0;
            (runnable + sums.on_cpu.0 + here, waiting + here)
        })
    };
    let slices = (0..SLICES as u64).map(|k| {
        let (begin, end) = (moment(k), moment(k + 1));
        let (own, waiting) = sum(lanes, begin, end);
        let (other, also_waiting) = sum(&others, begin, end);
        let too_much = (own + other).saturating_sub(u64::from(cpus) * end.since(begin).0);
        // Of what is too much each pool has its part.
        let part = waiting as f64 / (waiting + also_waiting).max(1) as f64;
        Nanos(waiting.min((too_much as f64 * part) as u64))
    });
    slices.sum()
}

fn pickling(scene: Scene<'_>, pool: &Pool, lanes: &[&Lane]) -> Option<(f64, Finding)> {
    if scene.has_threads(Some(pool.facts.pool)) {
        return None;
    }
    let calls = || scene.calls_of(Some(pool.facts.pool));
    let ways = [Way::ToWorker, Way::ToCaller];
    let sent = calls().flat_map(|call| ways.map(|way| call.bytes_until(scene.at, way)));
    let bytes: u64 = sent.flatten().sum();
    let messages: u64 = calls().map(|call| call.enqueued.sum_until(scene.at)).sum();
    // Few programs get past this, and going through all spans takes long.
    if bytes / messages.max(1) < LARGE_MESSAGE {
        return None;
    }
    let mut callers: Vec<_> = calls().map(|call| call.caller).collect();
    callers.sort_unstable();
    callers.dedup();
    let mains = callers.iter().filter_map(|&id| scene.trace.lane(id));
    let time: Nanos = lanes
        .iter()
        .copied()
        .chain(mains)
        .map(|lane| pickling_until(lane, scene.at))
        .sum();
    let busy = busy(scene, lanes);
    let share = share_of(time, time + busy);
    if share < PICKLING_SHARE {
        return None;
    }
    let finding = Finding {
        kind: FindingKind::PicklingCost,
        at: pool.opened,
        lane: None,
        call: None,
        text: format!(
            "pickling and unpickling {} took {time}, the tasks themselves {busy}: {} of both together",
            bytes::words(bytes),
            percent(share),
        ),
        advice: "send less: give workers a file name or an index, load shared data in the initializer, return a summary"
            .to_owned(),
        numbers: vec![
            ("pickling", time.0 as f64),
            ("work", busy.0 as f64),
            ("share", share),
            ("bytes", bytes as f64),
        ],
    };
    Some((time.seconds(), finding))
}

fn pickling_until(lane: &Lane, at: Time) -> Nanos {
    let spans = lane.others().iter();
    spans
        .filter(|other| other.span.end() <= at && PICKLING.contains(&lane.name_of(other)))
        .map(|other| other.span.length())
        .sum()
}

/// Said when the pool is done, because only then is it known how much it did.
fn start_up(scene: Scene<'_>, pool: &Pool, lanes: &[&Lane]) -> Option<(f64, Finding)> {
    let over = scene.trace.ended().map(|ended| ended.0);
    let done = pool.closed.into_iter().chain(over).min()?;
    if done > scene.at {
        return None;
    }
    let (start_up, first) = waited_for(scene, pool, lanes)?;
    let work = busy(scene, lanes);
    if start_up <= work {
        return None;
    }
    let started = lanes.iter().filter(|lane| lane.opened <= first).count();
    let advice = match scene.trace.pools().len() {
        1 => "use a plain loop",
        _ => "use a plain loop, or one pool for everything instead of a new one each time",
    };
    let finding = Finding {
        kind: FindingKind::StartUpCost,
        at: first,
        lane: None,
        call: None,
        text: format!(
            "the program waited {start_up} for {} to start, all tasks together took only {work}: a plain loop would have \
             been done before",
            counted(started, "worker", "workers"),
        ),
        advice: advice.to_owned(),
        numbers: vec![("start_up", start_up.0 as f64), ("work", work.0 as f64)],
    };
    Some((start_up.saturating_sub(work).seconds(), finding))
}

/// How long the program waited for the first worker: while that was made, and then until it took the first
/// message, as far as there was one and a caller waits. And when that was.
fn waited_for(scene: Scene<'_>, pool: &Pool, lanes: &[&Lane]) -> Option<(Nanos, Time)> {
    let calls = || scene.calls_of(Some(pool.facts.pool));
    let first_of = |times: List<'_, (Time, u64)>| times.first().map(|step| step.0);
    let asked = calls().filter_map(|call| first_of(call.submitted.until(scene.at)));
    let asked = asked.min()?;
    // Threads are handed their tasks without a message.
    let sent = calls().filter_map(|call| first_of(call.enqueued.until(scene.at)));
    let sent = sent.min().unwrap_or(asked);
    let first = first_taken(scene, pool, lanes)?;
    let made = lanes.iter().map(|lane| lane.opened).min()?.max(pool.opened);
    // An executor makes its workers when it is called.
    let making = made.since(if made <= asked { pool.opened } else { asked });
    let begin = made.max(sent);
    let wait = Span::new(begin, first.max(begin));
    let callers: BTreeSet<LaneId> = calls().flat_map(Call::callers).collect();
    let callers = callers.iter().filter_map(|&id| scene.trace.caller_of(id));
    let waited = callers.map(|caller| caller.blocked_in(wait)).max();
    Some((making + waited.unwrap_or_default(), first))
}

/// When a worker began with the first message.
fn first_taken(scene: Scene<'_>, pool: &Pool, lanes: &[&Lane]) -> Option<Time> {
    let tasks = lanes.iter().filter_map(|lane| lane.pieces().first());
    let tasks = tasks.map(|piece| piece.start);
    // What comes before the first task.
    let spans = lanes.iter().filter_map(|lane| lane.others().first());
    let spans = spans.map(|other| other.span.start());
    let about = About::Pool(Some(pool.facts.pool));
    let died = scene.index.noted(NoteKind::UnpicklableArgument, about);
    let died = died.filter(|&died| died <= scene.at);
    tasks.chain(spans).chain(died).min()
}

#[cfg(test)]
mod tests {
    use super::super::told::Told;
    use super::*;
    use crate::event::{BlockedIn, CallerState};

    /// Workers with a task of a second each on four CPUs, of which each waited so long.
    fn waited(kind: &str, workers: u32, waiting: u64) -> Told {
        let told = Told::pool(kind, workers).call(0, "map", workers, 1);
        (0..workers).fold(told, |told, index| {
            told.waited(1 + index, index, (0, 1_000), waiting)
        })
    }

    #[test]
    fn processes_that_wait_for_a_cpu_are_too_many() {
        let found = waited("Pool", 8, 500).finding();
        assert_eq!(found.kind, FindingKind::Oversubscribed);
        assert!(found.advice.starts_with("use 4 processes: "));
        found.says("8 processes compute on 4 CPUs: 50 % of their time in tasks, 4.00 s in all, they waited for a CPU, so each task takes 2.0 times as long as it must");
        assert_eq!(
            waited("Pool", 5, 150).kinds(),
            [FindingKind::Oversubscribed]
        );
    }

    #[test]
    fn a_busy_machine_is_not_too_many_processes() {
        assert_eq!(waited("Pool", 4, 500).ever(), []);
        assert_eq!(waited("Pool", 8, 140).ever(), []);
        assert_eq!(waited("ThreadPool", 8, 500).ever(), []);
    }

    #[test]
    fn tasks_that_wait_for_other_programs_are_not_too_many_processes() {
        // One after the other.
        let told = Told::pool("Pool", 8).call(0, "map", 8, 1);
        let told = (0..8).fold(told, |told, index| {
            let begin = u64::from(index) * 1_000;
            told.waited(1 + index, index, (begin, begin + 1_000), 500)
        });
        assert_eq!(told.ever(), []);
        // Of the time that each waited, four fifths were another's.
        let found = waited("Pool", 5, 900).finding();
        found.says("20 % of their time in tasks, 1.00 s in all, they waited for a CPU");
    }

    #[test]
    fn tasks_that_sleep_are_not_too_many_processes() {
        let told = Told::pool("Pool", 8).call(0, "map", 8, 1);
        let told = (0..8).fold(told, |told, index| {
            told.ran(1 + index, index, (0, 1_000), (20, 100))
        });
        assert_eq!(told.ever(), []);
    }

    #[test]
    fn the_more_tasks_sleep_the_more_processes_keep_the_cpus_busy() {
        // Of a second each is 200 ms on a CPU, for which it waits 400, and sleeps for the rest.
        let slept = |workers: u32| {
            let told = Told::pool("Pool", workers).call(0, "map", workers, 1);
            (0..workers).fold(told, |told, index| {
                told.ran(1 + index, index, (0, 1_000), (200, 400))
            })
        };
        let found = slept(14).finding();
        assert!(
            found.advice.starts_with("use 12 processes: "),
            "{}",
            found.advice
        );
        assert_eq!(slept(12).ever(), []);
    }

    #[test]
    fn how_tasks_waited_has_to_be_known() {
        let told = Told::pool("Pool", 8).call(0, "map", 8, 1);
        let told = (0..8).fold(told, |told, index| told.task(1 + index, index, 0, 100));
        assert_eq!(told.ever(), []);
    }

    fn pickled(kind: &str, time: u64) -> Told {
        carried(kind, time, 20_000)
    }

    /// The same with so many bytes in the two messages.
    fn carried(kind: &str, time: u64, bytes: u32) -> Told {
        Told::pool(kind, 2)
            .call(0, "map", 2, 1)
            .bytes(0, bytes)
            .task(1, 0, 200, 1_000)
            .task(2, 1, 200, 1_000)
            .span(0, "pickle", 0, 200)
            .span(1, "unpickle", 1_000, 1_000 + time)
            .span(1, "something else", 4_000, 6_000)
    }

    #[test]
    fn pickling_is_told_where_it_is_much() {
        let found = pickled("Pool", 200).finding();
        assert_eq!(
            (found.kind, found.numbers[2]),
            (FindingKind::PicklingCost, ("share", 0.2))
        );
        assert_eq!(pickled("Pool", 190).ever(), []);
        assert_eq!(pickled("ThreadPool", 600).ever(), []);
        assert_eq!(carried("Pool", 200, 19_999).ever(), []);
    }

    /// Two tasks of 5 ms that start at `first`; called at `called`, workers there at 0. The caller waits all the time.
    fn started(called: u64, first: u64) -> Told {
        Told::pool("Pool", 2)
            .call(called, "map", 2, 1)
            .caller(called, CallerState::Blocked(BlockedIn::Map))
            .task(1, 0, first, first + 5)
            .task(2, 1, first, first + 5)
            .pool_closed(first + 10)
    }

    #[test]
    fn a_start_longer_than_the_work_is_told_when_the_pool_is_done() {
        let found = started(0, 510).finding();
        assert_eq!(found.kind, FindingKind::StartUpCost);
        found.says("waited 510 ms for 2 workers to start, all tasks together took only 10 ms");
        assert_eq!(started(0, 509).ever(), []);
        // What passes before the first call is no start-up.
        assert_eq!(started(1_000, 1_010).ever(), []);
        let worked = started(0, 510).task(1, 0, 600, 1_200);
        assert_eq!(worked.kinds(), []);
        // A worker that replaces another is no start.
        let replaced = started(0, 510).replaced(515, 3).finding();
        replaced.says("waited 510 ms for 2 workers to start");
        assert_eq!(replaced.advice, "use a plain loop");
    }

    #[test]
    fn a_start_that_nobody_waits_for_costs_nothing() {
        // The first item comes late.
        let mut told = Told::pool("Pool", 2)
            .calls_as_they_come("imap")
            .caller(0, CallerState::Blocked(BlockedIn::Next));
        told = told.comes(0, Time(1_200_000_000), Nanos(1));
        assert_eq!(told.pool_closed(1_210).ever(), []);
        // The main program has something else to do.
        let busy = started(0, 510).caller(1, CallerState::OwnWork);
        assert_eq!(busy.ever(), []);
        // A worker was there, but could not read what came.
        let died = started(0, 510).note(5, 1, NoteKind::UnpicklableArgument, 0);
        assert_eq!(died.kinds(), [FindingKind::UnpicklableArgument]);
        // And one took its time for that.
        let reads = started(0, 510).span(1, "unpickle", 5, 505);
        assert_eq!(reads.ever(), []);
    }
}
