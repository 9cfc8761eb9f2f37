//! The real binary with its output in pipes and nothing of this machine in its environment.

#![expect(
    clippy::disallowed_methods,
    reason = "files of the test's own, and a deadline"
)]

use std::io::Read;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A call of `parviz` to be made.
pub(crate) struct Program {
    words: Vec<String>,
    home: TempDir,
}

/// What it said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: Option<i32>,
}

impl Program {
    pub(crate) fn new(words: &str) -> Self {
        Self {
            words: words.split_whitespace().map(str::to_owned).collect(),
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// With this config file in its usual place.
    pub(crate) fn config(self, text: &str) -> Self {
        let folder = self.home.path().join(".config").join("parviz");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.toml"), text).unwrap();
        self
    }

    pub(crate) fn start(&self) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parviz"));
        #[cfg(unix)]
        super::signals::heard(&mut command);
        command
            .args(&self.words)
            .env_clear()
            .env("HOME", self.home.path())
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8")
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// A file that it wrote where it was started.
    pub(crate) fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.home.path().join(name)).unwrap()
    }

    pub(crate) fn run(&self) -> Said {
        let output = self.start().wait_with_output().unwrap();
        Said {
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code(),
        }
    }

    /// Runs it; it must have nothing to complain of.
    pub(crate) fn succeed(&self) -> Said {
        let said = self.run();
        assert_eq!(
            (said.code, said.err.as_str()),
            (Some(0), ""),
            "{}",
            said.out
        );
        said
    }

    /// Reads a little of what it prints and closes the pipe.
    pub(crate) fn cut_short(&self) -> Said {
        let mut child = self.start();
        let mut out = child.stdout.take().unwrap();
        let mut first = [0; 10];
        out.read_exact(&mut first).unwrap();
        drop(out);
        let output = child.wait_with_output().unwrap();
        Said {
            out: String::from_utf8(first.to_vec()).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code(),
        }
    }
}

/// Waits until the program is ready for a signal: before that it would simply die of it.
#[cfg(target_os = "linux")]
pub(crate) fn wait_until_it_catches(child: &Child, signal: rustix::process::Signal) {
    let told = std::path::PathBuf::from(format!("/proc/{}/status", child.id()));
    let bit = 1_u64 << (signal.as_raw() - 1);
    let catches = || {
        let status = std::fs::read_to_string(&told).unwrap();
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("SigCgt:"))
            .unwrap();
        u64::from_str_radix(mask.trim(), 16).unwrap() & bit != 0
    };
    let began = std::time::Instant::now();
    while !catches() {
        assert!(began.elapsed().as_secs() < 60, "it never was");
        std::thread::yield_now();
    }
}
