//! What is told of places that very many workers had is what a count of each of them gives.

use super::BLOCK;
use crate::event::{
    CallBegan, CallId, Category, Ended, Ends, Event, Indexes, Kind, LaneId, LaneKind, LaneOpened,
    NamedSpan, Outcome, PoolId, Ran, RunBegan, TaskId,
};
use crate::time::{Nanos, Span, Time};
use crate::trace::Trace;

const PLACES: u32 = 3;
const WORKERS: u32 = 240;
const TASKS: u32 = PLACES * WORKERS;

/// Numbers as they come, the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % end
    }
}

struct Story {
    chance: Chance,
    events: Vec<Event>,
}

impl Story {
    fn tell(&mut self, at: u64, lane: u32, kind: Kind) {
        let (at, lane) = (Time(at), LaneId(lane));
        self.events.push(Event { at, lane, kind });
    }

    fn begin(&mut self, program: bool) {
        let began = RunBegan {
            program,
            ..RunBegan::of_program(String::new(), Some(PLACES))
        };
        self.tell(0, 0, Kind::RunBegan(Box::new(began)));
        for (call, at) in [(0, 40), (1, 9_000)] {
            let began = CallBegan {
                call: CallId(call),
                pool: Some(PoolId(0)),
                method: "map".to_owned(),
                function: "f".to_owned(),
                source: None,
                tasks: Some(TASKS),
                chunksize: Some(1),
            };
            self.tell(at, 0, Kind::CallBegan(Box::new(began)));
            let (call, tasks) = (CallId(call), Indexes::new(0, TASKS));
            self.tell(at, 0, Kind::Submitted { call, tasks });
        }
        // The last message of one call is sent in the middle of it; the other has some that never are.
        for (call, at, end) in [(0, 7_003, TASKS), (1, 15_000, TASKS - 1)] {
            let (call, chunks) = (CallId(call), Indexes::new(0, end));
            self.tell(at, 0, Kind::Enqueued { call, chunks });
        }
    }

    /// Workers of one place; some have their place before the one before them is over.
    fn fill(&mut self, place: u32) {
        let mut at = 50 + u64::from(place);
        for turn in 0..WORKERS {
            let lane = 1 + place + turn * PLACES;
            let opened = LaneOpened {
                kind: LaneKind::Worker,
                pool: Some(PoolId(0)),
                name: format!("worker {place}"),
                pid: None,
                tid: None,
            };
            self.tell(at, lane, Kind::LaneOpened(Box::new(opened)));
            at += self.chance.below(20);
            let task = TaskId {
                call: CallId(u32::from(at > 9_500)),
                index: lane - 1,
            };
            at = self.have(task, lane, at);
            at += self.chance.below(8);
            let ended = [Ended::Retired, Ended::Killed][usize::from(turn % 7 == 3)];
            self.tell(at, lane, Kind::LaneClosed { ended });
            at = match self.chance.below(12) {
                0 => at.saturating_sub(9),
                1 => at,
                _ => at + self.chance.below(15),
            };
        }
    }

    /// A task, or none; perhaps with an account, and something else before it.
    fn have(&mut self, task: TaskId, lane: u32, at: u64) -> u64 {
        let (start, end) = (at + self.chance.below(10), at + 10 + self.chance.below(60));
        if self.chance.below(3) == 0 {
            let span = NamedSpan {
                name: "get".to_owned(),
                category: Category::Overhead,
                since: Time(at),
            };
            self.tell(start, lane, Kind::Span(Box::new(span)));
        }
        if self.chance.below(9) == 0 {
            return end;
        }
        let (cpu, outcome) = (None, Outcome::Ok);
        self.tell(start, lane, Kind::Started { task, cpu });
        if self.chance.below(2) == 0 {
            let part = Nanos((end - start) / 4);
            let ran = Ran {
                task,
                since: Time(start),
                on_cpu: part,
                waiting: part,
                useful_wait: Nanos(self.chance.below(5)),
                cpu,
                moved_to: None,
            };
            self.tell(end, lane, Kind::Ran(Box::new(ran)));
        }
        self.tell(end, lane, Kind::Finished { task, outcome, cpu });
        end
    }
}

fn story(seed: u64, program: bool) -> Vec<Event> {
    let mut story = Story {
        chance: Chance(seed),
        events: Vec::new(),
    };
    story.begin(program);
    (0..PLACES).for_each(|place| story.fill(place));
    let mut events = story.events;
    events.sort_by_key(|event| event.at);
    events
}

/// What is told of every place at some moments, for each of the calls.
fn told(trace: &Trace) -> Vec<String> {
    let mut told = Vec::new();
    let mut trace = trace.clone();
    for call in [0, 1].map(CallId) {
        trace.show(Some(call));
        for time in (0..trace.end().0 + 300).step_by(311).map(Time) {
            let rows = trace.rows().iter();
            let rows: Vec<_> = rows
                .map(|row| (trace.row_shares(row, time), trace.row_worked(row, time)))
                .collect();
            told.push(format!(
                "{call:?} {time:?} {rows:?} {:?}",
                trace.numbers(time)
            ));
        }
    }
    told
}

fn assert_same(a: &Trace, b: &Trace) {
    for (a, b) in told(a).into_iter().zip(told(b)) {
        assert_eq!(a, b);
    }
}

fn anew(trace: &Trace) -> Trace {
    let mut anew = trace.clone();
    anew.rows.forget_past();
    anew
}

#[test]
fn shares_and_numbers_of_very_many_workers_equal_a_recount() {
    for (seed, program, ends) in [
        (1, false, Ends::Returned),
        (2, true, Ends::Returned),
        (3, true, Ends::Never),
    ] {
        let mut trace = Trace::default();
        trace.apply(story(seed, program));
        let at = trace.end() + Nanos(50);
        let (lane, kind) = (LaneId(0), Kind::RunEnded { ends });
        trace.apply(vec![Event { at, lane, kind }]);
        for row in trace.rows() {
            assert!(row.past.over_before(Time::NEVER) > WORKERS as usize - 2 * BLOCK);
        }
        assert_same(&trace, &anew(&trace));
    }
}

#[test]
fn what_comes_late_of_a_worker_that_is_over_changes_what_is_kept() {
    let mut events = story(4, true);
    let is_late = |event: &Event| event.lane.0 % 50 == 7;
    let late: Vec<Event> = events.extract_if(.., |event| is_late(event)).collect();
    let mut trace = Trace::default();
    for batch in events.chunks(100) {
        trace.apply(batch.to_vec());
    }
    for event in late {
        trace.apply(vec![event]);
        let row = &trace.rows()[0];
        assert_eq!(
            trace.row_shares(row, trace.end()),
            anew(&trace).row_shares(row, trace.end())
        );
    }
    let mut whole = Trace::default();
    whole.apply(story(4, true));
    // The end brings all of them up to date, however late they came.
    for trace in [&mut trace, &mut whole] {
        let ends = Ends::Left;
        trace.apply(vec![Event {
            at: trace.end(),
            lane: LaneId(0),
            kind: Kind::RunEnded { ends },
        }]);
        for row in trace.rows() {
            assert!(row.past.over_before(Time::NEVER) > WORKERS as usize - 2 * BLOCK);
        }
    }
    assert_same(&trace, &whole);
    assert_same(&trace, &anew(&trace));
}

#[test]
fn what_is_told_of_a_worker_after_its_end_changes_what_is_kept() {
    let mut trace = Trace::default();
    trace.apply(story(6, true));
    for lane in [5, 200, 401].map(LaneId) {
        let closed = trace.lane(lane).and_then(|lane| lane.closed);
        let (at, _) = closed.expect("all of them have ended");
        let before = told(&trace);
        let span = NamedSpan {
            name: "put".to_owned(),
            category: Category::Overhead,
            since: trace.lane(lane).map_or(at, |lane| lane.opened),
        };
        let kind = Kind::Span(Box::new(span));
        trace.apply(vec![Event { at, lane, kind }]);
        assert_ne!(told(&trace), before);
        assert_same(&trace, &anew(&trace));
    }
}

#[test]
fn a_worker_that_is_told_anew_as_something_else_is_in_no_sum() {
    let mut trace = Trace::default();
    trace.apply(story(7, false));
    let lane = LaneId(5);
    let (opened, mut facts) = trace
        .lane(lane)
        .map(|lane| (lane.opened, lane.facts.clone()))
        .expect("the story has it");
    "another".clone_into(&mut facts.name);
    let at = Time(opened.0.saturating_sub(20));
    let kind = Kind::LaneOpened(Box::new(facts));
    trace.apply(vec![Event { at, lane, kind }]);
    assert!(
        trace
            .rows()
            .iter()
            .all(|row| row.past.over_before(Time::NEVER) == 0)
    );
    assert_same(&trace, &anew(&trace));
}

#[test]
fn no_worker_with_a_piece_in_a_span_is_left_out() {
    let mut trace = Trace::default();
    trace.apply(story(5, false));
    for row in trace.rows() {
        for start in (0..trace.end().0).step_by(211) {
            let span = Span::new(Time(start), Time(start + 300));
            let has_pieces = |id: &&LaneId| {
                let lane = trace.lane(**id);
                lane.is_some_and(|lane| !lane.pieces_in(span).is_empty())
            };
            let near = trace.lanes_in(row, span);
            let all = row.lanes.iter().filter(has_pieces);
            assert!(near.iter().filter(has_pieces).eq(all), "{span:?}");
            assert!(near.len() < 4 * BLOCK);
        }
    }
}
