//! Everything the screen shows, and how a message changes it.
//!
//! One thread owns the one [`App`]; everything else sends it messages. It reads no clock, file or
//! channel: time arrives in [`Message::Tick`], and what it wants done it says as an [`Effect`]. Drawing
//! takes `&App` and changes nothing.

pub mod action;
mod acts;
pub mod calls;
pub mod demo;
pub mod find;
mod findings;
pub mod form;
mod freshness;
mod input;
pub mod key;
pub mod keymap;
mod lab;
mod line;
mod message;
mod notice;
pub mod output;
pub mod playback;
mod run;
mod scene;
pub mod selection;
pub mod switch;
pub mod variant;
pub mod viewport;
mod watched;

pub use message::{Brightness, Effect, Hit, Message};
pub use run::{Run, RunId, Subject};
pub use scene::{Lanes, Overlay, Panel, Scene, View};
pub use watched::{Asked, Watched};

use crate::event::{CallId, Event};
use crate::experiment::Experiment;
use crate::palette::{Charset, Look, ThemeName};
use crate::time::{Nanos, Time};
use demo::Demo;
use findings::Findings;
use keymap::{Context, Keymap};
use notice::Passing;
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
    /// The run that is watched; if it is of an experiment, that is the one that keys change.
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
    /// The call of a program that the person chose to see, if not the latest at the cursor.
    chosen_call: Option<CallId>,
    pub large: Lanes,
    /// The first lane that the person scrolled to.
    scrolled_to: Option<usize>,
    pub look: Look,
    pub mouse: bool,
    pub keymap: Keymap,
    /// To be read now, in the place of the hint bar; gone with the next key at the latest.
    pub notice: Option<String>,
    passing: Passing,
    /// What a program printed last, as long as it has called no pool.
    pub last_lines: Vec<output::Line>,
    /// What the last switch changed.
    pub change: Option<Change>,
    /// What went wrong and what is slow in a program, as of the cursor.
    pub findings: Findings,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// CPUs that this process can use.
    pub cpus: u32,
    pub demo: Option<Demo>,
    theme_named: bool,
    next_run: RunId,
    /// What the last key asked for; the run may leave a part of it out.
    wished: Option<Experiment>,
    /// The last loop that was watched to its end, and how long it took.
    loop_time: Option<(Experiment, Nanos)>,
    /// The last tick while something moved.
    ticked: Option<Nanos>,
    revision: u64,
}

impl App {
    /// The state before the first run has told anything. [`App::opening`] starts that run.
    pub fn new(mut experiment: Experiment, settings: Settings) -> Self {
        let demo = settings.demo.then(Demo::default);
        if let Some(demo) = &demo {
            experiment.method = demo.act();
        }
        let expected = lab::expected(&experiment, settings.cpus);
        let mut app = Self::of(Run::of_experiment(RunId(0), experiment), settings);
        if demo.is_some() {
            // The scene that is read from afar, and that has the captions.
            app.scene = Scene::Presenter;
        }
        app.demo = demo;
        app.viewport = Viewport::expecting(expected);
        app
    }

    /// The same for a program that is to be watched.
    pub fn watching(program: Watched, settings: Settings) -> Self {
        let mut app = Self::of(Run::of_program(RunId(0), program), settings);
        app.viewport = Viewport::expecting(watched::FIRST_AXIS);
        app
    }

    fn of(run: Run, settings: Settings) -> Self {
        Self {
            run,
            previous: None,
            swapped: false,
            view: View::default(),
            scene: Scene::default(),
            panel: Panel::default(),
            overlay: None,
            viewport: Viewport::default(),
            selection: Selection::default(),
            chosen_call: None,
            large: Lanes::default(),
            scrolled_to: None,
            look: settings.look,
            mouse: settings.mouse,
            keymap: match settings.look.charset {
                Charset::Ascii => settings.keymap.without_arrows(),
                Charset::Unicode => settings.keymap,
            },
            last_lines: Vec::new(),
            notice: None,
            passing: Passing::default(),
            change: None,
            findings: Findings::default(),
            size: settings.size,
            cpus: settings.cpus,
            demo: None,
            theme_named: settings.theme_named,
            next_run: RunId(1),
            wished: None,
            loop_time: None,
            ticked: None,
            revision: 0,
        }
    }

    /// Starts the first run; for the runtime, once.
    pub fn opening(&self) -> Effect {
        let run = self.run.id;
        match &self.run.subject {
            Subject::Experiment(experiment) => Effect::Start {
                run,
                experiment: experiment.clone(),
            },
            Subject::Program(_) => Effect::Watch { run },
        }
    }

    /// Grows whenever the screen would look different: draw when it is not what was drawn.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether a tick could change anything: ask for ticks at frame rate while it is so.
    pub fn moving(&self) -> bool {
        self.findings.freshness.is_doubted()
            || matches!(&self.overlay, Some(Overlay::Find(find)) if find.freshness.is_doubted())
            || self.run.playback.moves(self.run.end())
            || self.is_passing()
            || (self.demo.is_some() && self.at_end())
    }

    /// The moment that is shown.
    pub fn cursor(&self) -> Time {
        self.run.playback.cursor
    }

    /// The first lane that is seen where not all fit: the person's choice, or else the first of the pool that is
    /// shown. Drawing shows the selected one in any case.
    pub fn first_lane(&self) -> usize {
        let shown = match self.large {
            Lanes::Workers => selection::first_of_shown(&self.run.trace),
            Lanes::Cpus => 0,
        };
        self.scrolled_to.unwrap_or(shown)
    }

    /// The run is over and seen to its end.
    pub fn at_end(&self) -> bool {
        self.run.over && self.cursor() >= self.run.end()
    }

    /// Where the keys go.
    pub fn context(&self) -> Context {
        match &self.overlay {
            None => self.below(),
            Some(Overlay::Form(_)) => Context::Form,
            Some(Overlay::Find(_)) => Context::Find,
            Some(Overlay::Output(panel)) if panel.typed.is_some() => Context::Find,
            Some(Overlay::Output(_)) => Context::Output,
            Some(Overlay::Leave) => Context::Leave,
            Some(_) => Context::Overlay,
        }
    }

    /// Where the keys go that nothing on top has a meaning for.
    pub fn below(&self) -> Context {
        match self.run.subject {
            Subject::Experiment(_) => Context::Lab,
            Subject::Program(_) => Context::Program,
        }
    }

    pub fn is_ascii(&self) -> bool {
        self.look.charset == Charset::Ascii
    }

    /// The only way in which the state changes.
    pub fn update(&mut self, message: Message) -> Option<Effect> {
        let cursor = self.cursor();
        let effect = self.take(message);
        self.follow_call();
        if cursor != self.cursor() {
            self.doubt_what_was_found();
        }
        if !self.moving() {
            self.ticked = None;
        }
        effect
    }

    fn take(&mut self, message: Message) -> Option<Effect> {
        // What these change is seen in any case; the others say themselves whether it is.
        if !matches!(
            message,
            Message::Input(_)
                | Message::Batch { .. }
                | Message::RunOver { .. }
                | Message::Python(_)
                | Message::Printed { .. }
                | Message::Tick { .. }
                | Message::Background(_)
        ) {
            self.changed();
        }
        match message {
            Message::Input(input) => return self.input(&input),
            Message::Click(hit) => return self.click(hit),
            Message::Drag { from, to } => self.viewport.drag(from, to),
            Message::Wheel { at, nearer } => return self.wheel(at, nearer),
            Message::Scrolled { lanes } => self.scroll_to(&lanes),
            Message::Turned { page } => self.turned_to(page),
            Message::Batch {
                run,
                events,
                complete_to,
            } => return self.hear(run, events, complete_to),
            Message::RunOver { run } => return self.hear(run, Vec::new(), Time::NEVER),
            Message::Python(version) => self.is_python(version),
            Message::Printed { lines } => return self.printed(lines),
            Message::Page(page) => self.page_came(page),
            Message::Found(line) => {
                return self.in_output(|panel, lines, rows| panel.found(line, lines, rows));
            }
            Message::Tick { now } => return self.tick(now),
            Message::Stopped { length } => self.was_stopped(length),
            Message::Background(brightness) => self.background(brightness),
            Message::Notice(text) => self.keep_saying(text),
        }
        None
    }

    fn changed(&mut self) {
        self.revision += 1;
    }

    fn hear(&mut self, run: RunId, events: Vec<Event>, complete_to: Time) -> Option<Effect> {
        self.learn(run, events, complete_to);
        self.has_seen_enough().then_some(Effect::Quit)
    }

    fn learn(&mut self, run: RunId, events: Vec<Event>, complete_to: Time) {
        if run != self.run.id || self.run.over {
            return;
        }
        let before = (self.run.playback, self.viewport);
        let first = self.run.trace.run().is_none();
        self.doubt_what_was_found();
        let run = &mut self.run;
        run.trace.apply(events);
        if complete_to == Time::NEVER {
            run.over = true;
            run.complete_to = run.trace.end();
        } else {
            run.complete_to = run.complete_to.max(complete_to);
        }
        run.playback.known_to(run.end());
        let over = run.over;
        if over && !run.playback.is_paused() {
            // How long it took is known, and nobody could tell before.
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

    /// The trace or the cursor has changed, and with them what can be found.
    fn doubt_what_was_found(&mut self) {
        if self.run.program().is_some() {
            self.findings.freshness.doubt();
        }
        if let Some(Overlay::Find(find)) = &mut self.overlay {
            find.freshness.doubt();
        }
    }

    fn tick(&mut self, now: Nanos) -> Option<Effect> {
        // A longer gap is a stopped program or a stalled terminal: nobody saw it pass.
        let elapsed = self.ticked.map_or(Nanos::ZERO, |before| {
            now.saturating_sub(before).min(Nanos::SECOND)
        });
        self.ticked = Some(now);
        let run = &mut self.run;
        let before = run.playback;
        let has_no_now = run.over || run.is_computed();
        run.playback.tick(elapsed, run.end(), has_no_now);
        if run.playback != before {
            self.viewport.show(self.cursor());
            self.changed();
        }
        self.let_notice_pass(now);
        self.look_for_findings(now);
        self.look_for_matches(now);
        let at_end = self.at_end();
        let next = self
            .demo
            .as_mut()
            .is_some_and(|demo| demo.tick(now, at_end));
        if next { self.next_act() } else { None }
    }

    /// A run of this process stood still meanwhile; its clock did not.
    fn was_stopped(&mut self, length: Nanos) {
        if !self.run.over && self.run.stops_with_us() {
            self.keep_saying(format!("stopped for {length}: times include it"));
        }
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
