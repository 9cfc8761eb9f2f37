//! A program that is watched: what is asked of it, and when its view closes.

use super::*;
use crate::app::output::{Line, Lookup};
use crate::origin::python::Stream;
use std::collections::HashSet;

fn watching(quits_at_end: bool) -> App {
    let program = Watched {
        command: "script.py".to_owned(),
        quits_at_end,
        ..Watched::default()
    };
    App::watching(program, Settings::default())
}

fn end(app: &mut App) -> Option<Effect> {
    let run = app.run.id;
    app.update(Message::RunOver { run })
}

#[test]
fn while_it_runs_quitting_asks_and_afterwards_it_quits() {
    let mut app = watching(false);
    assert_eq!(app.opening(), Effect::Watch { run: RunId(0) });
    assert_eq!(press(&mut app, "q"), None);
    assert!(matches!(app.overlay, Some(Overlay::Leave)));
    assert_eq!(press(&mut app, "esc"), None);
    assert!(app.overlay.is_none());
    assert_eq!(press(&mut app, "q i"), Some(Effect::Ask(Asked::Interrupt)));
    assert!(app.overlay.is_none());
    assert_eq!(press(&mut app, "q l"), Some(Effect::LeaveRunning));
    assert_eq!(end(&mut app), None);
    assert_eq!(press(&mut app, "q"), Some(Effect::Quit));
}

#[test]
fn terminating_once_more_kills() {
    let mut app = watching(false);
    assert_eq!(press(&mut app, "q t"), Some(Effect::Ask(Asked::Terminate)));
    assert_eq!(press(&mut app, "q t"), Some(Effect::Ask(Asked::Kill)));
    // To interrupt it again does not make it forget that it was told to terminate.
    assert_eq!(press(&mut app, "q i"), Some(Effect::Ask(Asked::Interrupt)));
    assert_eq!(press(&mut app, "q t"), Some(Effect::Ask(Asked::Kill)));
}

#[test]
fn what_was_said_to_a_program_that_ran_is_no_news_at_its_end() {
    let mut app = watching(false);
    press(&mut app, "q i");
    assert!(app.notice.is_some());
    end(&mut app);
    assert_eq!(app.notice, None);
    let mut app = super::app(Method::Map, Backend::Processes);
    press(&mut app, "K");
    assert!(app.notice.is_some());
    end(&mut app);
    assert_eq!(app.notice, None);
}

#[test]
fn a_question_that_the_end_overtook_asks_for_nothing() {
    let mut app = watching(false);
    press(&mut app, "q");
    end(&mut app);
    assert_eq!(press(&mut app, "t"), None);
    assert_eq!(press(&mut app, "q"), Some(Effect::Quit));
}

#[test]
fn it_closes_at_the_end_where_that_was_asked() {
    assert_eq!(end(&mut watching(true)), Some(Effect::Quit));
}

#[test]
fn a_program_without_a_pool_has_no_task_to_inspect() {
    let mut app = watching(false);
    press(&mut app, "enter");
    let says = app.notice.unwrap_or_default();
    assert!(says.starts_with("no pool has been called"), "{says}");
}

#[test]
fn keys_of_a_program_say_in_the_lab_that_there_is_none() {
    let mut app = super::app(Method::Map, Backend::Simulated);
    for key in ["O", "F", "(", ")"] {
        press(&mut app, key);
        let says = app.notice.take().unwrap_or_default();
        assert!(
            says.starts_with("only for a program that is watched: "),
            "{key}: {says}"
        );
    }
    // Where something is typed, and for keys that are in no table, there is nothing to say.
    for keys in ["/ O", "esc x"] {
        press(&mut app, keys);
        assert_eq!(app.notice, None);
    }
}

#[test]
fn no_key_is_offered_for_two_things() {
    let mut app = watching(false);
    for keys in ["esc", "O", "?", "d"] {
        press(&mut app, keys);
        let hints = app.keymap.hints(&app);
        let keys: Vec<&str> = hints.iter().flat_map(|hint| hint.keys.split(' ')).collect();
        let once: HashSet<&str> = keys.iter().copied().collect();
        assert_eq!(once.len(), keys.len(), "{keys:?}");
    }
}

#[test]
fn the_panel_asks_for_the_lines_that_it_shows() {
    let mut app = watching(false);
    app.update(Message::Printed { lines: 100 });
    let page = |end| Some(Effect::LookUp(Lookup::Page { end, count: 24 }));
    assert_eq!(press(&mut app, "O"), page(100));
    assert_eq!(press(&mut app, "up"), page(99));
    let line = |number| Line {
        number,
        stream: Stream::Out,
        text: String::new(),
    };
    app.update(Message::Page((75..99).map(line).collect()));
    // Further lines are not seen from there.
    assert_eq!(app.update(Message::Printed { lines: 500 }), None);
    assert_eq!(press(&mut app, "end"), page(500));
    assert_eq!(app.update(Message::Printed { lines: 501 }), page(501));
    press(&mut app, "/");
    let sought = press(&mut app, "x");
    let text = Lookup::Text {
        text: "x".to_owned(),
        from: 501,
        back: true,
    };
    assert_eq!(sought, Some(Effect::LookUp(text)));
    app.update(Message::Found(Some(7)));
    assert_eq!(press(&mut app, "esc"), page(501));
    assert_eq!(press(&mut app, "esc"), None);
    assert!(app.overlay.is_none());
}
