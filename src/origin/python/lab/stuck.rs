//! Whether a call of the lab can never complete and nothing else can happen in its run.
//!
//! A chunk is over when it is answered, when its worker died, or when a task of it hangs. Once all of them are,
//! or every worker hangs, main waits, and who died has been replaced, nothing more will come.

use crate::event::{CallerState, Event, Kind, LaneId, LaneKind, NoteKind};
use crate::experiment::{Experiment, FaultKind, PythonPool};
use crate::method::Method;
use std::collections::HashSet;

/// See the module.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Stuck {
    tasks: u32,
    workers: usize,
    chunksize: u32,
    /// Nothing is sent before what was sent last is answered.
    one_by_one: bool,
    /// Its pool gives up when a worker dies, so that nothing is waited for in vain.
    gives_up: bool,
    /// Tasks that hang as soon as they start, and those that have.
    hanging: HashSet<u32>,
    hung: HashSet<u32>,
    /// Chunks.
    over: HashSet<u32>,
    /// Workers that there ever were, and those that took a chunk with them.
    opened: usize,
    dead: HashSet<LaneId>,
    main_waits: bool,
    broken: bool,
}

impl Stuck {
    pub(super) fn new(experiment: &Experiment) -> Self {
        let hangs = experiment.faults.iter();
        let hangs = hangs.filter(|fault| fault.kind == FaultKind::Hang);
        Self {
            tasks: experiment.tasks,
            workers: experiment.workers as usize,
            chunksize: 1,
            one_by_one: experiment.method == Method::Apply,
            gives_up: experiment.pool == PythonPool::Executor,
            hanging: hangs.map(|fault| fault.task).collect(),
            hung: HashSet::new(),
            over: HashSet::new(),
            opened: 0,
            dead: HashSet::new(),
            main_waits: false,
            broken: false,
        }
    }

    pub(super) fn note(&mut self, event: &Event) {
        match &event.kind {
            Kind::LaneOpened(lane) => self.opened += usize::from(lane.kind == LaneKind::Worker),
            Kind::CallBegan(call) => self.chunksize = call.chunksize.unwrap_or(1).max(1),
            Kind::Caller { state } => self.main_waits = matches!(state, CallerState::Blocked(_)),
            Kind::Returned { chunk, .. } => {
                self.over.insert(*chunk);
            }
            Kind::Lost { tasks, .. } => {
                self.dead.insert(event.lane);
                // One that hung is dead now, and its worker is replaced.
                self.hung.retain(|&index| !tasks.contains(index));
                self.over
                    .extend(tasks.iter().map(|index| index / self.chunksize));
            }
            Kind::Started { task, .. } if self.hanging.contains(&task.index) => {
                self.hung.insert(task.index);
                self.over.insert(task.index / self.chunksize);
            }
            Kind::Noted(note) if note.kind == NoteKind::Broken => self.broken = true,
            _ => {}
        }
    }

    /// An executor gave up.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    pub(super) fn is_so(&self) -> bool {
        let waits_in_vain = !(self.dead.is_empty() || self.gives_up) || !self.hung.is_empty();
        let are_replaced = self.dead.is_empty() || self.opened >= self.workers + self.dead.len();
        let chunks = self.tasks.div_ceil(self.chunksize) as usize;
        let nothing_comes =
            self.one_by_one || self.over.len() >= chunks || self.hung.len() >= self.workers;
        waits_in_vain && nothing_comes && are_replaced && self.main_waits && !self.broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{BlockedIn, CallBegan, CallId, Indexes, LaneOpened, TaskId};
    use crate::experiment::Fault;
    use crate::time::Time;

    const CALL: CallId = CallId(0);

    /// Three chunks of four on two workers, after what was told.
    fn told(faults: &[(u32, FaultKind)], kinds: Vec<Kind>) -> Stuck {
        let faults = faults.iter().map(|&(task, kind)| Fault { task, kind });
        let mut stuck = Stuck::new(&Experiment {
            tasks: 12,
            workers: 2,
            method: Method::Map,
            faults: faults.collect(),
            ..Experiment::default()
        });
        let call = CallBegan {
            call: CALL,
            pool: None,
            method: "map".to_owned(),
            function: "f".to_owned(),
            source: None,
            tasks: Some(12),
            chunksize: Some(4),
        };
        let state = CallerState::Blocked(BlockedIn::Map);
        let first = [
            Kind::CallBegan(Box::new(call)),
            Kind::Caller { state },
            opened(),
            opened(),
        ];
        for kind in first.into_iter().chain(kinds) {
            let (at, lane) = (Time::ZERO, LaneId(1));
            stuck.note(&Event { at, lane, kind });
        }
        stuck
    }

    fn opened() -> Kind {
        Kind::LaneOpened(Box::new(LaneOpened {
            kind: LaneKind::Worker,
            pool: None,
            name: "worker".to_owned(),
            pid: None,
            tid: None,
        }))
    }

    fn returned(chunk: u32) -> Kind {
        Kind::Returned { call: CALL, chunk }
    }

    fn started(index: u32) -> Kind {
        Kind::Started {
            task: TaskId { call: CALL, index },
            cpu: None,
        }
    }

    fn lost(first: u32, end: u32) -> Kind {
        Kind::Lost {
            call: CALL,
            tasks: Indexes::new(first, end),
        }
    }

    #[test]
    fn what_is_left_of_a_lost_chunk_waits_for_the_others() {
        let die = [(2, FaultKind::Die)];
        assert!(!told(&die, vec![lost(0, 4), opened(), returned(1)]).is_so());
        let over = || vec![lost(0, 4), returned(1), returned(2)];
        assert!(!told(&die, over()).is_so(), "who died is not replaced");
        assert!(told(&die, [over(), vec![opened()]].concat()).is_so());
        assert!(!told(&[], vec![returned(0), returned(1), returned(2)]).is_so());
    }

    #[test]
    fn a_task_that_hangs_takes_its_chunk_with_it() {
        let hang = [(5, FaultKind::Hang)];
        assert!(!told(&hang, vec![returned(0), returned(2)]).is_so());
        assert!(told(&hang, vec![returned(0), started(5), returned(2)]).is_so());
    }

    #[test]
    fn nothing_comes_when_every_worker_hangs() {
        let hang = [(0, FaultKind::Hang), (4, FaultKind::Hang)];
        assert!(!told(&hang, vec![started(0)]).is_so());
        assert!(told(&hang, vec![started(0), started(4)]).is_so());
    }

    #[test]
    fn main_does_its_own_work_first() {
        let state = CallerState::OwnWork;
        let working = Kind::Caller { state };
        let hang = [(0, FaultKind::Hang), (4, FaultKind::Hang)];
        assert!(!told(&hang, vec![started(0), started(4), working]).is_so());
    }
}
