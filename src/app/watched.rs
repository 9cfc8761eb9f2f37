//! A program of somebody else: what is known of it besides its trace, and what is asked of it.

use crate::app::action::Action;
use crate::app::output::{Line, Lookup, OutputPanel};
use crate::app::{App, Effect, Overlay, Subject};
use crate::time::Nanos;

/// What is known of a watched program besides its trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// The command line as it was asked for: `script.py 3`, `-m package`, `-c ...`.
    pub command: String,
    /// The version of its Python, once that is told.
    pub python: Option<String>,
    /// The file that gets what it prints, in the place of the panel.
    pub prints_to: Option<String>,
    /// The view closes when the program has ended.
    pub quits_at_end: bool,
    /// Lines it has printed.
    pub lines: u64,
    /// What it was asked for last, if anything.
    pub asked: Option<Asked>,
}

/// What a program that runs can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asked {
    /// `SIGINT`, as Ctrl-C in a terminal.
    Interrupt,
    /// `SIGTERM`
    Terminate,
    /// `SIGKILL`
    Kill,
}

impl Asked {
    /// What is said while the program has not ended of it.
    fn words(self) -> &'static str {
        match self {
            Self::Interrupt => "interrupted (SIGINT): the program may take its time, or go on",
            Self::Terminate => "told to terminate (SIGTERM)",
            Self::Kill => "killed (SIGKILL)",
        }
    }
}

impl App {
    /// What the program was asked for is no news once it has ended.
    pub(super) fn forget_asked(&mut self) {
        let asked = self.run.program().and_then(|program| program.asked);
        self.notice
            .take_if(|notice| asked.is_some_and(|asked| notice == asked.words()));
    }

    /// What the keys for a program do; nothing in the lab.
    pub(super) fn act_on_program(&mut self, action: Action) -> Option<Effect> {
        self.run.program()?;
        match action {
            Action::Output => return self.toggle_output(),
            Action::Interrupt => return self.ask(Asked::Interrupt),
            Action::Terminate => {
                let asked = self.run.program().and_then(|program| program.asked);
                return self.ask(if asked >= Some(Asked::Terminate) {
                    Asked::Kill
                } else {
                    Asked::Terminate
                });
            }
            Action::LeaveRunning => {
                self.overlay = None;
                return Some(Effect::LeaveRunning);
            }
            _ => {}
        }
        None
    }

    /// Quits, or asks what shall become of a program that still runs. Once more is what Ctrl-C means
    /// everywhere: to interrupt it.
    pub(super) fn quit(&mut self) -> Option<Effect> {
        if self.run.program().is_none() || self.run.over {
            return Some(Effect::Quit);
        }
        if matches!(self.overlay, Some(Overlay::Leave)) {
            return self.ask(Asked::Interrupt);
        }
        self.overlay = Some(Overlay::Leave);
        None
    }

    fn ask(&mut self, what: Asked) -> Option<Effect> {
        self.overlay = None;
        if self.run.over {
            return None;
        }
        let Subject::Program(program) = &mut self.run.subject else {
            return None;
        };
        program.asked = program.asked.max(Some(what));
        // It holds until the program has ended.
        self.keep_saying(what.words());
        Some(Effect::Ask(what))
    }

    fn toggle_output(&mut self) -> Option<Effect> {
        if matches!(self.overlay, Some(Overlay::Output(_))) {
            self.overlay = None;
            return None;
        }
        let panel = OutputPanel::new(self.run.program()?.lines);
        let lookup = panel.lookup(self.size.1);
        self.overlay = Some(Overlay::Output(Box::new(panel)));
        Some(Effect::LookUp(lookup))
    }

    pub(super) fn is_python(&mut self, version: String) {
        if let Subject::Program(program) = &mut self.run.subject {
            program.python = Some(version);
        }
        self.changed();
    }

    /// So many lines are printed now.
    pub(super) fn printed(&mut self, lines: u64) -> Option<Effect> {
        let Subject::Program(program) = &mut self.run.subject else {
            return None;
        };
        let first = program.lines == 0;
        program.lines = lines;
        if first {
            self.changed();
        }
        let height = self.size.1;
        let Some(Overlay::Output(panel)) = &mut self.overlay else {
            // Where there is no call to be seen the last lines are.
            let page = Lookup::Page {
                end: lines,
                count: u64::from(height),
            };
            return self
                .run
                .trace
                .call()
                .is_none()
                .then_some(Effect::LookUp(page));
        };
        let sees = panel.grew(lines);
        let lookup = panel.lookup(height);
        self.changed();
        sees.then_some(Effect::LookUp(lookup))
    }

    /// Does something to the open panel, and asks for what is to be seen then.
    pub(super) fn in_output(
        &mut self,
        change: impl FnOnce(&mut OutputPanel, u64, u16),
    ) -> Option<Effect> {
        let lines = self.run.program()?.lines;
        let height = self.size.1;
        let Some(Overlay::Output(panel)) = &mut self.overlay else {
            return None;
        };
        let rows = panel.rows(height);
        change(panel, lines, rows);
        Some(Effect::LookUp(panel.lookup(height)))
    }

    /// The lines came that it asked for.
    pub(super) fn page_came(&mut self, page: Vec<Line>) {
        if let Some(Overlay::Output(panel)) = &mut self.overlay {
            panel.page = page;
        } else {
            self.last_lines = page;
            self.changed();
        }
    }

    /// Does something to its search, and asks for what that wants.
    pub(super) fn in_search(
        &mut self,
        change: impl FnOnce(&mut OutputPanel) -> Option<Lookup>,
    ) -> Option<Effect> {
        match &mut self.overlay {
            Some(Overlay::Output(panel)) => change(panel).map(Effect::LookUp),
            _ => None,
        }
    }

    /// A program that was to be watched only as long as it runs has ended.
    pub(super) fn has_seen_enough(&self) -> bool {
        let quits = |program: &Watched| program.quits_at_end;
        self.run.over && self.run.program().is_some_and(quits)
    }
}

/// The first stretch of the axis, when nothing is known of how long a program runs.
pub(super) const FIRST_AXIS: Nanos = Nanos(400_000_000);
