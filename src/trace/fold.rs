//! How events become a trace: the one place where it changes.

use super::{Call, CallerTrace, CpuLane, Lane, Marker, MarkerKind, Row, Trace};
use crate::event::{
    CallId, CpuId, Ended, Event, Kind, LaneId, LaneKind, LaneOpened, Outcome, Ran, TaskId,
};
use crate::time::{Nanos, Span, Time};

/// More lanes than this are not believed: an id from outside never sizes memory.
const MOST_LANES: u32 = 1 << 16;

impl Trace {
    /// Folds events in. Within a lane they must come in order; lanes may be mixed.
    pub fn apply(&mut self, mut events: Vec<Event>) {
        // Lanes are often told one after another: sorted, few events are late and have to be put between others.
        if !events.is_sorted_by_key(|event| (event.at, event.lane)) {
            events.sort_by_key(|event| (event.at, event.lane));
        }
        for event in events {
            self.fold(event);
        }
        let measured = self.run.as_ref().is_none_or(|run| run.measured);
        let ended = self.ended.is_some();
        for call in &mut self.calls {
            call.settle(measured, ended);
        }
    }

    fn fold(&mut self, Event { at, lane, kind }: Event) {
        self.end = self.end.max(at);
        match kind {
            Kind::RunBegan(run) => self.run = Some(*run),
            Kind::RunEnded { ends } => self.ended = Some((at, ends)),
            Kind::PoolOpened(_) | Kind::PoolClosed { .. } => {}
            Kind::LaneOpened(facts) => self.open_lane(lane, *facts, at),
            Kind::LaneClosed { ended } => self.close_lane(lane, at, ended),
            Kind::CallBegan(facts) => {
                self.mark(
                    at,
                    lane,
                    MarkerKind::Call,
                    format!("{} begins", facts.method),
                );
                match self
                    .calls
                    .iter_mut()
                    .find(|call| call.facts.call == facts.call)
                {
                    Some(call) => call.began(*facts, lane, at),
                    None => self.calls.push(Call::new(*facts, lane, at)),
                }
            }
            Kind::CallEnded { call, ends } => {
                let call = self.call_mut(call, at, lane);
                call.ended = Some((at, ends));
                let text = format!("{} ends: {}", call.facts.method, ends.word());
                self.mark(at, lane, MarkerKind::Call, text);
            }
            Kind::Submitted { call, tasks } => {
                self.call_mut(call, at, lane).submit(tasks, at);
            }
            Kind::Enqueued { call, chunks } => {
                self.call_mut(call, at, lane).enqueue(chunks, at);
            }
            Kind::Dequeued { call, chunk } => {
                if let Some(chunk) = self.call_mut(call, at, lane).chunk_mut(chunk) {
                    chunk.dequeued = at;
                }
            }
            Kind::Returned { call, chunk } => {
                if let Some(chunk) = self.call_mut(call, at, lane).chunk_mut(chunk) {
                    chunk.returned = at;
                }
            }
            Kind::Started { task, cpu } => {
                self.call_mut(task.call, at, lane)
                    .start(task.index, at, lane, cpu);
                if let Some(lane) = self.lane_mut(lane, at) {
                    lane.start(task, at, cpu);
                }
            }
            Kind::Finished { task, outcome, cpu } => {
                self.call_mut(task.call, at, lane)
                    .finish(task.index, at, lane, outcome, cpu);
                self.place_on_cpu(task, lane);
                if let Some(lane) = self.lane_mut(lane, at) {
                    lane.finish(task, at, outcome == Outcome::Failed);
                }
            }
            Kind::Raised(raised) => {
                self.mark(
                    at,
                    lane,
                    MarkerKind::Error,
                    format!("task {}: {}", raised.task.index, raised.error),
                );
                self.call_mut(raised.task.call, at, lane)
                    .raise(raised.task.index, raised.error);
            }
            Kind::Ran(ran) => self.account(&ran, at, lane),
            Kind::OnCpu(on) => {
                let span = Span::new(on.since, at);
                self.cpu_mut(on.cpu)
                    .add(span, on.task, span.length(), None, lane);
            }
            Kind::Lost { call, tasks } => self.call_mut(call, at, lane).lose(tasks, at),
            Kind::Ready { call, tasks } => {
                self.call_mut(call, at, lane).make_ready(tasks, at, lane);
            }
            Kind::Delivered { call, tasks } => {
                self.call_mut(call, at, lane).deliver(tasks, at, lane);
            }
            Kind::Caller { state } => {
                if !self.callers.iter().any(|caller| caller.lane == lane) {
                    self.callers.push(CallerTrace::new(lane));
                }
                if let Some(caller) = self.callers.iter_mut().find(|caller| caller.lane == lane) {
                    caller.change(at, state);
                }
            }
            Kind::Span(span) => {
                if let Some(lane) = self.lane_mut(lane, at) {
                    lane.other(&span, at);
                }
            }
            Kind::Sample(sample) => self.samples.push((at, lane, *sample)),
            Kind::Marked(text) => self.mark(at, lane, MarkerKind::Note, *text),
            Kind::Noted(note) => self.mark(at, lane, MarkerKind::Note, note.text),
            Kind::CallAgain { .. } | Kind::Carried { .. } => {}
            Kind::Dropped { count } => self.dropped += u64::from(count),
        }
    }

    fn open_lane(&mut self, id: LaneId, facts: LaneOpened, at: Time) {
        if id.0 >= MOST_LANES {
            self.dropped += 1;
            return;
        }
        if facts.kind == LaneKind::Worker {
            match self.rows.iter_mut().find(|row| row.name == facts.name) {
                Some(row) => {
                    row.lanes.push(id);
                    row.lanes.sort_unstable();
                }
                None => self.rows.push(Row {
                    name: facts.name.clone(),
                    lanes: vec![id],
                }),
            }
            self.rows.sort_by_key(|row| row.lanes[0]);
        }
        let slot = id.0 as usize;
        if self.lanes.len() <= slot {
            self.lanes.resize(slot + 1, None);
        }
        self.lanes[slot] = Some(Lane::new(id, facts, at));
    }

    fn close_lane(&mut self, id: LaneId, at: Time, ended: Ended) {
        let Some(lane) = self.lane_mut(id, at) else {
            return;
        };
        lane.close(at);
        lane.closed = Some((at, ended));
        let name = lane.facts.name.clone();
        if matches!(ended, Ended::Killed | Ended::Crashed) {
            self.mark(
                at,
                id,
                MarkerKind::Death,
                format!("{name} {}", ended.word()),
            );
        }
    }

    /// A task that ended without any account of its stretches was on the CPU it started on, as far as is known.
    fn place_on_cpu(&mut self, id: TaskId, lane: LaneId) {
        let call = self.calls.iter().find(|call| call.facts.call == id.call);
        let Some(task) = call.and_then(|call| call.task(id.index)).copied() else {
            return;
        };
        if let (Some(cpu), Some(service), Nanos::ZERO) =
            (task.cpu_start, task.service(), task.known)
        {
            let moved_to = task.cpu_end.filter(|&end| end != cpu);
            self.cpu_mut(cpu).add(
                Span::new(task.started, task.finished),
                id,
                service,
                moved_to,
                lane,
            );
        }
    }

    fn account(&mut self, ran: &Ran, at: Time, lane: LaneId) {
        self.call_mut(ran.task.call, at, lane).account(ran, at);
        if let Some(cpu) = ran.cpu {
            self.cpu_mut(cpu).add(
                Span::new(ran.since, at),
                ran.task,
                ran.on_cpu,
                ran.moved_to,
                lane,
            );
        }
        if let Some(lane) = self.lane_mut(lane, at) {
            lane.ran(ran, at);
        }
    }

    fn mark(&mut self, at: Time, lane: LaneId, kind: MarkerKind, text: String) {
        let place = self
            .markers
            .partition_point(|marker| (marker.at, marker.lane) <= (at, lane));
        self.markers.insert(
            place,
            Marker {
                at,
                lane,
                kind,
                text,
            },
        );
    }

    /// The lane, opened without a name if its begin was not seen.
    fn lane_mut(&mut self, id: LaneId, at: Time) -> Option<&mut Lane> {
        if self.lane(id).is_none() {
            let name = format!("lane {}", id.0);
            self.open_lane(
                id,
                LaneOpened {
                    kind: LaneKind::Other,
                    pool: None,
                    name,
                    pid: None,
                    tid: None,
                },
                at,
            );
        }
        self.lanes.get_mut(id.0 as usize).and_then(Option::as_mut)
    }

    fn call_mut(&mut self, id: CallId, at: Time, lane: LaneId) -> &mut Call {
        let place = self
            .calls
            .iter()
            .position(|call| call.facts.call == id)
            .unwrap_or_else(|| {
                self.calls.push(Call::unseen(at, lane, id));
                self.calls.len() - 1
            });
        &mut self.calls[place]
    }

    fn cpu_mut(&mut self, id: CpuId) -> &mut CpuLane {
        let place = self
            .cpus
            .binary_search_by_key(&id, |lane| lane.cpu)
            .unwrap_or_else(|place| {
                self.cpus.insert(place, CpuLane::new(id));
                place
            });
        &mut self.cpus[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CallBegan, CallerState, Ends, Indexes, RunBegan};

    const CALL: CallId = CallId(0);

    fn event(at: u64, lane: u32, kind: Kind) -> Event {
        Event {
            at: Time(at),
            lane: LaneId(lane),
            kind,
        }
    }

    fn opened(lane: u32, kind: LaneKind, name: &str) -> Event {
        let facts = LaneOpened {
            kind,
            pool: None,
            name: name.to_owned(),
            pid: None,
            tid: None,
        };
        event(0, lane, Kind::LaneOpened(Box::new(facts)))
    }

    fn task(index: u32) -> TaskId {
        TaskId { call: CALL, index }
    }

    /// Two workers, three tasks of a map: 0 on worker 0 to 10, 1 and 2 on worker 1 to 4 and 9.
    #[expect(clippy::too_many_lines, reason = "a run told event by event")]
    fn small_map() -> Vec<Event> {
        let run = RunBegan {
            label: "map".to_owned(),
            measured: false,
            cpus: Some(2),
            gil: false,
            serial: Nanos::ZERO,
            work: None,
            program: false,
        };
        let call = CallBegan {
            call: CALL,
            pool: None,
            method: "map".to_owned(),
            function: "f".to_owned(),
            source: None,
            tasks: Some(3),
            chunksize: Some(1),
        };
        let all = Indexes::new(0, 3);
        let mut events = vec![
            event(0, 0, Kind::RunBegan(Box::new(run))),
            opened(0, LaneKind::Caller, "main"),
            opened(1, LaneKind::Worker, "worker 0"),
            opened(2, LaneKind::Worker, "worker 1"),
            event(0, 0, Kind::CallBegan(Box::new(call))),
            event(
                0,
                0,
                Kind::Submitted {
                    call: CALL,
                    tasks: all,
                },
            ),
            event(
                0,
                0,
                Kind::Enqueued {
                    call: CALL,
                    chunks: all,
                },
            ),
            event(
                0,
                0,
                Kind::Caller {
                    state: CallerState::Blocked(crate::event::BlockedIn::Map),
                },
            ),
        ];
        for (lane, index, start, end) in [(1, 0, 0, 10), (2, 1, 0, 4), (2, 2, 4, 9)] {
            let ran = Ran {
                task: task(index),
                since: Time(start),
                on_cpu: Nanos(end - start),
                waiting: Nanos::ZERO,
                useful_wait: Nanos::ZERO,
                cpu: Some(crate::event::CpuId(lane as u16)),
                moved_to: None,
            };
            events.push(event(
                start,
                lane,
                Kind::Started {
                    task: task(index),
                    cpu: None,
                },
            ));
            events.push(event(end, lane, Kind::Ran(Box::new(ran))));
            events.push(event(
                end,
                lane,
                Kind::Finished {
                    task: task(index),
                    outcome: Outcome::Ok,
                    cpu: None,
                },
            ));
        }
        events.extend([
            event(
                10,
                0,
                Kind::Ready {
                    call: CALL,
                    tasks: all,
                },
            ),
            event(
                10,
                0,
                Kind::Delivered {
                    call: CALL,
                    tasks: all,
                },
            ),
            event(
                10,
                0,
                Kind::Caller {
                    state: CallerState::Done,
                },
            ),
            event(
                10,
                0,
                Kind::CallEnded {
                    call: CALL,
                    ends: Ends::Returned,
                },
            ),
            event(
                10,
                0,
                Kind::RunEnded {
                    ends: Ends::Returned,
                },
            ),
        ]);
        events
    }

    #[test]
    fn numbers_follow_their_definitions() {
        let mut trace = Trace::default();
        trace.apply(small_map());
        let numbers = trace.numbers(trace.end());
        assert_eq!(numbers.makespan, Some(Nanos(10)));
        assert_eq!(numbers.serial_time, Some(Nanos(19)));
        assert_eq!(numbers.speedup, Some(1.9));
        assert_eq!(numbers.efficiency, Some(0.95));
        assert_eq!(numbers.inversions_finished, 2);
        assert_eq!((numbers.inversions_delivered, numbers.delivered), (0, 3));
        assert_eq!(numbers.blocked_main, Some(Nanos(10)));
        assert_eq!(numbers.hold, Some(Nanos(7 / 3)));
        assert_eq!(numbers.lower_bound, Some(Nanos(10)));
        let half = trace.numbers(Time(5));
        assert_eq!(
            (half.finished, half.started, half.queue_depth, half.makespan),
            (1, 3, 0, None)
        );
    }

    #[test]
    fn shares_add_up_at_every_moment() {
        let mut trace = Trace::default();
        trace.apply(small_map());
        for at in 0..=12 {
            let shares = trace.shares(Time(at));
            assert_eq!(shares.total(), Nanos(2 * at.min(10)), "{at}: {shares:?}");
        }
        assert_eq!(trace.shares(Time(10)).idle, Nanos(1));
        assert_eq!(trace.shares(Time(10)).on_cpu, Nanos(19));
    }

    #[test]
    fn any_batches_and_any_mixture_of_lanes_give_the_same_trace() {
        let mut whole = Trace::default();
        whole.apply(small_map());
        for first in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [2, 1, 0]] {
            let mut mixed = Trace::default();
            for lane in first {
                for event in small_map()
                    .into_iter()
                    .filter(|event| event.lane == LaneId(lane))
                {
                    mixed.apply(vec![event]);
                }
            }
            for at in 0..12 {
                assert_eq!(
                    mixed.numbers(Time(at)),
                    whole.numbers(Time(at)),
                    "{first:?} at {at}"
                );
                assert_eq!(
                    mixed.shares(Time(at)),
                    whole.shares(Time(at)),
                    "{first:?} at {at}"
                );
            }
        }
    }

    #[test]
    fn stepping_visits_every_moment_forth_and_back() {
        let mut trace = Trace::default();
        trace.apply(small_map());
        let forth: Vec<u64> = std::iter::successors(Some(Time(0)), |&at| trace.moment_after(at))
            .map(|at| at.0)
            .collect();
        assert_eq!(forth, [0, 4, 9, 10]);
        let back: Vec<u64> = std::iter::successors(Some(Time(10)), |&at| trace.moment_before(at))
            .map(|at| at.0)
            .collect();
        assert_eq!(back, [10, 9, 4, 0]);
    }

    #[test]
    fn a_trace_may_begin_anywhere() {
        let mut trace = Trace::default();
        trace.apply(small_map().split_off(9));
        assert_eq!(
            trace.call().map(|call| call.finished.entries().len()),
            Some(3)
        );
        assert_eq!(
            trace.lane(LaneId(1)).map(|lane| lane.pieces().len()),
            Some(1)
        );
    }
}
