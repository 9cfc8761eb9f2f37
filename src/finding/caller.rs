//! A main program that waits although it has something to do.

use super::search::{Scene, Search, share_of};
use super::words::call as named;
use super::{Finding, FindingKind};
use crate::definition::percent;
use crate::event::{BlockedIn, CALLER_ON_CPU, CallId, CallKind, CallerState, LaneId};
use crate::time::{Nanos, Span, Time};
use crate::trace::{Call, CallerTrace, Member, Trace};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::iter::Peekable;

/// Waiting, or own work, for less of the run than this is not worth a change.
const SHARE: f64 = 0.05;

/// What a caller did in and right after the calls of one line.
#[derive(Default)]
struct Spell {
    /// The last of the calls.
    call: Option<CallId>,
    blocked: Nanos,
    own: Nanos,
    /// When it first had something else to do.
    since: Option<Time>,
    /// From the first waiting to the last.
    waits: Option<Span>,
}

pub(super) fn search(search: &mut Search<'_>) {
    let trace = search.scene.trace;
    if trace.run().is_none_or(|run| !run.program) {
        return;
    }
    let over = trace
        .ended()
        .map_or(search.scene.at, |ended| ended.0.min(search.scene.at));
    for caller in trace.callers() {
        for spell in spells(search.scene, caller, over).into_values() {
            let call = spell.call.and_then(|id| trace.call_by(id));
            let Some((call, since)) = call.zip(spell.since) else {
                continue;
            };
            let saved = spell.blocked.min(spell.own).min(free(trace, call, &spell));
            let share = share_of(saved, over.since(Time::ZERO));
            if share < SHARE {
                continue;
            }
            let kind = trace.call_kind(call);
            let finding = finding((call, kind), caller.lane, since, &spell, (saved, share));
            search.of_call(call, saved.seconds(), finding);
        }
    }
}

/// Time of CPUs that the workers left idle while the caller waited for them.
fn free(trace: &Trace, call: &Call, spell: &Spell) -> Nanos {
    let cpus = trace.run().and_then(|run| run.cpus);
    let Some((cpus, waits)) = cpus.zip(spell.waits) else {
        return spell.blocked;
    };
    let rows = trace.rows_of(call.facts.pool);
    let lanes = rows
        .flat_map(|row| &row.lanes)
        .filter_map(|&id| trace.lane(id));
    let busy: Nanos = lanes
        .map(|lane| lane.sums_between(waits.start(), waits.end()).on_cpu)
        .sum();
    Nanos(spell.blocked.0.saturating_mul(cpus.into())).saturating_sub(busy)
}

fn finding(
    (call, kind): (&Call, CallKind),
    lane: LaneId,
    since: Time,
    spell: &Spell,
    (saved, share): (Nanos, f64),
) -> Finding {
    let (blocked, own) = (spell.blocked, spell.own);
    let how = if kind.returns_at_once() {
        "do that work before asking for the results".to_owned()
    } else if kind.blocks() {
        format!("use {}_async, do that work, then get()", call.facts.method)
    } else {
        "do that work before waiting".to_owned()
    };
    let as_they_come = match kind {
        CallKind::Submit => "take them with as_completed and work on each as it comes",
        _ => "take them with imap_unordered and work on each as it comes",
    };
    Finding {
        kind: FindingKind::CallerBlocked,
        at: since,
        lane: Some(lane),
        call: Some(call.facts.call),
        text: format!(
            "the main program waited {blocked} for {} and computed {own} of its own afterwards: both at the same time \
             would save up to {saved}, {} of the run",
            named(call),
            percent(share),
        ),
        advice: format!(
            "if that work does not need the results: {how}; if it does: {as_they_come}"
        ),
        numbers: vec![
            ("blocked", blocked.0 as f64),
            ("own", own.0 as f64),
            ("share", share),
        ],
    }
}

/// By line of the program, or by call where that is not known.
type Place<'a> = (Option<&'a (String, u32)>, Option<CallId>);

fn spells<'a>(scene: Scene<'a>, caller: &CallerTrace, over: Time) -> BTreeMap<Place<'a>, Spell> {
    let mut latest = Latest::of(scene.trace, scene.calls_by(caller.lane));
    let mut spells: BTreeMap<Place<'a>, Spell> = BTreeMap::new();
    let mut place = None;
    for (span, state) in caller.states_in(Span::new(Time::ZERO, over)) {
        let span = Span::new(span.start(), span.end().min(over));
        match state {
            CallerState::Blocked(
                BlockedIn::Next | BlockedIn::Futures | BlockedIn::Join | BlockedIn::Shutdown,
            )
            | CallerState::Submitting => place = None,
            CallerState::Blocked(_) => {
                let Some(call) = latest.until(span.start()) else {
                    continue;
                };
                let source = call.facts.source.as_ref();
                let key = (source, source.is_none().then_some(call.facts.call));
                let spell = spells.entry(key).or_default();
                spell.call = Some(call.facts.call);
                spell.blocked += span.length();
                let first = spell.waits.map_or(span.start(), Span::start);
                spell.waits = Some(Span::new(first, span.end()));
                place = Some(key);
            }
            CallerState::OwnWork | CallerState::Collecting => {
                let own = on_cpu(scene.trace, caller.lane, span);
                if let Some((spell, own)) = place.and_then(|key| spells.get_mut(&key)).zip(own) {
                    spell.own += own;
                    spell.since.get_or_insert(span.start());
                }
            }
            CallerState::Starting | CallerState::RunsTasks | CallerState::Done => {}
        }
    }
    spells
}

/// Which of some calls was begun last, from moment to moment. A series is called again and again, and all of
/// its members are read once, in turn.
struct Latest<'a, C: Iterator<Item = &'a Call>> {
    calls: Peekable<C>,
    /// The last begin so far, and whose it is.
    last: Option<Begin>,
    series: Vec<Repeated<'a>>,
    /// The next begin of each series, with its place there: the first comes first.
    next: BinaryHeap<Reverse<(Time, usize)>>,
    trace: &'a Trace,
}

type Begin = (Time, CallId);

/// A series with the members that are still to begin.
struct Repeated<'a> {
    call: CallId,
    rest: Box<dyn Iterator<Item = Member> + 'a>,
}

impl<'a, C: Iterator<Item = &'a Call>> Latest<'a, C> {
    /// The calls come in the order in which they began.
    fn of(trace: &'a Trace, calls: C) -> Self {
        Self {
            calls: calls.peekable(),
            last: None,
            series: Vec::new(),
            next: BinaryHeap::new(),
            trace,
        }
    }

    /// The call begun last at `time`, which is never before the one that was asked about last.
    fn until(&mut self, time: Time) -> Option<&'a Call> {
        while let Some(call) = self.calls.next_if(|call| call.began <= time) {
            self.begin(call.began, call.facts.call);
            if call.is_series() {
                self.series.push(Repeated {
                    call: call.facts.call,
                    rest: Box::new(call.members()),
                });
                self.expect(self.series.len() - 1);
            }
        }
        while let Some(&Reverse((began, place))) = self.next.peek()
            && began <= time
        {
            self.next.pop();
            self.begin(began, self.series[place].call);
            self.expect(place);
        }
        self.trace.call_by(self.last?.1)
    }

    fn begin(&mut self, at: Time, call: CallId) {
        self.last = self.last.max(Some((at, call)));
    }

    /// The series at this place is to begin once more, if it has members left.
    fn expect(&mut self, place: usize) {
        if let Some(member) = self.series[place].rest.next() {
            self.next.push(Reverse((member.began, place)));
        }
    }
}

/// Time of a span that a caller was on a CPU, between the samples that lie in it; `None` if that was not measured.
fn on_cpu(trace: &Trace, lane: LaneId, span: Span) -> Option<Nanos> {
    let samples = trace.samples(lane, CALLER_ON_CPU);
    let first = samples.partition_point(|sample| sample.0 < span.start());
    let end = samples.partition_point(|sample| sample.0 <= span.end());
    let [first, .., last] = samples.get(first..end)? else {
        return None;
    };
    Some(Nanos((last.1 - first.1).max(0.0) as u64))
}

#[cfg(test)]
mod tests {
    use super::super::told::Told;
    use super::*;
    use crate::event::{CallBegan, Event, Indexes, Kind};

    /// Blocked for `wait`, then work of its own for `work`, of which it is on a CPU for `on_cpu`, then over at 10 s.
    fn program(method: &str, what: BlockedIn, wait: u64, on_cpu: u64) -> Told {
        Told::pool("Pool", 2)
            .caller(0, CallerState::OwnWork)
            .on_cpu(0, 0)
            .call(10, method, 2, 1)
            .caller(10, CallerState::Blocked(what))
            .task(1, 0, 11, 10 + wait)
            .task(2, 1, 11, 10 + wait)
            .caller(10 + wait, CallerState::OwnWork)
            .on_cpu(10 + wait, 5)
            .on_cpu(9_999, 5 + on_cpu)
            .caller(10_000, CallerState::Done)
            .over(10_000)
    }

    #[test]
    fn a_main_program_that_waits_before_its_own_work_is_told_so() {
        let found = program("map", BlockedIn::Map, 3_000, 2_000).finding();
        assert_eq!(found.kind, FindingKind::CallerBlocked);
        found.says("the main program waited 3.00 s for map(square) in line 12 and computed 2.00 s of its own");
        assert!(found.advice.contains(
            "use map_async, do that work, then get(); if it does: take them with imap_unordered"
        ));
        assert_eq!(
            program("map_async", BlockedIn::Get, 500, 500).kinds(),
            [FindingKind::CallerBlocked]
        );
    }

    #[test]
    fn workers_that_compute_on_all_cpus_leave_none_for_the_main_program() {
        let with = |on_cpu| {
            let told = Told::pool("Pool", 4)
                .call(10, "map", 4, 1)
                .caller(10, CallerState::Blocked(BlockedIn::Map));
            let told = (0..4).fold(told, |told, index| {
                told.ran(1 + index, index, (10, 1_010), (on_cpu, 0))
            });
            told.caller(1_010, CallerState::OwnWork)
                .on_cpu(1_010, 0)
                .on_cpu(1_999, 900)
                .over(2_000)
        };
        assert_eq!(with(500).kinds(), [FindingKind::CallerBlocked]);
        assert_eq!(with(1_000).kinds(), []);
    }

    #[test]
    fn a_little_waiting_and_a_little_work_are_no_finding() {
        assert_eq!(program("map", BlockedIn::Map, 499, 2_000).ever(), []);
        assert_eq!(program("map", BlockedIn::Map, 3_000, 499).kinds(), []);
    }

    #[test]
    fn what_an_iterator_gives_is_worked_on_as_it_comes() {
        assert_eq!(program("imap", BlockedIn::Next, 3_000, 3_000).kinds(), []);
        assert_eq!(
            program("map_async", BlockedIn::Join, 3_000, 3_000).kinds(),
            []
        );
    }

    #[test]
    fn the_call_begun_last_is_found_among_series_and_others() {
        let began = |call: u32, at: u64| Event {
            at: Time(at),
            lane: LaneId(0),
            kind: Kind::CallBegan(Box::new(CallBegan {
                call: CallId(call),
                pool: None,
                method: "map".to_owned(),
                function: "f".to_owned(),
                source: None,
                tasks: Some(1),
                chunksize: Some(1),
            })),
        };
        let again = |call: u32, index: u32, at: u64| Event {
            at: Time(at),
            lane: LaneId(0),
            kind: Kind::CallAgain {
                call: CallId(call),
                tasks: Indexes::one(index),
            },
        };
        let mut events: Vec<Event> = [(3, 10), (8, 12), (1, 20), (2, 20), (9, 50)]
            .map(|(call, at)| began(call, at))
            .into();
        for (index, at) in (1..).zip([15, 20, 31, 33, 60]) {
            events.push(again(3, index, at));
        }
        events.extend([again(8, 1, 32), again(8, 2, 60)]);
        let mut trace = Trace::default();
        trace.apply(events);
        let mut all: Vec<(Time, CallId)> = trace
            .calls()
            .flat_map(|call| call.members().map(|member| (member.began, call.facts.call)))
            .collect();
        all.sort_unstable();
        let mut latest = Latest::of(&trace, trace.calls());
        for time in [0, 10, 14, 15, 20, 32, 32, 49, 55, 90].map(Time) {
            let expected = all.iter().rfind(|(began, _)| *began <= time);
            let found = latest.until(time).map(|call| call.facts.call);
            assert_eq!(found, expected.map(|begun| begun.1), "{time:?}");
        }
    }

    #[test]
    fn work_that_was_not_measured_is_not_guessed() {
        let told = Told::pool("Pool", 2)
            .call(10, "map", 2, 1)
            .caller(10, CallerState::Blocked(BlockedIn::Map))
            .caller(400, CallerState::OwnWork)
            .over(1_000);
        assert_eq!(told.ever(), []);
    }
}
