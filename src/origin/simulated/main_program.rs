//! The caller of a simulated run, and the dispatcher that sends its chunks.

use super::{CALL, CALLER, Simulation};
use crate::call::{Caller, Step};
use crate::event::{
    CallBegan, CallerState, Category, Ends, Indexes, Kind, LaneId, NamedSpan, Note,
};
use crate::experiment::Experiment;
use crate::method::Sends;
use crate::time::{Nanos, Time};

/// The main program.
#[derive(Debug)]
pub(super) struct MainProgram {
    caller: Caller,
    phase: Phase,
    state: CallerState,
    told: Option<CallerState>,
    /// While it does something that takes time; [`Time::NEVER`]: it is free, waits or has ended.
    pub(super) busy_until: Time,
    own_work: Nanos,
    /// Tasks it has handed to the pool.
    pub(super) submitted: u32,
    /// How the call ended, if it did.
    pub(super) ended: Option<Ends>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Serial,
    Calling,
}

/// Sends the chunks to the workers, one after another.
#[derive(Debug)]
pub(super) struct Dispatcher {
    pub(super) lane: LaneId,
    /// A loop has nothing to send.
    sends: bool,
    cost: Nanos,
    /// Chunks that were handed to it.
    submitted: u32,
    /// Chunks that workers may take.
    pub(super) sent: u32,
    /// When the next message arrives; [`Time::NEVER`]: none is under way.
    pub(super) arrives: Time,
}

impl MainProgram {
    pub(super) fn new(experiment: &Experiment, tasks: u32, own_work: Nanos) -> Self {
        Self {
            caller: Caller::new(experiment.method, tasks),
            phase: Phase::Starting,
            state: if experiment.startup > Nanos::ZERO {
                CallerState::Starting
            } else {
                CallerState::OwnWork
            },
            told: None,
            busy_until: Time::ZERO + experiment.startup,
            own_work,
            submitted: 0,
            ended: None,
        }
    }
}

impl Dispatcher {
    pub(super) fn new(experiment: &Experiment) -> Self {
        Self {
            lane: CALLER,
            sends: experiment.method.rules().sends != Sends::Nothing,
            cost: experiment.dispatch,
            submitted: 0,
            sent: 0,
            arrives: Time::NEVER,
        }
    }

    /// Then it has a lane of its own.
    pub(super) fn takes_time(&self) -> bool {
        self.sends && self.cost > Nanos::ZERO
    }
}

impl Simulation<'_> {
    /// Everything the caller can do at this moment.
    pub(super) fn step_main(&mut self) {
        if self.main.busy_until != Time::NEVER {
            if self.main.busy_until > self.now {
                return;
            }
            self.main.busy_until = Time::NEVER;
            match self.main.phase {
                Phase::Starting => {
                    self.started_up();
                    return self.step_main();
                }
                Phase::Serial => self.begin_call(),
                Phase::Calling => {}
            }
        }
        while self.main.state != CallerState::Done {
            match self.main.caller.step(&self.collector) {
                Step::Submit(tasks) => self.submit(tasks),
                Step::OwnWork => {
                    if self.main.own_work > Nanos::ZERO {
                        self.main.state = CallerState::OwnWork;
                        self.main.busy_until = self.now + self.main.own_work;
                        return;
                    }
                }
                Step::Wait => {
                    let blocked = self.experiment.method.rules().blocked_in;
                    self.main.state = blocked.map_or(CallerState::RunsTasks, CallerState::Blocked);
                    return;
                }
                Step::Take(tasks) => {
                    if !tasks.is_empty() {
                        self.tell(CALLER, Kind::Delivered { call: CALL, tasks });
                    }
                }
                Step::Raise(first) => {
                    let pool = self.has_pool().then_some(super::POOL);
                    let note = Note::error_taken(CALL, pool, first);
                    self.tell(CALLER, Kind::Noted(Box::new(note)));
                }
                Step::End(ends) => {
                    self.main.ended = Some(ends);
                    self.tell(CALLER, Kind::CallEnded { call: CALL, ends });
                }
                Step::Done => self.main.state = CallerState::Done,
            }
        }
    }

    fn started_up(&mut self) {
        if self.experiment.startup > Nanos::ZERO {
            for worker in 0..self.workers.len() {
                let span = NamedSpan {
                    name: "start-up".to_owned(),
                    category: Category::Overhead,
                    since: Time::ZERO,
                };
                self.tell(self.workers[worker].lane, Kind::Span(Box::new(span)));
            }
        }
        self.main.phase = Phase::Serial;
        self.main.state = CallerState::OwnWork;
        self.main.busy_until = self.now + self.experiment.serial;
    }

    fn begin_call(&mut self) {
        self.main.phase = Phase::Calling;
        let began = CallBegan {
            call: CALL,
            pool: self.has_pool().then_some(super::POOL),
            method: self.experiment.method.name().to_owned(),
            function: "f".to_owned(),
            source: None,
            tasks: Some(self.work.len() as u32),
            chunksize: Some(self.experiment.real_chunksize()),
        };
        self.tell(CALLER, Kind::CallBegan(Box::new(began)));
    }

    fn submit(&mut self, tasks: Indexes) {
        self.main.submitted = tasks.end;
        if !tasks.is_empty() {
            self.tell(CALLER, Kind::Submitted { call: CALL, tasks });
        }
        self.dispatcher.submitted = self.collector.chunks().before(tasks.end);
        if self.dispatcher.takes_time() {
            if self.dispatcher.arrives == Time::NEVER
                && self.dispatcher.sent < self.dispatcher.submitted
            {
                self.dispatcher.arrives = self.now + self.dispatcher.cost;
            }
        } else {
            self.enqueue(self.dispatcher.submitted);
        }
    }

    /// The message that arrives now, if one does.
    pub(super) fn dispatch(&mut self) {
        if self.dispatcher.arrives > self.now || self.broken {
            return;
        }
        let send = NamedSpan {
            name: "send".to_owned(),
            category: Category::Overhead,
            since: self.now - self.dispatcher.cost,
        };
        self.tell(self.dispatcher.lane, Kind::Span(Box::new(send)));
        self.enqueue(self.dispatcher.sent + 1);
        self.dispatcher.arrives = if self.dispatcher.sent < self.dispatcher.submitted {
            self.now + self.dispatcher.cost
        } else {
            Time::NEVER
        };
    }

    /// Chunks up to this one can be taken. Without a dispatcher of its own the caller's lane tells it.
    fn enqueue(&mut self, end: u32) {
        let chunks = Indexes::new(self.dispatcher.sent, end);
        self.dispatcher.sent = end;
        if self.dispatcher.sends && !chunks.is_empty() {
            let call = CALL;
            self.tell(self.dispatcher.lane, Kind::Enqueued { call, chunks });
        }
    }

    /// What the caller does from this moment on, if that is something new.
    pub(super) fn tell_state(&mut self) {
        let state = self.main.state;
        if self.main.told != Some(state) {
            self.main.told = Some(state);
            self.tell(CALLER, Kind::Caller { state });
        }
    }
}
