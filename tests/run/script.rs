//! A Python program of a test, run plainly or watched, with nothing of this machine in its environment.
#![expect(
    clippy::disallowed_methods,
    reason = "files of the test's own, threads that read pipes, and a deadline"
)]

use crate::support::signals;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;

/// Only a failure takes so long.
const DEADLINE: Duration = Duration::from_secs(400);

pub(super) struct Script {
    folder: TempDir,
    input: String,
}

/// What was said, and how it ended.
#[derive(Debug, PartialEq)]
pub(super) struct Said {
    pub(super) out: String,
    pub(super) err: String,
    pub(super) code: Option<i32>,
}

/// A program that runs. It is killed with all that it started when this goes.
pub(super) struct Running {
    child: Child,
    input: Option<ChildStdin>,
    out: Option<BufReader<ChildStdout>>,
    err: Option<ChildStderr>,
}

impl Script {
    pub(super) fn new(source: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("script.py"), source).unwrap();
        std::fs::create_dir(folder.path().join("tmp")).unwrap();
        Self {
            folder,
            input: String::new(),
        }
    }

    /// What it reads from its stdin.
    pub(super) fn input(mut self, text: &str) -> Self {
        text.clone_into(&mut self.input);
        self
    }

    /// Temporary files and folders that are there.
    pub(super) fn left(&self) -> usize {
        std::fs::read_dir(self.temporary()).unwrap().count()
    }

    fn temporary(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Without parviz.
    pub(super) fn plain(&self, args: &[&str]) -> Said {
        let mut command = Command::new("python3");
        command.arg("script.py").args(args);
        self.run(command).end()
    }

    /// Watched; its report too.
    pub(super) fn watch(&self, args: &[&str]) -> (Said, Value) {
        let mut command = parviz();
        command.args(["run", "--report", "report.json", "script.py"]);
        let said = self.run(with(command, args)).end();
        (said, self.report())
    }

    /// Watched with these flags of parviz.
    pub(super) fn start(&self, flags: &[&str]) -> Running {
        self.start_with(flags, &[])
    }

    pub(super) fn start_with(&self, flags: &[&str], args: &[&str]) -> Running {
        let mut command = parviz();
        command.arg("run").args(flags).arg("script.py");
        self.run(with(command, args))
    }

    /// The same, and its stdin stays open.
    pub(super) fn start_talking(&self, flags: &[&str]) -> Running {
        let mut command = parviz();
        command.arg("run").args(flags).arg("script.py");
        self.spawn(command)
    }

    /// `parviz run` with other words.
    pub(super) fn command(&self, words: &[&str]) -> Running {
        let mut command = parviz();
        command.arg("run").args(words);
        self.run(command)
    }

    /// `parviz run` with these words, in a shell that has set its limits so.
    pub(super) fn limited(&self, limits: &str, words: &[&str]) -> Running {
        let mut shell = Command::new("sh");
        let line = format!("{limits} && exec \"$0\" run \"$@\"");
        shell.args(["-c", &line, env!("CARGO_BIN_EXE_parviz")]);
        self.run(with(shell, words))
    }

    pub(super) fn report(&self) -> Value {
        let report = std::fs::read(self.path("report.json")).unwrap();
        serde_json::from_slice(&report).unwrap()
    }

    fn run(&self, command: Command) -> Running {
        let mut running = self.spawn(command);
        let mut input = running.input.take().unwrap();
        // A program that does not read may have ended already.
        let _ = input.write_all(self.input.as_bytes());
        running
    }

    fn spawn(&self, mut command: Command) -> Running {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let home = self.folder.path();
        signals::heard(&mut command);
        let mut child = command
            .env_clear()
            .env("PATH", path)
            .env("HOME", home)
            .env("TMPDIR", self.temporary())
            .env("LANG", "C.UTF-8")
            .current_dir(home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        Running {
            input: child.stdin.take(),
            out: child.stdout.take().map(BufReader::new),
            err: child.stderr.take(),
            child,
        }
    }
}

fn parviz() -> Command {
    Command::new(env!("CARGO_BIN_EXE_parviz"))
}

fn with(mut command: Command, args: &[impl AsRef<OsStr>]) -> Command {
    command.args(args);
    command
}

impl Running {
    pub(super) fn read_line(&mut self, expected: &str) {
        let mut out = self.out.take().unwrap();
        let (out, line) = within_deadline(move || {
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            (out, line)
        });
        self.out = Some(out);
        assert_eq!(line.trim_end(), expected);
    }

    pub(super) fn write_line(&mut self) {
        let mut input = self.input.take().unwrap();
        input.write_all(b"\n").unwrap();
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    pub(super) fn wait_until_killed(&mut self) {
        assert_eq!(self.child.wait().unwrap().code(), None);
    }

    /// What is printed until nobody is left who could.
    pub(super) fn rest(&mut self) -> (String, String) {
        let (out, err) = (self.out.take().unwrap(), self.err.take().unwrap());
        let errors = std::thread::spawn(move || text(err));
        let out = within_deadline(move || text(out));
        (out, errors.join().unwrap())
    }

    pub(super) fn end(mut self) -> Said {
        drop(self.input.take());
        let (out, err) = self.rest();
        let code = self.child.wait().unwrap().code();
        Said { out, err, code }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Most have ended by themselves.
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.child.wait();
    }
}

fn text(mut from: impl Read) -> String {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn within_deadline<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(act()));
    receiver
        .recv_timeout(DEADLINE)
        .expect("it never came to its end")
}

/// The interpreter that the tests use.
pub(super) fn python() -> &'static Path {
    Path::new("python3")
}
