//! Whether a call of the lab can never complete and nothing else can happen in its run.
//!
//! A chunk is over when it is answered, when its worker died, or when a task of it hangs. Once all of them are,
//! or every worker hangs, main waits, and who died has been replaced, nothing more will come.

use crate::event::{CallerState, Event, Kind, LaneId, LaneKind, NoteKind, Outcome};
use crate::experiment::{Experiment, PythonPool};
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
    /// Main runs the tasks itself.
    is_loop: bool,
    /// Its pool gives up when a worker dies, so that nothing is waited for in vain.
    gives_up: bool,
    /// Tasks that hang: they have done all they had to do.
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
        Self {
            tasks: experiment.tasks,
            workers: experiment.workers as usize,
            chunksize: 1,
            one_by_one: experiment.method == Method::Apply,
            is_loop: experiment.method == Method::Loop,
            gives_up: experiment.pool == PythonPool::Executor,
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
            Kind::Finished { task, outcome, .. } if *outcome == Outcome::Cancelled => {
                self.over.insert(task.index / self.chunksize);
            }
            Kind::Lost { tasks, .. } => {
                self.dead.insert(event.lane);
                // One that hung is dead now, and its worker is replaced.
                self.hung.retain(|&index| !tasks.contains(index));
                self.over
                    .extend(tasks.iter().map(|index| index / self.chunksize));
            }
            Kind::Noted(note) if note.kind == NoteKind::Broken => self.broken = true,
            _ => {}
        }
    }

    /// This task will never end.
    pub(super) fn hangs(&mut self, index: u32) {
        self.hung.insert(index);
        self.over.insert(index / self.chunksize);
    }

    /// An executor gave up.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// `main_is_out`: it is through with its call, by an error, and waits no more.
    pub(super) fn is_so(&self, main_is_out: bool) -> bool {
        if self.is_loop {
            return !self.hung.is_empty();
        }
        let lost = !(self.dead.is_empty() || self.gives_up);
        let waits_in_vain = lost && !main_is_out || !self.hung.is_empty();
        let are_replaced = self.dead.is_empty() || self.opened >= self.workers + self.dead.len();
        let chunks = self.tasks.div_ceil(self.chunksize) as usize;
        let nothing_comes =
            self.one_by_one || self.over.len() >= chunks || self.hung.len() >= self.workers;
        let main_waits = self.main_waits || main_is_out;
        waits_in_vain && nothing_comes && are_replaced && main_waits && !self.broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{BlockedIn, CallBegan, CallId, Indexes, LaneOpened};
    use crate::time::Time;

    const CALL: CallId = CallId(0);

    /// Three chunks of four on two workers, after what was told and while these tasks hang.
    fn told(hanging: &[u32], kinds: Vec<Kind>) -> Stuck {
        let mut stuck = Stuck::new(&Experiment {
            tasks: 12,
            workers: 2,
            method: Method::Map,
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
        for &index in hanging {
            stuck.hangs(index);
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

    fn lost(first: u32, end: u32) -> Kind {
        Kind::Lost {
            call: CALL,
            tasks: Indexes::new(first, end),
        }
    }

    #[test]
    fn what_is_left_of_a_lost_chunk_waits_for_the_others() {
        assert!(!told(&[], vec![lost(0, 4), opened(), returned(1)]).is_so(false));
        let over = || vec![lost(0, 4), returned(1), returned(2)];
        assert!(!told(&[], over()).is_so(false), "who died is not replaced");
        assert!(told(&[], [over(), vec![opened()]].concat()).is_so(false));
        assert!(!told(&[], vec![returned(0), returned(1), returned(2)]).is_so(false));
    }

    #[test]
    fn a_task_that_hangs_takes_its_chunk_with_it() {
        let others = || vec![returned(0), returned(2)];
        assert!(!told(&[], others()).is_so(false));
        assert!(told(&[5], others()).is_so(false));
    }

    #[test]
    fn nothing_comes_when_every_worker_hangs() {
        assert!(!told(&[0], Vec::new()).is_so(false));
        assert!(told(&[0, 4], Vec::new()).is_so(false));
    }

    #[test]
    fn main_does_its_own_work_first() {
        let state = CallerState::OwnWork;
        let working = Kind::Caller { state };
        assert!(!told(&[0, 4], vec![working]).is_so(false));
    }

    #[test]
    fn what_main_left_behind_may_hang_as_well() {
        let state = CallerState::Done;
        let out = || vec![returned(0), returned(2), Kind::Caller { state }];
        assert!(!told(&[5], out()).is_so(false));
        assert!(told(&[5], out()).is_so(true));
        assert!(!told(&[], out()).is_so(true));
    }

    #[test]
    fn a_loop_has_no_one_else() {
        let mut stuck = Stuck::new(&Experiment {
            method: Method::Loop,
            ..Experiment::default()
        });
        assert!(!stuck.is_so(false));
        stuck.hangs(1);
        assert!(stuck.is_so(false));
    }
}
