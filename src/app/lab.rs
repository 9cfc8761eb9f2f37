//! The lab's own runs: what keys make of the experiment, and what is said of a switch.

use crate::app::action::Action;
use crate::app::form::{self, Form};
use crate::app::run::Run;
use crate::app::selection::Selection;
use crate::app::switch::{self, Change};
use crate::app::{App, Effect, Lanes, Overlay, demo, variant};
use crate::experiment::{Experiment, MainWork};
use crate::method::Method;
use crate::plural::counted;
use crate::time::{Nanos, Time};
use crate::trace::Trace;
use crate::workload::Costs;

/// What is said while there is a worker to be killed.
const CHOOSE_FIRST: &str = "choose the worker first";

impl App {
    /// What the keys of the lab do; nothing where a program is watched.
    pub(super) fn act_in_lab(&mut self, action: Action) -> Option<Effect> {
        let experiment = self.asked_for()?.clone();
        match action {
            Action::SwitchForm => match variant::switched(&experiment) {
                Some(switched) => return self.switch(switched),
                None => self.say("a loop has no asynchronous form: main runs the tasks"),
            },
            Action::NextFamily => return self.switch(variant::family(&experiment, 1)),
            Action::PreviousFamily => return self.switch(variant::family(&experiment, -1)),
            Action::NextBackend => return self.switch(variant::next_backend(&experiment)),
            Action::FewerWorkers | Action::MoreWorkers | Action::Kill if experiment.is_loop() => {
                self.say("a loop has no workers: main runs the tasks");
            }
            Action::FewerWorkers => return self.workers(&experiment, -1),
            Action::MoreWorkers => return self.workers(&experiment, 1),
            Action::Edit => {
                let form = Form::new(&experiment, self.cpus);
                self.overlay = Some(Overlay::Form(Box::new(form)));
            }
            Action::RunAgain => return self.switch(experiment),
            Action::NewSeed => return self.new_seed(&experiment),
            Action::Run => return self.run_form(),
            Action::Kill => return self.kill(),
            Action::Compare => self.compare(),
            _ => {}
        }
        None
    }

    /// What was asked for, with all that the method and the backend of this run have no place for: the next
    /// may have one.
    fn asked_for(&self) -> Option<&Experiment> {
        self.wished.as_ref().or(self.run.experiment())
    }

    /// Workers of the run can be killed now.
    pub(super) fn can_kill(&self) -> bool {
        self.has_mortal_workers() && !self.run.over
    }

    /// Workers of runs like this one can be killed.
    pub(super) fn has_mortal_workers(&self) -> bool {
        self.run.experiment().is_some_and(Experiment::is_mortal)
    }

    /// Kills the worker that has the selected lane now, wherever the cursor stands.
    fn kill(&mut self) -> Option<Effect> {
        if !self.can_kill() {
            // A run in virtual time is over before it plays, and never had anybody to be killed.
            self.say(if self.has_mortal_workers() {
                "the run is over: nobody is left to be killed".to_owned()
            } else {
                let key = self.keymap.of(Action::NextBackend);
                format!("only a process can be killed: {key} goes to the next backend")
            });
            return None;
        }
        let row = self.selection.row.filter(|_| self.large == Lanes::Workers);
        let rows = self.run.trace.rows();
        let row = row.and_then(|row| rows.get(row));
        let Some((row, &lane)) = row.and_then(|row| Some((row, row.lanes.last()?))) else {
            let keys = [Action::Up, Action::Down].map(|action| self.keymap.of(action));
            self.say(format!("{CHOOSE_FIRST}: {}", keys.join(" ")));
            return None;
        };
        let opened = self.run.trace.lane(lane);
        if opened.is_some_and(|lane| lane.closed.is_some()) {
            let says = format!("{} is dead already, and nobody came in its place", row.name);
            self.say(says);
            return None;
        }
        let says = format!("{} is killed (SIGKILL)", row.name);
        self.say(says);
        let run = self.run.id;
        Some(Effect::Kill { run, lane })
    }

    /// Starts a run of just this. The one before is kept, unless it has not told anything yet.
    fn start(&mut self, experiment: Experiment) -> Effect {
        self.wished = None;
        let expected = expected(&experiment, self.cpus);
        let loop_time = self.loop_time_of(&experiment);
        let mut run = Run::of_experiment(self.next_run, experiment);
        run.playback = run.playback.at_speed(self.run.playback.speed);
        self.next_run.0 += 1;
        let mut before = std::mem::replace(&mut self.run, run);
        if before.trace.run().is_some() {
            before.playback.go_live(before.end());
            self.previous = Some(before);
        }
        self.run.trace.know_loop(loop_time);
        self.viewport = self.viewport.next(expected, self.run.is_computed());
        self.make_room();
        self.selection = Selection::default();
        self.scrolled_to = None;
        self.change = None;
        self.changed();
        self.opening()
    }

    /// What the switch will change, from both experiments in virtual time. That takes a while: to be called when
    /// the run before is cancelled, and before the next one has the CPUs.
    pub fn foretell(&mut self) {
        self.change = self.foretold(None);
    }

    /// The same once the run after it is told whole: with what was measured of that.
    fn foretold(&self, got: Option<&Trace>) -> Option<Change> {
        let before = self
            .previous
            .as_ref()
            .filter(|before| !before.is_like(&self.run))?;
        let experiments = [before.experiment()?, self.run.experiment()?];
        let before = switch::foretold(experiments[0], self.cpus)?;
        let after = switch::foretold(experiments[1], self.cpus)?;
        let next_method = self.keymap.of(Action::NextFamily);
        let mut change = switch::change(&before, &after, &next_method, got);
        if experiments
            .iter()
            .any(|experiment| experiment.backend.is_measured())
        {
            change.basis = switch::Basis::Expected;
        }
        Some(change)
    }

    /// What the switch did change, once the run after it is told whole.
    fn conclude(&mut self) {
        if let Some(change) = self.concluded() {
            let is_news = self.change.as_ref().is_some_and(|change| change.is_news);
            self.change = Some(Change { is_news, ..change });
        }
    }

    fn concluded(&self) -> Option<Change> {
        let (before, after) = (self.previous.as_ref()?, &self.run);
        if before.is_like(after) || !after.is_whole() {
            return None;
        }
        // Against a run that was cut short nothing was measured: what was foretold of both stays.
        if !before.is_whole() {
            let measured = after.trace.run().is_some_and(|run| run.measured);
            return self.foretold(Some(&after.trace).filter(|_| measured));
        }
        let next_method = self.keymap.of(Action::NextFamily);
        Some(switch::change(
            &before.trace,
            &after.trace,
            &next_method,
            None,
        ))
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
        // That of a pool may have what a loop has no place for.
        (variant::settled(same).0 == *watched).then_some(*time)
    }

    pub(super) fn run_is_over(&mut self) {
        let run = &self.run;
        if let Some(experiment) = run.experiment()
            && experiment.method == Method::Loop
            && run.is_whole()
            && let Some(time) = run.trace.numbers(Time::NEVER).makespan
        {
            self.loop_time = Some((experiment.clone(), time));
            let before = self.previous.as_ref().and_then(Run::experiment);
            let known = before.and_then(|before| self.loop_time_of(before));
            if let (Some(before), Some(_)) = (&mut self.previous, known) {
                before.trace.know_loop(known);
            }
        }
        if let Some(why) = self.run.trace.failure().map(str::to_owned)
            && self.run.experiment().is_some()
        {
            self.keep_saying(why);
        }
        self.conclude();
        self.forget_asked();
        self.notice
            .take_if(|notice| notice.starts_with(CHOOSE_FIRST));
    }

    /// Starts what a key made of the experiment, without what its backend or its method has no place for.
    /// What still cannot run is not started.
    fn switch(&mut self, experiment: Experiment) -> Option<Effect> {
        self.demo = None;
        let (settled, left_out) = variant::settled(experiment.clone());
        if let Err(wrong) = settled.check() {
            self.say(format!("not started: {wrong}"));
            return None;
        }
        let before = self.wished.take();
        let known = before.and_then(|before| variant::settled(before).1);
        if let Some(words) = left_out.filter(|words| known.as_ref() != Some(words)) {
            self.say(words);
        }
        let effect = self.start(settled);
        self.wished = Some(experiment);
        Some(effect)
    }

    fn workers(&mut self, experiment: &Experiment, more: i32) -> Option<Effect> {
        let changed = variant::workers(&self.with_own_work(experiment), more);
        if changed.is_none() {
            self.say(format!(
                "{} is the {} there can be",
                counted(experiment.workers, "worker", "workers"),
                if more < 0 { "least" } else { "most" }
            ));
        }
        self.switch(changed?)
    }

    /// With as much own work of main as it has now: half of a makespan is less with more workers, and the end of
    /// main would seem to be their doing.
    fn with_own_work(&self, experiment: &Experiment) -> Experiment {
        let mut kept = experiment.clone();
        if kept.tasks <= form::MOST_FORETOLD {
            // What was left out of it, and may come back, was no part of that.
            let runs = variant::settled(kept.clone()).0;
            let costs = runs.costs.draw(runs.tasks, runs.seed);
            kept.main_work = MainWork::Fixed(runs.main_work_length(&costs, self.cpus));
        }
        kept
    }

    fn new_seed(&mut self, experiment: &Experiment) -> Option<Effect> {
        let effect = self.switch(variant::new_seed(experiment));
        if matches!(experiment.costs, Costs::List(_) | Costs::Const(_)) {
            self.say("a new seed does not change these costs: they are not drawn");
        }
        effect
    }

    fn run_form(&mut self) -> Option<Effect> {
        let Some(Overlay::Form(form)) = &mut self.overlay else {
            return None;
        };
        let (experiment, left_out) = form.experiment()?;
        self.overlay = None;
        let effect = self.switch(experiment);
        if let Some(words) = left_out {
            self.say(words);
        }
        effect
    }

    pub(super) fn next_act(&mut self) -> Option<Effect> {
        let method = self.demo.as_ref().map(demo::Demo::act)?;
        let experiment = Experiment {
            method,
            ..self.run.experiment()?.clone()
        };
        // If this one cannot run, the next one may.
        experiment.check().is_ok().then(|| self.start(experiment))
    }
}

/// How long the tasks of the experiment should take at best.
pub(super) fn expected(experiment: &Experiment, cpus: u32) -> Nanos {
    // More are not drawn twice only to choose the first scale of the axis.
    if experiment.tasks > form::MOST_FORETOLD {
        return Nanos::SECOND;
    }
    let costs = experiment.costs.draw(experiment.tasks, experiment.seed);
    experiment.expected_makespan(&costs, cpus)
}
