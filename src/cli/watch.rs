//! `parviz run` without the dashboard: the program has our stdin, stdout and stderr, and a report comes
//! at the end.
#![expect(
    clippy::disallowed_methods,
    reason = "writes the report that was asked for"
)]

use super::headless;
use super::program::{RunFlags, Terminal};
use crate::finding;
use crate::origin::python::{self, Exit, Program};
use crate::report::program::{ProgramFacts, Report, json, text};
use crate::trace::Trace;
use anyhow::Context;
use crossbeam_channel::{Receiver, never, select_biased};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

/// The signals that keys of a terminal send to its whole group.
const KEYS: [u8; 2] = [1, 2];

/// Opens the file for the report before anything runs: if that fails, nothing has happened yet.
pub(super) fn report_file(path: Option<&Path>) -> Result<Option<File>, String> {
    let open = |path: &Path| {
        File::create(path).map_err(|error| format!("--report {}: {error}", path.display()))
    };
    path.map(open).transpose()
}

/// Runs the program to its end; our exit code is its own.
pub(super) fn run(
    program: &Program,
    flags: &RunFlags,
    terminal: Terminal,
    file: Option<File>,
) -> anyhow::Result<ExitCode> {
    let mut trace = Trace::default();
    let (exit, python) = watch(program, terminal, &mut trace)?;
    let facts = ProgramFacts {
        argv: program.argv(),
        python,
        exit: i32::try_from(exit.value()).ok(),
    };
    let findings = finding::of(&trace, trace.end());
    let report = Report {
        program: &facts,
        trace: &trace,
        findings: &findings,
    };
    match file {
        Some(file) => {
            let mut out = BufWriter::new(file);
            let written = json::write(&report, &mut out).and_then(|()| out.flush());
            written.context("cannot write the report")?;
        }
        None => {
            let mut out = BufWriter::new(io::stderr().lock());
            // If nobody reads our stderr the exit code still tells.
            let _ = if flags.json {
                json::write(&report, &mut out)
            } else {
                text::write(&report, &mut out)
            }
            .and_then(|()| out.flush());
        }
    }
    Ok(ExitCode::from(exit.code()))
}

/// Follows the program to its end and passes signals on to it.
fn watch(
    program: &Program,
    terminal: Terminal,
    trace: &mut Trace,
) -> anyhow::Result<(Exit, Option<String>)> {
    let signals = headless::signals().context("cannot watch for signals")?;
    let watched = python::start(program).context("cannot start the program")?;
    let mut output: Receiver<python::Output> = watched.output.clone();
    loop {
        select_biased! {
            recv(signals) -> signal => if let Ok(signal) = signal {
                // In the foreground of a terminal the key that made this signal made another for the program.
                if !(terminal.is_ours && KEYS.contains(&signal)) {
                    watched.handle.signal(i32::from(signal));
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
