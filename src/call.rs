//! One call seen from both ends: when results become usable, and what the caller does about it.
//!
//! Both ends are pure state machines without a clock. A backend feeds [`Collector`] with the chunks that
//! come back and drives [`Caller`] step by step, in virtual time or with a real thread; so every backend
//! follows the same rules, those of CPython's `pool.py`.

use crate::event::{Ends, Indexes};
use crate::method::{Chunks, Delivery, Method, Rules};

/// What came back for a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkResult {
    Ok,
    /// One of its tasks raised: the whole chunk has no results.
    Failed,
}

/// Collects the chunks of a call in the order in which they come back and says what that makes usable.
#[derive(Clone, Debug)]
pub struct Collector {
    delivery: Delivery,
    tasks: u32,
    chunks: Chunks,
    results: Vec<Option<ChunkResult>>,
    missing: usize,
    /// The first chunk whose turn has not come, for results in order.
    turn: usize,
    /// Chunks in the order in which they became usable, for the iterators.
    ready: Vec<u32>,
    failed: bool,
    broken: bool,
}

impl Collector {
    pub fn new(method: Method, tasks: u32, chunksize: u32) -> Self {
        let chunks = Chunks::new(tasks, chunksize);
        let count = chunks.count() as usize;
        Self {
            delivery: method.rules().delivery,
            tasks,
            results: vec![None; count],
            missing: count,
            chunks,
            turn: 0,
            ready: Vec::new(),
            failed: false,
            broken: false,
        }
    }

    pub fn chunks(&self) -> Chunks {
        self.chunks
    }

    /// What came back for a chunk, if anything did.
    pub fn result(&self, chunk: u32) -> Option<ChunkResult> {
        self.results.get(chunk as usize).copied().flatten()
    }

    /// A chunk is back: which tasks are ready by that, in one stretch of indexes. A chunk counts once.
    pub fn returned(&mut self, chunk: u32, result: ChunkResult) -> Option<Indexes> {
        let slot = self.results.get_mut(chunk as usize)?;
        if slot.is_some() || self.broken {
            return None;
        }
        *slot = Some(result);
        self.missing -= 1;
        self.failed |= result == ChunkResult::Failed;
        match self.delivery {
            Delivery::List => (self.missing == 0).then_some(Indexes::new(0, self.tasks)),
            Delivery::InOrder => {
                let first = self.turn;
                while self.results.get(self.turn).is_some_and(Option::is_some) {
                    self.ready.push(self.turn as u32);
                    self.turn += 1;
                }
                (self.turn > first).then(|| {
                    Indexes::new(
                        self.chunks.tasks(first as u32).first,
                        self.chunks.tasks(self.turn as u32 - 1).end,
                    )
                })
            }
            Delivery::AsFinished | Delivery::Callback | Delivery::Value => {
                self.ready.push(chunk);
                Some(self.chunks.tasks(chunk))
            }
        }
    }

    /// The executor gives up: everything that is not usable yet fails now. Those tasks, as stretches;
    /// none if it had given up before.
    pub fn give_up(&mut self) -> Vec<Indexes> {
        if std::mem::replace(&mut self.broken, true) {
            return Vec::new();
        }
        let mut ready = vec![false; self.results.len()];
        match self.delivery {
            Delivery::List if self.missing == 0 => ready.fill(true),
            _ => self
                .ready
                .iter()
                .for_each(|&chunk| ready[chunk as usize] = true),
        }
        (0..self.chunks.count())
            .zip(ready)
            .filter(|(_, ready)| !ready)
            .map(|(chunk, _)| self.chunks.tasks(chunk))
            .collect()
    }
}

/// What the caller does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Hand these tasks to the pool (a loop: run them).
    Submit(Indexes),
    /// Do its own work, once.
    OwnWork,
    /// Block in [`Rules::blocked_in`] until another chunk is back, then ask again.
    Wait,
    /// Take these results.
    Take(Indexes),
    /// Meet the error of the chunk that begins with this task: `next()`, `get()` or `apply()` raises.
    Raise(u32),
    /// The call is over, and this is how: it has returned or raised; for the others, the last `get()` or
    /// `next()` has. Said once.
    End(Ends),
    /// So is the main program.
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Submitting,
    OwnWork,
    Collecting,
    Ending(Ends),
    Done,
}

/// The main program around one call: asks [`Caller::step`] what to do until that says `Done`.
#[derive(Clone, Debug)]
pub struct Caller {
    rules: Rules,
    tasks: u32,
    phase: Phase,
    /// Tasks submitted so far.
    submitted: u32,
    /// Chunks collected so far; for an iterator, how many of the ready ones.
    collected: u32,
}

impl Caller {
    pub fn new(method: Method, tasks: u32) -> Self {
        Self {
            rules: method.rules(),
            tasks,
            phase: Phase::Submitting,
            submitted: 0,
            collected: 0,
        }
    }

    /// The next thing to do. Doing it comes before asking again; `Done` is said again and again.
    pub fn step(&mut self, collector: &Collector) -> Step {
        loop {
            match self.phase {
                Phase::Submitting if self.rules.one_at_a_time => {
                    if self.submitted == self.tasks {
                        self.phase = Phase::Ending(Ends::Returned);
                        continue;
                    }
                    self.submitted += 1;
                    self.phase = Phase::Collecting;
                    return Step::Submit(Indexes::one(self.submitted - 1));
                }
                Phase::Submitting => {
                    self.submitted = self.tasks;
                    self.phase = if self.rules.blocks {
                        Phase::Collecting
                    } else {
                        Phase::OwnWork
                    };
                    return Step::Submit(Indexes::new(0, self.tasks));
                }
                Phase::OwnWork => {
                    self.phase = if self.rules.blocks {
                        Phase::Done
                    } else {
                        Phase::Collecting
                    };
                    return Step::OwnWork;
                }
                Phase::Collecting => {
                    if let Some(step) = self.collect(collector) {
                        return step;
                    }
                }
                Phase::Ending(ends) => {
                    // A call that raises takes the rest of the main program with it.
                    self.phase = if self.rules.blocks && ends == Ends::Returned {
                        Phase::OwnWork
                    } else {
                        Phase::Done
                    };
                    return Step::End(ends);
                }
                Phase::Done => return Step::Done,
            }
        }
    }

    /// One step of collecting; `None` after a change of phase.
    fn collect(&mut self, collector: &Collector) -> Option<Step> {
        match self.rules.delivery {
            Delivery::List => {
                if collector.missing > 0 {
                    return self.wait(collector);
                }
                if collector.failed {
                    return self.ended(Ends::Error);
                }
                self.phase = Phase::Ending(Ends::Returned);
                Some(Step::Take(Indexes::new(0, self.tasks)))
            }
            Delivery::Value => match collector.result(self.submitted - 1) {
                None => self.wait(collector),
                Some(ChunkResult::Failed) => Some(self.raised(self.submitted - 1)),
                Some(ChunkResult::Ok) => {
                    self.phase = Phase::Submitting;
                    Some(Step::Take(Indexes::one(self.submitted - 1)))
                }
            },
            Delivery::Callback => {
                if self.collected == collector.chunks.count() {
                    return self.ended(Ends::Returned);
                }
                match collector.result(self.collected) {
                    None => self.wait(collector),
                    Some(ChunkResult::Failed) => {
                        Some(self.raised(collector.chunks.tasks(self.collected).first))
                    }
                    Some(ChunkResult::Ok) => {
                        self.collected += 1;
                        None
                    }
                }
            }
            Delivery::InOrder | Delivery::AsFinished => {
                if self.collected == collector.chunks.count() {
                    return self.ended(Ends::Returned);
                }
                let Some(&chunk) = collector.ready.get(self.collected as usize) else {
                    return self.wait(collector);
                };
                self.collected += 1;
                let tasks = collector.chunks.tasks(chunk);
                match collector.result(chunk) {
                    Some(ChunkResult::Ok) => Some(Step::Take(tasks)),
                    // The lab's caller catches the error of an item and asks for the next one. With chunks
                    // of several tasks the iterator is a generator, which is dead after its first error,
                    // also where there are too few tasks for such a chunk.
                    _ if collector.chunks.size() > 1 => Some(self.raised(tasks.first)),
                    _ => Some(Step::Raise(tasks.first)),
                }
            }
        }
    }

    /// What it asks for is not there. Of an executor that gave up it never will be; what was usable before
    /// that has been taken by then.
    fn wait(&mut self, collector: &Collector) -> Option<Step> {
        if collector.broken {
            return self.ended(Ends::BrokenProcessPool);
        }
        Some(Step::Wait)
    }

    /// The error of a chunk ends the call.
    fn raised(&mut self, first: u32) -> Step {
        self.phase = Phase::Ending(Ends::Error);
        Step::Raise(first)
    }

    fn ended(&mut self, ends: Ends) -> Option<Step> {
        self.phase = Phase::Ending(ends);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps of a caller when the chunks come back in this order, one at each wait.
    fn steps(method: Method, tasks: u32, chunksize: u32, back: &[(u32, ChunkResult)]) -> Vec<Step> {
        let mut collector = Collector::new(method, tasks, chunksize);
        let (mut caller, mut back, mut steps) =
            (Caller::new(method, tasks), back.iter(), Vec::new());
        loop {
            let step = caller.step(&collector);
            steps.push(step);
            match step {
                Step::Wait => match back.next() {
                    Some(&(chunk, result)) => collector.returned(chunk, result),
                    None => return steps,
                },
                Step::Done => return steps,
                _ => None,
            };
        }
    }

    use ChunkResult::{Failed, Ok};
    use Step::{Done, End, OwnWork, Raise, Submit, Take, Wait};

    fn one(index: u32) -> Indexes {
        Indexes::one(index)
    }

    #[test]
    fn map_blocks_for_all_chunks_and_works_afterwards() {
        let all = Indexes::new(0, 2);
        assert_eq!(
            steps(Method::Map, 2, 1, &[(1, Ok), (0, Ok)]),
            [
                Submit(all),
                Wait,
                Wait,
                Take(all),
                End(Ends::Returned),
                OwnWork,
                Done
            ]
        );
    }

    #[test]
    fn map_async_works_first_and_gets_the_list_in_one_piece() {
        let all = Indexes::new(0, 2);
        assert_eq!(
            steps(Method::MapAsync, 2, 1, &[(1, Ok), (0, Ok)]),
            [
                Submit(all),
                OwnWork,
                Wait,
                Wait,
                Take(all),
                End(Ends::Returned),
                Done
            ]
        );
    }

    #[test]
    fn imap_holds_results_back_until_their_turn() {
        assert_eq!(
            steps(Method::Imap, 2, 1, &[(1, Ok), (0, Ok)]),
            [
                Submit(Indexes::new(0, 2)),
                OwnWork,
                Wait,
                Wait,
                Take(one(0)),
                Take(one(1)),
                End(Ends::Returned),
                Done
            ]
        );
    }

    #[test]
    fn imap_unordered_hands_results_over_as_they_come() {
        assert_eq!(
            steps(Method::ImapUnordered, 2, 1, &[(1, Ok), (0, Ok)]),
            [
                Submit(Indexes::new(0, 2)),
                OwnWork,
                Wait,
                Take(one(1)),
                Wait,
                Take(one(0)),
                End(Ends::Returned),
                Done
            ]
        );
    }

    #[test]
    fn apply_sends_the_next_task_after_the_previous_result() {
        assert_eq!(
            steps(Method::Apply, 2, 1, &[(0, Ok), (1, Ok)]),
            [
                Submit(one(0)),
                Wait,
                Take(one(0)),
                Submit(one(1)),
                Wait,
                Take(one(1)),
                End(Ends::Returned),
                OwnWork,
                Done
            ]
        );
    }

    #[test]
    fn an_error_ends_each_call_as_in_cpython() {
        let ends = |method, chunksize, back: &[_]| {
            let mut steps = steps(method, 4, chunksize, back);
            // Who was let down does no work of its own.
            steps.pop_if(|last| *last == Done);
            steps.pop()
        };
        let each = [(1, Failed), (0, Ok), (2, Ok), (3, Ok)];
        // All chunks come back before map raises.
        assert_eq!(ends(Method::Map, 1, &each[..3]), Some(Wait));
        assert_eq!(ends(Method::Map, 1, &each), Some(End(Ends::Error)));
        assert_eq!(ends(Method::ApplyAsync, 1, &each), Some(End(Ends::Error)));
        // Item by item the iterator goes on; by chunks it is dead.
        assert_eq!(ends(Method::Imap, 1, &each), Some(End(Ends::Returned)));
        assert_eq!(
            ends(Method::Imap, 2, &[(1, Failed), (0, Ok)]),
            Some(End(Ends::Error))
        );
        assert_eq!(
            ends(Method::ImapUnordered, 2, &[(1, Failed)]),
            Some(End(Ends::Error))
        );
        assert_eq!(
            ends(Method::Apply, 1, &[(0, Failed)]),
            Some(End(Ends::Error))
        );
    }

    #[test]
    fn an_iterator_of_chunks_is_dead_after_an_error_however_few_tasks_there_are() {
        for method in [Method::Imap, Method::ImapUnordered] {
            let ends = |chunksize| steps(method, 1, chunksize, &[(0, Failed)])[3..5].to_vec();
            assert_eq!(ends(1), [Raise(0), End(Ends::Returned)]);
            assert_eq!(ends(2), [Raise(0), End(Ends::Error)]);
        }
    }

    #[test]
    fn an_executor_that_gives_up_fails_what_is_outstanding() {
        let mut collector = Collector::new(Method::Imap, 4, 1);
        collector.returned(0, Ok);
        collector.returned(2, Ok);
        assert_eq!(collector.give_up(), [one(1), one(2), one(3)]);
        assert_eq!(collector.give_up(), []);
        let mut caller = Caller::new(Method::Imap, 4);
        let steps: Vec<Step> = (0..4).map(|_| caller.step(&collector)).collect();
        assert_eq!(steps[2..], [Take(one(0)), End(Ends::BrokenProcessPool)]);
    }

    #[test]
    fn results_from_before_an_executor_gave_up_are_taken_all_the_same() {
        let broken = |method, back: &[(u32, ChunkResult)]| {
            let mut collector = Collector::new(method, 4, 1);
            for &(chunk, result) in back {
                collector.returned(chunk, result);
            }
            collector.give_up();
            let mut caller = Caller::new(method, 4);
            let steps: Vec<Step> = (0..6).map(|_| caller.step(&collector)).collect();
            steps[2..].to_vec()
        };
        let end = End(Ends::BrokenProcessPool);
        for method in [Method::Imap, Method::ImapUnordered] {
            let taken = broken(method, &[(0, Ok), (1, Ok)]);
            assert_eq!(taken, [Take(one(0)), Take(one(1)), end, Done], "{method:?}");
        }
        let taken = broken(Method::ImapUnordered, &[(2, Ok), (0, Ok)]);
        assert_eq!(taken, [Take(one(2)), Take(one(0)), end, Done]);
        let taken = broken(Method::Imap, &[(0, Failed), (1, Ok)]);
        assert_eq!(taken, [Raise(0), Take(one(1)), end, Done]);
        // Their callbacks have run long since.
        let taken = broken(Method::ApplyAsync, &[(0, Ok), (1, Ok)]);
        assert_eq!(taken, [end, Done, Done, Done]);
    }

    #[test]
    fn a_call_without_tasks_returns_at_once() {
        for method in Method::ALL {
            let steps = steps(method, 0, method.chunksize(None, 0, 4), &[]);
            assert!(steps.contains(&End(Ends::Returned)), "{method:?}");
        }
    }
}
