//! Whoever listens, badly or not at all, the program does not notice.

use crate::probe::watch::{Place, Seen, call, python, script};
use crate::probe::without_chance;
use parviz::origin::python::wire::Header;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::thread;

fn program(words: &[&str]) -> Command {
    let all = script("all.py");
    let mut all_words = words.to_vec();
    all_words.extend([all.to_str().unwrap(), "fork"]);
    call(&python(), &all_words)
}

/// Accepts everybody and reads nothing.
fn hold(listener: UnixListener) {
    thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            held.push(stream);
        }
    });
}

/// The program beside a listener in this place.
fn beside(listener: impl FnOnce(&Place)) -> Seen {
    let place = Place::new();
    listener(&place);
    without_chance(place.watch(program(&[])).output().unwrap().into())
}

fn alone() -> Seen {
    without_chance(program(&[]).output().unwrap().into())
}

#[test]
fn nobody_listens() {
    assert_eq!(beside(|_| {}), alone());
}

#[test]
fn whoever_listened_has_gone() {
    let seen = beside(|place| drop(UnixListener::bind(place.socket()).unwrap()));
    assert_eq!(seen, alone());
}

#[test]
fn nobody_accepts() {
    let mut kept = None;
    let seen = beside(|place| kept = Some(UnixListener::bind(place.socket()).unwrap()));
    assert_eq!(seen, alone());
}

#[test]
fn nobody_reads() {
    let seen = beside(|place| {
        let listener = UnixListener::bind(place.socket()).unwrap();
        hold(listener);
    });
    assert_eq!(seen, alone());
}

/// Functions with long names of their own: more than waits for one who does not read.
const TALKATIVE: &str = "from multiprocessing.pool import ThreadPool
pool = ThreadPool(1)
for number in range(20000):
    def named():
        return None
    named.__qualname__ = '%d' % number + 'x' * 900
    pool.apply(named)
pool.terminate()
";

#[test]
fn what_nobody_took_is_counted() {
    let place = Place::new();
    let listener = UnixListener::bind(place.socket()).unwrap();
    hold(listener);
    let mut talkative = place.watch(call(&python(), &["-c", TALKATIVE]));
    assert!(talkative.status().unwrap().success());
    let mut rings = std::fs::read_dir(place.rings.path()).unwrap();
    let ring = std::fs::read(rings.next().unwrap().unwrap().path()).unwrap();
    let lost = Header::parse(&ring).unwrap().lost;
    assert!((1..20_000).contains(&lost), "{lost}");
}

#[test]
fn whoever_listens_leaves_in_the_middle() {
    let seen = beside(|place| {
        let listener = UnixListener::bind(place.socket()).unwrap();
        let (main, rings) = (place.main.path().to_owned(), place.rings.path().to_owned());
        thread::spawn(move || {
            let first: Vec<_> = listener.incoming().take(2).collect();
            drop((first, listener));
            for folder in [main, rings] {
                std::fs::remove_dir_all(folder).unwrap();
            }
        });
    });
    assert_eq!(seen, alone());
}

#[test]
fn there_is_no_room_for_rings() {
    let place = Place::new();
    let listener = UnixListener::bind(place.socket()).unwrap();
    hold(listener);
    let mut command = place.watch(program(&[]));
    command.env("PARVIZ_RINGS", "/nowhere");
    std::fs::remove_dir_all(place.rings.path()).unwrap();
    assert_eq!(without_chance(command.output().unwrap().into()), alone());
}

#[test]
fn a_strict_python_finds_nothing_to_complain_of() {
    for words in [["-X", "dev", "-bb"], ["-W", "error", "-bb"]] {
        let place = Place::new();
        let listener = UnixListener::bind(place.socket()).unwrap();
        hold(listener);
        let strict = without_chance(program(&words).output().unwrap().into());
        let watched = without_chance(place.watch(program(&words)).output().unwrap().into());
        assert_eq!(without_pids(watched), without_pids(strict), "{words:?}");
    }
}

/// Newer versions warn of forks, and say in which process.
fn without_pids(seen: Seen) -> Seen {
    let is_warning = |line: &&str| line.contains("(pid=");
    let err = seen.err.lines().filter(|line| !is_warning(line));
    Seen {
        err: err.collect::<Vec<_>>().join("\n"),
        ..seen
    }
}

#[test]
fn closed_standard_descriptors_stay_closed() {
    let place = Place::new();
    let listener = UnixListener::bind(place.socket()).unwrap();
    hold(listener);
    let folder = tempfile::tempdir().unwrap();
    let shell = |closed: &str| {
        let text = format!(
            "exec {} {} {} {closed}",
            python().display(),
            script("closed.py").display(),
            folder.path().join("said").display(),
        );
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &text]).env_clear().stdin(Stdio::null());
        command
    };
    for closed in ["0<&-", "1>&-", "0<&- 1>&- 2>&-"] {
        let said = |mut command: Command| {
            let code = command.status().unwrap().code();
            (
                code,
                std::fs::read_to_string(folder.path().join("said")).unwrap(),
            )
        };
        let alone = said(shell(closed));
        assert_eq!(said(place.watch(shell(closed))), alone, "{closed}");
    }
}
