//! Messages with so little work in each that sending them, or waiting for them, is what takes the time.

use super::{GOOD_CHUNK, Spell};
use crate::definition::percent;
use crate::event::NoteKind;
use crate::finding::index::About;
use crate::finding::words::call as named;
use crate::finding::{Finding, FindingKind};
use crate::time::Nanos;

/// Fewer messages than this say nothing about what one costs.
const SMALL_CHUNKS: u32 = 100;
/// Nor do fewer than this say at which pace the input comes.
const FEWEST_MESSAGES: u32 = 8;
/// A message costs 20 to 200 us, so a chunk that computes longer earns it.
const SMALL_CHUNK: Nanos = Nanos(200_000);
/// Messages that come slower than this are not held up by their own cost but by what is to be sent.
const SLOW_MESSAGE: Nanos = Nanos(1_000_000);
/// And those that come slower than this cost less than the time between them, if another explanation is there.
const DEAR_MESSAGE: Nanos = Nanos(200_000);
/// So many tasks of a call are looked at for what most of them take.
const LOOKED_AT: usize = 1_000;
/// A prime; from one that is looked at to the next, over and over.
const STRIDE: usize = 1_000_003;
/// If a twentieth of them takes so many times as long as most, they are not all of a kind.
const MUCH_LONGER: u64 = 20;
/// Below this share the workers still compute most of the time.
const OVERHEAD_SHARE: f64 = 0.5;
/// Work that a plain loop does before a pool has started and sent it.
const LOOP_WORK: Nanos = Nanos(50_000_000);

impl Spell<'_> {
    /// Many messages with little work in each: who is it that takes all the time?
    pub(super) fn small(&self) -> Option<(f64, Finding)> {
        let chunks = self.call.enqueued.count_until(self.scene.at);
        let length = self.length();
        let message = Nanos(length.0 / u64::from(chunks.max(1)));
        let worker_time = length.0 as f64 * self.parallel() as f64;
        let idle = 1.0 - self.work.0 as f64 / worker_time;
        if chunks < FEWEST_MESSAGES || self.finished.is_empty() || idle < OVERHEAD_SHARE {
            return None;
        }
        let shares = self.scene.trace.shares_of(self.call, self.last);
        let share = |part: Nanos| shares.share(part).unwrap_or_default();
        let starved = share(shares.starved);
        let is_starved = starved >= OVERHEAD_SHARE && starved > share(shares.overhead);
        if self.reads_generator() && is_starved && message > DEAR_MESSAGE {
            return Some(self.slow_input(starved, message));
        }
        (chunks >= SMALL_CHUNKS && message < SLOW_MESSAGE)
            .then(|| self.chunk_too_small(chunks, worker_time))
            .flatten()
    }

    fn chunk_too_small(&self, chunks: u32, worker_time: f64) -> Option<(f64, Finding)> {
        let length = self.length();
        let service = self.usual_service();
        let work = Nanos(service.0 * self.finished.len() as u64).min(self.work);
        let chunk = Nanos(work.0 / u64::from(chunks));
        if chunk >= SMALL_CHUNK {
            return None;
        }
        let overhead = 1.0 - work.0 as f64 / worker_time;
        let advice = if work < LOOP_WORK {
            format!("use a plain loop: all these tasks together take {work}")
        } else if self.has_no_chunks() {
            format!(
                "give each task more to do, such as a list of {} items: threads of an executor ignore chunksize; or, if \
                 that work computes, use the map of a ProcessPoolExecutor with that chunksize",
                self.good_chunk(service.0)
            )
        } else if self.call.is_series() {
            format!(
                "use map with chunksize={} instead of one call for each task",
                self.good_chunk(service.0)
            )
        } else {
            format!("use chunksize={}", self.good_chunk(service.0))
        };
        let cost = Nanos(((worker_time - work.0 as f64) / f64::from(chunks)) as u64);
        let finding = Finding {
            kind: FindingKind::ChunkTooSmall,
            at: self.last,
            lane: None,
            call: Some(self.call.facts.call),
            text: format!(
                "{} sends {chunks} messages with {chunk} of work in each, and until each is sent, received and \
                 answered takes its workers another {cost}: {} of their time",
                named(self.call),
                percent(overhead),
            ),
            advice,
            numbers: vec![
                ("overhead", overhead),
                ("chunks", f64::from(chunks)),
                ("chunk_work", chunk.0 as f64),
                ("chunk_cost", cost.0 as f64),
                ("work", work.0 as f64),
                ("length", length.0 as f64),
            ],
        };
        Some((overhead * length.seconds(), finding))
    }

    /// Each task is a message whatever its `map` is told.
    fn has_no_chunks(&self) -> bool {
        let pool = self.call.facts.pool;
        self.scene.is_executor(pool) && self.scene.has_threads(pool)
    }

    /// Its tasks come from something that makes them one by one.
    fn reads_generator(&self) -> bool {
        let call = About::Call(self.call.facts.call);
        self.scene.trace.call_kind(self.call).is_imap()
            && self.scene.has_noted(NoteKind::InputSwallowed, call)
    }

    fn slow_input(&self, starved: f64, message: Nanos) -> (f64, Finding) {
        let length = self.length();
        let finding = Finding {
            kind: FindingKind::SlowInput,
            at: self.last,
            lane: None,
            call: Some(self.call.facts.call),
            text: format!(
                "the input of {} comes more slowly than its workers take it, a message every {message}: {} of their \
                 time they wait for it",
                named(self.call),
                percent(starved),
            ),
            advice: "do in the tasks what the generator does for each item, or use fewer workers"
                .to_owned(),
            numbers: vec![
                ("starved", starved),
                ("message", message.0 as f64),
                ("work", self.work.0 as f64),
                ("length", length.0 as f64),
            ],
        };
        (starved * length.seconds(), finding)
    }

    /// What most tasks take: in the mean of very short ones, the few that were held up for long count most.
    fn usual_service(&self) -> Nanos {
        let mean = Nanos(self.work.0 / (self.finished.len() as u64).max(1));
        let count = self.finished.len();
        // In no order that tasks could have as well.
        let place = |k: usize| k.wrapping_mul(STRIDE) % count;
        let looked = (0..count.min(LOOKED_AT)).map(place);
        let entries = looked.filter_map(|place| self.finished.get(place));
        let services = entries.filter_map(|entry| self.call.task(entry.index)?.service());
        let mut services: Vec<Nanos> = services.collect();
        services.sort_unstable();
        let (usual, long) = (services.len() / 2, services.len() * 19 / 20);
        match (services.get(usual), services.get(long)) {
            (Some(&usual), Some(&long)) if long.0 < MUCH_LONGER * usual.0 => usual.max(Nanos(1)),
            _ => mean.max(Nanos(1)),
        }
    }

    /// Tasks of `service` nanoseconds that make a chunk worth its message and still leave each worker a few chunks.
    fn good_chunk(&self, service: u64) -> u64 {
        GOOD_CHUNK.0.div_ceil(service).min(self.fair_chunk()).max(2)
    }

    /// CPython's own choice.
    fn fair_chunk(&self) -> u64 {
        let tasks = self.call.tasks().len() as u64;
        tasks.div_ceil(4 * self.rows.len().max(1) as u64).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::told::{CALL, Told};
    use super::*;
    use crate::event::{Event, Kind, LaneId, Outcome, TaskId};
    use crate::time::Time;

    /// Two workers, chunks of one task of `work` ns, a message every `pace` ns.
    fn small(tasks: u32, work: u64, pace: u64, chunksize: u32) -> Vec<Finding> {
        told(tasks, pace, chunksize, |_| work)
    }

    /// The same with chunks of one task whose work is given.
    fn spread(tasks: u32, pace: u64, work: fn(u32) -> u64) -> Vec<Finding> {
        told(tasks, pace, 1, work)
    }

    fn told(tasks: u32, pace: u64, chunksize: u32, work: impl Fn(u32) -> u64) -> Vec<Finding> {
        told_of("Pool", (tasks, chunksize), pace, work)
    }

    fn told_of(
        kind: &str,
        (tasks, chunksize): (u32, u32),
        pace: u64,
        work: impl Fn(u32) -> u64,
    ) -> Vec<Finding> {
        let mut told = Told::pool(kind, 2).call(0, "map", tasks, chunksize);
        for index in 0..tasks {
            let at = Time(u64::from(index) * pace);
            let task = TaskId { call: CALL, index };
            let lane = LaneId(1 + index % 2);
            told.event(Event {
                at,
                lane,
                kind: Kind::Started { task, cpu: None },
            });
            let kind = Kind::Finished {
                task,
                outcome: Outcome::Ok,
                cpu: None,
            };
            told.event(Event {
                at: at + Nanos(work(index)),
                lane,
                kind,
            });
        }
        told.findings()
    }

    #[test]
    fn messages_that_cost_more_than_they_compute_are_too_small() {
        let found = small(20_000, 1_000, 20_000, 1);
        let [found] = found.as_slice() else {
            panic!("{found:#?}")
        };
        assert_eq!(found.kind, FindingKind::ChunkTooSmall);
        assert_eq!(
            found.advice,
            "use a plain loop: all these tasks together take 20 ms"
        );
        found.says("sends 20000 messages with 1.0 us of work in each, and until each is sent, received and answered takes its workers another 39.0 us: 97 %");
        let found = small(20_000, 10_000, 40_000, 1);
        assert_eq!(found[0].advice, "use chunksize=1000");
    }

    #[test]
    fn threads_of_an_executor_know_no_chunks() {
        let advice = |kind| {
            told_of(kind, (20_000, 1), 40_000, |_| 10_000)
                .remove(0)
                .advice
        };
        assert_eq!(advice("ThreadPool"), "use chunksize=1000");
        assert_eq!(advice("ProcessPoolExecutor"), "use chunksize=1000");
        let words = "give each task more to do, such as a list of 1000 items: threads of an executor ignore chunksize";
        assert!(advice("ThreadPoolExecutor").starts_with(words));
    }

    #[test]
    fn a_few_tasks_that_were_held_up_are_not_the_work_of_all() {
        // One in a hundred takes as long as half of all together.
        let found = spread(20_000, 20_000, |index| {
            if index % 100 == 0 { 100_000 } else { 1_000 }
        });
        assert_eq!(
            found[0].advice,
            "use a plain loop: all these tasks together take 20 ms"
        );
        let found = spread(20_000, 20_000, |index| {
            if index % 10 == 0 { 100_000 } else { 1_000 }
        });
        assert!(
            found[0].advice.starts_with("use chunksize="),
            "{}",
            found[0].advice
        );
    }

    #[test]
    fn a_generator_that_is_slow_is_told_instead_of_what_messages_cost() {
        let with = |method: &str, pace: u64| {
            let mut told = Told::pool("Pool", 2).calls_as_they_come(method);
            for index in 0..2_000 {
                let at = Time(u64::from(index) * pace);
                told = told.comes(index, at, Nanos(10_000));
            }
            told.note(2_000, 0, NoteKind::InputSwallowed, 2_000).kinds()
        };
        assert_eq!(with("imap", 450_000), [FindingKind::SlowInput]);
        assert_eq!(
            with("imap_unordered", 150_000),
            [FindingKind::ChunkTooSmall]
        );
        assert_eq!(with("map", 450_000), [FindingKind::ChunkTooSmall]);
    }

    #[test]
    fn a_slow_generator_is_told_by_the_time_it_costs() {
        let with = |count: u32| {
            let told = Told::pool("Pool", 2).calls_as_they_come("imap");
            let told = (0..count).fold(told, |told, index| {
                told.comes(
                    index,
                    Time(u64::from(index) * 60_000_000),
                    Nanos(20_000_000),
                )
            });
            told.note(10_000, 0, NoteKind::InputSwallowed, count.into())
                .kinds()
        };
        assert_eq!(with(30), [FindingKind::SlowInput]);
        assert_eq!(with(7), []);
    }

    #[test]
    fn messages_that_earn_their_cost_are_not_too_small() {
        // Half of the time is work.
        assert_eq!(small(20_000, 21_000, 20_000, 1), []);
        // Few messages.
        assert_eq!(small(99, 1_000, 300_000, 1), []);
        assert_eq!(small(2_000, 1_000, 20_000, 100), []);
        // What is to be sent comes slowly.
        assert_eq!(small(20_000, 1_000, 1_001_000, 1), []);
        // Over in no time.
        assert_eq!(small(10_000, 1_000, 20_000, 1), []);
    }
}
