//! The text report of a program.

use parviz::event::{
    CallBegan, CallId, Ends, Event, Indexes, Kind, LaneId, LaneKind, Note, NoteKind, PoolId, TaskId,
};
use parviz::report::program::{ProgramFacts, Report, text};

use super::small;
use super::told::{Series, events};
use crate::support::folded::folded;
use crate::support::watched::Story;

const MAIN: LaneId = LaneId(0);

/// The report of a program that nothing is known of but its events.
fn report(events: Vec<Event>) -> String {
    written(events, &ProgramFacts::default())
}

fn written(events: Vec<Event>, program: &ProgramFacts) -> String {
    let trace = folded(events);
    let report = Report {
        program,
        trace: &trace,
        findings: &[],
    };
    let mut out = Vec::new();
    text::write(&report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A call of a function by main, all tasks at once; none of them is sent.
fn calls(story: &mut Story, (at, call): (u64, u32), function: &str, tasks: u32) {
    let began = CallBegan {
        call: CallId(call),
        pool: Some(PoolId(0)),
        method: "map".to_owned(),
        function: function.to_owned(),
        source: Some(("script.py".to_owned(), 8)),
        tasks: Some(tasks),
        chunksize: Some(1),
    };
    story.tell(at, MAIN, Kind::CallBegan(Box::new(began)));
    let (call, tasks) = (CallId(call), Indexes::new(0, tasks));
    story.tell(at, MAIN, Kind::Submitted { call, tasks });
}

#[test]
fn the_heading_of_the_text_report_adds_up_its_lines_and_shares_say_of_what() {
    let mut story = Story::new();
    story.pool(0, 0, "Pool", 10..12);
    story.map(10, (0, 0), ("map", "f"), 10..12, &[40, 10, 10, 10]);
    calls(&mut story, (100, 1), "g", 3);
    story.end(200, 0);
    let out = report(story.events);
    for says in [
        ", 2 calls, 7 tasks in 4 messages\n",
        ": 4 tasks in 4 messages",
        ": 3 tasks in 0 messages",
        " of 6 pairs out of order, 50 %)\n",
        "  out of order     0 % of the pairs delivered\n",
    ] {
        assert!(out.contains(says), "{says}: {out}");
    }
}

#[test]
fn the_text_report_tells_calls_workers_and_what_a_terminal_may_show() {
    let mut told = events(&small(), Series::Shown);
    for event in &mut told {
        if let Kind::CallBegan(began) = &mut event.kind {
            began.function = "wo\u{1b}[31mrk".to_owned();
        }
    }
    let is_worker = |event: &&Event| matches!(&event.kind, Kind::LaneOpened(lane) if lane.kind == LaneKind::Worker);
    let worker = told.iter().find(is_worker).unwrap().lane;
    let probe = Note {
        kind: NoteKind::ProbeCost,
        pool: None,
        call: None,
        text: String::new(),
        value: 1_000_000,
    };
    let at = told.last().unwrap().at;
    told.push(Event {
        at,
        lane: worker,
        kind: Kind::Noted(Box::new(probe)),
    });
    let program = ProgramFacts {
        argv: vec!["dir/program.py".to_owned(), "3".to_owned()],
        python: Some("python3 3.11.7".to_owned()),
        exit: Some(0),
    };
    let out = written(told, &program);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(
        lines[..6],
        [
            "parviz run: dir/program.py 3 (python3 3.11.7), exit 0",
            "1 pool, 2 workers, 5 calls, 7 tasks in 6 messages",
            "",
            "calls (measured)",
            "  map(wo[31mrk), program.py:12: 3 tasks in 2 messages, Pool of 2, 23 ns, <= 1.04x, returned",
            "  apply(wo[31mrk) x 4, program.py:12: 4 tasks in 4 messages, Pool of 2, 27 ns, <= 0.59x, returned",
        ]
    );
    assert!(out.contains(
        "program.py:12, the call with the most task time: the same tasks, four orders (measured)"
    ));
    assert!(out.contains("  Pool worker 0, pid 1002: busy "), "{out}");
    assert!(
        out.contains("\n  probe            100 % of overhead\n"),
        "{out}"
    );
}

/// A worker begins a task, and something ends it before the task does.
fn starts(story: &mut Story, at: u64, lane: u32, (call, index): (u32, u32)) {
    let call = CallId(call);
    let task = TaskId { call, index };
    story.tell(at, LaneId(lane), Kind::Started { task, cpu: None });
}

#[test]
fn tasks_that_never_ended_took_time_and_of_a_call_that_had_no_worker_nothing_is_known() {
    let mut story = Story::new();
    story.pool(0, 0, "Pool", 10..12);
    calls(&mut story, (10, 0), "held", 2);
    starts(&mut story, 20, 10, (0, 0));
    starts(&mut story, 20, 11, (0, 1));
    calls(&mut story, (30, 1), "waits", 4);
    let ends = Ends::Left;
    for call in [CallId(0), CallId(1)] {
        story.tell(900, MAIN, Kind::CallEnded { call, ends });
    }
    story.end(900, -15);
    let out = report(story.events.clone());
    let says = "\nmap(held), script.py:8, the call with the most task time";
    assert!(out.contains(says), "{out}");
    assert!(out.contains("  imbalance        1.00x\n"), "{out}");
    // The same without the first call: its workers are as busy, but with nothing of the second.
    let mut trace = folded(story.events);
    trace.show(Some(CallId(1)));
    let numbers = trace.numbers(trace.end());
    assert_eq!(numbers.started, 0);
    assert_eq!(numbers.imbalance, None);
}

#[test]
fn calls_of_one_line_that_were_under_way_together_took_no_longer_than_that() {
    let mut story = Story::new();
    story.pool(0, 0, "Pool", 10..12);
    for (call, (begin, end)) in [(10, 30), (20, 40), (60, 70)].into_iter().enumerate() {
        let ends = Ends::Returned;
        calls(&mut story, (begin, call as u32), "g", 1);
        let call = CallId(call as u32);
        story.tell(end, MAIN, Kind::CallEnded { call, ends });
    }
    story.end(100, 0);
    let out = report(story.events);
    let says = "each 10 ms to 20 ms (median 20 ms), 40 ms in all, slowest: call 2 at 20 ms";
    assert!(out.contains(says), "{out}");
}
