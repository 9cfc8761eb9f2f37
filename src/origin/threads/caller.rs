//! The main program: a thread that submits, works, waits and takes, as [`Caller`] says.

use super::dispatcher::Sending;
use super::recorder::{HubMessage, Recorder};
use super::worker::Worker;
use super::{CALL, Shared};
use crate::call::{Caller, Step};
use crate::event::{
    CallBegan, CallerState, Ended, Ends, Indexes, Kind, LaneKind, LaneOpened, Note, PoolOpened,
    RunBegan,
};
use crate::platform;
use crate::time::{Nanos, Time};
use std::sync::Arc;

pub(super) struct MainProgram {
    shared: Arc<Shared>,
    recorder: Recorder,
    sending: Sending,
    /// A loop runs its tasks itself; they are told on a lane of their own.
    hands: Option<Worker>,
    state: Option<CallerState>,
    /// The end of the call was told.
    has_ended: bool,
}

impl MainProgram {
    /// Runs on the calling thread from the begin of the run to the end of the call.
    pub(super) fn run(
        shared: &Arc<Shared>,
        recorder: Recorder,
        sending: Sending,
        hands: Option<Recorder>,
    ) {
        let mut main = Self {
            hands: None,
            shared: shared.clone(),
            recorder,
            sending,
            state: None,
            has_ended: false,
        };
        main.open();
        main.hands = hands.map(|recorder| Worker::open(shared.clone(), recorder, 0, Time::ZERO));
        let ends = main.call();
        if let Some(mut hands) = main.hands.take() {
            hands.close(Ended::Finished);
        }
        if let Sending::Direct = main.sending {
            shared.queue.close();
        }
        // While the hub still reads what is told here: later nobody would take it out of the channel,
        // and that may be full.
        shared.tell_hub(HubMessage::Over(ends));
        // What it told is on its way, and a dispatcher learns that no more is to be sent.
        drop(main);
    }

    /// What a run begins with.
    fn open(&mut self) {
        let shared = self.shared.clone();
        let experiment = &shared.experiment;
        let began = RunBegan {
            label: format!(
                "{}, {} tasks, {}",
                experiment.method.name(),
                experiment.tasks,
                experiment.backend.name()
            ),
            measured: true,
            cpus: Some(platform::usable_cpus()),
            cpu_ids: platform::usable_cpu_ids(),
            gil: experiment.gil,
            serial: experiment.serial,
            work: Some(shared.works.iter().map(|work| work.cost).sum()),
            program: false,
        };
        self.tell_at(Time::ZERO, Kind::RunBegan(Box::new(began)));
        if let Some(pool) = shared.pool() {
            let pool = PoolOpened {
                pool,
                kind: experiment.backend.name().to_owned(),
                start_method: None,
                workers: Some(experiment.workers),
            };
            self.tell_at(Time::ZERO, Kind::PoolOpened(Box::new(pool)));
        }
        let lane = LaneOpened {
            kind: LaneKind::Caller,
            pool: None,
            name: "main".to_owned(),
            pid: Some(std::process::id()),
            tid: platform::thread_id(),
        };
        self.tell_at(Time::ZERO, Kind::LaneOpened(Box::new(lane)));
        self.tell_at(
            Time::ZERO,
            Kind::Caller {
                state: CallerState::Starting,
            },
        );
        self.state = Some(CallerState::Starting);
    }

    fn call(&mut self) -> Ends {
        let shared = self.shared.clone();
        let experiment = &shared.experiment;
        let early = self.spend(CallerState::Starting, experiment.startup)
            || self.spend(CallerState::OwnWork, experiment.serial);
        if early {
            return self.done(Ends::Cancelled);
        }
        let began = CallBegan {
            call: CALL,
            pool: shared.pool(),
            method: experiment.method.name().to_owned(),
            function: "f".to_owned(),
            source: None,
            tasks: Some(experiment.tasks),
            chunksize: Some(experiment.real_chunksize()),
        };
        self.tell(Kind::CallBegan(Box::new(began)));
        let ends = self.drive(&mut Caller::new(experiment.method, experiment.tasks));
        if ends == Ends::Never {
            // It waits for ever, and so does its call.
            return ends;
        }
        if !self.has_ended {
            self.end_call(ends);
        }
        self.done(ends)
    }

    fn end_call(&mut self, ends: Ends) {
        self.has_ended = true;
        self.tell(Kind::CallEnded { call: CALL, ends });
    }

    fn done(&mut self, ends: Ends) -> Ends {
        self.be(CallerState::Done);
        ends
    }

    /// Does what the caller's rules say until they say that it is done.
    fn drive(&mut self, caller: &mut Caller) -> Ends {
        let shared = self.shared.clone();
        let mut ended = Ends::Returned;
        loop {
            if shared.cancel.is_cancelled() {
                return Ends::Cancelled;
            }
            let step = match shared.desk.step(caller) {
                Step::Wait => match self.wait(caller) {
                    Ok(step) => step,
                    Err(ends) => return ends,
                },
                step => step,
            };
            match step {
                Step::Submit(tasks) => {
                    if let Err(ends) = self.submit(tasks) {
                        return ends;
                    }
                }
                Step::OwnWork => {
                    if self.spend(CallerState::OwnWork, shared.main_work) {
                        return Ends::Cancelled;
                    }
                }
                Step::Take(tasks) => {
                    if self.hands.is_none() {
                        self.be(CallerState::Collecting);
                    }
                    if !tasks.is_empty() {
                        self.tell(Kind::Delivered { call: CALL, tasks });
                    }
                }
                Step::Raise(first) => {
                    let pool = shared.pool();
                    let note = Note::error_taken(CALL, pool, first);
                    self.tell(Kind::Noted(Box::new(note)));
                }
                // Asked for again at once; it never says this twice in a row.
                Step::Wait => {}
                Step::End(ends) => {
                    self.end_call(ends);
                    ended = ends;
                }
                Step::Done => return ended,
            }
        }
    }

    fn submit(&mut self, tasks: Indexes) -> Result<(), Ends> {
        let rules = self.shared.experiment.method.rules();
        // One at a time has chunks of one task, with the same numbers.
        let chunks = if rules.one_at_a_time {
            tasks
        } else {
            Indexes::new(0, self.shared.chunks.count())
        };
        self.shared.desk.submit(chunks.len());
        let Some(hands) = self.hands.as_mut() else {
            self.be(CallerState::Submitting);
            let at = self.recorder.now();
            if tasks.is_empty() {
                return Ok(());
            }
            self.tell_at(at, Kind::Submitted { call: CALL, tasks });
            self.sending
                .send(&self.shared, &mut self.recorder, chunks, at);
            return Ok(());
        };
        let at = self.recorder.now();
        let state = CallerState::RunsTasks;
        if self.state.replace(state) != Some(state) {
            self.recorder.tell(at, Kind::Caller { state });
        }
        self.recorder
            .tell(at, Kind::Submitted { call: CALL, tasks });
        let served = self.recorder.quietly(|| hands.serve(chunks.first));
        if served.is_continue() {
            return Ok(());
        }
        self.hands = None;
        if self.shared.cancel.is_cancelled() {
            Err(Ends::Cancelled)
        } else {
            Err(Ends::Never)
        }
    }

    /// Blocks until there is something to do.
    fn wait(&mut self, caller: &mut Caller) -> Result<Step, Ends> {
        let shared = self.shared.clone();
        if let Some(call) = shared.experiment.method.rules().blocked_in {
            self.be(CallerState::Blocked(call));
        }
        let found = self
            .recorder
            .quietly(|| shared.desk.wait(caller, &shared.cancel));
        if found == Err(Ends::Never) && self.recorder.quietly(|| shared.wait_for_stop()) {
            return Err(Ends::Cancelled);
        }
        found
    }

    /// Spends time in a state; true if it was cancelled meanwhile.
    fn spend(&mut self, state: CallerState, length: Nanos) -> bool {
        if length == Nanos::ZERO {
            return false;
        }
        self.be(state);
        let until = self.shared.clock.instant(self.recorder.now() + length);
        self.recorder
            .quietly(|| self.shared.cancel.wait_until(until))
    }

    fn be(&mut self, state: CallerState) {
        if self.state != Some(state) {
            self.state = Some(state);
            self.tell(Kind::Caller { state });
        }
    }

    fn tell(&mut self, kind: Kind) {
        let at = self.recorder.now();
        self.tell_at(at, kind);
    }

    fn tell_at(&mut self, at: Time, kind: Kind) {
        self.recorder.tell(at, kind);
    }
}
