//! What fills the screen and lies on top of it.

use super::*;

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
fn a_zoom_keeps_the_selected_task_in_sight() {
    let mut app = app(Method::Map, Backend::Simulated);
    tell_all(&mut app);
    press(&mut app, "end");
    let at = Time(UNIT / 2);
    app.update(Message::Click(Hit::Lane { row: 3, at }));
    assert_eq!(app.selection.task.map(|task| task.index), Some(3));
    for _ in 0..5 {
        press(&mut app, "i");
        assert!(app.viewport.span().contains(at), "{:?}", app.viewport);
    }
    press(&mut app, "0 esc i i");
    assert!(app.selection.is_empty());
    assert!(app.viewport.span().contains(app.cursor()));
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
    let turn = press(&mut app, "f1 down");
    assert_eq!(turn, Some(Effect::TurnPage { down: true }));
    app.update(Message::Turned { page: 1 });
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
    assert_eq!(app.run.experiment().unwrap().method, Method::MapAsync);
    press(&mut app, "e esc");
    assert!(app.overlay.is_none());
    let suspend = Input::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    press(&mut app, "e");
    assert_eq!(app.update(Message::Input(suspend)), Some(Effect::Quit));
}

#[test]
fn a_task_that_failed_before_it_started_can_be_inspected() {
    let mut app = App::new(
        Experiment {
            pairs: true,
            ..eight(Method::Map, Backend::Simulated)
        },
        Settings::default(),
    );
    tell_all(&mut app);
    press(&mut app, "end enter");
    assert!(matches!(app.overlay, Some(Overlay::Inspector)));
    assert!(app.selection.task.is_some());
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
fn what_matches_by_and_by_is_found_while_the_search_is_open() {
    let found = |app: &App| {
        let Some(Overlay::Find(find)) = &app.overlay else {
            panic!("the search is open");
        };
        let task = app.selection.task.map(|task| task.index);
        (task, find.at, find.matches.len())
    };
    let mut app = app(Method::Map, Backend::Threads);
    tell(&mut app, 2);
    press(&mut app, "/ o k");
    assert_eq!(found(&app), (Some(3), 0, 1));
    tell(&mut app, 4);
    press(&mut app, "down");
    assert_eq!(found(&app), (Some(5), 2, 3));
    tell(&mut app, 6);
    let revision = app.revision();
    assert!(app.moving());
    wait(&mut app, 40);
    assert!(!app.moving() && app.revision() > revision);
    assert_eq!(found(&app), (Some(5), 3, 4));
    tell(&mut app, 7);
    wait(&mut app, 1);
    assert_eq!(found(&app), (Some(5), 3, 4));
    wait(&mut app, 40);
    assert_eq!(found(&app), (Some(5), 4, 5));
    tell_all(&mut app);
    press(&mut app, "up");
    assert_eq!(found(&app), (Some(4), 4, 8));
    assert!(!app.moving());
}

#[test]
fn what_comes_after_nothing_is_found_first() {
    for (keys, task) in [("down", 1), ("up", 5)] {
        let mut app = app(Method::Map, Backend::Threads);
        tell(&mut app, 1);
        press(&mut app, "/ o k");
        assert_eq!(app.selection.task, None);
        tell(&mut app, 4);
        press(&mut app, keys);
        assert_eq!(app.selection.task.map(|task| task.index), Some(task));
    }
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
fn an_answer_to_a_key_gives_way_to_the_hints_after_some_seconds() {
    let mut app = app(Method::Map, Backend::Threads);
    tell_all(&mut app);
    let seconds = |app: &mut App, count: u64| {
        let now = Nanos(count * Nanos::SECOND.0);
        app.update(Message::Tick { now });
        (app.notice.is_some(), app.moving())
    };
    press(&mut app, "end esc");
    assert!(app.notice.is_some() && app.moving());
    assert_eq!(seconds(&mut app, 10), (true, true));
    assert_eq!(seconds(&mut app, 14), (true, true));
    let revision = app.revision();
    assert_eq!(seconds(&mut app, 15), (false, false));
    assert!(app.revision() > revision);
    // What went wrong has to be read.
    let wrong = "the run could not be started".to_owned();
    app.update(Message::Notice(wrong));
    assert!(!app.moving());
    assert_eq!(seconds(&mut app, 20), (true, false));
    assert_eq!(seconds(&mut app, 60), (true, false));
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
fn a_view_that_has_the_screen_has_no_panel_to_be_given_it() {
    let mut app = app(Method::Map, Backend::Threads);
    tell_all(&mut app);
    press(&mut app, "3 z");
    assert_eq!((app.view, app.scene), (View::Numbers, Scene::View));
    assert!(
        app.notice
            .as_ref()
            .is_some_and(|says| says.contains("has the screen already"))
    );
    press(&mut app, "1 z");
    assert_eq!(app.scene, Scene::Panel);
    press(&mut app, "z");
    assert_eq!(app.scene, Scene::View);
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
            proptest::prop_assert_eq!(app.run.experiment().unwrap().check(), Ok(()));
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
