use super::*;
use crate::event::{CallBegan, CallId, Event, Indexes, Kind, LaneId, LaneKind, LaneOpened};
use crate::event::{Sample, TaskId};
use crate::experiment::{Fault, FaultKind};
use crate::method::Method;
use crate::palette::{Charset, Depth, Look};
use crate::time::Span;
use crate::ui::axis::Axis;
use crate::ui::samples::{self, PLAIN, lines};
use crate::ui::theme::Theme;
use ratatui::buffer::Buffer;

const COLOURED: Look = Look {
    charset: Charset::Unicode,
    depth: Depth::True,
    ..PLAIN
};

fn drawn(look: Look, moment: &Moment<'_>, rows: u16, height: u16) -> Vec<String> {
    let grid = Grid {
        of: Lanes::Workers,
        rows,
        first: 0,
    };
    let size = (moment.axis.right() + 13, height);
    lines(look, size, |area, pen| {
        render(moment, grid, Selection::default(), area, pen);
    })
}

#[test]
fn boxes_show_who_ran_what_and_what_runs_now() {
    let run = samples::run(Method::Map, 1, &[]);
    let moment = samples::at(&run, 8, 12);
    assert_eq!(
        drawn(PLAIN, &moment, 1, 4),
        [
            " worker 0  0===============>         0    100 %",
            " worker 1  1===|5|6========>         6    100 %",
            " worker 2  2===========             idle   75 %",
            " worker 3  3=|4======|7====>         7    100 %",
        ]
    );
    assert_eq!(
        drawn(COLOURED, &moment, 1, 4),
        [
            " worker 0  0               ▌         0    100 %",
            " worker 1  1   ▏5▏6        ▌         6    100 %",
            " worker 2  2                        idle   75 %",
            " worker 3  3 ▏4      ▏7    ▌         7    100 %",
        ]
    );
}

#[test]
fn the_edge_stands_at_the_cursor_on_either_side_of_a_column() {
    let run = samples::run(Method::Map, 1, &[]);
    let lines = [0, 1, 2].map(|late| {
        let mut moment = samples::at(&run, 8, 12);
        moment.cursor = Time(moment.cursor.0 - 1 + late);
        drawn(COLOURED, &moment, 1, 4)
    });
    let edges = |lines: &[String]| -> Vec<_> { lines.iter().map(|l| l.find('▌')).collect() };
    assert_eq!(edges(&lines[1]).iter().flatten().count(), 3);
    assert_eq!(edges(&lines[0]), edges(&lines[1]));
    assert_eq!(edges(&lines[2]), edges(&lines[1]));
}

#[test]
fn a_cursor_out_of_sight_has_no_edge() {
    let run = samples::run(Method::Map, 1, &[]);
    let edges = |from: u64, to: u64| {
        let mut moment = samples::at(&run, 5, 8);
        let unit = |units: u64| Time(units * samples::UNIT);
        moment.axis.span = Span::new(unit(from), unit(to));
        drawn(COLOURED, &moment, 1, 4).concat().matches('▌').count()
    };
    assert_eq!(
        [(2, 10), (7, 15), (0, 4)].map(|(from, to)| edges(from, to)),
        [4, 0, 0]
    );
}

#[test]
fn of_two_rows_the_upper_half_of_the_top_one_stays_empty() {
    let run = samples::run(Method::Map, 1, &[]);
    assert_eq!(
        drawn(COLOURED, &samples::at(&run, 8, 12), 2, 2),
        [
            "           ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▖",
            " worker 0  0               ▌         0    100 %",
        ]
    );
}

#[test]
fn two_lanes_can_share_a_row() {
    let run = samples::run(Method::Map, 1, &[]);
    let moment = samples::at(&run, 8, 12);
    assert_eq!(
        drawn(COLOURED, &moment, 0, 2),
        [
            " w 0·1     ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀          0    6",
            " w 2·3     ▀▀▀▀▀▀▀▀▀▀▀▀▄▄▄▄         idle  7",
        ]
    );
    assert_eq!(
        drawn(PLAIN, &moment, 0, 2),
        [
            " w 0-1     ================          0    6",
            " w 2-3     ============----         idle  7",
        ]
    );
}

#[test]
fn in_a_row_of_two_who_waits_for_a_cpu_has_a_broken_line_in_every_look() {
    let two_cpus = |experiment: &mut crate::experiment::Experiment| experiment.cpus = Some(2);
    let crowded = samples::run_of(Method::Map, 1, &[], two_cpus);
    let blocked = samples::run_of(Method::Map, 1, &[], |experiment| {
        two_cpus(experiment);
        experiment.kind = crate::experiment::WorkKind::Io;
    });
    let grid = Grid {
        of: Lanes::Workers,
        rows: 0,
        first: 0,
    };
    // The first two workers have long tasks from the start, which share two CPUs with two others.
    let begin = |run: &Trace, depth| {
        let look = Look { depth, ..COLOURED };
        let moment = samples::at(run, 3, 6);
        let drawn = lines(look, (60, 2), |area, pen| {
            render(&moment, grid, Selection::default(), area, pen);
        });
        drawn[0].chars().skip(11).take(6).collect::<String>()
    };
    for depth in [Depth::None, Depth::Sixteen, Depth::Indexed, Depth::True] {
        assert_eq!(begin(&crowded, depth), "▀▄▀▄▀▄", "{depth:?}");
        let is_broken = begin(&blocked, depth).contains(['▄', ' ']);
        assert!(!is_broken, "{depth:?}");
    }
}

#[test]
fn of_an_odd_number_of_cpus_the_last_has_a_row_to_itself() {
    let three = |experiment: &mut crate::experiment::Experiment| {
        experiment.workers = 3;
        experiment.cpus = Some(3);
    };
    let run = samples::run_of(Method::Map, 1, &[], three);
    let moment = samples::at(&run, 8, 12);
    let grid = Grid {
        of: Lanes::Cpus,
        rows: 0,
        first: 0,
    };
    let lines = lines(PLAIN, (moment.axis.right() + 13, 2), |area, pen| {
        render(&moment, grid, Selection::default(), area, pen);
    });
    assert!(lines[0].starts_with(" cpu 0-1"), "{lines:?}");
    assert!(lines[1].starts_with(" cpu 2 "), "{lines:?}");
    let right = lines[1].get(usize::from(moment.axis.right())..).unwrap();
    assert_eq!(right.split_whitespace().count(), 1, "{lines:?}");
}

#[test]
fn one_of_two_lanes_in_a_row_is_chosen_by_its_own_name_and_colour() {
    let run = samples::run(Method::Map, 1, &[]);
    let moment = samples::at(&run, 8, 12);
    let grid = Grid {
        of: Lanes::Workers,
        rows: 0,
        first: 0,
    };
    let theme = Theme::of(COLOURED);
    let now = theme.style(theme.now, theme.background).fg;
    let drawn = |row, index| {
        let selection = Selection {
            row: Some(row),
            task: Some(TaskId {
                call: CallId(0),
                index,
            }),
        };
        let mut buffer = Buffer::empty(Rect::new(0, 0, moment.axis.right() + 13, 2));
        let area = buffer.area;
        render(
            &moment,
            grid,
            selection,
            area,
            &mut Pen::new(&mut buffer, theme),
        );
        let lit = |x: u16| {
            let cell = &buffer[(x, 0)];
            [Some(cell.fg), Some(cell.bg)].contains(&now)
        };
        let axis = moment.axis.x..moment.axis.right();
        let name: String = (0..6).map(|x| buffer[(x, 0)].symbol()).collect();
        (name, axis.filter(|&x| lit(x)).count())
    };
    let (name, lit) = drawn(1, 6);
    assert_eq!(name, format!("{}w 1  ", theme.glyphs.here));
    assert!(lit > 0);
    assert_eq!(drawn(0, 6).1, 0, "worker 0 never had task 6");
}

#[test]
fn what_ended_badly_is_marked_and_said() {
    let fault = |task, kind| Fault { task, kind };
    let faults = [fault(2, FaultKind::Raise), fault(4, FaultKind::Die)];
    let run = samples::run(Method::ImapUnordered, 2, &faults);
    assert_eq!(
        drawn(PLAIN, &samples::at(&run, 20, 25), 1, 4),
        [
            " worker 0  0=================|1==                             idle   85 %",
            " worker 1  2==========!1 skipped                              idle   46 %",
            " worker 2  4======Xcrashed                                    idle   31 %",
            " worker 3  6===============|7========                         idle  100 %",
        ]
    );
    for rows in 1..=6 {
        let drawn = drawn(COLOURED, &samples::at(&run, 20, 25), rows, rows * 4).concat();
        let marks = ["✗", "†"].map(|mark| drawn.matches(mark).count());
        assert_eq!(marks, [1, 1], "{rows}");
    }
}

/// A place whose workers open and are killed at these times, the last one not at all.
fn killed_at(times: &[(u64, Option<u64>)]) -> Trace {
    let mut events = Vec::new();
    for (&(from, to), lane) in times.iter().zip(1..) {
        let mut tell = |at, kind| {
            let (at, lane) = (Time(at * samples::UNIT), LaneId(lane));
            events.push(Event { at, lane, kind });
        };
        let opened = LaneOpened {
            kind: LaneKind::Worker,
            pool: None,
            name: "worker 0".into(),
            pid: None,
            tid: None,
        };
        tell(from, Kind::LaneOpened(Box::new(opened)));
        let ended = Ended::Killed;
        if let Some(to) = to {
            tell(to, Kind::LaneClosed { ended });
        }
    }
    let mut run = Trace::default();
    run.apply(events);
    run
}

#[test]
fn words_behind_a_mark_have_room_before_the_next_one_or_are_left_out() {
    let run = killed_at(&[(0, Some(4)), (5, Some(6)), (7, Some(8)), (15, None)]);
    let drawn = drawn(PLAIN, &samples::at(&run, 20, 16), 1, 1);
    assert_eq!(
        drawn[0][11..43].trim_end(),
        "       Xxx Xxx Xkilled xxxxxxx"
    );
}

#[test]
fn a_worker_that_dies_without_a_task_is_marked_where_it_dies() {
    let run = killed_at(&[(0, Some(4)), (8, Some(13)), (13, None)]);
    let shown = |cursor, from: u64| {
        let mut moment = samples::at(&run, cursor, 16);
        let start = Time(from * samples::UNIT);
        moment.axis.span = Span::new(start, start + moment.axis.span.length());
        drawn(PLAIN, &moment, 1, 1)[0]
            .get(11..43)
            .unwrap_or_default()
            .trim_end()
            .to_owned()
    };
    assert_eq!(shown(20, 0), "       Xkilled x         X");
    assert_eq!(shown(6, 0), "       Xkilled");
    // What died beside the axis is not on it.
    assert_eq!(shown(20, 6), "xxxx         Xkilled");
    assert_eq!(shown(20, 14), "");
}

#[test]
fn where_memory_is_told_all_names_are_short() {
    let mut run = samples::run(Method::Map, 1, &[]);
    let told = run.rows()[1].lanes[0];
    run.apply(vec![Event {
        at: run.end(),
        lane: told,
        kind: Kind::Sample(Box::new(Sample {
            quantity: RESIDENT.to_owned(),
            value: 5.0 * f64::from(1 << 20),
        })),
    }]);
    let names = |rows| -> Vec<String> {
        let drawn = drawn(PLAIN, &samples::at(&run, 60, 12), rows, rows * 4);
        let gutter = drawn
            .iter()
            .map(|line| line.get(..11).unwrap_or(line).trim());
        gutter
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(names(1), ["w0", "w1 5.0M", "w2", "w3"]);
    assert_eq!(names(2)[1..3], ["5.0 MiB", "worker 1"]);
}

#[test]
fn a_word_and_a_share_never_run_into_each_other() {
    let fault = Fault {
        task: 0,
        kind: FaultKind::Die,
    };
    let run = samples::run_of(Method::Map, 1, &[fault], |experiment| {
        experiment.policy = crate::experiment::Policy::Executor;
    });
    let drawn = drawn(PLAIN, &samples::at(&run, 10, 12), 1, 4);
    let ends: Vec<&str> = drawn.iter().map(|line| line[36..].trim()).collect();
    // Which of them broke the executor can be seen.
    let shares = ends.iter().map(|end| end.split(' ').next().unwrap_or(end));
    assert_eq!(
        shares.collect::<Vec<_>>(),
        ["crashed", "ended", "ended", "ended"]
    );
    assert_eq!(ends[2], "ended  67 %");
}

#[test]
fn only_a_worker_without_an_exit_code_was_killed() {
    let words = |run: &Trace| {
        let lane = run.lanes().last().unwrap();
        [Some(9), Some(-9), None].map(|exit| {
            let mut lane = lane.clone();
            lane.exit = exit;
            death(run, &lane)
        })
    };
    let run = samples::run(Method::Map, 1, &[]);
    assert_eq!(words(&run), ["crashed", "killed", "killed"]);
    assert_eq!(words(&samples::on_threads(&[]))[2], "ended");
}

#[test]
fn a_cpu_that_had_nothing_to_do_is_seen() {
    let run = samples::run(Method::Apply, 1, &[]);
    assert_eq!(
        (run.cpus().len(), selection::rows(&run, Lanes::Cpus)),
        (1, 4)
    );
    let grid = Grid {
        of: Lanes::Cpus,
        rows: 0,
        first: 0,
    };
    let moment = samples::at(&run, 8, 12);
    let drawn = lines(PLAIN, (48, 2), |area, pen| {
        render(&moment, grid, Selection::default(), area, pen);
    });
    assert_eq!(drawn[1], " cpu 2-3                            none none");
}

#[test]
fn lanes_out_of_sight_are_counted() {
    let run = samples::run(Method::Map, 1, &[]);
    let moment = samples::at(&run, 8, 12);
    let grid = Grid {
        of: Lanes::Workers,
        rows: 1,
        first: 2,
    };
    let drawn = lines(PLAIN, (48, 3), |area, pen| {
        let selection = Selection {
            row: Some(3),
            task: Some(TaskId {
                call: CallId(0),
                index: 4,
            }),
        };
        let lanes = Rect { height: 2, ..area };
        render(&moment, grid, selection, lanes, pen);
        scrolled(&moment, grid, 2, 2, pen);
    });
    assert_eq!(
        drawn,
        [
            " worker 2  2===========             idle   75 %",
            ">worker 3  3=[4]=====|7====>         7    100 %",
            "                                    2 of 4 lanes",
        ]
    );
}

#[test]
fn rows_of_the_screen_and_lanes_belong_together() {
    let grid = |rows| Grid {
        of: Lanes::Workers,
        rows,
        first: 4,
    };
    assert_eq!((grid(3).lane_at(5), grid(3).lanes(7)), (5, 2));
    assert_eq!((grid(0).lane_at(1), grid(0).lanes(7)), (6, 14));
}

/// Workers of one place that do a task each, one after another, of which some fail and some workers die; or one that
/// does all. `those` are the tasks that there are.
fn replaced(those: std::ops::Range<u32>, each_alone: bool) -> Trace {
    let call = CallBegan {
        call: CallId(0),
        pool: None,
        method: "map".to_owned(),
        function: "f".to_owned(),
        source: None,
        tasks: Some(500),
        chunksize: Some(3),
    };
    let mut events = Vec::new();
    let mut tell = |at, lane, kind| {
        let (at, lane) = (Time(at), LaneId(lane));
        events.push(Event { at, lane, kind });
    };
    tell(0, 0, Kind::CallBegan(Box::new(call)));
    let last = those.end - 1;
    for index in those {
        let lane = if each_alone { index + 1 } else { 1 };
        // Now and then a whole column has nothing, or one task only.
        let (length, pause) = (3 + index * 7 % 40, index * 5 % 31);
        let at = u64::from(index * 60 + index % 9);
        let (call, cpu) = (CallId(0), None);
        let task = TaskId { call, index };
        let opened = LaneOpened {
            kind: LaneKind::Worker,
            pool: None,
            name: "worker 0".to_owned(),
            pid: None,
            tid: None,
        };
        tell(at, lane, Kind::LaneOpened(Box::new(opened)));
        tell(at + u64::from(pause % 7), lane, Kind::Started { task, cpu });
        let end = at + u64::from(pause % 7 + length);
        let dies = each_alone && index % 11 == 4 && index < last;
        if dies {
            let tasks = Indexes::one(index);
            tell(end, 0, Kind::Lost { call, tasks });
        } else {
            let outcome = [Outcome::Ok, Outcome::Failed][usize::from(index % 17 == 3)];
            tell(end, lane, Kind::Finished { task, outcome, cpu });
        }
        if each_alone && index < last {
            let ended = [Ended::Retired, Ended::Killed][usize::from(dies)];
            tell(end, lane, Kind::LaneClosed { ended });
        }
    }
    events.sort_by_key(|event| event.at);
    let mut trace = Trace::default();
    trace.apply(events);
    trace
}

fn axis(from: u64, to: u64) -> Axis {
    Axis {
        x: 11,
        width: 60,
        span: Span::new(Time(from), Time(to)),
    }
}

#[test]
fn a_place_of_very_many_workers_looks_as_if_one_had_done_it_all() {
    let (many, one) = (replaced(0..500, true), replaced(0..500, false));
    for (from, to) in [(0, 30_000), (0, 900), (7_000, 7_450), (29_000, 31_000)] {
        for cursor in [to - (to - from) / 3, to].map(Time) {
            let [many, one] = [&many, &one].map(|trace| {
                let moment = Moment {
                    trace,
                    cursor,
                    axis: axis(from, to),
                    findings: &[],
                };
                let track = track(&moment, Lanes::Workers, 0).unwrap();
                // What is drawn of a task does not depend on how its worker ended.
                columns(&track.sources, moment.axis, cursor, None)
            });
            assert_eq!(many, one, "{from} to {to} at {cursor:?}");
        }
    }
}

#[test]
fn what_is_out_of_sight_changes_nothing_that_is_in_sight() {
    let all = replaced(0..500, true);
    for first in [20, 130, 260, 480] {
        let few = replaced(first - 5..(first + 20).min(500), true);
        let from = u64::from(first * 60);
        for length in [200, 600, 900] {
            let [all, few] = [&all, &few].map(|trace| {
                let moment = Moment {
                    trace,
                    cursor: Time(from + length - 50),
                    axis: axis(from, from + length),
                    findings: &[],
                };
                let lines = drawn(PLAIN, &moment, 3, 3);
                let in_sight = |line: String| line.chars().skip(11).take(60).collect::<String>();
                lines.into_iter().map(in_sight).collect::<Vec<_>>()
            });
            assert_eq!(all, few, "{length} from {from}");
        }
    }
}
