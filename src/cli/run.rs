//! Does what the command line asks for and says how it went: text on stdout, one line on stderr, a code.

use super::outfile::OutFile;
use super::program::{self, RunFlags};
use super::setup::{Picture, Setup, Show, Surroundings};
use super::{Args, Command, Lab, NoArgs, colours, completions, cpus, examples, manual, watch};
use crate::app::{App, Message};
use crate::config::Config;
use crate::control::is_control;
use crate::experiment::Experiment;
use crate::export::svg;
use crate::origin;
use crate::palette::Depth;
use crate::report::{self, Report};
use crate::runtime::headless::{self, Ending};
use crate::time::Time;
use crate::trace::Trace;
use crate::{platform, runtime, terminal, ui};
use anyhow::{Context, anyhow};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::ffi::OsString;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

/// The run could not be made or shown.
const FAILED: u8 = 1;
/// What was asked makes no sense.
const MISUSED: u8 = 2;

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error("{0:#}")]
    Run(#[from] anyhow::Error),
}

/// The whole program, from its words to its exit code.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let done = match Args::read(words) {
        Ok(args) => perform(args),
        Err(NoArgs::Asked(help)) => {
            let styled = io::stdout().is_terminal() && colours() > Depth::None;
            let help = if styled {
                help.ansi().to_string()
            } else {
                help.to_string()
            };
            print(|out| out.write_all(help.as_bytes())).map_err(Failure::from)
        }
        Err(NoArgs::Wrong(line)) => Err(Failure::Usage(line)),
    };
    done.unwrap_or_else(|failure| {
        complain(&failure.to_string());
        ExitCode::from(match failure {
            Failure::Usage(_) => MISUSED,
            Failure::Run(_) => FAILED,
        })
    })
}

fn perform(args: Args) -> Result<ExitCode, Failure> {
    match args.command {
        None => lab(&args.lab),
        Some(Command::Lab(asked)) => lab(&asked),
        Some(Command::Run(flags)) => program(&flags),
        Some(Command::Cpus) => {
            let told = cpus::tell();
            Ok(print(|out| out.write_all(told.as_bytes()))?)
        }
        Some(Command::Examples { name }) => {
            let told = examples::tell(name.as_deref()).map_err(Failure::Usage)?;
            Ok(print(|out| out.write_all(told.as_bytes()))?)
        }
        Some(Command::Completions { shell }) => {
            Ok(print(|out| out.write_all(&completions(shell)))?)
        }
        Some(Command::Man) => {
            let page = manual().context("cannot write the manual page")?;
            Ok(print(|out| out.write_all(&page))?)
        }
    }
}

fn lab(asked: &Lab) -> Result<ExitCode, Failure> {
    let config = Config::load(asked.output.config.as_deref()).map_err(Failure::Usage)?;
    let setup = Setup::new(asked, &config, surroundings()).map_err(Failure::Usage)?;
    let experiment = setup.experiment;
    origin::check(&experiment).map_err(Failure::Usage)?;
    if let Some(warning) = setup.warning {
        complain(&warning);
    }
    match setup.show {
        Show::Dashboard(settings, options) => {
            let app = App::new(experiment, *settings);
            Ok(runtime::run(app, options)?)
        }
        Show::Text => report(&experiment, |report, out| report::text::write(report, out)),
        Show::Json => report(&experiment, |report, out| report::json::write(report, out)),
        Show::Picture(picture) => draw(&experiment, *picture),
    }
}

fn program(flags: &RunFlags) -> Result<ExitCode, Failure> {
    flags.contradictions().map_err(Failure::Usage)?;
    let terminal = program::Terminal {
        reads: io::stdin().is_terminal(),
        is_ours: platform::has_terminal(),
    };
    let report = |path: Option<&Path>| watch::report_file(path).map_err(Failure::Usage);
    let headless = flags.text || flags.json;
    let around = surroundings();
    if let (false, None) = (headless, around.no_screen) {
        let config = Config::load(flags.config.as_deref()).map_err(Failure::Usage)?;
        let program = flags.shown(terminal).map_err(Failure::Usage)?;
        flags.spoils(&program).map_err(Failure::Usage)?;
        let file = report(flags.report.as_deref())?;
        let settled = flags.look.settled(&config, around, false);
        return Ok(watch::show(program, flags, settled, file)?);
    }
    if flags.config.is_some() {
        // It decides nothing here, but is asked for: what is wrong with it is told.
        Config::load(flags.config.as_deref()).map_err(Failure::Usage)?;
    }
    let program = flags.plain(terminal).map_err(Failure::Usage)?;
    flags.spoils(&program).map_err(Failure::Usage)?;
    let file = report(flags.report.as_deref())?;
    if let (false, None, Some(why)) = (headless, &file, around.no_screen) {
        complain(&format!(
            "{why}: the report comes at the end (--json and --report FILE work here too)"
        ));
    }
    Ok(watch::run(&program, flags, file)?)
}

fn report(
    experiment: &Experiment,
    write: impl FnOnce(&Report<'_>, &mut dyn Write) -> io::Result<()>,
) -> Result<ExitCode, Failure> {
    let mut trace = Trace::default();
    match headless::run(experiment, |batch| trace.apply(batch.events))? {
        Ending::Signal(signal) => Ok(ExitCode::from(128 + signal)),
        Ending::Over => {
            whole(&trace)?;
            let report = Report {
                experiment,
                trace: &trace,
            };
            Ok(print(|out| write(&report, out))?)
        }
    }
}

/// An error if the run could not be made.
fn whole(trace: &Trace) -> anyhow::Result<()> {
    match trace.failure() {
        Some(why) => Err(anyhow!("{why}")),
        None => Ok(()),
    }
}

/// Draws the screen as it is at one moment of the run.
fn draw(experiment: &Experiment, picture: Picture) -> Result<ExitCode, Failure> {
    let Picture {
        file,
        size,
        at,
        settings,
    } = picture;
    let unwritten = || format!("--picture {}", file.display());
    let picture = OutFile::at(&file).with_context(unwritten)?;
    let mut app = App::new(experiment.clone(), settings);
    let run = app.run.id;
    let ending = headless::run(experiment, |batch| {
        let (events, complete_to) = (batch.events, batch.complete_to);
        app.update(Message::Batch {
            run,
            events,
            complete_to,
        });
    })?;
    if let Ending::Signal(signal) = ending {
        return Ok(ExitCode::from(128 + signal));
    }
    app.update(Message::RunOver { run });
    whole(&app.run.trace)?;
    let cursor = app.run.end().min(at.unwrap_or(Time::NEVER));
    app.run.playback.stop_at(cursor);
    app.viewport.show(cursor);
    let mut terminal = Terminal::new(TestBackend::new(size.columns, size.rows))
        .map_err(|error| anyhow!("cannot draw: {error}"))?;
    terminal
        .draw(|frame| ui::draw(&app, frame))
        .map_err(|error| anyhow!("cannot draw: {error}"))?;
    let title = format!("parviz: {} at {}", experiment.method.name(), app.cursor());
    let svg = svg::draw(terminal.backend().buffer(), &title);
    let written = picture.write(|out| out.write_all(svg.as_bytes()));
    written.with_context(unwritten)?;
    Ok(ExitCode::SUCCESS)
}

fn surroundings() -> Surroundings {
    Surroundings {
        cpus: platform::usable_cpus(),
        no_screen: terminal::obstacle(),
        utf8: platform::locale_is_utf8(),
        depth: colours(),
        light: std::env::var("COLORFGBG").is_ok_and(|colours| names_a_light_ground(&colours)),
    }
}

/// The colours of the terminal on stdout.
fn colours() -> Depth {
    colours::depth(io::stdout().is_terminal(), |name| std::env::var(name).ok())
}

/// `COLORFGBG` is `text;background` in numbers of the sixteen colours.
fn names_a_light_ground(colours: &str) -> bool {
    matches!(colours.rsplit(';').next(), Some("7" | "15"))
}

/// Writes to stdout. A reader that has enough is no failure.
fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            // What is still in the buffer has no reader: forget it without another try.
            let _ = out.into_parts();
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Err(error).context("cannot write to stdout"),
    }
}

/// One line on stderr; if nobody can read it, the exit code still tells.
pub(super) fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "parviz: {}", written_out(line));
}

/// The line with what could command a terminal, or end it, written out.
fn written_out(line: &str) -> String {
    let letters = line.chars().map(|letter| {
        if is_control(letter) {
            letter.escape_default().to_string()
        } else {
            letter.to_string()
        }
    });
    letters.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_in_one_line_that_commands_nothing() {
        assert_eq!(
            written_out("no \u{1b}[31m\n\u{202e}é"),
            r"no \u{1b}[31m\n\u{202e}é"
        );
    }

    #[test]
    fn a_light_background_is_one_of_the_two_whites() {
        assert!(names_a_light_ground("0;15") && names_a_light_ground("0;default;7"));
        assert!(!names_a_light_ground("15;0") && !names_a_light_ground(""));
    }
}
