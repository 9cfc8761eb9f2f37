//! The cursor, the axis, and what is chosen on it.

use super::*;

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
    // What failed there is what Enter inspects.
    assert_eq!(app.selection.task.map(|task| task.index), Some(2));
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
fn slow_motion_stays_through_switches_and_the_end() {
    let mut app = app(Method::Map, Backend::Simulated);
    tell_all(&mut app);
    press(&mut app, "< <");
    for keys in ["s", "m", "end", "r", "n"] {
        press(&mut app, keys);
        tell_all(&mut app);
        assert_eq!(app.run.speed().to_string(), "1/4x", "{keys}");
    }
    wait(&mut app, 8);
    assert_eq!(units(&app), 2);
    press(&mut app, "b");
    tell(&mut app, 6);
    wait(&mut app, 8);
    assert_eq!((units(&app), app.run.playback.pace), (2, Pace::Playing));
    // What is live has the speed of the clock.
    press(&mut app, "end");
    assert_eq!((units(&app), app.run.speed()), (6, Speed::default()));
    press(&mut app, "<");
    assert_eq!(app.run.speed().to_string(), "1/4x");
}

#[test]
fn going_back_to_the_start_at_the_end_waits_there() {
    for end in [true, false] {
        let mut app = app(Method::Map, Backend::Simulated);
        tell_all(&mut app);
        if end {
            press(&mut app, "end");
        } else {
            wait(&mut app, 90);
        }
        assert!(app.at_end());
        press(&mut app, "home");
        assert!(app.run.playback.is_paused() && units(&app) == 0);
        press(&mut app, "space");
        wait(&mut app, 3);
        press(&mut app, "home");
        assert!(app.moving() && units(&app) == 0);
    }
}

#[test]
fn keys_that_have_nowhere_to_go_say_so() {
    let mut app = app(Method::Map, Backend::Simulated);
    tell_all(&mut app);
    press(&mut app, "end");
    let seen = app.viewport;
    for keys in [
        ".",
        "left",
        "right",
        "home ,",
        "end down up",
        "left",
        "right",
        "down down down down",
    ] {
        press(&mut app, keys);
        assert!(app.notice.is_some(), "{keys}");
    }
    assert_eq!(app.viewport, seen);
    press(&mut app, "esc i");
    for (keys, says) in [
        ("left", false),
        ("left left left left left left left left left", true),
    ] {
        press(&mut app, keys);
        assert_eq!(app.notice.is_some(), says, "{keys}");
    }
    press(&mut app, "right");
    assert_eq!(app.notice, None);
}

#[test]
fn where_there_is_no_axis_nothing_pans() {
    for view in ["2", "3", "p"] {
        let mut app = app(Method::Map, Backend::Simulated);
        tell_all(&mut app);
        press(&mut app, "i");
        press(&mut app, view);
        let span = app.viewport.span();
        press(&mut app, "left right");
        assert_eq!(app.viewport.span(), span);
        let says = app.notice.unwrap();
        assert!(says.contains("no time axis"), "{view}: {says}");
    }
}

#[test]
fn in_the_presenter_no_lane_is_chosen_unseen() {
    let mut app = app(Method::Map, Backend::Simulated);
    tell_all(&mut app);
    press(&mut app, "p down");
    assert!(app.selection.is_empty() && app.notice.is_some());
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
    press(&mut app, "i");
    let span = app.viewport.span();
    press(&mut app, "left");
    assert_ne!(app.viewport.span(), span);
}

#[test]
fn arrows_reach_a_cpu_that_had_nothing_to_do() {
    let mut app = app(Method::Apply, Backend::Simulated);
    tell_all(&mut app);
    press(&mut app, "end l");
    assert_eq!((app.large, app.run.trace.cpus().len()), (Lanes::Cpus, 1));
    press(&mut app, "up");
    let chosen = app.selection;
    assert_eq!((chosen.row, chosen.task), (Some(3), None));
    press(&mut app, "up");
    assert_eq!(app.selection.row, Some(2));
}
