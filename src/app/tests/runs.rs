//! Keys that start a run, and what is said of what they changed.

use super::*;
use crate::app::action::Action;
use crate::app::switch;
use crate::definition::{self, Facts};
use crate::experiment::MainWork;

#[test]
fn each_switch_starts_a_run_of_the_same_tasks_at_once() {
    for (keys, change) in [
        ("s", (Method::MapAsync, Backend::Threads, 4, 7)),
        ("m", (Method::Imap, Backend::Threads, 4, 7)),
        ("M", (Method::Loop, Backend::Threads, 4, 7)),
        ("b", (Method::Map, Backend::Threads.next(), 4, 7)),
        ("-", (Method::Map, Backend::Threads, 3, 7)),
        ("+", (Method::Map, Backend::Threads, 5, 7)),
        ("=", (Method::Map, Backend::Threads, 5, 7)),
        ("r", (Method::Map, Backend::Threads, 4, 7)),
        ("n", (Method::Map, Backend::Threads, 4, 8)),
    ] {
        let mut app = app(Method::Map, Backend::Threads);
        tell(&mut app, 4);
        let effect = press(&mut app, keys);
        let (method, backend, workers, seed) = change;
        // Half of what a map takes on four workers, and that much also on more or fewer of them.
        let own_work = MainWork::Fixed(Nanos(9 * UNIT / 2));
        let expected = Experiment {
            method,
            backend,
            workers,
            seed,
            main_work: if workers == 4 {
                MainWork::Half
            } else {
                own_work
            },
            ..eight(Method::Map, Backend::Threads)
        };
        let start = Effect::Start {
            run: RunId(1),
            experiment: Box::new(expected.clone()),
        };
        assert_eq!(effect, Some(start), "{keys}");
        assert_eq!(app.run.experiment(), Some(&expected));
        assert_eq!(app.previous.as_ref().map(|run| run.id), Some(RunId(0)));
    }
}

#[test]
fn two_keys_from_the_start_scramble_the_delivered_order() {
    let mut app = app(Method::Map, Backend::Threads);
    tell(&mut app, 4);
    press(&mut app, "s m");
    assert_eq!(app.run.experiment().unwrap().method, Method::ImapUnordered);
    tell_all(&mut app);
    let numbers = app.run.trace.numbers(app.cursor());
    assert_eq!(numbers.inversions_delivered, 11);
}

#[test]
fn a_loop_says_that_it_has_no_asynchronous_form() {
    let mut app = app(Method::Loop, Backend::Simulated);
    assert_eq!(press(&mut app, "s"), None);
    assert!(
        app.notice
            .as_ref()
            .unwrap()
            .contains("no asynchronous form")
    );
    press(&mut app, "T");
    assert_eq!(app.notice, None);
}

#[test]
fn a_loop_has_no_workers_to_be_killed_or_changed_in_number() {
    let mut app = app(Method::Loop, Backend::Processes);
    tell(&mut app, 4);
    for key in ["-", "+", "K"] {
        assert_eq!(press(&mut app, key), None);
        let notice = app.notice.clone().unwrap_or_default();
        assert!(notice.contains("a loop has no workers"), "{key}: {notice}");
    }
    for action in [Action::FewerWorkers, Action::Kill] {
        let hints = app.keymap.hints(&app);
        let is_offered = hints.iter().any(|hint| hint.actions.contains(&action));
        assert!(!is_offered, "{action:?}");
    }
}

#[test]
fn a_switch_to_threads_leaves_out_what_is_for_the_simulation() {
    let mut app = App::new(
        Experiment {
            cpus: Some(2),
            memory: Some(MemoryModel::Separate),
            ..eight(Method::Map, Backend::Simulated)
        },
        Settings::default(),
    );
    assert!(matches!(press(&mut app, "b"), Some(Effect::Start { .. })));
    assert_eq!(app.run.experiment().unwrap().check(), Ok(()));
    assert!(app.notice.as_ref().unwrap().contains("--cpus 2"));
}

#[test]
fn what_a_loop_has_no_place_for_is_there_again_behind_it() {
    let mut app = App::new(
        Experiment {
            dispatch: Nanos(UNIT),
            ..eight(Method::Starmap, Backend::Threads)
        },
        Settings::default(),
    );
    let dispatch = |app: &App| app.run.experiment().unwrap().dispatch;
    let serial_time = |run: &Run| run.trace.numbers(Time::NEVER).serial_time;
    tell_all(&mut app);
    press(&mut app, "m");
    assert_eq!(app.run.experiment().unwrap().method, Method::Loop);
    assert_eq!(dispatch(&app), Nanos::ZERO);
    assert!(app.notice.as_ref().unwrap().contains("without --dispatch"));
    tell_all(&mut app);
    let watched = app.run.trace.numbers(Time::NEVER).makespan;
    assert_eq!(serial_time(app.previous.as_ref().unwrap()), watched);
    app.notice = None;
    press(&mut app, "r");
    assert_eq!((dispatch(&app), &app.notice), (Nanos::ZERO, &None));
    press(&mut app, "m");
    assert_eq!(dispatch(&app), Nanos(UNIT));
    tell_all(&mut app);
    assert_eq!(serial_time(&app.run), watched);
}

#[test]
fn a_switch_to_what_cannot_run_starts_nothing_and_says_why() {
    let mut app = App::new(
        Experiment {
            tasks: 200,
            costs: Costs::Const(Nanos(UNIT)),
            chunksize: None,
            payload: 25 << 20,
            ..eight(Method::Imap, Backend::Python)
        },
        Settings::default(),
    );
    assert_eq!(app.run.experiment().unwrap().check(), Ok(()));
    assert_eq!(press(&mut app, "M"), None);
    assert_eq!(app.run.id, RunId(0));
    assert_eq!(app.run.experiment().unwrap().method, Method::Imap);
    let notice = app.notice.as_ref().unwrap();
    assert!(
        notice.starts_with("not started: --payload 25MiB: 13 tasks of that are too much"),
        "{notice}"
    );
    assert!(matches!(press(&mut app, "m"), Some(Effect::Start { .. })));
}

#[test]
fn batches_of_a_run_that_was_left_change_nothing() {
    let mut app = app(Method::Map, Backend::Threads);
    let late = events(&app);
    press(&mut app, "s");
    let revision = app.revision();
    app.update(Message::Batch {
        run: RunId(0),
        events: late,
        complete_to: Time::NEVER,
    });
    assert!(app.run.trace.run().is_none() && !app.run.over);
    assert_eq!(app.revision(), revision);
}

#[test]
fn a_run_that_told_nothing_is_not_kept_for_comparison() {
    let mut app = app(Method::Map, Backend::Threads);
    tell(&mut app, 4);
    press(&mut app, "s s s");
    let kept = app.previous.as_ref().unwrap();
    assert_eq!((kept.id, app.run.id), (RunId(0), RunId(3)));
}

#[test]
fn the_line_after_a_switch_is_foretold_and_then_measured() {
    let mut app = app(Method::Map, Backend::Threads);
    tell_all(&mut app);
    press(&mut app, "s");
    let change = app.change.clone().unwrap();
    assert_eq!(change.basis, Basis::Expected);
    assert_eq!(
        change.text,
        "program end 155 -> 110 ms; main blocked 110 -> 65 ms; \
         same: makespan, delivery order (m: as they finish)"
    );
    tell(&mut app, 5);
    assert_eq!(app.change.as_ref().unwrap().basis, Basis::Expected);
    assert!(app.change.as_ref().unwrap().is_news);
    press(&mut app, "i");
    tell_all(&mut app);
    let change = app.change.as_ref().unwrap();
    assert_eq!((change.basis, change.is_news), (Basis::Measured, false));
}

#[test]
fn the_line_says_how_far_the_order_is_scrambled() {
    let mut app = app(Method::MapAsync, Backend::Threads);
    tell(&mut app, 5);
    press(&mut app, "m");
    let text = app.change.clone().unwrap().text;
    assert_eq!(
        text,
        "delivered in order -> 39 % out of order; first result ready 110 -> 10 ms; \
         same: makespan, main blocked"
    );
    tell_all(&mut app);
    press(&mut app, "r");
    assert_eq!(app.change, None);
}

#[test]
fn after_a_run_that_was_left_in_the_middle_what_was_expected_of_both_stays() {
    let mut app = app(Method::Map, Backend::Threads);
    tell(&mut app, 5);
    press(&mut app, "s");
    let expected = app.change.clone().unwrap();
    assert_eq!(expected.basis, Basis::Expected);
    // The machine is busy: everything takes twice as long, which is not for the key to answer for.
    let mut events = events(&app);
    for event in &mut events {
        event.at = Time(event.at.0 * 2);
    }
    let run = app.run.id;
    app.update(Message::Batch {
        run,
        events,
        complete_to: Time::NEVER,
    });
    let change = app.change.unwrap();
    assert_eq!(change.basis, Basis::Expected);
    // What it came to stands beside it.
    assert!(change.text.starts_with(
        "program end 155 -> 110 ms, measured 220 ms; main blocked 110 -> 65 ms, measured 130 ms; "
    ));
    assert!(
        change
            .text
            .contains("; makespan 110 ms in both, measured 220 ms; same: delivery order")
    );
}

#[test]
fn the_axis_of_a_live_run_is_fitted_at_its_end_unless_somebody_looks_at_something() {
    let ends = |key: Option<&str>| {
        let mut app = app(Method::Loop, Backend::Threads);
        tell(&mut app, 22);
        if let Some(key) = key {
            press(&mut app, key);
        }
        tell_all(&mut app);
        app.viewport.length
    };
    assert!(ends(None) < Nanos(55 * UNIT));
    assert_eq!(
        [ends(Some("space")), ends(Some("i"))],
        [Nanos(50 * UNIT), Nanos(25 * UNIT)]
    );
}

#[test]
fn a_watched_loop_replaces_the_estimate_of_the_serial_time() {
    let serial_time = |run: &Run| run.trace.numbers(Time::NEVER).serial_time;
    let mut app = app(Method::Starmap, Backend::Threads);
    tell_all(&mut app);
    press(&mut app, "m");
    tell(&mut app, 30);
    // In this loop the tasks took longer than the pool's own estimate says.
    let mut events = events(&app);
    for event in &mut events {
        event.at = Time(event.at.0 * 2);
    }
    let run = app.run.id;
    app.run.trace = Trace::default();
    app.update(Message::Batch {
        run,
        events,
        complete_to: Time::NEVER,
    });
    let watched = Some(Nanos(72 * UNIT));
    assert_eq!(serial_time(app.previous.as_ref().unwrap()), watched);
    press(&mut app, "m");
    tell_all(&mut app);
    assert_eq!(serial_time(&app.run), watched);
    press(&mut app, "n");
    tell_all(&mut app);
    assert_eq!(serial_time(&app.run), Some(Nanos(36 * UNIT)));
}

#[test]
fn comparing_needs_a_previous_run_and_makes_room_for_it() {
    let mut app = app(Method::Loop, Backend::Threads);
    press(&mut app, "c");
    assert!(app.scene == Scene::View && app.notice.is_some());
    tell_all(&mut app);
    press(&mut app, "m c");
    assert_eq!(app.scene, Scene::Compare);
    assert!(app.viewport.span().contains(Time(36 * UNIT)));
    press(&mut app, "tab");
    assert!(app.swapped);
    press(&mut app, "s");
    assert_eq!(app.scene, Scene::Compare);
    press(&mut app, "c");
    assert_eq!(app.scene, Scene::View);
}

#[test]
fn what_was_selected_before_the_comparison_takes_no_keys_there() {
    let mut app = app(Method::Map, Backend::Simulated);
    tell_all(&mut app);
    press(&mut app, "s");
    tell_all(&mut app);
    press(&mut app, "end enter esc i");
    let selected = app.selection;
    assert!(selected.task.is_some());
    press(&mut app, "c");
    let seen = app.viewport.span();
    press(&mut app, "left");
    assert!(app.viewport.span().start() < seen.start());
    press(&mut app, "up");
    let says = "two runs beside each other show no choice of lanes: Esc goes back";
    assert_eq!(app.notice.as_deref(), Some(says));
    assert_eq!(app.selection, selected);
}

#[test]
fn the_demo_goes_on_where_a_run_could_not_be_started() {
    let settings = Settings {
        demo: true,
        ..Settings::default()
    };
    let mut app = App::new(eight(Method::Map, Backend::Threads), settings);
    let run = app.run.id;
    assert_eq!(wait(&mut app, 1_000), None);
    app.update(Message::RunOver { run });
    app.update(Message::Notice("no thread".to_owned()));
    assert!(app.run.over && app.moving());
    assert_eq!(app.notice.as_deref(), Some("no thread"));
    let mut next = None;
    for _ in 0..10 {
        next = next.or(wait(&mut app, 100));
    }
    assert!(matches!(next, Some(Effect::Start { run: RunId(1), .. })));
}

#[test]
fn the_demo_goes_round_by_itself_until_a_key_starts_a_run() {
    let settings = Settings {
        demo: true,
        ..Settings::default()
    };
    let mut app = App::new(eight(Method::Apply, Backend::Threads), settings);
    let mut methods = Vec::new();
    for _ in 0..5 {
        methods.push(app.run.experiment().unwrap().method);
        tell_all(&mut app);
        assert!(app.at_end() && app.moving());
        assert_eq!(wait(&mut app, 100), None);
        assert!(matches!(wait(&mut app, 900), Some(Effect::Start { .. })));
    }
    assert_eq!(
        methods,
        [
            Method::Map,
            Method::MapAsync,
            Method::Imap,
            Method::ImapUnordered,
            Method::Map
        ]
    );
    press(&mut app, "s");
    assert!(app.demo.is_none());
}

#[test]
fn a_call_that_never_completes_blocks_for_ever() {
    let mut broken = eight(Method::MapAsync, Backend::Simulated);
    broken.faults = vec![Fault {
        task: 3,
        kind: FaultKind::Die,
    }];
    let whole = run(&eight(Method::Map, Backend::Simulated));
    let text = switch::change(&run(&broken), &whole, "m", None).text;
    let says = "program end never -> 155 ms; main blocked for ever -> 110 ms; delivered nothing -> in order";
    assert!(text.starts_with(says), "{text}");
}

#[test]
fn a_loop_neither_blocks_main_nor_frees_it() {
    let [map, plain] =
        [Method::Map, Method::Loop].map(|method| run(&eight(method, Backend::Simulated)));
    let numbers = plain.numbers(plain.end());
    assert!(numbers.main_computes && numbers.blocked_main == Some(Nanos::ZERO));
    let text = |before, after| switch::change(before, after, "m", None).text;
    let to = text(&map, &plain);
    assert!(
        to.contains("; main blocked 110 ms -> runs the tasks; "),
        "{to}"
    );
    let from = text(&plain, &map);
    assert!(
        from.contains("; main runs the tasks -> blocked 110 ms; "),
        "{from}"
    );
    let got = switch::change(&plain, &map, "m", Some(&map)).text;
    let measured = "; main runs the tasks -> blocked 110 ms, measured 110 ms; ";
    assert!(got.contains(measured), "{got}");
    assert!(!text(&plain, &plain).contains("main"));
    let blocked = definition::of("blocked_main").unwrap();
    for at in [Time(1), plain.end()] {
        let facts = Facts::of(&plain, at);
        assert_eq!((blocked.value)(&facts), None);
        assert!(facts.is_final(blocked));
    }
}

#[test]
fn a_call_that_stopped_at_an_error_is_not_as_long_as_one_that_went_on() {
    let text = |task| {
        let [before, after] = [Method::ApplyAsync, Method::Apply].map(|method| {
            let mut experiment = eight(method, Backend::Simulated);
            experiment.costs = Costs::Const(Nanos(10_000_000));
            experiment.workers = 2;
            let kind = FaultKind::Raise;
            experiment.faults = vec![Fault { task, kind }];
            run(&experiment)
        });
        switch::change(&before, &after, "m", None).text
    };
    // Lengths that differ stand behind what makes them so.
    let both = text(5);
    let (_, behind) = both
        .split_once("tasks that ended 8 -> 6; ")
        .unwrap_or_else(|| panic!("{both}"));
    assert!(behind.starts_with("makespan"), "{both}");
    let text = text(3);
    assert!(text.contains("tasks that ended 8 -> 4"), "{text}");
    assert!(!text.contains("makespan"), "{text}");
}

#[test]
fn what_neither_run_has_is_no_change_and_not_the_same() {
    let text = |kind| {
        let [before, after] = [Method::Map, Method::MapAsync].map(|method| {
            run(&Experiment {
                faults: vec![Fault { task: 3, kind }],
                ..eight(method, Backend::Simulated)
            })
        });
        switch::change(&before, &after, "m", None).text
    };
    assert_eq!(
        text(FaultKind::Die),
        "main blocked for ever in both; nothing delivered"
    );
    assert_eq!(
        text(FaultKind::Raise),
        "main blocked 110 -> 65 ms; nothing delivered; same: makespan"
    );
}

fn run(experiment: &Experiment) -> Trace {
    let mut trace = Trace::default();
    trace.apply(simulated::run(experiment));
    trace
}

#[test]
fn where_workers_are_no_processes_a_kill_says_so_whether_or_not_the_run_is_over() {
    for backend in [Backend::Threads, Backend::Simulated] {
        let mut app = app(Method::Map, backend);
        tell_all(&mut app);
        assert_eq!(press(&mut app, "K"), None);
        let says = "only a process can be killed: b goes to the next backend";
        assert_eq!(app.notice.as_deref(), Some(says), "{backend:?}");
    }
}

#[test]
fn a_worker_is_killed_only_where_it_is_a_process_and_chosen() {
    let mut app = app(Method::Map, Backend::Threads);
    tell(&mut app, 4);
    assert_eq!(press(&mut app, "K"), None);
    assert!(app.notice.as_deref().unwrap().contains("only a process"));
    let Subject::Experiment(experiment) = &mut app.run.subject else {
        panic!("the lab runs experiments");
    };
    experiment.backend = Backend::Processes;
    assert_eq!(press(&mut app, "K"), None);
    assert!(app.notice.as_deref().unwrap().contains("choose the worker"));
    press(&mut app, "down");
    let lane = app.run.trace.rows()[0].lanes[0];
    let run = app.run.id;
    assert_eq!(press(&mut app, "K"), Some(Effect::Kill { run, lane }));
    assert_eq!(app.notice.as_deref(), Some("worker 0 is killed (SIGKILL)"));
    let ended = Kind::LaneClosed {
        ended: crate::event::Ended::Killed,
    };
    app.update(Message::Batch {
        run,
        events: vec![Event {
            at: app.run.end(),
            lane,
            kind: ended,
        }],
        complete_to: Time::ZERO,
    });
    assert_eq!(press(&mut app, "K"), None);
    let says = "worker 0 is dead already, and nobody came in its place";
    assert_eq!(app.notice.as_deref(), Some(says));
    app.run.over = true;
    assert_eq!(press(&mut app, "K"), None);
}

#[test]
fn a_stop_is_told_of_a_live_run_whose_tasks_stood_still() {
    let stopped = |backend, over| {
        let mut app = app(Method::Map, backend);
        if over {
            tell_all(&mut app);
        }
        let length = Nanos(3_200_000_000);
        assert_eq!(app.update(Message::Stopped { length }), None);
        app.notice
    };
    let told = Some("stopped for 3.20 s: times include it".to_owned());
    assert_eq!(stopped(Backend::Threads, false), told);
    assert_eq!(stopped(Backend::Processes, false), told);
    for (backend, over) in [
        (Backend::Threads, true),
        (Backend::Simulated, false),
        (Backend::Python, false),
    ] {
        assert_eq!(stopped(backend, over), None, "{backend:?}");
    }
}
