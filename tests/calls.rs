//! Programs that make many calls in many pools: each call's numbers are its own, and counts are exact.

mod told;

use parviz::event::{CallId, Event, Kind, LaneId, LaneKind, Outcome};
use parviz::report::program::{ProgramFacts, Report, json, keys, text};
use parviz::time::{Nanos, Time};
use parviz::trace::{Call, Counts, Trace};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use told::{Pool, Series, events, pools};

fn folded(events: Vec<Event>) -> Trace {
    let mut trace = Trace::default();
    trace.apply(events);
    trace
}

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
        let mut lanes: BTreeMap<LaneId, Vec<Event>> = BTreeMap::new();
        for event in all {
            lanes.entry(event.lane).or_default().insert(0, event);
        }
        let mut mixed = Trace::default();
        let mut picks = picks.iter().cycle();
        while !lanes.is_empty() {
            let pick = picks.next().unwrap();
            let lane = *lanes.keys().nth(pick.index(lanes.len())).unwrap();
            let rest = lanes.get_mut(&lane).unwrap();
            mixed.apply((0..=pick.index(5)).filter_map(|_| rest.pop()).collect());
            if rest.is_empty() {
                lanes.remove(&lane);
            }
        }
        for (a, b) in mixed.calls().zip(whole.calls()) {
            prop_assert_eq!(a, b);
        }
        prop_assert!(mixed == whole);
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
                prop_assert!(length == 0 && total == Nanos::ZERO || total.0 % length == 0, "{total:?} {length}");
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
    text::write(&report, &mut words).unwrap();
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
