//! Whole screens: a run and keys in, every cell with its style out, as snapshots.
//!
//! A snapshot shows the screen, then a letter for the style of each cell, then what the letters mean.

use parviz::event::{Event, Kind, LaneKind, RESIDENT, Sample, Way};
use parviz::experiment::{Backend, Experiment, Fault, FaultKind};
use parviz::method::Method;
use parviz::origin::simulated;
use parviz::palette::{Charset, Depth, Look, ThemeName};
use parviz::time::Nanos;
use parviz::workload::Costs;
use ratatui::style::Color;

use crate::support::screen::{LOOKS, Stage, in_look};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (60, 20)];

/// What lies before the person, and the keys that bring it there.
const VIEWS: [(&str, &[&str]); 8] = [
    ("order", &["2"]),
    ("numbers", &["3"]),
    ("presenter", &["p"]),
    ("help", &["?"]),
    ("definitions", &["d"]),
    ("inspector", &["Down", "Right", "Right", "Enter"]),
    ("form", &["e", "Down", "Down"]),
    ("find", &["/", "1"]),
];

/// Eight tasks of well-separated lengths on four workers and two CPUs.
fn experiment(method: Method) -> Experiment {
    let costs = [9, 2, 6, 1, 4, 1, 8, 5];
    Experiment {
        method,
        costs: Costs::List(costs.map(|units| Nanos(units * 100_000_000)).into()),
        tasks: 8,
        workers: 4,
        cpus: Some(2),
        ..Experiment::default()
    }
}

fn stage(method: Method, size: (u16, u16)) -> Stage {
    Stage::new(&experiment(method), size)
}

fn each_view(check: impl Fn(&str, (u16, u16), Stage)) {
    for size in SIZES {
        for (name, keys) in VIEWS {
            check(name, size, stage(Method::Imap, size).at(0.7).press(keys));
        }
        let compared = stage(Method::Map, size).press(&["m", "s", "c"]);
        check("compare", size, compared);
    }
}

fn snapshot(name: &str, drawn: &str) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, drawn);
    });
}

#[test]
fn every_view_and_overlay_looks_as_it_did() {
    each_view(|name, (width, height), stage| {
        snapshot(&format!("{name}_{width}x{height}"), &stage.drawn());
    });
}

#[test]
fn every_view_and_overlay_looks_as_it_did_in_every_look() {
    let size = SIZES[0];
    let views = VIEWS.map(|(name, keys)| (name, stage(Method::Imap, size).at(0.7).press(keys)));
    let compared = stage(Method::Map, size).press(&["m", "s", "c"]);
    let all = [&views[..], &[("compare", compared)]].concat();
    for (name, theme, depth) in LOOKS {
        snapshot(&format!("looks_{name}"), &in_look(&all, theme, depth));
    }
}

/// What a run on processes tells: the processes, the memory of each, and the bytes of every message.
fn on_processes() -> (Experiment, Vec<Event>) {
    let experiment = Experiment {
        payload: 65_536,
        ..experiment(Method::ImapUnordered)
    };
    let simulated = Experiment {
        backend: Backend::Simulated,
        ..experiment.clone()
    };
    let mut events = simulated::run(&simulated);
    let mut told = Vec::new();
    for Event { at, lane, kind } in &mut events {
        let mut tell = |kind| {
            told.push(Event {
                at: *at,
                lane: *lane,
                kind,
            });
        };
        match kind {
            Kind::RunBegan(run) => run.measured = true,
            Kind::LaneOpened(facts) if facts.kind == LaneKind::Worker => {
                facts.pid = Some(4_000 + lane.0);
                tell(Kind::Sample(Box::new(Sample {
                    quantity: RESIDENT.to_owned(),
                    value: f64::from(5 + lane.0) * 1e6,
                })));
            }
            Kind::Dequeued { call, chunk } => tell(Kind::Carried {
                call: *call,
                chunk: *chunk,
                bytes: 65_600,
                way: Way::ToWorker,
            }),
            Kind::Returned { call, chunk } => tell(Kind::Carried {
                call: *call,
                chunk: *chunk,
                bytes: 65_600,
                way: Way::ToCaller,
            }),
            _ => {}
        }
    }
    events.extend(told);
    let experiment = Experiment {
        backend: Backend::Processes,
        ..experiment
    };
    (experiment, events)
}

#[test]
fn a_run_on_processes_looks_as_it_did() {
    let (experiment, events) = on_processes();
    for (name, theme) in [("", ThemeName::Dark), ("_light", ThemeName::Light)] {
        for (width, height) in SIZES {
            let look = Look {
                theme,
                depth: Depth::True,
                charset: Charset::Unicode,
            };
            let stage = Stage::told(&experiment, (width, height), events.clone());
            let lanes = stage.at(0.7).look(look);
            snapshot(&format!("processes{name}_{width}x{height}"), &lanes.drawn());
            let numbers = lanes.press(&["3"]);
            let name = format!("processes_numbers{name}_{width}x{height}");
            snapshot(&name, &numbers.drawn());
        }
    }
}

#[test]
fn without_colour_and_blocks_every_view_is_still_all_there() {
    let bare = Look {
        theme: ThemeName::Dark,
        depth: Depth::None,
        charset: Charset::Ascii,
    };
    each_view(|name, size, stage| {
        let stage = stage.look(bare);
        let buffer = stage.buffer();
        for cell in buffer.content() {
            assert!(cell.symbol().is_ascii(), "{name}: {}", cell.symbol());
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{name}");
        }
        if size == SIZES[0] {
            snapshot(&format!("{name}_bare"), &stage.text());
        }
    });
}

#[test]
fn no_screen_is_too_small_or_too_large_for_any_view() {
    let sizes = [
        (0, 0),
        (1, 1),
        (20, 5),
        (60, 20),
        (61, 21),
        (79, 23),
        (500, 200),
    ];
    for size in sizes {
        for (_, keys) in VIEWS {
            stage(Method::ImapUnordered, size)
                .at(0.4)
                .press(keys)
                .buffer();
        }
        stage(Method::Map, size).press(&["s", "c"]).at(0.3).buffer();
    }
}

#[test]
fn runs_that_went_wrong_are_drawn_in_every_view() {
    for kind in [FaultKind::Raise, FaultKind::Die, FaultKind::Hang] {
        for method in Method::ALL {
            let mut broken = experiment(method);
            broken.chunksize = Some(2);
            if method != Method::Loop || kind == FaultKind::Raise {
                broken.faults.push(Fault { task: 2, kind });
            }
            for (_, keys) in VIEWS {
                Stage::new(&broken, SIZES[0]).press(keys).buffer();
            }
        }
    }
}

#[test]
fn a_thousand_tasks_say_how_many_of_them_are_drawn() {
    let many = Experiment {
        tasks: 1_000,
        workers: 64,
        cpus: Some(64),
        ..Experiment::default()
    };
    let order = Stage::new(&many, SIZES[0]).press(&["2"]);
    assert!(
        order.text().contains("drawn: 33 of the 1000 tasks"),
        "{}",
        order.text()
    );
    let numbers = Stage::new(&many, SIZES[0]).press(&["3"]);
    assert!(numbers.text().contains("of 64"), "{}", numbers.text());
}

#[test]
fn the_inspector_tells_why_a_task_failed() {
    let mut failing = experiment(Method::Map);
    failing.faults.push(Fault {
        task: 0,
        kind: FaultKind::Raise,
    });
    let keys = ["Down", "Home", "Right", "End", "Enter"];
    let text = Stage::new(&failing, SIZES[0]).press(&keys).text();
    assert!(text.contains("ValueError: task 0 failed"), "{text}");
}

#[test]
fn the_inspector_shows_the_whole_error() {
    let mut failing = experiment(Method::Map);
    failing.pairs = true;
    let text = Stage::new(&failing, SIZES[0])
        .press(&["Down", "Enter"])
        .text();
    let error = "TypeError: f() missing 1 required positional argument: 'y'";
    assert!(text.contains(error), "{text}");
}

#[test]
fn microseconds_have_their_sign_wherever_it_can_be_written() {
    let mut short = experiment(Method::Imap);
    let costs = [9, 2, 6, 1, 4, 1, 8, 5];
    short.costs = Costs::List(costs.map(|units| Nanos(units * 10_000)).into());
    let ascii = Look {
        charset: Charset::Ascii,
        ..Look::default()
    };
    // Behind a digit: there are words that begin so.
    let count = |text: &str, unit: &str| {
        let before = text.match_indices(unit).map(|(at, _)| &text[..at]);
        let is_length = |before: &&str| before.ends_with(|last: char| last.is_ascii_digit());
        before.filter(is_length).count()
    };
    for size in [SIZES[0], SIZES[1], SIZES[2], (200, 60)] {
        let mut signs = 0;
        let mut check = |stage: Stage, name: &str| {
            let plain = stage.clone().look(ascii).text();
            assert!(plain.is_ascii(), "{name} {plain}");
            let text = stage.text();
            assert_eq!(count(&text, " us"), 0, "{name} {text}");
            let found = count(&text, " \u{b5}s");
            // Where words are cut, ASCII has room for fewer.
            assert!(found >= count(&plain, " us"), "{name} {text} {plain}");
            signs += found;
        };
        for at in [0.4, 1.0] {
            for (name, keys) in VIEWS {
                check(Stage::new(&short, size).at(at).press(keys), name);
            }
            check(Stage::new(&short, size).at(at), "timeline");
        }
        check(Stage::new(&short, size).press(&["s"]), "switched");
        check(Stage::new(&short, size).press(&["s", "c"]), "compare");
        assert!(signs > 40, "{signs}");
    }
}

#[test]
fn turning_stops_at_the_last_page_and_one_key_goes_back() {
    for overlay in ["?", "d"] {
        let turned = |back: &[&str]| {
            let keys = [&[overlay], &["PageDown"; 12][..], back].concat();
            stage(Method::Map, SIZES[0]).press(&keys).text()
        };
        let last = turned(&[]);
        let is_last = (2..10).any(|count| last.contains(&format!("page {count} of {count}")));
        assert!(is_last, "{last}");
        assert_ne!(turned(&["PageUp"]), last);
    }
}

#[test]
fn what_differs_between_two_runs_has_an_arrow() {
    let text = stage(Method::Map, SIZES[0]).press(&["m", "s", "c"]).text();
    assert!(text.contains("previous imap"), "{text}");
    assert!(text.contains("current imap_unordered"), "{text}");
    let less = text.lines().find(|line| line.contains('▼'));
    assert!(less.is_some(), "{text}");
}

#[test]
fn lanes_that_do_not_fit_are_scrolled_from_end_to_end() {
    let many = Experiment {
        workers: 64,
        tasks: 128,
        ..experiment(Method::Map)
    };
    let many = Experiment {
        costs: Costs::Const(Nanos(100_000_000)),
        ..many
    };
    let stage = Stage::new(&many, SIZES[0]);
    let start = stage.text();
    let mut last = start.clone();
    let mut stage = stage.press(&["}"]);
    while stage.text() != last {
        last = stage.text();
        stage = stage.press(&["}"]);
    }
    assert!(!start.contains("62·63") && last.contains("62·63"), "{last}");
    // No press is lost at the end: the first one back moves the lanes.
    let back = stage.press(&["{"]);
    assert_ne!(back.text(), last);
    let all = stage_of_few().press(&["}"]).text();
    assert!(all.contains("all lanes are in sight"), "{all}");
}

#[test]
fn lanes_of_the_presenter_are_scrolled_from_end_to_end_too() {
    for workers in [48, 64] {
        let many = Experiment {
            workers,
            ..experiment(Method::Map)
        };
        let start = Stage::new(&many, SIZES[1]).press(&["p"]);
        assert!(start.text().contains(" shown"), "{}", start.text());
        let mut last = start.text();
        let mut stage = start.press(&["}"]);
        assert!(!stage.text().contains("all lanes are in sight"));
        while stage.text() != last {
            last = stage.text();
            stage = stage.press(&["}"]);
        }
        let end = format!(" w {}·{}", workers - 2, workers - 1);
        assert!(last.contains(&end), "{last}");
        assert_ne!(stage.press(&["{"]).text(), last);
    }
}

fn stage_of_few() -> Stage {
    stage(Method::Map, SIZES[0])
}

#[test]
fn the_comparison_on_a_small_screen_tells_how_to_quit() {
    let text = stage(Method::Map, SIZES[0]).press(&["m", "s", "c"]).text();
    let hints = text.lines().last().unwrap_or_default();
    assert!(hints.contains("q quit"), "{hints}");
}
