//! The timeline as whole screens with their styles: every size and look, and more than fits.

use crate::support::screen::Stage;
use parviz::experiment::{Backend, Experiment, Fault, FaultKind, WorkKind};
use parviz::method::Method;
use parviz::origin::simulated;
use parviz::palette::{Charset, Depth, Look, ThemeName};
use parviz::time::Nanos;
use parviz::workload::Costs;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const SMALL: (u16, u16) = (80, 24);
const MEDIUM: (u16, u16) = (120, 36);

/// What the first start shows, on eight workers and four CPUs.
fn first() -> Experiment {
    Experiment {
        workers: 8,
        cpus: Some(4),
        ..Experiment::default()
    }
}

/// Everything at once: chunks, waiting, a task that fails and a worker that dies.
fn eventful() -> Experiment {
    let fault = |task, kind| Fault { task, kind };
    Experiment {
        method: Method::ImapUnordered,
        chunksize: Some(2),
        kind: WorkKind::Mixed,
        faults: vec![fault(8, FaultKind::Raise), fault(13, FaultKind::Die)],
        ..first()
    }
}

fn snapshot(name: &str, stage: &Stage) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(format!("timeline_{name}"), stage.drawn());
    });
}

#[test]
fn it_looks_as_it_did_at_every_size() {
    for (columns, rows) in [(20, 5), (60, 20), SMALL, MEDIUM, (200, 60)] {
        let stage = Stage::new(&first(), (columns, rows)).at(0.4);
        snapshot(&format!("{columns}x{rows}"), &stage);
    }
}

#[test]
fn it_looks_as_it_did_in_every_look() {
    let unicode = [
        ("dark", ThemeName::Dark, Depth::True),
        ("light", ThemeName::Light, Depth::True),
        ("high_contrast", ThemeName::HighContrast, Depth::True),
        ("256", ThemeName::Dark, Depth::Indexed),
        ("16", ThemeName::Dark, Depth::Sixteen),
        ("16_light", ThemeName::Light, Depth::Sixteen),
        ("no_colour", ThemeName::Dark, Depth::None),
    ];
    let ascii = [
        ("ascii", ThemeName::Dark, Depth::True),
        ("bare", ThemeName::Dark, Depth::None),
    ];
    let looks = unicode.map(|look| (look, Charset::Unicode));
    for ((name, theme, depth), charset) in looks
        .into_iter()
        .chain(ascii.map(|look| (look, Charset::Ascii)))
    {
        let look = Look {
            theme,
            depth,
            charset,
        };
        snapshot(name, &Stage::new(&eventful(), SMALL).at(0.7).look(look));
    }
}

#[test]
fn its_end_says_what_a_switch_changed() {
    snapshot("end", &Stage::new(&first(), MEDIUM).press(&["s", "m"]));
}

#[test]
fn panels_have_the_screen_and_cpus_can_be_large() {
    let stage = || Stage::new(&first(), MEDIUM).at(0.6);
    snapshot("lanes_alone", &stage().press(&["z"]));
    snapshot("strips_alone", &stage().press(&["Tab", "Tab", "z"]));
    snapshot("cpus_large", &stage().press(&["l"]));
}

#[test]
fn more_than_fits_is_shared_and_scrolled() {
    let crowd = |workers, tasks| Experiment {
        workers,
        tasks,
        cpus: Some(workers),
        method: Method::ImapUnordered,
        ..first()
    };
    snapshot("pairs", &Stage::new(&crowd(24, 100), SMALL).at(0.5));
    snapshot("scrolled", &Stage::new(&crowd(64, 200), SMALL).at(0.5));
}

#[test]
fn within_two_keystrokes_of_the_start_the_delivered_strip_is_scrambled() {
    let text = Stage::new(&first(), SMALL).press(&["s", "m"]).text();
    let delivered = text.lines().find(|line| line.contains("delivered"));
    assert!(
        delivered.is_some_and(|line| line.contains("out of order")),
        "{text}"
    );
}

fn looks() -> impl Strategy<Value = Look> {
    let depths = [Depth::None, Depth::Sixteen, Depth::Indexed, Depth::True];
    let charsets = [Charset::Unicode, Charset::Ascii];
    let parts = (
        select(&ThemeName::ALL[..]),
        select(depths.to_vec()),
        select(charsets.to_vec()),
    );
    parts.prop_map(|(theme, depth, charset)| Look {
        theme,
        depth,
        charset,
    })
}

/// Keys that show something else.
const KEYS: [&str; 31] = [
    "s", "m", "b", "1", "2", "3", "c", "p", "z", "Tab", "l", "d", "?", "e", "/", "Esc", "Down",
    "Right", "Left", "Up", "Enter", "i", "o", "0", ".", ",", "space", "End", "Home", "T", "-",
];

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Events may come in any order, from the middle of a run, and end anywhere.
    #[test]
    fn any_size_any_keys_and_any_order_of_events_draw(
        size in (0u16..300, 0u16..120),
        look in looks(),
        keys in vec(select(&KEYS[..]), 0..8),
        (workers, tasks, chunksize) in (1u32..70, 0u32..150, 1u32..9),
        method in select(&Method::ALL[..]),
        (skip, keep, shuffle) in (0usize..30, 0usize..2_000, any::<u64>()),
    ) {
        let experiment = Experiment {
            backend: Backend::Simulated,
            method,
            workers,
            tasks,
            chunksize: Some(chunksize),
            costs: Costs::Const(Nanos(100_000_000)),
            ..first()
        };
        let events = simulated::run(&experiment);
        let mut events: Vec<_> = events.into_iter().skip(skip).take(keep).collect();
        let mut random = shuffle;
        for index in (1..events.len()).rev() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            events.swap(index, (random >> 33) as usize % (index + 1));
        }
        let stage = Stage::told(&experiment, size, events).at(0.6).look(look).press(&keys);
        for lane in stage.app.run.trace.lanes() {
            let pieces = lane.pieces().iter();
            for (piece, next) in pieces.clone().zip(pieces.skip(1)) {
                prop_assert!(piece.end <= next.start, "{:?} {:?}", piece, next);
            }
        }
        let buffer = stage.buffer();
        prop_assert_eq!((buffer.area.width, buffer.area.height), size);
        if look.charset == Charset::Ascii {
            let strange = buffer.content.iter().find(|cell| !cell.symbol().is_ascii());
            prop_assert!(strange.is_none(), "{:?}", strange);
        }
    }
}

#[test]
fn a_panel_of_cpus_shows_all_of_them_whatever_worker_is_selected() {
    let keys = ["Up", "z", "Tab"];
    let stage = Stage::new(&first(), SMALL).at(0.4).press(&keys);
    let text = stage.text();
    for cpu in ["cpu 0", "cpu 1", "cpu 2", "cpu 3"] {
        assert!(text.contains(cpu), "{text}");
    }
    assert!(text.contains("►cpu"), "{text}");
}
