//! The program that is watched: starting it, asking things of it, and giving back what it printed.

#![expect(clippy::disallowed_methods, reason = "asks the clock for now")]

use super::printed::{Printed, Search};
use crate::app::Asked;
use crate::app::output::{Line, Lookup};
use crate::origin::Running;
use crate::origin::python::{self, Handle, Output, Program, Stream};
use crate::platform;
use crate::trace::Trace;
use anyhow::Context;
use crossbeam_channel::{Receiver, at, never, select_biased};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::time::Instant;

/// Pieces of output that are taken before the loop looks at keys again.
const AT_ONCE: usize = 16;
/// The number of `SIGINT`.
const INTERRUPT: i32 = 2;

/// A program to be watched, and then a program under way.
pub(super) struct Watch {
    program: Program,
    /// What it printed goes to our own stdout and stderr when the view closes.
    gives_back: bool,
    started: Option<Started>,
}

struct Started {
    handle: Handle,
    output: Receiver<Output>,
    printed: Printed,
    search: Option<Search>,
}

impl Watch {
    pub(super) fn new(program: Program, gives_back: bool) -> Self {
        Self {
            program,
            gives_back,
            started: None,
        }
    }

    pub(super) fn start(&mut self) -> anyhow::Result<Running> {
        let python::Watched {
            running,
            output,
            handle,
            ..
        } = python::start(&self.program).context("the program cannot be started")?;
        // Only now: the program is not to inherit that.
        platform::allow_all_files();
        self.started = Some(Started {
            handle,
            output,
            printed: Printed::default(),
            search: None,
        });
        Ok(running)
    }

    pub(super) fn ask(&self, what: Asked) {
        if let Some(started) = &self.started {
            match what {
                Asked::Interrupt => started.handle.interrupt(),
                Asked::Terminate => started.handle.terminate(),
                Asked::Kill => started.handle.kill(),
            }
        }
    }

    /// Passes a signal on that asked us for our end.
    pub(super) fn signal(&self, number: i32) {
        if let Some(started) = &self.started {
            started.handle.pass_on(number);
        }
    }

    /// What it prints, piece by piece; closed at its end.
    pub(super) fn output(&self) -> Receiver<Output> {
        let started = self.started.as_ref();
        started.map_or_else(never, |started| started.output.clone())
    }

    /// Takes a piece of output and those that wait behind it; how many lines there are now, if any came.
    pub(super) fn take(&mut self, first: Option<&Output>) -> Option<u64> {
        let started = self.started.as_mut()?;
        let more: Vec<Output> = started.output.try_iter().take(AT_ONCE).collect();
        if first.is_none() && more.is_empty() {
            return None;
        }
        for piece in first.into_iter().chain(&more) {
            started.printed.add(piece);
        }
        Some(started.printed.lines())
    }

    /// No more will come.
    pub(super) fn has_printed_all(&mut self) {
        if let Some(started) = &mut self.started {
            started.output = never();
        }
    }

    /// The lines that are looked up; a search begins and has none yet.
    pub(super) fn look_up(&mut self, lookup: Lookup) -> Option<Vec<Line>> {
        let Started {
            handle,
            printed,
            search,
            ..
        } = self.started.as_mut()?;
        match lookup {
            // What cannot be read is not shown; it stays in its file.
            Lookup::Page { end, count } => printed.page(handle, end, count).ok(),
            Lookup::Text { text, from, back } => {
                *search = Some(Search::new(printed, text, from, back));
                None
            }
        }
    }

    /// Ready while a search has something left to look at.
    pub(super) fn searching(&self) -> Receiver<Instant> {
        let search = self.started.as_ref().and_then(|one| one.search.as_ref());
        search.map_or_else(never, |_| at(Instant::now()))
    }

    /// Goes on with the search; what it found, or that there is nothing, once it has ended.
    pub(super) fn search_on(&mut self) -> ControlFlow<Option<u64>> {
        let Some(started) = &mut self.started else {
            return ControlFlow::Continue(());
        };
        let Some(search) = &mut started.search else {
            return ControlFlow::Continue(());
        };
        let step = search.step(&started.printed, &started.handle);
        if step.is_break() {
            started.search = None;
        }
        step
    }

    /// Gives back what was printed up to now.
    pub(super) fn give_back(&mut self) {
        let Some(started) = self.started.as_mut().filter(|_| self.gives_back) else {
            return;
        };
        started.printed.catch_up(&started.handle);
        // Whoever closed our stdout wants none of it.
        let _ = started
            .printed
            .give_back(&started.handle, &mut io::stdout(), &mut io::stderr());
    }

    /// Stays with the program to its end without a view: hands on what it prints and what signals ask,
    /// first of all the one that was too late for the view.
    pub(super) fn follow(
        &mut self,
        running: &Running,
        trace: &mut Trace,
        late: Option<i32>,
    ) -> anyhow::Result<()> {
        let signals = super::headless::signals().context("cannot watch for signals")?;
        let Some(started) = &mut self.started else {
            return Ok(());
        };
        if let Some(signal) = late {
            hand_on(&started.handle, signal);
        }
        let gives_back = self.gives_back;
        let write = |piece: &Output| match piece.stream {
            _ if !gives_back => Ok(()),
            Stream::Out => io::stdout()
                .write_all(&piece.bytes)
                .and_then(|()| io::stdout().flush()),
            Stream::Err => io::stderr().write_all(&piece.bytes),
        };
        if gives_back {
            // Whoever closed our stdout wants none of it; the program goes on.
            let _ =
                started
                    .printed
                    .give_back(&started.handle, &mut io::stdout(), &mut io::stderr());
        }
        let mut batches = running.batches.clone();
        let mut open = 2;
        while open > 0 {
            select_biased! {
                recv(signals.received) -> signal => if let Ok(signal) = signal {
                    hand_on(&started.handle, signal.into());
                },
                recv(started.output) -> piece => if let Ok(piece) = piece {
                    // Whoever closed our stdout wants none of it; the program goes on.
                    let _ = write(&piece);
                } else {
                    started.output = never();
                    open -= 1;
                },
                recv(batches) -> batch => if let Ok(batch) = batch {
                    trace.apply(batch.events);
                } else {
                    batches = never();
                    open -= 1;
                },
            }
        }
        Ok(())
    }

    /// It failed where its output found no room; that it says so itself would find none either.
    pub(super) fn had_no_room(&self) -> bool {
        self.handle().is_some_and(|handle| {
            handle.exit().is_some_and(|exit| exit.value() != 0) && handle.has_no_room()
        })
    }

    pub(super) fn handle(&self) -> Option<&Handle> {
        self.started.as_ref().map(|started| &started.handle)
    }
}

/// Lets the program have a signal that came to us while it has no view.
fn hand_on(handle: &Handle, signal: i32) {
    match signal {
        // The key Ctrl-C, as far as anybody knows.
        INTERRUPT => handle.interrupt(),
        signal => handle.pass_on(signal),
    }
}
