//! The command line: what can be asked, and one line about what is wrong with it.
//!
//! The flags stand once, in [`Args`]; help, man page, completions and the config file's `[lab]` follow
//! from them. Parsing opens nothing: [`setup`] makes decisions of the result and [`run`] acts on them.

mod colours;
pub mod cpus;
pub mod examples;
mod experiment;
pub mod flags;
pub mod look;
mod offering;
mod outfile;
pub mod program;
pub mod run;
pub mod setup;
mod watch;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;
use flags::{Flags, Length, Size};
use look::LookFlags;
use program::RunFlags;
use std::error::Error;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

/// Shows parallel execution live: a pool of workers runs tasks before your eyes, and `s` switches
/// between the synchronous and the asynchronous form of the call.
#[derive(Debug, Parser)]
#[command(
    name = "parviz",
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    allow_negative_numbers = true,
    after_help = "Without a subcommand: parviz lab. Press ? inside for keys and meanings.\n\
        Exit codes: 0; 1 the run could not be made; 2 wrong usage; 130, 143, 129 after SIGINT, SIGTERM, SIGHUP;\n\
        parviz run ends with the code of the program."
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub lab: Lab,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run an experiment with a pool of workers and watch it (what `parviz` does)
    #[command(allow_negative_numbers = true)]
    Lab(Box<Lab>),
    /// Run a Python program and watch its pools live
    ///
    /// Everything from the script, -m MODULE, -c CODE or - on belongs to the program. Its exit code is ours.
    /// Ctrl-Z in the dashboard suspends the view alone: the program goes on.
    #[command(override_usage = "parviz run [OPTIONS] script.py [ARGS]...\n       \
        parviz run [OPTIONS] -m MODULE [ARGS]...\n       \
        parviz run [OPTIONS] -c CODE [ARGS]...\n       \
        parviz run [OPTIONS] - [ARGS]...\n       \
        parviz run [OPTIONS] example:NAME")]
    Run(Box<RunFlags>),
    /// Say how many processors there are: logical, physical, usable by this process, measured
    Cpus,
    /// List the Python examples, or print one
    Examples {
        /// As it is listed; `.py` may follow
        #[arg(value_parser = examples::names(), hide_possible_values = true)]
        name: Option<String>,
    },
    /// Print the completions for a shell
    Completions { shell: Shell },
    /// Print the manual page
    Man,
}

/// Everything that `parviz lab` takes.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Lab {
    #[command(flatten)]
    pub flags: Flags,
    #[command(flatten)]
    pub output: OutputFlags,
}

/// Where the run is shown, and how that looks.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct OutputFlags {
    /// Loop through the methods with captions, for a screen in the hall
    #[arg(long, help_heading = "Output")]
    pub demo: bool,
    /// Print the orders and the numbers instead of opening the dashboard
    #[arg(long, help_heading = "Output")]
    pub text: bool,
    /// Print everything about the run as one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Write the screen at one moment of the run as a picture
    #[arg(long, value_name = "FILE.svg", help_heading = "Output")]
    pub picture: Option<PathBuf>,
    /// Columns and rows of the picture [default: 110x30]
    #[arg(long, value_name = "COLSxROWS", help_heading = "Output")]
    pub size: Option<Size>,
    /// Moment of the run that the picture shows [default: its end]
    #[arg(long, value_name = "TIME", help_heading = "Output")]
    pub at: Option<Length>,
    #[command(flatten, next_help_heading = "Output")]
    pub look: LookFlags,
    /// Read defaults, theme and keys from this file [default: parviz/config.toml in the XDG config folder]
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub config: Option<PathBuf>,
}

/// Why there are no [`Args`].
#[derive(Debug)]
pub enum NoArgs {
    /// It was help or the version that was asked for.
    Asked(StyledStr),
    /// One line: what is wrong where, and what to do.
    Wrong(String),
}

impl Args {
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, NoArgs> {
        let words: Vec<OsString> = words.into_iter().collect();
        Self::try_parse_from(&words).map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => NoArgs::Asked(error.render()),
            ErrorKind::InvalidUtf8 => NoArgs::Wrong(no_text(&words)),
            ErrorKind::UnknownArgument => {
                let negative = negative(&words, &error);
                NoArgs::Wrong(one_line(negative.as_ref().unwrap_or(&error)))
            }
            _ => NoArgs::Wrong(one_line(&error)),
        })
    }
}

/// The completion script for a shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "parviz", &mut script);
    script
}

/// The manual page, for `man`: that of the lab, and a section for each other subcommand.
pub fn manual() -> std::io::Result<Vec<u8>> {
    let mut command = Args::command();
    command.build();
    let mut page = Vec::new();
    let whole = Man::new(command.clone());
    whole.render_title(&mut page)?;
    whole.render_name_section(&mut page)?;
    whole.render_synopsis_section(&mut page)?;
    whole.render_description_section(&mut page)?;
    whole.render_options_section(&mut page)?;
    for command in command.get_subcommands() {
        let name = command.get_name();
        if name == "lab" {
            continue;
        }
        let mut section = Vec::new();
        let man = Man::new(command.clone());
        man.render_synopsis_section(&mut section)?;
        man.render_description_section(&mut section)?;
        man.render_options_section(&mut section)?;
        writeln!(page, ".SH PARVIZ {}", name.to_uppercase())?;
        let section = String::from_utf8_lossy(&section);
        page.extend_from_slice(section.replace(".SH ", ".SS ").as_bytes());
    }
    whole.render_extra_section(&mut page)?;
    whole.render_version_section(&mut page)?;
    Ok(page)
}

/// Names the first word that is no text, and its flag. What clap says of it names neither.
fn no_text(words: &[OsString]) -> String {
    let place = words.iter().position(|word| word.to_str().is_none());
    let (before, from) = words.split_at(place.unwrap_or(words.len()));
    let word = from
        .first()
        .map_or_else(String::new, |word| word.display().to_string());
    let flag = before.last().and_then(|word| word.to_str());
    match flag.filter(|flag| flag.starts_with("--") && !word.starts_with('-')) {
        Some(flag) => format!("{flag} {word}: write it in UTF-8"),
        None => format!("{word}: write it in UTF-8"),
    }
}

/// What is wrong with the value of a flag that was taken for a flag itself: `--at -1s`.
fn negative(words: &[OsString], error: &clap::Error) -> Option<clap::Error> {
    let unknown = context(error, ContextKind::InvalidArg)?;
    let is_number = unknown
        .trim_start_matches('-')
        .starts_with(|sign: char| sign.is_ascii_digit());
    let is_it = |word: &OsString| word.to_str().is_some_and(|word| word.starts_with(&unknown));
    let place = words.iter().position(is_it).filter(|_| is_number)?;
    let (before, [value, after @ ..]) = words.split_at(place) else {
        return None;
    };
    let (flag, before) = before.split_last()?;
    let mut joined = flag.clone();
    joined.push("=");
    joined.push(value);
    let words = before.iter().chain([&joined]).chain(after);
    let error = Args::try_parse_from(words).err()?;
    (error.kind() == ErrorKind::ValueValidation).then_some(error)
}

/// What clap found wrong, in one line that names the flag and says what to do.
fn one_line(error: &clap::Error) -> String {
    let flag = context(error, ContextKind::InvalidArg)
        .or_else(|| context(error, ContextKind::InvalidSubcommand))
        .unwrap_or_default();
    // Without the placeholder of its value: `--workers <N>` is `--workers` to who typed it.
    let name = flag.split(" <").next().unwrap_or_default();
    let name = name.trim_matches(['<', '>']);
    let value = context(error, ContextKind::InvalidValue).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let kind = if name.starts_with('-') {
                "flag"
            } else {
                "word"
            };
            let help = meant(error).unwrap_or_else(|| "see parviz --help".to_owned());
            format!("unknown {kind} {name}: {help}")
        }
        ErrorKind::InvalidSubcommand => {
            let help = meant(error).unwrap_or_else(subcommands);
            format!("unknown subcommand {name}: {help}")
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("{name} needs a value: {}", valid(error))
        }
        ErrorKind::InvalidValue => format!("{name} {value}: {}", valid(error)),
        ErrorKind::ValueValidation => {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            format!("{name} {value}: {why}")
        }
        ErrorKind::ArgumentConflict
            if context(error, ContextKind::PriorArg).is_some_and(|prior| prior == flag) =>
        {
            format!("{name} is given twice: leave one out")
        }
        ErrorKind::MissingRequiredArgument => {
            // The only one is the shell.
            let shells = Shell::value_variants().iter().map(ToString::to_string);
            let shells = shells.collect::<Vec<_>>().join(", ");
            format!("the name of a shell is missing: write one of {shells}")
        }
        _ => {
            let told = error.render().to_string();
            let first = told.split("\n\n").next().unwrap_or_default();
            let first = first.strip_prefix("error: ").unwrap_or(first);
            let line = first.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("{line}: see parviz --help")
        }
    }
}

/// What clap takes a word for that it does not know.
fn meant(error: &clap::Error) -> Option<String> {
    let kinds = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand];
    let word = kinds.into_iter().find_map(|kind| context(error, kind))?;
    Some(format!("did you mean {word}?"))
}

/// The values that there are.
fn valid(error: &clap::Error) -> String {
    let words = context(error, ContextKind::ValidValue);
    words.map_or_else(
        || "see parviz --help".to_owned(),
        |words| format!("write one of {words}"),
    )
}

fn subcommands() -> String {
    let command = Args::command();
    let names = command.get_subcommands().map(clap::Command::get_name);
    format!("there are {}", names.collect::<Vec<_>>().join(", "))
}

/// What clap says about its error, words separated by commas.
fn context(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(word) => Some(word.clone()),
        ContextValue::Strings(words) if !words.is_empty() => Some(words.join(", ")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(words: &[&str]) -> String {
        let words = std::iter::once("parviz").chain(words.iter().copied());
        match Args::read(words.map(OsString::from)) {
            Err(NoArgs::Wrong(line)) => line,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn what_clap_finds_wrong_is_one_line_with_the_flag_and_a_remedy() {
        let methods = "map, map_async, imap, imap_unordered, apply, apply_async, starmap, starmap_async, loop";
        for (words, line) in [
            (&["--wrkers", "3"][..], "unknown flag --wrkers: did you mean --workers?".to_owned()),
            (&["--zzzzz"], "unknown flag --zzzzz: see parviz --help".to_owned()),
            (&["cpu"], "unknown subcommand cpu: did you mean cpus?".to_owned()),
            (&["watch"], "unknown subcommand watch: there are lab, run, cpus, examples, completions, man".to_owned()),
            (&["lab", "extra"], "unknown word extra: see parviz --help".to_owned()),
            (&["--method", "pmap"], format!("--method pmap: write one of {methods}")),
            (&["--method"], format!("--method needs a value: write one of {methods}")),
            (&["--workers", "many"], "--workers many: write a whole number".to_owned()),
            (&["--workers", "2", "--workers", "3"], "--workers is given twice: leave one out".to_owned()),
            (&["--costs", "9,x"], "--costs 9,x: `x` is no length of time: write 600ms, 1.5s, 20us, 5ns, 2min, 1h, or a bare number of units".to_owned()),
            (&["--fault", "3"], "--fault 3: `3` is no fault: write TASKS:raise, TASKS:die or TASKS:hang, such as 1,5,9:raise".to_owned()),
            (&["--fault", "3:die,4:raise"], "--fault 3:die,4:raise: write each on its own: --fault 3:die --fault 4:raise".to_owned()),
            (&["--fault", "1,5:raise,3:die,2:hang"], "--fault 1,5:raise,3:die,2:hang: write each on its own: --fault 1,5:raise --fault 3:die --fault 2:hang".to_owned()),
            (&["--fault", "3:die:raise"], "--fault 3:die:raise: `3:die:raise` is no fault: write TASKS:raise, TASKS:die or TASKS:hang, such as 1,5,9:raise".to_owned()),
            (&["--at", "-1s", "--picture", "x.svg"], "--at -1s: `-1s` is no length of time: write 600ms, 1.5s, 20us, 5ns, 2min, 1h, or a bare number of units".to_owned()),
            (&["lab", "--main-work", "-1ms"], "--main-work -1ms: `-1ms` is no length of time: write 600ms, 1.5s, 20us, 5ns, 2min, 1h, or a bare number of units".to_owned()),
            (&["--text", "-1s"], "unknown flag -1: see parviz --help".to_owned()),
            (&["--fault", "x:die"], "--fault x:die: `x` is no task: write its number, from 0 on".to_owned()),
            (&["--size", "110"], "--size 110: write COLUMNSxROWS, such as 110x30".to_owned()),
            (&["--size", "100000x100000"], "--size 100000x100000: write a size from 60x20 to 500x200".to_owned()),
            (&["--size", "60x19"], "--size 60x19: write a size from 60x20 to 500x200".to_owned()),
            (&["--size", "501x20"], "--size 501x20: write a size from 60x20 to 500x200".to_owned()),
            (&["--chunksize", "some"], "--chunksize some: write a whole number, or auto".to_owned()),
            (&["--unit", "10"], "--unit 10: `10` is no unit: write it with a suffix, such as 10ms".to_owned()),
            (&["--unit", "abc"], "--unit abc: `abc` is no unit: write it with a suffix, such as 10ms".to_owned()),
            (&["--theme", "pink"], "--theme pink: write one of dark, light, high-contrast, auto".to_owned()),
            (&["completions"], "the name of a shell is missing: write one of bash, elvish, fish, powershell, zsh".to_owned()),
        ] {
            assert_eq!(wrong(words), line);
        }
    }
}
