//! `parviz run`: in the dashboard, or without it. There the program has our stdin, stdout and stderr, and
//! a report comes at the end.

use super::outfile::OutFile;
use super::program::{OutputChoice, RunFlags};
use crate::app::{App, Settings, Watched};
use crate::finding;
use crate::origin::python::{self, Exit, Program};
use crate::platform;
use crate::report::json;
use crate::report::program::{ProgramFacts, Report, text};
use crate::runtime::{self, Options};
use crate::terminal;
use crate::trace::Trace;
use anyhow::Context;
use crossbeam_channel::{Receiver, never, select_biased};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

/// The signals that keys of a terminal send to its whole group.
const KEYS: [u8; 2] = [1, 2];

/// The file for the report, tried before anything runs: if that fails, nothing has happened yet.
pub(super) fn report_file(path: Option<&Path>) -> Result<Option<OutFile>, String> {
    let open = |path: &Path| {
        OutFile::at(path).map_err(|error| {
            let wrong = platform::at_file(path, &error, false);
            format!("--report {}: {wrong}", path.display())
        })
    };
    path.map(open).transpose()
}

/// Runs the program to its end; our exit code is its own.
pub(super) fn run(
    program: &Program,
    flags: &RunFlags,
    file: Option<OutFile>,
) -> anyhow::Result<ExitCode> {
    let mut trace = Trace::default();
    let (exit, python) = watch(program, &mut trace)?;
    let facts = ProgramFacts {
        argv: program.argv(),
        python,
        exit: i32::try_from(exit.value()).ok(),
    };
    tell(&facts, &trace, flags, file)?;
    Ok(ExitCode::from(exit.code()))
}

/// Shows the program in the dashboard; our exit code is its own, as far as it came to its end.
pub(super) fn show(
    program: Program,
    flags: &RunFlags,
    (settings, options): (Settings, Options),
    file: Option<OutFile>,
) -> anyhow::Result<ExitCode> {
    let prints_to = match &flags.output {
        Some(OutputChoice::File(path)) => Some(path.display().to_string()),
        _ => None,
    };
    let app = App::watching(
        Watched {
            command: program.label(),
            prints_to,
            quits_at_end: flags.quit_at_end,
            ..Watched::default()
        },
        settings,
    );
    let argv = program.argv();
    let gives_back = !matches!(flags.output, Some(OutputChoice::Panel));
    let seen = runtime::watch(app, options, program, gives_back)?;
    if file.is_some() {
        let facts = ProgramFacts {
            argv,
            python: seen.python,
            exit: seen.exit.and_then(|exit| i32::try_from(exit.value()).ok()),
        };
        tell(&facts, &seen.trace, flags, file)?;
    }
    if seen.had_no_room {
        super::run::complain(runtime::NO_ROOM);
    }
    if let Some(signal) = seen.signal {
        terminal::die(signal);
    }
    Ok(seen
        .exit
        .map_or(ExitCode::SUCCESS, |exit| ExitCode::from(exit.code())))
}

/// Writes the report to its file, or else to stderr.
fn tell(
    facts: &ProgramFacts,
    trace: &Trace,
    flags: &RunFlags,
    file: Option<OutFile>,
) -> anyhow::Result<()> {
    let findings = finding::of(trace, trace.end());
    let report = Report {
        program: facts,
        trace,
        findings: &findings,
    };
    if let Some(file) = file {
        let written = file.write(|out| json::write(&report, out));
        return written.context("cannot write the report");
    }
    let mut out = BufWriter::new(io::stderr().lock());
    let written = if flags.json {
        json::write(&report, &mut out)
    } else {
        text::write(&report, &mut out)
    };
    // If nobody reads our stderr the exit code still tells.
    let _ = written.and_then(|()| out.flush());
    Ok(())
}

/// Follows the program to its end and passes signals on to it.
fn watch(program: &Program, trace: &mut Trace) -> anyhow::Result<(Exit, Option<String>)> {
    let signals = runtime::headless::signals().context("cannot watch for signals")?;
    let watched = python::start(program).context("cannot start the program")?;
    // Only now: the program is not to inherit that.
    platform::allow_all_files();
    let mut output: Receiver<python::Output> = watched.output.clone();
    loop {
        select_biased! {
            recv(signals.received) -> signal => if let Ok(signal) = signal {
                // In the foreground of a terminal the key that made this signal made another for the program.
                let is_key = || KEYS.contains(&signal) && platform::has_terminal();
                if program.group || !is_key() {
                    watched.handle.pass_on(i32::from(signal));
                }
            },
            recv(watched.running.batches) -> batch => match batch {
                Ok(batch) => trace.apply(batch.events),
                Err(_) => break,
            },
            // Nothing is kept, so nothing comes.
            recv(output) -> piece => if piece.is_err() { output = never() },
        }
    }
    watched.running.join();
    let exit = watched.handle.exit().context("the program was lost")?;
    Ok((exit, watched.handle.python()))
}
