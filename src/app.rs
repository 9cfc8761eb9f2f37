//! Everything the screen shows, and how a message changes it.
//!
//! One thread owns the one [`App`]; everything else sends it messages. It reads no clock, file or
//! channel: time arrives in [`Message::Tick`], and what it wants done it says as an [`Effect`]. Drawing
//! takes `&App` and changes nothing.

pub mod action;
pub mod demo;
pub mod find;
pub mod form;
pub mod key;
pub mod keymap;
mod line;
pub mod playback;
pub mod selection;
pub mod switch;
pub mod variant;
pub mod viewport;

use crate::event::Event;
use crate::experiment::{Backend, Experiment};
use crate::palette::{Charset, Look, ThemeName};
use crate::time::{Nanos, Time};
use crate::trace::Trace;
use crate::workload;
use action::Action;
use crossterm::event::Event as Input;
use demo::Demo;
use find::Find;
use form::Form;
use key::Key;
use keymap::{Context, Keymap};
use playback::Playback;
use selection::Selection;
use switch::Change;
use viewport::Viewport;

/// Runs are numbered in the order in which they were started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub u32);

/// Anything that can change the state.
#[derive(Clone, Debug)]
pub enum Message {
    /// What the terminal sent. Mouse input is ignored here: it arrives as `Click`, `Drag` and `Wheel`,
    /// because only the layout of the screen knows what lies under the pointer.
    Input(Input),
    /// The button went down on this.
    Click(Hit),
    /// The pointer moved with the button down, from one moment of the axis to another.
    Drag { from: Time, to: Time },
    /// The wheel turned over this moment of the axis.
    Wheel { at: Time, nearer: bool },
    /// What happened in a run, and up to when that is everything.
    Batch {
        run: RunId,
        events: Vec<Event>,
        complete_to: Time,
    },
    /// No more batches will come from this run.
    RunOver { run: RunId },
    /// What the program's clock says now. Wanted at frame rate while [`App::moving`].
    Tick { now: Nanos },
    /// The terminal said what its background is like.
    Background(Brightness),
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
    /// Cancel the run under way, if any, and start this one.
    Start {
        run: RunId,
        experiment: Box<Experiment>,
    },
    /// Take the mouse, or give it back to the terminal.
    Mouse(bool),
}

/// A run and how far it has been seen.
#[derive(Clone, Debug)]
pub struct Run {
    pub id: RunId,
    pub experiment: Experiment,
    pub trace: Trace,
    pub playback: Playback,
    /// Everything that happened before this is in the trace. Never `NEVER`: see `over`.
    pub complete_to: Time,
    /// Told to its end.
    pub over: bool,
}

impl Run {
    fn new(id: RunId, experiment: Experiment) -> Self {
        let playback = match experiment.backend {
            Backend::Threads => Playback::default(),
            Backend::Simulated => Playback::from_start(),
        };
        Self {
            id,
            experiment,
            trace: Trace::default(),
            playback,
            complete_to: Time::ZERO,
            over: false,
        }
    }

    /// Where what is known of it ends: the last place for the cursor.
    pub fn end(&self) -> Time {
        if self.over {
            self.trace.end()
        } else {
            self.complete_to
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum View {
    #[default]
    Timeline,
    Order,
    Numbers,
}

/// What fills the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scene {
    /// The view that is chosen.
    #[default]
    View,
    /// One panel of the timeline.
    Panel,
    /// The last two runs, one above the other.
    Compare,
    Presenter,
}

/// The panels of the timeline that can have the screen for themselves, in the order of `Tab`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Panel {
    #[default]
    Lanes,
    Cpus,
    Strips,
    Numbers,
    Events,
}

impl Panel {
    pub const ALL: [Self; 5] = [
        Self::Lanes,
        Self::Cpus,
        Self::Strips,
        Self::Numbers,
        Self::Events,
    ];

    #[must_use]
    fn next(self) -> Self {
        let here = Self::ALL.iter().position(|&panel| panel == self);
        Self::ALL[here.map_or(0, |here| (here + 1) % Self::ALL.len())]
    }
}

/// Which lanes are large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lanes {
    #[default]
    Workers,
    Cpus,
}

/// What lies on top of the scene; one thing at a time.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// Keys, legend, glossary. Drawing stops at the last page.
    Help {
        page: usize,
    },
    /// Every number with its definition.
    Definitions {
        page: usize,
    },
    /// The story of the selected task.
    Inspector,
    Form(Box<Form>),
    Find(Box<Find>),
}

/// What the program was started with besides the experiment.
#[derive(Clone, Debug)]
pub struct Settings {
    pub look: Look,
    /// The person named the theme: the terminal's background does not change it.
    pub theme_named: bool,
    pub mouse: bool,
    pub keymap: Keymap,
    /// CPUs that this process can use.
    pub cpus: u32,
    pub demo: bool,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            look: Look::default(),
            theme_named: false,
            mouse: true,
            keymap: Keymap::default(),
            cpus: 4,
            demo: false,
            size: (80, 24),
        }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct App {
    /// The run that is watched; its experiment is the one that keys change.
    pub run: Run,
    /// The one before it, as far as it got.
    pub previous: Option<Run>,
    /// In the comparison the current run stands above the previous one.
    pub swapped: bool,
    pub view: View,
    pub scene: Scene,
    /// The panel that `z` gives the screen to.
    pub panel: Panel,
    pub overlay: Option<Overlay>,
    pub viewport: Viewport,
    pub selection: Selection,
    pub large: Lanes,
    /// The first lane that is seen where not all fit. Drawing shows the selected one in any case.
    pub first_lane: usize,
    pub look: Look,
    pub mouse: bool,
    pub keymap: Keymap,
    /// To be read now, in the place of the hint bar; gone with the next key.
    pub notice: Option<String>,
    /// What the last switch changed.
    pub change: Option<Change>,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// CPUs that this process can use.
    pub cpus: u32,
    pub demo: Option<Demo>,
    theme_named: bool,
    next_run: RunId,
    /// The last tick while something moved.
    ticked: Option<Nanos>,
    revision: u64,
}

impl App {
    /// The state before the first run has told anything. [`App::opening`] starts that run.
    pub fn new(experiment: Experiment, settings: Settings) -> Self {
        let mut app = Self {
            run: Run::new(RunId(0), experiment),
            previous: None,
            swapped: false,
            view: View::default(),
            scene: Scene::default(),
            panel: Panel::default(),
            overlay: None,
            viewport: Viewport::default(),
            selection: Selection::default(),
            large: Lanes::default(),
            first_lane: 0,
            look: settings.look,
            mouse: settings.mouse,
            keymap: settings.keymap,
            notice: None,
            change: None,
            size: settings.size,
            cpus: settings.cpus,
            demo: settings.demo.then(Demo::default),
            theme_named: settings.theme_named,
            next_run: RunId(1),
            ticked: None,
            revision: 0,
        };
        app.viewport = app.expected_viewport();
        app
    }

    /// Starts the first run; for the runtime, once.
    pub fn opening(&self) -> Effect {
        Effect::Start {
            run: self.run.id,
            experiment: Box::new(self.run.experiment.clone()),
        }
    }

    /// Grows whenever the screen would look different: draw when it is not what was drawn.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether a tick could change anything: ask for ticks at frame rate while it is so.
    pub fn moving(&self) -> bool {
        self.run.playback.moves(self.run.end()) || (self.demo.is_some() && self.at_end())
    }

    /// The moment that is shown.
    pub fn cursor(&self) -> Time {
        self.run.playback.cursor
    }

    /// The run is over and seen to its end.
    pub fn at_end(&self) -> bool {
        self.run.over && self.cursor() >= self.run.end()
    }

    /// Where the keys go.
    pub fn context(&self) -> Context {
        match self.overlay {
            None => Context::Main,
            Some(Overlay::Form(_)) => Context::Form,
            Some(Overlay::Find(_)) => Context::Find,
            Some(_) => Context::Overlay,
        }
    }

    pub fn is_ascii(&self) -> bool {
        self.look.charset == Charset::Ascii
    }

    /// The only way in which the state changes.
    pub fn update(&mut self, message: Message) -> Option<Effect> {
        let effect = match message {
            Message::Input(input) => self.input(&input),
            Message::Click(_) | Message::Drag { .. } | Message::Wheel { .. } => None,
            Message::Batch {
                run,
                events,
                complete_to,
            } => {
                self.learn(run, events, complete_to);
                None
            }
            Message::RunOver { run } => {
                self.learn(run, Vec::new(), Time::NEVER);
                None
            }
            Message::Tick { now } => self.tick(now),
            Message::Background(brightness) => {
                self.background(brightness);
                None
            }
            Message::Notice(text) => {
                self.notice = Some(text);
                self.changed();
                None
            }
        };
        if !self.moving() {
            self.ticked = None;
        }
        effect
    }

    fn changed(&mut self) {
        self.revision += 1;
    }

    fn input(&mut self, input: &Input) -> Option<Effect> {
        match input {
            Input::Key(event) => {
                let key = Key::pressed(event)?;
                self.notice = None;
                self.changed();
                let action = self.keymap.action(key, self.context())?;
                self.act(action)
            }
            Input::Resize(columns, rows) => {
                self.size = (*columns, *rows);
                self.changed();
                None
            }
            _ => None,
        }
    }

    fn act(&mut self, action: Action) -> Option<Effect> {
        match action {
            Action::Quit => return Some(Effect::Quit),
            Action::Suspend => return Some(Effect::Suspend),
            Action::RunAgain => return Some(self.start(self.run.experiment.clone())),
            Action::Theme => self.look.theme = self.look.theme.next(),
            Action::Pause => {
                let run = &mut self.run;
                run.playback.toggle(run.end(), run.over);
            }
            Action::Help => self.overlay = Some(Overlay::Help { page: 0 }),
            Action::Close => self.overlay = None,
            Action::NextPanel => self.panel = self.panel.next(),
            _ => {}
        }
        None
    }

    /// Starts a run, keeping the one before.
    fn start(&mut self, experiment: Experiment) -> Effect {
        let run = Run::new(self.next_run, experiment);
        self.next_run.0 += 1;
        self.previous = Some(std::mem::replace(&mut self.run, run));
        self.viewport = self.expected_viewport();
        self.selection = Selection::default();
        self.changed();
        self.opening()
    }

    fn expected_viewport(&self) -> Viewport {
        let experiment = &self.run.experiment;
        let costs: Vec<Nanos> = workload::tasks(experiment)
            .into_iter()
            .map(|work| work.cost)
            .collect();
        Viewport::expecting(experiment.expected_makespan(&costs))
    }

    fn learn(&mut self, run: RunId, events: Vec<Event>, complete_to: Time) {
        if run != self.run.id {
            return;
        }
        let run = &mut self.run;
        run.trace.apply(events);
        if complete_to == Time::NEVER {
            run.over = true;
            run.complete_to = run.trace.end();
        } else {
            run.complete_to = run.complete_to.max(complete_to);
        }
        run.playback.known_to(run.end());
        self.viewport.show(self.run.playback.cursor);
        self.changed();
    }

    fn tick(&mut self, now: Nanos) -> Option<Effect> {
        let elapsed = self
            .ticked
            .map_or(Nanos::ZERO, |before| now.saturating_sub(before));
        self.ticked = Some(now);
        let run = &mut self.run;
        let before = run.playback;
        run.playback.tick(elapsed, run.end(), run.over);
        if run.playback != before {
            self.viewport.show(self.run.playback.cursor);
            self.changed();
        }
        None
    }

    fn background(&mut self, brightness: Brightness) {
        if !self.theme_named {
            self.look.theme = match brightness {
                Brightness::Dark => ThemeName::Dark,
                Brightness::Light => ThemeName::Light,
            };
            self.changed();
        }
    }
}
