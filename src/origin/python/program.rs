//! What to run: the interpreter, the program, and where its input and output go.
#![expect(
    clippy::disallowed_methods,
    reason = "looks for the interpreter and the script, and starts them"
)]

use crate::control::harmless;
use crate::platform;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// A Python program to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The interpreter as the person named it: a path, or a name to look for on `PATH`. Without one it
    /// is that of the active virtual environment, or else `python3`.
    pub python: Option<OsString>,
    /// Words for the interpreter itself: `-X dev`.
    pub flags: Vec<OsString>,
    pub target: Target,
    /// The words after it.
    pub args: Vec<OsString>,
    pub input: Input,
    pub outlet: Outlet,
    /// Its processes are a group of their own, so that the keys of a terminal reach only parviz and
    /// [`super::Handle`] reaches all of them. False: it stays in our group, as if a shell had started it.
    pub group: bool,
}

/// What Python is asked to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Script(PathBuf),
    /// `-m`
    Module(OsString),
    /// `-c`
    Code(OsString),
    /// `-`: what it reads on its stdin.
    Stdin,
    /// A script that is not a file yet: it gets this name in a private folder.
    Text {
        name: String,
        text: String,
        /// Names and contents of files in the same folder.
        beside: Vec<(String, String)>,
    },
}

/// Where the program's stdin comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// From our own; for the dashboard only where that is not the terminal.
    Inherited,
    Empty,
    File(PathBuf),
}

/// Where stdout and stderr go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outlet {
    /// To our own.
    Inherited,
    /// Into private files, and from there to [`super::Watched::output`]. Files, because a program that
    /// writes into a pipe would die with parviz. [`super::Handle::read_kept`] reads what was printed so far.
    Kept,
    /// Both to this file, which is emptied first.
    File(PathBuf),
}

/// Why a program cannot be started; one line that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoProgram {
    #[error("{0}: no such script")]
    Script(String),
    #[error("--python {0}: there is no such interpreter")]
    Python(String),
    #[error("--python {0}: this file cannot be executed")]
    NotExecutable(String),
    #[error("there is no python3 on the path: name an interpreter with --python")]
    NoPython,
    #[error("--stdin {0}: {1}")]
    Input(String, String),
    #[error("--output file={0}: {1}")]
    Output(String, String),
}

/// The most of a command line that is kept as the name of a run.
const LABEL: usize = 200;

impl Program {
    /// What is wrong with it, before anything is started.
    pub fn check(&self) -> Result<(), NoProgram> {
        if let Target::Script(script) = &self.target
            && !script.exists()
        {
            return Err(NoProgram::Script(script.display().to_string()));
        }
        if let Input::File(file) = &self.input
            && let Err(error) = readable(file)
        {
            let wrong = platform::at_file(file, &error, true);
            return Err(NoProgram::Input(file.display().to_string(), wrong));
        }
        self.interpreter()?;
        match &self.outlet {
            Outlet::File(path) => writable(path).map_err(|error| {
                let wrong = platform::at_file(path, &error, false);
                NoProgram::Output(path.display().to_string(), wrong)
            }),
            _ => Ok(()),
        }
    }

    /// The interpreter that will run it.
    pub fn interpreter(&self) -> Result<PathBuf, NoProgram> {
        if let Some(asked) = &self.python {
            let name = || asked.display().to_string();
            let found = find(asked).ok_or_else(|| NoProgram::Python(name()))?;
            if !platform::is_executable(&found) {
                return Err(NoProgram::NotExecutable(name()));
            }
            return Ok(found);
        }
        let own = env::var_os("VIRTUAL_ENV").filter(|folder| !folder.is_empty());
        own.map(|folder| Path::new(&folder).join("bin").join("python"))
            .filter(|python| python.is_file())
            .or_else(|| find(OsStr::new("python3")))
            .ok_or(NoProgram::NoPython)
    }

    /// The words after the interpreter; a text is at `text`.
    pub(super) fn words(&self, text: &Path) -> Vec<OsString> {
        let mut words = self.flags.clone();
        match &self.target {
            Target::Script(script) => words.push(script.clone().into_os_string()),
            Target::Module(module) => words.extend(["-m".into(), module.clone()]),
            Target::Code(code) => words.extend(["-c".into(), code.clone()]),
            Target::Stdin => words.push("-".into()),
            Target::Text { .. } => words.push(text.as_os_str().to_owned()),
        }
        words.extend(self.args.iter().cloned());
        words
    }

    /// The command line as the person wrote it, harmless and not too long.
    pub fn label(&self) -> String {
        let name = match &self.target {
            Target::Text { name, .. } => PathBuf::from(name),
            _ => PathBuf::new(),
        };
        let words = self.words(&name);
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        harmless(&words.join(" ").replace('\n', "; "), LABEL)
    }

    /// The whole command line, for a report.
    pub fn argv(&self) -> Vec<String> {
        let name = match &self.target {
            Target::Text { name, .. } => PathBuf::from(name),
            _ => PathBuf::new(),
        };
        self.words(&name)
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect()
    }
}

/// Why an interpreter with these words loads no probe, if its flags forbid that. They end at the first word
/// that is none.
pub(super) fn refusal(words: &[OsString]) -> Option<&'static str> {
    let (mut words, mut flags) = (words.iter(), String::new());
    while let Some(letters) = words
        .next()
        .and_then(|word| word.to_str()?.strip_prefix('-'))
    {
        // These have a value: what follows in the word, or else the next word.
        let valued = letters.find(['W', 'X', 'c', 'm']).unwrap_or(letters.len());
        flags.push_str(&letters[..valued]);
        match &letters[valued..] {
            "W" | "X" => drop(words.next()),
            last if last.starts_with(['c', 'm']) => break,
            _ => {}
        }
    }
    [
        (
            'I',
            "Python was started with -I, so it loads nothing from outside",
        ),
        ('E', "Python was started with -E, so it ignores PYTHONPATH"),
        ('S', "Python was started with -S, so it loads no site"),
    ]
    .into_iter()
    .find(|(letter, _)| flags.contains(*letter))
    .map(|(_, why)| why)
}

/// A file by its path, or by its name on `PATH`.
fn find(name: &OsStr) -> Option<PathBuf> {
    let path = Path::new(name);
    if path.components().count() > 1 {
        return path.is_file().then(|| path.to_owned());
    }
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file() && platform::is_executable(file))
}

/// A folder can be opened, and only then not be read.
fn readable(path: &Path) -> io::Result<()> {
    if File::open(path)?.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(())
}

/// Whether a file can be written, which is left as it is. A pipe is not opened: who reads it would find it
/// closed again.
fn writable(path: &Path) -> io::Result<()> {
    let open = |create| {
        OpenOptions::new()
            .append(true)
            .create_new(create)
            .open(path)
    };
    match path.metadata() {
        Ok(facts) if !facts.is_file() && !facts.is_dir() => Ok(()),
        Ok(_) => open(false).map(drop),
        Err(_) => {
            open(true)?;
            std::fs::remove_file(path)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_flags_of_the_interpreter_keep_the_probe_out() {
        let refusal =
            |words: &str| refusal(&words.split(' ').map(OsString::from).collect::<Vec<_>>());
        for words in ["-X dev -uE s.py", "-WI -I", "-OSm timeit"] {
            assert!(refusal(words).is_some(), "{words}");
        }
        for words in ["s.py -I", "-uWI -X E -m timeit -S", "-uc E -E", ""] {
            assert_eq!(refusal(words), None, "{words}");
        }
    }

    #[test]
    fn a_label_is_one_line_that_commands_nothing() {
        let program = Program {
            python: None,
            flags: vec!["-u".into()],
            target: Target::Code("a\n\u{1b}b\u{202e}c".into()),
            args: Vec::new(),
            input: Input::Empty,
            outlet: Outlet::Kept,
            group: true,
        };
        assert_eq!(program.label(), "-u -c a; bc");
    }
}
