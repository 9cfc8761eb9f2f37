//! The real binary watching a Python program, with a report in a file.

#![expect(
    clippy::disallowed_methods,
    reason = "runs programs and reads their reports"
)]

use serde_json::Value;
use std::ffi::OsString;
use std::process::{Command, Stdio};

/// A program that was watched to its end.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) report: Value,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: Option<i32>,
}

/// What a program of a test needs of ours: nothing that says how Python shall run.
pub(crate) fn environment() -> [(&'static str, OsString); 2] {
    let path = std::env::var_os("PATH").unwrap_or_default();
    [("PATH", path), ("LANG", "C.UTF-8".into())]
}

/// `parviz run --report FILE WORDS` with the `python3` that is on the path.
pub(crate) fn watch(words: &[&str]) -> Watched {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_parviz"));
    super::signals::heard(&mut command);
    let output = command
        .args(["run", "--report"])
        .arg(&file)
        .args(words)
        .env_clear()
        .envs(environment())
        .env("HOME", folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (out, err) = (output.stdout, output.stderr);
    let err = String::from_utf8(err).unwrap();
    let report = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{error}: {err}"));
    Watched {
        report: serde_json::from_str(&report).unwrap(),
        out: String::from_utf8(out).unwrap(),
        err,
        code: output.status.code(),
    }
}
