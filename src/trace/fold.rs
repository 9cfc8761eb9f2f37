//! How events become a trace: the one place where it changes.

use super::marker::Turn;
use super::task::Sent;
use super::text::cut;
use super::{Call, CallerTrace, CpuLane, Lane, MarkerKind, Pool, Trace};
use crate::event::{
    CallBegan, CallId, CpuId, Ended, Ends, Event, Kind, LaneId, LaneKind, LaneOpened, OnCpu,
    Outcome, PoolId, PoolOpened, Raised, Ran, RunBegan, Spent, TaskId,
};
use crate::time::{Span, Time};

/// More lanes than this are not believed: an id from outside never sizes memory. Eight bytes each, until
/// they are opened; what is told on others counts as not seen.
const MOST_LANES: u32 = 1 << 20;

/// As many CPUs as this have a lane from the start. Of more, those that do nothing would hide the rest.
const FEW_CPUS: usize = 16;

impl Trace {
    /// Folds events in. Within a lane they must come in order; lanes may be mixed.
    pub fn apply(&mut self, mut events: Vec<Event>) {
        // Lanes are often told one after another: sorted, few events are late and have to be put between others.
        // Who tells all lanes together tells those of one moment as one follows from the other.
        if !events.is_sorted_by_key(|event| event.at) {
            events.sort_by_key(|event| (event.at, event.lane));
        }
        for event in events {
            self.fold(event);
        }
        let measured = self.run.as_ref().is_none_or(|run| run.measured);
        let ended = self.ended.is_some();
        self.calls.settle(measured, ended, self.all_changed);
        for cpu in &mut self.cpus {
            cpu.settle();
        }
        let changed = std::mem::take(&mut self.over_changed);
        self.rows.settle(&changed, &self.lanes, self.all_changed);
        self.all_changed = false;
    }

    fn fold(&mut self, Event { at, lane, kind }: Event) {
        self.end = self.end.max(at);
        match kind {
            Kind::RunBegan(run) => self.begin_run(*run),
            Kind::RunEnded { ends } => {
                self.ended = Some((at, ends));
                self.all_changed = true;
            }
            Kind::PoolOpened(facts) => self.open_pool(*facts, at),
            Kind::PoolClosed { pool } => self.pool_mut(pool, at).closed = Some(at),
            Kind::LaneOpened(facts) => self.open_lane(lane, *facts, at),
            Kind::LaneClosed { ended } => self.close_lane(lane, at, ended),
            Kind::CallBegan(facts) => self.begin_call(*facts, at, lane),
            Kind::CallAgain { call, tasks } => {
                self.tallies.again.add(at, 1);
                self.calls.told(call, lane, at).begin_again(tasks, at, lane);
            }
            Kind::CallEnded { call, ends } => self.end_call(call, at, lane, ends),
            Kind::Submitted { call, tasks } => {
                self.call_mut(call, at, lane).submit(tasks, at);
            }
            Kind::Enqueued { call, chunks } => {
                let sent = self.call_mut(call, at, lane).enqueue(chunks, at);
                self.tallies.chunks.add(at, sent);
            }
            Kind::Dequeued { call, chunk } => {
                let call = self.call_mut(call, at, lane);
                call.set_chunk(Sent::Dequeued, chunk, at.0);
            }
            Kind::Returned { call, chunk } => {
                self.call_mut(call, at, lane).answer(chunk, at);
            }
            Kind::Started { task, cpu } => self.start(task, at, lane, cpu),
            Kind::Finished { task, outcome, cpu } => self.finish(task, at, lane, outcome, cpu),
            Kind::Raised(raised) => self.raise(*raised, at, lane),
            Kind::Ran(ran) => self.account(&ran, at, lane),
            Kind::Spent(spent) => self.share_out(&spent, at, lane),
            Kind::OnCpu(on) => self.was_on_cpu(&on, at, lane),
            Kind::Lost { call, tasks } => {
                let lost = self.call_mut(call, at, lane).lose(tasks, at);
                self.tallies.lost.add(at, lost);
            }
            Kind::Ready { call, tasks } => {
                self.call_mut(call, at, lane).make_ready(tasks, at, lane);
            }
            Kind::Delivered { call, tasks } => {
                self.call_mut(call, at, lane).deliver(tasks, at, lane);
            }
            Kind::Caller { state } => self.caller_mut(lane).change(at, state),
            Kind::Span(span) => {
                if let Some(lane) = self.lane_mut(lane, at) {
                    lane.other(&span, at);
                }
            }
            Kind::Sample(sample) => self.measure(sample.quantity, lane, at, sample.value),
            Kind::Marked(text) => self.markers.add(at, lane, MarkerKind::Note, *text),
            Kind::Noted(note) => self.note(at, lane, *note),
            Kind::Carried {
                call,
                chunk,
                bytes,
                way,
            } => self.call_mut(call, at, lane).carry(chunk, bytes, way, at),
            Kind::Dropped { count } => self.lose_events(at, lane, count),
        }
    }

    fn begin_run(&mut self, mut run: RunBegan) {
        run.label = cut(run.label);
        if run.cpu_ids.len() <= FEW_CPUS {
            for &cpu in &run.cpu_ids {
                self.cpu_mut(cpu);
            }
        }
        self.run = Some(run);
        self.calls.doubt();
        self.all_changed = true;
    }

    fn open_pool(&mut self, mut facts: PoolOpened, at: Time) {
        facts.kind = cut(facts.kind);
        let pool = self.pool_mut(facts.pool, at);
        (pool.facts, pool.opened) = (facts, at);
    }

    fn begin_call(&mut self, facts: CallBegan, at: Time, lane: LaneId) {
        let text = format!("{} begins", facts.method);
        self.markers
            .add_in_turn(at, lane, MarkerKind::Call, Turn::Begin, text);
        self.calls.began(facts, lane, at);
    }

    /// Of a series only the first end is marked.
    fn end_call(&mut self, id: CallId, at: Time, lane: LaneId, ends: Ends) {
        let call = self.calls.told(id, lane, at);
        let (is_first, other) = call.end(at, lane, ends);
        if let Some((at, lane)) = other {
            self.markers.take_end(at, lane, id);
        }
        if is_first {
            self.markers.add_end(at, lane, id, ends);
        }
    }

    fn start(&mut self, task: TaskId, at: Time, lane: LaneId, cpu: Option<CpuId>) {
        let call = self.call_mut(task.call, at, lane);
        if call.start(task.index, at, lane, cpu) {
            let failed = call.failed_at(task.index);
            self.tallies.tasks.add(at, 1);
            if let Some(failed) = failed {
                self.tallies.failed.add(failed, 1);
            }
        }
        if let Some(lane) = self.lane_mut(lane, at) {
            lane.start(task, at, cpu);
        }
    }

    fn finish(
        &mut self,
        task: TaskId,
        at: Time,
        lane: LaneId,
        outcome: Outcome,
        cpu: Option<CpuId>,
    ) {
        let call = self.call_mut(task.call, at, lane);
        if let Some(raised) = call.finish(task.index, at, lane, outcome, cpu) {
            self.tallies.failed.add(at, u32::from(raised));
            self.place_on_cpu(task, lane);
        }
        if let Some(lane) = self.lane_mut(lane, at) {
            lane.finish(task, at, outcome == Outcome::Failed);
        }
    }

    fn raise(&mut self, raised: Raised, at: Time, lane: LaneId) {
        let text = format!("task {}: {}", raised.task.index, raised.error);
        let turn = Turn::Error(raised.task.index);
        self.markers
            .add_in_turn(at, lane, MarkerKind::Error, turn, text);
        self.call_mut(raised.task.call, at, lane)
            .raise(raised.task.index, raised.error);
    }

    fn open_lane(&mut self, id: LaneId, mut facts: LaneOpened, at: Time) {
        if id.0 >= MOST_LANES {
            self.tallies
                .workers
                .add(at, u32::from(facts.kind == LaneKind::Worker));
            self.tallies.dropped.add(at, 1);
            return;
        }
        facts.name = cut(facts.name);
        let slot = id.0 as usize;
        if self.lanes.len() <= slot {
            self.lanes.resize(slot + 1, None);
        }
        let known = self.lanes[slot].as_deref().map(|lane| lane.facts.kind);
        if facts.kind == LaneKind::Worker && known != Some(LaneKind::Worker) {
            self.rows.add(id, facts.pool, &facts.name);
            self.tallies.workers.add(at, 1);
        }
        if facts.kind == LaneKind::Dispatcher {
            self.dispatcher = Some(self.dispatcher.map_or(id, |other| other.min(id)));
        }
        if let Some(lane) = self.lanes[slot].as_deref() {
            self.over_changed.push(id);
            let named = |facts: &LaneOpened| (facts.kind, facts.pool, facts.name.clone());
            if known == Some(LaneKind::Worker) && named(&lane.facts) != named(&facts) {
                if facts.kind == LaneKind::Worker {
                    self.rows.remove(id, lane.facts.pool, &lane.facts.name);
                    self.rows.add(id, facts.pool, &facts.name);
                }
                self.rows.rename();
            }
        }
        let is_process = facts.kind == LaneKind::Other && facts.pid.is_some();
        let opened = match &mut self.lanes[slot] {
            Some(lane) => {
                self.processes.remove(&(lane.opened, id));
                (lane.facts, lane.opened) = (facts, lane.opened.min(at));
                lane.opened
            }
            empty => empty.insert(Box::new(Lane::new(id, facts, at))).opened,
        };
        if is_process {
            self.processes.insert((opened, id));
        }
    }

    fn close_lane(&mut self, id: LaneId, at: Time, ended: Ended) {
        self.over_changed.push(id);
        let Some(lane) = self.lane_mut(id, at) else {
            return;
        };
        lane.close(at);
        lane.closed = Some((at, ended));
        if matches!(ended, Ended::Killed | Ended::Crashed) {
            // Whether it was killed is told with its exit code.
            let how = match lane.exit {
                Some(_) => lane.ending(),
                None => "died".to_owned(),
            };
            let text = format!("{} {how}", lane.facts.name);
            self.markers.add(at, id, MarkerKind::Death, text);
        }
    }

    /// A task that ended without any account of its stretches was on the CPU it started on, as far as is known.
    fn place_on_cpu(&mut self, id: TaskId, lane: LaneId) {
        let call = self.calls.get(id.call);
        if let Some((cpu, span, end)) = call.and_then(|call| call.unaccounted(id.index)) {
            let moved_to = end.filter(|&end| end != cpu);
            self.cpu_mut(cpu)
                .add(span, id, span.length(), moved_to, lane);
        }
    }

    fn was_on_cpu(&mut self, on: &OnCpu, at: Time, lane: LaneId) {
        let span = Span::new(on.since, at);
        self.cpu_mut(on.cpu)
            .add(span, on.task, span.length(), None, lane);
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

    fn share_out(&mut self, spent: &Spent, at: Time, id: LaneId) {
        let changes = self
            .lane_mut(id, at)
            .map_or_else(Vec::new, |lane| lane.spent(spent));
        for change in changes {
            self.call_mut(change.task.call, at, id).correct(&change);
        }
    }

    /// The lane, opened without a name if its begin was not seen.
    pub(super) fn lane_mut(&mut self, id: LaneId, at: Time) -> Option<&mut Lane> {
        match self.lane(id) {
            None => {
                let facts = LaneOpened {
                    kind: LaneKind::Other,
                    pool: None,
                    name: format!("lane {}", id.0),
                    pid: None,
                    tid: None,
                };
                self.open_lane(id, facts, at);
            }
            Some(lane) if lane.closed.is_some() && self.over_changed.last() != Some(&id) => {
                self.over_changed.push(id);
            }
            Some(_) => {}
        }
        self.lanes
            .get_mut(id.0 as usize)
            .and_then(Option::as_deref_mut)
    }

    fn pool_mut(&mut self, id: PoolId, at: Time) -> &mut Pool {
        let place = self.place_of_pool(id).unwrap_or_else(|place| {
            self.pools.insert(place, Pool::unseen(id, at));
            place
        });
        &mut self.pools[place]
    }

    fn caller_mut(&mut self, lane: LaneId) -> &mut CallerTrace {
        let place = self
            .callers
            .binary_search_by_key(&lane, |caller| caller.lane)
            .unwrap_or_else(|place| {
                self.callers.insert(place, CallerTrace::new(lane));
                place
            });
        &mut self.callers[place]
    }

    pub(super) fn call_mut(&mut self, id: CallId, at: Time, lane: LaneId) -> &mut Call {
        self.calls.told(id, lane, at)
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
mod tests;
