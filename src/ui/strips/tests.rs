use super::*;
use crate::event::Kind;
use crate::experiment::{Backend, Experiment};
use crate::method::Method;
use crate::origin::simulated;
use crate::palette::{Charset, Look};
use crate::time::Nanos;
use crate::trace::Trace;
use crate::ui::samples::{self, PLAIN, lines};
use crate::workload::Costs;

fn drawn(look: Look, method: Method, rows: u16, cursor: u64, which: Which) -> Vec<String> {
    let run = samples::run(method, 1, &[]);
    let moment = samples::at(&run, cursor, 12);
    lines(look, (70, rows), |area, pen| {
        panel(&moment, which, area, area, pen);
    })
}

#[test]
fn in_order_a_strip_climbs_and_out_of_order_it_is_jagged() {
    let look = Look {
        charset: Charset::Unicode,
        depth: Depth::True,
        ..PLAIN
    };
    assert_eq!(
        drawn(look, Method::Map, 2, 12, Which::Delivered),
        [
            "           ▂▂▂▂▃▃▃▃▄▄▄▄▅▅▅▅▅▅▅▅▆▆▆▆▇▇▇▇▇▇▇▇",
            " delivered  0   1   2   3   4   5   6   7   ✓ in order",
        ]
    );
    assert_eq!(
        drawn(look, Method::Map, 2, 12, Which::Finished),
        [
            "           ▅▅▅▅▃▃▃▃▆▆▆▆▅▅▅▅▄▄▄▄▂▂▂▂▇▇▇▇▇▇▇▇",
            " finished   3   1   5   4   2   0   7   6   39 % out of order",
        ]
    );
}

#[test]
fn without_blocks_digits_say_the_order() {
    let line = |which, cursor| drawn(PLAIN, Method::Map, 1, cursor, which).remove(0);
    assert_eq!(
        line(Which::Submitted, 4),
        " submitted 0 1 2 3 4 5 6 7  sets the digits"
    );
    assert_eq!(
        line(Which::Finished, 4),
        " finished  3 1 5 . . . . .  1 of 3 pairs"
    );
    assert_eq!(
        line(Which::Delivered, 4),
        " delivered . . . . . . . .  0 of 8"
    );
}

#[test]
fn of_an_input_without_a_length_a_strip_shows_what_was_read() {
    let five = Experiment {
        method: Method::Imap,
        backend: Backend::Simulated,
        workers: 2,
        tasks: 5,
        costs: Costs::List([9, 2, 6, 1, 4].map(|units| Nanos(units * 1_000_000)).into()),
        ..Experiment::default()
    };
    let mut events = simulated::run(&five);
    // Of one that has ended it is known how many there were.
    events.retain(|event| !matches!(event.kind, Kind::CallEnded { .. }));
    for event in &mut events {
        if let Kind::CallBegan(call) = &mut event.kind {
            call.tasks = None;
        }
    }
    let mut trace = Trace::default();
    trace.apply(events);
    let line = |cursor, which, columns| {
        let moment = samples::at(&trace, cursor, 12);
        let drawn = lines(PLAIN, (columns, 1), |area, pen| {
            panel(&moment, which, area, area, pen);
        });
        drawn.concat()
    };
    assert_eq!(
        line(2, Which::Submitted, 70),
        " submitted 0 1 2 3 4  sets the digits"
    );
    assert_eq!(
        line(2, Which::Delivered, 70),
        " delivered . . . . .  0 of 5 so far"
    );
    // Where tasks share columns as well.
    assert_eq!(Layout::strip_columns(Rect::new(0, 0, 37, 1)).1, 6);
    assert_eq!(
        line(2, Which::Delivered, 37),
        " delivered .... 0 of 5 so far"
    );
}

#[test]
fn an_error_has_its_place_among_the_results() {
    let fault = |task| crate::experiment::Fault {
        task,
        kind: crate::experiment::FaultKind::Raise,
    };
    let drawn = |method, faults: &[_]| {
        let run = samples::run(method, 1, faults);
        let moment = samples::at(&run, 20, 20);
        lines(PLAIN, (70, 1), |area, pen| {
            panel(&moment, Which::Delivered, area, area, pen);
        })
        .concat()
    };
    assert_eq!(
        drawn(Method::Imap, &[fault(5)]),
        " delivered 0 1 2 3 4 ! 6 7  in order  1 raised"
    );
    assert_eq!(
        drawn(Method::ImapUnordered, &[fault(3), fault(6)]),
        " delivered ! 1 5 4 2 0 7 !  47 % out of order  2 raised"
    );
    assert_eq!(
        drawn(Method::Map, &[fault(3)]),
        " delivered . . . . . . . .  none: map raised"
    );
}

#[test]
fn results_that_main_has_not_asked_for_are_counted() {
    let run = samples::run(Method::ImapUnordered, 1, &[]);
    let drawn = |cursor| {
        let moment = samples::at(&run, cursor, 20);
        lines(PLAIN, (70, 1), |area, pen| {
            panel(&moment, Which::Delivered, area, area, pen);
        })
        .concat()
    };
    assert_eq!(drawn(6), " delivered . . . . . . . .  0 of 8  5 ready");
    assert!(drawn(20).ends_with(" out of order"));
}

#[test]
fn a_click_finds_the_task_of_a_cell() {
    let run = samples::run(Method::Map, 1, &[]);
    let moment = samples::at(&run, 12, 12);
    let screen = Rect::new(0, 0, 70, 24);
    let hit = |x| hit(&moment, Which::Finished, screen, false, x);
    assert_eq!(
        [hit(10), hit(11), hit(19), hit(42), hit(43)],
        [None, Some(3), Some(5), Some(6), None]
    );
}

#[test]
fn a_class_of_tasks_does_not_look_like_the_number_of_one() {
    let run = samples::run_of(Method::Map, 1, &[], |experiment| {
        experiment.tasks = 24;
        experiment.costs = Costs::Const(Nanos(1_000_000));
    });
    let moment = samples::at(&run, 12, 12);
    let submitted = lines(PLAIN, (80, 1), |area, pen| {
        panel(&moment, Which::Submitted, area, area, pen);
    });
    let classes = "a a a b b c c c d d e e f f f g g h h h i i j j";
    assert_eq!(
        submitted[0],
        format!(" submitted {classes}  sets the letters")
    );
}

#[test]
fn where_no_argument_fits_none_could_start() {
    let run = samples::run_of(Method::Map, 1, &[], |experiment| experiment.pairs = true);
    let moment = samples::at(&run, 12, 12);
    let started = lines(PLAIN, (80, 1), |area, pen| {
        panel(&moment, Which::Started, area, area, pen);
    });
    assert!(started[0].ends_with(" none could start"), "{started:?}");
}

/// A strip shows what a click finds there.
#[test]
fn a_click_finds_the_task_of_a_letter() {
    let screen = Rect::new(0, 0, 70, 24);
    for tasks in [1, 4, 8, 15, 30, 39, 40, 60, 78, 79, 500] {
        let mut trace = Trace::default();
        trace.apply(simulated::run(&Experiment {
            backend: Backend::Simulated,
            method: Method::ImapUnordered,
            tasks,
            ..Experiment::default()
        }));
        let moment = samples::at(&trace, 1_000_000, 12);
        let mut end = 0;
        let strip = lines(PLAIN, (70, 1), |area, pen| {
            end = render(&moment, Which::Finished, place(screen, area), pen);
        });
        let mut found = 0;
        for (drawn, x) in strip[0].chars().zip(0..) {
            let hit = hit(&moment, Which::Finished, screen, true, x);
            if drawn.is_ascii_alphanumeric() {
                let class = hit.map(|hit| class(hit, tasks));
                assert_eq!(class, Some(drawn), "{tasks} tasks, column {x}: {strip:?}");
                found += 1;
            }
        }
        assert_eq!(found, tasks.min(39));
        assert_eq!(hit(&moment, Which::Finished, screen, true, end), None);
    }
}

#[test]
fn what_raised_as_a_whole_is_said_in_whole_words() {
    let fault = crate::experiment::Fault {
        task: 1,
        kind: crate::experiment::FaultKind::Raise,
    };
    let run = samples::run(Method::MapAsync, 1, &[fault]);
    let moment = samples::at(&run, 1_000, 12);
    let said = |columns| {
        lines(PLAIN, (columns, 1), |_, pen| {
            caption(&moment, Which::Delivered, (0, 0), true, pen);
        })
        .remove(0)
    };
    assert_eq!(said(22), "none: map_async raised");
    assert_eq!(said(20), "none: it raised");
    assert_eq!(said(9), "none");
}

#[test]
fn pairs_are_counted_only_where_there_is_room_for_them() {
    let run = samples::run(Method::ImapUnordered, 1, &[]);
    let moment = samples::at(&run, 12, 12);
    let said = |columns| {
        lines(PLAIN, (columns, 1), |_, pen| {
            caption(&moment, Which::Finished, (0, 0), true, pen);
        })
    };
    assert_eq!(said(40), ["39 % out of order  11 of 28 pairs"]);
    assert_eq!(said(30), ["39 % out of order"]);
}

#[test]
fn without_colours_the_key_has_its_numbers_and_says_what_it_sets() {
    let look = Look {
        depth: Depth::None,
        charset: Charset::Unicode,
        ..PLAIN
    };
    let run = samples::run_of(Method::Map, 1, &[], |run| {
        run.tasks = 24;
        run.costs = Costs::Const(Nanos(1_000_000));
    });
    let moment = samples::at(&run, 12, 12);
    let drawn = lines(look, (70, 1), |area, pen| {
        panel(&moment, Which::Submitted, area, area, pen);
    });
    let key = " submitted 0▂▃▃▃▃▄▄▄▄10▅▅▆▆▆▆▇▇20██ sets the heights";
    assert_eq!(drawn, [key]);
}

#[test]
fn of_a_few_results_pairs_are_counted() {
    let run = samples::run(Method::ImapUnordered, 1, &[]);
    let said = |at| {
        let moment = samples::at(&run, at, 40);
        lines(PLAIN, (40, 1), |_, pen| {
            caption(&moment, Which::Finished, (0, 0), false, pen);
        })
        .remove(0)
    };
    assert_eq!(said(4), "1 of 3 pairs");
    assert_eq!(said(12), "39 % out of order");
    let share = |at| run.numbers(samples::at(&run, at, 40).cursor).out_of_order();
    assert_eq!((share(4), share(40)), (None, Some(11.0 / 28.0)));
}

#[test]
fn tasks_that_died_unfinished_stand_at_the_end() {
    let fault = crate::experiment::Fault {
        task: 3,
        kind: crate::experiment::FaultKind::Die,
    };
    let run = samples::run(Method::ImapUnordered, 2, &[fault]);
    let drawn = |which, cursor| {
        let moment = samples::at(&run, cursor, 30);
        let place = Place {
            x: 0,
            y: 0,
            width: 16,
            rows: 1,
        };
        lines(PLAIN, (20, 1), |_, pen| {
            render(&moment, which, place, pen);
        })
        .remove(0)
    };
    // Task 2 had finished before its worker died of task 3, and its result was not sent back yet.
    assert_eq!(drawn(Which::Finished, 6), "4 5 2 . . . . .");
    assert_eq!(drawn(Which::Finished, 40), "4 5 X 6 0 1 7 X");
    assert_eq!(drawn(Which::Delivered, 40), "4 5 0 1 6 7 X X");
}
