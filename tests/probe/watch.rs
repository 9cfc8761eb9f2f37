//! A Python program with the probe inside, and all that the probe said.

use parviz::origin::python::wire::{
    Entry, FILES, HEADER_BYTES, Header, Message, PROBE_VARIABLE, RINGS_VARIABLE, Record,
    SEQUENCE_AT, SLOT_BYTES, SOCKET, StringId, Told,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Only a failure takes so long.
const LIMIT: Duration = Duration::from_secs(120);

/// What a connection says that is no program's.
const LAST: &[u8] = b"last";

pub(crate) const START_METHODS: [&str; 3] = ["fork", "spawn", "forkserver"];

/// Every Python from 3.8 on that is installed, by `python3.X` on the path or under pyenv, or else `python3`.
pub(crate) fn pythons() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    let versions = std::env::home_dir().map(|home| home.join(".pyenv/versions"));
    if let Some(versions) = versions.and_then(|folder| fs::read_dir(folder).ok()) {
        folders.extend(versions.flatten().map(|entry| entry.path().join("bin")));
    }
    let names = (8..30).map(|minor| format!("python3.{minor}"));
    let mut found = BTreeMap::new();
    for name in names.chain(["python3".to_owned()]) {
        for folder in &folders {
            // What stands there may be a script that only looks for one.
            let said = Command::new(folder.join(&name))
                .args(["-c", "import sys; print(sys.version_info >= (3, 8), sys.version); print(sys.executable)"])
                .stderr(Stdio::null())
                .output();
            let Ok(said) = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned())
            else {
                continue;
            };
            if let Some((version, path)) = said.trim_end().rsplit_once('\n')
                && version.starts_with("True")
            {
                found
                    .entry(version.to_owned())
                    .or_insert_with(|| PathBuf::from(path));
            }
        }
    }
    assert!(!found.is_empty(), "these tests need a Python from 3.8 on");
    found.into_values().collect()
}

/// The one that is first on the path.
pub(crate) fn python() -> PathBuf {
    let said = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .expect("these tests need `python3` on the path");
    PathBuf::from(String::from_utf8(said.stdout).unwrap().trim_end())
}

pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/probe")
        .join(name)
}

/// What a program did, as anybody can see it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Seen {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A call of Python in an environment that holds nothing else.
pub(crate) fn call(python: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(python);
    command
        .args(words)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The two folders that the probe is told of.
pub(crate) struct Place {
    pub(crate) main: TempDir,
    pub(crate) rings: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self {
            main: tempfile::tempdir().unwrap(),
            rings: tempfile::tempdir().unwrap(),
        };
        for (name, text) in FILES {
            fs::write(place.main.path().join(name), text).unwrap();
        }
        place
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.main.path().join(SOCKET)
    }

    /// With the probe inside.
    pub(crate) fn watch(&self, mut command: Command) -> Command {
        let old = command
            .get_envs()
            .find(|(name, _)| *name == "PYTHONPATH")
            .and_then(|(_, value)| value.map(ToOwned::to_owned));
        let mut path = self.main.path().as_os_str().to_owned();
        if let Some(old) = old {
            path.push(":");
            path.push(old);
        }
        command
            .env("PYTHONPATH", path)
            .env(PROBE_VARIABLE, self.main.path())
            .env(RINGS_VARIABLE, self.rings.path());
        command
    }
}

/// One connection: what came, and whether it has ended.
#[derive(Debug, Default)]
struct Connection {
    bytes: Vec<u8>,
    over: bool,
}

type Connections = Arc<(Mutex<Vec<Connection>>, Condvar)>;

fn listen(listener: &UnixListener, connections: &Connections) {
    for (number, stream) in listener.incoming().enumerate() {
        let Ok(stream) = stream else { return };
        connections.0.lock().unwrap().push(Connection::default());
        let connections = connections.clone();
        thread::spawn(move || read(stream, number, &connections));
    }
}

fn read(mut stream: UnixStream, number: usize, connections: &Connections) {
    let mut piece = [0; 4096];
    loop {
        let length = stream.read(&mut piece).unwrap_or(0);
        let mut all = connections.0.lock().unwrap();
        all[number].bytes.extend_from_slice(&piece[..length]);
        if length == 0 {
            all[number].over = true;
            connections.1.notify_all();
            return;
        }
    }
}

/// What the processes of a program told.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) seen: Seen,
    /// By process, in the order in which each wrote them.
    pub(crate) records: Vec<(u32, Record)>,
    pub(crate) strings: BTreeMap<(u32, StringId), String>,
    pub(crate) messages: Vec<(u32, Message)>,
    pub(crate) headers: BTreeMap<u32, Header>,
    /// The entry of the first thread of each process.
    pub(crate) entries: BTreeMap<u32, Entry>,
}

/// Runs it to its end, with a listener that takes everything.
pub(crate) fn watch(command: Command) -> Watched {
    let place = Place::new();
    let listener = UnixListener::bind(place.socket()).unwrap();
    let connections = Connections::default();
    {
        let connections = connections.clone();
        thread::spawn(move || listen(&listener, &connections));
    }
    let seen = Seen::from(place.watch(command).output().unwrap());
    // Connections are accepted in their order: when this one has come, all others have.
    UnixStream::connect(place.socket())
        .unwrap()
        .write_all(LAST)
        .unwrap();
    let (all, _) = connections
        .1
        .wait_timeout_while(connections.0.lock().unwrap(), LIMIT, |all| {
            all.iter().all(|connection| connection.bytes != LAST)
                || all.iter().any(|connection| !connection.over)
        })
        .unwrap();
    let mut watched = Watched {
        seen,
        records: Vec::new(),
        strings: BTreeMap::new(),
        messages: Vec::new(),
        headers: BTreeMap::new(),
        entries: BTreeMap::new(),
    };
    for connection in all.iter().filter(|connection| connection.bytes != LAST) {
        watched.take(&connection.bytes, place.rings.path());
    }
    watched
}

impl Watched {
    fn take(&mut self, mut bytes: &[u8], rings: &Path) {
        let mut pid = None;
        while let Some((message, length)) = Message::parse(bytes).unwrap() {
            bytes = &bytes[length..];
            if let Message::Hello(hello) = &message {
                pid = Some(hello.pid);
            }
            if let Message::Again { pid: same } = &message {
                pid = Some(*same);
            }
            let pid = pid.expect("a hello comes first");
            if let Message::String { id, text } = &message {
                self.strings.insert((pid, *id), text.clone());
            }
            if let Message::Ring { file } = &message {
                self.ring(pid, &fs::read(rings.join(file)).unwrap());
            }
            self.messages.push((pid, message));
        }
        assert!(bytes.is_empty(), "half a message");
    }

    fn ring(&mut self, pid: u32, ring: &[u8]) {
        let header = Header::parse(ring).unwrap();
        assert_eq!(header.pid, pid);
        self.headers.insert(pid, header);
        let words = |at: usize| u64::from_ne_bytes(ring[at..at + 8].try_into().unwrap());
        self.entries
            .insert(pid, Entry::from_words([64, 72, 80, 88].map(words)));
        let slots = ring[HEADER_BYTES..].chunks_exact(SLOT_BYTES);
        for (index, slot) in slots.enumerate() {
            let number = slot[SEQUENCE_AT..][..4].try_into().unwrap();
            if u32::from_ne_bytes(number) != index as u32 + 1 {
                break;
            }
            let slot = slot.try_into().unwrap();
            let told = Record::parse(slot).unwrap_or_else(|| panic!("slot {index}: {slot:?}"));
            let both = [Some(told.0), told.1].into_iter().flatten();
            self.records.extend(both.map(|record| (pid, record)));
        }
    }

    pub(crate) fn told(&self) -> impl Iterator<Item = (u32, &Told)> {
        self.records
            .iter()
            .map(|(pid, record)| (*pid, &record.told))
    }

    pub(crate) fn count(&self, of: impl Fn(&Told) -> bool) -> usize {
        self.told().filter(|(_, told)| of(told)).count()
    }

    /// Items that started, and that ended.
    pub(crate) fn items(&self) -> (usize, usize) {
        let (mut started, mut ended) = (0, 0);
        for (_, told) in self.told() {
            match told {
                Told::ItemStart { .. } => started += 1,
                Told::ItemEnd { .. } => ended += 1,
                Told::ItemNext { .. } => {
                    started += 1;
                    ended += 1;
                }
                Told::Items { count, last, .. } => {
                    ended += usize::from(*count);
                    started += usize::from(*count) - usize::from(*last);
                }
                _ => {}
            }
        }
        (started, ended)
    }

    /// Method and function of each call, in the order of the alphabet.
    pub(crate) fn calls(&self) -> Vec<String> {
        let mut calls: Vec<String> = self
            .told()
            .filter_map(|(pid, told)| match told {
                Told::Call { text, .. } => Some(&self.strings[&(pid, *text)]),
                _ => None,
            })
            .map(|text| text.split('\0').take(2).collect::<Vec<_>>().join(" "))
            .collect();
        calls.sort();
        calls
    }

    /// Notes, each with its text, without repetition.
    pub(crate) fn notes(&self) -> BTreeSet<String> {
        self.told()
            .filter_map(|(pid, told)| match told {
                Told::Note {
                    kind, text, value, ..
                } => {
                    let text = text.map_or("", |text| self.strings[&(pid, text)].as_str());
                    Some(format!("{kind:?} {text} {value}"))
                }
                _ => None,
            })
            .collect()
    }
}
