//! What a person does, and what becomes of it, on runs in virtual time.

use super::*;
use crate::app::playback::Pace;
use crate::app::switch::Basis;
use crate::event::Kind;
use crate::experiment::{Fault, FaultKind, MemoryModel};
use crate::method::Method;
use crate::origin::simulated;
use crate::trace::Trace;
use crate::workload::Costs;
use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};

const UNIT: u64 = 10_000_000;

/// Eight tasks on four workers: 3 1 5 4 2 0 7 6 is the order in which they finish.
fn eight(method: Method, backend: Backend) -> Experiment {
    let costs = [9, 2, 6, 1, 4, 1, 8, 5];
    Experiment {
        method,
        backend,
        tasks: 8,
        costs: Costs::List(costs.map(|cost| Nanos(cost * UNIT)).to_vec()),
        ..Experiment::default()
    }
}

fn app(method: Method, backend: Backend) -> App {
    App::new(eight(method, backend), Settings::default())
}

fn key(text: &str) -> Input {
    let code = match text {
        "space" => KeyCode::Char(' '),
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "tab" => KeyCode::Tab,
        "f1" => KeyCode::F(1),
        "pagedown" => KeyCode::PageDown,
        letter => KeyCode::Char(letter.chars().next().unwrap()),
    };
    Input::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

/// Presses keys one after another; the effect of the last one.
fn press(app: &mut App, keys: &str) -> Option<Effect> {
    keys.split(' ')
        .map(|text| app.update(Message::Input(key(text))))
        .last()
        .flatten()
}

/// The events of the current run, as if they had been measured where its backend measures.
fn events(app: &App) -> Vec<Event> {
    let experiment = &app.run.experiment;
    let measured = experiment.backend == Backend::Threads;
    let mut events = simulated::run(&Experiment {
        backend: Backend::Simulated,
        ..experiment.clone()
    });
    for event in &mut events {
        if let Kind::RunBegan(run) = &mut event.kind {
            run.measured = measured;
        }
    }
    events
}

/// Tells of the current run what happened before `until` units.
fn tell(app: &mut App, until: u64) {
    let known = app.run.complete_to;
    let complete_to = Time(until * UNIT);
    let events = events(app)
        .into_iter()
        .filter(|event| {
            event.at < complete_to && (event.at >= known || app.run.trace.run().is_none())
        })
        .collect();
    let run = app.run.id;
    app.update(Message::Batch {
        run,
        events,
        complete_to,
    });
}

/// Tells the rest.
fn tell_all(app: &mut App) {
    let known = app.run.complete_to;
    let fresh = app.run.trace.run().is_none();
    let events = events(app)
        .into_iter()
        .filter(|event| event.at >= known || fresh)
        .collect();
    let run = app.run.id;
    app.update(Message::Batch {
        run,
        events,
        complete_to: Time::NEVER,
    });
}

/// Lets the clock go on by so many units, after a tick that starts it.
fn wait(app: &mut App, units: u64) -> Option<Effect> {
    let now = app.ticked.unwrap_or(Nanos::SECOND);
    app.update(Message::Tick { now });
    app.update(Message::Tick {
        now: now + Nanos(units * UNIT),
    })
}

/// Where the cursor stands, exactly on a unit.
fn units(app: &App) -> u64 {
    let cursor = app.cursor().0;
    assert!(cursor.is_multiple_of(UNIT), "{cursor}");
    cursor / UNIT
}

#[test]
fn each_switch_starts_a_run_of_the_same_tasks_at_once() {
    for (keys, change) in [
        ("s", (Method::MapAsync, Backend::Threads, 4, 7)),
        ("m", (Method::Imap, Backend::Threads, 4, 7)),
        ("M", (Method::Loop, Backend::Threads, 4, 7)),
        ("b", (Method::Map, Backend::Simulated, 4, 7)),
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
        let expected = Experiment {
            method,
            backend,
            workers,
            seed,
            ..eight(Method::Map, Backend::Threads)
        };
        let start = Effect::Start {
            run: RunId(1),
            experiment: Box::new(expected.clone()),
        };
        assert_eq!(effect, Some(start), "{keys}");
        assert_eq!(app.run.experiment, expected);
        assert_eq!(app.previous.as_ref().map(|run| run.id), Some(RunId(0)));
    }
}

#[test]
fn two_keys_from_the_start_scramble_the_delivered_order() {
    let mut app = app(Method::Map, Backend::Threads);
    tell(&mut app, 4);
    press(&mut app, "s m");
    assert_eq!(app.run.experiment.method, Method::ImapUnordered);
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
    assert_eq!(app.run.experiment.check(), Ok(()));
    assert!(app.notice.as_ref().unwrap().contains("--cpus 2"));
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
fn live_sticks_to_what_is_known_and_pausing_does_not_stop_the_run() {
    let mut app = app(Method::Map, Backend::Threads);
    tell(&mut app, 4);
    assert_eq!(units(&app), 4);
    press(&mut app, "space");
    tell(&mut app, 6);
    assert_eq!((units(&app), app.run.complete_to), (4, Time(6 * UNIT)));
    press(&mut app, "end");
    assert_eq!(units(&app), 6);
    tell(&mut app, 7);
    assert_eq!(units(&app), 7);
}

#[test]
fn a_simulated_run_is_played_from_the_start_at_the_speed_of_the_clock() {
    let mut app = app(Method::Map, Backend::Simulated);
    assert!(!app.moving());
    tell_all(&mut app);
    assert!(app.moving());
    wait(&mut app, 3);
    assert_eq!(units(&app), 3);
    press(&mut app, ">");
    wait(&mut app, 3);
    assert_eq!(units(&app), 9);
    let axis = app.viewport;
    for _ in 0..9 {
        wait(&mut app, 100);
    }
    assert!(app.at_end() && !app.moving());
    assert_eq!(app.viewport, axis);
    press(&mut app, "space");
    assert_eq!(units(&app), 0);
    assert!(app.moving());
}

#[test]
fn a_simulated_run_that_is_still_computed_is_not_skipped_over() {
    let mut app = app(Method::Map, Backend::Simulated);
    tell(&mut app, 2);
    wait(&mut app, 5);
    assert_eq!((units(&app), app.run.playback.pace), (2, Pace::Playing));
    tell_all(&mut app);
    assert_eq!(units(&app), 2);
    wait(&mut app, 5);
    assert_eq!(units(&app), 7);
}

#[test]
fn time_that_passed_at_rest_is_not_played() {
    let mut app = app(Method::Map, Backend::Simulated);
    tell_all(&mut app);
    wait(&mut app, 2);
    press(&mut app, "space");
    app.update(Message::Tick {
        now: Nanos(99 * Nanos::SECOND.0),
    });
    press(&mut app, "space");
    app.update(Message::Tick {
        now: Nanos(100 * Nanos::SECOND.0),
    });
    assert_eq!(units(&app), 2);
    // Stopped in the middle, for longer than anybody watches.
    press(&mut app, "< < < <");
    app.update(Message::Tick {
        now: Nanos(900 * Nanos::SECOND.0),
    });
    assert!(app.cursor() <= Time(2 * UNIT + Nanos::SECOND.0 / 16));
}

#[test]
fn stepping_stands_on_the_exact_moments_of_events() {
    let mut app = app(Method::Map, Backend::Simulated);
    tell_all(&mut app);
    press(&mut app, "home");
    // Task 3 ends after 1, task 1 after 2, task 5 after 3.
    press(&mut app, ". . .");
    assert_eq!((units(&app), app.run.playback.pace), (3, Pace::Paused));
    press(&mut app, ", ,");
    assert_eq!(units(&app), 1);
    press(&mut app, "end .");
    assert!(app.at_end());
}

#[test]
fn markers_are_jumped_to_and_read_out() {
    let mut app = App::new(
        Experiment {
            faults: vec![Fault {
                task: 2,
                kind: FaultKind::Raise,
            }],
            ..eight(Method::Map, Backend::Simulated)
        },
        Settings::default(),
    );
    tell_all(&mut app);
    press(&mut app, "home ]");
    assert_eq!(units(&app), 6);
    assert!(app.notice.is_some());
    press(&mut app, "[");
    assert_eq!(units(&app), 0);
}

#[test]
fn slow_motion_lags_behind_a_live_run_and_end_catches_up() {
    let mut app = app(Method::Map, Backend::Threads);
    tell(&mut app, 2);
    press(&mut app, "<");
    tell(&mut app, 6);
    wait(&mut app, 4);
    assert_eq!(units(&app), 4);
    press(&mut app, "end");
    assert_eq!((units(&app), app.run.playback.pace), (6, Pace::Live));
    press(&mut app, ">");
    assert!(app.notice.as_ref().unwrap().contains("live"));
}

#[test]
fn panning_by_hand_stops_following_and_one_key_resumes() {
    let mut app = app(Method::Map, Backend::Threads);
    tell(&mut app, 1);
    press(&mut app, "i");
    let seen = app.viewport.span();
    tell(&mut app, 9);
    assert_eq!(app.viewport.span(), seen);
    press(&mut app, "end");
    assert!(app.viewport.span().contains(app.cursor()));
    press(&mut app, "right 0");
    assert_eq!(app.viewport, Viewport::expecting(Nanos(9 * UNIT)));
}

#[test]
fn arrows_choose_a_lane_then_its_tasks_and_esc_lets_go() {
    let mut app = app(Method::Map, Backend::Simulated);
    tell_all(&mut app);
    press(&mut app, "end down");
    let chosen = |app: &App| (app.selection.row, app.selection.task.map(|task| task.index));
    assert_eq!(chosen(&app), (Some(0), Some(0)));
    press(&mut app, "down");
    // Worker 1 ran 1, then 5 or another one: go to its first.
    let span = app.viewport.span();
    press(&mut app, "left left left");
    assert_eq!(chosen(&app), (Some(1), Some(1)));
    assert_eq!(app.viewport.span(), span);
    press(&mut app, "right");
    assert_eq!(app.selection.row, Some(1));
    assert_ne!(app.selection.task.map(|task| task.index), Some(1));
    press(&mut app, "esc");
    assert!(app.selection.is_empty());
    press(&mut app, "right");
    assert_ne!(app.viewport.span(), span);
}

#[test]
fn enter_inspects_the_task_at_the_cursor_and_closes_again() {
    let mut app = app(Method::Map, Backend::Simulated);
    press(&mut app, "enter");
    assert!(app.overlay.is_none() && app.notice.is_some());
    tell_all(&mut app);
    wait(&mut app, 3);
    press(&mut app, "enter");
    assert!(matches!(app.overlay, Some(Overlay::Inspector)));
    // After 3 units worker 1 took task 6, the latest start.
    assert_eq!(app.selection.task.map(|task| task.index), Some(6));
    assert_eq!(app.selection.row, Some(1));
    press(&mut app, "enter");
    assert!(app.overlay.is_none());
}

#[test]
fn a_second_click_on_a_task_inspects_it() {
    let mut app = app(Method::Map, Backend::Simulated);
    tell_all(&mut app);
    press(&mut app, "end");
    let hit = Hit::Lane {
        row: 0,
        at: Time(4 * UNIT),
    };
    app.update(Message::Click(hit));
    assert_eq!(app.selection.task.map(|task| task.index), Some(0));
    assert!(app.overlay.is_none());
    app.update(Message::Click(hit));
    assert!(matches!(app.overlay, Some(Overlay::Inspector)));
    app.update(Message::Click(Hit::Lane {
        row: 99,
        at: Time(0),
    }));
    app.update(Message::Click(Hit::Axis { at: Time(2 * UNIT) }));
    assert_eq!(units(&app), 2);
}

#[test]
fn esc_closes_what_is_on_top_and_never_quits() {
    let mut app = app(Method::Map, Backend::Threads);
    tell(&mut app, 3);
    press(&mut app, "s p ? d");
    assert!(matches!(app.overlay, Some(Overlay::Definitions { .. })));
    press(&mut app, "esc");
    assert_eq!((app.overlay.is_none(), app.scene), (true, Scene::Presenter));
    press(&mut app, "esc");
    assert_eq!(app.scene, Scene::View);
    for _ in 0..5 {
        assert_eq!(press(&mut app, "esc"), None);
    }
    assert_eq!(press(&mut app, "q"), Some(Effect::Quit));
}

#[test]
fn the_help_gives_way_to_what_it_explains() {
    let mut app = app(Method::Map, Backend::Threads);
    press(&mut app, "f1 down");
    assert!(matches!(app.overlay, Some(Overlay::Help { page: 1 })));
    assert!(matches!(press(&mut app, "s"), Some(Effect::Start { .. })));
    assert!(app.overlay.is_none());
    press(&mut app, "? ?");
    assert!(app.overlay.is_none());
}

#[test]
fn letters_are_typed_in_the_form_and_enter_runs_it() {
    let mut app = app(Method::Map, Backend::Threads);
    tell(&mut app, 3);
    press(&mut app, "e right q");
    assert_eq!(app.context(), Context::Form);
    let effect = press(&mut app, "enter");
    assert!(matches!(effect, Some(Effect::Start { .. })));
    assert_eq!(app.run.experiment.method, Method::MapAsync);
    press(&mut app, "e esc");
    assert!(app.overlay.is_none());
    let suspend = Input::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    press(&mut app, "e");
    assert_eq!(app.update(Message::Input(suspend)), Some(Effect::Quit));
}

#[test]
fn finding_goes_through_the_matches_and_esc_brings_back_what_was_selected() {
    let mut app = App::new(
        Experiment {
            faults: [2, 5]
                .map(|task| Fault {
                    task,
                    kind: FaultKind::Raise,
                })
                .to_vec(),
            ..eight(Method::Map, Backend::Simulated)
        },
        Settings::default(),
    );
    tell_all(&mut app);
    press(&mut app, "end down /");
    let before = app.selection;
    let found = |app: &App| app.selection.task.map(|task| task.index);
    press(&mut app, "f a i l e d");
    assert_eq!(found(&app), Some(2));
    press(&mut app, "down");
    assert_eq!(found(&app), Some(5));
    press(&mut app, "down");
    assert_eq!(found(&app), Some(2));
    press(&mut app, "up esc");
    assert_eq!((app.selection, app.overlay.is_none()), (before, true));
    press(&mut app, "/ > 8 5 m s enter");
    assert_eq!(found(&app), Some(0));
    press(&mut app, "/ t a s k . 5");
    assert!(matches!(&app.overlay, Some(Overlay::Find(find)) if find.matches.is_empty()));
    app.update(Message::Input(Input::Paste(" ".to_owned())));
    press(&mut app, "esc / w 1 enter");
    assert_eq!(app.selection.row, Some(1));
}

#[test]
fn the_line_after_a_switch_is_foretold_and_then_measured() {
    let mut app = app(Method::Map, Backend::Threads);
    tell_all(&mut app);
    press(&mut app, "s");
    let change = app.change.clone().unwrap();
    assert_eq!(change.basis, Basis::Simulated);
    assert!(
        change.text.starts_with("main blocked 110 ms -> "),
        "{}",
        change.text
    );
    assert!(change.text.contains("; makespan same;"), "{}", change.text);
    assert!(
        change
            .text
            .ends_with("delivery order same (one list): m for results as they finish"),
        "{}",
        change.text
    );
    tell(&mut app, 5);
    assert_eq!(app.change.as_ref().unwrap().basis, Basis::Simulated);
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
        "first result 110 ms -> 10 ms; delivered in order -> 39 % out of order; \
         main blocked, makespan same"
    );
    // The one before was left in the middle: nothing measured to set against it.
    tell_all(&mut app);
    assert_eq!(app.change.as_ref().unwrap().basis, Basis::Simulated);
    press(&mut app, "r");
    assert_eq!(app.change, None);
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
fn the_demo_goes_round_by_itself_until_a_key_starts_a_run() {
    let settings = Settings {
        demo: true,
        ..Settings::default()
    };
    let mut app = App::new(eight(Method::Apply, Backend::Threads), settings);
    let mut methods = Vec::new();
    for _ in 0..5 {
        methods.push(app.run.experiment.method);
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
fn at_rest_nothing_changes() {
    let mut app = app(Method::Map, Backend::Threads);
    tell_all(&mut app);
    let revision = app.revision();
    assert!(!app.moving());
    app.update(Message::Tick { now: Nanos::SECOND });
    app.update(Message::RunOver { run: RunId(0) });
    app.update(Message::Input(Input::FocusGained));
    assert_eq!(app.revision(), revision);
    press(&mut app, "T");
    assert!(app.revision() > revision);
}

#[test]
fn the_theme_follows_the_background_unless_it_was_named() {
    let mut app = app(Method::Map, Backend::Threads);
    app.update(Message::Background(Brightness::Light));
    assert_eq!(app.look.theme, ThemeName::Light);
    press(&mut app, "T");
    app.update(Message::Background(Brightness::Dark));
    assert_eq!(app.look.theme, ThemeName::HighContrast);
}

#[test]
fn the_mouse_is_given_back_and_taken() {
    let mut app = app(Method::Map, Backend::Threads);
    assert_eq!(press(&mut app, "u"), Some(Effect::Mouse(false)));
    assert_eq!(press(&mut app, "u"), Some(Effect::Mouse(true)));
}

#[test]
fn hints_show_only_what_works_now() {
    let words = |app: &App| -> Vec<&str> {
        let hints = app.keymap.hints(app).into_iter();
        hints.map(|entry| entry.words).collect()
    };
    let mut app = app(Method::Loop, Backend::Simulated);
    assert!(!words(&app).contains(&"compare") && !words(&app).contains(&"again"));
    assert_eq!(words(&app)[0], "method");
    tell_all(&mut app);
    press(&mut app, "end");
    assert!(words(&app).contains(&"again") && words(&app).contains(&"replay"));
    press(&mut app, "m");
    assert_eq!(words(&app)[0], "async");
    assert!(words(&app).contains(&"compare") && words(&app).contains(&"pause"));
    let hints = app.keymap.hints(&app);
    let keys = |word| {
        let hint = hints.iter().find(|hint| hint.words == word);
        hint.map(|hint| hint.keys.as_str())
    };
    assert_eq!((keys("help"), keys("workers")), (Some("?"), Some("- +")));
    press(&mut app, "e");
    assert_eq!(words(&app)[0], "run");
}

#[test]
fn any_keys_in_any_order_leave_a_state_that_can_go_on() {
    let keys: Vec<String> = (' '..='~')
        .map(String::from)
        .chain(
            [
                "enter", "esc", "up", "down", "left", "right", "home", "end", "tab", "f1",
            ]
            .map(String::from),
        )
        .collect();
    let strategy = proptest::collection::vec((0..keys.len(), 0u64..40), 0..40);
    proptest::proptest!(|(script in strategy)| {
        let mut app = app(Method::Map, Backend::Threads);
        for (place, told) in script {
            app.update(Message::Input(key(&keys[place])));
            if told < 20 {
                tell(&mut app, told);
            } else if told == 20 {
                tell_all(&mut app);
            }
            app.update(Message::Tick { now: Nanos(told * UNIT) });
            proptest::prop_assert!(app.cursor() <= app.run.end());
            proptest::prop_assert_eq!(app.run.experiment.check(), Ok(()));
        }
    });
}

#[test]
fn a_key_right_behind_esc_means_both() {
    let mut app = app(Method::Map, Backend::Simulated);
    press(&mut app, "e");
    assert!(matches!(app.overlay, Some(Overlay::Form(_))));
    let together = Input::Key(KeyEvent::new(KeyCode::Char('2'), KeyModifiers::ALT));
    app.update(Message::Input(together));
    assert!(app.overlay.is_none());
    assert_eq!(app.view, View::Order);
}
