//! Everything the screen shows, and how a message changes it.
//!
//! One thread owns the one [`App`]; everything else sends it messages. It reads no clock, file or
//! channel: time arrives in [`Message::Tick`], and what it wants done it says as an [`Effect`]. Drawing
//! takes `&App` and changes nothing.

pub mod action;
mod acts;
pub mod demo;
pub mod find;
pub mod form;
mod input;
pub mod key;
pub mod keymap;
mod line;
mod message;
pub mod playback;
mod run;
mod scene;
pub mod selection;
pub mod switch;
pub mod variant;
pub mod viewport;

pub use message::{Brightness, Effect, Hit, Message};
pub use run::{Run, RunId};
pub use scene::{Lanes, Overlay, Panel, Scene, View};

use crate::event::Event;
use crate::experiment::{Backend, Experiment};
use crate::method::Method;
use crate::palette::{Charset, Look, ThemeName};
use crate::time::{Nanos, Time};
use action::Action;
use demo::Demo;
use keymap::{Context, Keymap};
use selection::Selection;
use switch::Change;
use viewport::Viewport;

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
    /// The one before it, as far as it got; its cursor stands at its end.
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
    /// The last loop that was watched to its end, and how long it took.
    loop_time: Option<(Experiment, Nanos)>,
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
            loop_time: None,
            ticked: None,
            revision: 0,
        };
        if let Some(demo) = &app.demo {
            app.run.experiment.method = demo.act().method;
            // The scene that is read from afar, and that has the captions.
            app.scene = Scene::Presenter;
        }
        app.viewport = Viewport::expecting(app.expected());
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
            Message::Click(hit) => {
                self.changed();
                self.click(hit)
            }
            Message::Drag { from, to } => {
                self.viewport.drag(from, to);
                self.changed();
                None
            }
            Message::Wheel { at, nearer } => {
                self.wheel(at, nearer);
                self.changed();
                None
            }
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

    /// Starts a run. The one before is kept, unless it has not told anything yet.
    fn start(&mut self, experiment: Experiment) -> Effect {
        let run = Run::new(self.next_run, experiment);
        self.next_run.0 += 1;
        let mut before = std::mem::replace(&mut self.run, run);
        if before.trace.run().is_some() {
            before.playback.go_live(before.end());
            self.previous = Some(before);
        }
        let loop_time = self.loop_time_of(&self.run.experiment);
        self.run.trace.know_loop(loop_time);
        let known = self.run.experiment.backend == Backend::Simulated;
        self.viewport = self.viewport.next(self.expected(), known);
        self.make_room();
        self.selection = Selection::default();
        self.first_lane = 0;
        self.foretell();
        self.changed();
        self.opening()
    }

    /// What the switch will change, from both experiments in virtual time.
    fn foretell(&mut self) {
        let before = self
            .previous
            .as_ref()
            .filter(|before| before.experiment != self.run.experiment);
        self.change = before.and_then(|before| {
            let experiments = [&before.experiment, &self.run.experiment];
            let before = switch::foretold(experiments[0], self.cpus)?;
            let after = switch::foretold(experiments[1], self.cpus)?;
            let mut change = switch::change(&before, &after, &self.keymap.of(Action::NextFamily));
            if experiments
                .iter()
                .any(|experiment| experiment.backend == Backend::Threads)
            {
                change.basis = switch::Basis::Expected;
            }
            Some(change)
        });
    }

    /// What the switch did change, once both runs are told whole.
    fn conclude(&mut self) {
        let before = self
            .previous
            .as_ref()
            .filter(|before| before.experiment != self.run.experiment && before.is_whole());
        if let Some(before) = before
            && self.run.is_whole()
        {
            let next_method = self.keymap.of(Action::NextFamily);
            let change = switch::change(&before.trace, &self.run.trace, &next_method);
            let is_news = self.change.as_ref().is_some_and(|change| change.is_news);
            self.change = Some(Change { is_news, ..change });
        }
    }

    /// What the tasks of this experiment took in a plain loop, if one was watched to its end.
    fn loop_time_of(&self, experiment: &Experiment) -> Option<Nanos> {
        let (watched, time) = self.loop_time.as_ref()?;
        let same = Experiment {
            method: Method::Loop,
            workers: watched.workers,
            chunksize: watched.chunksize,
            main_work: watched.main_work,
            ..experiment.clone()
        };
        (same == *watched).then_some(*time)
    }

    fn learn(&mut self, run: RunId, events: Vec<Event>, complete_to: Time) {
        if run != self.run.id || self.run.over {
            return;
        }
        let before = (self.run.playback, self.viewport);
        let first = self.run.trace.run().is_none();
        let run = &mut self.run;
        run.trace.apply(events);
        if complete_to == Time::NEVER {
            run.over = true;
            run.complete_to = run.trace.end();
        } else {
            run.complete_to = run.complete_to.max(complete_to);
        }
        run.playback.known_to(run.end());
        let (over, simulated) = (run.over, run.experiment.backend == Backend::Simulated);
        if over && simulated {
            // How long it takes is known before it is played.
            self.viewport.ends(run.end());
            self.make_room();
        }
        self.viewport.show(self.cursor());
        if over {
            self.run_is_over();
        }
        let after = (self.run.playback, self.viewport);
        if first || over || before != after {
            self.changed();
        }
    }

    fn run_is_over(&mut self) {
        let run = &self.run;
        if run.experiment.method == Method::Loop
            && run.is_whole()
            && let Some(time) = run.trace.numbers(Time::NEVER).makespan
        {
            self.loop_time = Some((run.experiment.clone(), time));
            let before = self.previous.as_ref().map(|run| &run.experiment);
            let known = before.and_then(|before| self.loop_time_of(before));
            if let (Some(before), Some(_)) = (&mut self.previous, known) {
                before.trace.know_loop(known);
            }
        }
        self.conclude();
    }

    fn tick(&mut self, now: Nanos) -> Option<Effect> {
        // A longer gap is a stopped program or a stalled terminal: nobody saw it pass.
        let elapsed = self.ticked.map_or(Nanos::ZERO, |before| {
            now.saturating_sub(before).min(Nanos::SECOND)
        });
        self.ticked = Some(now);
        let run = &mut self.run;
        let before = run.playback;
        // A simulated run is computed faster than it is played: there is no now to catch up with.
        let has_no_now = run.over || run.experiment.backend == Backend::Simulated;
        run.playback.tick(elapsed, run.end(), has_no_now);
        if run.playback != before {
            self.viewport.show(self.cursor());
            self.changed();
        }
        let at_end = self.at_end();
        let next = self
            .demo
            .as_mut()
            .is_some_and(|demo| demo.tick(now, at_end));
        if next { self.next_act() } else { None }
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

#[cfg(test)]
mod tests;
