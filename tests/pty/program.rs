//! Programs that are watched, with the real python3: what is shown, what is asked, what is given back.

#![expect(
    clippy::disallowed_methods,
    reason = "tells a program by a folder to go on, and reads a report"
)]

use super::session::{Session, Setting};
use rustix::process::Signal;

/// What it prints is not how it is written, which is on the screen as well. Prints on both streams and waits until it is told to go on; then it ends with a code of its own.
const TALKS: &str = "import sys, time
try:
    print('one line of the program'.upper(), flush=True)
    print('and one of its errors'.upper(), file=sys.stderr, flush=True)
    while True:
        time.sleep(0.01)
except KeyboardInterrupt:
    print('interrupted'.upper(), flush=True)
    sys.exit(3)
";

/// Ends by itself.
const ENDS: &str = "import sys
print('a line on stdout'.upper())
print('a line on stderr'.upper(), file=sys.stderr)
sys.exit(3)
";

fn python(flags: &[&str], code: &str) -> Session {
    let words = [&["run"], flags, &["-c", code]].concat();
    Setting::parviz(&words).sized(100, 30).start()
}

fn given_back(session: &Session, text: &str) {
    let screen = session.screen().contents();
    assert!(screen.contains(text), "{text}:\n{screen}");
}

#[test]
fn the_dashboard_stays_when_the_program_has_ended_and_its_code_is_ours() {
    let mut session = python(&[], ENDS);
    session.wait_for("program ended, exit 3");
    session.press("q");
    assert_eq!(session.end_tidily().exit_code(), 3);
    given_back(&session, "A LINE ON STDOUT");
    given_back(&session, "A LINE ON STDERR");
}

#[test]
fn it_closes_at_the_end_where_that_was_asked() {
    let mut session = python(&["--quit-at-end"], ENDS);
    assert_eq!(session.end_tidily().exit_code(), 3);
    given_back(&session, "A LINE ON STDOUT");
}

#[test]
fn output_for_the_panel_only_is_not_given_back() {
    let mut session = python(&["--output", "panel"], ENDS);
    session.wait_for("program ended, exit 3");
    session.press("O");
    session.wait_for("A LINE ON STDOUT");
    session.press("q");
    session.end_tidily();
    let screen = session.screen().contents();
    assert!(!screen.contains("A LINE ON"), "{screen}");
}

#[test]
fn what_it_prints_is_seen_while_it_runs_and_can_be_searched() {
    let mut session = python(&[], TALKS);
    session.wait_for("program running");
    session.press("O");
    session.wait_for("ONE LINE OF THE PROGRAM");
    session.wait_for("! AND ONE OF ITS ERRORS");
    session.press("/");
    session.press("errors");
    session.wait_for("found");
    session.press("\r");
    session.press("O");
    session.wait_until("the panel closed", |screen| {
        !screen.contents().contains("ONE LINE OF THE PROGRAM")
    });
    session.press("q");
    session.wait_for("the program still runs");
    session.press("\x1b");
    session.wait_until("the question closed", |screen| {
        !screen.contents().contains("the program still runs")
    });
    session.press("q");
    session.wait_for("the program still runs");
    session.press("i");
    session.wait_for("program ended, exit 3");
    session.press("q");
    assert_eq!(session.end_tidily().exit_code(), 3);
    given_back(&session, "INTERRUPTED");
}

#[test]
fn ctrl_c_twice_interrupts_it() {
    let mut session = python(&["--quit-at-end"], TALKS);
    session.wait_for("program running");
    session.press("O");
    session.wait_for("ONE LINE OF THE PROGRAM");
    session.press("\x03");
    session.wait_for("the program still runs");
    session.press("\x03");
    assert_eq!(session.end_tidily().exit_code(), 3);
    given_back(&session, "INTERRUPTED");
}

#[test]
fn it_can_be_terminated() {
    let mut session = python(&[], TALKS);
    session.wait_for("program running");
    session.press("q");
    session.wait_for("the program still runs");
    session.press("t");
    session.wait_for("program killed by signal 15");
    session.press("q");
    assert_eq!(session.end_tidily().exit_code(), 128 + 15);
}

#[test]
fn a_program_left_running_goes_on_to_its_own_end() {
    let folder = tempfile::tempdir().unwrap();
    let sign = folder.path().join("go");
    let code = format!(
        "import os, sys, time
print('first'.upper(), flush=True)
while not os.path.exists({sign:?}):
    time.sleep(0.01)
print('last'.upper(), flush=True)
sys.exit(5)
"
    );
    let mut session = python(&[], &code);
    session.wait_for("program running");
    session.press("q");
    session.wait_for("the program still runs");
    session.press("l");
    session.wait_until("the view closed", |screen| !screen.alternate_screen());
    std::fs::create_dir(sign).unwrap();
    assert_eq!(session.end_tidily().exit_code(), 5);
    given_back(&session, "FIRST");
    given_back(&session, "LAST");
}

#[test]
fn a_signal_that_comes_while_the_view_closes_reaches_the_program() {
    let mut session = python(&[], TALKS);
    session.wait_for("program running");
    session.press("q");
    session.wait_for("the program still runs");
    // The terminal takes its time to be given back.
    session.stall();
    session.press("l");
    session.signal(Signal::INT);
    session.read_on();
    // Whichever of both came first.
    session.end_tidily();
}

#[test]
fn a_signal_for_us_reaches_the_program_and_what_was_seen_of_it_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let mut session = python(&["--report", report.to_str().unwrap()], TALKS);
    session.wait_for("program running");
    session.press("O");
    session.wait_for("ONE LINE OF THE PROGRAM");
    session.signal(Signal::TERM);
    assert_eq!(session.end_tidily().signal(), Some("Terminated"));
    given_back(&session, "ONE LINE OF THE PROGRAM");
    let report = std::fs::read_to_string(report).unwrap();
    assert!(report.starts_with('{'), "{report}");
}

#[test]
fn a_lost_terminal_ends_it_while_a_program_reads_a_pipe() {
    let parviz = env!("CARGO_BIN_EXE_parviz");
    let command = format!(
        "echo piped in | exec {parviz} run -c '{TALKS}'",
        TALKS = TALKS.replace('\'', "\"")
    );
    let mut session = Setting::of("sh", &["-c", &command]).start();
    session.wait_for("program running");
    session.hang_up(|session| session.press("T"));
    session.end();
}

#[test]
fn what_is_piped_into_us_is_the_programs_stdin_and_keys_come_from_the_terminal() {
    let parviz = env!("CARGO_BIN_EXE_parviz");
    let code = "print(\"read:\", input())";
    let command = format!("echo piped in | {parviz} run -c '{code}'");
    let mut session = Setting::of("sh", &["-c", &command]).start();
    session.wait_for("program ended, exit 0");
    session.press("q");
    assert!(session.end_tidily().success());
    given_back(&session, "read: piped in");
}

#[test]
fn a_program_that_cannot_be_started_is_told_in_one_line() {
    let mut session = Setting::parviz(&["run", "nowhere.py"]).start();
    assert_eq!(session.end_tidily().exit_code(), 2);
    given_back(&session, "parviz: nowhere.py: no such script");
}
