//! What `parviz run` takes, and the program it means by it.
//!
//! Our flags come first. From the script, `-`, `-m MODULE` or `-c CODE` on every word belongs to the
//! program, and flags of Python itself may stand right before those, written as Python reads them: letters
//! may share a word, and a value may stand in the word of its letter.

use super::look::LookFlags;
use super::offering::Offering;
use super::outfile::is_same;
use crate::examples;
use crate::origin::python::{Input, Outlet, Program, Target};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueHint};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The flags of Python that take no value; others are `-W` and `-X`.
const SWITCHES: &str = "bBdEiIOPqRsSuvx";

#[derive(Clone, Debug, Default, clap::Args)]
pub struct RunFlags {
    /// The interpreter [default: that of the virtual environment, or python3]
    #[arg(long, value_name = "EXE", value_hint = ValueHint::CommandName)]
    pub python: Option<OsString>,
    /// Run without the dashboard and print a report on stderr at the end
    #[arg(long)]
    pub text: bool,
    /// Run without the dashboard and print the report as one JSON object on stderr
    #[arg(long)]
    pub json: bool,
    /// Write the JSON report to this file; stderr is the program's alone then
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// The program's own output: given back after the dashboard, shown in its panel only, or written to
    /// a file [default: after]
    #[arg(long, value_name = "after|panel|file=PATH", value_parser = outputs(), hide_possible_values = true)]
    pub output: Option<OutputChoice>,
    /// The program's stdin [default: what is piped into parviz; in the dashboard empty if nothing is]
    #[arg(long, value_name = "FILE")]
    pub stdin: Option<PathBuf>,
    /// Close the dashboard when the program ends
    #[arg(long)]
    pub quit_at_end: bool,
    #[command(flatten)]
    pub look: LookFlags,
    /// Read theme and keys from this file [default: parviz/config.toml in the XDG config folder]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// script.py ARGS, -m MODULE ARGS, -c CODE ARGS, - ARGS (read from stdin), or example:NAME
    #[arg(
        value_name = "PROGRAM",
        value_hint = ValueHint::FilePath,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub words: Vec<OsString>,
}

/// Where the program's output goes when there is a dashboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputChoice {
    /// Kept, shown in the panel, and given to stdout and stderr when the dashboard closes.
    After,
    /// Kept and shown in the panel.
    Panel,
    File(PathBuf),
}

fn outputs() -> impl TypedValueParser<Value = OutputChoice> {
    let parser = OsStringValueParser::new().try_map(|word| output(&word));
    Offering::new(parser, ["after", "panel", "file="])
}

fn output(word: &OsStr) -> Result<OutputChoice, &'static str> {
    match word.to_str() {
        Some("after") => Ok(OutputChoice::After),
        Some("panel") => Ok(OutputChoice::Panel),
        _ => match path_of(word) {
            Some(path) if !path.is_empty() => Ok(OutputChoice::File(path.into())),
            _ => Err("write after, panel or file=PATH"),
        },
    }
}

/// What stands behind `file=`, which need not be text.
#[cfg(unix)]
fn path_of(word: &OsStr) -> Option<&OsStr> {
    use std::os::unix::ffi::OsStrExt;
    word.as_bytes()
        .strip_prefix(b"file=")
        .map(OsStr::from_bytes)
}

#[cfg(not(unix))]
fn path_of(word: &OsStr) -> Option<&OsStr> {
    word.to_str()?.strip_prefix("file=").map(OsStr::new)
}

/// What there is to know of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Our stdin is the terminal.
    pub reads: bool,
    /// Our group has the terminal, so that its keys reach the program too if it is in that group.
    pub is_ours: bool,
}

impl RunFlags {
    /// Why this makes no sense, if it does not.
    pub fn contradictions(&self) -> Result<(), String> {
        if self.text && self.json {
            return Err("--text and --json contradict each other: give one of them".to_owned());
        }
        let headless = self
            .text
            .then_some("--text")
            .or(self.json.then_some("--json"));
        if let (Some(flag), true) = (headless, self.quit_at_end) {
            return Err(format!(
                "--quit-at-end is for the dashboard: leave {flag} out"
            ));
        }
        if let (Some(flag), Some(OutputChoice::After | OutputChoice::Panel)) =
            (headless, &self.output)
        {
            return Err(format!(
                "--output is for the dashboard: leave {flag} out, or write file=PATH"
            ));
        }
        Ok(())
    }

    /// The program for a run without the dashboard: it has our stdin, stdout and stderr.
    pub fn plain(&self, terminal: Terminal) -> Result<Program, String> {
        let mut program = self.program()?;
        program.input = self.input(Input::Inherited);
        program.outlet = match &self.output {
            Some(OutputChoice::File(path)) => Outlet::File(path.clone()),
            _ => Outlet::Inherited,
        };
        // In the background now, it may come to the foreground with us, and must be able to read then.
        program.group = !terminal.is_ours && !terminal.reads;
        checked(program)
    }

    /// The program for the dashboard: the terminal is ours, and its output is kept.
    pub fn shown(&self, terminal: Terminal) -> Result<Program, String> {
        let mut program = self.program()?;
        if program.target == Target::Stdin && terminal.reads && self.stdin.is_none() {
            return Err("-: pipe the program in, or name its file with --stdin FILE".to_owned());
        }
        program.input = self.input(if terminal.reads {
            Input::Empty
        } else {
            Input::Inherited
        });
        program.outlet = match &self.output {
            Some(OutputChoice::File(path)) => Outlet::File(path.clone()),
            _ => Outlet::Kept,
        };
        checked(program)
    }

    /// Why what is written would spoil what is read, if so.
    pub fn spoils(&self, program: &Program) -> Result<(), String> {
        let script = match &program.target {
            Target::Script(script) => Some(script.as_path()),
            _ => None,
        };
        let input = match &program.input {
            Input::File(file) => Some(file.as_path()),
            Input::Inherited => Some(Path::new("/dev/stdin")),
            Input::Empty => None,
        };
        let output = match &self.output {
            Some(OutputChoice::File(file)) => Some(file.as_path()),
            _ => None,
        };
        let report = self.report.as_deref();
        for (flag, written) in [("--report ", report), ("--output file=", output)] {
            for (what, read) in [
                ("the program", script),
                ("its stdin", input),
                ("the config file", self.config.as_deref()),
                ("its output", output.filter(|_| written == report)),
            ] {
                if let (Some(written), Some(read)) = (written, read)
                    && is_same(written, read)
                {
                    let written = written.display();
                    return Err(format!(
                        "{flag}{written}: that is {what}: name another file"
                    ));
                }
            }
        }
        Ok(())
    }

    fn input(&self, usual: Input) -> Input {
        self.stdin.clone().map_or(usual, Input::File)
    }

    fn program(&self) -> Result<Program, String> {
        let (flags, target, args) = read(&self.words)?;
        let program = Program {
            python: self.python.clone(),
            flags,
            target,
            args: args.to_vec(),
            input: Input::Empty,
            outlet: Outlet::Kept,
            group: true,
        };
        Ok(program)
    }
}

fn checked(program: Program) -> Result<Program, String> {
    let wrong = program.check().err();
    wrong.map_or(Ok(program), |wrong| Err(wrong.to_string()))
}

/// The flag of `parviz run` that a word is, if it is one.
fn own(word: &OsStr) -> Option<String> {
    let name = word.to_str()?.strip_prefix("--")?.split('=').next()?;
    let known = RunFlags::augment_args(clap::Command::new("run"));
    let is_known = known
        .get_arguments()
        .any(|flag| flag.get_long() == Some(name));
    is_known.then(|| format!("--{name}"))
}

/// What an unknown flag may be meant for, as clap says where it meets one.
fn meant(word: &OsStr) -> Option<String> {
    let known = RunFlags::augment_args(clap::Command::new("run"));
    let flags = known
        .get_arguments()
        .filter(|flag| flag.get_long().is_some());
    let command = clap::Command::new("run").no_binary_name(true).args(flags);
    let error = command.try_get_matches_from([word]).err()?;
    super::meant(&error)
}

/// What is for Python itself, the program, and its own words.
fn read(words: &[OsString]) -> Result<(Vec<OsString>, Target, &[OsString]), String> {
    let mut flags = Vec::new();
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        rest = after;
        let Some(letters) = word.to_str().and_then(|word| word.strip_prefix('-')) else {
            return Ok((flags, named(word)?, rest));
        };
        if letters.is_empty() {
            return Ok((flags, Target::Stdin, rest));
        }
        let valued = letters.trim_start_matches(|letter| SWITCHES.contains(letter));
        let switches = &letters[..letters.len() - valued.len()];
        let letter = valued.chars().next();
        if letter.is_some_and(|letter| !"WXcm".contains(letter)) {
            if let Some(flag) = own(word) {
                return Err(format!(
                    "{flag} is for parviz: write it before what is for Python, such as {}",
                    words[0].display()
                ));
            }
            let help = meant(word).unwrap_or_else(|| "see parviz run --help".to_owned());
            return Err(format!("unknown flag {}: {help}", word.display()));
        }
        let own = valued.get(1..).unwrap_or_default();
        let value = match letter {
            Some(letter) if own.is_empty() => {
                let missing = || format!("-{letter} needs a value");
                let (value, after) = rest.split_first().ok_or_else(missing)?;
                rest = after;
                value.clone()
            }
            _ => own.into(),
        };
        if let Some(letter @ ('c' | 'm')) = letter {
            if !switches.is_empty() {
                flags.push(format!("-{switches}").into());
            }
            let target = if letter == 'm' {
                Target::Module(value)
            } else {
                Target::Code(value)
            };
            return Ok((flags, target, rest));
        }
        // As it was written: the program can read these words.
        flags.push(word.clone());
        if letter.is_some() && own.is_empty() {
            flags.push(value);
        }
    }
    let usage = "name a program: parviz run script.py, -m MODULE, -c CODE, - or example:NAME (see parviz examples)";
    Err(usage.to_owned())
}

/// A program by its name.
fn named(word: &OsStr) -> Result<Target, String> {
    let Some(name) = word.to_str().and_then(|word| word.strip_prefix("example:")) else {
        return Ok(Target::Script(word.into()));
    };
    let missing = || format!("example:{name}: there is no such example: see parviz examples");
    let example = examples::find(name).ok_or_else(missing)?;
    Ok(Target::Text {
        name: format!("{}.py", example.name),
        text: example.source.to_owned(),
        beside: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Args, Command};

    const NOWHERE: Terminal = Terminal {
        reads: false,
        is_ours: false,
    };

    fn flags(words: &[&str]) -> RunFlags {
        let words = ["parviz", "run"].iter().chain(words).map(OsString::from);
        match Args::read(words).unwrap().command {
            Some(Command::Run(flags)) => *flags,
            other => panic!("{other:?}"),
        }
    }

    fn program(words: &[&str]) -> Program {
        flags(words).plain(NOWHERE).unwrap()
    }

    fn wrong(words: &[&str]) -> String {
        let flags = flags(words);
        let program = flags.contradictions().and_then(|()| flags.plain(NOWHERE));
        program.unwrap_err()
    }

    #[test]
    fn words_after_the_program_are_its_own() {
        let own = program(&["--text", "-m", "timeit", "--text", "-h", "--", "x"]);
        assert_eq!(own.target, Target::Module("timeit".into()));
        assert_eq!(own.args, ["--text", "-h", "--", "x"]);
        let own = program(&["-c", "pass", "-c", "--json"]);
        assert_eq!(
            (own.target, own.args.len()),
            (Target::Code("pass".into()), 2)
        );
        let file = file!();
        let own = program(&[file, "--python", "x"]);
        assert_eq!(
            (own.target, own.args.len()),
            (Target::Script(file.into()), 2)
        );
    }

    #[test]
    fn flags_of_python_go_to_python() {
        let own = program(&["--json", "-Es", "-X", "dev", "-Wignore", "-c", "pass"]);
        assert_eq!(own.flags, ["-Es", "-X", "dev", "-Wignore"]);
        assert_eq!(own.target, Target::Code("pass".into()));
    }

    #[test]
    fn letters_and_values_may_share_a_word_as_python_has_it() {
        let (code, module) = (Target::Code, Target::Module);
        for (words, flags, target) in [
            (&["-mtimeit"][..], &[][..], module("timeit".into())),
            (&["-cprint(1)"], &[], code("print(1)".into())),
            (&["-uBcpass"], &["-uB"], code("pass".into())),
            (&["-uBm", "timeit"], &["-uB"], module("timeit".into())),
            (
                &["-Xdev", "-uWd", "-c1"],
                &["-Xdev", "-uWd"],
                code("1".into()),
            ),
            (&["-uX", "dev", "-"], &["-uX", "dev"], Target::Stdin),
        ] {
            let own = program(&[words, &["--json", "-c"]].concat());
            assert_eq!(own.flags, flags, "{words:?}");
            assert_eq!((own.target, own.args.len()), (target, 2), "{words:?}");
        }
    }

    #[test]
    fn a_program_from_stdin_is_not_read_from_the_keys_of_the_dashboard() {
        let keyboard = Terminal {
            reads: true,
            is_ours: true,
        };
        let (piped, file) = (flags(&["-"]), flags(&["--stdin", file!(), "-"]));
        assert!(piped.shown(keyboard).unwrap_err().starts_with("-: pipe"));
        assert_eq!(piped.shown(NOWHERE).unwrap().input, Input::Inherited);
        assert!(matches!(
            file.shown(keyboard).unwrap().input,
            Input::File(_)
        ));
        assert_eq!(piped.plain(keyboard).unwrap().input, Input::Inherited);
    }

    #[test]
    fn what_makes_no_sense_is_one_line_that_says_what_to_do() {
        for (words, line) in [
            (&["nothing.py"][..], "nothing.py: no such script"),
            (
                &["--python", "nopython", "-c", "1"],
                "--python nopython: there is no such interpreter",
            ),
            (
                &["--text", "--json", "-c", "1"],
                "--text and --json contradict each other: give one of them",
            ),
            (&["-c"], "-c needs a value"),
            (
                &["--reprot", "x"],
                "unknown flag --reprot: did you mean --report?",
            ),
            (
                &["example:x"],
                "example:x: there is no such example: see parviz examples",
            ),
            (
                &["--text", "--quit-at-end", "-c", "1"],
                "--quit-at-end is for the dashboard: leave --text out",
            ),
            (&["-X"], "-X needs a value"),
            (&["-uW"], "-W needs a value"),
            (&["-um"], "-m needs a value"),
            (
                &["--workers", "3"],
                "unknown flag --workers: see parviz run --help",
            ),
            (
                &["-X", "dev", "--text", "im.py"],
                "--text is for parviz: write it before what is for Python, such as -X",
            ),
            (
                &["-u", "--stdin=x", "im.py"],
                "--stdin is for parviz: write it before what is for Python, such as -u",
            ),
            (&["-uh"], "unknown flag -uh: see parviz run --help"),
        ] {
            assert_eq!(wrong(words), line);
        }
        assert!(wrong(&[]).starts_with("name a program"));
        assert!(wrong(&["--stdin", "/nothing", "-c", "1"]).starts_with("--stdin /nothing: "));
    }

    #[test]
    fn a_program_that_is_shown_reads_what_is_piped_and_never_the_terminal() {
        let keyboard = Terminal {
            reads: true,
            is_ours: true,
        };
        let flags = flags(&["-c", "pass"]);
        assert_eq!(flags.shown(keyboard).unwrap().input, Input::Empty);
        assert_eq!(flags.shown(NOWHERE).unwrap().input, Input::Inherited);
        assert!(flags.shown(keyboard).unwrap().group);
        let plain = flags.plain(keyboard).unwrap();
        assert_eq!((plain.input, plain.group), (Input::Inherited, false));
    }
}
