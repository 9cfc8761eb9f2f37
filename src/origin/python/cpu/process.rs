//! A process of the program as a lane: what it was started as, and the CPU time it used.

use crate::event::{self, Kind, LaneId, LaneKind, LaneOpened};
use crate::origin::python::join::Join;
use crate::origin::python::program;
use crate::origin::python::tell::harmless;
use crate::platform::Image;
use crate::time::Nanos;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// A process as it was last seen.
#[derive(Debug)]
pub(super) struct Usage {
    pub(super) at: u64,
    pub(super) used: Nanos,
    /// When that was last told.
    pub(super) told: Option<u64>,
    /// Opened when it has lived for two looks.
    pub(super) lane: Option<LaneId>,
    /// That of its lane.
    pub(super) name: String,
    /// When it was first seen.
    pub(super) since: u64,
    /// It was asked whether it has loaded the probe, and is what it will be.
    pub(super) is_known: bool,
}

/// What a process was started with, its own name without the folder; empty if that is not known.
fn command(image: &Image) -> String {
    let mut words = image.words.iter();
    let first = words.next().map(Path::new).and_then(Path::file_name);
    let words: Vec<_> = first
        .into_iter()
        .chain(words.map(OsString::as_os_str))
        .collect();
    harmless(&words.join(OsStr::new(" ")).to_string_lossy())
}

pub(super) fn sample(join: &mut Join, lane: LaneId, at: u64, used: Nanos) {
    let sample = event::Sample {
        quantity: event::PROCESS_ON_CPU.to_owned(),
        value: used.0 as f64,
    };
    let tell = join.tell();
    tell.say(lane, tell.time(at), Kind::Sample(Box::new(sample)));
}

impl Usage {
    /// Opens its lane, or names it anew if it has become another program.
    pub(super) fn name_lane(&mut self, join: &mut Join, pid: u32, image: Option<&Image>) {
        let name = image.map(command).filter(|name| !name.is_empty());
        if self.lane.is_some() && name.as_ref().is_none_or(|name| *name == self.name) {
            return;
        }
        self.name = name.unwrap_or_else(|| format!("process {pid}"));
        let facts = LaneOpened {
            kind: LaneKind::Other,
            pool: None,
            name: self.name.clone(),
            pid: Some(pid),
            tid: None,
        };
        let tell = join.tell();
        let at = tell.time(self.at);
        match self.lane {
            Some(lane) => tell.say(lane, at, Kind::LaneOpened(Box::new(facts))),
            None => self.lane = Some(tell.open(at, facts)),
        }
    }
}

/// Why an interpreter cannot have loaded the probe. One that another forked was started as that one was.
pub(super) fn obstacle(image: &Image, folder: &Path) -> Option<&'static str> {
    let probe = [OsStr::new("PYTHONPATH="), folder.as_os_str()]
        .map(OsStr::as_encoded_bytes)
        .concat();
    let is_python = image.name.as_encoded_bytes().starts_with(b"python");
    let finds = |entry: &OsString| entry.as_encoded_bytes().starts_with(&probe);
    if !is_python {
        None
    } else if image.environment.iter().any(finds) {
        program::refusal(image.words.get(1..)?)
    } else {
        Some("Python was started without the environment that loads the probe")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;

    #[test]
    fn an_interpreter_is_watched_if_it_found_the_probe_and_was_not_told_to_ignore_it() {
        let why = |name: &str, words: &[&str], environment: &str| {
            let image = Image {
                name: name.into(),
                words: words.iter().map(OsString::from).collect(),
                environment: vec!["A=1".into(), environment.into()],
            };
            obstacle(&image, Path::new("/probe"))
        };
        let script = ["python3", "-u", "s.py", "-I"];
        assert_eq!(why("python3.11", &script, "PYTHONPATH=/probe"), None);
        assert_eq!(why("python3.11", &script, "PYTHONPATH=/probe:/own"), None);
        assert_eq!(why("sh", &["sh"], "PYTHONPATH=/own"), None);
        let without = why("python3.11", &script, "PYTHONPATH=/own");
        assert!(without.unwrap().contains("environment"));
        let isolated = why("python3", &["python3", "-uI", "s.py"], "PYTHONPATH=/probe");
        assert!(isolated.unwrap().contains("-I"));
    }

    #[test]
    fn a_process_is_named_as_it_was_started() {
        let image = Image {
            name: "python3.11".into(),
            words: ["/usr/bin/python3", "-u", "a\nb.py"]
                .map(OsString::from)
                .to_vec(),
            environment: Vec::new(),
        };
        assert_eq!(command(&image), "python3 -u a b.py");
    }

    #[test]
    fn a_script_that_becomes_a_program_has_the_name_of_that() {
        let image = |words: &[&str]| Image {
            name: "any".into(),
            words: words.iter().map(OsString::from).collect(),
            environment: Vec::new(),
        };
        let mut join = Join::new(0, 1);
        let mut usage = Usage {
            at: 5,
            used: Nanos::ZERO,
            told: None,
            lane: None,
            name: String::new(),
            since: 5,
            is_known: true,
        };
        let shim = image(&["bash", "/shims/python3", "a.py"]);
        let python = image(&["/bin/python3", "a.py"]);
        for seen in [None, Some(&shim), Some(&shim), None, Some(&python)] {
            usage.name_lane(&mut join, 9, seen);
        }
        let told = join.take(Time::NEVER).into_iter();
        let names = told.filter_map(|event| match event.kind {
            Kind::LaneOpened(facts) if facts.pid == Some(9) => Some((event.lane, facts.name)),
            _ => None,
        });
        let (lanes, names): (Vec<_>, Vec<_>) = names.unzip();
        assert_eq!(
            names,
            ["process 9", "bash /shims/python3 a.py", "python3 a.py"]
        );
        assert!(lanes.iter().all(|&lane| Some(lane) == usage.lane));
    }
}
