//! What words and a config file come to.

use super::*;
use crate::cli::Args;
use crate::experiment::{Backend, WorkKind};
use crate::method::Method;
use crate::palette::{Charset, Look, ThemeName};
use std::ffi::OsString;

const AROUND: Surroundings = Surroundings {
    cpus: 2,
    no_screen: None,
    utf8: true,
    depth: Depth::True,
    light: false,
};

fn with(words: &str, config: &str, around: Surroundings) -> Result<Setup, String> {
    let words = std::iter::once("parviz").chain(words.split_whitespace());
    let args = Args::read(words.map(OsString::from)).unwrap();
    let mut config = Config::parse(config).unwrap();
    "config.toml".clone_into(&mut config.name);
    Setup::new(&args.lab, &config, around)
}

fn experiment(words: &str, config: &str) -> Experiment {
    with(words, config, AROUND).unwrap().experiment
}

#[test]
fn the_first_start_is_24_mixed_tasks_on_more_workers_than_cpus() {
    let first = experiment("", "");
    assert_eq!(
        first,
        Experiment {
            workers: 4,
            kind: WorkKind::Mixed,
            ..Experiment::default()
        }
    );
    let many = Surroundings { cpus: 64, ..AROUND };
    let first = with("", "", many).unwrap().experiment;
    assert_eq!((first.workers, first.kind), (8, WorkKind::Cpu));
    assert_eq!(experiment("--backend simulated", "").kind, WorkKind::Cpu);
}

#[test]
fn main_has_work_of_its_own_where_it_can_be_seen() {
    assert_eq!(experiment("", "").main_work, MainWork::Half);
    assert_eq!(experiment("--picture a.svg", "").main_work, MainWork::Half);
    for words in ["--text", "--json"] {
        assert_eq!(
            experiment(words, "").main_work,
            MainWork::Fixed(Nanos::ZERO)
        );
    }
}

#[test]
fn the_command_line_wins_over_the_config_file() {
    let config = "[lab]\nmethod = \"imap\"\nworkers = 6\ncpus = 3\ncosts = [1, 2, 3]\nchunksize = 2\nmemory-model = \"separate\"\n";
    let plain = experiment("", config);
    assert_eq!(
        (plain.method, plain.workers, plain.tasks),
        (Method::Imap, 6, 3)
    );
    // What is for simulated runs waits for one.
    assert_eq!((plain.cpus, plain.memory), (None, None));
    assert_eq!(experiment("--backend simulated", config).cpus, Some(3));
    let other = experiment("--method apply --costs const:1 --workers 2", config);
    assert_eq!(
        (other.method, other.workers, other.tasks),
        (Method::Apply, 2, 24)
    );
}

#[test]
fn a_default_that_cannot_be_is_told_as_one() {
    let wrong = |words, config| with(words, config, AROUND).err();
    let workers = "theme = \"dark\"\n[lab]\nworkers = 0\n";
    assert_eq!(
        wrong("", workers).unwrap(),
        "config.toml:3: workers must be from 1 to 1024, not 0"
    );
    assert_eq!(
        wrong("--workers 2000", workers).unwrap(),
        "--workers must be from 1 to 1024, not 2000"
    );
    assert_eq!(wrong("--workers 2", workers), None);
    assert_eq!(
        wrong("", "[lab]\nchunksize = 0\n").unwrap(),
        "config.toml:2: chunksize must be at least 1; CPython's own rule is --chunksize auto"
    );
    // The one that is named is not in the file.
    assert_eq!(
        wrong("--tasks 3", "[lab]\nfault = \"9:raise\"\n").unwrap(),
        "config.toml:2: fault 9: there is no task 9, the last one is 2"
    );
    assert_eq!(
        wrong("--effect race", "[lab]\ntasks = 9000000\n").unwrap(),
        "--effect race: 9000000 tasks of 3 increments are more than 10000000: use fewer of either (a default of config.toml)"
    );
}

/// A default for each key of `[lab]`, such as some backend or method has no place for.
const DEFAULTS: [&str; 26] = [
    "method = \"imap\"",
    "backend = \"python\"",
    "workers = 3",
    "cpus = 2",
    "tasks = 30",
    "costs = \"const:3\"",
    "kind = \"io\"",
    "pairs = true",
    "chunksize = 4",
    "main-work = 3",
    "payload = \"1KiB\"",
    "dispatch = \"1ms\"",
    "startup = \"1ms\"",
    "serial = \"1ms\"",
    "gil = true",
    "lock = true",
    "policy = \"executor\"",
    "memory-model = \"shared\"",
    "memory-model = \"separate\"",
    "effect = \"race\"",
    "increments = 4",
    "fault = [\"3:die\", \"4:raise\"]",
    "seed = 8",
    "pool = \"threadpool\"",
    "start-method = \"spawn\"",
    "python = \"python3\"",
];

#[test]
fn no_default_of_the_file_is_in_the_way_of_a_flag() {
    let available = Backend::TABLE.map(|row| row.0).into_iter();
    let backends = available.filter(|backend| backend.is_available());
    let mut words: Vec<String> = backends
        .map(|backend| format!("--backend {}", backend.name()))
        .collect();
    words.extend(Method::ALL.map(|method| format!("--method {}", method.name())));
    words.push("--backend python --pool threadpool".to_owned());
    for words in words {
        for default in DEFAULTS {
            let config = format!("[lab]\n{default}\n");
            let wrong = with(&words, &config, AROUND).err();
            assert_eq!(wrong, None, "{words} over {default}");
        }
        let all: Vec<&str> = DEFAULTS
            .into_iter()
            .filter(|default| !default.contains("separate"))
            .collect();
        let config = format!("[lab]\n{}\n", all.join("\n"));
        assert_eq!(with(&words, &config, AROUND).err(), None, "{words}");
    }
}

#[test]
fn what_gives_way_is_as_if_it_were_not_there() {
    let given = experiment(
        "--backend python",
        "[lab]\ngil = true\ndispatch = \"1ms\"\npolicy = \"executor\"\nmemory-model = \"shared\"\ncpus = 3\n",
    );
    assert_eq!(given, experiment("--backend python", ""));
}

#[test]
fn contradictions_are_told_in_one_line() {
    for (words, line) in [
        (
            "--costs 9,2,6 --tasks 4",
            "--costs lists 3 tasks: leave --tasks 4 out",
        ),
        (
            "--costs 10us --tasks 24",
            "--costs 10us is a list of one task: write --costs const:10us for 24 like it",
        ),
        (
            "--method apply --chunksize 2",
            "--chunksize does not go with --method apply: it sends one task at a time",
        ),
        (
            "--method loop --chunksize auto",
            "--chunksize does not go with --method loop: it sends one task at a time",
        ),
        (
            "--cpus 4",
            "--cpus 4 is for --backend simulated: a measured run has the CPUs of this machine",
        ),
        (
            "--text --json",
            "--text and --json contradict each other: give one of them",
        ),
        (
            "--json --picture a.svg",
            "--json and --picture contradict each other: give one of them",
        ),
        ("--at 2s", "--at is for pictures: add --picture FILE.svg"),
        (
            "--picture a.svg --unit 10000s --at 10000000",
            "--at `10000000` is too long: at most a week, 168h",
        ),
        (
            "--size 80x24 --text",
            "--size is for pictures: add --picture FILE.svg",
        ),
        (
            "--demo --text",
            "--demo is for the dashboard: leave --text out",
        ),
        (
            "--demo --method imap",
            "--demo goes through the methods by itself: leave --method out",
        ),
        (
            "--picture a.png",
            "--picture a.png: name a file that ends in .svg",
        ),
        (
            "--picture no/where/a.svg",
            "--picture no/where/a.svg: there is no folder no/where",
        ),
        (
            "--fault 3:die --fault 1,3:raise",
            "--fault 3: task 3 is named twice: leave one out",
        ),
        (
            "--fault 24:die",
            "--fault 24: there is no task 24, the last one is 23",
        ),
        (
            "--effect count --memory-model separate",
            "--memory-model separate is for --backend simulated: threads share their memory",
        ),
        (
            "--policy executor --method loop",
            "--policy executor is for methods with a pool: --method loop has no workers",
        ),
        ("--workers 0", "--workers must be from 1 to 1024, not 0"),
        (
            "--lock",
            "--lock is for --effect race: add it, or leave --lock out",
        ),
        (
            "--backend simulated --memory-model shared",
            "--memory-model is for --effect count: add it, or leave --memory-model out",
        ),
        (
            "--effect count --increments 3",
            "--increments is for --effect race: add it, or leave --increments out",
        ),
        (
            "--chunksize 0",
            "--chunksize must be at least 1; CPython's own rule is --chunksize auto",
        ),
    ] {
        assert_eq!(with(words, "", AROUND).unwrap_err(), line);
    }
    let listed = "[lab]\ncosts = [1, 2]\n";
    assert_eq!(
        with("--tasks 5", listed, AROUND).unwrap_err(),
        "--tasks 5: the config file lists the costs of 2 tasks: add --costs, such as --costs lognormal:600ms"
    );
}

#[test]
fn a_list_of_costs_goes_with_its_own_length() {
    let given = experiment("--costs 9,2,6 --tasks 3", "");
    assert_eq!(given, experiment("--costs 9,2,6", ""));
    assert_eq!(experiment("--tasks 2", "[lab]\ncosts = [1, 2]\n").tasks, 2);
}

#[test]
fn without_a_screen_the_text_report_comes_with_a_line_that_says_so() {
    let around = Surroundings {
        no_screen: Some("stdout is not a terminal"),
        ..AROUND
    };
    let setup = with("", "", around).unwrap();
    assert!(matches!(setup.show, Show::Text));
    assert_eq!(
        setup.warning.as_deref(),
        Some(
            "stdout is not a terminal: printing the text report (--json and --picture work here too)"
        )
    );
    assert_eq!(setup.experiment.main_work, MainWork::Fixed(Nanos::ZERO));
    assert_eq!(with("--json", "", around).unwrap().warning, None);
    assert_eq!(
        with("--demo", "", around).unwrap_err(),
        "--demo is for the dashboard, and stdout is not a terminal: leave it out"
    );
}

#[test]
fn the_look_follows_the_flags_then_the_file_then_the_terminal() {
    let look = |words, config, around| match with(words, config, around).unwrap().show {
        Show::Dashboard(settings, options) => (settings.look, options),
        show => panic!("{show:?}"),
    };
    let poor = Surroundings {
        utf8: false,
        light: true,
        depth: Depth::Sixteen,
        ..AROUND
    };
    let (own, options) = look("", "", poor);
    assert_eq!(
        own,
        Look {
            theme: ThemeName::Light,
            depth: Depth::Sixteen,
            charset: Charset::Ascii
        }
    );
    assert!(options.ask_background && options.mouse);
    let config = "theme = \"high-contrast\"\nascii = false\nmouse = false\n";
    let (file, options) = look("", config, poor);
    assert_eq!(
        (file.theme, file.charset),
        (ThemeName::HighContrast, Charset::Unicode)
    );
    assert!(!options.ask_background && !options.mouse);
    let (flags, _) = look("--theme dark --ascii", config, AROUND);
    assert_eq!(
        (flags.theme, flags.charset),
        (ThemeName::Dark, Charset::Ascii)
    );
    assert!(look("--theme auto", config, AROUND).1.ask_background);
}
