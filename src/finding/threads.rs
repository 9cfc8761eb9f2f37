//! Threads of one interpreter that compute: one of them has it at a time.

use super::search::{Scene, Search};
use super::words::call as named;
use super::{Finding, FindingKind};
use crate::time::Nanos;
use crate::trace::Call;

/// So many tasks are under way at a time, in the mean.
const SIDE_BY_SIDE: f64 = 1.5;
/// They want about one CPU in all, got or waited for: less is no computing, and more is what threads without a
/// common lock do.
const CPUS: std::ops::RangeInclusive<f64> = 0.75..=1.25;
/// And this much of it they got.
const GOT: f64 = 0.4;
/// Where all tasks of the program want so much of its CPUs, there is none left that they could have had.
const ALL: f64 = 0.9;

pub(super) fn search(search: &mut Search<'_>) {
    let scene = search.scene;
    let calls = scene.trace.calls();
    for call in calls.filter(|call| scene.has_threads(call.facts.pool)) {
        if let Some((saved, finding)) = one_interpreter(scene, call) {
            search.of_call(call, saved.seconds(), finding);
        }
    }
}

fn one_interpreter(scene: Scene<'_>, call: &Call) -> Option<(Nanos, Finding)> {
    let cpus = scene.trace.run()?.cpus?;
    let workers = scene.trace.rows_of(call.facts.pool).len() as u32;
    if cpus < 2 || workers < 2 {
        return None;
    }
    let begin = call.started.entries().first()?.at;
    let end = call.finished.until(scene.at).last()?.at;
    let length = end.since(begin);
    let sums = scene.sums_of(call.facts.pool, begin, end);
    let part = |part: Nanos| part.seconds() / length.seconds().max(f64::MIN_POSITIVE);
    let (busy, got) = (part(sums.busy), part(sums.on_cpu));
    if busy < SIDE_BY_SIDE || got < GOT || !CPUS.contains(&(got + part(sums.waiting))) {
        return None;
    }
    let all = scene.sums_of_all(begin, end);
    if part(all.on_cpu + all.waiting) > ALL * f64::from(cpus) {
        return None;
    }
    let shared = Nanos(sums.on_cpu.0 / u64::from(workers.min(cpus)));
    let finding = Finding {
        kind: FindingKind::OneInterpreter,
        at: end,
        lane: None,
        call: Some(call.facts.call),
        text: format!(
            "the threads of {} compute: {busy:.1} tasks at a time, and all together they got {got:.1} CPUs of {cpus}, \
             because one thread at a time has the interpreter",
            named(call),
        ),
        advice: "use processes (Pool, ProcessPoolExecutor): each has an interpreter of its own; threads help where \
                 tasks wait"
            .to_owned(),
        numbers: vec![
            ("on_cpu", sums.on_cpu.0 as f64),
            ("length", length.0 as f64),
            ("tasks_at_a_time", busy),
            ("cpus_used", got),
        ],
    };
    Some((length.saturating_sub(shared), finding))
}

#[cfg(test)]
mod tests {
    use super::super::told::Told;
    use super::*;
    use crate::event::{Kind, LaneKind, LaneOpened, PoolId, PoolOpened};

    /// Four threads, each a second in a task, with so much of it on a CPU.
    fn threads(kind: &str, on_cpu: u64) -> Told {
        let told = Told::pool(kind, 4).call(0, "map", 8, 1);
        (0..4).fold(told, |told, index| {
            told.ran(1 + index, index, (0, 1_000), (on_cpu, 0))
        })
    }

    #[test]
    fn threads_that_compute_share_one_interpreter() {
        let found = threads("ThreadPoolExecutor", 250).finding();
        assert_eq!(found.kind, FindingKind::OneInterpreter);
        found.says("the threads of map(square) in line 12 compute: 4.0 tasks at a time, and all together they got 1.0 CPUs of 4");
        assert_eq!(found.numbers.last(), Some(&("cost", 750_000_000.0)));
    }

    #[test]
    fn threads_that_wait_and_those_with_a_cpu_each_are_no_finding() {
        assert_eq!(threads("ThreadPool", 150).ever(), []);
        assert_eq!(threads("ThreadPool", 950).ever(), []);
        assert_eq!(threads("Pool", 250).ever(), []);
    }

    /// So many processes of another pool, each a second in a task that wants a CPU all the time.
    fn and_processes(mut told: Told, count: u32) -> Told {
        let pool = PoolId(1);
        let facts = PoolOpened {
            pool,
            kind: "Pool".to_owned(),
            start_method: None,
            workers: Some(4),
        };
        told.tell(0, 0, Kind::PoolOpened(Box::new(facts)));
        for lane in 11..11 + count {
            let facts = LaneOpened {
                kind: LaneKind::Worker,
                pool: Some(pool),
                name: format!("worker {lane}"),
                pid: Some(lane),
                tid: None,
            };
            told.tell(0, lane, Kind::LaneOpened(Box::new(facts)));
            told = told.ran(lane, lane - 7, (0, 1_000), (700, 300));
        }
        told
    }

    #[test]
    fn threads_of_a_program_that_has_all_cpus_could_have_no_more() {
        let threads = || threads("ThreadPoolExecutor", 250);
        assert_eq!(and_processes(threads(), 4).ever(), []);
        let found = and_processes(threads(), 2).finding();
        assert_eq!(found.kind, FindingKind::OneInterpreter);
    }
}
