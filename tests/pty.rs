//! The real binary in a pseudo-terminal: whole journeys, and the terminal left as it was found.

mod program;
mod session;

use rustix::process::Signal;
use session::Setting;
use std::time::Duration;

/// Stands in the header from the first frame on.
const READY: &str = "SYNC";

/// The dashboard fills a screen of this size: its last line is there.
fn fills(screen: &vt100::Screen, columns: u16, rows: u16) -> bool {
    let (high, wide) = screen.size();
    (wide.get(), high.get()) == (columns, rows)
        && screen
            .contents_between(rows - 1, 0, rows - 1, columns)
            .contains("quit")
}

fn is_light(screen: &vt100::Screen) -> bool {
    let ground = screen.cell(2, 1).map(vt100::Cell::bgcolor);
    ground == Some(vt100::Color::Rgb(255, 255, 255))
}

#[test]
fn a_person_plays_with_a_run() {
    let mut session = Setting::parviz(&[
        "lab",
        "--backend",
        "simulated",
        "--costs",
        "9,2,6,1,4,1,8,5",
        "--unit",
        "20ms",
        "--workers",
        "4",
        "--chunksize",
        "1",
    ])
    .sized(120, 36)
    .start();
    session.wait_for(" map ");
    session.wait_for(" SYNC ");
    session.press("s");
    session.wait_for(" map_async ");
    session.wait_for(" ASYNC ");
    session.press("m");
    session.wait_for("ITERATOR as finished");
    // To the end; then back to the start, where it waits, and a step at a time.
    session.wait_for("replay");
    session.wait_for("out of order");
    session.press("\x1b[H");
    session.wait_for("go on");
    let before = session.screen().contents();
    session.press(".");
    session.wait_until("a step", |screen| screen.contents() != before);
    session.press("c");
    session.wait_until("both runs", |screen| {
        let text = screen.contents();
        text.contains("map_async") && text.contains("imap_unordered")
    });
    session.press("c");
    session.press("e");
    session.wait_for("Enter run");
    session.press("\x1b");
    session.wait_until("the form closed", |screen| {
        !screen.contents().contains("Enter run")
    });
    session.press("q");
    assert!(session.end_tidily().success());
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_is_killed_by_a_key_where_it_is_a_process() {
    let tasks = ["--tasks", "8", "--costs", "const:60s", "--kind", "io"];
    let mut session = Setting::parviz(&[&tasks[..], &["--workers", "4"]].concat())
        .sized(120, 36)
        .start();
    session.wait_for(READY);
    session.press("K");
    session.wait_for("only a process can be killed");
    session.press("b");
    session.wait_for("processes");
    session.press("K");
    session.wait_for("choose the worker first");
    // All have told how much memory they have, which they do when they begin.
    session.wait_until("four workers", |screen| {
        let screen = screen.contents();
        screen.matches(" MiB ").count() == 4
    });
    session.press("\x1b[B");
    session.press("K");
    session.wait_for("killed");
    session.press("q");
    assert!(session.end().success());
}

#[test]
fn q_quits_and_leaves_the_terminal_as_found() {
    let mut session = Setting::parviz(&[]).start();
    session.wait_for(READY);
    assert!(session.screen().alternate_screen());
    session.press("q");
    assert!(session.end_tidily().success());
}

#[test]
fn q_quits_however_many_keys_wait_behind_it() {
    let mut session = Setting::parviz(&[]).start();
    session.wait_for(READY);
    session.press(&format!("q{}", "x".repeat(2_000)));
    assert!(session.end_tidily().success());
}

#[test]
fn signals_end_it_with_the_terminal_given_back() {
    for (signal, name) in [
        (Signal::TERM, "Terminated"),
        (Signal::INT, "Interrupt"),
        (Signal::HUP, "Hangup"),
    ] {
        let mut session = Setting::parviz(&[]).start();
        session.wait_for(READY);
        session.signal(signal);
        assert_eq!(session.end_tidily().signal(), Some(name));
    }
    // Those leave a core where that is allowed.
    let command = format!("ulimit -c 0; exec {}", env!("CARGO_BIN_EXE_parviz"));
    for (signal, name) in [
        (Signal::QUIT, "Quit"),
        (Signal::ABORT, "Aborted"),
        (Signal::USR1, "User defined signal 1"),
    ] {
        let mut session = Setting::of("sh", &["-c", &command]).start();
        session.wait_for(READY);
        session.signal(signal);
        assert_eq!(session.end_tidily().signal(), Some(name));
    }
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    for place in ["ui", "frame"] {
        let mut session = Setting::parviz(&[]).with("PARVIZ_PANIC", place).start();
        session.wait_for(READY);
        session.press("?");
        assert_eq!(session.end_tidily().exit_code(), 101);
        let told = session.screen().contents();
        assert!(told.contains("asked to panic"), "{told}");
    }
}

#[test]
fn an_error_is_told_on_the_screen_as_found() {
    let mut session = Setting::parviz(&[]).with("PARVIZ_PANIC", "error").start();
    session.wait_for(READY);
    session.press("?");
    assert_eq!(session.end_tidily().exit_code(), 1);
    let told = session.screen().contents();
    assert!(told.contains("asked to fail"), "{told}");
}

#[test]
fn a_panic_in_another_thread_leaves_the_screen_up() {
    let mut session = Setting::parviz(&[]).with("PARVIZ_PANIC", "worker").start();
    session.wait_for(READY);
    session.press("T");
    session.wait_until("the light theme", is_light);
    assert!(session.screen().alternate_screen());
    assert!(!session.screen().contents().contains("panic"));
    session.press("q");
    assert!(session.end_tidily().success());
}

#[test]
fn a_panic_in_a_worker_of_the_pool_is_the_error_of_its_task() {
    let flags = [
        "--fault",
        "0,5:raise",
        "--costs",
        "const:1ms",
        "--workers",
        "2",
    ];
    let mut session = Setting::parviz(&flags)
        .with("PARVIZ_PANIC", "task")
        .sized(120, 36)
        .start();
    session.wait_for("replay");
    session.press("\x1b[H]");
    session.press("\r");
    session.wait_for("panic: asked to panic in a task");
    assert!(session.screen().alternate_screen());
    assert!(!session.screen().contents().contains("panicked at"));
    session.press("q");
    assert!(session.end_tidily().success());
}

/// Waits for the end of a program that has lost its terminal. Nothing of it asks in a circle for what has
/// gone: that would take all of a CPU for a second, and its start took only some of one.
fn ends_at_rest(session: &mut session::Session) {
    #[cfg(target_os = "linux")]
    {
        let before = session.cpu_time();
        session.wait_ended();
        let spent = session.cpu_time().saturating_sub(before);
        let most = 4 * before.max(Duration::from_millis(100));
        assert!(spent < most, "{spent:?} {before:?}");
    }
    assert_eq!(session.end().signal(), Some("Hangup"));
}

#[test]
fn a_lost_terminal_ends_it_even_without_a_signal() {
    let mut setting = Setting::parviz(&["--kind", "io"]);
    setting.controlling = false;
    let mut session = setting.start();
    session.wait_for(READY);
    session.hang_up(|session| session.press("T"));
    ends_at_rest(&mut session);
}

#[test]
fn a_hang_up_ends_it() {
    let mut session = Setting::parviz(&["--kind", "io"]).start();
    session.wait_for(READY);
    session.hang_up(|session| session.press("T"));
    ends_at_rest(&mut session);
}

#[test]
fn a_storm_of_resizes_ends_at_the_last_size() {
    let mut session = Setting::parviz(&[]).start();
    session.wait_for(READY);
    for step in 0..200_u16 {
        session.resize(step * 7 % 160, step * 5 % 50);
    }
    session.resize(500, 200);
    session.wait_until("the dashboard at 500x200", |screen| fills(screen, 500, 200));
    session.resize(1, 1);
    session.resize(0, 0);
    session.resize(100, 30);
    session.wait_until("the dashboard at 100x30", |screen| fills(screen, 100, 30));
    session.press("q");
    assert!(session.end_tidily().success());
}

#[test]
fn it_starts_in_a_terminal_of_any_size() {
    for (columns, rows) in [(0, 0), (1, 1), (20, 5), (500, 200)] {
        let mut session = Setting::parviz(&[]).sized(columns, rows).start();
        session.wait_until("the dashboard", vt100::Screen::alternate_screen);
        session.resize(80, 24);
        session.wait_for(READY);
        session.press("q");
        assert!(session.end_tidily().success());
    }
}

#[test]
fn keys_come_from_the_terminal_when_stdin_is_something_else() {
    let parviz = env!("CARGO_BIN_EXE_parviz");
    let mut session = Setting::of("sh", &["-c", &format!("{parviz} </dev/null")]).start();
    session.wait_for(READY);
    session.press("q");
    assert!(session.end_tidily().success());
}

#[test]
fn a_lost_terminal_that_was_stalled_ends_it() {
    let mut session = Setting::parviz(&["--kind", "io"]).sized(200, 60).start();
    session.wait_until("the dashboard at 200x60", |screen| fills(screen, 200, 60));
    session.stall();
    for _ in 0..100 {
        session.press("T");
    }
    session.hang_up(|session| session.press("T"));
    ends_at_rest(&mut session);
}

#[test]
fn a_stop_that_cannot_be_caught_is_survived() {
    let mut session = Setting::parviz(&[]).start();
    session.wait_for(READY);
    session.signal(Signal::STOP);
    session.wait_stopped();
    // Somebody else writes over the screen.
    session.scribble();
    session.signal(Signal::CONT);
    session.wait_for(READY);
    session.press("q");
    assert!(session.end_tidily().success());
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_again() {
    let mut session = Setting::of("bash", &["--norc", "--noprofile", "--noediting", "-i"])
        .with("PS1", "shell> ")
        .start();
    session.wait_for("shell>");
    let parviz = env!("CARGO_BIN_EXE_parviz");
    // It is under way however long this takes.
    session.press(&format!("{parviz} --kind io --costs const:1000s\r"));
    session.wait_until("the dashboard", |screen| {
        screen.alternate_screen() && screen.contents().contains(READY)
    });
    session.press("\x1a");
    session.wait_until("the shell", |screen| {
        let text = screen.contents();
        !screen.alternate_screen()
            && text.contains("Stopped")
            && text.trim_end().ends_with("shell>")
    });
    session.assert_given_back();
    session.resize(100, 30);
    session.press("fg\r");
    session.wait_for(": times include it");
    // The next key takes that away.
    session.press("T");
    session.wait_until("the dashboard at its new size", |screen| {
        screen.alternate_screen() && fills(screen, 100, 30)
    });
    session.press("q");
    session.wait_until("the shell's prompt", |screen| {
        !screen.alternate_screen() && screen.contents().trim_end().ends_with("shell>")
    });
    session.press("exit\r");
    session.end_tidily();
}

#[test]
fn ctrl_z_does_nothing_where_nobody_could_continue_it() {
    let mut session = Setting::parviz(&[]).start();
    session.wait_for(READY);
    session.press("\x1a");
    session.press("q");
    assert!(session.end_tidily().success());
}

#[test]
fn a_stop_from_outside_is_obeyed_and_undone() {
    let mut session = Setting::parviz(&[]).start();
    session.wait_for(READY);
    session.signal(Signal::TSTP);
    session.wait_stopped();
    session.wait_until("the screen given back", |screen| !screen.alternate_screen());
    session.assert_given_back();
    session.signal(Signal::CONT);
    session.wait_until("the dashboard", |screen| {
        screen.alternate_screen() && screen.contents().contains(READY)
    });
    session.press("q");
    assert!(session.end_tidily().success());
}

#[test]
fn the_answer_about_the_background_is_no_typed_text() {
    let mut setting = Setting::parviz(&[]);
    setting.background = Some("rgb:ffff/ffff/ffff");
    let mut session = setting.start();
    session.wait_until("the light theme", is_light);
    session.press("q");
    assert!(session.end_tidily().success());
}

#[test]
fn a_stalled_terminal_costs_frames_and_no_keys() {
    let mut session = Setting::parviz(&[]).sized(200, 60).start();
    session.wait_until("the dashboard at 200x60", |screen| fills(screen, 200, 60));
    session.stall();
    // Every one changes the whole screen: were they queued, they would all be written.
    for _ in 0..300 {
        session.press("T");
    }
    session.press("q");
    session.end();
    session.assert_given_back();
    assert!(session.received < 2_000_000, "{} bytes", session.received);
}

#[test]
fn a_dumb_terminal_gets_the_text_report() {
    let mut session = Setting::parviz(&["--backend", "simulated", "--tasks", "8"])
        .with("TERM", "dumb")
        .start();
    assert!(session.end_tidily().success());
    let told = session.screen().contents();
    assert!(told.contains("ends             returned"), "{told}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_stalled_terminal_costs_no_task() {
    let run = [
        &[
            "lab",
            "--backend",
            "threads",
            "--workers",
            "4",
            "--tasks",
            "1000",
        ][..],
        &["--costs", "const:1ms", "--kind", "io", "--main-work", "0"],
    ]
    .concat();
    let mut session = Setting::parviz(&run).sized(200, 60).start();
    session.wait_for_frames(1);
    session.stall();
    // The loop, the writer, keys, signals, and the one who waits for old runs: all others have gone.
    session.wait_for_threads(5);
    session.read_on();
    session.wait_until("the end of the run", |screen| {
        let screen = screen.contents();
        let mut numbers = screen.lines().skip_while(|line| !line.contains("messages"));
        let told = numbers.nth(1).unwrap_or_default();
        let delivered = screen.lines().find(|line| line.contains("delivered "));
        ["replay", "0 waiting", "0 held"]
            .iter()
            .all(|words| screen.contains(words))
            && told.trim_end().ends_with(" 1000")
            && delivered.is_some_and(|line| line.contains("in order"))
    });
    session.press("q");
    assert!(session.end_tidily().success());
}

/// Every colour on the screen, of letters and behind them.
fn colours(screen: &vt100::Screen) -> Vec<vt100::Color> {
    let (high, wide) = screen.size();
    let cells = (0..high.get()).flat_map(|row| (0..wide.get()).map(move |column| (row, column)));
    cells
        .filter_map(|(row, column)| screen.cell(row, column))
        .flat_map(|cell| [cell.fgcolor(), cell.bgcolor()])
        .collect()
}

#[test]
fn colours_and_characters_are_those_that_the_environment_names() {
    use vt100::Color::{Default, Idx, Rgb};
    type Claim = fn(&vt100::Screen) -> bool;
    let cases: [(&[(&str, &str)], Claim); 5] = [
        (&[], |screen| {
            !screen.contents().is_ascii()
                && colours(screen)
                    .iter()
                    .all(|colour| matches!(colour, Rgb(..)))
        }),
        (&[("COLORTERM", "")], |screen| {
            let all = colours(screen);
            all.iter().all(|colour| matches!(colour, Idx(_)))
                && all.iter().any(|colour| matches!(colour, Idx(16..)))
        }),
        (&[("COLORTERM", ""), ("TERM", "xterm")], |screen| {
            let all = colours(screen);
            all.iter()
                .all(|colour| matches!(colour, Default | Idx(..16)))
                && all.iter().any(|colour| matches!(colour, Idx(_)))
        }),
        (&[("NO_COLOR", "1")], |screen| {
            colours(screen).iter().all(|&colour| colour == Default)
        }),
        (&[("LANG", "C")], |screen| screen.contents().is_ascii()),
    ];
    for (environment, claim) in cases {
        let setting = Setting::parviz(&["--backend", "simulated", "--theme", "dark"]);
        let with = |setting: Setting, row: &(&str, &str)| setting.with(row.0, row.1);
        let mut session = environment.iter().fold(setting, with).start();
        session.wait_until(&format!("{environment:?}"), |screen| {
            fills(screen, 80, 24) && claim(screen)
        });
        session.press("q");
        assert!(session.end_tidily().success());
    }
}
