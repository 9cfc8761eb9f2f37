//! What a watched program tells, event by event, without a program.

use parviz::event::{
    BlockedIn, CallBegan, CallId, CallerState, Ended, Ends, Event, Indexes, Kind, LaneId, LaneKind,
    LaneOpened, Note, NoteKind, Outcome, PROCESS_ON_CPU, PoolId, PoolOpened, Raised, RunBegan,
    Sample, TaskId,
};
use parviz::time::Time;

/// A millisecond.
const UNIT: u64 = 1_000_000;
const MAIN: LaneId = LaneId(0);

/// A program that is being told of.
pub(crate) struct Story {
    pub(crate) events: Vec<Event>,
}

impl Story {
    pub(crate) fn new() -> Self {
        let run = RunBegan::of_program("script.py".to_owned(), Some(4));
        let mut story = Self { events: Vec::new() };
        story.tell(0, MAIN, Kind::RunBegan(Box::new(run)));
        story.lane(0, MAIN, LaneKind::Caller, None, "main");
        story
    }

    pub(crate) fn tell(&mut self, at: u64, lane: LaneId, kind: Kind) -> &mut Self {
        let at = Time(at * UNIT);
        self.events.push(Event { at, lane, kind });
        self
    }

    pub(crate) fn lane(
        &mut self,
        at: u64,
        lane: LaneId,
        kind: LaneKind,
        pool: Option<PoolId>,
        name: &str,
    ) -> &mut Self {
        let facts = LaneOpened {
            kind,
            pool,
            name: name.to_owned(),
            pid: Some(4_000 + lane.0.saturating_sub(u32::from(kind == LaneKind::Other))),
            tid: None,
        };
        self.tell(at, lane, Kind::LaneOpened(Box::new(facts)))
    }

    /// A pool with its workers, on lanes from `first` on.
    pub(crate) fn pool(
        &mut self,
        at: u64,
        pool: u32,
        kind: &str,
        lanes: std::ops::Range<u32>,
    ) -> &mut Self {
        let facts = PoolOpened {
            pool: PoolId(pool),
            kind: kind.to_owned(),
            start_method: Some("fork".to_owned()),
            workers: Some(lanes.len() as u32),
        };
        self.tell(at, MAIN, Kind::PoolOpened(Box::new(facts)));
        for (number, lane) in lanes.enumerate() {
            let name = format!("worker {number}");
            self.lane(
                at + 2,
                LaneId(lane),
                LaneKind::Worker,
                Some(PoolId(pool)),
                &name,
            );
        }
        self
    }

    /// A call of main of tasks with these costs, handed out to the workers in turn: each to the one that
    /// is free first. Answers when the last one finished.
    pub(crate) fn map(
        &mut self,
        began: u64,
        (call, pool): (u32, u32),
        (method, function): (&str, &str),
        lanes: std::ops::Range<u32>,
        costs: &[u64],
    ) -> u64 {
        let id = CallId(call);
        let all = Indexes::new(0, costs.len() as u32);
        let facts = CallBegan {
            call: id,
            pool: Some(PoolId(pool)),
            method: method.to_owned(),
            function: function.to_owned(),
            source: Some(("/home/me/script.py".to_owned(), 12 + call)),
            tasks: Some(costs.len() as u32),
            chunksize: Some(1),
        };
        self.tell(began, MAIN, Kind::CallBegan(Box::new(facts)));
        self.tell(
            began,
            MAIN,
            Kind::Submitted {
                call: id,
                tasks: all,
            },
        );
        self.tell(
            began,
            MAIN,
            Kind::Enqueued {
                call: id,
                chunks: all,
            },
        );
        let state = CallerState::Blocked(BlockedIn::Map);
        self.tell(began, MAIN, Kind::Caller { state });
        let mut free: Vec<(u64, u32)> = lanes.map(|lane| (began + 1, lane)).collect();
        for (index, &cost) in (0..).zip(costs) {
            free.sort_unstable();
            let (start, lane) = free[0];
            let task = TaskId { call: id, index };
            let lane = LaneId(lane);
            self.tell(
                start,
                lane,
                Kind::Dequeued {
                    call: id,
                    chunk: index,
                },
            );
            self.tell(start, lane, Kind::Started { task, cpu: None });
            let outcome = Outcome::Ok;
            self.tell(
                start + cost,
                lane,
                Kind::Finished {
                    task,
                    outcome,
                    cpu: None,
                },
            );
            free[0].0 = start + cost;
        }
        let end = free.iter().map(|lane| lane.0).max().unwrap_or(began);
        self.tell(
            end,
            MAIN,
            Kind::Ready {
                call: id,
                tasks: all,
            },
        );
        self.tell(
            end,
            MAIN,
            Kind::Delivered {
                call: id,
                tasks: all,
            },
        );
        let state = CallerState::OwnWork;
        self.tell(end, MAIN, Kind::Caller { state });
        self.tell(
            end,
            MAIN,
            Kind::CallEnded {
                call: id,
                ends: Ends::Returned,
            },
        );
        end
    }

    pub(crate) fn note(&mut self, at: u64, kind: NoteKind, text: &str, value: i64) -> &mut Self {
        let note = Note {
            kind,
            pool: None,
            call: None,
            text: text.to_owned(),
            value,
        };
        self.tell(at, MAIN, Kind::Noted(Box::new(note)))
    }

    /// A process has been on CPUs for so many milliseconds by now.
    pub(crate) fn cpu(&mut self, at: u64, lane: LaneId, used: u64) -> &mut Self {
        let sample = Sample {
            quantity: PROCESS_ON_CPU.to_owned(),
            value: (used * UNIT) as f64,
        };
        self.tell(at, lane, Kind::Sample(Box::new(sample)))
    }

    /// The program ends with this code.
    pub(crate) fn end(&mut self, at: u64, code: i64) -> &mut Self {
        self.note(at, NoteKind::ProgramEnded, "", code);
        self.tell(
            at,
            MAIN,
            Kind::RunEnded {
                ends: Ends::Returned,
            },
        )
    }

    /// Two pools and three calls: eight tasks, twelve on the same workers, six on others.
    pub(crate) fn three_calls() -> Self {
        let mut story = Self::new();
        story.pool(20, 1, "Pool", 1..5);
        let first = [90, 20, 60, 10, 40, 10, 80, 50];
        let end = story.map(30, (1, 1), ("map", "f"), 1..5, &first);
        let second = [30, 70, 20, 50, 40, 60, 10, 20, 30, 80, 40, 50];
        let end = story.map(end + 10, (2, 1), ("map", "crunch"), 1..5, &second);
        story.pool(end + 5, 2, "ProcessPoolExecutor", 5..7);
        story.map(
            end + 15,
            (3, 2),
            ("map", "g"),
            5..7,
            &[40, 30, 60, 20, 50, 40],
        );
        story
    }

    /// A worker is killed in a task whose result then never comes.
    pub(crate) fn lost_task() -> Self {
        let mut story = Self::new();
        story.pool(20, 1, "Pool", 1..5);
        story.map(
            30,
            (1, 1),
            ("map", "f"),
            1..5,
            &[90, 20, 60, 10, 40, 10, 80, 50],
        );
        let lost = TaskId {
            call: CallId(1),
            index: 6,
        };
        // What the eighth task did is not told any more, and no result is handed over.
        story.events.retain(|event| {
            let finished = matches!(event.kind, Kind::Finished { task, .. } if task == lost);
            let handed = matches!(
                event.kind,
                Kind::Ready { .. } | Kind::Delivered { .. } | Kind::CallEnded { .. }
            );
            !finished && !handed
        });
        let started = story
            .events
            .iter()
            .find(|event| matches!(event.kind, Kind::Started { task, .. } if task == lost));
        let (at, lane) = started.map_or((60, LaneId(2)), |event| (event.at.0 / UNIT, event.lane));
        story.tell(
            at + 20,
            lane,
            Kind::LaneClosed {
                ended: Ended::Killed,
            },
        );
        story.tell(
            at + 20,
            lane,
            Kind::Lost {
                call: CallId(1),
                tasks: Indexes::one(6),
            },
        );
        let name = format!("worker {}", lane.0 - 1);
        story.lane(at + 40, LaneId(9), LaneKind::Worker, Some(PoolId(1)), &name);
        story
    }

    /// A task fails with this error.
    pub(crate) fn raises(&mut self, call: u32, index: u32, error: &str) -> &mut Self {
        let wanted = TaskId {
            call: CallId(call),
            index,
        };
        let place = self
            .events
            .iter()
            .position(|event| matches!(event.kind, Kind::Finished { task, .. } if task == wanted));
        if let Some(place) = place {
            let (at, lane) = (self.events[place].at, self.events[place].lane);
            self.events[place].kind = Kind::Finished {
                task: wanted,
                outcome: Outcome::Failed,
                cpu: None,
            };
            let error = error.to_owned();
            let kind = Kind::Raised(Box::new(Raised {
                task: wanted,
                error,
            }));
            self.events.insert(place, Event { at, lane, kind });
        }
        self
    }
}
