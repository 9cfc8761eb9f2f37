//! The screens of a program that is watched, from what such a program tells.

use parviz::app::Watched;
use parviz::app::output::plain;
use parviz::control::is_control;
use parviz::event::{Ended, Kind, LaneId, LaneKind, NoteKind};

use crate::support::screen::{LOOKS, Stage, in_look};
use crate::support::watched::Story;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (60, 20)];

fn program() -> Watched {
    Watched {
        command: "script.py 3 --fast".to_owned(),
        ..Watched::default()
    }
}

fn stage(story: &Story, size: (u16, u16), until: Option<u64>) -> Stage {
    Stage::watching(program(), size, &story.events, until)
}

fn snapshot(name: &str, (width, height): (u16, u16), drawn: &str) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(format!("run_{name}_{width}x{height}"), drawn);
    });
}

/// A program that calls no pool: two threads of one process compute for three seconds, and a second one for two.
fn poolless() -> Story {
    let mut story = Story::new();
    story.lane(0, LaneId(1), LaneKind::Other, None, "python3 script.py");
    story.lane(500, LaneId(2), LaneKind::Other, None, "sleep 2");
    story.cpu(0, LaneId(1), 0).cpu(500, LaneId(2), 0);
    let mut used = 0;
    for step in 1..60 {
        let at = step * 50;
        used += if step % 20 < 10 { 94 } else { 10 };
        story.cpu(at, LaneId(1), used);
        if (501..2_500).contains(&at) {
            story.cpu(at, LaneId(2), (at - 500) / 2);
        }
    }
    let ended = Ended::Finished;
    story.tell(2_500, LaneId(2), Kind::LaneClosed { ended });
    story
}

#[test]
fn a_program_is_drawn_while_it_runs_and_at_its_end() {
    let mut story = Story::three_calls();
    story.end(700, 3);
    for size in SIZES {
        snapshot("running", size, &stage(&story, size, Some(240)).drawn());
        snapshot("ended", size, &stage(&story, size, None).drawn());
    }
}

#[test]
fn the_end_of_a_program_moves_nothing_that_is_looked_at() {
    let mut story = Story::three_calls();
    story.end(700, 3);
    let ended = |keys: &[&str]| stage(&story, SIZES[1], None).press(keys).text();
    let running = stage(&story, SIZES[1], Some(600)).text();
    assert!(running.contains("call 3 of 3"), "{running}");
    assert!(ended(&[]).contains("call 3 of 3"));
    let in_the_hall = ended(&["(", "p"]);
    let title = in_the_hall.lines().next().unwrap_or_default();
    for says in [
        "script.py 3 --fast  map(crunch)",
        " SYNC ",
        "workers",
        "call 2 of 3",
    ] {
        assert!(title.contains(says), "{title}");
    }
    assert!(ended(&["("]).contains("call 2 of 3"));
    let last = ended(&[")"]);
    assert!(last.contains("call 3 of 3") && last.contains("this is the last call"));
    // Who looks at another moment sees the call of that moment.
    let begin = ended(&["Home"]);
    assert!(
        begin.contains("call 1 of 3") && begin.contains("not called yet"),
        "{begin}"
    );
    assert!(ended(&[")", "Home"]).contains("call 1 of 3"));
}

#[test]
fn a_program_without_a_pool_is_shown_as_processes() {
    for size in SIZES {
        let early = stage(&poolless(), size, Some(1_000)).text();
        assert!(
            early.contains("waiting for the first call of a pool"),
            "{early}"
        );
        snapshot(
            "no_pool",
            size,
            &stage(&poolless(), size, Some(2_500)).drawn(),
        );
        let printed = stage(&poolless(), size, Some(1_000)).printed(&["one", "!two", "last"]);
        let text = printed.text();
        assert!(text.contains("prints") && text.contains("last"), "{text}");
        let mut over = poolless();
        over.end(3_000, 0);
        let begin = stage(&over, size, None).press(&["Home"]).text();
        assert!(!begin.contains("waiting for"), "{begin}");
        assert!(!begin.contains("presenter"), "{begin}");
        let printed = stage(&over, size, None).printed(&["one", "!two", "last"]);
        let text = printed.text();
        assert!(text.contains("prints") && text.contains("last"), "{text}");
        let mut blind = poolless();
        blind.note(10, NoteKind::NoProbe, "this Python was started with -I", 0);
        snapshot("no_probe", size, &stage(&blind, size, Some(1_000)).drawn());
    }
}

#[test]
fn its_output_lies_on_top_with_stderr_told_apart() {
    let lines: Vec<String> = (0..50).map(|line| format!("line {line}")).collect();
    let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    lines[44] = "!warning: nothing to do";
    for size in SIZES {
        let stage = stage(&Story::three_calls(), size, Some(240)).press(&["O"]);
        let open = stage.printed(&lines);
        snapshot("output", size, &open.drawn());
    }
}

/// Two pools: a worker is killed in a task of the first, a callback raises, and the second waits for one task.
fn troubled() -> Story {
    let mut story = Story::lost_task();
    story.note(150, NoteKind::CallbackRaised, "ValueError: no such name", 0);
    story.pool(160, 2, "Pool", 10..14);
    let costs = [50, 40, 60, 50, 40, 50, 60, 900];
    story.map(170, (2, 2), ("map", "crunch"), 10..14, &costs);
    story.end(1_200, 0);
    story
}

#[test]
fn what_is_wrong_and_what_is_slow_is_listed() {
    for size in SIZES {
        let list = stage(&troubled(), size, None).press(&["F"]);
        snapshot("findings", size, &list.drawn());
    }
}

#[test]
fn a_program_looks_as_it_did_in_every_look() {
    let size = SIZES[0];
    let three = Story::three_calls();
    let running = stage(&three, size, Some(240));
    let all = [
        ("running", running.clone()),
        (
            "output",
            running
                .clone()
                .press(&["O"])
                .printed(&["a line", "!another"]),
        ),
        ("question", running.press(&["q"])),
        ("findings", stage(&troubled(), size, None).press(&["F"])),
        ("no_pool", stage(&poolless(), size, Some(2_500))),
    ];
    for (name, theme, depth) in LOOKS {
        snapshot(&format!("looks_{name}"), size, &in_look(&all, theme, depth));
    }
}

#[test]
fn it_asks_what_shall_become_of_a_program_that_runs() {
    for size in SIZES {
        let asked = stage(&Story::three_calls(), size, Some(240)).press(&["q"]);
        snapshot("question", size, &asked.drawn());
    }
}

#[test]
fn one_goes_from_call_to_call() {
    let story = Story::three_calls();
    let shows = |stage: &Stage, words: &str| {
        let text = stage.text();
        assert!(text.contains(words), "{words}:\n{text}");
    };
    let latest = stage(&story, SIZES[0], Some(600));
    shows(&latest, "call 3 of 3  map(g)");
    let before = latest.press(&["("]);
    shows(&before, "call 2 of 3  map(crunch)");
    shows(&before, "12 tasks");
    let first = before.press(&["("]);
    shows(&first, "call 1 of 3  map(f)");
    shows(&first.press(&["("]), "this is the first call");
    let again = stage(&story, SIZES[0], Some(600)).press(&["(", ")", ")"]);
    shows(&again, "call 3 of 3  map(g)");
    shows(&again, "this is the latest call: the view follows");
    // Where the cursor stands decides, as long as nobody chose.
    shows(&stage(&story, SIZES[0], Some(100)), "call 1 of 1  map(f)");
}

#[test]
fn lanes_of_the_shown_call_are_in_sight_unless_the_person_scrolled() {
    let mut story = Story::new();
    for pool in 0..12 {
        let (at, first) = (u64::from(pool) * 100, 10 + pool * 4);
        story.pool(at, pool, "Pool", first..first + 4);
        story.map(
            at + 10,
            (pool, pool),
            ("map", "f"),
            first..first + 4,
            &[40; 4],
        );
    }
    story.end(1_300, 0);
    let seen = |keys: &[&str], lane: &str| {
        let text = stage(&story, SIZES[0], None).press(keys).text();
        text.contains(lane)
    };
    assert!(seen(&[], " 12:0·12:1 "));
    assert!(seen(&["Home"], " 1:0·1:1 "));
    assert!(!seen(&["Home"], " 12:0·12:1 "));
    // Whoever scrolled stays there until a call is asked for.
    let scrolled = ["{"; 4];
    assert!(seen(&scrolled, " 1:0·1:1 "));
    let back = |key| [&scrolled[..], &["Home", key]].concat();
    assert!(seen(&back("End"), " 1:0·1:1 "));
    assert!(!seen(
        &[&back("End")[..], &["(", ")"]].concat(),
        " 1:0·1:1 "
    ));
}

#[test]
fn the_presenter_says_for_how_long_a_call_was_waited_for_that_the_program_left() {
    let mut story = Story::new();
    story.pool(0, 0, "Pool", 10..12);
    story.map(10, (0, 0), ("map_async", "f"), 10..12, &[40, 9_000]);
    story.events.retain(|event| event.at.0 < 400_000_000);
    let running = stage(&story, SIZES[1], None).press(&["p"]).text();
    assert!(running.contains(" seconds so far "), "{running}");
    story.end(400, 0);
    let left = stage(&story, SIZES[1], None).press(&["p"]).text();
    assert!(left.contains(" seconds until it was left "), "{left}");
    let small = stage(&story, SIZES[0], None).press(&["p"]).text();
    assert!(small.contains(" it was left "), "{small}");
    // The zero of 0.4, not a dash.
    let lines: Vec<&str> = small.lines().collect();
    let label = lines
        .iter()
        .position(|line| line.starts_with(" seconds until "));
    let top = label.and_then(|label| lines.get(label - 5));
    assert!(
        top.is_some_and(|line| line.starts_with(" ██████ ")),
        "{small}"
    );
}

#[test]
fn a_long_name_gives_way_to_the_place_and_stays_in_its_frame() {
    let mut story = Story::new();
    story.pool(0, 0, "Pool", 10..12);
    let name = "process_one_record_of_the_monthly_sales_database_dump";
    story.map(10, (0, 0), ("map", name), 10..12, &[40; 10]);
    story.end(300, 0);
    for size in SIZES {
        let stage = stage(&story, size, None);
        let text = stage.text();
        let line = text.lines().nth(1).unwrap();
        assert!(
            line.contains("(process_") && line.contains("at script.py:12"),
            "{line}"
        );
        assert!(size.0 == 120 || line.contains("…)"), "{line}");
        assert!(size.0 == 60 || line.contains("10 tasks"), "{line}");
        let inspector = stage.press(&["Down", "Right", "Enter"]).text();
        let line = inspector
            .lines()
            .find(|line| line.contains(" ok "))
            .unwrap();
        assert!(
            line.contains("│  process_") && line.contains("(...) at script.py:12  ok"),
            "{line}"
        );
        let borders = line.chars().filter(|&char| char == '│').count();
        assert_eq!(borders, 2, "{line}");
    }
}

#[test]
fn keys_of_the_lab_say_that_they_are_of_the_lab() {
    let story = Story::three_calls();
    for key in ["s", "m", "M", "b", "-", "+", "e", "r", "n", "c", "K"] {
        let before = stage(&story, SIZES[2], Some(240));
        let rows = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (was, is) = (
            rows(before.text()),
            rows(before.clone().press(&[key]).text()),
        );
        let (says, rest) = is.split_last().unwrap();
        assert!(says.starts_with(" only in the lab: "), "{key}: {says}");
        assert!(!says.ends_with('…'), "{key}: {says}");
        assert_eq!(*rest, was[..was.len() - 1], "{key}");
    }
    let help = stage(&story, SIZES[1], Some(240)).press(&["?"]).text();
    assert!(
        !help.contains("backend") && help.contains("call before / after"),
        "{help}"
    );
}

#[test]
fn tasks_of_other_calls_have_neither_colour_nor_number() {
    let story = Story::three_calls();
    let stage = stage(&story, SIZES[1], Some(600));
    let lane = |stage: &Stage, name: &str| {
        let text = stage.text();
        let line = text
            .lines()
            .find(|line| line.trim_start().starts_with(name));
        line.map(str::to_owned).unwrap_or_default()
    };
    // Pools stand in the order in which they opened, each lane with the number of its pool.
    assert!(lane(&stage, "2: w0").contains("▍3▎4"), "{}", stage.text());
    let other = lane(&stage, "1: w0");
    let boxes: String = other.chars().skip(9).take(60).collect();
    assert!(
        !other.is_empty() && !boxes.contains(|c: char| c.is_ascii_digit()),
        "{other}"
    );
}

#[test]
fn what_comes_from_outside_cannot_command_the_terminal() {
    let mut story = Story::new();
    story.pool(20, 1, "\u{1b}[31mPool", 1..3);
    story.map(
        30,
        (1, 1),
        ("map\u{7}", "\u{1b}]0;f\u{7}"),
        1..3,
        &[10, 20, 30],
    );
    story.raises(1, 1, "ValueError: \u{1b}[2J\u{202e}evil");
    story.note(90, NoteKind::CallbackRaised, "\u{1b}c", 0);
    story.end(100, 0);
    let program = Watched {
        command: "\u{1b}[1;1H.py".to_owned(),
        ..Watched::default()
    };
    for keys in [
        &[][..],
        &["O"],
        &["F"],
        &["d"],
        &["?"],
        &["2"],
        &["3"],
        &["p"],
        &["Down", "Enter"],
        &["q"],
    ] {
        let stage = Stage::watching(program.clone(), SIZES[1], &story.events, None).press(keys);
        let printed = "\u{1b}[2J\u{9b}31m\u{7}a\u{202e}b\u{feff}\u{1b}]0;title\u{7}c\n";
        let stage = stage.printed(&[&plain(printed.as_bytes()), printed]);
        for cell in stage.buffer().content() {
            assert!(!cell.symbol().contains(is_control), "{keys:?}");
        }
        if keys == ["O"] {
            assert!(stage.text().contains("abc"), "{}", stage.text());
        }
    }
}

#[test]
fn no_screen_is_too_small_or_too_large_for_a_program() {
    let lost = Story::lost_task();
    let three = Story::three_calls();
    let none = poolless();
    for size in [(0, 0), (1, 1), (20, 5), (60, 20), (61, 21), (300, 100)] {
        for story in [&lost, &three, &none] {
            for keys in [
                &[][..],
                &["O"],
                &["O", "z"],
                &["O", "/"],
                &["F"],
                &["d"],
                &["q"],
                &["2"],
                &["3"],
                &["p"],
                &["z"],
                &["Enter"],
            ] {
                stage(story, size, Some(300)).press(keys).buffer();
                stage(story, size, None).press(keys).buffer();
            }
        }
    }
}
