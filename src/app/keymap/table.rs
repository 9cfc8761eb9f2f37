//! The table of keys: where they work, what they do, what is said of them.

use crate::app::action::Action;
use crate::app::{App, Overlay, Scene, View};
use crate::method::{Rules, Sends};

/// Which part of the program the keys go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// Whatever is open.
    Everywhere,
    /// The main screen, of the lab and of a program.
    Main,
    /// The main screen of the lab.
    Lab,
    /// The main screen of a program that is watched.
    Program,
    /// The help, the definitions or the inspector lie on top; what they have no key for goes to `Main`.
    Overlay,
    Form,
    Find,
    /// The output of the program lies on top; what it has no key for goes to the main screen.
    Output,
    /// The question what shall become of the program.
    Leave,
}

impl Context {
    /// Whether a row of this context holds where the keys go to `here`.
    pub(super) fn holds(self, here: Self) -> bool {
        self == here
            || self == Self::Everywhere
            || self == Self::Main && matches!(here, Self::Lab | Self::Program)
    }
}

/// A word that depends on the state.
pub type Word = fn(&App) -> &'static str;

/// A claim about the state.
type When = fn(&App) -> bool;

/// A row of the table: keys that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub context: Context,
    /// Keys as [`Key::parse`](crate::app::key::Key::parse) reads them, in the order in which they are shown.
    pub keys: &'static [(&'static str, Action)],
    pub help: &'static str,
    /// Place in the hint bar, the smallest leftmost and the last to be left out; and the word there.
    pub hint: Option<(u8, Word)>,
    /// Another place for it where it is what one would do next.
    pub sooner: Option<(u8, When)>,
    /// The hint bar shows only what would do something now.
    pub works: When,
    /// The help screen lists it only where it ever works.
    pub listed: When,
}

const fn row(context: Context, keys: &'static [(&'static str, Action)], help: &'static str) -> Row {
    Row {
        context,
        keys,
        help,
        hint: None,
        sooner: None,
        works: |_| true,
        listed: |_| true,
    }
}

impl Row {
    const fn hint(self, place: u8, word: Word) -> Self {
        Self {
            hint: Some((place, word)),
            ..self
        }
    }

    const fn sooner(self, place: u8, when: When) -> Self {
        Self {
            sooner: Some((place, when)),
            ..self
        }
    }

    const fn listed(self, listed: When) -> Self {
        Self { listed, ..self }
    }

    const fn works(self, works: When) -> Self {
        Self { works, ..self }
    }
}

/// A program without a call is shown in one way only.
fn has_views(app: &App) -> bool {
    app.run.program().is_none() || app.run.trace.call().is_some()
}

/// Two runs stand beside each other.
fn is_compared(app: &App) -> bool {
    app.scene == Scene::Compare
}

/// The rules of the experiment's method.
fn rules(app: &App) -> Option<Rules> {
    Some(app.run.experiment()?.rules())
}

/// The table, in the order of the help screen.
pub const ROWS: &[Row] = &[
    row(
        Context::Lab,
        &[("s", Action::SwitchForm)],
        "sync / async (imap: order)",
    )
    .hint(0, |app| rules(app).map_or("", |rules| rules.switch()))
    .sooner(1, is_compared)
    .works(|app| rules(app).is_some_and(|rules| rules.partner.is_some())),
    row(
        Context::Lab,
        &[("m", Action::NextFamily), ("M", Action::PreviousFamily)],
        "next / previous method",
    )
    .hint(1, |_| "method"),
    row(Context::Lab, &[("b", Action::NextBackend)], "backend").hint(8, |_| "backend"),
    row(
        Context::Lab,
        &[
            ("-", Action::FewerWorkers),
            ("+", Action::MoreWorkers),
            ("=", Action::MoreWorkers),
        ],
        "fewer / more workers",
    )
    .hint(7, |_| "workers")
    .works(|app| rules(app).is_some_and(|rules| rules.sends != Sends::Nothing)),
    row(Context::Lab, &[("e", Action::Edit)], "edit the experiment").hint(9, |_| "edit"),
    row(
        Context::Lab,
        &[("r", Action::RunAgain), ("n", Action::NewSeed)],
        "run again / with new seed",
    )
    .hint(4, |_| "again")
    .works(App::at_end),
    row(
        Context::Lab,
        &[("K", Action::Kill)],
        "kill the worker (a process)",
    )
    .hint(3, |_| "kill")
    .works(App::can_kill)
    .listed(App::has_mortal_workers),
    row(
        Context::Program,
        &[("F", Action::Findings)],
        "what is wrong, what is slow",
    )
    .hint(2, |_| "findings")
    .works(|app| !app.findings.found.is_empty()),
    row(
        Context::Program,
        &[("O", Action::Output)],
        "output of the program",
    )
    .hint(0, |_| "output"),
    row(
        Context::Program,
        &[("(", Action::PreviousCall), (")", Action::NextCall)],
        "call before / after",
    )
    .hint(1, |_| "calls")
    .works(|app| app.run.trace.calls().len() > 1),
    row(Context::Main, &[("space", Action::Pause)], "pause / go on").hint(2, |app| {
        if app.at_end() {
            "replay"
        } else if app.run.playback.is_paused() {
            "go on"
        } else {
            "pause"
        }
    }),
    row(
        Context::Main,
        &[(".", Action::StepForward), (",", Action::StepBack)],
        "step an event on / back",
    )
    .hint(3, |_| "step")
    // Two runs beside each other are mostly looked at as wholes, and have no room to spare.
    .works(|app| !is_compared(app)),
    row(
        Context::Main,
        &[
            ("[", Action::PreviousMarker),
            ("]", Action::NextMarker),
            ("pageup", Action::PreviousMarker),
            ("pagedown", Action::NextMarker),
        ],
        "marker back / on",
    ),
    row(
        Context::Main,
        &[("<", Action::Slower), (">", Action::Faster)],
        "slower / faster",
    )
    .hint(10, |_| "speed")
    // At the end they are for the next run, and there is more use for the room.
    .works(|app| !app.at_end()),
    row(
        Context::Main,
        &[("home", Action::ToStart), ("end", Action::ToEnd)],
        "start / live end",
    ),
    row(
        Context::Main,
        &[
            ("left", Action::Left),
            ("right", Action::Right),
            ("up", Action::Up),
            ("down", Action::Down),
        ],
        "pan; choose lane and task",
    )
    .hint(1, |_| "lane, task")
    // Two runs beside each other show no selection.
    .works(|app| !app.selection.is_empty() && !is_compared(app)),
    row(
        Context::Main,
        &[
            ("i", Action::ZoomIn),
            ("o", Action::ZoomOut),
            ("0", Action::Fit),
        ],
        "zoom in, out; fit, follow",
    )
    .hint(12, |app| {
        if app.cursor_is_in_sight() {
            "zoom"
        } else {
            "zoom in, out, follow"
        }
    })
    // Whoever has lost sight of the cursor looks for the way back to it.
    .sooner(0, |app| !app.cursor_is_in_sight()),
    row(
        Context::Main,
        &[("l", Action::SwapLanes)],
        "workers / CPUs large",
    ),
    row(
        Context::Main,
        &[("{", Action::LanesUp), ("}", Action::LanesDown)],
        "scroll the lanes",
    )
    // Nothing else on the screen says how to see the others.
    .hint(2, |_| "more lanes"),
    row(
        Context::Main,
        &[("enter", Action::Inspect)],
        "inspect the selected task",
    )
    .hint(11, |_| "inspect")
    .sooner(1, |app| {
        let is_open = matches!(app.overlay, Some(Overlay::Inspector));
        app.selection.task.is_some() && !is_open
    })
    .works(|app| app.run.trace.call().is_some() && !is_compared(app)),
    row(Context::Main, &[("/", Action::Find)], "find tasks"),
    row(
        Context::Main,
        &[
            ("1", Action::Timeline),
            ("2", Action::Order),
            ("3", Action::Numbers),
        ],
        "timeline, order, numbers",
    )
    .hint(14, |_| "views")
    .works(has_views),
    row(
        Context::Main,
        &[("tab", Action::NextPanel), ("z", Action::ZoomPanel)],
        "next panel / panel alone",
    ),
    row(
        Context::Lab,
        &[("c", Action::Compare)],
        "compare with previous run",
    )
    .hint(5, |_| "compare")
    // There its way back is Esc.
    .works(|app| app.previous.is_some() && !is_compared(app)),
    row(
        Context::Main,
        &[("d", Action::Definitions)],
        "numbers with definitions",
    )
    .hint(15, |_| "definitions")
    // What the numbers mean is asked where they stand.
    .sooner(6, |app| {
        app.scene == Scene::View && app.view == View::Numbers
    }),
    row(
        Context::Main,
        &[
            ("p", Action::Presenter),
            ("T", Action::Theme),
            ("u", Action::Mouse),
        ],
        "presenter, theme, mouse",
    )
    .hint(13, |_| "presenter, theme, mouse")
    .works(has_views),
    row(
        Context::Main,
        &[("?", Action::Help), ("f1", Action::Help)],
        "keys, legend, glossary",
    )
    .hint(5, |_| "help"),
    row(
        Context::Main,
        &[("esc", Action::Close)],
        "close what is on top",
    )
    .hint(4, |_| "close")
    // Nothing else on the screen of two runs says how to leave it.
    .sooner(0, is_compared)
    .works(|app| app.scene != Scene::View),
    row(Context::Main, &[("q", Action::Quit)], "quit").hint(6, |_| "quit"),
    row(
        Context::Everywhere,
        &[("ctrl-c", Action::Quit)],
        "quit, whatever is open",
    ),
    row(
        Context::Everywhere,
        &[("ctrl-z", Action::Suspend)],
        "suspend",
    ),
    row(
        Context::Overlay,
        &[("pageup", Action::PageUp), ("pagedown", Action::PageDown)],
        "page up / down",
    )
    .hint(1, |_| "page")
    .works(|app| !matches!(app.overlay, Some(Overlay::Inspector))),
    row(Context::Overlay, &[("esc", Action::Close)], "close").hint(0, |_| "close"),
    row(Context::Form, &[("enter", Action::Run)], "run it").hint(0, |_| "run"),
    row(
        Context::Form,
        &[("left", Action::Left), ("right", Action::Right)],
        "change; in a text, the cursor",
    )
    .hint(1, |app| match &app.overlay {
        Some(Overlay::Form(form)) if !form.is_turned() => "cursor",
        _ => "change",
    }),
    row(
        Context::Form,
        &[
            ("up", Action::PreviousField),
            ("down", Action::NextField),
            ("backtab", Action::PreviousField),
            ("tab", Action::NextField),
        ],
        "previous / next field",
    )
    .hint(2, |_| "field"),
    row(Context::Form, &[("esc", Action::Close)], "leave").hint(3, |_| "leave"),
    row(
        Context::Find,
        &[("up", Action::PreviousMatch), ("down", Action::NextMatch)],
        "previous / next match",
    )
    .hint(0, |_| "match"),
    row(Context::Find, &[("enter", Action::KeepMatch)], "keep").hint(1, |_| "keep"),
    row(Context::Find, &[("esc", Action::Close)], "leave").hint(2, |_| "leave"),
    row(
        Context::Output,
        &[
            ("up", Action::Up),
            ("down", Action::Down),
            ("pageup", Action::PageUp),
            ("pagedown", Action::PageDown),
        ],
        "scroll",
    )
    .hint(1, |_| "scroll"),
    row(
        Context::Output,
        &[("home", Action::ToStart), ("end", Action::ToEnd)],
        "first / last line, and follow",
    )
    .hint(3, |_| "first, last"),
    row(Context::Output, &[("/", Action::Find)], "find a text").hint(2, |_| "find"),
    row(
        Context::Output,
        &[("z", Action::ZoomPanel)],
        "whole screen / half",
    )
    .hint(4, |_| "whole screen"),
    row(
        Context::Output,
        &[("esc", Action::Close), ("O", Action::Output)],
        "close",
    )
    .hint(0, |_| "close"),
    row(
        Context::Leave,
        &[("i", Action::Interrupt)],
        "interrupt it (SIGINT), as Ctrl-C in a terminal; Ctrl-C too",
    ),
    row(
        Context::Leave,
        &[("t", Action::Terminate)],
        "terminate it (SIGTERM); once more kills it",
    ),
    row(
        Context::Leave,
        &[("l", Action::LeaveRunning)],
        "leave it running, close the view",
    ),
    row(Context::Leave, &[("esc", Action::Close)], "go back"),
];
