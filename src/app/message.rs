//! What reaches the state, and what it asks for.

use crate::app::action::Action;
use crate::app::output::{Line, Lookup};
use crate::app::run::RunId;
use crate::app::scene::Panel;
use crate::app::watched::Asked;
use crate::event::{Event, LaneId};
use crate::experiment::Experiment;
use crate::time::{Nanos, Time};
use crossterm::event::Event as Input;
use std::ops::Range;

/// Anything that can change the state.
#[derive(Clone, Debug)]
pub enum Message {
    /// What the terminal sent. Mouse input is ignored here: it arrives as `Click`, `Drag` and `Wheel`,
    /// because only the layout of the screen knows what lies under the pointer.
    Input(Input),
    /// The button was let go on this, where it had gone down: no drag.
    Click(Hit),
    /// The pointer moved with the button down, from one moment of the axis to another.
    Drag { from: Time, to: Time },
    /// The wheel turned over this moment of the axis.
    Wheel { at: Time, nearer: bool },
    /// These lanes are in sight now: the answer to [`Effect::Scroll`].
    Scrolled { lanes: Range<usize> },
    /// This page is in sight now: the answer to [`Effect::TurnPage`].
    Turned { page: usize },
    /// What happened in a run, and up to when that is everything.
    Batch {
        run: RunId,
        events: Vec<Event>,
        complete_to: Time,
    },
    /// No more batches will come from this run.
    RunOver { run: RunId },
    /// What the program's clock says now. Wanted at frame rate while [`App::moving`](crate::app::App::moving).
    Tick { now: Nanos },
    /// This process had been stopped for so long, and goes on.
    Stopped { length: Nanos },
    /// The terminal said what its background is like.
    Background(Brightness),
    /// The version of the Python that runs it.
    Python(String),
    /// The program that is watched has printed so many lines by now.
    Printed { lines: u64 },
    /// The lines of its output that [`Lookup::Page`] asked for.
    Page(Vec<Line>),
    /// The line that [`Lookup::Text`] sought, if there is one.
    Found(Option<u64>),
    /// Something the person should read, such as a run that could not be started.
    Notice(String),
}

/// What lies under the pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// The lane of row `row` of the workers (`Trace::rows`) or, where CPUs are large, of the CPUs.
    Lane {
        row: usize,
        at: Time,
    },
    /// The axis, main, the queue: a moment and nothing else.
    Axis {
        at: Time,
    },
    /// A cell of a strip or an end of a slope line: the task with this index.
    Task {
        index: u32,
    },
    Panel(Panel),
    /// A hint of the hint bar.
    Key(Action),
    /// A field of the form.
    Field(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brightness {
    Dark,
    Light,
}

/// What the runtime must do on the state's behalf.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Quit,
    Suspend,
    /// Cancel the run under way, if any, let the app [foretell](super::App::foretell) what changes, and start this one.
    Start {
        run: RunId,
        experiment: Box<Experiment>,
    },
    /// Kill the worker of this lane.
    Kill {
        run: RunId,
        lane: LaneId,
    },
    /// Start the program that this was opened for and tell of it as this run.
    Watch {
        run: RunId,
    },
    /// Send this to the program.
    Ask(Asked),
    /// Look this up in what the program printed, in the place of a search that is under way.
    LookUp(Lookup),
    /// Close the view; the program goes on to its end.
    LeaveRunning,
    /// Find out which lanes are in sight after a scroll: only the layout of the screen knows that.
    Scroll {
        down: bool,
    },
    /// Find out which page comes next: only the layout of the screen knows how many there are.
    TurnPage {
        down: bool,
    },
    /// Take the mouse, or give it back to the terminal.
    Mouse(bool),
}
