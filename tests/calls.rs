//! Programs that make many calls in many pools: each call's numbers are its own, and counts are exact.

mod text;
mod told;

use parviz::event::{
    CallId, CallerState, Ended, Event, Kind, LaneId, LaneKind, LaneOpened, Note, NoteKind, Outcome,
    PoolId, Raised, Sample, TaskId, Way,
};
use parviz::report::program::{ProgramFacts, Report, keys};
use parviz::report::{self, json};
use parviz::time::{Nanos, Time};
use parviz::trace::{Call, Counts, MOST_TEXT, MarkerKind, Trace};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;
use told::{Pool, Series, events, pools};

use crate::support::folded::{folded, mixed};

/// What belongs to one call: its own events, and all that is of no call.
fn alone(events: &[Event], only: CallId) -> Trace {
    let of = |event: &&Event| call_of(&event.kind).is_none_or(|call| call == only);
    folded(events.iter().filter(of).cloned().collect())
}

fn call_of(kind: &Kind) -> Option<CallId> {
    match kind {
        Kind::CallBegan(began) => Some(began.call),
        Kind::CallAgain { call, .. }
        | Kind::CallEnded { call, .. }
        | Kind::Submitted { call, .. }
        | Kind::Enqueued { call, .. }
        | Kind::Dequeued { call, .. }
        | Kind::Returned { call, .. }
        | Kind::Carried { call, .. }
        | Kind::Lost { call, .. }
        | Kind::Ready { call, .. }
        | Kind::Delivered { call, .. } => Some(*call),
        Kind::Started { task, .. } | Kind::Finished { task, .. } => Some(task.call),
        Kind::Ran(ran) => Some(ran.task.call),
        Kind::Raised(raised) => Some(raised.task.call),
        _ => None,
    }
}

fn recount(events: &[Event], at: Time) -> Counts {
    let mut counts = Counts::default();
    for event in events.iter().filter(|event| event.at <= at) {
        match &event.kind {
            Kind::PoolOpened(_) => counts.pools += 1,
            Kind::CallBegan(_) | Kind::CallAgain { .. } => counts.calls += 1,
            Kind::Started { .. } => counts.tasks += 1,
            Kind::Enqueued { chunks, .. } => counts.chunks += u64::from(chunks.len()),
            Kind::LaneOpened(facts) if facts.kind == LaneKind::Worker => counts.workers += 1,
            Kind::Finished {
                outcome: Outcome::Failed,
                ..
            } => counts.failed += 1,
            Kind::Lost { tasks, .. } => counts.lost += u64::from(tasks.len()),
            Kind::Dropped { count } => counts.dropped += u64::from(*count),
            _ => {}
        }
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_batches_and_any_mixture_of_lanes_give_the_same_program(
        pools in pools(),
        picks in proptest::collection::vec(any::<proptest::sample::Index>(), 64),
    ) {
        let all = events(&pools, Series::Shown);
        let whole = folded(all.clone());
        let mixed = mixed(all, &picks);
        for (a, b) in mixed.calls().zip(whole.calls()) {
            prop_assert_eq!(a, b);
        }
        prop_assert!(mixed == whole);
    }

    #[test]
    fn any_batches_give_the_same_program_while_it_goes_on(
        pools in pools(),
        picks in proptest::collection::vec(any::<proptest::sample::Index>(), 64),
        cut in any::<proptest::sample::Index>(),
    ) {
        let mut all = events(&pools, Series::Shown);
        all.truncate(cut.index(all.len()) + 1);
        let whole = folded(all.clone());
        let mut one_by_one = Trace::default();
        for event in &all {
            one_by_one.apply(vec![event.clone()]);
        }
        prop_assert!(one_by_one == whole);
        let mixed = mixed(all, &picks);
        for (a, b) in mixed.calls().zip(whole.calls()) {
            prop_assert_eq!(a, b);
            prop_assert_eq!(mixed.numbers_of(a, whole.end()), whole.numbers_of(b, whole.end()));
        }
        prop_assert!(mixed == whole);
    }

    #[test]
    fn the_members_of_a_series_are_counted_at_any_moment(pools in pools()) {
        let trace = folded(events(&pools, Series::Shown));
        for call in trace.calls() {
            for at in (0..=trace.end().0).map(Time) {
                let begun = call.members().filter(|member| member.began <= at).count();
                prop_assert_eq!(call.members_until(at), begun);
            }
            let callers: BTreeSet<LaneId> = call.members().map(|member| member.caller).collect();
            prop_assert_eq!(call.callers().collect::<BTreeSet<_>>(), callers);
        }
    }

    #[test]
    fn the_numbers_of_a_call_are_those_of_the_same_call_alone(pools in pools()) {
        let all = events(&pools, Series::Shown);
        let trace = folded(all.clone());
        for call in trace.calls() {
            let id = call.facts.call;
            let alone = alone(&all, id);
            let same = alone.call().unwrap();
            for at in [same.began, Time(trace.end().0 / 2), trace.end()] {
                prop_assert_eq!(trace.numbers_of(call, at), alone.numbers(at), "{:?} at {:?}", id, at);
                prop_assert_eq!(trace.shares_of(call, at), alone.shares(at));
                prop_assert_eq!(trace.outcome_of(call, at), alone.outcome(at));
            }
            let mut shown = trace.clone();
            shown.show(Some(id));
            prop_assert_eq!(shown.numbers(trace.end()), alone.numbers(trace.end()));
            prop_assert_eq!(shown.caller(), trace.caller_of(call.caller));
        }
    }

    #[test]
    fn shares_add_up_to_the_time_of_the_workers_of_the_call(pools in pools(), cursor in any::<proptest::sample::Index>()) {
        let trace = folded(events(&pools, Series::Shown));
        for call in trace.calls() {
            for at in [Time(cursor.index(trace.end().0 as usize) as u64), trace.end()] {
                let total = trace.shares_of(call, at).total();
                let length = trace.numbers_of(call, at).elapsed.0;
                let rows = trace.rows_of(call.facts.pool).len() as u64;
                prop_assert!(length == 0 && total == Nanos::ZERO || total.0.is_multiple_of(length), "{total:?} {length}");
                prop_assert!(total <= Nanos(rows * length));
                // Every worker of the pool is alive at the end of a call that came to its end.
                if at == trace.end() && trace.numbers_of(call, at).makespan.is_some() {
                    prop_assert_eq!(total, Nanos(rows * length));
                }
            }
        }
    }

    #[test]
    fn a_member_of_a_series_is_a_call_of_its_own(pools in pools()) {
        let shown = folded(events(&pools, Series::Shown));
        let apart = folded(events(&pools, Series::Apart));
        let members: Vec<Call> = shown
            .calls()
            .flat_map(|call| call.members().map(|member| call.part(member)))
            .collect();
        prop_assert_eq!(members.len(), apart.calls().len());
        let end = shown.end();
        for member in &members {
            let mut same = apart.calls().filter(|call| {
                (call.began, call.caller, call.tasks().len())
                    == (member.began, member.caller, member.tasks().len())
            });
            let found = same.any(|call| {
                apart.numbers_of(call, end) == shown.numbers_of(member, end)
                    && apart.shares_of(call, end) == shown.shares_of(member, end)
                    && apart.ends_of(call, end).map(|ends| ends.1) == shown.ends_of(member, end).map(|ends| ends.1)
                    && apart.outcome_of(call, end) == shown.outcome_of(member, end)
            });
            prop_assert!(found, "{:?}", member);
        }
        prop_assert_eq!(shown.counts(end), apart.counts(end));
    }

    #[test]
    fn counts_equal_a_naive_recount_at_any_moment(pools in pools(), cursor in any::<proptest::sample::Index>()) {
        let all = events(&pools, Series::Shown);
        let trace = folded(all.clone());
        for at in [Time(cursor.index(trace.end().0 as usize) as u64), trace.end()] {
            prop_assert_eq!(trace.counts(at), recount(&all, at));
        }
    }

    #[test]
    fn stepping_through_a_program_visits_the_same_moments_forth_and_back(pools in pools()) {
        let trace = folded(events(&pools, Series::Shown));
        let forth: Vec<Time> = std::iter::successors(trace.moment_after(Time::ZERO), |&at| trace.moment_after(at)).collect();
        let mut back: Vec<Time> = std::iter::successors(Some(Time(trace.end().0 + 1)), |&at| trace.moment_before(at))
            .skip(1)
            .filter(|&at| at > Time::ZERO)
            .collect();
        back.reverse();
        // The end of the run is no moment to step back to from behind it.
        let forth: Vec<Time> = forth.into_iter().filter(|&at| at < trace.end()).collect();
        prop_assert_eq!(forth, back);
    }

    #[test]
    fn the_report_has_a_row_for_each_call_and_exactly_the_documented_keys(pools in pools()) {
        let trace = folded(events(&pools, Series::Shown));
        let told = report(&trace);
        prop_assert_eq!(told["calls"].as_array().unwrap().len() as u64, trace.counts(trace.end()).calls);
        for (of, found) in objects(&told) {
            let keys: Vec<&str> = keys::KEYS.iter().filter(|key| key.of == of).map(|key| key.name).collect();
            prop_assert_eq!(found, keys, "in {}", of);
        }
    }
}

fn report(trace: &Trace) -> Value {
    let program = ProgramFacts {
        argv: vec!["program.py".to_owned()],
        python: None,
        exit: Some(0),
    };
    let findings = parviz::finding::of(trace, trace.end());
    let report = Report {
        program: &program,
        trace,
        findings: &findings,
    };
    let mut out = Vec::new();
    json::write(&report, &mut out).unwrap();
    let mut words = Vec::new();
    report::program::text::write(&report, &mut words).unwrap();
    assert!(!words.is_empty());
    serde_json::from_slice(&out).unwrap()
}

fn keys_of(value: &Value) -> Vec<&str> {
    let object = value.as_object().unwrap();
    object.keys().map(String::as_str).collect()
}

/// Each object of the report whose keys are documented, with the keys it has.
fn objects(told: &Value) -> BTreeSet<(String, Vec<&str>)> {
    let mut objects = BTreeSet::from([(String::new(), keys_of(told))]);
    for (name, value) in told.as_object().unwrap() {
        match value {
            Value::Array(rows) => {
                objects.extend(rows.iter().map(|row| (name.clone(), keys_of(row))));
            }
            value => drop(objects.insert((name.clone(), keys_of(value)))),
        }
    }
    objects
}

/// A pool of two, a map of three tasks in chunks of two, then four applies.
fn small() -> Vec<Pool> {
    let call = told::Call {
        costs: vec![10, 10, 10],
        chunksize: 2,
        series: false,
        raises: None,
        after: 100,
        accounted: true,
    };
    let applies = told::Call {
        costs: vec![5; 4],
        chunksize: 1,
        series: true,
        ..call.clone()
    };
    vec![Pool {
        workers: 2,
        calls: vec![call, applies],
        loses: false,
    }]
}

#[test]
fn a_call_counts_from_its_begin_and_not_from_that_of_the_program() {
    let trace = folded(events(&small(), Series::Shown));
    let calls: Vec<&Call> = trace.calls().collect();
    let numbers: Vec<_> = calls
        .iter()
        .map(|call| trace.numbers_of(call, trace.end()))
        .collect();
    // The map: begun at 0, both workers start at 2, the first has two tasks.
    assert_eq!(numbers[0].makespan, Some(Nanos(23)));
    assert_eq!(numbers[0].blocked_main, Some(Nanos(23)));
    // Each apply takes 5, one more until it is back, and the caller one between them: 4 x 6 + 3.
    assert_eq!(numbers[1].makespan, Some(Nanos(27)));
    assert_eq!(numbers[1].utilisation, Some(20.0 / 54.0));
    assert_eq!((numbers[1].messages, calls[1].member_count()), (4, 4));
    assert_eq!(numbers[1].first_result, Some(Nanos(6)));
}

#[test]
fn what_a_series_needs_is_not_known_before_its_last_member() {
    let trace = folded(events(&small(), Series::Shown));
    let series = trace.calls().nth(1).unwrap();
    let numbers = |after: u64| trace.numbers_of(series, series.began + Nanos(after));
    // The first of four came back after 6.
    let first = numbers(6);
    assert_eq!(first.makespan, Some(Nanos(6)));
    assert_eq!((first.serial_time, first.lower_bound), (None, None));
    assert_eq!((first.speedup, first.speedup_at_most), (None, None));
    let last = numbers(27);
    assert_eq!(last.makespan, Some(Nanos(27)));
    assert!(last.serial_time.is_some() || last.speedup_at_most.is_some());
}

#[test]
fn the_latest_call_with_tasks_is_found_at_any_moment() {
    let mut pools = small();
    let mut empty = pools[0].calls[0].clone();
    empty.costs = vec![];
    pools[0].calls.push(empty);
    let trace = folded(events(&pools, Series::Shown));
    let calls: Vec<&Call> = trace.calls().collect();
    let ids: Vec<CallId> = calls.iter().map(|call| call.facts.call).collect();
    assert_eq!(trace.latest_call(Time::ZERO), Some(ids[0]));
    assert_eq!(trace.latest_call(calls[1].began), Some(ids[1]));
    assert_eq!(trace.latest_call(trace.end()), Some(ids[1]));
    assert_eq!(Trace::default().latest_call(Time(9)), None);
}

fn at(at: u64, lane: u32, kind: Kind) -> Event {
    Event {
        at: Time(at),
        lane: LaneId(lane),
        kind,
    }
}

fn worker(pool: u32, name: &str) -> Kind {
    Kind::LaneOpened(Box::new(LaneOpened {
        kind: LaneKind::Worker,
        pool: Some(PoolId(pool)),
        name: name.to_owned(),
        pid: None,
        tid: None,
    }))
}

#[test]
fn workers_of_two_pools_that_share_a_name_have_rows_of_their_own() {
    let trace = folded(vec![
        at(0, 1, worker(0, "worker 0")),
        at(0, 2, worker(1, "worker 0")),
        at(1, 3, worker(0, "worker 1")),
        at(
            2,
            1,
            Kind::LaneClosed {
                ended: Ended::Retired,
            },
        ),
        at(3, 4, worker(0, "worker 0")),
    ]);
    let lanes = |pool: Option<u32>| -> Vec<Vec<u32>> {
        let rows = trace.rows_of(pool.map(PoolId));
        rows.map(|row| row.lanes.iter().map(|lane| lane.0).collect())
            .collect()
    };
    assert_eq!(lanes(Some(0)), [vec![1, 4], vec![3]]);
    assert_eq!(lanes(Some(1)), [vec![2]]);
    assert_eq!(lanes(None), [] as [Vec<u32>; 0]);
    assert_eq!(trace.rows().len(), 3);
}

#[test]
fn every_worker_of_a_respawn_storm_is_counted() {
    // A worker is opened, does nothing and is closed, again and again; told in reverse, and as it happened.
    let storm = |order: &mut dyn Iterator<Item = u32>| {
        let mut trace = Trace::default();
        for k in order {
            let (begin, end) = (u64::from(k) * 10, u64::from(k) * 10 + 5);
            let ended = Ended::Crashed;
            trace.apply(vec![
                at(begin, 5 + k, worker(0, "worker 0")),
                at(end, 5 + k, Kind::LaneClosed { ended }),
            ]);
        }
        trace
    };
    let trace = storm(&mut (0..5_000));
    assert_eq!(
        (trace.rows().len(), trace.rows()[0].lanes.len()),
        (1, 5_000)
    );
    assert_eq!(trace.counts(trace.end()).workers, 5_000);
    assert_eq!(trace.counts(Time(95)).workers, 10);
    assert!(storm(&mut (0..5_000).rev()) == trace);
}

#[test]
fn a_lane_beyond_belief_is_counted_and_sizes_nothing() {
    let trace = folded(vec![at(0, u32::MAX, worker(0, "worker 0"))]);
    assert_eq!((trace.lanes().count(), trace.rows().len()), (0, 0));
    let counts = trace.counts(Time::ZERO);
    assert_eq!((counts.workers, counts.dropped), (1, 1));
}

#[test]
fn a_call_of_more_tasks_than_can_be_kept_says_so() {
    let mut pools = small();
    pools[0].calls.truncate(1);
    let mut events = events(&pools, Series::Shown);
    let task = TaskId {
        call: CallId(3),
        index: u32::MAX,
    };
    events.push(at(20, 2, Kind::Started { task, cpu: None }));
    let trace = folded(events);
    assert!(trace.numbers(trace.end()).at_least);
    assert_eq!(trace.call().unwrap().tasks().len(), 3);
    assert_eq!(trace.counts(trace.end()).tasks, 4);
}

#[test]
fn a_loss_marks_the_calls_it_touches_and_no_other() {
    let mut pools = small();
    pools.push(pools[0].clone());
    let told = events(&pools, Series::Shown);
    let clean = folded(told.clone());
    assert!(
        clean
            .calls()
            .all(|call| !clean.numbers_of(call, clean.end()).at_least)
    );
    // While the map of the first pool ran, on a worker of it: lanes 1 and 101 call, 2 and 102 are their first workers.
    let mut events = told;
    events.push(at(12, 2, Kind::Dropped { count: 7 }));
    events.sort_by_key(|event| event.at);
    let trace = folded(events);
    let touched: Vec<(u32, bool)> = trace
        .calls()
        .map(|call| (call.caller.0, trace.numbers_of(call, trace.end()).at_least))
        .collect();
    assert_eq!(touched, [(1, true), (101, false), (1, false), (101, false)]);
    let first = trace.calls().next().unwrap();
    assert!(!trace.numbers_of(first, Time(11)).at_least, "not yet");
    assert_eq!((trace.dropped(), trace.losses().count()), (7, 1));
    let told = report(&trace);
    assert_eq!(told["counts"]["dropped"], 7);
    assert_eq!(told["calls"][0]["at_least"], true);
    assert_eq!(told["losses"][0]["pid"], 1_002);
}

#[test]
fn a_series_is_marked_where_it_begins_and_where_its_first_member_ends() {
    let trace = folded(events(&small(), Series::Shown));
    let marked: Vec<_> = trace
        .markers()
        .iter()
        .filter(|marker| marker.kind == MarkerKind::Call)
        .map(|marker| (trace.marker_words(marker), marker.at.0))
        .collect();
    assert_eq!(
        marked,
        [
            ("map begins".into(), 0),
            ("map ends: returned".into(), 23),
            ("apply begins".into(), 123),
            ("apply ends: returned".into(), 129)
        ]
    );
}

#[test]
fn a_long_error_is_cut_and_very_many_are_not_all_kept() {
    let raised = |index: u32, error: String| {
        let task = TaskId {
            call: CallId(3),
            index,
        };
        at(
            u64::from(index),
            2,
            Kind::Raised(Box::new(Raised { task, error })),
        )
    };
    let mut told: Vec<Event> = (0..12_000).map(|k| raised(k, format!("E: {k}"))).collect();
    told[0] = raised(0, format!("E: {}", "x".repeat(10 << 20)));
    let trace = folded(told);
    let call = trace.call().unwrap();
    assert_eq!(call.error(0).unwrap().len(), MOST_TEXT);
    assert_eq!(call.error(9_999), Some("E: 9999"));
    assert_eq!(call.error(11_999), None);
    assert!(trace.markers().len() <= 10_000);
    assert!(
        trace
            .markers()
            .iter()
            .all(|marker| trace.marker_words(marker).len() <= 300)
    );
}

#[test]
fn bytes_are_summed_until_any_moment_and_unknown_where_none_were_measured() {
    let trace = folded(events(&small(), Series::Shown));
    let map = trace.calls().next().unwrap();
    let there = |time: u64| map.bytes_until(Time(time), Way::ToWorker);
    assert_eq!(there(trace.end().0), Some(100 + 101));
    assert_eq!(map.bytes_until(trace.end(), Way::ToCaller), None);
    assert_eq!(map.chunk(1).unwrap().bytes_there, Some(101));
    let applies = trace.calls().nth(1).unwrap();
    assert_eq!(applies.bytes_until(applies.began, Way::ToWorker), Some(100));
}

#[test]
fn notes_are_kept_in_order_and_marked_in_words() {
    let note = |kind: NoteKind, text: &str, value: i64| {
        let (pool, call) = (None, None);
        Kind::Noted(Box::new(Note {
            kind,
            pool,
            call,
            text: text.to_owned(),
            value,
        }))
    };
    let trace = folded(vec![
        at(9, 0, note(NoteKind::ProgramEnded, "", -9)),
        at(2, 0, note(NoteKind::CallbackRaised, "KeyError: 1", 0)),
        at(5, 0, note(NoteKind::ErrorTaken, "", 1)),
    ]);
    let kinds: Vec<NoteKind> = trace.notes().iter().map(|timed| timed.note.kind).collect();
    assert_eq!(
        kinds,
        [
            NoteKind::CallbackRaised,
            NoteKind::ErrorTaken,
            NoteKind::ProgramEnded
        ]
    );
    let words: Vec<_> = trace
        .markers()
        .iter()
        .map(|marker| trace.marker_words(marker))
        .collect();
    assert_eq!(
        words,
        [
            "a callback raised: KeyError: 1",
            "program killed by signal 9"
        ]
    );
}

#[test]
fn samples_are_told_by_lane_and_by_moment() {
    let sample = |value: f64| {
        Kind::Sample(Box::new(Sample {
            quantity: "cpu".to_owned(),
            value,
        }))
    };
    let trace = folded(vec![
        at(1, 7, sample(0.5)),
        at(2, 8, sample(0.1)),
        at(3, 7, sample(0.9)),
    ]);
    assert_eq!(
        trace.samples(LaneId(7), "cpu"),
        [(Time(1), 0.5), (Time(3), 0.9)]
    );
    assert_eq!(trace.samples(LaneId(9), "cpu"), []);
    assert_eq!(trace.sample("cpu", Time(2)), Some(0.1));
    assert_eq!(trace.sample("memory", Time(2)), None);
}

#[test]
fn showing_a_call_chooses_its_numbers_and_its_caller_and_changes_no_fact() {
    let mut pools = small();
    pools.push(pools[0].clone());
    let mut trace = folded(events(&pools, Series::Shown));
    let calls: Vec<CallId> = trace.calls().map(|call| call.facts.call).collect();
    assert_eq!(trace.call().unwrap().facts.call, calls[0]);
    trace.show(Some(calls[3]));
    assert_eq!(trace.call().unwrap().facts.method, "apply");
    assert_eq!(trace.caller().unwrap().lane, LaneId(101));
    assert_eq!(trace.counted_from(), trace.call().unwrap().began);
    assert_eq!(trace.calls().count(), 4);
    trace.show(Some(CallId(999)));
    assert_eq!(trace.call().unwrap().facts.call, calls[0]);
    let state = trace.caller().unwrap().state_at(trace.end());
    assert_eq!(state, Some(CallerState::Done));
}
